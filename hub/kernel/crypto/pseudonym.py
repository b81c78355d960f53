"""Gives identifiers a keyed pseudonym, so that stores can find a subject again without holding its number."""

from __future__ import annotations

import hmac

from hub.kernel.crypto.derive import derived_key


class Pseudonyms:
    """Pseudonyms under one key version; ``version`` is stored beside each pseudonym."""

    def __init__(self, master_key: bytes, version: int = 1) -> None:
        self.version = version
        self._key = derived_key(master_key, "pseudonym", version)

    def of(self, scheme: str, value: str) -> bytes:
        """32 bytes: HMAC-SHA-256 over scheme ‖ 0 ‖ value. Not reversible without the key, unlike a digest."""
        return hmac.digest(self._key, f"{scheme}\0{value}".encode(), "sha256")

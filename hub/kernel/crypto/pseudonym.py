"""Gives identifiers a keyed pseudonym, so that stores can find a subject again without holding its number."""

from __future__ import annotations

from collections.abc import Iterable

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from hub.kernel.crypto.derive import derived_key


class Pseudonyms:
    """Pseudonyms under one key version; ``version`` is stored beside each pseudonym."""

    def __init__(self, master_key: bytes, version: int = 1) -> None:
        self.version = version
        self._keyed = HMAC(derived_key(master_key, "pseudonym", version), SHA256())

    def of(self, scheme: str, value: str) -> bytes:
        """32 bytes: HMAC-SHA-256 over scheme ‖ 0 ‖ value. Not reversible without the key, unlike a digest."""
        return self.of_each([(scheme, value)])[0]

    def of_each(self, subjects: Iterable[tuple[str, str]]) -> list[bytes]:
        """The pseudonyms of (scheme, value) pairs, in their order."""
        copy, names = self._keyed.copy, []
        for scheme, value in subjects:
            keyed = copy()
            keyed.update((scheme + "\0" + value).encode())
            names.append(keyed.finalize())
        return names

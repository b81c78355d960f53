"""Encrypts what the hub must store: AES-256-GCM under the master key, bound to the place it is stored at."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.kernel.crypto.derive import derived_key
from hub.kernel.errors import Code, HubError

VERSION = b"\x01"
NONCE_BYTES = 12  # NIST SP 800-38D: random nonces are safe up to 2**32 messages a key
TAG_BYTES = 16


class Envelope:
    """Seals and opens bytes. Sealed form: version (1 byte) ‖ nonce (12) ‖ ciphertext ‖ tag (16)."""

    def __init__(self, master_key: bytes) -> None:
        self._cipher = AESGCM(derived_key(master_key, "envelope", VERSION[0]))

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Ciphertext of ``plain``; ``context`` (not secret) must be given again to open it."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return VERSION + nonce + self._cipher.encrypt(nonce, plain, VERSION + context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The plain bytes; raises HubError(KEY_UNREADABLE) for another key, place or version, or a change."""
        nonce, ciphertext = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        if sealed[:1] != VERSION or len(ciphertext) < TAG_BYTES:
            raise HubError(Code.KEY_UNREADABLE, part="envelope")
        try:
            return self._cipher.decrypt(nonce, ciphertext, VERSION + context)
        except InvalidTag:
            raise HubError(Code.KEY_UNREADABLE, part="envelope") from None

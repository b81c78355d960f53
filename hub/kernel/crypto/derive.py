"""Derives one independent key for each use from the master key."""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


def derived_key(master_key: bytes, use: str, version: int) -> bytes:
    """32 bytes by HKDF-SHA-256 (RFC 5869); other uses and versions give unrelated keys."""
    info = f"proofless/{use}/{version}".encode()
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(master_key)

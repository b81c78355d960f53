"""Identifiers that are unique, ordered by time and not dense: UUID version 7."""

from __future__ import annotations

import os
from uuid import UUID

from hub.kernel.clock import unix_milliseconds

RANDOM_BYTES, SPARE_BITS = 10, 6  # 74 bits


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, version, variant, 74 random bits."""
    random = int.from_bytes(os.urandom(RANDOM_BYTES)) >> SPARE_BITS
    first = (unix_milliseconds() & 0xFFFF_FFFF_FFFF) << 16 | 0x7000 | random >> 62
    second = 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=first << 64 | second)

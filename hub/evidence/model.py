"""What proves an answer: the sealed receipt, and what verifying one has shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Sealed:
    """A receipt and its salt as they stand in ``extensions.receipt`` and ``extensions.receiptSalt``.

    The log keeps the two digests: ``receipt_digest`` is SHA-256 of the compact JWS, ``response_digest`` the
    salted digest in it. The salt is stored nowhere.
    """

    receipt: str
    salt: str  # base64url of 32 bytes
    receipt_digest: bytes
    response_digest: bytes


@dataclass(frozen=True, slots=True)
class Verdict:
    """A genuine exchange: who answered when, what for and from where, and what the receipt leaves out."""

    issuer: str
    at: datetime
    inquiry: str  # the id of the look-up in the hub's log
    key: str  # the kid of the key that signed
    purpose: Mapping[str, Any]  # as the claim has it, its members checked
    sources: tuple[Mapping[str, Any], ...]
    without_answer: int  # numbered errors in the answer
    uncovered: tuple[str, ...]  # members of request.extensions that no digest covers

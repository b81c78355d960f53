"""Seals answers: one signature binds the question, the purpose, the sources and the data."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from hub.audit.model import InquiryId, Purpose, SourceUse
from hub.evidence import rules
from hub.evidence.model import Sealed
from hub.kernel.clock import Clock
from hub.kernel.crypto.keyring import Keyring
from hub.kernel.crypto.signing import Use


class ReceiptService:
    """Makes receipts in the name of ``issuer``, the public base URL of the hub."""

    def __init__(self, keyring: Keyring, issuer: str, clock: Clock) -> None:
        self._keyring = keyring
        self._issuer = issuer
        self._clock = clock

    def seal(
        self,
        request: Mapping[str, Any],
        response: Mapping[str, Any],
        purpose: Purpose,
        sources: Sequence[SourceUse],
        inquiry: InquiryId,
    ) -> Sealed:
        """The receipt of one answer.

        ``request`` is the body as it came: query or documentId, operationName and variables are sealed,
        those which are not there are left out. ``response`` holds data and errors as they will leave.
        """
        salt = secrets.token_bytes(rules.SALT_BYTES)
        question = rules.question_digest(salt, request)
        answer = rules.answer_digest(salt, response)
        payload = rules.claims(self._issuer, self._clock.now(), inquiry, question, answer, purpose, sources)
        receipt = self._keyring.sign(Use.RECEIPT, rules.TYP, payload)
        return Sealed(receipt, rules.base64url(salt), sha256(receipt.encode()).digest(), answer)

"""An exchange as a client saves it, sealed by the hub's own parts."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from hub.audit.model import (
    Actor,
    ActorKind,
    AgencyCode,
    CaseReference,
    ClientId,
    InquiryId,
    Known,
    ProcedureCode,
    Purpose,
    SourceUse,
)
from hub.audit.rules import period
from hub.evidence.model import Sealed
from hub.evidence.service import ReceiptService
from hub.kernel.crypto.signing import PublicKey, Signer, Use, new_key

INQUIRY = InquiryId(UUID("01900000-0000-7000-8000-000000000001"))
AT = datetime(2026, 5, 12, 3, 4, 5, tzinfo=UTC)
PURPOSE = Purpose(
    ClientId("window"),
    AgencyCode("11370300004221110X"),
    ProcedureCode("drug-retail"),
    CaseReference("淄审批〔2026〕12号"),
    Actor(ActorKind.OFFICER, "zhang.san"),
    (
        ("client", Known.VERIFIED),
        ("agency", Known.ASSERTED),
        ("procedure", Known.DECLARED),
        ("case", Known.DECLARED),
        ("actor", Known.DECLARED),
    ),
)
SOURCES = (
    SourceUse("person", "id_number", "police", 3, {"found": 1}, period(AT, AT)),
    SourceUse("drug_business_licence", "holder", "licences", 1, {"absent": 1, "unavailable": 2}),
)


class OneKeyRing:
    """Signs like the keyring, with keys that no database holds."""

    def __init__(self) -> None:
        self.keys: dict[Use, tuple[PublicKey, bytes]] = {use: new_key(use) for use in Use}

    def sign(self, use: Use, typ: str, payload: bytes) -> str:
        public, private = self.keys[use]
        return Signer(public.kid, private).sign(typ, payload)

    def jwks(self) -> bytes:
        return json.dumps({"keys": [dict(public.jwk) for public, _ in self.keys.values()]}).encode()


class Noon:
    """A clock that stands still."""

    def now(self) -> datetime:
        return AT

    def monotonic(self) -> float:
        return 0.0


@dataclass
class Desk:
    """A hub's receipt desk with its published keys."""

    ring: OneKeyRing

    def service(self) -> ReceiptService:
        return ReceiptService(self.ring, "https://hub.example", Noon())  # type: ignore[arg-type]

    @property
    def jwks(self) -> bytes:
        return self.ring.jwks()

    def seal(self, request: dict[str, Any], response: dict[str, Any]) -> Sealed:
        return self.service().seal(request, response, PURPOSE, SOURCES, INQUIRY)

    def exchange(self, request: dict[str, Any], response: dict[str, Any]) -> dict[str, Any]:
        """What a client holds after asking and being answered."""
        sealed = self.seal(request, response)
        extensions = {"receipt": sealed.receipt, "receiptSalt": sealed.salt}
        return deepcopy({"request": request, "response": {**response, "extensions": extensions}})


@pytest.fixture(scope="session")
def desk() -> Desk:
    """A receipt desk whose keys are of this test run."""
    return Desk(OneKeyRing())


@pytest.fixture
def request_body() -> dict[str, Any]:
    """A whole GraphQL request with its purpose in the extensions."""
    return {
        "query": "query Facts($id: ResidentIdNumber!) { person(idNumber: $id) { name deceased } }",
        "operationName": "Facts",
        "variables": {"id": "11010519491231002X", "list": [1, "two", None, [True, {"deep": "值"}]]},
        "extensions": {
            "purpose": {
                "agency": "11370300004221110X",
                "procedure": "drug-retail",
                "case": "淄审批〔2026〕12号",
                "actor": {"kind": "officer", "account": "zhang.san"},
            }
        },
    }


@pytest.fixture
def response_body() -> dict[str, Any]:
    """An answer with a part that is not there and its error."""
    return {
        "data": {"person": {"name": "阿依古丽", "deceased": False, "certificates": None}},
        "errors": [
            {
                "message": "暂时取不到",
                "path": ["person", "certificates", 0],
                "extensions": {"code": "HUB-211", "outcome": "unavailable"},
            }
        ],
    }


@pytest.fixture
def exchange(desk: Desk, request_body: dict[str, Any], response_body: dict[str, Any]) -> dict[str, Any]:
    """A genuine exchange."""
    return desk.exchange(request_body, response_body)


@pytest.fixture
def saved() -> Callable[[object], bytes]:
    """Writes an exchange as a client saves it."""
    return lambda content: json.dumps(content, ensure_ascii=False).encode()


def unpadded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

"""Any single change of any sealed exchange is found; any exchange as it was sealed is genuine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

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
from hub.evidence.model import Verdict
from hub.evidence.rules import verify_exchange
from hub.evidence.service import ReceiptService
from hub.kernel.crypto.signing import Signer, Use, new_key

Path = tuple[Any, ...]
AT = datetime(2026, 5, 12, tzinfo=UTC)
ACTOR = {"kind": "officer", "account": "zhang.san"}
STATED = {
    "agency": "11370300004221110X",
    "procedure": "drug-retail",
    "case": "淄审批〔2026〕12号",
    "actor": ACTOR,
}
PURPOSE = Purpose(
    ClientId("window"),
    AgencyCode("11370300004221110X"),
    ProcedureCode("drug-retail"),
    CaseReference("淄审批〔2026〕12号"),
    Actor(ActorKind.OFFICER, "zhang.san"),
    (("client", Known.VERIFIED),),
)
PUBLIC, PRIVATE = new_key(Use.RECEIPT)
JWKS = json.dumps({"keys": [dict(PUBLIC.jwk)]}).encode()

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
members = st.dictionaries(texts, values, max_size=3)


class Ring:
    """A keyring of one key."""

    def sign(self, use: Use, typ: str, payload: bytes) -> str:
        assert use is Use.RECEIPT
        return Signer(PUBLIC.kid, PRIVATE).sign(typ, payload)


class Midnight:
    """A clock that stands still."""

    def now(self) -> datetime:
        return AT

    def monotonic(self) -> float:
        return 0.0


@st.composite
def exchanges(draw: st.DrawFn) -> dict[str, Any]:
    """Any sealed exchange whose purpose stands in its extensions."""
    request: dict[str, Any] = {draw(st.sampled_from(["query", "documentId"])): draw(texts)}
    if draw(st.booleans()):
        request["variables"] = draw(members)
    if draw(st.booleans()):
        request["operationName"] = draw(texts)
    request["extensions"] = {"purpose": deepcopy(STATED)}
    response: dict[str, Any] = {"data": draw(st.none() | members)}
    if draw(st.booleans()):
        response["errors"] = draw(st.lists(members, min_size=1, max_size=3))
    receipts = ReceiptService(Ring(), "https://hub.example", Midnight())  # type: ignore[arg-type]
    uses = (SourceUse("person", "id_number", "police", 1, {"found": 1}, period(AT, AT)),)
    sealed = receipts.seal(request, response, PURPOSE, uses, InquiryId(UUID(int=7)))
    response["extensions"] = {"receipt": sealed.receipt, "receiptSalt": sealed.salt}
    return {"request": request, "response": response}


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of every value within a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, below in inner:
        yield (*path, key)
        yield from places(below, (*path, key))


def at(value: Any, path: Path) -> Any:
    for key in path:
        value = value[key]
    return value


@st.composite
def mutations(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """A sealed exchange, and the same with a value changed, a member removed or added, or a list turned."""
    exchange = draw(exchanges())
    changed = deepcopy(exchange)
    path = draw(st.sampled_from(sorted(places(exchange), key=repr)))
    holder, key = at(changed, path[:-1]), path[-1]
    kind = draw(st.sampled_from(["value", "removal", "addition", "order"]))
    if kind == "value":
        holder[key] = draw(values)
    elif kind == "removal":
        del holder[key]
    elif kind == "addition" and isinstance(holder, dict):
        holder[draw(texts)] = draw(values)
    elif isinstance(holder, list):
        holder.reverse()
    return exchange, changed


def unsealed_by_choice(changed: dict[str, Any]) -> bool:
    """A purpose may have come in headers, and clients put extensions of their own beside it."""
    request = changed["request"] if isinstance(changed.get("request"), dict) else {}
    extensions = {} if request.get("extensions") is None else request["extensions"]
    return isinstance(extensions, dict) and extensions.get("purpose", STATED) == STATED


@given(exchanges())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_what_was_sealed_is_genuine(exchange: dict[str, Any]) -> None:
    assert isinstance(verify_exchange(json.dumps(exchange).encode(), JWKS), Verdict)
    assert isinstance(
        verify_exchange(json.dumps(exchange, ensure_ascii=False, indent=1).encode(), JWKS), Verdict
    )


@given(mutations())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_one_change_is_found(pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
    exchange, changed = pair
    found = isinstance(verify_exchange(json.dumps(changed).encode(), JWKS), Verdict)
    same = rfc8785.dumps(without_extensions(exchange)) == rfc8785.dumps(without_extensions(changed))
    assert found == (same and unsealed_by_choice(changed))


def without_extensions(exchange: dict[str, Any]) -> dict[str, Any]:
    """An exchange less the one place that a receipt does not cover."""
    if not isinstance(exchange.get("request"), dict):
        return exchange
    return {**exchange, "request": {k: v for k, v in exchange["request"].items() if k != "extensions"}}


@given(exchanges(), st.data())
@settings(max_examples=150, deadline=None, derandomize=True)
def test_one_changed_byte_is_found(exchange: dict[str, Any], data: st.DataObject) -> None:
    written = bytearray(json.dumps(exchange, separators=(",", ":"), ensure_ascii=False).encode())
    place = data.draw(st.integers(0, len(written) - 1))
    before = json.loads(bytes(written))
    written[place] ^= data.draw(st.integers(1, 255))
    try:
        after = json.loads(bytes(written))
        same = rfc8785.dumps(after) == rfc8785.dumps(before)
        same = same or (without_extensions(after) == without_extensions(before) and unsealed_by_choice(after))
    except (ValueError, RecursionError, AttributeError):
        same = False
    assert isinstance(verify_exchange(bytes(written), JWKS), Verdict) <= same

"""What is changed, forged or unreadable is found, and its place is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from hub.evidence.model import Verdict
from hub.evidence.rules import base64url, verify_exchange
from hub.kernel.crypto.signing import Use, new_key
from hub.kernel.errors import Code, Problem
from tests.unit.evidence.conftest import unpadded

Save = Callable[[object], bytes]
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def part(found: Verdict | Problem) -> str:
    assert isinstance(found, Problem)
    assert found.code is Code.RECEIPT_INVALID
    return found.detail["part"]


CHANGES: list[tuple[str, Callable[[Any], Any], str]] = [
    ("a fact", lambda e: e["response"]["data"]["person"].update(name="阿依"), "response"),
    ("a fact's type", lambda e: e["response"]["data"]["person"].update(deceased=0), "response"),
    ("a stripped error", lambda e: e["response"]["errors"].clear(), "response"),
    ("stripped errors", lambda e: e["response"].pop("errors"), "response"),
    ("the question", lambda e: e["request"].update(query=e["request"]["query"] + " "), "request"),
    ("a variable", lambda e: e["request"]["variables"].update(id="360426199101010071"), "request"),
    (
        "the case",
        lambda e: e["request"]["extensions"]["purpose"].update(case="13"),
        "request.extensions.purpose",
    ),
    ("a part", lambda e: e["request"]["extensions"]["purpose"].pop("agency"), "request.extensions.purpose"),
    ("no purpose", lambda e: e["request"]["extensions"].update(purpose=None), "request.extensions.purpose"),
    ("an addition", lambda e: e["response"].update(note="x"), "response"),
    ("an addition beside", lambda e: e.update(note="x"), "exchange"),
    ("an addition above", lambda e: e["request"].update(note="x"), "request"),
    ("an addition within", lambda e: e["response"]["extensions"].update(note="x"), "response.extensions"),
    ("no receipt", lambda e: e["response"]["extensions"].pop("receipt"), "extensions.receipt"),
    ("no extensions", lambda e: e["response"].pop("extensions"), "extensions.receipt"),
    (
        "a receipt that is no text",
        lambda e: e["response"]["extensions"].update(receipt=1),
        "extensions.receipt",
    ),
    ("half a receipt", lambda e: e["response"]["extensions"].update(receipt="a.b"), "extensions.receipt"),
    ("no salt", lambda e: e["response"]["extensions"].update(receiptSalt=""), "extensions.receiptSalt"),
    ("another salt", lambda e: e["response"]["extensions"].update(receiptSalt="A" * 43), "request"),
]


@pytest.mark.parametrize(("change", "where"), [row[1:] for row in CHANGES], ids=[row[0] for row in CHANGES])
def test_a_change_is_found_and_its_place_named(
    desk: Any, exchange: Any, saved: Save, change: Callable[[Any], Any], where: str
) -> None:
    change(exchange)
    found = verify_exchange(saved(exchange), desk.jwks)
    assert part(found) == where


def test_a_float_in_a_response_is_no_whole_number_of_the_hub(
    desk: Any, request_body: Any, saved: Save
) -> None:
    """Canonical JSON writes both alike (RFC 8785 §3.2.2.3), so that the digest alone would not tell."""
    exchange = desk.exchange(request_body, {"data": {"people": {"count": 1}}})
    assert isinstance(verify_exchange(saved(exchange), desk.jwks), Verdict)
    exchange["response"]["data"]["people"]["count"] = 1.0
    assert part(verify_exchange(saved(exchange), desk.jwks)) == "response"


@pytest.mark.parametrize("number", [b"1e999", b"9007199254740992", b"NaN"])
def test_a_number_that_is_not_portable_makes_it_unreadable(
    desk: Any, exchange: Any, saved: Save, number: bytes
) -> None:
    exchange["request"]["variables"]["id"] = "HERE"
    found = verify_exchange(saved(exchange).replace(b'"HERE"', number), desk.jwks)
    assert isinstance(found, Problem)
    assert found.code is Code.EXCHANGE_UNREADABLE


def test_keys_of_no_use_here_are_passed_over(desk: Any, exchange: Any, saved: Save) -> None:
    """RFC 7517 §5: what a reader does not understand it ignores."""
    listed = json.loads(desk.jwks)["keys"]
    mine = next(key for key in listed if key["kid"] == desk.ring.keys[Use.RECEIPT][0].kid)
    strange = [
        {"kty": "OKP"},
        {"kid": "x"},
        {"kid": 1, "kty": "EC"},
        {"kty": "oct", "k": "AA", "kid": "a"},
        {"kid": "receipt-later", "kty": "AKP", "pub": "AA"},
        {"kid": "receipt-cut", "kty": "OKP", "crv": "Ed25519"},
        *({**mine, "kid": f"receipt-{x}", "x": x} for x in ("AA", "é", 5, None, [])),
    ]
    jwks = json.dumps({"keys": [*strange, *listed]}).encode()
    assert isinstance(verify_exchange(saved(exchange), jwks), Verdict)


def test_no_other_letter_of_receipt_or_salt_is_accepted(desk: Any, exchange: Any, saved: Save) -> None:
    """The last letters of Base64url carry spare bits that a careless decoder passes over."""
    extensions = exchange["response"]["extensions"]
    for name in ("receipt", "receiptSalt"):
        text = extensions[name]
        for letter in BASE64URL.replace(text[-1], ""):
            changed = deepcopy(exchange)
            changed["response"]["extensions"][name] = text[:-1] + letter
            assert isinstance(verify_exchange(saved(changed), desk.jwks), Problem)
        for place in (text + "=", text + "!", " " + text, text[:5] + "\n" + text[5:], text + "Ａ"):
            changed = deepcopy(exchange)
            changed["response"]["extensions"][name] = place
            assert isinstance(verify_exchange(saved(changed), desk.jwks), Problem)


def test_a_receipt_of_another_answer_does_not_fit(
    desk: Any, exchange: Any, request_body: Any, response_body: Any, saved: Save
) -> None:
    response_body["data"]["person"]["deceased"] = True
    other = desk.exchange(request_body, response_body)
    exchange["response"]["extensions"] = other["response"]["extensions"]
    assert part(verify_exchange(saved(exchange), desk.jwks)) == "response"


def resigned(desk: Any, exchange: Any, use: Use, typ: str) -> Any:
    payload = unpadded(exchange["response"]["extensions"]["receipt"].split(".")[1])
    exchange["response"]["extensions"]["receipt"] = desk.ring.sign(use, typ, payload)
    return exchange


def test_a_token_key_cannot_sign_receipts(desk: Any, exchange: Any, saved: Save) -> None:
    forged = resigned(desk, exchange, Use.TOKEN, "hub-receipt+jwt")
    assert part(verify_exchange(saved(forged), desk.jwks)) == "key"


def test_another_kind_of_token_is_no_receipt(desk: Any, exchange: Any, saved: Save) -> None:
    forged = resigned(desk, exchange, Use.RECEIPT, "at+jwt")
    assert part(verify_exchange(saved(forged), desk.jwks)) == "header"


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg":"none","kid":"KID","typ":"hub-receipt+jwt"}',
        b'{"alg":"HS256","kid":"KID","typ":"hub-receipt+jwt"}',
        b'{"alg":"EdDSA","kid":"KID","typ":"hub-receipt+jwt"}',
        b'{"alg":"Ed25519","kid":"KID","typ":"hub-receipt+jwt","crit":["x"],"x":1}',
        b'{"alg":"Ed25519","kid":"KID","typ":"hub-receipt+jwt","jwk":{}}',
        b'{"alg":"Ed25519","alg":"Ed25519","kid":"KID","typ":"hub-receipt+jwt"}',
        b'{"alg":"Ed25519","typ":"hub-receipt+jwt"}',
        b"[]",
        b"{",
    ],
)
def test_a_header_of_another_form_is_refused(desk: Any, exchange: Any, saved: Save, header: bytes) -> None:
    extensions = exchange["response"]["extensions"]
    _, payload, signature = extensions["receipt"].split(".")
    kid = desk.ring.keys[Use.RECEIPT][0].kid.encode()
    extensions["receipt"] = f"{base64url(header.replace(b'KID', kid))}.{payload}.{signature}"
    assert part(verify_exchange(saved(exchange), desk.jwks)) == "header"


def test_keys_of_another_hub_do_not_verify(desk: Any, exchange: Any, saved: Save) -> None:
    assert part(verify_exchange(saved(exchange), type(desk.ring)().jwks())) == "key"


def test_another_key_under_the_same_name_does_not_verify(desk: Any, exchange: Any, saved: Save) -> None:
    stranger, _ = new_key(Use.RECEIPT)
    listed = json.loads(desk.jwks)
    kid = desk.ring.keys[Use.RECEIPT][0].kid
    jwks = {
        "keys": [dict(stranger.jwk) | {"kid": kid} if key["kid"] == kid else key for key in listed["keys"]]
    }
    assert part(verify_exchange(saved(exchange), json.dumps(jwks).encode())) == "signature"


@pytest.mark.parametrize(
    "text",
    [
        b"", b"{", b"[]", b"{}", b'"x"', b"\xff", b'{"request": {}}', b'{"request": 1, "response": {}}',
        b'{"request": {"extensions": 1}, "response": {}}', b'{"request": {}, "response": NaN}',
        b"[" * 100_000,
    ],
)  # fmt: skip
def test_what_is_no_exchange_is_unreadable(desk: Any, text: bytes) -> None:
    found = verify_exchange(text, desk.jwks)
    assert isinstance(found, Problem)
    assert found.code is Code.EXCHANGE_UNREADABLE


@pytest.mark.parametrize(
    "key", [b'"name"', b'"receipt"', b'"data"', b'"variables"', b'"response"', b'"case"']
)
def test_a_key_that_stands_twice_is_refused(desk: Any, exchange: Any, saved: Save, key: bytes) -> None:
    twice = saved(exchange).replace(key + b": ", key + b": 1, " + key + b": ", 1)
    found = verify_exchange(twice, desk.jwks)
    assert isinstance(found, Problem)
    assert found.code is Code.EXCHANGE_UNREADABLE


@pytest.mark.parametrize(
    "jwks", [b"", b"{}", b"[]", b'{"keys": 1}', b'{"keys": [1]}', b'{"keys": [], "keys": []}']
)
def test_what_is_no_key_set_is_said(exchange: Any, saved: Save, jwks: bytes) -> None:
    found = verify_exchange(saved(exchange), jwks)
    assert isinstance(found, Problem)
    assert found.code is Code.JWKS_UNREADABLE

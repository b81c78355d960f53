"""What a receipt binds, and what no longer holds once something is changed."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
import rfc8785
from joserfc import jws
from joserfc.jwk import KeySet

from hub.evidence.model import Verdict
from hub.evidence.rules import in_words, verify_exchange
from hub.kernel.crypto.signing import Use
from hub.kernel.errors import Problem
from hub.kernel.strict_json import DEEPEST, strict_json
from hub.texts import Language, load_texts
from tests.unit.evidence.conftest import unpadded

Save = Callable[[object], bytes]
BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def test_the_receipt_is_a_jws_that_another_library_verifies(desk: Any, exchange: Any) -> None:
    receipt = exchange["response"]["extensions"]["receipt"]
    keys = KeySet.import_key_set(json.loads(desk.jwks))
    read = jws.deserialize_compact(receipt, keys, registry=jws.JWSRegistry(algorithms=["Ed25519"]))
    header = read.headers()
    assert (header["typ"], header["alg"]) == ("hub-receipt+jwt", "Ed25519")
    assert header["kid"] == desk.ring.keys[Use.RECEIPT][0].kid


def test_the_claims_are_what_the_documents_say(exchange: Any) -> None:
    extensions = exchange["response"]["extensions"]
    claims = json.loads(unpadded(extensions["receipt"].split(".")[1]))
    salt = unpadded(extensions["receiptSalt"])
    question = {name: exchange["request"][name] for name in ("query", "operationName", "variables")}
    answer = {name: exchange["response"][name] for name in ("data", "errors")}
    assert len(salt) == 32
    assert claims == {
        "iss": "https://hub.example",
        "iat": 1778555045,
        "jti": "01900000-0000-7000-8000-000000000001",
        "request": sha256(salt + rfc8785.dumps(question)).hexdigest(),
        "response": sha256(salt + rfc8785.dumps(answer)).hexdigest(),
        "purpose": {
            "client": "window",
            "agency": "11370300004221110X",
            "procedure": "drug-retail",
            "case": "淄审批〔2026〕12号",
            "actor": {"kind": "officer", "account": "zhang.san"},
            "known": {
                "client": "verified",
                "agency": "asserted",
                "procedure": "declared",
                "case": "declared",
                "actor": "declared",
            },
        },
        "sources": [
            {
                "record": "person",
                "key": "id_number",
                "connector": "police",
                "version": 3,
                "outcomes": {"found": 1},
                "asOf": {"from": "2026-05-12T03:04:05.000000Z", "to": "2026-05-12T03:04:05.000000Z"},
            },
            {
                "record": "drug_business_licence",
                "key": "holder",
                "connector": "licences",
                "version": 1,
                "outcomes": {"absent": 1, "unavailable": 2},
            },
        ],
    }


def test_what_the_log_keeps_of_a_receipt(desk: Any, request_body: Any, response_body: Any) -> None:
    sealed = desk.seal(request_body, response_body)
    assert sealed.receipt_digest == sha256(sealed.receipt.encode()).digest()
    claims = json.loads(unpadded(sealed.receipt.split(".")[1]))
    assert claims["response"] == sealed.response_digest.hex()


def test_equal_answers_have_unlike_digests(desk: Any, request_body: Any, response_body: Any) -> None:
    first, second = (desk.seal(request_body, response_body) for _ in range(2))
    assert first.salt != second.salt
    assert first.response_digest != second.response_digest


def test_an_exchange_is_genuine(desk: Any, exchange: Any, saved: Save) -> None:
    verdict = verify_exchange(saved(exchange), desk.jwks)
    assert isinstance(verdict, Verdict)
    assert verdict.issuer == "https://hub.example"
    assert f"{verdict.at:%Y-%m-%dT%H:%M:%SZ}" == "2026-05-12T03:04:05Z"
    assert verdict.purpose["case"] == "淄审批〔2026〕12号"
    assert verdict.without_answer == 1
    assert verdict.uncovered == ()


def test_neither_white_space_nor_the_order_of_members_matters(desk: Any, exchange: Any) -> None:
    turned = {name: dict(reversed(exchange[name].items())) for name in ("response", "request")}
    assert isinstance(verify_exchange(json.dumps(turned, indent=4).encode(), desk.jwks), Verdict)


@pytest.mark.parametrize("absent", ["operationName", "variables", "extensions"])
def test_a_request_without_a_member_is_sealed_as_it_came(
    desk: Any, request_body: Any, response_body: Any, saved: Save, absent: str
) -> None:
    del request_body[absent]
    exchange = desk.exchange(request_body, response_body)
    assert isinstance(verify_exchange(saved(exchange), desk.jwks), Verdict)
    exchange["request"][absent] = None
    found = verify_exchange(saved(exchange), desk.jwks)
    assert isinstance(found, Verdict if absent == "extensions" else Problem), "extensions are not sealed"


def test_extensions_that_are_null_are_as_good_as_none(desk: Any, response_body: Any, saved: Save) -> None:
    """Some client libraries send every member; the hub answers them, so their receipts hold."""
    exchange = desk.exchange({"query": "{ a }", "extensions": None}, response_body)
    assert isinstance(verify_exchange(saved(exchange), desk.jwks), Verdict)


def test_the_deepest_request_that_the_hub_takes_can_be_verified(
    desk: Any, request_body: Any, response_body: Any, saved: Save
) -> None:
    nested: dict[str, Any] = {}
    for _ in range(DEEPEST - 3):  # within variables, within the request
        nested = {"in": nested}
    request_body["variables"] = {"nested": nested}
    assert isinstance(strict_json(saved(request_body)), dict)
    exchange = desk.exchange(request_body, response_body)
    assert isinstance(verify_exchange(saved(exchange), desk.jwks), Verdict)
    exchange["request"]["variables"] = {"nested": {"in": nested}}
    assert isinstance(strict_json(saved(exchange["request"])), Problem)
    assert isinstance(verify_exchange(saved(exchange), desk.jwks), Problem)


def test_a_trusted_document_is_named_by_its_id(desk: Any, response_body: Any, saved: Save) -> None:
    exchange = desk.exchange({"documentId": "sha256:ab", "variables": {}}, response_body)
    assert isinstance(verify_exchange(saved(exchange), desk.jwks), Verdict)
    exchange["request"] = {"query": "sha256:ab", "variables": {}}
    assert isinstance(verify_exchange(saved(exchange), desk.jwks), Problem)


def test_other_extensions_of_the_request_are_told_to_be_uncovered(
    desk: Any, exchange: Any, saved: Save
) -> None:
    exchange["request"]["extensions"]["trace"] = "x"
    verdict = verify_exchange(saved(exchange), desk.jwks)
    assert isinstance(verdict, Verdict)
    assert verdict.uncovered == ("request.extensions.trace",)
    assert "request.extensions.trace" in in_words(verdict, load_texts(Language.EN).page("evidence"))[-1]


def test_a_purpose_under_another_name_is_nobodys_purpose(desk: Any, exchange: Any, saved: Save) -> None:
    """As if it had come in headers: the receipt itself states what the hub took for the purpose."""
    extensions = exchange["request"]["extensions"]
    extensions["Purpose"] = {**extensions.pop("purpose"), "case": "another"}
    verdict = verify_exchange(saved(exchange), desk.jwks)
    assert isinstance(verdict, Verdict)
    assert verdict.purpose["case"] == "淄审批〔2026〕12号"
    for language, warned in (
        (Language.EN, "The purpose is the one stated above"),
        (Language.ZH, "以上文所列为准"),
    ):
        lines = in_words(verdict, load_texts(language).page("evidence"))
        assert "淄审批〔2026〕12号" in lines[1]
        assert "request.extensions.Purpose" in lines[-1]
        assert warned in lines[-1]
        assert "another" not in "".join(lines)


@pytest.mark.parametrize("name", ["a\nGenuine.", "\x1b[2J", "\u202egnihtyna", "a, b", ""])
def test_a_name_that_nothing_covers_cannot_speak_for_the_verifier(
    desk: Any, exchange: Any, saved: Save, name: str
) -> None:
    exchange["request"]["extensions"][name] = 1
    verdict = verify_exchange(saved(exchange), desk.jwks)
    assert isinstance(verdict, Verdict)
    assert verdict.uncovered == (f"request.extensions.{json.dumps(name)}",)
    assert verdict.uncovered[0].isprintable()


IN_ENGLISH = """
Genuine. The hub https://hub.example gave exactly this answer to exactly this question at 2026-05-12T03:04:05Z.
Purpose: agency 11370300004221110X, procedure drug-retail, case 淄审批〔2026〕12号, officer zhang.san, through client window.
Of this the hub verified: client; an agency vouches for: agency; the client declared: actor, case, procedure.
Data come from connector police, version 3: person by id_number, found 1; as of 2026-05-12T03:04:05.000000Z to 2026-05-12T03:04:05.000000Z.
Data come from connector licences, version 1: drug_business_licence by holder, absent 1, unavailable 2.
The answer says itself that 1 of its places have no answer.
In the hub's log it is look-up 01900000-0000-7000-8000-000000000001; it was signed with key KID.
It does not prove that the agencies' records are true, only what they answered then.
"""  # noqa: E501  # each line is one that is printed
IN_CHINESE = """
回执有效。平台 https://hub.example 于 2026-05-12T03:04:05Z 对这个问题作出的正是这份答复，问题和答复都一字未改。
用途：使用部门 11370300004221110X，事项 drug-retail，办件 淄审批〔2026〕12号，工作人员 zhang.san，经调用方 window。
其中，平台已核验：调用方；由部门担保：使用部门；由调用方自报：经办人、办件、事项。
数据来自连接器 police 第 3 版：按 id_number 查 person，查到 1；数据时间 2026-05-12T03:04:05.000000Z 至 2026-05-12T03:04:05.000000Z。
数据来自连接器 licences 第 1 版：按 holder 查 drug_business_licence，无记录 1、取不到 2。
答复自己写明：有 1 处没有取到。
平台日志中的查询编号：01900000-0000-7000-8000-000000000001；签名公钥：KID。
它不证明各部门登记的内容属实，只证明各部门当时是这样答复的。
"""  # noqa: E501  # each line is one that is printed


@pytest.mark.parametrize(("language", "said"), [(Language.EN, IN_ENGLISH), (Language.ZH, IN_CHINESE)])
def test_what_it_proves_is_said_in_words(
    desk: Any, exchange: Any, saved: Save, language: Language, said: str
) -> None:
    verdict = verify_exchange(saved(exchange), desk.jwks)
    assert isinstance(verdict, Verdict)
    lines = in_words(verdict, load_texts(language).page("evidence"))
    assert lines == said.replace("KID", desk.ring.keys[Use.RECEIPT][0].kid).strip().splitlines()

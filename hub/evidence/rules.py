"""Decides what a receipt says of an exchange, and whether an exchange is the one its receipt was made for."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Any, Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from hub.audit.model import InquiryId, Known, Purpose, SourceUse
from hub.audit.rules import purpose_content, stated_in_extension
from hub.evidence.model import Verdict
from hub.kernel.crypto.canonical import SORTED, canonical
from hub.kernel.crypto.signing import ALGORITHM, Use
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.strict_json import DEEPEST, strict_json

TYP: Final = "hub-receipt+jwt"
SALT_BYTES: Final = 32
QUESTION: Final = ("query", "documentId", "operationName", "variables")  # of a request, what is sealed
ANSWER: Final = ("data", "errors")  # of a response, what is sealed
REQUEST_MEMBERS: Final = frozenset({*QUESTION, "extensions"})
RESPONSE_MEMBERS: Final = frozenset({*ANSWER, "extensions"})
EXCHANGE_MEMBERS: Final = frozenset({"request", "response"})
PUBLIC_MEMBERS: Final = ("kty", "crv", "x")  # of a key on a curve of RFC 8037
SEAL_MEMBERS: Final = frozenset({"receipt", "receiptSalt"})

Members = Mapping[str, Any]


class Claims(msgspec.Struct):
    """The claims of a receipt (RFC 7519): digests are hexadecimal SHA-256, ``iat`` seconds since 1970."""

    iss: str
    iat: int
    jti: str
    request: str
    response: str
    purpose: dict[str, Any]
    sources: list[dict[str, Any]]


def question_digest(salt: bytes, request: Members) -> bytes:
    """SHA-256(salt ‖ JCS of the question). Raises HubError for values that JCS has no form for."""
    asked = {name: request[name] for name in QUESTION if name in request}
    persisted = _persisted(request)
    return _digest(salt, canonical(asked if persisted is None else {"documentId": persisted, **asked}))


def _persisted(request: Members) -> object:
    """The document's id in Apollo's form, ``extensions.persistedQuery.sha256Hash``, or None."""
    persisted = _extensions(request).get("persistedQuery")
    return persisted.get("sha256Hash") if isinstance(persisted, dict) else None


def _extensions(request: Members) -> Members:
    """Those of a request; null counts as left out, as it does when the request is answered."""
    return request.get("extensions") or {}


def _is_sealed_id(request: Members) -> bool:
    """Whether ``persistedQuery`` holds nothing but the id that is sealed."""
    persisted = _extensions(request).get("persistedQuery")
    sealed = request.get("documentId", _persisted(request))
    return bool(persisted == {"version": 1, "sha256Hash": sealed})


def answer_digest(salt: bytes, response: Members) -> bytes:
    """SHA-256(salt ‖ JCS of data and errors) of a response that the hub made itself.

    It holds no float, and its keys are GraphQL names and our own, so that the fast encoder is exact.
    """
    return _digest(salt, SORTED.encode({name: response[name] for name in ANSWER if name in response}))


def _digest(salt: bytes, text: bytes) -> bytes:
    digest = sha256(salt)
    digest.update(text)
    return digest.digest()


def claims(
    issuer: str,
    at: datetime,
    inquiry: InquiryId,
    question: bytes,
    answer: bytes,
    purpose: Purpose,
    sources: Sequence[SourceUse],
) -> bytes:
    """The payload of a receipt: JSON with the members of Claims."""
    return SORTED.encode(
        {
            "iss": issuer,
            "iat": int(at.timestamp()),
            "jti": inquiry,
            "request": question.hex(),
            "response": answer.hex(),
            "purpose": purpose_content(purpose),
            "sources": sources,
        }
    )


def verify_exchange(exchange: bytes, jwks: bytes) -> Verdict | Problem:
    """Whether a saved exchange ``{request, response}`` is genuine by the published keys (RFC 7517), offline.

    Problems name the ``part`` that is at fault: JWKS_UNREADABLE; EXCHANGE_UNREADABLE for what is no exchange
    (also when a JSON key stands twice); RECEIPT_INVALID for an exchange that its receipt was not made for,
    that has none, or that holds a member which no digest covers.
    """
    keys = _keys(jwks)
    if keys is None:
        return Problem(Code.JWKS_UNREADABLE)
    read = _read_exchange(exchange)
    if isinstance(read, Problem):
        return read
    request, response = read
    extensions = response.get("extensions")
    if not isinstance(extensions, dict) or not extensions.keys() >= SEAL_MEMBERS:
        return _invalid("extensions.receipt")
    if not extensions.keys() <= SEAL_MEMBERS:
        return _invalid("response.extensions")
    opened = _open_receipt(extensions["receipt"], keys)
    if isinstance(opened, Problem):
        return opened
    kid, stated = opened
    mistake = _mismatch(request, response, extensions["receiptSalt"], stated)
    return mistake or _verdict(kid, stated, request, response)


def _read_exchange(exchange: bytes) -> tuple[Members, Members] | Problem:
    read = strict_json(exchange, DEEPEST + 1)  # a request as deep as the hub takes, within an object more
    if isinstance(read, Problem):
        return _unreadable("JSON")
    if not isinstance(read, dict):
        return _unreadable("request")
    for name in ("request", "response"):
        if not isinstance(read.get(name), dict):
            return _unreadable(name)
    if not isinstance(read["request"].get("extensions"), dict | None):
        return _unreadable("request.extensions")
    return _closed(read)


def _closed(exchange: Members) -> tuple[Members, Members] | Problem:
    """The two halves, if they hold nothing beside what is sealed: what is not sealed could be anybody's."""
    request, response = exchange["request"], exchange["response"]
    if not exchange.keys() <= EXCHANGE_MEMBERS:
        return _invalid("exchange")
    if not request.keys() <= REQUEST_MEMBERS:
        return _invalid("request")
    if not response.keys() <= RESPONSE_MEMBERS or _has_float(response):
        return _invalid("response")
    return request, response


def _has_float(value: object) -> bool:
    """The hub sends none; and canonical JSON takes 1.0 for 1, which would hide a change."""
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    return any(map(_has_float, value)) if isinstance(value, list) else isinstance(value, float)


def _open_receipt(receipt: object, keys: Mapping[str, OKPKey]) -> tuple[str, Claims] | Problem:
    """The kid and claims of a receipt whose signature holds."""
    parts = receipt.split(".") if isinstance(receipt, str) else []
    decoded = [_exact_base64url(part) for part in parts]
    if len(decoded) != 3 or decoded[0] is None or decoded[1] is None or decoded[2] is None:
        return _invalid("extensions.receipt")
    header = strict_json(decoded[0])
    kid = header.get("kid") if isinstance(header, dict) else None
    if not isinstance(kid, str) or header != {"alg": ALGORITHM, "kid": kid, "typ": TYP}:
        return _invalid("header")
    if kid not in keys:
        return _invalid("key")
    try:
        jws.deserialize_compact(str(receipt), keys[kid], registry=jws.JWSRegistry(algorithms=[ALGORITHM]))
        return kid, msgspec.convert(strict_json(decoded[1]), Claims)
    except JoseError:
        return _invalid("signature")
    except msgspec.ValidationError:  # a Problem is no object either
        return _invalid("claims")


def _mismatch(request: Members, response: Members, salt: object, stated: Claims) -> Problem | None:
    plain = _exact_base64url(salt)
    if plain is None or len(plain) != SALT_BYTES:
        return _invalid("extensions.receiptSalt")
    try:
        if not compare_digest(question_digest(plain, request).hex(), stated.request):
            return _invalid("request")
        if not compare_digest(_digest(plain, _sealed_answer(response)).hex(), stated.response):
            return _invalid("response")
    except HubError:
        return _invalid("JCS")
    extensions = _extensions(request)
    if "purpose" in extensions and stated_in_extension(extensions["purpose"]) != _stated(stated.purpose):
        return _invalid("request.extensions.purpose")
    return None


def _sealed_answer(response: Members) -> bytes:
    """As ``answer_digest`` sees it, of a response that may come from anybody."""
    return canonical({name: response[name] for name in ANSWER if name in response})


def _stated(purpose: Members) -> dict[str, object]:
    actor = purpose.get("actor", {})
    parts = {part: purpose.get(part) for part in ("agency", "procedure", "case")}
    return {**parts, actor.get("kind"): actor.get("account")}


def _verdict(kid: str, stated: Claims, request: Members, response: Members) -> Verdict:
    covered = {"purpose"} | ({"persistedQuery"} if _is_sealed_id(request) else set())
    uncovered = [
        f"request.extensions.{_legible(name)}" for name in _extensions(request) if name not in covered
    ]
    return Verdict(
        stated.iss,
        datetime.fromtimestamp(stated.iat, UTC),
        stated.jti,
        kid,
        stated.purpose,
        tuple(stated.sources),
        len(response.get("errors", ())),
        tuple(sorted(uncovered)),
    )


def _legible(name: str) -> str:
    """A name as it is, or quoted in ASCII where it could be taken for words of the verifier's own."""
    return name if name.isidentifier() else json.dumps(name)


def in_words(verdict: Verdict, words: Mapping[str, str]) -> list[str]:
    """What a genuine exchange proves, a sentence each; ``words`` is the texts' page table "evidence"."""
    stated = verdict.purpose
    actor = stated["actor"]
    lines = [
        words["genuine"].format(issuer=verdict.issuer, at=f"{verdict.at:%Y-%m-%dT%H:%M:%SZ}"),
        words["purpose"].format_map({**stated, "actor": words[actor["kind"]], "account": actor["account"]}),
        words["known"].format_map({level: _known_as(level, stated["known"], words) for level in Known}),
        *([_source_in_words(use, words) for use in verdict.sources] or [words["no_source"]]),
    ]
    if verdict.without_answer:
        lines.append(words["without_answer"].format(count=verdict.without_answer))
    lines.append(words["inquiry"].format(inquiry=verdict.inquiry, key=verdict.key))
    lines.append(words["limit"])
    if verdict.uncovered:
        lines.append(words["uncovered"].format(members=", ".join(verdict.uncovered)))
    return lines


def _known_as(level: Known, known: Mapping[str, str], words: Mapping[str, str]) -> str:
    parts = [words[f"{part}_part"] for part, how in sorted(known.items()) if how == level]
    return words["comma"].join(parts) or words["none"]


def _source_in_words(use: Members, words: Mapping[str, str]) -> str:
    outcomes = words["comma"].join(f"{words[outcome]} {count}" for outcome, count in use["outcomes"].items())
    as_of = words["as_of"].format_map(use["asOf"]) if "asOf" in use else ""
    return words["source"].format_map({**use, "outcomes": outcomes, "as_of": as_of})


def _keys(jwks: bytes) -> dict[str, OKPKey] | None:
    """The receipt keys of a JWK set by kid; what is no such key is passed over (RFC 7517 §5)."""
    read = strict_json(jwks)
    listed = read.get("keys") if isinstance(read, dict) else None
    if not isinstance(listed, list) or not all(isinstance(key, dict) for key in listed):
        return None
    found = ((key["kid"], _imported(key)) for key in listed if _is_receipt_key(key))
    return {kid: key for kid, key in found if key is not None}


def _imported(key: Members) -> OKPKey | None:
    try:
        return OKPKey.import_key({name: key[name] for name in PUBLIC_MEMBERS})
    except (ValueError, TypeError, KeyError, JoseError):
        return None


def _is_receipt_key(key: Members) -> bool:
    named = str(key.get("kid")).startswith(f"{Use.RECEIPT}-")
    return named and key.get("kty") == "OKP" and key.get("crv") == ALGORITHM


def base64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 §2)."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _exact_base64url(text: object) -> bytes | None:
    """The bytes whose one Base64url form this is: decoders pass over stray characters and spare bits."""
    if not isinstance(text, str) or not text.isascii():
        return None
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except Base64Error:
        return None
    return data if base64url(data) == text else None


def _invalid(part: str) -> Problem:
    return Problem(Code.RECEIPT_INVALID, {"part": part})


def _unreadable(part: str) -> Problem:
    return Problem(Code.EXCHANGE_UNREADABLE, {"part": part})

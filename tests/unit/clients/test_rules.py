"""Forged, stale and misdirected credentials prove nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey

from hub.audit.model import AgencyCode, ClientId
from hub.clients import rules
from hub.clients.model import INTROSPECT, Caller, Client
from hub.kernel.crypto.signing import PublicKey, Signer, Use, new_key
from hub.kernel.errors import Code, Problem

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ISSUER = "https://hub.example.gov.cn"
LIFE = 600
ED_KEY = OKPKey.generate_key("Ed25519", {"kid": "ed"})
EC_KEY = ECKey.generate_key("P-256", {"kid": "ec"})
PUBLIC, PRIVATE = new_key(Use.TOKEN)
RECEIPT_PUBLIC, RECEIPT_PRIVATE = new_key(Use.RECEIPT)


def public(key: OKPKey | ECKey) -> dict[str, str]:
    return {name: str(value) for name, value in key.as_dict(private=False).items()}


CLIENT = Client(
    ClientId("window-system"),
    "审批系统",
    frozenset({AgencyCode("11370300MB2841234X")}),
    keys=(public(ED_KEY), public(EC_KEY)),
)


def base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def assertion(
    key: OKPKey | ECKey = ED_KEY,
    alg: str = "Ed25519",
    header: Mapping[str, Any] | None = None,
    **claims: Any,
) -> str:
    """An assertion of the client, but for what the test changes; a claim of None is left out."""
    good = {
        "iss": CLIENT.id, "sub": CLIENT.id, "aud": ISSUER, "jti": "1", "exp": int(NOW.timestamp()) + 60,
    }  # fmt: skip
    payload = json.dumps({name: value for name, value in (good | claims).items() if value is not None})
    return jws.serialize_compact(
        {"alg": alg, **(header or {})}, payload, key, registry=jws.JWSRegistry(algorithms=[alg])
    )


def later(seconds: float) -> int:
    return int((NOW + timedelta(seconds=seconds)).timestamp())


def read(text: str, client: Client = CLIENT) -> rules.AssertionClaims | Problem:
    return rules.read_assertion(text, client, ISSUER, NOW)


@pytest.mark.parametrize(("key", "alg"), [(ED_KEY, "Ed25519"), (EC_KEY, "ES256")])
@pytest.mark.parametrize("kid", [True, False])
def test_an_assertion_by_a_registered_key_is_taken(key: OKPKey | ECKey, alg: str, kid: bool) -> None:
    claims = read(assertion(key, alg, {"kid": key.kid} if kid else {}))
    assert isinstance(claims, rules.AssertionClaims)
    assert (claims.sub, claims.jti) == (CLIENT.id, "1")


def test_ed25519_by_its_old_name_is_taken() -> None:
    header = base64url(b'{"alg":"EdDSA","typ":"JWT"}')
    payload = assertion().split(".")[1]
    signature = ED_KEY.private_key.sign(f"{header}.{payload}".encode())  # type: ignore[union-attr]
    assert isinstance(read(f"{header}.{payload}.{base64url(signature)}"), rules.AssertionClaims)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "another"},
        {"sub": "another"},
        {"iss": "another", "sub": "another"},
        {"aud": f"{ISSUER}/oauth/token"},
        {"aud": [ISSUER, "https://other.example"]},
        {"aud": []},
        {"aud": None},
        {"exp": later(0)},
        {"exp": later(-1)},
        {"exp": later(5 * 60 + 31)},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"iat": later(31)},
        {"nbf": later(31)},
        {"jti": None},
        {"jti": ""},
        {"jti": "j" * 257},
        {"jti": 7},
    ],
    ids=str,
)
def test_an_assertion_with_a_wrong_claim_proves_nothing(claims: dict[str, Any]) -> None:
    assert read(assertion(**claims)) == rules.NOT_PROVEN


@pytest.mark.parametrize(
    "claims", [{"aud": [ISSUER]}, {"exp": later(5 * 60)}, {"iat": later(20), "nbf": later(-5)}]
)
def test_an_assertion_may_be_written_within_these_bounds(claims: dict[str, Any]) -> None:
    assert isinstance(read(assertion(**claims)), rules.AssertionClaims)


def test_a_foreign_key_proves_nothing_even_under_a_registered_kid() -> None:
    stranger = OKPKey.generate_key("Ed25519")
    assert read(assertion(stranger)) == rules.NOT_PROVEN
    assert read(assertion(stranger, header={"kid": "ed"})) == rules.NOT_PROVEN


def test_a_key_is_not_taken_under_the_kid_of_another_or_of_none() -> None:
    assert read(assertion(ED_KEY, header={"kid": "ec"})) == rules.NOT_PROVEN
    assert read(assertion(ED_KEY, header={"kid": "unknown"})) == rules.NOT_PROVEN


def test_a_key_within_the_assertion_is_not_believed() -> None:
    stranger = OKPKey.generate_key("Ed25519")
    assert read(assertion(stranger, header={"jwk": public(stranger)})) == rules.NOT_PROVEN


def test_a_client_without_keys_cannot_sign() -> None:
    assert read(assertion(), Client(CLIENT.id, "审批系统", frozenset())) == rules.NOT_PROVEN


@pytest.mark.parametrize("typ", ["at+jwt", "hub-receipt+jwt"])
def test_a_token_or_receipt_is_no_assertion(typ: str) -> None:
    assert read(assertion(header={"typ": typ})) == rules.NOT_PROVEN


def test_an_unknown_critical_header_refuses_the_assertion() -> None:
    payload = assertion().split(".")[1]
    header = base64url(b'{"alg":"Ed25519","crit":["x"],"x":1}')
    signature = ED_KEY.private_key.sign(f"{header}.{payload}".encode())  # type: ignore[union-attr]
    assert read(f"{header}.{payload}.{base64url(signature)}") == rules.NOT_PROVEN


def shared_secret_forgery(key: Mapping[str, str], payload: str, header: Mapping[str, str]) -> list[str]:
    """Tokens that take the public key for a shared secret, in the forms it may be taken in."""
    raw = base64.urlsafe_b64decode(key["x"] + "==")
    pem = Ed25519PublicKey.from_public_bytes(raw).public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    head = base64url(json.dumps({**header, "alg": "HS256"}).encode())
    signed = f"{head}.{payload}".encode()
    secrets = (raw, pem, json.dumps(dict(key)).encode(), key["x"].encode())
    return [f"{head}.{payload}.{base64url(hmac.digest(one, signed, 'sha256'))}" for one in secrets]


def unsigned_forgery(payload: str, header: Mapping[str, str]) -> list[str]:
    """Tokens that say that nothing signs them, in every spelling."""
    heads = [base64url(json.dumps({**header, "alg": alg}).encode()) for alg in ("none", "None", "NONE", "")]
    return [f"{head}.{payload}.{signature}" for head in heads for signature in ("", "AA")]


def test_assertions_without_signature_or_by_the_public_key_as_secret_prove_nothing() -> None:
    payload = assertion().split(".")[1]
    forged = [
        *unsigned_forgery(payload, {"kid": "ed"}),
        *shared_secret_forgery(public(ED_KEY), payload, {"kid": "ed"}),
    ]
    assert [read(one) for one in forged] == [rules.NOT_PROVEN] * len(forged)


GARBAGE = [
    "", ".", "..", "a.b.c", "a.b.c.d", "é.é.é", "\ud800.e30.AA", "W10.e30.AA", "bnVsbA.e30.AA", "IjEi.e30.AA",
    "eyJhbGciOjF9.e30.AA", "eyJhbGciOltdfQ.e30.AA", "WyJhbGciXQ.e30.AA",
    "eyJhbGciOiJFZDI1NTE5IiwiYjY0IjpmYWxzZX0.e30.AA",
    "." * 4000, "[" * 4000, base64url(b'{"alg":"Ed25519","a":' + b"[" * 200_000) + ".e30.AA",
]  # fmt: skip


@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
def test_garbage_proves_nothing(text: str) -> None:
    assert rules.assertion_client(text) is None
    assert read(text) == rules.NOT_PROVEN
    assert rules.read_token(text, [PUBLIC], ISSUER, NOW, LIFE) == rules.TOKEN_INVALID


def test_claims_that_are_no_claims_prove_nothing() -> None:
    for payload in ("null", "[]", '"x"', "{}", "[" * 100_000, '{"iss":1e999}', "\x00"):
        text = jws.serialize_compact({"alg": "Ed25519"}, payload, ED_KEY, algorithms=["Ed25519"])
        assert read(text) == rules.NOT_PROVEN


def test_the_client_that_an_assertion_names_is_read_before_it_is_proven() -> None:
    assert rules.assertion_client(assertion(sub="someone")) == "someone"


# --- access tokens


def token(signer: Signer | None = None, typ: str = rules.TOKEN_TYPE, **claims: Any) -> str:
    """A token of the hub, but for what the test changes; a claim of None is left out."""
    made = rules.token_claims(CLIENT, frozenset({"facts"}), ISSUER, NOW, LIFE, "t1")
    payload = msgspec.to_builtins(made) | claims
    kept = {name: value for name, value in payload.items() if value is not None}
    return (signer or Signer(PUBLIC.kid, PRIVATE)).sign(typ, json.dumps(kept).encode())


def verify(text: str, *keys: PublicKey, at: datetime = NOW) -> rules.TokenClaims | Problem:
    return rules.read_token(text, keys or (PUBLIC,), ISSUER, at, LIFE)


def test_a_token_of_ours_is_taken() -> None:
    claims = verify(token())
    assert isinstance(claims, rules.TokenClaims)
    assert (claims.client_id, claims.aud, claims.exp - claims.iat) == (CLIENT.id, ISSUER, LIFE)


def test_a_token_carries_the_claims_of_rfc_9068() -> None:
    payload = json.loads(base64.urlsafe_b64decode(token().split(".")[1] + "=="))
    assert payload.keys() == {"iss", "aud", "sub", "client_id", "iat", "exp", "jti", "scope"}


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://other.example"},
        {"aud": [ISSUER]},
        {"iss": "https://other.example"},
        {"sub": "another"},
        {"exp": None},
        {"exp": "9999999999"},
        {"client_id": None},
        {"scope": None},
    ],
    ids=str,
)
def test_a_token_with_a_wrong_claim_is_invalid(claims: dict[str, Any]) -> None:
    assert verify(token(**claims)) == rules.TOKEN_INVALID


@pytest.mark.parametrize("typ", ["JWT", "hub-receipt+jwt", "application/at+jwt", "AT+JWT", ""])
def test_a_token_of_another_type_is_invalid(typ: str) -> None:
    assert verify(token(typ=typ)) == rules.TOKEN_INVALID


def test_a_token_ends_to_the_second() -> None:
    end = NOW + timedelta(seconds=LIFE)
    assert isinstance(verify(token(), at=end - timedelta(seconds=1)), rules.TokenClaims)
    assert verify(token(), at=end) == Problem(Code.TOKEN_EXPIRED)


def test_a_forged_token_is_invalid_before_it_is_expired() -> None:
    stranger = Signer(PUBLIC.kid, new_key(Use.TOKEN)[1])
    assert verify(token(stranger, exp=later(-1))) == rules.TOKEN_INVALID


def test_a_token_signed_by_another_key_of_ours_is_invalid() -> None:
    receipt_key = Signer(RECEIPT_PUBLIC.kid, RECEIPT_PRIVATE)
    assert verify(token(receipt_key)) == rules.TOKEN_INVALID
    other_kid = Signer(PUBLIC.kid, RECEIPT_PRIVATE)
    assert verify(token(other_kid)) == rules.TOKEN_INVALID
    wrong_kid = Signer(RECEIPT_PUBLIC.kid, PRIVATE)
    assert verify(token(wrong_kid), PUBLIC, RECEIPT_PUBLIC) == rules.TOKEN_INVALID


def test_a_retired_key_counts_for_the_life_of_its_tokens_only() -> None:
    retired = PublicKey(PUBLIC.kid, PUBLIC.use, PUBLIC.jwk, retired_at=NOW)
    for seconds, counts in ((LIFE, True), (LIFE + 1, False)):
        at = NOW + timedelta(seconds=seconds)
        assert isinstance(verify(token(exp=later(10_000)), retired, at=at), rules.TokenClaims) is counts


def test_tokens_without_signature_or_by_the_public_key_as_secret_are_invalid() -> None:
    payload = token().split(".")[1]
    header = {"typ": rules.TOKEN_TYPE, "kid": PUBLIC.kid}
    forged = [*unsigned_forgery(payload, header), *shared_secret_forgery(PUBLIC.jwk, payload, header)]
    assert [verify(one) for one in forged] == [rules.TOKEN_INVALID] * len(forged)


def test_a_token_by_another_algorithm_is_invalid_whatever_its_key() -> None:
    for key, alg in ((EC_KEY, "ES256"), (OctKey.generate_key(256), "HS256")):
        header = {"alg": alg, "typ": rules.TOKEN_TYPE, "kid": PUBLIC.kid}
        text = jws.serialize_compact(header, "{}", key, algorithms=[alg])
        assert verify(text) == rules.TOKEN_INVALID


def test_every_changed_character_of_a_token_is_noticed() -> None:
    text = token()
    signature_end = len(text) - 1  # its last character has bits that base64url does not use
    for at in range(signature_end):
        changed = text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]
        assert isinstance(verify(changed), Problem)


def test_an_endless_token_is_not_even_opened() -> None:
    assert verify(token(scope="s" * 5000)) == rules.TOKEN_INVALID


# --- secrets, scopes, registration


def test_either_of_two_secrets_is_taken_and_no_other() -> None:
    stored = [rules.secret_digest("first", b"a" * 16), rules.secret_digest("second", b"b" * 16)]
    assert rules.is_secret("first", stored)
    assert rules.is_secret("second", stored)
    assert not rules.is_secret("third", stored)
    assert not rules.is_secret("", stored)
    assert not rules.is_secret("first", [])


def test_secrets_are_salted() -> None:
    assert rules.secret_digest("same", b"a" * 16).digest != rules.secret_digest("same", b"b" * 16).digest
    assert rules.secret_digest("same", b"a" * 16).digest == hashlib.sha256(b"a" * 16 + b"same").digest()


def test_secrets_are_compared_in_constant_time_and_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def counting(given: bytes, stored: bytes) -> bool:
        compared.append(stored)
        return given == stored

    monkeypatch.setattr(hmac, "compare_digest", counting)
    stored = [rules.secret_digest("first", b"a" * 16), rules.secret_digest("second", b"b" * 16)]
    assert rules.is_secret("first", stored)
    assert compared == [one.digest for one in stored]


def test_only_agencies_that_delegated_count() -> None:
    caller = Caller(CLIENT.id, CLIENT.agencies, frozenset())
    assert rules.delegated(caller, AgencyCode("11370300MB2841234X"))
    assert not rules.delegated(caller, AgencyCode("11370300004234567X"))
    assert not rules.delegated(caller, AgencyCode(""))


@pytest.mark.parametrize(
    ("rights", "wanted", "scope"),
    [
        ({INTROSPECT}, None, {"facts", INTROSPECT}),
        ({INTROSPECT}, "facts", {"facts"}),
        ({INTROSPECT}, INTROSPECT, {"facts", INTROSPECT}),
        (set(), None, {"facts"}),
    ],
)
def test_a_token_has_the_scope_asked_for(rights: set[str], wanted: str | None, scope: set[str]) -> None:
    client = Client(CLIENT.id, "审批系统", frozenset(), frozenset(rights))
    assert rules.wanted_scope(client, wanted) == frozenset(scope)


@pytest.mark.parametrize("wanted", [INTROSPECT, "facts admin", "facts  ", "FACTS"])
def test_more_than_allowed_is_refused(wanted: str) -> None:
    client = Client(CLIENT.id, "审批系统", frozenset())
    assert rules.wanted_scope(client, wanted) == Problem(Code.TOKEN_REQUEST_INVALID, {"part": "scope"})


def test_public_keys_of_the_listed_kinds_may_be_registered() -> None:
    assert rules.registration_mistake(CLIENT) is None
    assert rules.key_id(public(ED_KEY)) == "ed"
    nameless = {name: value for name, value in public(ED_KEY).items() if name != "kid"}
    assert rules.key_id(nameless) == ED_KEY.thumbprint()


@pytest.mark.parametrize(
    "key",
    [
        ED_KEY.as_dict(private=True),
        OctKey.generate_key(256).as_dict(private=True),
        public(ECKey.generate_key("P-384")),
        public(OKPKey.generate_key("X25519")),
        {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {},
    ],
    ids=["private", "shared", "P-384", "X25519", "short", "off the curve", "empty"],
)
def test_other_keys_may_not(key: dict[str, str]) -> None:
    mistake = rules.registration_mistake(Client(CLIENT.id, "审批系统", frozenset(), keys=(key,)))
    assert mistake == Problem(Code.REQUEST_SHAPE, {"part": "keys"})


def test_an_unknown_right_may_not_be_registered() -> None:
    mistake = rules.registration_mistake(
        Client(CLIENT.id, "审批系统", frozenset(), frozenset({"everything"}))
    )
    assert mistake == Problem(Code.REQUEST_SHAPE, {"part": "rights"})

"""Decides whether a secret, an assertion or an access token proves who calls, and for which agencies."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from hub.audit.model import AgencyCode
from hub.clients.model import FACTS, RIGHTS, Caller, Client, SecretDigest
from hub.kernel.crypto.signing import PublicKey
from hub.kernel.errors import Code, Problem

# RFC 9068 §2.1; a receipt or another JWT of ours has another type and is no token
TOKEN_TYPE = "at+jwt"  # noqa: S105 a media type, not a secret
TOKEN_ALGORITHMS = ("Ed25519",)
ASSERTION_ALGORITHMS = ("Ed25519", "EdDSA", "ES256")
ASSERTION_TYPES = frozenset({None, "JWT", "jwt", "client-authentication+jwt"})
ASSERTION_LIFE = timedelta(minutes=5)
CLOCK_SKEW = timedelta(seconds=30)
LONGEST_TOKEN = 4096  # characters
LONGEST_JTI = 256  # characters
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})  # of a JWK, RFC 7518 §6

NOT_PROVEN = Problem(Code.CLIENT_AUTHENTICATION_FAILED)
TOKEN_INVALID = Problem(Code.TOKEN_INVALID)


class AssertionClaims(msgspec.Struct, frozen=True):
    """The claims of a client assertion (RFC 7523 §3); times are Unix seconds."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: int | float
    jti: str
    iat: int | float | None = None
    nbf: int | float | None = None


class TokenClaims(msgspec.Struct, frozen=True):
    """The claims of an access token (RFC 9068 §2.2); times are Unix seconds."""

    iss: str
    aud: str
    sub: str
    client_id: str
    iat: int
    exp: int
    jti: str
    scope: str


Claims = TypeVar("Claims", AssertionClaims, TokenClaims)


def secret_digest(secret: str, salt: bytes) -> SecretDigest:
    """What is stored of a secret."""
    return SecretDigest(salt, hashlib.sha256(salt + secret.encode()).digest())


def is_secret(secret: str, stored: Iterable[SecretDigest]) -> bool:
    """Whether it is one of the stored ones; takes the same time whichever byte or secret differs."""
    found = False
    for one in stored:
        found |= hmac.compare_digest(secret_digest(secret, one.salt).digest, one.digest)
    return found


def delegated(caller: Caller, agency: AgencyCode) -> bool:
    """Whether the agency has delegated its reading to the caller (政务数据共享条例)."""
    return agency in caller.agencies


def wanted_scope(client: Client, wanted: str | None) -> frozenset[str] | Problem:
    """The scope of a token: all that the client may do, or the part asked for (RFC 6749 §3.3)."""
    allowed = client.rights | {FACTS}
    if not wanted:
        return allowed
    asked = frozenset(wanted.split(" "))
    return asked | {FACTS} if asked <= allowed else Problem(Code.TOKEN_REQUEST_INVALID, {"part": "scope"})


def assertion_client(assertion: str) -> str | None:
    """The client that an assertion claims to be from; nothing of it is proven yet."""
    opened = _opened(assertion)
    claims = _claims(opened.payload or b"", AssertionClaims) if opened else None
    return claims.sub if claims else None


def read_assertion(assertion: str, client: Client, issuer: str, now: datetime) -> AssertionClaims | Problem:
    """The claims of an assertion that the client signed for us just now, else CLIENT_AUTHENTICATION_FAILED.

    Its jti must still be found unused. RFC 7523 §3; the audience is the issuer and nobody else.
    """
    opened = _opened(assertion)
    if opened is None or opened.headers().get("typ") not in ASSERTION_TYPES:
        return NOT_PROVEN
    registry, kid = _assertion_registry(), opened.headers().get("kid")
    keys = [key for key in client.keys if kid is None or key.get("kid") == kid]
    if not any(_signed(opened, key, registry) for key in keys):
        return NOT_PROVEN
    claims = _claims(opened.payload or b"", AssertionClaims)
    if claims is None or not (claims.iss == claims.sub == client.id):
        return NOT_PROVEN
    if claims.aud not in (issuer, [issuer]) or not 0 < len(claims.jti) <= LONGEST_JTI:
        return NOT_PROVEN
    return claims if _is_timely(claims, now) else NOT_PROVEN


def token_claims(
    client: Client, scope: frozenset[str], issuer: str, now: datetime, seconds: int, jti: str
) -> TokenClaims:
    """The claims of a token for a client; the audience is the hub itself."""
    issued = int(now.timestamp())
    return TokenClaims(
        issuer, issuer, client.id, client.id, issued, issued + seconds, jti, " ".join(sorted(scope))
    )


def read_token(
    token: str, keys: Sequence[PublicKey], issuer: str, now: datetime, seconds: int
) -> TokenClaims | Problem:
    """The claims of a token of ours, else TOKEN_INVALID or TOKEN_EXPIRED.

    A retired key still counts for the life of the tokens it may have signed (``seconds``), no longer.
    """
    opened = _opened(token) if len(token) <= LONGEST_TOKEN else None
    if opened is None or opened.headers().get("typ") != TOKEN_TYPE:
        return TOKEN_INVALID
    key = next((key for key in keys if key.kid == opened.headers().get("kid")), None)
    if key is None or not _counts(key, now, seconds):
        return TOKEN_INVALID
    if not _signed(opened, key.jwk, jws.JWSRegistry(algorithms=TOKEN_ALGORITHMS)):
        return TOKEN_INVALID
    claims = _claims(opened.payload or b"", TokenClaims)
    if claims is None or claims.iss != issuer or claims.aud != issuer or claims.sub != claims.client_id:
        return TOKEN_INVALID
    return claims if now.timestamp() < claims.exp else Problem(Code.TOKEN_EXPIRED)


def registration_mistake(client: Client) -> Problem | None:
    """Why a client cannot be stored: unknown rights, or keys that are private or of another kind."""
    if not client.rights <= RIGHTS:
        return Problem(Code.REQUEST_SHAPE, {"part": "rights"})
    if any(_imported(key) is None or PRIVATE_MEMBERS & key.keys() for key in client.keys):
        return Problem(Code.REQUEST_SHAPE, {"part": "keys"})
    return None


def key_id(key: Mapping[str, str]) -> str:
    """The kid of a JWK that ``registration_mistake`` let pass, else its RFC 7638 thumbprint."""
    imported = _imported(key)
    return key.get("kid") or (imported.thumbprint() if imported else "")


def _opened(token: str) -> jws.CompactSignature | None:
    try:
        opened = jws.extract_compact(token.encode())
        return opened if isinstance(opened.headers(), dict) else None
    except (JoseError, ValueError, TypeError, RecursionError):
        return None


def _signed(opened: jws.CompactSignature, key: Mapping[str, str], registry: jws.JWSRegistry) -> bool:
    imported = _imported(key)
    try:
        return imported is not None and jws.validate_compact(opened, imported, registry=registry)
    except (JoseError, ValueError, TypeError):
        return False


def _imported(key: Mapping[str, str]) -> OKPKey | ECKey | None:
    public: dict[str, Any] = {name: value for name, value in key.items() if name in {"kty", "crv", "x", "y"}}
    try:
        match key.get("kty"), key.get("crv"):
            case "OKP", "Ed25519":
                return OKPKey.import_key(public)
            case "EC", "P-256":
                return ECKey.import_key(public)
    except (JoseError, ValueError, TypeError):
        return None
    return None


def _assertion_registry() -> jws.JWSRegistry:
    """Takes Ed25519 under its old name too (EdDSA, RFC 8037): many clients' libraries know no other."""
    registry = jws.JWSRegistry(algorithms=ASSERTION_ALGORITHMS, strict_check_header=False)
    known = jws.JWSRegistry.algorithms
    registry.algorithms = {"Ed25519": known["Ed25519"], "EdDSA": known["Ed25519"], "ES256": known["ES256"]}
    return registry


def _claims(payload: bytes, kind: type[Claims]) -> Claims | None:
    try:
        return msgspec.json.decode(payload, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None


def _is_timely(claims: AssertionClaims, now: datetime) -> bool:
    moment, skew = now.timestamp(), CLOCK_SKEW.total_seconds()
    begun = max(claims.iat or 0, claims.nbf or 0) <= moment + skew
    return begun and moment < claims.exp <= moment + ASSERTION_LIFE.total_seconds() + skew


def _counts(key: PublicKey, now: datetime, seconds: int) -> bool:
    return key.retired_at is None or now <= key.retired_at + timedelta(seconds=seconds)

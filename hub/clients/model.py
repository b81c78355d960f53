"""Who calls: clients with their credentials, and the caller that a verified token names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.audit.model import AgencyCode, ClientId

FACTS = "facts"  # the scope that every client has: to ask for facts, within its grants
INTROSPECT = "introspect"  # the right to read the schema through GraphQL
RIGHTS = frozenset({INTROSPECT})


@dataclass(frozen=True, slots=True)
class SecretDigest:
    """A stored secret: 16 bytes of salt and SHA-256(salt ‖ secret).

    A slow password hash would add nothing: a secret is 256 random bits, not a word that can be guessed.
    """

    salt: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Client:
    """An approval system or device: ``agencies`` delegated their reading to it; ``keys`` are public JWKs.

    ``cost_limit``: what one of its questions may cost; None: what the operator's setting says.
    """

    id: ClientId
    name: str
    agencies: frozenset[AgencyCode]
    rights: frozenset[str] = frozenset()
    suspended: bool = False
    secrets: tuple[SecretDigest, ...] = ()
    keys: tuple[Mapping[str, str], ...] = ()
    cost_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """The client behind a verified token, with what it may do now (not when the token was issued)."""

    client: ClientId
    agencies: frozenset[AgencyCode]
    rights: frozenset[str]
    cost_limit: int | None = None


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An access token (RFC 9068), the seconds it lives, and its scope as OAuth writes it."""

    token: str
    seconds: int
    scope: str

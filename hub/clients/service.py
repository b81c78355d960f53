"""Registers clients, proves who calls, and issues and verifies access tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import msgspec

from hub.audit.model import AgencyCode, ClientId
from hub.clients import rules
from hub.clients.model import Caller, Client, IssuedToken, SecretDigest
from hub.clients.store import SALT_BYTES, ClientStore
from hub.kernel.clock import Clock
from hub.kernel.crypto.keyring import Keyring
from hub.kernel.crypto.signing import Use
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.ids import new_id
from hub.kernel.watch import Watched

CHANNEL = "clients"
SECRET_BYTES = 32
TOKENS_REMEMBERED = 10_000


class ClientService:
    """Answers from memory once started; a suspension or a lost delegation counts within a second everywhere.

    ``issuer`` is the hub's public base URL; ``token_seconds`` the life of a token.
    """

    def __init__(
        self, store: ClientStore, keyring: Keyring, clock: Clock, issuer: str, token_seconds: int
    ) -> None:
        self._store = store
        self._keyring = keyring
        self._clock = clock
        self._issuer = issuer
        self._token_seconds = token_seconds
        nothing: Mapping[ClientId, Client] = MappingProxyType({})
        self._clients = Watched(store.database, CHANNEL, store.read, nothing)
        self._verified: OrderedDict[bytes, rules.TokenClaims] = OrderedDict()  # by SHA-256 of the token
        self._named = nothing  # the clients that ``_callers`` was made from
        self._callers: dict[tuple[str, str], Caller | Problem] = {}  # by client and scope, both as we issued
        self._nobody = (SecretDigest(secrets.token_bytes(SALT_BYTES), secrets.token_bytes(32)),)

    async def start(self) -> None:
        """Reads all and follows changes. Raises HubError(STORE_UNAVAILABLE)."""
        await self._clients.start()

    async def stop(self) -> None:
        """Ends the following of changes."""
        await self._clients.stop()

    async def register(
        self,
        client: ClientId,
        name: str,
        agencies: Iterable[AgencyCode],
        rights: Iterable[str] = (),
        keys: Iterable[Mapping[str, str]] = (),
    ) -> str:
        """Adds a client or replaces its name, agencies, rights and keys; returns a new secret.

        The secret (43 characters) is told once and not stored. Needs the owner's connection. Raises
        HubError(REQUEST_SHAPE) naming ``rights`` or ``keys``.
        """
        await self.register_with_keys(client, name, agencies, keys, rights)
        return await self.roll_secret(client)

    async def register_with_keys(
        self,
        client: ClientId,
        name: str,
        agencies: Iterable[AgencyCode],
        keys: Iterable[Mapping[str, str]],
        rights: Iterable[str] = (),
    ) -> None:
        """As ``register`` for a client that signs assertions: ``keys`` are public JWKs, no secret is made."""
        new = Client(client, name, frozenset(agencies), frozenset(rights), keys=tuple(keys))
        mistake = rules.registration_mistake(new)
        if mistake:
            raise HubError(mistake.code, **mistake.detail)
        await self._store.put(new)

    async def roll_secret(self, client: ClientId) -> str:
        """Makes a secret; the one before stays valid, older ones end. Needs the owner's connection."""
        secret = secrets.token_urlsafe(SECRET_BYTES)
        stored = rules.secret_digest(secret, secrets.token_bytes(SALT_BYTES))
        if not await self._store.roll_secret(client, stored):
            raise HubError(Code.CLIENT_AUTHENTICATION_FAILED)
        return secret

    async def suspend(self, client: ClientId, suspended: bool = True) -> bool:
        """Suspends a client or lets it back; False: there is none. Needs the owner's connection."""
        return await self._store.suspend(client, suspended)

    async def limit_cost(self, client: ClientId, limit: int | None) -> bool:
        """Sets what one of a client's questions may cost (None: as the setting says); False: there is none.

        Needs the owner's connection.
        """
        return await self._store.limit_cost(client, limit)

    def authenticate_secret(self, client: str, secret: str) -> Client | Problem:
        """The client with this secret; an unknown client and a wrong secret are told apart by nothing."""
        found = self._clients.value.get(ClientId(client))
        if not rules.is_secret(secret, found.secrets if found else self._nobody) or found is None:
            return rules.NOT_PROVEN
        return _unless_suspended(found)

    async def authenticate_assertion(self, assertion: str) -> Client | Problem:
        """Who signed an assertion (RFC 7523); it counts once. Raises HubError(STORE_UNAVAILABLE)."""
        found = self._clients.value.get(ClientId(rules.assertion_client(assertion) or ""))
        if found is None:
            return rules.NOT_PROVEN
        now = self._clock.now()
        claims = rules.read_assertion(assertion, found, self._issuer, now)
        if isinstance(claims, Problem):
            return claims
        digest = hashlib.sha256(claims.jti.encode()).digest()
        if not await self._store.use_assertion(found.id, digest, datetime.fromtimestamp(claims.exp, UTC)):
            return Problem(Code.ASSERTION_REPLAYED)
        return _unless_suspended(found)

    def issue_token(self, client: Client, scope: str | None = None) -> IssuedToken | Problem:
        """An access token (RFC 9068) for an authenticated client; ``scope`` may ask for less than all."""
        granted = rules.wanted_scope(client, scope)
        if isinstance(granted, Problem):
            return granted
        claims = rules.token_claims(
            client, granted, self._issuer, self._clock.now(), self._token_seconds, str(new_id())
        )
        token = self._keyring.sign(Use.TOKEN, rules.TOKEN_TYPE, msgspec.json.encode(claims))
        return IssuedToken(token, self._token_seconds, claims.scope)

    def find(self, client: ClientId) -> Client | None:
        """The client with this id, as it is now."""
        return self._clients.value.get(client)

    def verify_bearer(self, authorization: str | None) -> Caller | Problem:
        """Whose bearer token a header carries (RFC 6750 §2.1); TOKEN_MISSING where there is none."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return Problem(Code.TOKEN_MISSING)
        return self.verify_token(token.strip())

    def token_ends(self, authorization: str | None) -> datetime | None:
        """When the bearer token of a header ends; None where there is none that holds."""
        claims = self._token_claims((authorization or "").partition(" ")[2].strip())
        return None if isinstance(claims, Problem) else datetime.fromtimestamp(claims.exp, UTC)

    def verify_token(self, token: str) -> Caller | Problem:
        """The caller behind a token, with the agencies and rights it has now.

        The no is TOKEN_INVALID, TOKEN_EXPIRED or CLIENT_SUSPENDED.
        """
        claims = self._token_claims(token)
        if isinstance(claims, Problem):
            return claims
        if self._clients.value is not self._named:
            self._callers, self._named = {}, self._clients.value
        caller = self._callers.get((claims.client_id, claims.scope))
        if caller is None:
            caller = _caller(self._named.get(ClientId(claims.client_id)), claims.scope)
            self._callers[claims.client_id, claims.scope] = caller
        return caller

    def _token_claims(self, token: str) -> rules.TokenClaims | Problem:
        digest = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
        now = self._clock.now()
        known = self._verified.get(digest)
        if known is not None:
            return known if now.timestamp() < known.exp else Problem(Code.TOKEN_EXPIRED)
        keys = self._keyring.public_keys(Use.TOKEN)
        claims = rules.read_token(token, keys, self._issuer, now, self._token_seconds)
        if isinstance(claims, rules.TokenClaims):
            self._verified[digest] = claims
            if len(self._verified) > TOKENS_REMEMBERED:
                self._verified.popitem(last=False)
        return claims


def _caller(client: Client | None, scope: str) -> Caller | Problem:
    if client is None:
        return rules.TOKEN_INVALID
    if client.suspended:
        return Problem(Code.CLIENT_SUSPENDED)
    return Caller(client.id, client.agencies, client.rights & frozenset(scope.split(" ")), client.cost_limit)


def _unless_suspended(client: Client) -> Client | Problem:
    return Problem(Code.CLIENT_SUSPENDED) if client.suspended else client

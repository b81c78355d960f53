"""Carries one call to an agency's HTTP service, with credentials, purpose and correlation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from connectors.contract import Ask, Fault
from connectors.faults import Kind
from connectors.login import Login, Verdict, in_order
from connectors.manifest.model import Credentials, HttpAddress, Manifest
from connectors.oauth2 import Token, Tokens
from connectors.signing import Signer, Unsigned, told_headers
from connectors.transport import Call, Reply, Transport, tls_context

CORRELATION_HEADER = "X-Correlation-Id"
JSON = {"Content-Type": "application/json"}
UNAUTHORISED = 401
INCONCLUSIVE = 500  # from this status on, the service may not have looked at the secret
NOTHING = Unsigned("GET", "", "", b"")
DEFAULT_PORTS = {"http": 80, "https": 443}


class Exchange:
    """One agency's HTTP service. Raises ssl.SSLError when a declared certificate cannot be read."""

    def __init__(
        self,
        manifest: Manifest,
        address: HttpAddress,
        transport: Transport,
        secrets: Mapping[str, str],
        now: Callable[[], datetime],
    ) -> None:
        parts = urlsplit(address.url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._base = parts.path
        self._host = parts.hostname or ""
        self._port = parts.port or DEFAULT_PORTS[parts.scheme]
        self._transport = transport
        self._told = manifest.telling.headers
        self._max_bytes = manifest.limits.max_bytes
        slots = manifest.credentials.slots()
        self._ways = [
            _Way(manifest.credentials, address, transport, shown, now) for shown in in_order(secrets, slots)
        ]
        self._login = Login(len(self._ways)) if slots and not _explains(manifest) else None

    def send(self, call: Unsigned, headers: Mapping[str, str], ask: Ask) -> Awaitable[Reply | Fault]:
        """The reply to a call whose path stands below the declared address."""
        told = told_headers(self._told, ask.tellings[0]) if ask.tellings else {}
        return self._send(call, {**told, CORRELATION_HEADER: ask.correlation, **headers}, ask.deadline)

    async def get(self, path: str, deadline: float) -> Reply | Fault:
        """The reply to a call that is about nobody."""
        return await self._send(Unsigned("GET", path, "", b""), {}, deadline)

    async def reach(self, deadline: float) -> Fault | None:
        """Whether the service can be connected to at all."""
        return await self._transport.reach(self._host, self._port, deadline)

    async def _send(self, call: Unsigned, headers: Mapping[str, str], deadline: float) -> Reply | Fault:
        path = self._base + call.path
        signed = Unsigned(call.method, path, call.query, call.body)
        url = f"{self._origin}{path}?{call.query}" if call.query else self._origin + path
        request = Call(
            call.method,
            url,
            {**JSON, **headers} if call.body else headers,
            call.body or None,
            None,
            self._max_bytes,
            deadline,
        )
        if self._login is None:
            return await self._ways[0].send(request, signed)
        return await self._login.use(lambda place: self._ways[place].send(request, signed), _verdict)


class _Way:
    """How calls are carried with one set of secrets."""

    def __init__(
        self,
        credentials: Credentials,
        address: HttpAddress,
        transport: Transport,
        secrets: Mapping[str, str],
        now: Callable[[], datetime],
    ) -> None:
        slot, oauth2 = credentials.certificate, credentials.oauth2
        certificate = None if slot is None else secrets[slot]
        secured = tls_context(address.ca, certificate)
        self._tls = secured if address.url.startswith("https:") else None
        self._transport = transport
        self._signer = Signer(credentials, secrets, now)
        self._shown = None if credentials.hmac else self._signer.headers(NOTHING)
        self._tokens = None if oauth2 is None else Tokens(oauth2, secrets[oauth2.slot], transport, secured)

    async def send(self, call: Call, signed: Unsigned) -> Reply | Fault:
        """The reply to a call that shows these secrets; a token that is no longer taken is fetched anew."""
        shown = self._signer.headers(signed) if self._shown is None else self._shown
        call = call._replace(headers={**call.headers, **shown}, tls=self._tls)
        if self._tokens is None:
            return await self._transport.send(call)
        kept = self._tokens.kept
        token = await self._tokens.current(call.deadline)
        if isinstance(token, Fault):
            return token
        reply = await self._transport.send(_bearing(call, token))
        if token is not kept or isinstance(reply, Fault) or reply.status != UNAUTHORISED:
            return reply
        self._tokens.drop(token)
        token = await self._tokens.current(call.deadline)
        return token if isinstance(token, Fault) else await self._transport.send(_bearing(call, token))


def _bearing(call: Call, token: Token) -> Call:
    return call._replace(headers={**call.headers, "Authorization": f"Bearer {token.text}"})


def _explains(manifest: Manifest) -> bool:
    """Whether the agency means something of its own by the status that refuses a secret."""
    return any(rule.status == UNAUTHORISED for one in manifest.offerings for rule in one.outcomes)


def _verdict(reply: Reply | Fault) -> Verdict:
    """401 alone is about the secret (RFC 9110, 15.5.2); who is forbidden something has been recognised."""
    if isinstance(reply, Fault):
        return Verdict.REFUSED if reply.kind == Kind.LOGIN_REFUSED else Verdict.UNKNOWN
    if reply.status == UNAUTHORISED:
        return Verdict.REFUSED
    return Verdict.TAKEN if reply.status < INCONCLUSIVE else Verdict.UNKNOWN

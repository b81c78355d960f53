"""Fetches and keeps the access token of an agency's service: client credentials (RFC 6749, 4.4)."""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote_plus, urlencode

import msgspec

from connectors.contract import Fault
from connectors.faults import Kind, fault
from connectors.manifest.model import OAuth2
from connectors.transport import Call, Reply, Transport

FORM = "application/x-www-form-urlencoded"
TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, 2.1
MAX_BYTES = 64_000
UNSAID_SECONDS = 300.0  # that a token lasts when the service does not say
LONGEST_SECONDS = 86_400.0
EARLY = 0.1  # the share of its life by which a token is given up early, at the most EARLY_SECONDS
EARLY_SECONDS = 30.0
ABOUT_THE_CLIENT = frozenset({"invalid_client", "unauthorized_client"})  # RFC 6749, 5.2


class _Granted(msgspec.Struct):
    access_token: str
    token_type: str
    expires_in: float | None = None


class _Denied(msgspec.Struct):
    error: str


@dataclass(frozen=True, slots=True)
class Token:
    """What is shown as ``Authorization: Bearer``, until a moment of the monotonic clock."""

    text: str = field(repr=False)
    until: float


class Tokens:
    """One client's token at one service, fetched once however many calls need it."""

    def __init__(
        self,
        declared: OAuth2,
        secret: str,
        transport: Transport,
        tls: ssl.SSLContext | None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = declared.token_url
        self._transport = transport
        self._tls = tls
        self._monotonic = monotonic
        self._headers, self._body = _question(declared, secret)
        self._token: Token | None = None
        self._fetching = asyncio.Lock()

    @property
    def kept(self) -> Token | None:
        """The token that lasts, if there is one."""
        token = self._token
        return token if token is not None and self._monotonic() < token.until else None

    async def current(self, deadline: float) -> Token | Fault:
        """A token that lasts; LOGIN_REFUSED when the service does not know the client or its secret."""
        token = self.kept
        if token is not None:
            return token
        async with self._fetching:
            token = self.kept
            if token is not None:
                return token
            fetched = await self._fetch(deadline)
            if isinstance(fetched, Token):
                self._token = fetched
            return fetched

    def drop(self, token: Token) -> None:
        """The service no longer takes it."""
        if self._token is token:
            self._token = None

    async def _fetch(self, deadline: float) -> Token | Fault:
        asked_at = self._monotonic()
        call = Call("POST", self._url, self._headers, self._body, self._tls, MAX_BYTES, deadline)
        reply = await self._transport.send(call)
        return reply if isinstance(reply, Fault) else _read(reply, asked_at)


def _question(declared: OAuth2, secret: str) -> tuple[dict[str, str], bytes]:
    headers = {"Content-Type": FORM, "Accept": "application/json"}
    form = {"grant_type": "client_credentials"}
    if declared.scope is not None:
        form["scope"] = declared.scope
    if declared.in_body:
        form |= {"client_id": declared.client, "client_secret": secret}
    else:
        pair = f"{quote_plus(declared.client)}:{quote_plus(secret)}"  # RFC 6749, 2.3.1
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return headers, urlencode(form).encode()


def _read(reply: Reply, asked_at: float) -> Token | Fault:
    if reply.status != 200:
        return _refusal(reply)
    try:
        granted = msgspec.json.decode(reply.body, type=_Granted)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return fault(Kind.MALFORMED)
    if granted.token_type.casefold() != "bearer" or not TOKEN.fullmatch(granted.access_token):
        return fault(Kind.MALFORMED)
    seconds = UNSAID_SECONDS if granted.expires_in is None else granted.expires_in
    seconds = min(max(seconds, 0.0), LONGEST_SECONDS)
    return Token(granted.access_token, asked_at + seconds - min(EARLY * seconds, EARLY_SECONDS))


def _refusal(reply: Reply) -> Fault:
    if reply.status == 401 or (reply.status == 400 and _error(reply) in ABOUT_THE_CLIENT):
        return fault(Kind.LOGIN_REFUSED)
    kind = Kind.BUSY if reply.status == 429 else Kind.FAILED
    return fault(kind, agency_code=str(reply.status), retry_after=reply.retry_after)


def _error(reply: Reply) -> str | None:
    try:
        return msgspec.json.decode(reply.body, type=_Denied).error
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None

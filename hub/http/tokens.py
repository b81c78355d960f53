"""Gives clients their access tokens: POST /oauth/token, client credentials only (RFC 6749 §4.4, RFC 7523)."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import parse_qsl, unquote_plus

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.clients.model import Client, IssuedToken
from hub.clients.service import ClientService
from hub.http.bodies import read_body
from hub.http.problems import Problems, problem_headers
from hub.kernel.errors import Code, HubError, Problem
from hub.texts import Language, Texts

TOKEN_PATH = "/oauth/token"  # noqa: S105 a path, not a secret
METHODS = ("client_secret_basic", "client_secret_post", "private_key_jwt")
FORM = "application/x-www-form-urlencoded"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Named when one stands twice; "scope" as the wrong part means a scope beyond the rights
NAMED = frozenset({"grant_type", "client_id", "client_secret", "client_assertion", "client_assertion_type"})
LARGEST_BODY = 16_384  # bytes; an assertion takes one or two thousand
MOST_PARAMETERS = 32
NOT_CACHED = {"Cache-Control": "no-store", "Pragma": "no-cache"}
CHALLENGE = 'Basic realm="hub", charset="UTF-8"'
BAD_REQUEST = 400

# RFC 6749 §5.2; what has no name of its own there is invalid_request or, when it is our fault, as in §4.1.2.1
ERRORS: Mapping[Code, tuple[str, int]] = MappingProxyType(
    {
        Code.CLIENT_AUTHENTICATION_FAILED: ("invalid_client", 401),
        Code.ASSERTION_REPLAYED: ("invalid_client", 401),
        Code.CLIENT_SUSPENDED: ("unauthorized_client", BAD_REQUEST),
        Code.GRANT_TYPE_UNSUPPORTED: ("unsupported_grant_type", BAD_REQUEST),
        Code.STORE_UNAVAILABLE: ("temporarily_unavailable", 503),
    }
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client shows: its id with a secret, or a signed assertion."""

    client: str = ""
    secret: str = ""
    assertion: str = ""


class TokenEndpoint:
    """Answers token requests. Every no is an OAuth error that also carries the hub's number and texts."""

    def __init__(
        self, clients: ClientService, texts: Mapping[Language, Texts], issuer: str, read_seconds: float
    ) -> None:
        self._clients = clients
        self._english = texts[Language.EN]
        self._problems = Problems(texts)
        self._issuer = issuer
        self._read_seconds = read_seconds

    async def answer(self, request: Request) -> Response:
        """The token, or why not."""
        try:
            issued = await self._issue(request)
        except HubError as error:
            issued = error.problem
        return self._refusal(issued) if isinstance(issued, Problem) else _granted(issued)

    async def _issue(self, request: Request) -> IssuedToken | Problem:
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != FORM:
            return Problem(Code.MEDIA_TYPE_UNSUPPORTED)
        body = await self._body(request)
        form = read_form(body) if isinstance(body, bytes) else body
        if isinstance(form, Problem):
            return form
        shown = credentials(request.headers.getlist("authorization"), form)
        if isinstance(shown, Problem):
            return shown
        if "grant_type" not in form:
            return _wrong("grant_type")
        if form["grant_type"] != "client_credentials":
            return Problem(Code.GRANT_TYPE_UNSUPPORTED)
        client = await self._authenticate(shown)
        return client if isinstance(client, Problem) else self._clients.issue_token(client, form.get("scope"))

    async def _authenticate(self, shown: Credentials) -> Client | Problem:
        if not shown.assertion:
            return self._clients.authenticate_secret(shown.client, shown.secret)
        client = await self._clients.authenticate_assertion(shown.assertion)
        if isinstance(client, Client) and shown.client not in ("", client.id):
            return Problem(Code.CLIENT_AUTHENTICATION_FAILED)
        return client

    async def _body(self, request: Request) -> bytes | Problem:
        try:
            async with asyncio.timeout(self._read_seconds):
                return await read_body(request.receive, LARGEST_BODY)
        except TimeoutError:
            return Problem(Code.REQUEST_TOO_SLOW, {"seconds": f"{self._read_seconds:g}"})

    def _refusal(self, problem: Problem) -> Response:
        error, status = ERRORS.get(problem.code, ("invalid_request", problem.code.status))
        if problem.detail.get("part") == "scope":
            error = "invalid_scope"
        body = {
            "error": error,
            "error_description": _printable(self._english.say(problem).title),
            "error_uri": f"{self._issuer}/errors#{problem.code.label}",
            **self._problems.bilingual(problem),
        }
        challenge = {"WWW-Authenticate": CHALLENGE} if status == 401 else {}
        headers = {**problem_headers(problem.code), **NOT_CACHED, **challenge}
        return Response(msgspec.json.encode(body), status, headers, "application/json")


def token_routes(
    clients: ClientService, texts: Mapping[Language, Texts], issuer: str, read_seconds: float
) -> list[Route]:
    """POST /oauth/token. ``read_seconds``: how long a body may take to arrive."""
    return [Route(TOKEN_PATH, TokenEndpoint(clients, texts, issuer, read_seconds).answer, methods=["POST"])]


def read_form(body: bytes) -> Mapping[str, str] | Problem:
    """The parameters of a form: none twice, and one without a value counts as left out (RFC 6749 §3.2)."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError:
        return _wrong("body")
    names = [name for name, _ in pairs]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        return _wrong(min(twice) if twice <= NAMED else "body")
    return MappingProxyType({name: value for name, value in pairs if value})


def credentials(authorizations: Sequence[str], form: Mapping[str, str]) -> Credentials | Problem:
    """What the client shows, by exactly one method and once (RFC 6749 §2.3)."""
    shown = len(authorizations) + ("client_secret" in form) + ("client_assertion" in form)
    if shown > 1:
        return _wrong("client authentication")
    client = form.get("client_id", "")
    if authorizations:
        return _basic(authorizations[0], client)
    if "client_assertion" in form:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            return _wrong("client_assertion_type")
        return Credentials(client, assertion=form["client_assertion"])
    return Credentials(client, form.get("client_secret", ""))


def _basic(authorization: str, client: str) -> Credentials | Problem:
    """RFC 7617, with id and secret form-encoded inside (RFC 6749 §2.3.1)."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        pair = base64.b64decode(encoded.strip(), validate=True).decode() if scheme.lower() == "basic" else ""
    except (binascii.Error, ValueError):
        pair = ""
    name, colon, secret = pair.partition(":")
    name = unquote_plus(name)
    if not colon or client not in ("", name):
        return Problem(Code.CLIENT_AUTHENTICATION_FAILED)
    return Credentials(name, unquote_plus(secret))


def _granted(issued: IssuedToken) -> Response:
    body = {
        "access_token": issued.token,
        "token_type": "Bearer",
        "expires_in": issued.seconds,
        "scope": issued.scope,
    }
    return Response(msgspec.json.encode(body), 200, NOT_CACHED, "application/json")


def _wrong(part: str) -> Problem:
    return Problem(Code.TOKEN_REQUEST_INVALID, {"part": part})


def _printable(text: str) -> str:
    """As error_description allows: printable ASCII without quotation mark and backslash (RFC 6749 §5.2)."""
    return "".join(sign if " " <= sign <= "~" and sign not in '"\\' else "'" for sign in text)

"""POST /oauth/token over real clients: every way in, every no, and what must not be kept or leak."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from time import time
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from joserfc import jws
from joserfc.jwk import OKPKey
from starlette.applications import Starlette

from hub.audit.model import AgencyCode, ClientId
from hub.clients.model import INTROSPECT, Caller
from hub.clients.service import ClientService
from hub.clients.store import ClientStore
from hub.http.keys import key_routes
from hub.http.tokens import ASSERTION_TYPE, FORM, LARGEST_BODY, token_routes
from hub.kernel.clock import SystemClock
from hub.kernel.crypto.envelope import Envelope
from hub.kernel.crypto.keyring import Keyring
from hub.kernel.db import Database
from hub.kernel.errors import Code
from hub.texts import Language, load_texts

ISSUER = "https://hub.example.gov.cn"
CLIENT = "window:审批 1"  # not a legal id: what stands in Basic must still be decoded
KEY = OKPKey.generate_key("Ed25519", {"kid": "k1"})
TEXTS = {language: load_texts(language) for language in Language}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Desk:
    """A worker's endpoint, with a client that has a secret and one that has a key."""

    app: Starlette
    office: ClientService
    clients: ClientService
    secret: str

    async def post(
        self,
        form: Mapping[str, str] | Sequence[tuple[str, str]] | bytes,
        *,
        media: str = FORM,
        **headers: str,
    ) -> Reply:
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        return await ask(self.app, "POST", "/oauth/token", [body], {"content-type": media, **headers})


async def ask(
    app: Starlette,
    method: str,
    path: str,
    chunks: Sequence[bytes],
    headers: Mapping[str, str],
    pause: float = 0,
) -> Reply:
    """One request to an ASGI application, its body in chunks; a header of two lines stands twice."""
    sent: list[dict[str, Any]] = []
    waiting = list(chunks)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(pause)
        chunk = waiting.pop(0) if waiting else b""
        return {"type": "http.request", "body": chunk, "more_body": bool(waiting)}

    async def send(message: Any) -> None:
        sent.append(message)

    each = [(name, one) for name, value in headers.items() for one in value.split("\n")]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode(), "root_path": "", "scheme": "http", "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in each],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    await app(scope, receive, send)
    told = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], told, b"".join(part.get("body", b"") for part in sent[1:]))


@pytest.fixture
async def desk(database: Database, owner_database: Database) -> AsyncIterator[Desk]:
    keyring = Keyring(database, Envelope(bytes(32)))
    await keyring.start()
    office = ClientService(ClientStore(owner_database), keyring, SystemClock(), ISSUER, 600)
    agencies = [AgencyCode("11370300MB2841234X")]
    secret = await office.register(ClientId("window"), "审批系统", agencies, [INTROSPECT])
    await office.register_with_keys(ClientId("kiosk"), "自助终端", agencies, [KEY.as_dict(private=False)])  # type: ignore[list-item]
    clients = ClientService(ClientStore(database), keyring, SystemClock(), ISSUER, 600)
    await clients.start()
    app = Starlette(routes=[*token_routes(clients, TEXTS, ISSUER, 0.2), *key_routes(keyring, ISSUER)])
    yield Desk(app, office, clients, secret)
    await clients.stop()
    await keyring.stop()


def basic(client: str, secret: str) -> str:
    pair = f"{quote_plus(client)}:{quote_plus(secret)}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def post_form(desk: Desk, **changed: str) -> dict[str, str]:
    good = {"grant_type": "client_credentials", "client_id": "window", "client_secret": desk.secret}
    return good | changed


def assertion_form(jti: str, key: OKPKey = KEY, aud: str = ISSUER, **changed: str) -> dict[str, str]:
    claims = {"iss": "kiosk", "sub": "kiosk", "aud": aud, "jti": jti, "exp": int(time()) + 60}
    signed = jws.serialize_compact(
        {"alg": "Ed25519", "kid": "k1"}, json.dumps(claims), key, algorithms=["Ed25519"]
    )
    return {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": signed,
        **changed,
    }


def refused(reply: Reply, status: int, error: str, code: Code, part: str | None = None) -> None:
    """Asserts one OAuth error with the hub's number, both texts, and nothing kept."""
    body = reply.json
    assert (reply.status, body["error"], body["code"]) == (status, error, code.label)
    assert reply.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in reply.headers) is (status == 401)
    assert all(body[language][name] for language in ("zh", "en") for name in ("title", "explanation", "next"))
    assert body["error_uri"] == f"{ISSUER}/errors#{code.label}"
    assert all(" " <= sign <= "~" and sign not in '"\\' for sign in body["error_description"])
    assert part is None or part in body["en"]["explanation"]
    assert "access_token" not in body


async def test_a_secret_in_the_form_gets_a_token(desk: Desk) -> None:
    reply = await desk.post(post_form(desk))
    assert reply.status == 200
    assert (reply.headers["cache-control"], reply.headers["pragma"]) == ("no-store", "no-cache")
    assert reply.headers["content-type"] == "application/json"
    body = reply.json
    assert {name: body[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "Bearer", "expires_in": 600, "scope": "facts introspect",
    }  # fmt: skip
    caller = desk.clients.verify_token(body["access_token"])
    assert isinstance(caller, Caller)
    assert caller.client == "window"


async def test_a_secret_in_basic_gets_a_token_with_the_scope_asked_for(desk: Desk) -> None:
    form = {"grant_type": "client_credentials", "scope": "facts", "client_id": "window"}
    reply = await desk.post(form, authorization=basic("window", desk.secret))
    assert (reply.status, reply.json["scope"]) == (200, "facts")


async def test_a_signed_assertion_gets_a_token_once(desk: Desk) -> None:
    form = assertion_form("1", client_id="kiosk")
    reply = await desk.post(form)
    caller = desk.clients.verify_token(reply.json["access_token"])
    assert isinstance(caller, Caller)
    assert caller.client == "kiosk"
    refused(await desk.post(form), 401, "invalid_client", Code.ASSERTION_REPLAYED)


async def test_a_token_is_verified_with_the_published_keys(desk: Desk) -> None:
    token = (await desk.post(post_form(desk))).json["access_token"]
    reply = await ask(desk.app, "GET", "/.well-known/jwks.json", [], {})
    assert reply.headers["content-type"] == "application/jwk-set+json"
    keys = {key["kid"]: key for key in reply.json["keys"]}
    header = jws.extract_compact(token.encode()).headers()
    opened = jws.deserialize_compact(token, OKPKey.import_key(keys[header["kid"]]), algorithms=["Ed25519"])
    assert json.loads(opened.payload or b"")["iss"] == ISSUER
    assert not any("d" in key for key in keys.values())


async def test_the_metadata_names_what_the_endpoint_does(desk: Desk) -> None:
    told = (await ask(desk.app, "GET", "/.well-known/oauth-authorization-server", [], {})).json
    assert told["issuer"] == ISSUER
    assert told["token_endpoint"] == f"{ISSUER}/oauth/token"
    assert told["jwks_uri"] == f"{ISSUER}/.well-known/jwks.json"
    assert told["token_endpoint_auth_methods_supported"] == [
        "client_secret_basic", "client_secret_post", "private_key_jwt",
    ]  # fmt: skip
    assert told["grant_types_supported"] == ["client_credentials"]


@pytest.mark.parametrize("client", ["window", "stranger"])
async def test_wrong_secrets_and_unknown_clients_get_the_same_answer(desk: Desk, client: str) -> None:
    by_form = await desk.post(post_form(desk, client_id=client, client_secret="wrong"))
    by_basic = await desk.post({"grant_type": "client_credentials"}, authorization=basic(client, "wrong"))
    for reply in (by_form, by_basic):
        refused(reply, 401, "invalid_client", Code.CLIENT_AUTHENTICATION_FAILED)
        assert reply.headers["www-authenticate"].startswith("Basic ")
        assert client.encode() not in reply.body
    assert by_form.body == by_basic.body


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !!!", "Basic bm8gY29sb24=", "Basic /w==", "Bearer abc", basic(CLIENT, "x")],
)
async def test_a_broken_authorization_header_proves_nothing(desk: Desk, authorization: str) -> None:
    reply = await desk.post({"grant_type": "client_credentials"}, authorization=authorization)
    refused(reply, 401, "invalid_client", Code.CLIENT_AUTHENTICATION_FAILED)


async def test_no_credentials_prove_nothing(desk: Desk) -> None:
    for form in ({"grant_type": "client_credentials"}, post_form(desk, client_secret="")):
        refused(await desk.post(form), 401, "invalid_client", Code.CLIENT_AUTHENTICATION_FAILED)


async def test_forged_and_misdirected_assertions_prove_nothing(desk: Desk) -> None:
    stranger = OKPKey.generate_key("Ed25519")
    for form in (
        assertion_form("1", stranger),
        assertion_form("2", aud=f"{ISSUER}/oauth/token"),
        assertion_form("3", client_id="window"),
        assertion_form("4", client_assertion="a.b.c"),
    ):
        refused(await desk.post(form), 401, "invalid_client", Code.CLIENT_AUTHENTICATION_FAILED)


async def test_only_client_credentials_are_granted(desk: Desk) -> None:
    for grant_type in ("password", "authorization_code", "refresh_token", "CLIENT_CREDENTIALS"):
        reply = await desk.post(post_form(desk, grant_type=grant_type))
        refused(reply, 400, "unsupported_grant_type", Code.GRANT_TYPE_UNSUPPORTED)


async def test_a_scope_beyond_the_rights_is_refused(desk: Desk) -> None:
    reply = await desk.post(post_form(desk, scope="facts everything"))
    refused(reply, 400, "invalid_scope", Code.TOKEN_REQUEST_INVALID, "scope")


async def test_a_suspended_client_learns_it_only_with_its_secret(desk: Desk) -> None:
    await desk.office.suspend(ClientId("window"))
    await desk.clients._clients.refresh()
    refused(await desk.post(post_form(desk)), 400, "unauthorized_client", Code.CLIENT_SUSPENDED)
    wrong = await desk.post(post_form(desk, client_secret="wrong"))
    refused(wrong, 401, "invalid_client", Code.CLIENT_AUTHENTICATION_FAILED)


async def test_two_ways_to_prove_oneself_are_one_too_many(desk: Desk) -> None:
    both = await desk.post(post_form(desk), authorization=basic("window", desk.secret))
    refused(both, 400, "invalid_request", Code.TOKEN_REQUEST_INVALID, "client authentication")
    proof = basic("window", desk.secret)
    for headers in (f"{proof}\n{proof}", f"{proof}\n{basic('kiosk', 'x')}", f"Bearer x\n{proof}"):
        twice = await desk.post({"grant_type": "client_credentials"}, authorization=headers)
        refused(twice, 400, "invalid_request", Code.TOKEN_REQUEST_INVALID, "client authentication")
    mixed = await desk.post(assertion_form("1", client_secret="x"))
    refused(mixed, 400, "invalid_request", Code.TOKEN_REQUEST_INVALID, "client authentication")


@pytest.mark.parametrize("twice", ["grant_type", "client_secret", "client_id", "scope", "unknown"])
async def test_a_parameter_given_twice_is_refused(desk: Desk, twice: str) -> None:
    form = [*post_form(desk).items(), (twice, "x"), (twice, "")]
    refused(await desk.post(form), 400, "invalid_request", Code.TOKEN_REQUEST_INVALID)


async def test_a_missing_part_is_named(desk: Desk) -> None:
    reply = await desk.post(post_form(desk, grant_type=""))
    refused(reply, 400, "invalid_request", Code.TOKEN_REQUEST_INVALID, "grant_type")
    reply = await desk.post(assertion_form("1", client_assertion_type="saml"))
    refused(reply, 400, "invalid_request", Code.TOKEN_REQUEST_INVALID, "client_assertion_type")


@pytest.mark.parametrize(
    "body", [b"grant_type", b"\xff\xfe", b"a=%FF", b"&".join(b"a%d=1" % n for n in range(40))]
)
async def test_a_body_that_is_no_form_is_refused(desk: Desk, body: bytes) -> None:
    refused(await desk.post(body), 400, "invalid_request", Code.TOKEN_REQUEST_INVALID)


async def test_json_is_refused_as_a_media_type(desk: Desk) -> None:
    for media in ("application/json", "", "multipart/form-data; boundary=x"):
        reply = await desk.post(b"{}", media=media)
        refused(reply, 415, "invalid_request", Code.MEDIA_TYPE_UNSUPPORTED)
    reply = await desk.post(post_form(desk), media=f"{FORM}; charset=UTF-8")
    assert reply.status == 200


async def test_a_large_body_is_refused_before_it_is_whole(desk: Desk) -> None:
    endless = [b"a" * 1024] * (LARGEST_BODY // 1024 + 1) + [b"never read"] * 100
    reply = await ask(desk.app, "POST", "/oauth/token", endless, {"content-type": FORM})
    refused(reply, 413, "invalid_request", Code.BODY_TOO_LARGE, str(LARGEST_BODY))


async def test_a_slow_body_is_refused(desk: Desk) -> None:
    reply = await ask(desk.app, "POST", "/oauth/token", [b"a"] * 100, {"content-type": FORM}, pause=0.05)
    refused(reply, 408, "invalid_request", Code.REQUEST_TOO_SLOW)


async def test_a_store_that_is_away_is_said_so_and_gives_no_token(desk: Desk, database: Database) -> None:
    await database.execute("SELECT 1")
    desk.clients._store.database = await Database.open("postgresql://nobody@127.0.0.1:1/none")
    reply = await desk.post(assertion_form("1"))
    refused(reply, 503, "temporarily_unavailable", Code.STORE_UNAVAILABLE)
    assert int(reply.headers["retry-after"]) > 0

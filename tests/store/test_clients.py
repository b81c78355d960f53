"""Clients are registered by the owner, proven by the serving role, and suspended in every worker at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from joserfc import jws
from joserfc.jwk import OKPKey

from hub.audit.model import AgencyCode, ClientId
from hub.clients.model import INTROSPECT, Caller, Client, IssuedToken
from hub.clients.rules import NOT_PROVEN, TOKEN_INVALID
from hub.clients.service import TOKENS_REMEMBERED, ClientService
from hub.clients.store import ClientStore
from hub.kernel.crypto.envelope import Envelope
from hub.kernel.crypto.keyring import Keyring
from hub.kernel.crypto.signing import Use
from hub.kernel.db import Database
from hub.kernel.errors import Code, HubError, Problem

ISSUER = "https://hub.example.gov.cn"
ENVELOPE = Envelope(bytes(range(32)))
WINDOW, BUREAU, SCHOOLS = (
    ClientId("window"),
    AgencyCode("11370300MB2841234X"),
    AgencyCode("11370300004220000A"),
)
KEY = OKPKey.generate_key("Ed25519")


class StoppedClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return self.time.timestamp()


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def keyring(database: Database) -> AsyncIterator[Keyring]:
    keyring = Keyring(database, ENVELOPE)
    await keyring.start()
    yield keyring
    await keyring.stop()


@pytest.fixture
async def clients(database: Database, keyring: Keyring, clock: StoppedClock) -> AsyncIterator[ClientService]:
    """The service of a worker."""
    service = ClientService(ClientStore(database), keyring, clock, ISSUER, 600)
    await service.start()
    yield service
    await service.stop()


@pytest.fixture
def office(owner_database: Database, keyring: Keyring, clock: StoppedClock) -> ClientService:
    """The service of whoever registers clients."""
    return ClientService(ClientStore(owner_database), keyring, clock, ISSUER, 600)


async def soon(seen: Callable[[], bool]) -> None:
    """Waits until a change has reached the worker; a second is what the design allows."""
    async with asyncio.timeout(1):
        while True:
            if seen():
                return
            await asyncio.sleep(0.01)


async def registered(office: ClientService, clients: ClientService, *rights: str) -> tuple[str, Client]:
    secret = await office.register(WINDOW, "审批系统", [BUREAU], rights)
    await soon(lambda: isinstance(clients.authenticate_secret(WINDOW, secret), Client))
    client = clients.authenticate_secret(WINDOW, secret)
    assert isinstance(client, Client)
    return secret, client


def token_for(clients: ClientService, client: Client, scope: str | None = None) -> str:
    issued = clients.issue_token(client, scope)
    assert isinstance(issued, IssuedToken)
    return issued.token


def assertion(clock: StoppedClock, jti: str, key: OKPKey = KEY, client: str = WINDOW) -> str:
    claims = {
        "iss": client,
        "sub": client,
        "aud": ISSUER,
        "jti": jti,
        "exp": int(clock.time.timestamp()) + 60,
    }
    return jws.serialize_compact({"alg": "Ed25519"}, json.dumps(claims), key, algorithms=["Ed25519"])


async def test_a_registered_client_gets_a_token_that_names_it(
    office: ClientService, clients: ClientService
) -> None:
    secret, client = await registered(office, clients, INTROSPECT)
    assert len(secret) == 43
    issued = clients.issue_token(client)
    assert isinstance(issued, IssuedToken)
    assert (issued.seconds, issued.scope) == (600, "facts introspect")
    expected = Caller(WINDOW, frozenset({BUREAU}), frozenset({INTROSPECT}))
    assert clients.verify_token(issued.token) == clients.verify_token(issued.token) == expected


async def test_the_secret_itself_is_stored_nowhere(
    office: ClientService, clients: ClientService, owner_database: Database
) -> None:
    secret, _ = await registered(office, clients)
    rows = await owner_database.fetch("SELECT to_jsonb(s)::text AS told FROM clients.secret s")
    assert rows
    assert not any(secret in row["told"] or secret.encode().hex() in row["told"] for row in rows)


async def test_a_wrong_secret_and_an_unknown_client_are_told_apart_by_nothing(
    office: ClientService, clients: ClientService
) -> None:
    secret, _ = await registered(office, clients)
    for client, given in (
        (WINDOW, "wrong"),
        (WINDOW, ""),
        ("stranger", secret),
        ("", ""),
        ("window\0", secret),
    ):
        assert clients.authenticate_secret(client, given) == NOT_PROVEN


async def test_two_secrets_overlap_and_the_third_ends_the_first(
    office: ClientService, clients: ClientService
) -> None:
    first, _ = await registered(office, clients)
    second = await office.roll_secret(WINDOW)
    await soon(lambda: isinstance(clients.authenticate_secret(WINDOW, second), Client))
    assert isinstance(clients.authenticate_secret(WINDOW, first), Client)
    third = await office.roll_secret(WINDOW)
    await soon(lambda: isinstance(clients.authenticate_secret(WINDOW, third), Client))
    assert isinstance(clients.authenticate_secret(WINDOW, second), Client)
    assert clients.authenticate_secret(WINDOW, first) == NOT_PROVEN


async def test_an_unknown_client_gets_no_secret(office: ClientService) -> None:
    with pytest.raises(HubError):
        await office.roll_secret(ClientId("stranger"))
    assert not await office.suspend(ClientId("stranger"))


async def test_a_suspended_client_is_out_within_a_second_though_its_token_lives(
    office: ClientService, clients: ClientService
) -> None:
    secret, client = await registered(office, clients)
    token = token_for(clients, client)
    assert isinstance(clients.verify_token(token), Caller)
    assert await office.suspend(WINDOW)
    await soon(lambda: clients.verify_token(token) == Problem(Code.CLIENT_SUSPENDED))
    assert clients.authenticate_secret(WINDOW, secret) == Problem(Code.CLIENT_SUSPENDED)
    assert clients.authenticate_secret(WINDOW, "wrong") == NOT_PROVEN
    await office.suspend(WINDOW, suspended=False)
    await soon(lambda: isinstance(clients.verify_token(token), Caller))


async def test_a_changed_delegation_counts_for_tokens_already_issued(
    office: ClientService, clients: ClientService
) -> None:
    _, client = await registered(office, clients, INTROSPECT)
    token = token_for(clients, client)
    await office.register(WINDOW, "审批系统", [SCHOOLS])
    await soon(lambda: clients.verify_token(token) == Caller(WINDOW, frozenset({SCHOOLS}), frozenset()))


async def test_a_token_has_no_more_rights_than_its_scope(
    office: ClientService, clients: ClientService
) -> None:
    _, client = await registered(office, clients, INTROSPECT)
    caller = clients.verify_token(token_for(clients, client, "facts"))
    assert caller == Caller(WINDOW, frozenset({BUREAU}), frozenset())
    assert clients.issue_token(client, "admin") == Problem(Code.TOKEN_REQUEST_INVALID, {"part": "scope"})


async def test_a_token_expires_though_it_was_seen_before(
    office: ClientService, clients: ClientService, clock: StoppedClock
) -> None:
    _, client = await registered(office, clients)
    token = token_for(clients, client)
    assert isinstance(clients.verify_token(token), Caller)
    clock.time += timedelta(seconds=600)
    assert clients.verify_token(token) == Problem(Code.TOKEN_EXPIRED)


async def test_a_receipt_signed_with_our_own_key_is_no_token(
    office: ClientService, clients: ClientService, keyring: Keyring
) -> None:
    _, client = await registered(office, clients)
    header, payload, _ = token_for(clients, client).split(".")
    assert header
    claims = jws.extract_compact(f"{header}.{payload}.AA".encode()).payload
    assert clients.verify_token(keyring.sign(Use.RECEIPT, "at+jwt", claims or b"")) == TOKEN_INVALID
    assert clients.verify_token(keyring.sign(Use.TOKEN, "hub-receipt+jwt", claims or b"")) == TOKEN_INVALID


async def test_forged_tokens_are_not_remembered_and_real_ones_within_bounds(
    office: ClientService, clients: ClientService, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, client = await registered(office, clients)
    monkeypatch.setattr("hub.clients.service.TOKENS_REMEMBERED", 3)
    assert TOKENS_REMEMBERED > 3
    for token in (*(token_for(clients, client) for _ in range(5)), "forged", "\ud800", "x" * 10_000):
        clients.verify_token(token)
    assert len(clients._verified) == 3


async def test_an_assertion_counts_once_in_all_workers(
    office: ClientService, clients: ClientService, database: Database, keyring: Keyring, clock: StoppedClock
) -> None:
    await office.register_with_keys(WINDOW, "审批系统", [BUREAU], [KEY.as_dict(private=False)])  # type: ignore[list-item]
    another_worker = ClientService(ClientStore(database), keyring, clock, ISSUER, 600)
    await another_worker.start()
    await clients._clients.refresh()
    first = assertion(clock, "1")
    outcomes = await asyncio.gather(
        *(
            worker.authenticate_assertion(first)
            for worker in (clients, another_worker, clients, another_worker)
        )
    )
    assert sum(isinstance(outcome, Client) for outcome in outcomes) == 1
    assert sum(outcome == Problem(Code.ASSERTION_REPLAYED) for outcome in outcomes) == 3
    assert isinstance(await clients.authenticate_assertion(assertion(clock, "2")), Client)
    await another_worker.stop()


async def test_only_a_proven_assertion_is_remembered(
    office: ClientService, clients: ClientService, database: Database, clock: StoppedClock
) -> None:
    await office.register_with_keys(WINDOW, "审批系统", [BUREAU], [KEY.as_dict(private=False)])  # type: ignore[list-item]
    await clients._clients.refresh()
    stranger = OKPKey.generate_key("Ed25519")
    forged = (assertion(clock, "1", stranger), assertion(clock, "1", client="stranger"), "a.b.c", "")
    assert [await clients.authenticate_assertion(one) for one in forged] == [NOT_PROVEN] * len(forged)
    assert await database.fetchval("SELECT count(expires_at) FROM clients.assertion") == 0
    assert isinstance(await clients.authenticate_assertion(assertion(clock, "1")), Client)


async def test_the_upkeep_forgets_expired_assertions(
    office: ClientService,
    clients: ClientService,
    database: Database,
    owner_database: Database,
    clock: StoppedClock,
) -> None:
    await office.register_with_keys(WINDOW, "审批系统", [BUREAU], [KEY.as_dict(private=False)])  # type: ignore[list-item]
    await clients._clients.refresh()
    for jti in "123":
        await clients.authenticate_assertion(assertion(clock, jti))
    clock.time += timedelta(seconds=61)
    await clients.authenticate_assertion(assertion(clock, "4"))
    assert await database.fetchval("SELECT count(expires_at) FROM clients.assertion") == 4  # none on the way
    await ClientStore(owner_database).forget_assertions(clock.time)
    assert await database.fetchval("SELECT count(expires_at) FROM clients.assertion") == 1
    assert await clients.authenticate_assertion(assertion(clock, "4")) == Problem(Code.ASSERTION_REPLAYED)


async def test_a_private_key_is_never_stored(office: ClientService, owner_database: Database) -> None:
    with pytest.raises(HubError) as refused:
        await office.register_with_keys(WINDOW, "审批系统", [BUREAU], [KEY.as_dict(private=True)])  # type: ignore[list-item]
    assert refused.value.problem == Problem(Code.REQUEST_SHAPE, {"part": "keys"})
    assert await owner_database.fetchval("SELECT count(*) FROM clients.client") == 0


async def test_the_serving_role_may_only_read_clients_and_use_assertions(database: Database) -> None:
    for statement in (
        "INSERT INTO clients.client (id, name) VALUES ('x', 'x')",
        "UPDATE clients.client SET suspended = false",
        "DELETE FROM clients.delegation",
        "INSERT INTO clients.secret (client, salt, digest) VALUES ('x', '', '')",
        "DELETE FROM clients.public_key",
        "UPDATE clients.assertion SET expires_at = now()",
        "SELECT digest FROM clients.assertion",
        "TRUNCATE clients.assertion",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute(statement)

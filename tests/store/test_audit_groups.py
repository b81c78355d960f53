"""The log under many writers: whole groups, a bad entry alone, callers who go away, a killed PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import msgspec
import pytest

from hub.audit.model import LookedUp, Result
from hub.audit.rules import intent_entry, scope_content
from hub.audit.service import AuditService, Trail
from hub.audit.store import Addition, AuditStore
from hub.kernel.clock import SystemClock
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.db import Database
from hub.kernel.db.embedded import EmbeddedPostgres
from hub.kernel.db.migrate import migrate
from hub.kernel.errors import Code, HubError
from hub.kernel.ids import new_id
from hub.subjects.model import Scheme, Subject
from tests.store.test_audit import ANNA, FIELDS, MASTER_KEY, OPERATION, PURPOSE, begin, contents, service
from tests.store.test_audit_crash import kinds_when_back

FAR_AWAY = datetime(2090, 1, 1, tzinfo=UTC)  # no month is made so far ahead


def someone(number: int) -> Subject:
    return Subject(Scheme.USCC, f"{number:018}")


async def look_up(audit: AuditService, number: int) -> Trail:
    trail = await begin(audit, someone(number))
    await audit.add_subjects(trail, [someone(number + 1_000), someone(number + 2_000)])
    await audit.record_outcome(
        trail, LookedUp(Result.ANSWERED, (someone(number), someone(number + 1_000)), ())
    )
    return trail


async def test_many_look_ups_at_once_are_each_whole_and_in_order(database: Database) -> None:
    audit = service(database)
    trails = await asyncio.gather(*(look_up(audit, number) for number in range(100)))
    found = await contents(database)
    for trail in trails:
        own = [one for one in found if one["inquiry"] == str(trail.inquiry)]
        intent, subjects, outcome = own
        assert [one["kind"] for one in own] == ["intent", "subjects", "outcome"]
        assert intent["subjects"] + subjects["subjects"] == list(trail.commitments.values())
        assert outcome["subjects"] == list(trail.commitments.values())[:2]
    rows = await database.fetch(
        "SELECT inquiry, entry, place, pseudonym, salt FROM audit.subject ORDER BY inquiry, entry, place"
    )
    assert len(rows) == 300
    names = {Pseudonyms(MASTER_KEY).of(Scheme.USCC, someone(number).value) for number in range(3_000)}
    assert {row["pseudonym"] for row in rows} <= names
    assert len({row["salt"] for row in rows}) == 300


async def test_a_group_is_one_commit(database: Database) -> None:
    audit = service(database)
    await begin(audit, ANNA)
    await asyncio.gather(*(begin(audit, ANNA) for _ in range(50)))
    rows = await database.fetch(
        "SELECT xmin::text AS commit, count(*) FROM audit.entry GROUP BY 1 ORDER BY 2"
    )
    assert [row["count"] for row in rows] == [1, 50]


async def test_an_entry_that_cannot_be_written_spoils_no_other(database: Database) -> None:
    store = AuditStore(database)
    months = [FAR_AWAY if number == 3 else datetime.now(UTC) for number in range(8)]
    entries = [intent_entry(new_id(), at, PURPOSE, OPERATION, scope_content(FIELDS), ()) for at in months]
    outcomes = await asyncio.gather(
        *(store.add(Addition(entry), Code.LOG_UNAVAILABLE) for entry in entries), return_exceptions=True
    )
    (problem,) = [one for one in outcomes if one is not None]
    assert outcomes.index(problem) == 3
    assert isinstance(problem, HubError)
    assert problem.problem.code is Code.LOG_UNAVAILABLE
    assert len(await contents(database)) == 7


async def test_each_writer_fails_with_a_code_of_its_own(database_url: str, owner_database: Database) -> None:
    await owner_database.execute("REVOKE INSERT ON audit.entry FROM hub_serve")
    database = await Database.open(database_url)
    audit, trail = service(database), Trail(new_id())  # type: ignore[arg-type]  # any id will do
    outcomes = await asyncio.gather(
        begin(audit, ANNA),
        audit.add_subjects(trail, [ANNA]),
        audit.record_outcome(trail, LookedUp(Result.FAILED, (), ())),
        return_exceptions=True,
    )
    await database.close()
    codes = [one.problem.code for one in outcomes if isinstance(one, HubError)]
    assert codes == [Code.LOG_UNAVAILABLE, Code.LOG_UNAVAILABLE, Code.OUTCOME_UNRECORDED]
    assert trail.commitments == {}


async def test_a_caller_who_goes_away_before_the_intent_is_sent_leaves_no_trace(database: Database) -> None:
    audit = service(database)
    going = asyncio.create_task(begin(audit, ANNA))
    await asyncio.sleep(0)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going
    await audit.stop()
    assert await contents(database) == []


async def test_an_intent_on_its_way_when_its_caller_goes_is_abandoned(
    database: Database, owner_database: Database
) -> None:
    audit = service(database)
    async with owner_database.transaction() as session:
        await session.execute("LOCK TABLE audit.entry IN SHARE MODE")
        going = asyncio.create_task(begin(audit, ANNA))
        await until_waiting(owner_database)
        staying = asyncio.create_task(begin(audit, ANNA))
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
    kept = await staying
    await audit.stop()
    found = await contents(database)
    assert [one.get("result") for one in found if one["inquiry"] != str(kept.inquiry)] == [None, "abandoned"]
    assert [one["kind"] for one in found if one["inquiry"] == str(kept.inquiry)] == ["intent"]


async def until_waiting(database: Database) -> None:
    """Until somebody waits for a lock in this database."""
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    async with asyncio.timeout(10):
        while not await database.fetchval(waiting):  # noqa: ASYNC110  PostgreSQL tells nobody of it
            await asyncio.sleep(0.01)


async def test_a_killed_postgresql_under_many_writers_keeps_all_that_was_told(
    own_postgres: EmbeddedPostgres,
) -> None:
    await migrate(own_postgres.dsn("hub_owner"))
    database = await Database.open(own_postgres.dsn("hub_server"))
    audit = AuditService(AuditStore(database), Pseudonyms(MASTER_KEY), SystemClock())
    told: list[Trail] = []
    stop = asyncio.Event()
    writers = [asyncio.create_task(_write_on(audit, told, stop)) for _ in range(16)]
    while len(told) < 50:  # noqa: ASYNC110  what is awaited has no event
        await asyncio.sleep(0.01)
    os.kill(own_postgres.pid, signal.SIGKILL)
    await asyncio.sleep(0.2)
    stop.set()
    await asyncio.gather(*writers)
    await kinds_when_back(database)
    found = await contents(database)
    await database.close()
    _each_told_is_whole(told, found)


async def _write_on(audit: AuditService, told: list[Trail], stop: asyncio.Event) -> None:
    number = 0
    while not stop.is_set():
        number += 1
        with suppress(HubError):
            told.append(await look_up(audit, number))
            continue
        await asyncio.sleep(0.01)


def _each_told_is_whole(told: Sequence[Trail], found: Sequence[dict[str, object]]) -> None:
    kinds: dict[object, list[object]] = {}
    for one in found:
        kinds.setdefault(one["inquiry"], []).append(one["kind"])
        assert msgspec.json.encode(one)
    whole = ["intent", "subjects", "outcome"]
    assert all(kinds[str(trail.inquiry)] == whole for trail in told)
    assert all(own == whole[: len(own)] for own in kinds.values())

"""The log in a real PostgreSQL: what is kept, what is refused, and what is found again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec
import pytest
from msgspec.structs import replace

from hub.audit.model import (
    Actor,
    ActorKind,
    AgencyCode,
    CaseReference,
    ClientId,
    Known,
    LookedUp,
    ProcedureCode,
    Purpose,
    Result,
    Search,
    SourceUse,
)
from hub.audit.rules import commitments_to
from hub.audit.service import AuditService, LogReader, LogUpkeep, Trail
from hub.audit.store import AuditStore
from hub.kernel.clock import SystemClock
from hub.kernel.crypto.canonical import canonical
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.db import Database
from hub.kernel.errors import Code, HubError
from hub.subjects.model import Scheme, Subject

MASTER_KEY = bytes(range(32))
ANNA = Subject(Scheme.RESIDENT_ID, "11010519491231002X")
BORIS = Subject(Scheme.RESIDENT_ID, "360426199101010071")
FIRM = Subject(Scheme.USCC, "91110000600037341L")
OPERATION = bytes.fromhex("ab" * 32)
FIELDS = {"person": ["name", "address"], "business": ["status"]}
PURPOSE = Purpose(
    ClientId("window"),
    AgencyCode("11370300004221110X"),
    ProcedureCode("drug-retail"),
    CaseReference("淄审批〔2026〕12号"),
    Actor(ActorKind.OFFICER, "zhang.san"),
    (("client", Known.VERIFIED), ("agency", Known.ASSERTED)),
)
USE = SourceUse("person", "id_number", "police", 3, {"found": 1})


@dataclass
class Hands:
    """A clock whose hands a test turns."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def monotonic(self) -> float:
        return 0.0


def service(database: Database, clock: SystemClock | Hands | None = None) -> AuditService:
    return AuditService(AuditStore(database), Pseudonyms(MASTER_KEY), clock or SystemClock())


async def begin(audit: AuditService, *roots: Subject, client: str = "window") -> Trail:
    return await audit.record_intent(replace(PURPOSE, client=ClientId(client)), OPERATION, FIELDS, roots)


async def contents(database: Database) -> list[dict[str, object]]:
    rows = await database.fetch("SELECT canonical FROM audit.entry ORDER BY at, id")
    return [msgspec.json.decode(row["canonical"]) for row in rows]


async def test_a_look_up_is_three_entries_of_canonical_bytes(database: Database) -> None:
    audit = service(database)
    trail = await begin(audit, ANNA)
    await audit.add_subjects(trail, [FIRM])
    await audit.record_outcome(
        trail, LookedUp(Result.ANSWERED, (ANNA, FIRM), (USE,), receipt=b"\x01" * 32, response=b"\x02" * 32)
    )
    rows = await database.fetch("SELECT * FROM audit.entry ORDER BY at, id")
    intent, subjects, outcome = (msgspec.json.decode(row["canonical"]) for row in rows)

    assert all(canonical(msgspec.json.decode(row["canonical"])) == row["canonical"] for row in rows)
    assert [row["client"] for row in rows] == ["window", None, None]
    for row, content in zip(rows, (intent, subjects, outcome), strict=True):
        assert content["v"] == 1
        assert (content["id"], content["inquiry"]) == (str(row["id"]), str(trail.inquiry))
        assert datetime.fromisoformat(content["at"]) == row["at"]
        assert content["kind"] == row["kind"]
    assert intent["id"] == intent["inquiry"]
    assert intent["operation"] == OPERATION.hex()
    assert intent["fields"] == {"business": ["status"], "person": ["address", "name"]}
    assert intent["purpose"]["case"] == "淄审批〔2026〕12号"
    assert intent["purpose"]["actor"] == {"kind": "officer", "account": "zhang.san"}
    assert intent["purpose"]["known"] == {"client": "verified", "agency": "asserted"}
    assert outcome["subjects"] == intent["subjects"] + subjects["subjects"]
    assert outcome["sources"] == [
        {
            "record": "person",
            "key": "id_number",
            "connector": "police",
            "version": 3,
            "outcomes": {"found": 1},
        }
    ]
    assert (outcome["result"], outcome["receipt"], outcome["response"]) == ("answered", "01" * 32, "02" * 32)


async def test_ids_are_unique_and_of_version_7(database: Database) -> None:
    audit = service(database)
    for _ in range(3):
        trail = await begin(audit, ANNA)
        await audit.record_outcome(trail, LookedUp(Result.FAILED, (), ()))
    ids = [row["id"] for row in await database.fetch("SELECT id FROM audit.entry")]
    assert len(set(ids)) == 6
    assert {UUID(str(found)).version for found in ids} == {7}


async def test_a_commitment_opens_with_the_erasable_salt_and_pseudonym(database: Database) -> None:
    audit = service(database)
    trail = await begin(audit, ANNA, FIRM)
    [entry] = await contents(database)
    marks = await database.fetch("SELECT * FROM audit.subject ORDER BY place")
    assert [mark["place"] for mark in marks] == [1, 2]
    assert [mark["key_version"] for mark in marks] == [1, 1]
    assert {mark["inquiry"] for mark in marks} == {mark["entry"] for mark in marks} == {trail.inquiry}
    assert (
        commitments_to([mark["pseudonym"] for mark in marks], [mark["salt"] for mark in marks])
        == entry["subjects"]
    )
    assert marks[0]["pseudonym"] == Pseudonyms(MASTER_KEY).of("111", ANNA.value)


async def test_the_same_subject_has_another_commitment_each_time(database: Database) -> None:
    audit = service(database)
    await begin(audit, ANNA)
    await begin(audit, ANNA)
    first, second = await contents(database)
    assert first["subjects"] != second["subjects"]


async def test_subjects_already_in_the_trail_are_not_written_again(database: Database) -> None:
    audit = service(database)
    trail = await begin(audit, ANNA, ANNA)
    await audit.add_subjects(trail, [ANNA])
    await audit.add_subjects(trail, [])
    assert len(await contents(database)) == 1
    await audit.add_subjects(trail, [ANNA, FIRM, FIRM])
    _, added = await contents(database)
    assert len(added["subjects"]) == 1
    assert await database.fetchval("SELECT count(*) FROM audit.subject") == 2


async def test_nothing_in_the_log_holds_a_value(database: Database, owner_database: Database) -> None:
    audit = service(database)
    trail = await begin(audit, ANNA, BORIS)
    await audit.add_subjects(trail, [FIRM])
    await audit.record_outcome(trail, LookedUp(Result.ANSWERED, (ANNA, FIRM), (USE,)))
    rows = await owner_database.fetch(
        "SELECT row_to_json(entry)::text || convert_from(canonical, 'UTF8') AS row FROM audit.entry "
        "UNION ALL SELECT row_to_json(subject)::text FROM audit.subject"
    )
    everything = "\n".join(row["row"] for row in rows)
    assert "window" in everything
    for value in (ANNA.value, BORIS.value, FIRM.value, ANNA.value[6:14], "query", "person("):
        for form in (value, value.encode().hex()):
            assert form not in everything


async def test_an_outcome_of_somebody_who_is_not_in_the_trail_is_refused(database: Database) -> None:
    audit = service(database)
    trail = await begin(audit, ANNA)
    with pytest.raises(HubError) as raised:
        await audit.record_outcome(trail, LookedUp(Result.ANSWERED, (ANNA, BORIS), ()))
    assert raised.value.problem.code is Code.OUTCOME_UNRECORDED
    assert len(await contents(database)) == 1


@pytest.mark.parametrize("table", ["entry", "subject"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE audit.{} SET at = at", "DELETE FROM audit.{}", "TRUNCATE audit.{}", "DROP TABLE audit.{}"],
)
async def test_the_serving_role_can_only_add_and_read(database: Database, table: str, statement: str) -> None:
    await begin(service(database), ANNA)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.execute(statement.format(table))
    month = f"{table}_{datetime.now(UTC):%Y_%m}"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.execute(statement.format(month))


async def test_the_serving_role_owns_nothing_and_makes_nothing(database: Database) -> None:
    owned = await database.fetchval(
        "SELECT count(*) FROM pg_class WHERE relnamespace = 'audit'::regnamespace "
        "AND pg_has_role(current_user, relowner, 'MEMBER')"
    )
    assert owned == 0
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.fetchval("SELECT audit.make_partitions('2031-01-01', 1)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.execute("CREATE TABLE audit.own (id int)")


@pytest.mark.parametrize("statement", ["UPDATE {} SET client = 'x'", "DELETE FROM {}", "TRUNCATE {}"])
async def test_even_the_owner_does_not_change_an_entry(
    database: Database, owner_database: Database, statement: str
) -> None:
    await begin(service(database), ANNA)
    for table in ("audit.entry", f"audit.entry_{datetime.now(UTC):%Y_%m}"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="never changed"):
            await owner_database.execute(statement.format(table))


async def test_the_owner_erases_what_finds_a_subject_and_the_entry_stays(
    database: Database, owner_database: Database
) -> None:
    await begin(service(database), ANNA)
    [before] = await contents(database)
    name = Pseudonyms(MASTER_KEY).of("111", ANNA.value)
    assert await owner_database.execute("DELETE FROM audit.subject WHERE pseudonym = $1", name) == "DELETE 1"
    assert await contents(database) == [before]


@pytest.mark.parametrize(
    ("last", "first"), [("2027-02-28T23:59:59.999999+00:00", "2027-03-01T00:00:00+00:00")]
)
async def test_months_are_cut_in_utc(
    database: Database, owner_database: Database, last: str, first: str
) -> None:
    await AuditStore(owner_database).make_partitions(date(2027, 2, 28), 2)
    for at in (last, first):
        await begin(service(database, Hands(datetime.fromisoformat(at))), ANNA)
    rows = await database.fetch("SELECT tableoid::regclass::text AS part FROM audit.entry ORDER BY at")
    assert [row["part"] for row in rows] == ["audit.entry_2027_02", "audit.entry_2027_03"]


async def test_a_month_without_a_partition_is_a_log_that_is_unavailable(
    database: Database, owner_database: Database
) -> None:
    late = Hands(datetime(2099, 7, 31, tzinfo=UTC))
    with pytest.raises(HubError) as raised:
        await begin(service(database, late), ANNA)
    assert raised.value.problem.code is Code.LOG_UNAVAILABLE
    assert raised.value.__cause__ is None
    assert ANNA.value not in str(raised.value)

    with pytest.raises(HubError):
        await service(database, late).check()

    upkeep = LogUpkeep(AuditStore(owner_database), late)
    assert await upkeep.make_months(ahead=1) == 4
    assert await upkeep.make_months(ahead=1) == 0
    assert await AuditStore(database).last_month() == date(2099, 8, 1)
    await service(database, late).check()
    await begin(service(database, late), ANNA)


async def test_a_migrated_database_has_months_ahead(database: Database) -> None:
    last = await AuditStore(database).last_month()
    assert last is not None
    assert last > (datetime.now(UTC) + timedelta(days=150)).date()


async def test_partitions_are_made_while_an_entry_is_being_written(
    database: Database, owner_database: Database
) -> None:
    async with database.transaction() as session:
        await session.execute(
            "INSERT INTO audit.entry (at, id, inquiry, kind, canonical) "
            "VALUES (now(), gen_random_uuid(), gen_random_uuid(), 'subjects', '')"
        )
        async with asyncio.timeout(5):
            assert await AuditStore(owner_database).make_partitions(date(2050, 1, 1), 1) == 2


async def test_an_outcome_that_cannot_be_written_is_outcome_unrecorded(
    database: Database, owner_database: Database
) -> None:
    audit = service(database)
    trail = await begin(audit, ANNA)
    await audit.check()
    await owner_database.execute("REVOKE INSERT ON audit.entry FROM hub_serve")
    with pytest.raises(HubError):
        await audit.check()
    with pytest.raises(HubError) as raised:
        await audit.record_outcome(trail, LookedUp(Result.ANSWERED, (ANNA,), ()))
    assert raised.value.problem.code is Code.OUTCOME_UNRECORDED
    with pytest.raises(HubError) as raised:
        await audit.add_subjects(trail, [FIRM])
    assert raised.value.problem.code is Code.LOG_UNAVAILABLE
    with pytest.raises(HubError) as raised:
        await audit.record_outcome(trail, LookedUp(Result.ANSWERED, (FIRM,), ()))
    assert raised.value.problem.detail == {"state": "a subject is not in the trail"}


async def test_a_full_disk_is_a_log_that_is_unavailable(database: Database, owner_database: Database) -> None:
    await owner_database.execute(
        "CREATE FUNCTION audit.fill() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$"
    )
    await owner_database.execute(
        "CREATE TRIGGER fill BEFORE INSERT ON audit.entry FOR EACH ROW EXECUTE FUNCTION audit.fill()"
    )
    with pytest.raises(HubError) as raised:
        await begin(service(database), ANNA)
    assert raised.value.problem.code is Code.LOG_UNAVAILABLE
    assert raised.value.problem.detail == {"state": "53100"}
    await owner_database.execute("DROP TRIGGER fill ON audit.entry")
    await begin(service(database), ANNA)
    assert len(await contents(database)) == 1


async def test_an_entry_and_its_subjects_are_written_together_or_not_at_all(
    database: Database, owner_database: Database
) -> None:
    await owner_database.execute("REVOKE INSERT ON audit.subject FROM hub_serve")
    with pytest.raises(HubError):
        await begin(service(database), ANNA)
    assert await contents(database) == []


async def test_look_ups_are_listed_newest_first_by_client_subject_and_time(database: Database) -> None:
    hands = Hands(datetime.now(UTC) - timedelta(hours=1))
    audit = service(database, hands)
    trails = []
    for client, subject in (("window", ANNA), ("kiosk", BORIS), ("window", FIRM), ("kiosk", ANNA)):
        trails.append(await begin(audit, subject, client=client))
        hands.time += timedelta(minutes=1)
    await audit.add_subjects(trails[1], [ANNA])
    await audit.record_outcome(trails[0], LookedUp(Result.ANSWERED, (ANNA,), (USE,)))
    await audit.record_outcome(trails[2], LookedUp(Result.ABANDONED, (), ()))
    first, second, third, fourth = (trail.inquiry for trail in trails)
    reader = LogReader(AuditStore(database), [Pseudonyms(MASTER_KEY, 2), Pseudonyms(MASTER_KEY)])

    everything = await reader.look_ups(10)
    assert [found.inquiry for found in everything] == [fourth, third, second, first]
    assert [found.result for found in everything] == [None, Result.ABANDONED, None, Result.ANSWERED]
    assert [found.subjects for found in everything] == [1, 1, 2, 1]
    assert everything[3].sources[0]["connector"] == "police"
    assert everything[3].fields == {"person": ("address", "name"), "business": ("status",)}

    async def listed(limit: int = 10, **conditions: object) -> list[object]:
        return [found.inquiry for found in await reader.look_ups(limit, **conditions)]  # type: ignore[arg-type]

    assert await listed(2) == [fourth, third]
    assert await listed(client=ClientId("kiosk")) == [fourth, second]
    assert await listed(subject=ANNA) == [fourth, second, first]
    assert await listed(subject=ANNA, client=ClientId("window")) == [first]
    assert await listed(since=everything[1].at) == [fourth, third]
    assert await listed(subject=ANNA, since=everything[1].at) == [fourth]
    assert await listed(client=ClientId("nobody")) == []


async def test_one_look_up_is_found_by_its_id(database: Database) -> None:
    trail = await begin(service(database), ANNA)
    reader = LogReader(AuditStore(database), [])
    found = await reader.look_up(trail.inquiry)
    assert found is not None
    assert found.result is None
    assert await AuditStore(database).find(Search(1, inquiry=type(trail.inquiry)(int=1))) == []

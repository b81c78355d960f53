"""A connector's way into service and out of it: whose steps they are, in which order, and all in the log."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from connectors.contract import Ask, Fault
from hub.audit.store import AuditStore
from hub.catalogue.model import Officer, State, Step, Version
from hub.catalogue.rules import EMERGENCIES, IN_SERVICE, JUDGEMENTS, STEPS, after
from hub.catalogue.service import ConnectorRegister
from hub.kernel.db import Database
from hub.kernel.errors import Code, HubError, Problem
from tests.graphql.town import ANNA, MARKET, POLICE
from tests.store.test_catalogue import BUREAU, ID, Opener, _register, _service, _settled, _until

LI = Officer("li", POLICE.code)
OTHERS = Officer("zhao", MARKET.code)


def version(state: State, proposed_by: str = "li") -> Version:
    return Version(ID, 1, POLICE.code, state, b"", proposed_by)


@pytest.mark.parametrize("step", Step)
@pytest.mark.parametrize("state", State)
def test_every_step_is_in_the_table_or_refused(state: State, step: Step) -> None:
    officer = BUREAU if step in JUDGEMENTS else LI
    led = after(step, officer, version(state))
    if (state, step) in STEPS:
        assert led is STEPS[state, step]
    else:
        assert isinstance(led, Problem)
        assert (led.code, led.detail) == (
            Code.STEP_NOT_POSSIBLE,
            {"part": step.value, "state": state.value},
        )


def test_nothing_comes_into_service_but_by_approval() -> None:
    reached, frontier = set(), [State.PROPOSED]
    while frontier:
        state = frontier.pop()
        reached.add(state)
        frontier += [
            led
            for (start, step), led in STEPS.items()
            if start is state and step is not Step.APPROVE
            if led not in reached
        ]
    assert reached.isdisjoint(IN_SERVICE)
    assert {start for start, step in STEPS if step is Step.ACTIVATE} == {State.APPROVED}


@pytest.mark.parametrize("step", Step)
def test_whose_step_it_is(step: Step) -> None:
    states = [start for start, one in STEPS if one is step and start is not None]
    for state in states:
        led = {
            officer.account: not isinstance(after(step, officer, version(state)), Problem)
            for officer in (LI, OTHERS, BUREAU)
        }
        bureaus = step in JUDGEMENTS | EMERGENCIES
        assert led == {"li": step not in JUDGEMENTS, "zhao": False, "wang": bureaus}


def test_who_proposes_never_approves() -> None:
    both = Officer("li", POLICE.code, approves=True)
    refused = after(Step.APPROVE, both, version(State.PROPOSED))
    assert isinstance(refused, Problem)
    assert refused.code is Code.FOUR_EYES
    assert after(Step.REJECT, both, version(State.PROPOSED)) is State.RETIRED


async def brought(owner: Database, *texts: str, opener: Opener | None = None) -> ConnectorRegister:
    await (await _settled(owner)).put_agency(MARKET)
    register = _register(owner, opener)
    for text in texts:
        await register.register(LI, BUREAU, ID, text, {})
    return register


async def states(register: ConnectorRegister) -> list[str]:
    return [one.state.value for one in await register.store.versions(ID)]


async def steps(owner: Database) -> list[dict[str, object]]:
    return [json.loads(one) for one in reversed(await AuditStore(owner).steps(100))]


async def test_a_proposal_serves_nobody_until_it_is_approved_and_activated(
    database: Database, owner_database: Database
) -> None:
    register = await brought(owner_database, "v1")
    serving = _service(database, Opener())
    await serving.start()
    number = await register.propose(LI, ID, "v2", {"key": "new"}, b"r" * 32)
    await register.take(Step.APPROVE, BUREAU, ID, number)
    await _until(lambda: serving.active.snapshot.version > 0)
    await asyncio.sleep(0.1)
    assert serving.active.versions == {ID: 1}
    assert await states(register) == ["active", "approved"]
    await register.take(Step.ACTIVATE, LI, ID, number)
    await _until(lambda: serving.active.versions == {ID: 2})
    assert await states(register) == ["superseded", "active"]
    await serving.stop()


async def test_rollback_to_an_earlier_version_is_one_step(
    database: Database, owner_database: Database
) -> None:
    register = await brought(owner_database, "v1", "v2", "v3")
    opener = Opener()
    serving = _service(database, opener)
    await serving.start()
    assert await register.take(Step.ROLL_BACK, LI, ID, 1) is State.ACTIVE
    await _until(lambda: serving.active.versions == {ID: 1})
    assert opener.opened[-1][0] == "v1"
    assert await states(register) == ["active", "superseded", "superseded"]
    await serving.stop()


async def test_every_step_is_in_the_log_with_who_and_what(owner_database: Database) -> None:
    register = await brought(owner_database, "v1")
    await register.propose(LI, ID, "v2", {"key": "plain-secret"}, b"r" * 32)
    await register.take(Step.APPROVE, BUREAU, ID, 2)
    await register.take(Step.ACTIVATE, LI, ID, 2)
    told = await steps(owner_database)
    assert [(one["step"], one["version"], one["from"], one["to"]) for one in told] == [
        ("propose", 1, None, "proposed"),
        ("approve", 1, "proposed", "approved"),
        ("activate", 1, "approved", "active"),
        ("propose", 2, None, "proposed"),
        ("approve", 2, "proposed", "approved"),
        ("supersede", 1, "active", "superseded"),
        ("activate", 2, "approved", "active"),
    ]
    assert told[4]["officer"] == {"account": "wang", "agency": BUREAU.agency}
    assert told[3]["report"] == (b"r" * 32).hex()
    assert len({one["manifest"] for one in told[:3]}) == 1
    assert told[0]["manifest"] != told[3]["manifest"]
    assert "plain-secret" not in str(told)


async def test_a_step_that_is_refused_leaves_nothing(owner_database: Database) -> None:
    register = await brought(owner_database, "v1")
    await register.propose(LI, ID, "v2", {})
    before = await steps(owner_database), await states(register)
    tries: Sequence[tuple[Step, Officer, int, Code]] = [
        (Step.APPROVE, LI, 2, Code.CONNECTOR_OF_ANOTHER),
        (Step.ACTIVATE, LI, 2, Code.STEP_NOT_POSSIBLE),
        (Step.PAUSE, OTHERS, 1, Code.CONNECTOR_OF_ANOTHER),
        (Step.ROLL_BACK, LI, 1, Code.STEP_NOT_POSSIBLE),
        (Step.RETIRE, LI, 7, Code.CONNECTOR_UNKNOWN),
    ]
    for step, officer, number, code in tries:
        with pytest.raises(HubError) as refused:
            await register.take(step, officer, ID, number)
        assert refused.value.problem.code is code
    with pytest.raises(HubError) as refused:
        await register.propose(OTHERS, ID, "theirs", {})
    assert refused.value.problem.code is Code.CONNECTOR_OF_ANOTHER
    assert (await steps(owner_database), await states(register)) == before


async def test_the_log_and_the_step_are_one(owner_database: Database) -> None:
    register = await brought(owner_database, "v1")
    await owner_database.execute(
        "CREATE FUNCTION public.no() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'check_violation'; END $$"
    )
    await owner_database.execute(
        "CREATE TRIGGER no BEFORE INSERT ON audit.step FOR EACH ROW EXECUTE FUNCTION public.no()"
    )
    with pytest.raises(asyncpg.CheckViolationError):
        await register.take(Step.PAUSE, LI, ID, 1)
    assert await states(register) == ["active"]


async def test_a_step_in_the_log_is_final_and_the_serving_role_only_reads(
    database: Database, owner_database: Database
) -> None:
    await brought(owner_database, "v1")
    for statement in ("UPDATE audit.step SET subject = 'x'", "DELETE FROM audit.step", "TRUNCATE audit.step"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner_database.execute(statement)
    assert len(await AuditStore(database).steps(10, ID)) == 3
    for statement in (
        "INSERT INTO audit.step VALUES (gen_random_uuid(), now(), 'x', '')",
        "UPDATE catalogue.connector SET state = 'active'",
        "INSERT INTO catalogue.officer VALUES ('me', 'x', true)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.execute(statement)


async def test_two_versions_at_once_never_serve(owner_database: Database) -> None:
    register = await brought(owner_database, "v1")
    for text in ("v2", "v3"):
        number = await register.propose(LI, ID, text, {})
        await register.take(Step.APPROVE, BUREAU, ID, number)
    await asyncio.gather(*(register.take(Step.ACTIVATE, LI, ID, number) for number in (2, 3)))
    found = await states(register)
    assert sorted(found) == ["active", "superseded", "superseded"]


async def test_what_an_older_release_registered_is_active_and_can_be_gone_back_to(
    owner_database: Database,
) -> None:
    register = await brought(owner_database)
    sealed = register.seal.seal(b"{}", ID.encode())
    old = "INSERT INTO catalogue.connector (id, version, agency, manifest, sealed_credentials, active)"
    for number, text, active in ((1, "old", False), (2, "newer", True)):
        await owner_database.execute(
            f"{old} VALUES ($1, $2, $3, $4, $5, $6)", ID, number, POLICE.code, text, sealed, active
        )
    assert await states(register) == ["superseded", "active"]
    await register.take(Step.ROLL_BACK, LI, ID, 1)
    await owner_database.execute("UPDATE catalogue.connector SET active = FALSE WHERE active")  # an older one
    await owner_database.execute(f"{old} VALUES ($1, 3, $2, 'again', $3, TRUE)", ID, POLICE.code, sealed)
    assert await states(register) == ["superseded", "superseded", "active"]


async def test_maintenance_is_told_until_when_and_ends_by_itself(
    database: Database, owner_database: Database
) -> None:
    opener = Opener()
    register = await brought(owner_database, "v1")
    serving = _service(database, opener)
    await serving.start()
    live = serving.active.connectors[ID]
    ends = datetime.now(UTC) + timedelta(seconds=2)
    await register.take(Step.PAUSE, LI, ID, 1, ends)
    await _until(lambda: serving.active.connectors[ID] is not live)
    resting = serving.active.connectors[ID]
    offering = resting.describe()[0]
    ask = Ask(offering.name, (ANNA,), offering.columns, (), time.monotonic() + 3, "c")
    fault = (await resting.fetch(ask)).faults[ANNA]
    assert (fault.outcome, fault.kind, fault.correlation) == ("unavailable", "maintenance", "c")
    assert 0 < (fault.retry_after or 0) <= 2
    assert isinstance(await resting.health(time.monotonic() + 1), Fault)
    assert len(opener.opened) == 1, "the connector itself stays open"
    await asyncio.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()) + 0.05)
    assert (await resting.fetch(ask)).faults == {}
    assert await states(register) == ["active"]
    await serving.stop()


async def test_a_pause_without_an_end_lasts_until_it_is_ended(
    database: Database, owner_database: Database
) -> None:
    register = await brought(owner_database, "v1")
    serving = _service(database, Opener())
    await serving.start()
    live = serving.active.connectors[ID]
    await register.take(Step.PAUSE, BUREAU, ID, 1)
    await _until(lambda: serving.active.connectors[ID] is not live)
    assert await states(register) == ["paused"]
    await register.take(Step.RESUME, LI, ID, 1)
    await _until(lambda: serving.active.connectors[ID] is live)
    await serving.stop()

"""What the log keeps when a process or PostgreSQL itself is killed at the worst moment."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

import msgspec

from hub.audit.model import (
    Actor,
    ActorKind,
    AgencyCode,
    CaseReference,
    ClientId,
    LookedUp,
    ProcedureCode,
    Purpose,
    Result,
)
from hub.audit.service import AuditService, LogReader, Trail
from hub.audit.store import AuditStore
from hub.kernel.clock import SystemClock
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.db import Database
from hub.kernel.db.embedded import EmbeddedPostgres
from hub.kernel.db.migrate import migrate
from hub.kernel.errors import Code, HubError
from hub.subjects.model import Scheme, Subject

MASTER_KEY = bytes(32)
ANNA = Subject(Scheme.RESIDENT_ID, "11010519491231002X")
PURPOSE = Purpose(
    ClientId("window"),
    AgencyCode("11370300004221110X"),
    ProcedureCode("drug-retail"),
    CaseReference("12"),
    Actor(ActorKind.OFFICER, "zhang.san"),
    (),
)
ATTEMPTS = 600
PAUSE_SECONDS = 0.05

ASKING = """
import asyncio, runpy, sys

async def main():
    this = runpy.run_path(sys.argv[1])
    await this["begin"](await this["Database"].open(sys.argv[2]))
    print("asked", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


async def begin(database: Database) -> tuple[AuditService, Trail]:
    audit = AuditService(AuditStore(database), Pseudonyms(MASTER_KEY), SystemClock())
    return audit, await audit.record_intent(PURPOSE, bytes(32), {"person": ["name"]}, [ANNA])


async def test_a_process_killed_between_intent_and_outcome_leaves_the_intent(
    database: Database, database_url: str
) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", ASKING, __file__, database_url,
        stdout=asyncio.subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."},
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"asked\n"
    process.send_signal(signal.SIGKILL)
    await process.wait()

    [found] = await LogReader(AuditStore(database), [Pseudonyms(MASTER_KEY)]).look_ups(10, subject=ANNA)
    assert (found.result, found.ended_at, found.subjects) == (None, None, 1)


async def test_a_killed_postgresql_keeps_what_was_recorded_and_serves_again(
    own_postgres: EmbeddedPostgres,
) -> None:
    await migrate(own_postgres.dsn("hub_owner"))
    database = await Database.open(own_postgres.dsn("hub_server"))
    audit, trail = await begin(database)
    os.kill(own_postgres.pid, signal.SIGKILL)
    codes = await until_recorded(audit, trail)
    kinds = await kinds_when_back(database)
    await database.close()
    assert codes <= {Code.OUTCOME_UNRECORDED}
    assert kinds[0] == "intent"
    assert set(kinds[1:]) == {"outcome"}


async def until_recorded(audit: AuditService, trail: Trail) -> set[Code]:
    """Records an outcome as soon as that is possible; the errors until then."""
    codes: set[Code] = set()
    for _ in range(ATTEMPTS):
        try:
            await audit.record_outcome(trail, LookedUp(Result.ANSWERED, (ANNA,), ()))
        except HubError as error:
            codes.add(error.problem.code)
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return codes
    raise AssertionError("the log never came back")


async def kinds_when_back(database: Database) -> list[str]:
    """The kinds of all entries; a server process may outlive the killed one for a moment, then go too."""
    for _ in range(ATTEMPTS):
        try:
            rows = await database.fetch("SELECT canonical FROM audit.entry ORDER BY at, id")
        except HubError:
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            return [msgspec.json.decode(row["canonical"])["kind"] for row in rows]
    raise AssertionError("the database never came back")

"""One run of the benchmark: a database, the city, the contenders, equal answers, then rounds."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path

import uvloop

from hub.kernel.db.embedded import EmbeddedPostgres
from hub.kernel.db.migrate import migrate
from hub.kernel.settings import read_settings
from tests.bench.city import City, draw
from tests.bench.contenders import Contender, all_running, hub_environment, introduced
from tests.bench.equality import require_equal
from tests.bench.measuring import Plan, Readings, measure
from tests.bench.question import bodies
from tests.bench.registration import purpose, register
from tests.bench.report import Report
from tests.bench.servers import Cores, Server, pinned
from tests.bench.sources import Sources, fill, free_host, postgres

Tell = Callable[[str], None]


def run(plan: Plan, tell: Tell, settings: Mapping[str, str] | None = None) -> Report:
    """Raises AnswersDifferError before anything is timed. ``settings``: further ones of PostgreSQL."""
    cores, busy, city, host = Cores.of_machine(), os.getloadavg(), draw(plan.people), free_host()
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        folder = Path(name)
        tell("PostgreSQL")
        with pinned(cores.load):
            database = stack.enter_context(postgres(folder / "postgres", host, settings))
        environment, sources, secret = _prepared(database, host, city, folder)
        tell("contenders")
        servers = stack.enter_context(all_running(environment, sources, cores.server, folder))
        with pinned(cores.load):
            readings, sizes = uvloop.run(_compare(plan, servers, secret, city, tell))
        peaks = {name: server.peaks_kib() for name, server in servers.items()}
    return Report(plan, cores, busy, readings, sizes, peaks)


def _prepared(
    database: EmbeddedPostgres, host: str, city: City, folder: Path
) -> tuple[dict[str, str], Sources, str]:
    """The environment of a hub that knows the sources, the sources, and the secret of the hub's client."""

    async def prepare() -> tuple[dict[str, str], Sources, str]:
        sources = await fill(database, host, city)
        await migrate(database.dsn("hub_owner"))
        environment = hub_environment(database, sources, folder / "data")
        return environment, sources, await register(read_settings(environment), sources)

    return asyncio.run(prepare())


async def _compare(
    plan: Plan, servers: Mapping[str, Server], secret: str, city: City, tell: Tell
) -> tuple[Readings, dict[int, int]]:
    contenders: list[Contender] = await introduced(servers, secret)
    asked = {size: bodies(city.people, size, purpose()) for size in plan.sizes}
    tell("equal answers?")
    sizes = {size: await require_equal(contenders, asked[size]) for size in plan.sizes}
    return await measure(contenders, asked, plan, tell), sizes

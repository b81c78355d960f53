"""Where everything runs: database, sources, registered places, and the contenders that a row asks for."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import uvloop

from hub.kernel.db.embedded import EmbeddedPostgres
from tests.bench import http_sources, manifests, places
from tests.bench.city import City, draw
from tests.bench.contenders import JSON, KINDS, Contender, introduced
from tests.bench.load import ask_each
from tests.bench.manifests import Supply
from tests.bench.places import Place
from tests.bench.plan import Plan
from tests.bench.question import post
from tests.bench.servers import Cores, Server, free_port, pinned, running
from tests.bench.serving import PORT, SOURCES
from tests.bench.sources import dsn, fill, free_host, postgres

PYTHON = (sys.executable, "-m")
Tell = Callable[[str], None]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Stage:
    """One run's surroundings. Contenders are on one core; load, sources and database on the other."""

    plan: Plan
    tell: Tell
    cores: Cores
    city: City
    folder: Path
    database: EmbeddedPostgres
    agencies: Server
    supplies: Mapping[str, Supply]
    made: dict[str, Place] = field(default_factory=dict)
    peaks_kib: dict[str, list[int]] = field(default_factory=dict)

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Runs the load's side of a row."""
        with pinned(self.cores.load):
            return uvloop.run(work)

    def place(self, name: str) -> Place:
        """The place of this name, made when it is first asked for."""
        if name not in self.made:
            self.tell(f"registering {name}")
            made = places.make(name, self.database, self.folder, self.supplies[name])
            self.made[name] = asyncio.run(made)
        return self.made[name]

    @contextmanager
    def serving(
        self, names: Sequence[str], settings: Mapping[str, str] | None = None
    ) -> Iterator[list[Contender]]:
        """The contenders, started, while the block runs; ``settings``: further ones, of hubs.

        They are all on the same core; only the one that is asked works.
        """
        for name in names:
            if (place := KINDS[name].place) is not None:
                self.place(place)
        self.tell("starting " + ", ".join(names))
        with ExitStack() as stack:
            servers = {name: stack.enter_context(self._started(name, settings or {})) for name in names}
            for server in servers.values():
                server.await_answer()
                server.pin(self.cores.server)
            yield self.run(self._introduced(servers))
            for name, server in servers.items():
                self.peaks_kib[name] = server.peaks_kib()

    def calls(self) -> dict[str, int]:
        """How often the agencies were asked over HTTP since this was last asked, by path."""
        (body,) = self.run(self._told(http_sources.COUNTS, b""))
        counted: dict[str, int] = msgspec.json.decode(body)
        return counted

    def slow_down(self, offerings: Sequence[str], seconds: float) -> None:
        """From now on these services let their callers wait so long; 0: none does."""
        told = msgspec.json.encode({"offerings": offerings, "seconds": seconds})
        self.run(self._told(http_sources.SLOW, told))

    async def _told(self, path: str, body: bytes) -> list[bytes]:
        return await ask_each(self.agencies.port, [post(path, body, JSON)])

    async def _introduced(self, servers: Mapping[str, Server]) -> list[Contender]:
        return [await introduced(name, server, self._secret(name)) for name, server in servers.items()]

    def _secret(self, name: str) -> str | None:
        kind = KINDS[name]
        return self.made[kind.place].secret if kind.place and kind.has_token else None

    @contextmanager
    def _started(self, name: str, settings: Mapping[str, str]) -> Iterator[Server]:
        kind, port = KINDS[name], free_port()
        if kind.place:
            environment = {**self.made[kind.place].environment, **settings, "HUB_PORT": str(port)}
        else:
            url = self.supplies[places.HTTP].url
            sources = url if kind.is_hand_over_http else dsn(self.supplies[places.PLAIN])
            environment = {PORT: str(port), SOURCES: sources}
        log = self.folder / f"{name.replace(' ', '-')}.log"
        with running((*PYTHON, *kind.module), environment, port, log) as server:
            yield server


@contextmanager
def set_up(
    plan: Plan, tell: Tell, folder: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Stage]:
    """PostgreSQL with the city, and the agencies over HTTP. ``settings``: further ones of PostgreSQL."""
    cores, city, host, port = Cores.of_machine(), draw(plan.people), free_host(), free_port()
    tell("PostgreSQL and sources")
    environment = {PORT: str(port), http_sources.PEOPLE: str(plan.people)}
    with ExitStack() as stack:
        with pinned(cores.load):
            database = stack.enter_context(postgres(folder / "postgres", host, places.ALL, settings))
            agencies = stack.enter_context(
                running((*PYTHON, "tests.bench.http_sources"), environment, port, folder / "agencies.log")
            )
        supplies = places.supplies(
            asyncio.run(fill(database, host, city)), Supply(manifests.HTTP, "127.0.0.1", port)
        )
        agencies.await_answer()
        yield Stage(plan, tell, cores, city, folder, database, agencies, supplies)

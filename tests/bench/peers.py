"""The row of peers: other gateways and servers, installed and started if they can be, over the same city."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench import http_sources, places, statements
from tests.bench.contenders import FLOOR, FLOOR_HTTP, HUB, HUB_HTTP, JSON, Contender
from tests.bench.equality import require_equal
from tests.bench.finding import Finding, Outcome
from tests.bench.floor import STATUSES
from tests.bench.measuring import Readings, measure
from tests.bench.question import bodies
from tests.bench.registration import purpose
from tests.bench.servers import ROOT, free_port, pinned, running
from tests.bench.serving import PORT, SOURCES
from tests.bench.sources import dsn
from tests.bench.stage import Stage
from tests.bench.subgraphs import LINK, SCHEMAS

FILES = Path(__file__).parent / "peers"
INSTALLED = ROOT / "data" / "bench-peers"
INSTALL_SECONDS = 600
SUPERGRAPH, SUBGRAPHS = "BENCH_SUPERGRAPH", "BENCH_SUBGRAPHS"
LAST_WORDS = 300  # characters
WARMER = 5  # times the usual warm-up: their compiler learns while they run
STATEMENTS = {
    "people": statements.PEOPLE,
    "certificates": statements.CERTIFICATES,
    "businesses": statements.BUSINESSES,
    "licences": statements.LICENCES,
    "legal_representatives": statements.LEGAL_REPRESENTATIVES,
}


class MissingError(Exception):
    """A peer that cannot take part, and why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """``over``: the hub that has the same kind of sources; ``packages``: what must have been installed."""

    script: str
    over: str
    packages: tuple[str, ...]


PEERS = {
    "Hive Gateway": Peer(
        "hive.mjs",
        HUB_HTTP,
        ("@graphql-hive/gateway-runtime", "@graphql-hive/router-runtime", "@apollo/composition"),
    ),
    "Apollo Gateway": Peer(
        "apollo.mjs", HUB_HTTP, ("@apollo/gateway", "@apollo/server", "@apollo/composition")
    ),
    "mercurius": Peer("mercurius.mjs", HUB, ("mercurius", "graphql-jit", "fastify", "pg")),
}


def compare(stage: Stage) -> Outcome:
    """Server time over the hub's, of each peer that could be had; why the others could not be is noted."""
    absent: dict[str, str] = {}
    names = [HUB, FLOOR, HUB_HTTP, FLOOR_HTTP]
    with ExitStack() as stack:
        contenders = stack.enter_context(stage.serving(names))
        environment = stack.enter_context(_surroundings(stage, absent))
        for name in [one for one in PEERS if one not in absent]:
            try:
                contenders.append(stack.enter_context(_started(stage, name, environment)))
            except (MissingError, RuntimeError) as error:
                absent[name] = _last_words(str(error))
        readings, sizes = stage.run(_measured(stage, contenders))
    findings = [
        Finding("peers", f"{name} ÷ {PEERS[name].over}", f"N={size}", one[name].times(one[PEERS[name].over]))
        for size, one in readings.items()
        for name in PEERS
        if name in one
    ]
    notes = [f"Not measured: {name}. {why}" for name, why in absent.items()]
    return Outcome(findings, readings, sizes, {"absent": absent}, notes)


async def _measured(stage: Stage, contenders: Sequence[Contender]) -> tuple[Readings, dict[int, int]]:
    asked = {size: bodies(stage.city.people, size, purpose()) for size in stage.plan.sizes}
    sizes = {size: await require_equal(contenders, asked[size]) for size in stage.plan.sizes}
    plan = replace(stage.plan, warm_up_seconds=stage.plan.warm_up_seconds * WARMER)
    return await measure(contenders, asked, plan, plan.connections, stage.tell), sizes


@contextmanager
def _surroundings(stage: Stage, absent: dict[str, str]) -> Iterator[dict[str, str]]:
    """What the peers' programs are told; those that cannot take part are written into ``absent``."""
    port = free_port()
    environment = {
        SOURCES: dsn(stage.supplies[places.PLAIN]),
        SUPERGRAPH: str(stage.folder / "supergraph.graphql"),
        SUBGRAPHS: json.dumps(_described(port)),
        "BENCH_STATUSES": json.dumps(STATUSES),
        "BENCH_STATEMENTS": json.dumps(STATEMENTS),
    }
    try:
        stage.tell("installing peers")
        install(INSTALLED)
        _compose(environment)
    except MissingError as error:
        absent |= dict.fromkeys(PEERS, _last_words(str(error)))
    told = {PORT: str(port), http_sources.PEOPLE: str(stage.plan.people)}
    command = (sys.executable, "-m", "tests.bench.subgraphs")
    with pinned(stage.cores.load), running(command, told, port, stage.folder / "subgraphs.log") as agencies:
        agencies.await_answer()
        yield environment


@contextmanager
def _started(stage: Stage, name: str, environment: Mapping[str, str]) -> Iterator[Contender]:
    peer, port = PEERS[name], free_port()
    for package in peer.packages:
        if not (INSTALLED / "node_modules" / package).is_dir():
            raise MissingError(f"npm did not install {package}")
    stage.tell(f"starting {name}")
    command = (_program("node"), str(INSTALLED / peer.script))
    log = stage.folder / f"{peer.script}.log"
    with running(command, {**environment, PORT: str(port)}, port, log, INSTALLED) as server:
        server.await_answer()
        server.pin(stage.cores.server)
        yield Contender(name, server, JSON)
        stage.peaks_kib[name] = server.peaks_kib()


def install(folder: Path) -> None:
    """Installs the peers by name and version with npm, if these are not there yet; raises MissingError."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = (FILES / "package.json").read_bytes()
    mark = folder / "package.json"
    is_done = mark.exists() and mark.read_bytes() == wanted and (folder / ".done").exists()
    for file in FILES.iterdir():
        shutil.copy(file, folder / file.name)
    if is_done:
        return
    (folder / ".done").unlink(missing_ok=True)
    _told((_program("npm"), "install", "--no-audit", "--no-fund", "--loglevel=error"), folder, {})
    (folder / ".done").touch()


def _compose(environment: Mapping[str, str]) -> None:
    """Writes the supergraph of the three subgraphs."""
    composed = _told((_program("node"), "compose.mjs"), INSTALLED, environment)
    Path(environment[SUPERGRAPH]).write_text(composed, "utf-8")


def _told(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """What a program prints; raises MissingError with its last words when it fails or takes too long."""
    try:
        ended = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            capture_output=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MissingError(f"{Path(command[0]).name} took more than {INSTALL_SECONDS} s") from error
    if ended.returncode != 0:
        raise MissingError(f"{Path(command[0]).name} failed: {ended.stderr.decode('utf-8', 'replace')}")
    return ended.stdout.decode("utf-8")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise MissingError(f"{name} is not on this machine")
    return found


def _described(port: int) -> list[dict[str, str]]:
    return [
        {"name": name, "url": f"http://127.0.0.1:{port}/{name}", "schema": f"extend schema {LINK}\n{schema}"}
        for name, schema in SCHEMAS.items()
    ]


def _last_words(text: str) -> str:
    return " ".join(text.split())[-LAST_WORDS:]

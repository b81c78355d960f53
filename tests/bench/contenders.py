"""Who takes part: the hub as it is served, the hub without seal and log, the floor, and plain Strawberry."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from hub.kernel.db.embedded import EmbeddedPostgres
from tests.bench.load import ask_each
from tests.bench.question import PATH, post
from tests.bench.registration import CLIENT
from tests.bench.servers import Server, free_port, running
from tests.bench.serving import PORT, SOURCES
from tests.bench.sources import Sources

HUB = "hub"
UNSEALED = "hub unsealed"
FLOOR = "floor"
STRAWBERRY = "strawberry"
MODULES = {
    HUB: ("hub", "serve"),
    UNSEALED: ("tests.bench.unsealed",),
    FLOOR: ("tests.bench.floor",),
    STRAWBERRY: ("tests.bench.plain_strawberry",),
}
HUBS = (HUB, UNSEALED)
TOKEN_PATH = "/oauth/token"


@dataclass(frozen=True, slots=True)
class Contender:
    """One that answers, and the headers by which it is asked."""

    name: str
    server: Server
    headers: Mapping[str, str]

    def request(self, body: bytes) -> bytes:
        """The whole HTTP request of a question."""
        return post(PATH, body, self.headers)


def hub_environment(server: EmbeddedPostgres, sources: Sources, data: Path) -> dict[str, str]:
    """The settings of a hub over this database and these sources; all others are the product's own."""
    return {
        "HUB_DATABASE_URL": server.dsn("hub_server"),
        "HUB_OWNER_DATABASE_URL": server.dsn("hub_owner"),
        "HUB_DATA": str(data),
        "HUB_AGENCY_NETWORKS": f"{sources.host}/32:{sources.port}",
        # Limits that are counted and never reached.
        "HUB_CLIENT_REQUESTS_PER_SECOND": "1000000000",
        "HUB_CLIENT_REQUESTS_PER_MINUTE": "1000000000",
        "HUB_CLIENT_SUBJECTS_PER_DAY": "1000000000",
    }


@contextmanager
def all_running(
    environment: Mapping[str, str], sources: Sources, core: int, logs: Path
) -> Iterator[dict[str, Server]]:
    """Every contender on the same core; only the one that is asked works."""
    with ExitStack() as stack:
        servers = {}
        for name, module in MODULES.items():
            port = free_port()
            own = {"HUB_PORT": str(port)} if name in HUBS else {PORT: str(port), SOURCES: sources.dsn}
            surroundings = {**environment, **own} if name in HUBS else own
            log = logs / f"{module[-1]}.log"
            servers[name] = stack.enter_context(running(module, surroundings, port, log))
        for server in servers.values():
            server.await_answer()
            server.pin(core)
        yield servers


async def introduced(servers: Mapping[str, Server], secret: str) -> list[Contender]:
    """The contenders with what they want to see in a request: a hub wants a token of its own."""
    plain = {"Content-Type": "application/json"}
    return [
        Contender(name, server, plain | (await _authorization(server, secret) if name in HUBS else {}))
        for name, server in servers.items()
    ]


async def _authorization(server: Server, secret: str) -> dict[str, str]:
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": secret}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    (body,) = await ask_each(server.port, [post(TOKEN_PATH, urlencode(form).encode(), headers)])
    return {"Authorization": f"Bearer {msgspec.json.decode(body)['access_token']}"}

"""Who takes part, and of what each is made: which program, over which sources, registered in which place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec

from tests.bench import places
from tests.bench.load import UnexpectedAnswerError, ask_each
from tests.bench.question import PATH, post
from tests.bench.registration import CLIENT
from tests.bench.servers import Server
from tests.bench.wired import APART, EXECUTOR, SEALED, TOGETHER, UNSEALED

HUB, UNSEALED_HUB, FLOOR, STRAWBERRY = "hub", "hub unsealed", "floor", "strawberry"
ALONE, CACHED = "executor", "hub from cache"
HUB_HTTP, ALONE_HTTP, FLOOR_HTTP = "hub http", "executor http", "floor http"
HUB_BATCHED = "hub batched"
HUB_APART, UNSEALED_APART, ALONE_APART = "hub apart", "hub unsealed apart", "executor apart"
TOKEN_PATH = "/oauth/token"
JSON = {"Content-Type": "application/json"}
WIRED = "tests.bench.wired"


@dataclass(frozen=True, slots=True)
class Kind:
    """One contender: its module with arguments; where it is registered if it is a hub; what it shows."""

    module: tuple[str, ...]
    place: str | None = None
    is_hand_over_http: bool = False
    has_token: bool = False


KINDS = {
    HUB: Kind(("hub", "serve"), places.PLAIN, has_token=True),
    UNSEALED_HUB: Kind((WIRED, UNSEALED, TOGETHER), places.PLAIN, has_token=True),
    ALONE: Kind((WIRED, EXECUTOR, TOGETHER), places.PLAIN),
    FLOOR: Kind(("tests.bench.floor",)),
    STRAWBERRY: Kind(("tests.bench.plain_strawberry",)),
    CACHED: Kind(("hub", "serve"), places.FRESH, has_token=True),
    HUB_HTTP: Kind(("hub", "serve"), places.HTTP, has_token=True),
    ALONE_HTTP: Kind((WIRED, EXECUTOR, TOGETHER), places.HTTP),
    FLOOR_HTTP: Kind(("tests.bench.floor_http",), is_hand_over_http=True),
    HUB_BATCHED: Kind(("hub", "serve"), places.BATCHED, has_token=True),
    HUB_APART: Kind((WIRED, SEALED, APART), places.PLAIN, has_token=True),
    UNSEALED_APART: Kind((WIRED, UNSEALED, APART), places.PLAIN, has_token=True),
    ALONE_APART: Kind((WIRED, EXECUTOR, APART), places.PLAIN),
}
LEGEND = {
    HUB: "hub serve as it is: permit, seal and durable log",
    UNSEALED_HUB: "the same without seal and log, which the product never is",
    ALONE: "documents, plans, fetches, shaping: no permit, seal, log, tokens",
    FLOOR: "hand-written: bare ASGI, prepared statements, one encode",
    STRAWBERRY: "Strawberry as it comes, with data loaders over the same SQL",
    CACHED: "hub serve with facts that their agencies declare fresh",
    HUB_HTTP: "hub serve over agencies that answer HTTP",
    ALONE_HTTP: "the executor alone over the same",
    FLOOR_HTTP: "hand-written over the same, with the hub's HTTP client",
}
""" "… apart": with calls never shared among requests."""


@dataclass(frozen=True, slots=True)
class Contender:
    """One that answers, and the headers by which it is asked."""

    name: str
    server: Server
    headers: Mapping[str, str]

    def request(self, body: bytes) -> bytes:
        """The whole HTTP request of a question."""
        return post(PATH, body, self.headers)

    async def answers(self, questions: Sequence[bytes]) -> list[bytes]:
        """The bodies of the answers to these questions; raises UnexpectedAnswerError naming the contender."""
        with self.named():
            return await ask_each(self.server.port, [self.request(body) for body in questions])

    @contextmanager
    def named(self) -> Iterator[None]:
        """An answer that nobody expects is told with whose it is, and with the last words in its log."""
        try:
            yield
        except UnexpectedAnswerError as error:
            raise UnexpectedAnswerError(f"{self.name}: {error}. {self.server.last_words()}") from error


async def introduced(name: str, server: Server, secret: str | None) -> Contender:
    """The contender with what it wants to see in a request; ``secret``: of a client that needs a token."""
    return Contender(name, server, JSON if secret is None else JSON | await _authorization(server, secret))


async def _authorization(server: Server, secret: str) -> dict[str, str]:
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": secret}
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    (body,) = await ask_each(server.port, [post(TOKEN_PATH, urlencode(form).encode(), headers)])
    return {"Authorization": f"Bearer {msgspec.json.decode(body)['access_token']}"}

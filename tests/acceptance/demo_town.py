"""A small demo city of the tests' own: where it lies, how it is drawn, and how its agencies are asked."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from ipaddress import ip_network
from urllib.parse import parse_qs, unquote, urlsplit

from connectors.contract import Answer, Ask, Connector, Outcome
from connectors.manifest import Manifest, read
from connectors.opening import open_connector
from connectors.transport import Transport
from hub.demo.build import MARKET, MARKET_ROLES, ensure_city
from hub.demo.city import LEAST_PEOPLE, City
from hub.demo.place import PORTS, Place
from hub.demo.seed import credentials, manifest
from hub.kernel.db.embedded import EmbeddedPostgres
from hub.kernel.db.quarters import SOCKET_NAME


class Silent:
    """Shows nothing, and counts the steps."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int]] = []

    def step(self, name: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        @contextmanager
        def run() -> Iterator[Callable[[int], None]]:
            done = [0]

            def advance(count: int) -> None:
                done[0] += count

            yield advance
            self.steps.append((name, total, done[0]))

        return run()


def free_base() -> int:
    """A port below three ports that nobody uses."""
    for base in range(21_000 + os.getpid() % 5000, 60_000, 20):
        if all(_is_free(base + above) for above in (0, *PORTS.values())):
            return base
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as wire:
        return wire.connect_ex(("127.0.0.1", port)) != 0


def draw(place: Place, server: EmbeddedPostgres, progress: Silent) -> City:
    """The smallest city in this place, and the secrets that its agencies start with."""
    city = ensure_city(place, server, progress, LEAST_PEOPLE, 1)
    dsn = urlsplit(server.dsn(MARKET_ROLES.serving[0], MARKET))
    known = {
        "market_password": unquote(dsn.password or ""),
        "market_socket": f"{parse_qs(dsn.query)['host'][0]}/{SOCKET_NAME}",
    }
    place.keep_secrets(place.secrets() | known)
    return city


class Desk:
    """Asks the agencies through the connectors that their manifests describe."""

    def __init__(self, place: Place) -> None:
        networks = tuple(range(port, port + 1) for port in place.ports.values())
        self._transport = Transport(((ip_network("127.0.0.1/32"), networks),), (), self._now)
        shown = credentials(place.secrets())
        self._connectors: dict[str, Connector] = {}
        for name, port in place.ports.items():
            described = read(manifest(name, port))
            assert isinstance(described, Manifest)
            self._connectors[name] = open_connector(described, self._transport, shown[name], self._now)

    @staticmethod
    def _now() -> datetime:
        return datetime.now(UTC)

    async def fetch(
        self, agency: str, offering: str, keys: tuple[str, ...], columns: tuple[str, ...]
    ) -> Answer:
        deadline = time.monotonic() + 1.5
        return await self._connectors[agency].fetch(Ask(offering, keys, columns, (), deadline, "test-1"))

    async def rows(
        self, agency: str, offering: str, key: str, columns: tuple[str, ...]
    ) -> list[dict[str, object]]:
        answer = await self.fetch(agency, offering, (key,), columns)
        assert not answer.faults
        return [dict(zip(columns, row, strict=True)) for row in answer.rows[key]]

    async def kind(self, agency: str, offering: str, key: str, columns: tuple[str, ...]) -> str:
        answer = await self.fetch(agency, offering, (key,), columns)
        assert answer.faults[key].outcome is not Outcome.ABSENT
        return str(answer.faults[key].kind)

    async def close(self) -> None:
        for connector in self._connectors.values():
            await connector.close()
        await self._transport.close()

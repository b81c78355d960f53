"""``python -m tests.bench.wired PART SHARING``: the hub with parts taken out, which the product never is.

PART is sealed (all there), unsealed (no seal, no log) or executor; SHARING is together or, with calls never
shared among requests, apart.
"""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

from prometheus_client import CollectorRegistry
from starlette.types import ASGIApp

from connectors.coalescing import Coalesced
from connectors.contract import Connector
from connectors.wrapper import Wrapper
from hub.asgi import application
from hub.catalogue.service import Credentials
from hub.command.serve import run
from hub.http.crowd import Crowd
from hub.kernel.log import configure_logging
from hub.kernel.settings import Settings, settings_of_process
from hub.wiring import Hub, open_hub
from tests.bench.executor import Executor
from tests.bench.unsealed import NoLog, NoSeal

SEALED, UNSEALED, EXECUTOR = "sealed", "unsealed", "executor"
TOGETHER, APART = "together", "apart"


def create(part: str, sharing: str, settings: Settings) -> ASGIApp:
    """The application of a worker."""
    registry = CollectorRegistry()
    hub = open_hub(settings, registry)
    if sharing == APART:
        keep_apart(hub)
    if part == EXECUTOR:
        bare: Any = Executor(hub)
        return bare  # type: ignore[no-any-return]  # ASGI's types are Starlette's, which it does without
    if part == UNSEALED:
        facts: Any = hub.answering.facts
        facts.audit = NoLog()
        facts.receipts = NoSeal()
    return Crowd(application(hub, registry), settings.max_requests)


def keep_apart(hub: Hub) -> None:
    """From now on the catalogue opens connectors that share no call among requests."""
    catalogue: Any = hub.catalogue
    opened = catalogue.connect

    def connect(manifest: str, credentials: Credentials) -> Connector:
        return unshared(opened(manifest, credentials))

    catalogue.connect = connect


def unshared(connector: Connector) -> Connector:
    """The connector without its wrapper that shares calls; raises LookupError when it has none."""
    if isinstance(connector, Coalesced):
        return connector._inner
    if not isinstance(connector, Wrapper):
        raise LookupError("no wrapper shares calls")
    connector._inner = unshared(connector._inner)
    return connector


if __name__ == "__main__":
    configured = settings_of_process()
    configure_logging(configured.log_level)
    _, asked_part, asked_sharing = sys.argv
    run(configured, partial(create, asked_part, asked_sharing))

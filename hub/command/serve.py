"""The command that answers questions: one process, or one a core behind the same port."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from multiprocessing.connection import Connection
from typing import Annotated

import typer
import uvicorn
from starlette.types import ASGIApp

from hub.command.crew import Crew
from hub.command.names import refuse_occupied_names
from hub.command.worker_server import WorkerServer
from hub.http.patience import patient_protocol
from hub.kernel.db.provision import provided
from hub.kernel.errors import Code, HubError
from hub.kernel.log import configure_logging, get_log
from hub.kernel.settings import MOST_WORKERS, Settings, settings_of_process

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
Make = Callable[[Settings], ASGIApp]  # makes a worker's application; importable by name, workers are spawned
Workers = Annotated[
    int | None, typer.Option(min=1, max=MOST_WORKERS, help="Instead of HUB_WORKERS. 代替 HUB_WORKERS。")
]
app = typer.Typer(help="Answer questions. 对外提供查询服务。")


@app.callback(invoke_without_command=True)
def serve(workers: Workers = None) -> None:
    """Serve HTTP until stopped; on SIGHUP renew the workers one by one, with no request lost.

    Without HUB_DATABASE_URL on an embedded PostgreSQL in the data folder.
    """
    settings = settings_of_process()
    settings = replace(settings, workers=workers or settings.workers)
    configure_logging(settings.log_level)
    refuse_occupied_names()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), provided(settings) as ready:
        if settings.database_url is None:
            upkeep_beside(ready)
        supervise(ready, application)


def application(settings: Settings) -> ASGIApp:
    """A worker's application, imported only in workers: the supervisor stays small."""
    from hub.asgi import create

    return create(settings)


def run(settings: Settings, make: Make) -> None:
    """Serve with a database that is there and migrated, until SIGINT or SIGTERM."""
    if settings.workers == 1:
        get_log(__name__).info("serving", port=settings.port, count=1)
        serve_one(settings, make, bind(settings))
    else:
        supervise(settings, make)


def supervise(settings: Settings, make: Make) -> None:
    """Serve with workers that are processes of their own, replaced when they end and renewed on SIGHUP."""
    bind(settings).close()  # fails when the port is taken, which sharing it would hide
    listening = [bind(settings, shared=True) for _ in range(settings.workers)]
    crew = Crew(listening, partial(work, settings, make), settings.shutdown_seconds + 1)
    crew.renew_on(signal.SIGHUP)
    get_log(__name__).info("serving", port=settings.port, count=settings.workers)
    crew.keep()


def bind(settings: Settings, *, shared: bool = False) -> socket.socket:
    """A listening socket, one of several if ``shared``; HubError(SETTING_INVALID): the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, int(shared))
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        rule = "an address and a port of this machine that nobody else uses"
        raise HubError(Code.SETTING_INVALID, setting="HUB_HOST, HUB_PORT", rule=rule) from error
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening


def work(settings: Settings, make: Make, listening: socket.socket, link: Connection) -> None:
    """The body of one worker process; ``link`` leads to its supervisor."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # sent to the whole group it is the supervisor's alone
    configure_logging(settings.log_level)
    with suppress(KeyboardInterrupt):
        serve_one(settings, make, listening, link)


def serve_one(
    settings: Settings, make: Make, listening: socket.socket, link: Connection | None = None
) -> None:
    """Serve in this process until SIGINT or SIGTERM; requests in flight are finished."""
    config = uvicorn.Config(
        make(settings),
        http=patient_protocol(settings.read_timeout_seconds),
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    stay = KEEP_ALIVE_SECONDS + settings.deadline_seconds
    WorkerServer(config, link, stay).run(sockets=[listening])


def upkeep_beside(settings: Settings) -> None:
    """The embedded database has no operator, so its upkeep runs in this process."""
    from hub.worker import work_forever

    threading.Thread(target=work_forever, args=(settings,), daemon=True).start()

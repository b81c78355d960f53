"""The command that answers questions: one process, or one a core behind the same port."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess

import typer
import uvicorn
from starlette.types import ASGIApp

from hub.command.names import refuse_occupied_names
from hub.http.patience import patient_protocol, raw_answer
from hub.http.problems import Problems
from hub.kernel.db.provision import provided
from hub.kernel.errors import Code, HubError, Problem
from hub.kernel.log import configure_logging, get_log
from hub.kernel.settings import Settings, settings_of_process
from hub.texts import Language, load_texts

BACKLOG = 2048
KEEP_ALIVE_SECONDS = 75
RESTART_PAUSE_SECONDS = 1.0
Make = Callable[[Settings], ASGIApp]  # makes a worker's application; importable by name, workers are spawned
app = typer.Typer(help="Answer questions. 对外提供查询服务。")


@app.callback(invoke_without_command=True)
def serve() -> None:
    """Serve HTTP until stopped; without HUB_DATABASE_URL on an embedded PostgreSQL in the data folder."""
    from hub.asgi import create

    settings = settings_of_process()
    configure_logging(settings.log_level)
    refuse_occupied_names()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), provided(settings) as ready:
        if settings.database_url is None:
            upkeep_beside(ready)
        run(ready, create)


def run(settings: Settings, make: Make) -> None:
    """Serve with a database that is there and migrated, until SIGINT or SIGTERM."""
    listening = bind(settings)
    get_log(__name__).info("serving", port=settings.port, count=settings.workers)
    if settings.workers == 1:
        serve_one(settings, make, listening)
    else:
        listening.close()
        supervise(settings, make)


def bind(settings: Settings) -> socket.socket:
    """A listening socket that other workers may share; HubError(SETTING_INVALID) when the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if settings.workers > 1:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        rule = "an address and a port of this machine that nobody else uses"
        raise HubError(Code.SETTING_INVALID, setting="HUB_HOST, HUB_PORT", rule=rule) from error
    listening.listen(BACKLOG)
    listening.setblocking(False)
    return listening


def serve_one(settings: Settings, make: Make, listening: socket.socket) -> None:
    """Serve in this process until SIGINT or SIGTERM; requests in flight are finished."""
    config = uvicorn.Config(
        make(settings),
        http=patient_protocol(settings.read_timeout_seconds, slow_request_answer()),
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
    gc.collect()
    gc.freeze()
    uvicorn.Server(config).run(sockets=[listening])


def slow_request_answer() -> bytes:
    """The whole HTTP answer to a request that took too long to arrive."""
    problems = Problems({language: load_texts(language) for language in Language})
    return raw_answer(problems.answer(Problem(Code.REQUEST_TOO_SLOW)))


def supervise(settings: Settings, make: Make) -> None:
    """Keep ``workers`` processes serving the same port, starting a new one for each that ends."""
    workers = [_start(settings, make) for _ in range(settings.workers)]
    pause = threading.Event()
    try:
        while True:
            wait([worker.sentinel for worker in workers])
            pause.wait(RESTART_PAUSE_SECONDS)  # a worker that cannot start must not keep the machine busy
            for place, worker in enumerate(workers):
                if not worker.is_alive():
                    get_log(__name__).error("worker_ended", pid=worker.pid, status=worker.exitcode)
                    workers[place] = _start(settings, make)
    finally:
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join(settings.shutdown_seconds + 1)


def work(settings: Settings, make: Make) -> None:
    """The body of one worker process."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    configure_logging(settings.log_level)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(KeyboardInterrupt):
        serve_one(settings, make, bind(settings))


def _start(settings: Settings, make: Make) -> SpawnProcess:
    process = multiprocessing.get_context("spawn").Process(target=work, args=(settings, make), daemon=True)
    process.start()
    return process


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def upkeep_beside(settings: Settings) -> None:
    """The embedded database has no operator, so its upkeep runs in this process."""
    from hub.worker import work_forever

    threading.Thread(target=work_forever, args=(settings,), daemon=True).start()

"""Run as ``python -m tests.unit.command.still_app``: the hub's server around a tiny application."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from hub.command.serve import run
from hub.kernel.log import configure_logging
from hub.kernel.settings import Settings, settings_of_process


async def pid(_: Request) -> PlainTextResponse:
    return PlainTextResponse(str(os.getpid()))


async def slow(_: Request) -> PlainTextResponse:
    await asyncio.sleep(1)
    return PlainTextResponse("done")


def make(_: Settings) -> ASGIApp:
    if Path(os.environ.get("STILL_SPOILT", "/nowhere")).exists():
        raise RuntimeError("this worker is told not to start")
    methods = ["GET", "POST"]
    return Starlette(routes=[Route("/pid", pid, methods=methods), Route("/slow", slow, methods=methods)])


if __name__ == "__main__":
    configure_logging("info")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        run(settings_of_process(), make)

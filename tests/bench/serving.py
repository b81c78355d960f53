"""Serves a contender as ``hub serve`` serves the hub: uvicorn with uvloop and httptools, one process."""

from __future__ import annotations

import gc
import os
from typing import Any

import uvicorn

PORT = "BENCH_PORT"
SOURCES = "BENCH_SOURCES"
KEEP_ALIVE_SECONDS = 600  # longer than all others' rounds: nobody meets a connection that just closes


def sources_dsn() -> str:
    """The connection URL of the sources that this process was given."""
    return os.environ[SOURCES]


def serve(application: Any) -> None:
    """Serves on 127.0.0.1 until told to end."""
    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=int(os.environ[PORT]),
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
    )
    gc.collect()
    gc.freeze()
    uvicorn.Server(config).run()

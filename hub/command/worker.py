"""The command that does the periodic work of an installation with a PostgreSQL of its own."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import Annotated

import typer

from hub.command.names import refuse_occupied_names
from hub.kernel.db.provision import provided
from hub.kernel.log import configure_logging
from hub.kernel.settings import settings_of_process

app = typer.Typer(help="Do the periodic work. 执行定期任务。")


@app.callback(invoke_without_command=True)
def worker(*, once: Annotated[bool, typer.Option(help="Do it once and end. 只执行一次。")] = False) -> None:
    """Make the log's partitions ahead and delete what has expired, every hour."""
    from hub.worker import work_forever, work_once

    settings = settings_of_process()
    configure_logging(settings.log_level)
    refuse_occupied_names()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), provided(settings) as ready:
        if not once:
            work_forever(ready)
        elif not work_once(ready):
            raise typer.Exit(1)

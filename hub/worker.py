"""The worker: what must be done from time to time, whoever asks or does not."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from hub.kernel.errors import HubError
from hub.kernel.log import get_log
from hub.kernel.settings import Settings
from hub.wiring import take_files, upkeep

PERIOD_SECONDS = 3600.0
RETRY_SECONDS = 60.0
WATCH_SECONDS = 30.0


def work_forever(settings: Settings) -> None:
    """Do the upkeep every hour, after a failure (logged) again in a minute; watch folders meanwhile."""
    while True:
        pause = PERIOD_SECONDS if work_once(settings) else RETRY_SECONDS
        if settings.files is None:
            time.sleep(pause)
        else:
            _watch(settings.files, settings, pause)


def work_once(settings: Settings) -> bool:
    """Do the upkeep now, and look into the watched folders; whether all was done."""
    log = get_log(__name__)
    try:
        asyncio.run(upkeep(settings))
    except HubError as error:
        log.error("upkeep_failed", code=error.problem.code.label)
        return False
    log.info("upkeep_done")
    return settings.files is None or watch_once(settings.files, settings)


def watch_once(folder: Path, settings: Settings) -> bool:
    """Look into the watched folders now; whether it could be done."""
    try:
        asyncio.run(take_files(folder, settings))
    except HubError as error:
        get_log(__name__).error("watch_failed", code=error.problem.code.label)
        return False
    return True


def _watch(folder: Path, settings: Settings, seconds: float) -> None:
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, WATCH_SECONDS))
        watch_once(folder, settings)

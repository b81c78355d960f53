"""The worker: what must be done from time to time, whoever asks or does not."""

from __future__ import annotations

import asyncio
import time

from hub.kernel.errors import HubError
from hub.kernel.log import get_log
from hub.kernel.settings import Settings
from hub.wiring import upkeep

PERIOD_SECONDS = 3600.0
RETRY_SECONDS = 60.0


def work_forever(settings: Settings) -> None:
    """Do the upkeep every hour; after a failure, which is logged, again in a minute."""
    while True:
        time.sleep(PERIOD_SECONDS if work_once(settings) else RETRY_SECONDS)


def work_once(settings: Settings) -> bool:
    """Do the upkeep now; whether it was done."""
    log = get_log(__name__)
    try:
        asyncio.run(upkeep(settings))
    except HubError as error:
        log.error("upkeep_failed", code=error.problem.code.label)
        return False
    log.info("upkeep_done")
    return True

"""The worker says whether the upkeep was done, and outlives a database that is away."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub import worker
from hub.kernel.errors import Code, HubError
from hub.kernel.settings import Settings, read_settings


async def done(_: Settings) -> None:
    return


async def away(_: Settings) -> None:
    raise HubError(Code.STORE_UNAVAILABLE)


def test_it_says_what_became_of_the_upkeep(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_settings({})
    monkeypatch.setattr(worker, "upkeep", done)
    assert worker.work_once(settings)
    monkeypatch.setattr(worker, "upkeep", away)
    assert not worker.work_once(settings)


def test_it_comes_back_sooner_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise KeyboardInterrupt
        monkeypatch.setattr(worker, "upkeep", done)

    monkeypatch.setattr("hub.worker.time.sleep", sleep)
    monkeypatch.setattr(worker, "upkeep", away)
    with pytest.raises(KeyboardInterrupt):
        worker.work_forever(read_settings({}))
    assert pauses == [worker.RETRY_SECONDS, worker.PERIOD_SECONDS]


def test_it_looks_into_the_watched_folders_meanwhile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    looks: list[Path] = []
    now = [0.0]

    async def look(folder: Path, _: Settings) -> int:
        looks.append(folder)
        if len(looks) == 3:
            raise HubError(Code.STORE_UNAVAILABLE)
        if len(looks) == 4:
            raise KeyboardInterrupt
        return 0

    def sleep(seconds: float) -> None:
        now[0] += seconds

    monkeypatch.setattr(worker, "upkeep", done)
    monkeypatch.setattr(worker, "take_files", look)
    monkeypatch.setattr("hub.worker.time.sleep", sleep)
    monkeypatch.setattr("hub.worker.time.monotonic", lambda: now[0])
    with pytest.raises(KeyboardInterrupt):
        worker.work_forever(read_settings({"HUB_FILES": str(tmp_path)}))
    assert looks == [tmp_path] * 4
    assert now[0] == 3 * worker.WATCH_SECONDS, "the first look is at once, and a failure ends nothing"

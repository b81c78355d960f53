"""One run of the benchmark: a database, the city, the sources, and the chosen rows one after the other."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.bench.finding import Outcome
from tests.bench.load import UnexpectedAnswerError
from tests.bench.plan import Plan
from tests.bench.report import Report
from tests.bench.rows import parts
from tests.bench.stage import Stage, Tell, set_up

FAILURES = (RuntimeError, UnexpectedAnswerError, OSError, EOFError, ExceptionGroup)


def run(plan: Plan, rows: Sequence[str], tell: Tell, settings: Mapping[str, str] | None = None) -> Report:
    """Raises AnswersDifferError before anything is timed. ``settings``: further ones of PostgreSQL."""
    busy = os.getloadavg()
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        set_up(plan, tell, Path(folder), settings) as stage,
    ):
        outcomes, took = {}, {}
        for name, measure in parts(rows).items():
            began = time.monotonic()
            outcomes[name] = _outcome(measure, stage)
            took[name] = time.monotonic() - began
        return Report(plan, stage.cores, busy, outcomes, took, stage.peaks_kib)


def _outcome(measure: Callable[[Stage], Outcome], stage: Stage) -> Outcome:
    """What a part found; one that breaks does not take the others' findings with it."""
    try:
        return measure(stage)
    except FAILURES as error:
        broken = error.exceptions if isinstance(error, ExceptionGroup) else (error,)
        return Outcome((), failure="; ".join(f"{type(one).__name__}: {one}" for one in broken))

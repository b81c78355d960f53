"""Every row of the benchmark runs, with as little of everything as there can be, and finds no failure."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench.bench import _outcome, run
from tests.bench.contenders import ALONE, ALONE_HTTP, CACHED, FLOOR, FLOOR_HTTP, HUB, STRAWBERRY, UNSEALED_HUB
from tests.bench.finding import Finding
from tests.bench.plan import Plan
from tests.bench.ratios import RATIOS
from tests.bench.report import Report, show, write
from tests.bench.rows import TRIALS
from tests.conftest import FAST

TINY = Plan(
    sizes=(1, 20),
    rounds=1,
    seconds=0.05,
    warm_up_seconds=0.0,
    connections=2,
    many_connections=4,
    people=200,
    mixed_requests=120,
    early_requests=60,
    crowd=20,
    pace=0.5,
    paces=1,
    agency_seconds=0.2,
    swaps=1,
    swap_seconds=0.3,
)
COMPARED = {HUB, UNSEALED_HUB, FLOOR, ALONE, ALONE_HTTP, FLOOR_HTTP, STRAWBERRY, CACHED}

LINES = {"coalescing": 3, "sealed": 1, "calls": 2, "crowd": 1, "swap": 2, "memory": 2}


def _run(plan: Plan, *rows: str) -> Report:
    return run(plan, rows, lambda _: None, FAST)


def _found(report: Report, row: str) -> list[Finding]:
    return [one for one in report.findings if one.row == row]


@pytest.mark.slow
def test_contenders_give_the_same_answers_and_every_ratio_is_told(tmp_path: Path) -> None:
    report = _run(TINY, *RATIOS)
    assert report.is_whole
    for row in RATIOS:
        assert [one.of for one in _found(report, row)] == ["N=1", "N=20"]
        assert all(one.value > 0 and one.bound is not None for one in _found(report, row))
    write(report, tmp_path / "bench.json")
    written = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    for size in written["parts"]["ratios"]["sizes"]:
        assert set(size["contenders"]) == COMPARED
        assert size["data_bytes"] > 1000 * size["ids"]
        for reading in size["contenders"].values():
            assert reading["server_cpu_micros"] > 0
            assert reading["rounds"][0]["requests"] >= TINY.connections
    assert min(written["peaks_kib"]["hub"]) > 0
    printed = io.StringIO()
    show(report, Console(file=printed, width=80))
    assert all(f"{name} " in printed.getvalue() for name in COMPARED)
    assert all(ratio.what in printed.getvalue() for ratio in RATIOS.values())
    assert not any("…" in line for line in printed.getvalue().splitlines() if "≤" in line or "≥" in line)


@pytest.mark.slow
def test_under_many_connections_and_trouble_nothing_fails_and_no_call_is_too_many() -> None:
    report = _run(replace(TINY, sizes=(20,)), *TRIALS.keys() - {"peers"})
    assert report.is_whole, [outcome.failure for outcome in report.outcomes.values()]
    assert [one.row for one in report.findings] == [row for row, count in LINES.items() for _ in range(count)]
    assert {one.value for one in _found(report, "swap")} == {0}
    last, growth = _found(report, "memory")
    assert last.value > 30 > growth.value
    (counted,) = report.outcomes["calls"].detail.values()
    assert counted["cold"] == counted["expected"]
    assert counted["again"] == {}


def test_a_part_that_breaks_does_not_take_the_others_with_it() -> None:
    def breaks(_: object) -> None:
        raise RuntimeError("no luck")

    assert _outcome(breaks, object()).failure == "RuntimeError: no luck"  # type: ignore[arg-type]

"""The benchmark compares like with like, counts what it should, and writes down what it found."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.bench.bench import run
from tests.bench.city import draw
from tests.bench.contenders import MODULES
from tests.bench.equality import difference
from tests.bench.load import Load
from tests.bench.measuring import Plan, Reading, Round
from tests.bench.report import show, write
from tests.conftest import FAST

SIZES = (1, 20)


@pytest.mark.slow
def test_all_contenders_give_the_same_answers_and_the_report_is_written(tmp_path: Path) -> None:
    plan = Plan(SIZES, rounds=1, seconds=0.05, connections=2, people=100, warm_up_seconds=0.0)
    told: list[str] = []
    report = run(plan, told.append, FAST)
    write(report, tmp_path / "bench.json")
    printed = io.StringIO()
    show(report, Console(file=printed, width=80))
    written = json.loads((tmp_path / "bench.json").read_text("utf-8"))
    assert [size["ids"] for size in written["sizes"]] == list(SIZES)
    for size in written["sizes"]:
        assert list(size["contenders"]) == list(MODULES)
        assert size["data_bytes"] > 1000 * size["ids"]
        for reading in size["contenders"].values():
            assert reading["server_cpu_micros"] > 0
            assert reading["rounds"][0]["requests"] >= plan.connections
    assert min(written["peaks_kib"]["hub"]) > 0
    assert all(name in printed.getvalue() for name in MODULES)
    tables = printed.getvalue().partition("hub           hub serve")[0]
    assert all(len(line) <= 80 for line in tables.splitlines())


def test_a_city_has_the_shape_of_the_approval_join() -> None:
    lines = draw(200).lines
    assert len(lines["certificate"]) == 3 * 200
    assert len({(line[3], line[0]) for line in lines["certificate"]}) == 3 * 200
    assert len(lines["business"]) == len(lines["licence"]) == len(lines["business_role"]) == 300


@pytest.mark.parametrize(
    ("left", "right", "path"),
    [
        ({"people": [{"name": "a"}]}, {"people": [{"name": "a"}]}, None),
        ({"people": [{"name": "a"}]}, {"people": [{"name": "b"}]}, "data.people.0.name"),
        ({"people": [{"name": "a"}]}, {"people": [{"name": "a"}, None]}, "data.people"),
        ({"people": [None]}, {"people": []}, "data.people"),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, "data"),
        ({"a": {"b": 1}}, {"a": 1}, "data.a"),
    ],
)
def test_the_first_difference_is_named_by_its_path(left: object, right: object, path: str | None) -> None:
    assert difference(left, right) == path


def test_ratios_are_taken_within_each_round() -> None:
    def reading(*servers: float) -> Reading:
        return Reading(tuple(Round(server, Load([0.001, 0.003], wall=2.0)) for server in servers))

    slow, quick = reading(2.0, 40.0, 6.0), reading(1.0, 10.0, 2.0)
    assert slow.times(quick) == 3.0
    assert quick.micros == [0.5e6, 5e6, 1e6]
    assert slow.requests_per_second == 1.0
    assert slow.latency(0.5) == pytest.approx(3.0)

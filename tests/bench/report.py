"""Says what was measured: tables for people, JSON for machines."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from tests.bench.contenders import FLOOR, LEGEND
from tests.bench.finding import Finding, Outcome
from tests.bench.measuring import Reading
from tests.bench.plan import Plan
from tests.bench.servers import Cores

PACKAGES = ("asyncpg", "graphql-core", "httptools", "msgspec", "strawberry-graphql", "uvicorn", "uvloop")
COLUMNS = ("CPU µs", "low–high", "× floor", "req/s", "p50/p99 ms", "busy")
MET, AIMED, MISSED = "yes", "aim", "NO"


@dataclass(frozen=True, slots=True)
class Report:
    """One run. ``took``: seconds of each part; ``peaks_kib``: the most that each process had resident."""

    plan: Plan
    cores: Cores
    load_before: tuple[float, float, float]
    outcomes: Mapping[str, Outcome]
    took: Mapping[str, float]
    peaks_kib: Mapping[str, Sequence[int]]

    @property
    def findings(self) -> list[Finding]:
        """Every line of the last table."""
        return [finding for outcome in self.outcomes.values() for finding in outcome.findings]

    @property
    def is_whole(self) -> bool:
        """Whether every row could be measured."""
        return not any(outcome.failure for outcome in self.outcomes.values())


def show(report: Report, console: Console) -> None:
    """Prints the tables, how to read them, and last what was to be reached."""
    for outcome in report.outcomes.values():
        for size, readings in outcome.readings.items():
            console.print(_table(f"N = {size}: {outcome.bytes[size]:,} bytes of data", readings), "")
    for line in (*_legend(report), *_notes(report)):
        console.print(line, soft_wrap=True, highlight=False)
    if report.findings:
        console.print("", _found(report.findings))
    for line in _failures(report):
        console.print(line, soft_wrap=True, highlight=False)


def _legend(report: Report) -> list[str]:
    shown = {name for outcome in report.outcomes.values() for of in outcome.readings.values() for name in of}
    return [f"{name:<16}{meaning}" for name, meaning in LEGEND.items() if name in shown]


def _failures(report: Report) -> list[str]:
    return [
        f"{name} could not be measured: {outcome.failure}"
        for name, outcome in report.outcomes.items()
        if outcome.failure
    ]


def _table(title: str, readings: Mapping[str, Reading]) -> Table:
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for column in COLUMNS:
        table.add_column(column, justify="right", no_wrap=True)
    for name, reading in readings.items():
        table.add_row(name, *_cells(reading, readings.get(FLOOR)))
    return table


def _cells(reading: Reading, floor: Reading | None) -> list[str]:
    micros = reading.micros
    return [
        f"{statistics.median(micros):,.0f}",
        f"{min(micros):,.0f}–{max(micros):,.0f}",
        "" if floor is None else f"{reading.times(floor):.2f}",
        f"{reading.requests_per_second:,.0f}",
        f"{_short(reading.latency(0.5))}/{_short(reading.latency(0.99))}",
        f"{reading.busy:.0%}",
    ]


def _found(findings: Sequence[Finding]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("row", no_wrap=True)
    table.add_column("", no_wrap=True)
    for column in ("at", "measured", "must", "aim", "met"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in findings:
        table.add_row(one.row, one.what, one.of, format(one.value, one.form), *_bounds(one))
    return table


def _bounds(one: Finding) -> tuple[str, str, str]:
    if one.bound is None:
        return "", "", ""
    sign = "≤" if one.bound.is_most else "≥"
    aim = "" if one.bound.aim is None else f"{sign} {one.bound.aim:g}"
    return f"{sign} {one.bound.must:g}", aim, _verdict(one)


def _verdict(one: Finding) -> str:
    if one.bound is None or not one.bound.is_met(one.value):
        return MISSED if one.bound else ""
    return AIMED if one.bound.is_aim_met(one.value) else MET


def _short(number: float) -> str:
    return f"{number:,.1f}" if number < 100 else f"{number:,.0f}"


def _notes(report: Report) -> list[str]:
    plan = report.plan
    peaks = (f"{name} {_megabytes(found)}" for name, found in report.peaks_kib.items())
    said = [
        "CPU µs: the server's per request, median of the rounds; busy: the share of its core that it used.",
        "… apart: with calls never shared among requests.",
        f"Peak memory, MB, by process: {'; '.join(peaks)}.",
        f"{plan.rounds} interleaved rounds of {plan.seconds:g} s.",
        f"Server time at {plan.connections} connections, requests/s at {plan.many_connections}.",
        "Contenders gave the same bytes of data before they were timed. Compare only ratios, of one run.",
        f"Took, in seconds: {', '.join(f'{name} {seconds:.0f}' for name, seconds in report.took.items())}.",
        f"Load average before the run: {report.load_before[0]:.2f}.",
    ]
    said += [note for outcome in report.outcomes.values() for note in outcome.notes]
    if not report.cores.is_apart:
        said.append("Only one core: the server shared it with load and PostgreSQL.")
    return said


def _megabytes(peaks: Sequence[int]) -> str:
    return " + ".join(f"{peak / 1024:.0f}" for peak in peaks)


def write(report: Report, file: Path) -> None:
    """Writes everything that was measured, each round included."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(as_data(report)), indent=2) + b"\n")


def as_data(report: Report) -> dict[str, Any]:
    """The run as plain data; microseconds, milliseconds, seconds, bytes and KiB stand in the names."""
    return {
        "machine": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "cores": os.cpu_count(),
            "server_core": report.cores.server,
            "load_core": report.cores.load,
            "load_average_before": report.load_before,
        },
        "packages": {name: version(name) for name in PACKAGES},
        "plan": asdict(report.plan),
        "seconds": dict(report.took),
        "peaks_kib": dict(report.peaks_kib),
        "findings": [_finding(one) for one in report.findings],
        "parts": {name: _outcome(outcome) for name, outcome in report.outcomes.items()},
    }


def _finding(one: Finding) -> dict[str, Any]:
    bound = one.bound
    told = {} if bound is None else {"must": bound.must, "aim": bound.aim, "at_most": bound.is_most}
    return {"row": one.row, "what": one.what, "at": one.of, "measured": one.value, **told}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    sizes = [
        {
            "ids": size,
            "data_bytes": outcome.bytes[size],
            "contenders": {name: _reading(reading) for name, reading in readings.items()},
        }
        for size, readings in outcome.readings.items()
    ]
    failed = {"failure": outcome.failure} if outcome.failure else {}
    return {**({"sizes": sizes} if sizes else {}), **outcome.detail, **failed}


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "server_cpu_micros": statistics.median(reading.micros),
        "requests_per_second": reading.requests_per_second,
        "latency_p50_ms": reading.latency(0.5),
        "latency_p99_ms": reading.latency(0.99),
        "server_core_busy": reading.busy,
        "client_cpu_micros": reading.client_micros,
        "rounds": [
            {"requests": one.load.requests, "wall_seconds": one.load.wall, "server_cpu_micros": one.micros}
            for one in reading.rounds
        ],
    }

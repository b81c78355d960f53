"""Says what was measured: a table for people, JSON for machines."""

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

from tests.bench.contenders import FLOOR, HUB, STRAWBERRY
from tests.bench.measuring import Plan, Reading, Readings
from tests.bench.servers import Cores

PACKAGES = ("asyncpg", "graphql-core", "httptools", "msgspec", "strawberry-graphql", "uvicorn", "uvloop")
COLUMNS = ("CPU µs", "low–high", "× floor", "× strawb.", "req/s", "p50/p99 ms", "busy")
LEGEND = """\
hub           hub serve as it is: permit, seal and durable log
hub unsealed  the same without seal and log, which the product never is
floor         hand-written: bare ASGI, prepared statements, one encode
strawberry    Strawberry as it comes, with data loaders over the same SQL
CPU µs: the server's per request, median of the rounds. busy: the share of its core that it used."""


@dataclass(frozen=True, slots=True)
class Report:
    """One run. ``bytes``: of one answer's ``data``; ``peaks_kib``: resident memory of each process."""

    plan: Plan
    cores: Cores
    load_before: tuple[float, float, float]
    readings: Readings
    bytes: Mapping[int, int]
    peaks_kib: Mapping[str, Sequence[int]]


def show(report: Report, console: Console) -> None:
    """Prints the tables and how to read them."""
    for size, readings in report.readings.items():
        title = f"N = {size}: {report.bytes[size]:,} bytes of data"
        table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
        table.add_column("", no_wrap=True)
        for column in COLUMNS:
            table.add_column(column, justify="right", no_wrap=True)
        for name, reading in readings.items():
            table.add_row(name, *_cells(reading, readings))
        console.print(table, "")
    for line in (LEGEND, *_notes(report)):
        console.print(line, soft_wrap=True, highlight=False)


def _cells(reading: Reading, all_of_size: Mapping[str, Reading]) -> list[str]:
    micros = reading.micros
    return [
        f"{statistics.median(micros):,.0f}",
        f"{min(micros):,.0f}–{max(micros):,.0f}",
        f"{reading.times(all_of_size[FLOOR]):.2f}",
        f"{reading.times(all_of_size[STRAWBERRY]):.3f}",
        f"{reading.requests_per_second:,.0f}",
        f"{_short(reading.latency(0.5))}/{_short(reading.latency(0.99))}",
        f"{reading.busy:.0%}",
    ]


def _short(number: float) -> str:
    return f"{number:,.1f}" if number < 100 else f"{number:,.0f}"


def _notes(report: Report) -> list[str]:
    plan = report.plan
    peaks = (f"{name} {_megabytes(found)}" for name, found in report.peaks_kib.items())
    client = [one.client_micros for of_size in report.readings.values() for one in of_size.values()]
    said = [
        f"Peak memory, MB, by process: {'; '.join(peaks)}.",
        f"The load generator used {min(client):,.0f} to {max(client):,.0f} µs a request on the other core.",
        f"{plan.connections} connections, {plan.rounds} interleaved rounds of {plan.seconds:g} s.",
        "Every contender gave the same bytes of data before it was timed. Compare only ratios, of one run.",
        f"Load average before the run: {report.load_before[0]:.2f}.",
    ]
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
        "peaks_kib": dict(report.peaks_kib),
        "sizes": [
            {
                "ids": size,
                "data_bytes": report.bytes[size],
                "hub_times_floor": readings[HUB].times(readings[FLOOR]),
                "strawberry_times_hub": readings[STRAWBERRY].times(readings[HUB]),
                "contenders": {name: _reading(reading, readings) for name, reading in readings.items()},
            }
            for size, readings in report.readings.items()
        ],
    }


def _reading(reading: Reading, all_of_size: Mapping[str, Reading]) -> dict[str, Any]:
    return {
        "server_cpu_micros": statistics.median(reading.micros),
        "times_floor": reading.times(all_of_size[FLOOR]),
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

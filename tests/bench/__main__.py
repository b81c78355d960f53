"""``make bench``: the hub beside the hand-written floor and Strawberry as it comes, in one run."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from hub.kernel.log import configure_logging
from tests.bench.bench import run
from tests.bench.measuring import Plan
from tests.bench.report import show, write


def main() -> None:
    """Measures, prints the tables and writes the JSON."""
    usual = Plan()
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(usual.sizes), help="ids per request")
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="interleaved rounds")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="length of one round")
    parser.add_argument("--output", type=Path, default=Path("bench.json"), help="where the JSON goes")
    given = parser.parse_args()
    configure_logging("warning")
    console = Console()
    with console.status("bench") as status:
        report = run(
            Plan(sizes=tuple(given.sizes), rounds=given.rounds, seconds=given.seconds), status.update
        )
    show(report, console)
    write(report, given.output)
    console.print(f"Every round: {given.output}")


if __name__ == "__main__":
    main()

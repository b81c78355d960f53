"""``make bench``: the hub beside the hand-written floor and Strawberry as it comes, in one run."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from hub.kernel.log import configure_logging
from tests.bench.bench import run
from tests.bench.plan import Plan
from tests.bench.report import show, write
from tests.bench.rows import MEANINGS, ROWS, USUAL


def main() -> None:
    """Measures, prints the tables and writes the JSON; exit code 1 when a row could not be measured."""
    given = _arguments(Plan())
    configure_logging("warning")
    plan = replace(
        Plan(),
        sizes=tuple(given.sizes),
        rounds=given.rounds,
        seconds=given.seconds,
        mixed_requests=given.requests,
    )
    console = Console()
    with console.status("bench") as status:
        report = run(plan, [*given.rows, *(["peers"] if given.peers else [])], status.update)
    show(report, console)
    write(report, given.output)
    console.print(f"Every round: {given.output}")
    sys.exit(0 if report.is_whole else 1)


def _arguments(usual: Plan) -> argparse.Namespace:
    meanings = "\n".join(f"  {row:<11} {MEANINGS[row]}" for row in ROWS)
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        epilog=f"rows:\n{meanings}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", type=_rows, default=list(USUAL), help="some of the rows, such as hub,cache")
    parser.add_argument("--peers", action="store_true", help="also the row of peers")
    parser.add_argument("--sizes", type=int, nargs="+", default=list(usual.sizes), help="ids per request")
    parser.add_argument("--rounds", type=int, default=usual.rounds, help="interleaved rounds")
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="length of one round")
    parser.add_argument("--requests", type=int, default=usual.mixed_requests, help="of the memory row")
    parser.add_argument("--output", type=Path, default=Path("bench.json"), help="where the JSON goes")
    return parser.parse_args()


def _rows(text: str) -> list[str]:
    named = text.split(",")
    unknown = [row for row in named if row not in ROWS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    return named


if __name__ == "__main__":
    main()

"""Which rows there are, and what measures each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from tests.bench import calls, crowd, memory, peers, rates, swap
from tests.bench.finding import Outcome
from tests.bench.ratios import RATIOS, compare
from tests.bench.stage import Stage

TRIALS: Mapping[str, Callable[[Stage], Outcome]] = {
    "coalescing": rates.coalescing,
    "sealed": rates.sealed,
    "calls": calls.count,
    "crowd": crowd.endure,
    "swap": swap.exchange,
    "memory": memory.weigh,
    "peers": peers.compare,
}
ROWS = (*RATIOS, *TRIALS)
USUAL = tuple(row for row in ROWS if row != "peers")
MEANINGS = {
    "hub": "server time of a sealed and logged answer over hand-written code",
    "executor": "the same without permit, seal and log",
    "http": "the same as executor, with agencies that answer HTTP",
    "strawberry": "Strawberry as it comes over the hub",
    "cache": "answers from facts that are still fresh, over hand-written code",
    "coalescing": "requests a second with calls shared among requests, and not",
    "sealed": "requests a second with seal and durable log, and without",
    "calls": "calls that arrive at the agencies for one request",
    "crowd": "the latency of all others while one agency is slow",
    "swap": "requests that fail while connectors are swapped",
    "memory": "what a worker weighs after very many requests of every kind",
    "peers": "Hive Gateway, Apollo Gateway and mercurius, installed with npm; not measured unless named",
}


def parts(rows: Sequence[str]) -> dict[str, Callable[[Stage], Outcome]]:
    """What to run for these rows, in order; those that compare server time share their rounds."""
    compared = [row for row in RATIOS if row in rows]
    first = {"ratios": lambda stage: compare(stage, compared)} if compared else {}
    return {**first, **{row: trial for row, trial in TRIALS.items() if row in rows}}

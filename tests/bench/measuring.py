"""Times the contenders in interleaved rounds, and draws medians and ratios from them."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.contenders import Contender
from tests.bench.load import Load, ask_for
from tests.bench.plan import Plan


@dataclass(frozen=True, slots=True)
class Round:
    """One contender's round: the server's processor seconds beside the load."""

    server: float
    load: Load

    @property
    def micros(self) -> float:
        """Server CPU per request, in microseconds."""
        return self.server / self.load.requests * 1e6


@dataclass(frozen=True, slots=True)
class Reading:
    """All rounds of one contender at one size."""

    rounds: tuple[Round, ...]

    @property
    def micros(self) -> list[float]:
        """Server CPU per request in each round, in microseconds."""
        return [one.micros for one in self.rounds]

    @property
    def requests_per_second(self) -> float:
        """The median of the rounds."""
        return statistics.median(one.load.requests / one.load.wall for one in self.rounds)

    @property
    def busy(self) -> float:
        """The share of the time in which the server's core worked for it, 0 to 1; the median."""
        return statistics.median(one.server / one.load.wall for one in self.rounds)

    @property
    def client_micros(self) -> float:
        """The load generator's CPU per request, in microseconds; the median."""
        return statistics.median(one.load.client / one.load.requests * 1e6 for one in self.rounds)

    def latency(self, share: float) -> float:
        """The latency in milliseconds that this share (0 to 1) of all requests did not exceed."""
        return quantile([latency for one in self.rounds for latency in one.load.latencies], share) * 1e3

    def times(self, other: Reading) -> float:
        """How many times the other's CPU per request this is: the median of the rounds' own ratios."""
        pairs = zip(self.micros, other.micros, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)

    def rate_times(self, other: Reading) -> float:
        """How many times the other's requests a second this is: the median of the rounds' own ratios."""
        pairs = zip(self.rounds, other.rounds, strict=True)
        return statistics.median(
            (mine.load.requests / mine.load.wall) / (theirs.load.requests / theirs.load.wall)
            for mine, theirs in pairs
        )


def quantile(latencies: Sequence[float], share: float) -> float:
    """The latency that this share (0 to 1) of them did not exceed, in their own unit."""
    ordered = sorted(latencies)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


Readings = dict[int, dict[str, Reading]]  # size -> contender -> reading


async def measure(
    contenders: Sequence[Contender],
    bodies: Mapping[int, Sequence[bytes]],
    plan: Plan,
    connections: int,
    tell: Callable[[str], None],
) -> Readings:
    """Rounds of every contender in turn, at each size after a warm-up; another one begins each time."""
    readings: Readings = {}
    for size, questions in bodies.items():
        requests = {one.name: [one.request(body) for body in questions] for one in contenders}
        for one in contenders:
            await _round(one, requests[one.name], plan.warm_up_seconds, connections)
        rounds: dict[str, list[Round]] = {one.name: [] for one in contenders}
        for number in range(plan.rounds):
            tell(f"N={size}, {connections} connections, {number + 1}/{plan.rounds}")
            start = number % len(contenders)
            for one in (*contenders[start:], *contenders[:start]):
                rounds[one.name].append(await _round(one, requests[one.name], plan.seconds, connections))
        readings[size] = {name: Reading(tuple(taken)) for name, taken in rounds.items()}
    return readings


async def _round(contender: Contender, requests: Sequence[bytes], seconds: float, connections: int) -> Round:
    before = contender.server.seconds()
    with contender.named():
        load = await ask_for(seconds, contender.server.port, requests, connections)
    return Round(contender.server.seconds() - before, load)

"""Counts what agencies are asked and how they answer; labels name connectors, never values."""

from __future__ import annotations

import time
from collections import Counter as Tally

from prometheus_client import CollectorRegistry, Counter, Histogram

from connectors.contract import Answer, Ask, Connector
from connectors.wrapper import Wrapper

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Meter:
    """The counters of all connectors of a process, once a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("connector", "offering")
        self.calls = Counter("hub_source_calls", "Calls to agencies.", labels, registry=registry)
        self.keys = Counter(
            "hub_source_keys", "Keys by what came of them.", (*labels, "outcome", "kind"), registry=registry
        )
        self.seconds = Histogram(
            "hub_source_seconds", "Seconds a call took.", labels, registry=registry, buckets=BUCKETS
        )
        self.cache = Counter(
            "hub_cache_keys", "Keys looked for in memory.", (*labels, "result"), registry=registry
        )


class Metered(Wrapper):
    """Counts calls, keys by outcome, and seconds."""

    def __init__(self, inner: Connector, name: str, meter: Meter) -> None:
        super().__init__(inner)
        self._name = name
        self._keys = meter.keys
        names = [offering.name for offering in inner.describe()]
        self._calls = {one: meter.calls.labels(name, one) for one in names}
        self._seconds = {one: meter.seconds.labels(name, one) for one in names}
        self._found = {one: meter.keys.labels(name, one, "found", "") for one in names}
        self._absent = {one: meter.keys.labels(name, one, "absent", "") for one in names}

    async def fetch(self, ask: Ask) -> Answer:
        """As the inner connector."""
        offering, began = ask.offering, time.perf_counter()
        self._calls[offering].inc()
        try:
            answer = await self._inner.fetch(ask)
        finally:
            self._seconds[offering].observe(time.perf_counter() - began)
        absent = list(answer.rows.values()).count(())
        if absent:
            self._absent[offering].inc(absent)
        if len(answer.rows) > absent:
            self._found[offering].inc(len(answer.rows) - absent)
        if answer.faults:
            self._count_faults(answer, offering)
        return answer

    def _count_faults(self, answer: Answer, offering: str) -> None:
        came = Tally((why.outcome, why.kind) for why in answer.faults.values())
        for (outcome, kind), number in came.items():
            self._keys.labels(self._name, offering, outcome, kind).inc(number)

"""Counts the answers that a plan could not give, so that the ordinary executor had to."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from hub.kernel.errors import HubError


class Detours:
    """The counter of one process, once a registry; its labels name kinds of reasons, never values."""

    def __init__(self, registry: CollectorRegistry) -> None:
        text = "Answers by the ordinary executor after their plan could not go on."
        self._count = Counter("hub_plan_detours", text, ("reason",), registry=registry)

    def count(self, reason: Exception) -> None:
        """One more, by the kind of exception, or its number where it has one."""
        known = next((one for one in (reason, reason.__cause__) if isinstance(one, HubError)), None)
        named = known.problem.code.label if known else type(reason).__name__
        self._count.labels(named).inc()

"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """``seconds``: of one round of one contender at one size; ``crowd``: connections of which half meet
    the slow agency, each asking every ``pace`` seconds, ``paces`` times.
    """

    sizes: tuple[int, ...] = (1, 20, 200)
    rounds: int = 5
    seconds: float = 0.5
    warm_up_seconds: float = 0.4
    connections: int = 8
    many_connections: int = 64
    people: int = 2000
    mixed_requests: int = 100_000
    early_requests: int = 10_000
    crowd: int = 1000
    pace: float = 8.0
    paces: int = 2
    agency_seconds: float = 2.0
    swaps: int = 3
    swap_seconds: float = 1.0

"""The port to where the rows of handed-over files are kept: what the kind ``files`` asks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from connectors.contract import Row


class Place(NamedTuple):
    """Whose rows are meant: a connector's offering, as read under one mapping (its digest)."""

    connector: str
    offering: str
    mapping: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A row by which the agency says that there is no record, or that it gives none; ``code`` is its own."""

    is_refused: bool
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """The rows under some keys, values in the order of the offering's columns, and when they were true."""

    as_of: datetime  # aware
    rows: Mapping[str, tuple[Row | Judged, ...]]


class StoreAway(Exception):  # noqa: N818 - it says what is wrong
    """Where the rows are kept does not answer."""


class Staged(Protocol):
    """What was loaded last and is answered with."""

    async def held(self, place: Place, keys: Sequence[str], most: int) -> Held | None:
        """At most ``most`` rows; None: nothing has been loaded under this mapping. Raises StoreAway."""
        ...


class NothingStaged:
    """Where nothing has ever been loaded, as on an agency's own machine."""

    async def held(self, place: Place, keys: Sequence[str], most: int) -> Held | None:  # noqa: ARG002 the port's shape
        """Nothing."""
        return None

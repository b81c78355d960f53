"""What the hub knows of a file that an agency has handed over: what became of it, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import BinaryIO, NewType

from connectors.files_reasons import Bad
from connectors.manifest.model import FileSource, Offered
from connectors.staged import Place

LoadId = NewType("LoadId", int)


class LoadState(StrEnum):
    """What became of a file."""

    SERVING = "serving"  # answered with
    WAITING = "waiting"  # whole and right, but an officer has to look at it first
    REFUSED = "refused"  # something is wrong with it
    REJECTED = "rejected"  # by an officer
    REPLACED = "replaced"  # by a later one


class Doubt(StrEnum):
    """Why a file waits for an officer."""

    SHRUNK = "shrunk"
    OLDER = "older"


@dataclass(frozen=True, slots=True)
class Drop:
    """One offering of a connector and its declared file; ``read_key`` as ``connectors.files_rows`` has it."""

    connector: str
    offered: Offered
    source: FileSource
    read_key: Callable[[str], str | None]

    @property
    def place(self) -> Place:
        """Where its rows are kept."""
        return Place(self.connector, self.offered.offering.name, self.source.mapping)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A file as it came: seekable, with its control file's content where there is one.

    ``changed_at``: when it was written; ``as_of`` overrides it where there is no control file. ``is_whole``
    says, after it has been read, whether it stayed the same meanwhile.
    """

    name: str
    stream: BinaryIO
    changed_at: datetime
    control: bytes | None = None
    as_of: datetime | None = None
    stamp: str = ""
    is_whole: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True)
class Load:
    """One file and what became of it; ``bad`` counts all that is wrong, ``reasons`` lists the first of it."""

    id: LoadId
    place: Place
    state: LoadState
    file: str
    sha256: str
    stamp: str
    as_of: datetime
    rows: int
    bad: int = 0
    reasons: tuple[Bad, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    came_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None

"""What is asked about whom, what came of it, and what a sealed answer is made of."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

import msgspec

from connectors.contract import Fault, Row
from hub.catalogue.model import FieldCode, RecordCode, Supply
from hub.subjects.model import Subject


class Question(msgspec.Struct, frozen=True):
    """An operation in the law's words: records and fields of the catalogue, and the subjects it starts from.

    ``digest`` is SHA-256 of the operation without its values and aliases.
    """

    digest: bytes
    fields: Mapping[RecordCode, frozenset[FieldCode]]
    roots: tuple[Subject, ...]


class Need(NamedTuple):
    """Rows of one record by one of its key fields, for distinct subjects."""

    record: RecordCode
    key: FieldCode
    subjects: tuple[Subject, ...]
    columns: tuple[FieldCode, ...]


class Sourced(NamedTuple):
    """The answer to one Need. Every subject's value stands in exactly one of ``rows`` and ``faults``."""

    supply: Supply | None  # None: nobody supplies it
    rows: Mapping[str, tuple[Row, ...]]
    faults: Mapping[str, Fault]
    as_of: datetime | None
    fetched_at: datetime

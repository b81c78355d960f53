"""Batches what resolvers ask for in the same moment into one fetch per record, key and set of columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from aiodataloader import DataLoader

from hub.catalogue.model import FieldCode, RecordCode, Supply
from hub.catalogue.service import MAINTENANCE
from hub.facts.model import Need, Sourced
from hub.facts.rules import fault_code
from hub.facts.service import Inquiry
from hub.kernel.errors import Problem
from hub.subjects.model import Subject
from schema.faults import Unanswered, of_agency

CITY_TIME = timezone(timedelta(hours=8))
HALF_A_MINUTE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Record:
    """One row of a record about a subject, with where it came from."""

    code: RecordCode
    values: Mapping[str, object]
    supply: Supply
    sourced: Sourced


class Loaders:
    """The loaders of one request, made as they are needed."""

    def __init__(self, inquiry: Inquiry | None, fetched: Sequence[tuple[Need, Sourced]] = ()) -> None:
        """``fetched``: what a plan has asked already; nobody is asked for it again.

        Without an inquiry nothing can be asked: such an operation reads no fact.
        """
        self.inquiry = inquiry
        self.fetched = fetched
        self.loaders: dict[tuple[str, str, frozenset[str]], DataLoader[Subject, tuple[Record, ...]]] = {}

    async def load(
        self, record: str, key: str, columns: Iterable[str], subject: Subject
    ) -> tuple[Record, ...]:
        """The subject's rows of a record (none: Absent); raises Unanswered for the other outcomes."""
        wanted = frozenset(columns)
        for need, sourced in self.fetched:
            if _holds(need, sourced, record, key, wanted, subject):
                return _found(_outcome(need, sourced, subject))
        at = (record, key, wanted)
        if at not in self.loaders:
            self.loaders[at] = self._loader(*at)
        return await self.loaders[at].load(subject)

    def _loader(
        self, record: str, key: str, columns: frozenset[str]
    ) -> DataLoader[Subject, tuple[Record, ...]]:
        ordered = tuple(FieldCode(column) for column in sorted(columns))

        async def fetch(subjects: list[Subject]) -> list[Any]:  # the loader raises the exceptions in it
            need = Need(RecordCode(record), FieldCode(key), tuple(subjects), ordered)
            if self.inquiry is None:
                raise LookupError("a fact was asked for without an inquiry")
            (sourced,) = await self.inquiry.fetch((need,))
            return [_outcome(need, sourced, subject) for subject in subjects]

        return DataLoader(fetch)


def _holds(
    need: Need, sourced: Sourced, record: str, key: str, wanted: frozenset[str], subject: Subject
) -> bool:
    if (need.record, need.key) != (record, key) or not wanted.issubset(need.columns):
        return False
    return subject.value in sourced.rows or subject.value in sourced.faults


def _found(outcome: tuple[Record, ...] | BaseException) -> tuple[Record, ...]:
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome


def _outcome(need: Need, sourced: Sourced, subject: Subject) -> tuple[Record, ...] | BaseException:
    fault, supply = sourced.faults.get(subject.value), sourced.supply
    if fault is not None:
        detail = of_agency(supply.agency) if supply else {"record": str(need.record)}
        if fault.kind == MAINTENANCE and fault.retry_after is not None:
            detail["until"] = _in_words(sourced.fetched_at + timedelta(seconds=fault.retry_after))
        return Unanswered(
            Problem(fault_code(fault), detail),
            fault.outcome.value,
            agency=supply.agency.code if supply else None,
            agency_code=fault.agency_code,
            correlation=fault.correlation,
            retry_after=fault.retry_after,
        )
    if supply is None:
        raise LookupError("rows without a supply")
    return tuple(
        Record(need.record, dict(zip(need.columns, row, strict=True)), supply, sourced)
        for row in sourced.rows[subject.value]
    )


def _in_words(moment: datetime) -> str:
    """To the minute, as a clock in the city shows it."""
    return f"{(moment + HALF_A_MINUTE).astimezone(CITY_TIME):%Y-%m-%d %H:%M}"

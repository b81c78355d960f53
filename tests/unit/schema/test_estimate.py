"""A cost that is told again is the one that would be estimated anew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connectors.contract import Offering, Tell
from hub.audit.model import AgencyCode
from hub.catalogue.model import Agency, ConnectorId, FieldCode, Label, RecordCode, Supply
from hub.subjects.model import Scheme, Subject
from schema.execution import estimate
from schema.execution.estimate import FAN_OUT, Costs, Supplies
from schema.execution.plan import Fetch, FromRoot, FromRows, Keyed, Place, Plan

PERSON, ROLE, KEY = RecordCode("person"), RecordCode("role"), FieldCode("id_number")
AGENCY = Agency(AgencyCode("a"), Label("公安", "police"))


def supply(record: str, *, batch: int, many: bool = False) -> Supply:
    offering = Offering(record, record, KEY, (KEY,), many, batch, Tell.NONE, timedelta(), {})
    return Supply(ConnectorId("c"), 1, AGENCY, offering)


def supplies(batch: int) -> Supplies:
    return {(PERSON, KEY): supply("person", batch=batch), (ROLE, KEY): supply("role", batch=batch, many=True)}


def plan() -> Plan:
    """The roles of those whom the root names, and the people of those roles."""
    named = Place(0, Scheme.RESIDENT_ID, 0, FromRoot(0))
    roles = Fetch(0, 0, ROLE, KEY, places=[named])
    people = Place(1, Scheme.RESIDENT_ID, 1, FromRows(named, roles, KEY))
    fetch = Fetch(1, 1, PERSON, KEY, places=[people])
    return Plan((named, people), (roles, fetch), (), (), (), ((roles,), (fetch,)), ())


def people(*numbers: int) -> list[Keyed]:
    return [[("Person", Subject(Scheme.RESIDENT_ID, str(number))) for number in numbers]]


def expected(subjects: int, batch: int) -> int:
    rows = subjects * FAN_OUT
    return -(-subjects // batch) * rows + -(-rows // batch) * rows


@pytest.fixture
def estimates(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every estimate that is made."""
    made: list[object] = []

    class Counted(estimate._Estimate):
        def of(self, plan: Plan) -> int:
            made.append(plan)
            return super().of(plan)

    monkeypatch.setattr(estimate, "_Estimate", Counted)
    return made


def test_as_many_subjects_are_estimated_once(estimates: list[object]) -> None:
    costs, state = Costs(plan()), supplies(batch=2)
    assert costs.of(people(1, 2), state) == expected(2, 2)
    assert costs.of(people(3, 4, 3), state) == expected(2, 2)
    assert len(estimates) == 1
    assert costs.of(people(1, 2, 3), state) == expected(3, 2)
    assert len(estimates) == 2


def test_other_supplies_have_other_costs() -> None:
    costs = Costs(plan())
    assert costs.of(people(1, 2), supplies(batch=2)) == expected(2, 2)
    assert costs.of(people(1, 2), supplies(batch=1)) == expected(2, 1)


def test_a_plan_remembers_so_many_sizes_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "SIZES_REMEMBERED", 3)
    costs, state = Costs(plan()), supplies(batch=2)
    for size in range(10):
        assert costs.of(people(*range(size)), state) == expected(size, 2)
        assert len(costs._known) <= 3

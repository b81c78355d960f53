"""Section 6, Execution, of the GraphQL specification: each rule by a case, planned and by graphql-core."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from hub.kernel.errors import Code, Problem
from schema.execution.prepare import Ready
from tests.graphql.section6 import CASES, Case, Place
from tests.graphql.town import ANNA, BEN, DOWN
from tests.properties.plan_town import plan_town
from tests.properties.plan_world import Told, Trial, World


@cache
def world() -> World:
    """The town on a day when everybody answers."""
    return World.of(plan_town())


def places(told: Told) -> list[Any]:
    return [
        (path, code, tuple((at["line"], at["column"]) for at in json.loads(where)))
        for path, code, where in told.errors
    ]


def points_at_its_field(query: str, error: Place) -> bool:
    path, _, where = error
    key = next(part for part in reversed(json.loads(path)) if isinstance(part, str))
    lines = query.split("\n")
    return all(lines[line - 1][column - 1 :].startswith(key) for line, column in where)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_planned_as_by_graphql_core_and_as_the_specification_says(case: Case) -> None:
    trial = Trial(world(), case.query)
    assert not trial.mistakes
    ready = trial.ready(trial.prepared, case.variables)
    assert isinstance(ready, Ready)
    planned, ordinary = await trial.both(ready, ready, case.variables)
    assert planned.data == json.dumps(case.data, ensure_ascii=False), "order counts"
    assert planned.data == ordinary.data
    assert places(planned) == list(case.errors)
    assert planned.errors == ordinary.errors
    assert all(points_at_its_field(case.query, error) for error in case.errors)
    assert planned.was_ordinary != case.planned


ONE = "query($id: ResidentIdNumber = %s) { person(idNumber: $id) { name } }" % f'"{BEN}"'
MANY = "query($ids: [ResidentIdNumber!]!) { people(idNumbers: $ids) { name } }"
ROLE = (
    "query($role: BusinessRole, $on: Boolean = true) "
    '{ person(idNumber: "%s") { name @include(if: $on) sex relations(role: $role) { since } } }' % BEN
)
REFUSED: dict[str, tuple[str, dict[str, Any], Code]] = {
    "a variable that must be given is not": (MANY, {}, Code.VARIABLE_INVALID),
    "a variable that must not be null is": (MANY, {"ids": None}, Code.VARIABLE_INVALID),
    "a null in a list of non-nulls": (MANY, {"ids": [BEN, None]}, Code.VARIABLE_INVALID),
    "a list in a list": (MANY, {"ids": [[BEN]]}, Code.RESIDENT_ID_INVALID),
    "an object for a scalar": (MANY, {"ids": {}}, Code.RESIDENT_ID_INVALID),
    "a scalar that is none": (MANY, {"ids": ["11010519491231002"]}, Code.RESIDENT_ID_INVALID),
    "an enum value that is none": (ROLE, {"role": "KING"}, Code.VARIABLE_INVALID),
    "a number for an enum": (ROLE, {"role": 1}, Code.VARIABLE_INVALID),
    "null where a default stands before a non-null argument": (ONE, {"id": None}, Code.ARGUMENT_INVALID),
    "null for a directive's non-null argument": (ROLE, {"on": None}, Code.ARGUMENT_INVALID),
}


@pytest.mark.parametrize(("query", "variables", "code"), REFUSED.values(), ids=REFUSED.keys())
@pytest.mark.parametrize("right", [{"ids": [BEN]}, None], ids=["after a right one", "as the first"])
async def test_what_cannot_be_coerced_is_refused_whole_also_by_a_kept_plan(
    query: str, variables: dict[str, Any], code: Code, right: dict[str, Any] | None
) -> None:
    trial = Trial(world(), query)
    if right is not None:
        assert isinstance(trial.ready(trial.prepared, right if query == MANY else {}), Ready)
    found = trial.ready(trial.prepared, variables)
    assert isinstance(found, tuple)
    assert [problem.code for problem in found] == [code]


TWO = 'query A { person(idNumber: "%s") { name } } query B { person(idNumber: "%s") { sex } }' % (BEN, ANNA)


@pytest.mark.parametrize(
    ("name", "data"), [("A", {"person": {"name": "本杰明"}}), ("B", {"person": {"sex": "FEMALE"}})]
)
async def test_the_named_operation_is_run(name: str, data: Any) -> None:
    trial = Trial(world(), TWO, name)
    ready = trial.ready(trial.prepared, {})
    assert isinstance(ready, Ready)
    planned, ordinary = await trial.both(ready, ready, {})
    assert json.loads(planned.data) == data
    assert planned.data == ordinary.data


@pytest.mark.parametrize("name", [None, "C", ""])
def test_an_operation_must_be_found(name: str | None) -> None:
    document = Trial(world(), TWO, "A").document
    found = document.operation(name)
    assert isinstance(found, Problem)
    assert found.code is Code.OPERATION_UNKNOWN


async def test_a_record_without_an_answer_is_an_error_at_each_of_its_fields_only() -> None:
    day = world().with_faults({("person_by_id_number", BEN): DOWN})
    trial = Trial(
        day, '{ person(idNumber: "%s") {\n idNumber name __typename\n businesses { name } } }' % BEN
    )
    ready = trial.ready(trial.prepared, {})
    assert isinstance(ready, Ready)
    planned, ordinary = await trial.both(ready, ready, {})
    assert planned.body["data"] == {
        "person": {
            "idNumber": BEN,
            "name": None,
            "__typename": "Person",
            "businesses": [{"name": "淄博安康药店"}, {"name": "面包房"}],
        }
    }
    assert places(planned) == [('["person", "name"]', "HUB-211", ((2, 11),))]
    assert planned.data == ordinary.data

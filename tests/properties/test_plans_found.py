"""What generated operations have found: the smallest case of each difference that there once was."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from schema.execution.prepare import Ready
from tests.graphql.town import ACME, ANNA, BEN, Desk, by
from tests.properties.plan_town import BAKERY, CINEMA, EVA, ROLES, plan_town
from tests.properties.plan_world import Told, Trial, World


@cache
def world() -> World:
    """The town on a day when everybody answers."""
    return World.of(plan_town())


async def both(day: World, query: str, variables: dict[str, Any] | None = None) -> tuple[Told, Told]:
    trial = Trial(day, query)
    ready = trial.ready(trial.prepared, variables or {})
    assert isinstance(ready, Ready)
    return await trial.both(ready, ready, variables or {})


async def test_a_subject_of_the_second_wave_is_not_asked_for_again_in_the_third() -> None:
    """Only the first of the earlier waves was looked through."""
    query = "{ business(uscc: %s) { people { name businesses { people { name } } } } }"
    told, _ = await both(world(), query % json.dumps(BAKERY))
    asked = [key for ask in told.asks if ask.offering == "person_by_id_number" for key in ask.keys]
    assert len(asked) == len(set(asked))
    assert not told.was_ordinary


async def test_a_key_that_is_null_is_refused_by_a_kept_plan_too() -> None:
    """It went to the agencies as None, or broke the plan."""
    trial = Trial(
        world(), "query($id: ResidentIdNumber = %s) { person(idNumber: $id) { name } }" % json.dumps(BEN)
    )
    assert isinstance(trial.ready(trial.prepared, {}), Ready)
    assert isinstance(trial.ready(trial.prepared, {"id": None}), tuple)


async def test_representations_that_are_none_are_not_taken_for_the_default() -> None:
    """A variable left out and one without any type had the same plan."""
    default = '[{__typename: "Person", idNumber: %s}]' % json.dumps(BEN)
    trial = Trial(
        world(),
        "query($them: [_Any!]! = %s) { _entities(representations: $them) { ... on Person { name } } }"
        % default,
    )
    assert isinstance(trial.ready(trial.prepared, {}), Ready)
    assert isinstance(trial.ready(trial.prepared, {"them": True}), tuple)


@pytest.mark.parametrize("selected", ["name", "__typename", "name businesses { name }"])
@pytest.mark.parametrize(
    "query",
    [
        "{ business(uscc: %s) { relations { person { SELECTED } } } }" % json.dumps(CINEMA),
        "{ business(uscc: %s) { name people { SELECTED } } }" % json.dumps(CINEMA),
        "{ person(idNumber: %s) { relations { business { SELECTED } } businesses { SELECTED } } }"
        % json.dumps(EVA),
    ],
)
async def test_a_relation_that_names_nobody_is_an_error_there(query: str, selected: str) -> None:
    """A plan passed over a key that was null or none; it may not even need it to answer."""
    if "person(idNumber" in query:
        selected = selected.replace("businesses", "people")
    planned, ordinary = await both(world(), query.replace("SELECTED", selected))
    assert planned.data == ordinary.data
    assert planned.errors == ordinary.errors
    assert {code for _, code, _ in planned.errors} == {"HUB-302"}


async def test_a_list_over_the_bound_is_the_same_error() -> None:
    crowd = [{"person_id": ANNA, "uscc": ACME, "role": "SHAREHOLDER", "since": None}] * 201
    town = plan_town()
    town.desks["market"] = Desk(
        ("business", "uscc", False, town.market.rows["business_by_uscc"]),
        ("business_role", "person_id", True, by(ROLES, "person_id")),
        ("business_role", "uscc", True, by([*ROLES, *crowd], "uscc")),
    )
    query = "{ business(uscc: %s) { name relations { since } people { name } } }" % json.dumps(ACME)
    planned, ordinary = await both(World.of(town), query)
    assert planned.data == ordinary.data
    assert planned.errors == ordinary.errors
    assert [(path, code) for path, code, _ in planned.errors] == [('["business", "relations"]', "HUB-126")]
    assert planned.body["data"]["business"]["people"]

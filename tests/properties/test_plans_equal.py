"""Any generated operation over any day of the agencies: the plan's answer is graphql-core's."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from math import ceil
from random import Random
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    FieldDefinitionNode,
    GraphQLSchema,
    build_ast_schema,
    parse,
    print_ast,
    print_schema,
)
from graphql.language import REMOVE, Visitor, visit
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import queries

from hub.kernel.errors import Problem
from schema.execution.prepare import Ready
from tests.properties.plan_operations import Dressed, Dresser
from tests.properties.plan_town import plan_town
from tests.properties.plan_world import Told, Trial, World, faults_of

EXAMPLES = int(os.environ.get("HUB_TEST_EXAMPLES", "60"))
"""Selections that hypothesis-graphql generates for each question; each is asked in many ways."""

DRESSES = 3
ROOTS = ("person", "people", "business", "businesses", "_entities")
UNPLANNED = ("relationsConnection", "certificatesConnection", "_service")


@cache
def world() -> World:
    """The town on a day when everybody answers."""
    return World.of(plan_town())


class _Bare(Visitor):
    """Takes away arguments, which are chosen here, and fields that are never planned."""

    def enter_field_definition(self, node: FieldDefinitionNode, *_: object) -> Any:
        if node.name.value in UNPLANNED:
            return REMOVE
        return FieldDefinitionNode(name=node.name, type=node.type, arguments=(), directives=())


@cache
def bare_schema() -> GraphQLSchema:
    """The contract as far as selections go."""
    return build_ast_schema(visit(parse(print_schema(world().contract.schema)), _Bare()))


class Count(Counter[str]):
    """What became of the cases, so that none of it can be nothing."""


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all cases."""
    with asyncio.Runner() as made:
        yield made


@pytest.mark.parametrize("root", ROOTS)
def test_every_generated_operation_is_answered_as_graphql_core_answers(
    root: str, runner: asyncio.Runner
) -> None:
    count = Count()

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # the case is told whole; making it smaller would take minutes
        suppress_health_check=list(HealthCheck),
    )
    @given(queries(bare_schema(), fields=[root], print_ast=_as_it_is), st.integers(0, 2**32))
    def examine(document: DocumentNode, seed: int) -> None:
        random = Random(f"{seed} {print_ast(document)}")  # small seeds are what is generated most
        for _ in range(DRESSES):
            dressed = Dresser(world().contract.schema, random).dress(document)
            day = world() if random.random() < 0.5 else world().with_faults(faults_of(world(), random))
            runner.run(_examine(dressed, day, count))

    examine()
    assert count["asked"] > 4 * EXAMPLES, count
    assert count["planned"] > 0.4 * count["asked"], count
    assert count["with errors"] > 0.1 * count["asked"], count
    assert count["by a kept plan"] > 0.1 * count["asked"], count


async def _examine(dressed: Dressed, day: World, count: Count) -> None:
    trial = Trial(day, dressed.text)
    if trial.mistakes:
        count["invalid"] += 1
        return
    for variables in dressed.variables:
        kept = len(trial.prepared.plans.kept)
        ready = trial.ready(trial.prepared, variables)
        fresh = trial.ready(trial.fresh(), variables)
        if isinstance(ready, tuple) or isinstance(fresh, tuple):
            assert _refused(ready) == _refused(fresh), (dressed.text, variables)
            count["refused"] += 1
            continue
        await _compare(trial, ready, fresh, variables, count)
        if ready.compiled is not None and len(trial.prepared.plans.kept) == kept:
            count["by a kept plan"] += 1


def _as_it_is(document: DocumentNode) -> DocumentNode:
    return document


def _refused(ready: Ready | tuple[Problem, ...]) -> list[str]:
    return [problem.code.label for problem in ready] if isinstance(ready, tuple) else []


async def _compare(
    trial: Trial, ready: Ready, fresh: Ready, variables: Mapping[str, Any], count: Count
) -> None:
    case = (trial.text, dict(variables))
    assert ready.asked.question == fresh.asked.question, case
    planned, ordinary = await trial.both(ready, fresh, variables)
    assert planned.data == ordinary.data, case
    assert planned.errors == ordinary.errors, case
    if ready.compiled is not None:
        _assert_asked_once(trial.world, planned, case)
    count["asked"] += 1
    count["planned"] += not planned.was_ordinary
    count["with a plan"] += ready.compiled is not None
    count["with errors"] += bool(planned.errors)


def _assert_asked_once(day: World, told: Told, case: Any) -> None:
    """No key of an offering is asked for twice with columns that were there, and calls are batches."""
    seen: dict[tuple[str, str], list[set[str]]] = {}
    for ask in told.asks:
        for key in ask.keys:
            before = seen.setdefault((ask.offering, key), [])
            assert not any(set(ask.columns) <= columns for columns in before), (case, told.asks, told.waves)
            before.append(set(ask.columns))
    calls = 0
    for wave in told.waves:
        for need in wave:
            offering = day.offering(need)
            calls += ceil(len(need.subjects) / offering.batch) if offering else 0
    assert len(told.asks) == calls, case

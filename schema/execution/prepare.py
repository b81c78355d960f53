"""Prepares an operation once for each structure of its variables: what it asks, its plan, its code."""

from __future__ import annotations

from collections.abc import Container, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import GraphQLSchema, OperationDefinitionNode
from graphql.execution.values import VariableValues, get_variable_values

from hub.catalogue.model import RecordCode, RecordType
from hub.kernel.errors import Code, Problem
from hub.subjects.model import Subject
from schema.execution.document import Document
from schema.execution.estimate import Costs
from schema.execution.operation import Asked, ask, wrong_variable
from schema.execution.plan import Fetch, Keyed, Plan, Values
from schema.execution.planner import plan_of
from schema.execution.recent import Recent
from schema.execution.shape import Shaped, SourceParts, shape_of
from schema.execution.variables import Coercion, NotQuickError, Structure
from schema.limits import MAX_SUBJECTS, too_large
from schema.paging import LIST_LIMIT

PLANS_KEPT = 2_000_000  # characters of generated code, all plans of a contract together
MAX_MISTAKES = 5

Raw = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compiled:
    """A plan with its code, what it costs, and how the variables of further requests are coerced for it."""

    plan: Plan
    shape: Shaped
    source: str
    sources: tuple[tuple[Fetch, SourceParts], ...]
    coercion: Coercion
    costs: Costs


class Ready(msgspec.Struct, frozen=True):
    """One request's operation, ready to run. Without ``compiled`` the ordinary executor runs it."""

    asked: Asked
    compiled: Compiled | None
    values: Values
    named: list[Keyed]


@dataclass(frozen=True, slots=True)
class _Kept:
    asked: Asked
    compiled: Compiled


class Plans:
    """The plans of one contract, bounded by the size of their code."""

    def __init__(self, most: int = PLANS_KEPT) -> None:
        self.kept: Recent[tuple[Prepared, Hashable], _Kept] = Recent(most, most)

    def moved(self, prepared: Container[Prepared], changed: frozenset[RecordCode]) -> Plans:
        """What stays good when these records have changed or gone: plans of those operations without them."""
        made = Plans()
        made.kept = self.kept.filtered(
            lambda key, kept: key[0] in prepared and kept.asked.question.fields.keys().isdisjoint(changed)
        )
        return made

    def get(self, prepared: Prepared, key: Hashable) -> _Kept | None:
        """The plan of an operation for one structure of its variables."""
        return self.kept.get((prepared, key))

    def put(self, prepared: Prepared, key: Hashable, kept: _Kept) -> None:
        """Keeps a plan, and lets go of others as the bound demands."""
        self.kept.put((prepared, key), kept, len(kept.compiled.source))


class Prepared:
    """One operation of a document against one schema."""

    def __init__(
        self,
        schema: GraphQLSchema,
        records: Mapping[RecordCode, RecordType],
        record_of_type: Mapping[str, RecordCode],
        plans: Plans,
        document: Document,
        operation: OperationDefinitionNode,
    ) -> None:
        self.schema = schema
        self.records = records
        self.record_of_type = record_of_type
        self.document = document
        self.operation = operation
        self.structure = Structure(document, operation)
        self.plans = plans

    def move(
        self,
        schema: GraphQLSchema,
        records: Mapping[RecordCode, RecordType],
        record_of_type: Mapping[str, RecordCode],
        plans: Plans,
    ) -> None:
        """From now on it is prepared against the next state of the contract, in which it is still valid."""
        self.schema, self.records, self.record_of_type, self.plans = schema, records, record_of_type, plans

    def ready(self, raw: Raw) -> Ready | tuple[Problem, ...]:
        """The operation for these variables, or every problem that they have."""
        key = self.structure.key(raw)
        kept = self.plans.get(self, key)
        if kept is not None:
            try:
                return self._ready(kept, kept.compiled.coercion.values(raw))
            except NotQuickError:
                pass  # the library's own coercion below decides, with its errors
        return self._prepare(key, raw, known=kept is not None)

    def _prepare(self, key: Hashable, raw: Raw, *, known: bool) -> Ready | tuple[Problem, ...]:
        variables = get_variable_values(
            self.schema, self.operation.variable_definitions or (), dict(raw), max_errors=MAX_MISTAKES
        )
        if isinstance(variables, list):
            return tuple(map(wrong_variable, variables[:MAX_MISTAKES]))
        asked = ask(self.schema, self.records, self.record_of_type, self.document, self.operation, variables)
        if isinstance(asked, Problem):
            return (asked,)
        compiled = self._compile(variables) if asked.question.fields and not asked.introspects else None
        if compiled is None:
            return Ready(asked, None, variables.coerced, [])
        kept = _Kept(asked, compiled)
        if not known:
            self.plans.put(self, key, kept)
        return self._ready(kept, variables.coerced)

    def _compile(self, variables: VariableValues) -> Compiled | None:
        plan = plan_of(self.schema, self.records, self.document, self.operation, variables)
        if plan is None:
            return None
        shape, source, sources = shape_of(plan)
        coercion = Coercion(self.schema, self.operation, self.structure, variables.coerced)
        return Compiled(plan, shape, source, sources, coercion, Costs(plan))

    @staticmethod
    def _ready(kept: _Kept, values: Values) -> Ready | tuple[Problem, ...]:
        named = kept.compiled.plan.named(values)
        for keyed in named:
            if len(keyed) > LIST_LIMIT:
                return (Problem(Code.LIST_TOO_LONG, {"maximum": str(LIST_LIMIT)}),)
        roots: dict[Subject, None] = dict.fromkeys([subject for keyed in named for _, subject in keyed])
        if len(roots) > MAX_SUBJECTS:
            return (too_large("subjects", MAX_SUBJECTS),)
        return Ready(kept.asked.about(tuple(roots)), kept.compiled, values, named)

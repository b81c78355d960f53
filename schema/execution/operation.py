"""Turns an operation with its variables into the law's question: records, fields and subjects."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from graphql import (
    ArgumentNode,
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)
from graphql.execution.values import (
    VariableValues,
    get_argument_values,
)
from graphql.language import Visitor, visit

from hub.catalogue.model import FieldCode, Kind, RecordCode, RecordType
from hub.facts.model import Question
from hub.kernel.errors import Code, HubError, Problem
from hub.subjects.model import Subject
from schema.asks import Reads, asks_of
from schema.context import ReadsAt
from schema.execution.collect import Selections
from schema.execution.document import Document
from schema.faults import CODE, NAME, problem_of, repeatable
from schema.limits import MAX_SUBJECTS, too_large
from schema.paging import LIST_LIMIT

Bag = dict[str, set[str]]


class Asked(msgspec.Struct, frozen=True):
    """What an operation with its variables asks. ``introspects``: it reads the contract itself.

    ``reads`` and ``widths``: by field node, what is read behind it, and the fields of each object there.
    """

    question: Question
    reads: ReadsAt
    widths: Mapping[int, int]
    introspects: bool

    def about(self, roots: tuple[Subject, ...]) -> Asked:
        """The same, asked about other subjects."""
        question = Question(self.question.digest, self.question.fields, roots)
        return Asked(question, self.reads, self.widths, self.introspects)


def ask(
    schema: GraphQLSchema,
    records: Mapping[RecordCode, RecordType],
    record_of_type: Mapping[str, RecordCode],
    document: Document,
    operation: OperationDefinitionNode,
    values: VariableValues,
) -> Asked | Problem:
    """The question of one operation: what ``@skip`` and ``@include`` remove is not asked."""
    reading = _Reading(schema, records, record_of_type, document, values)
    try:
        reading.operation(operation)
    except HubError as refused:
        return refused.problem
    except GraphQLError as error:
        return wrong_argument(error, document)
    return reading.asked()


def wrong_variable(error: GraphQLError) -> Problem:
    """The numbered problem of a variable that cannot be coerced."""
    problem = problem_of(error, Code.VARIABLE_INVALID)
    if problem.code is not Code.VARIABLE_INVALID:
        return problem
    name = getattr(getattr(error.nodes[0], "variable", None), "name", None) if error.nodes else None
    return Problem(Code.VARIABLE_INVALID, {"part": repeatable(name.value if name else "", NAME)})


def wrong_argument(error: GraphQLError, document: Document) -> Problem:
    """The numbered problem of an argument that cannot be coerced, found where the error points to."""
    problem = problem_of(error, Code.ARGUMENT_INVALID)
    if problem.code is not Code.ARGUMENT_INVALID:
        return problem
    finder = _ArgumentAt(error.positions or ())
    visit(document.ast, finder)
    return Problem(Code.ARGUMENT_INVALID, {"part": finder.name})


class _ArgumentAt(Visitor):
    """Finds the argument in whose text one of the positions lies."""

    def __init__(self, positions: Collection[int]) -> None:
        super().__init__()
        self.positions = positions
        self.name = ""

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        if node.loc and any(node.loc.start <= position < node.loc.end for position in self.positions):
            self.name = node.name.value


@dataclass(frozen=True, slots=True)
class _At:
    """Where the walk stands: type, records, what is asked of them, and the field that led here."""

    parent: Any
    records: Sequence[str]
    bag: Bag
    owner: int


class _Reading:
    """Walks an operation's selections and gathers what each asks."""

    def __init__(
        self,
        schema: GraphQLSchema,
        records: Mapping[RecordCode, RecordType],
        record_of_type: Mapping[str, RecordCode],
        document: Document,
        variables: VariableValues,
    ) -> None:
        self.schema = schema
        self.records = records
        self.record_of_type = record_of_type
        self.document = document
        self.variables = variables
        self.selections = Selections(schema, document.fragments, variables)
        self.behind: dict[int, Bag] = {}
        self.roots: dict[Subject, None] = {}
        self.widths: dict[int, int] = {}
        self.introspects = False

    def operation(self, operation: OperationDefinitionNode) -> None:
        root = self.schema.get_root_type(operation.operation)
        if root is None:
            raise HubError(Code.OPERATION_UNKNOWN)
        self._selections(operation.selection_set, _At(root, (), {}, id(operation)))

    def asked(self) -> Asked:
        total: Bag = {}
        for bag in self.behind.values():
            for record, codes in bag.items():
                total.setdefault(record, set()).update(codes)
        fields = {
            RecordCode(record): frozenset(map(FieldCode, codes))
            for record, codes in sorted(total.items())
            if codes
        }
        reads = {
            node: {record: frozenset(codes) for record, codes in bag.items()}
            for node, bag in self.behind.items()
        }
        question = Question(self.document.digest, fields, tuple(self.roots))
        return Asked(question, reads, self.widths, self.introspects)

    def _selections(self, selected: SelectionSetNode, at: _At) -> None:
        for selection in selected.selections:
            if not self.selections.included(selection):
                continue
            match selection:
                case FieldNode():
                    self._field(selection, at)
                case InlineFragmentNode():
                    condition = selection.type_condition
                    self._narrowed(condition.name.value if condition else None, selection, at)
                case FragmentSpreadNode():
                    fragment = self.document.fragments[selection.name.value]
                    self._narrowed(fragment.type_condition.name.value, fragment, at)

    def _narrowed(self, condition: str | None, node: Any, at: _At) -> None:
        if condition is None:
            return self._selections(node.selection_set, at)
        own = self.record_of_type.get(condition)
        if own is not None and own not in at.records:
            return None
        narrowed = at.records if own is None else (own,)
        return self._selections(
            node.selection_set, replace(at, parent=self.schema.get_type(condition), records=narrowed)
        )

    def _field(self, node: FieldNode, at: _At) -> None:
        definition = self.schema.get_field(at.parent, node.name.value)
        if definition is None:
            raise LookupError("a validated document has no unknown fields")
        self.introspects |= node.name.value in ("__schema", "__type", "_service")
        self.widths[at.owner] = self.widths.get(at.owner, 0) + 1
        arguments = get_argument_values(definition, node, self.variables)
        _bound(arguments)
        asks = asks_of(definition)
        self._name_roots(asks.roots(arguments))
        self._add(at.bag, at.records, asks.own(arguments))
        behind = self.behind.setdefault(id(node), {})
        self._enter(behind, asks.through(arguments))
        below = replace(at, parent=get_named_type(definition.type))
        if asks.enters is not None:
            entered = asks.enters(arguments)
            self._check_types(definition, entered)
            self._enter(behind, entered)
            below = _At(below.parent, tuple(entered), behind, id(node))
        if node.selection_set:
            self._selections(node.selection_set, below)

    def _name_roots(self, subjects: Sequence[Subject]) -> None:
        self.roots.update(dict.fromkeys(subjects))
        if len(self.roots) > MAX_SUBJECTS:
            problem = too_large("subjects", MAX_SUBJECTS)
            raise HubError(problem.code, **problem.detail)

    def _add(self, bag: Bag, records: Sequence[str], codes: Sequence[str]) -> None:
        for code in codes if records else ():
            having = [
                record for record in records if FieldCode(code) in self.records[RecordCode(record)].fields
            ]
            if not having:
                raise HubError(Code.CLAIM_UNKNOWN, fields=repeatable(code, CODE))
            for record in having:
                bag.setdefault(record, set()).add(code)

    @staticmethod
    def _enter(bag: Bag, reads: Reads) -> None:
        for record, codes in reads.items():
            bag.setdefault(record, set()).update(codes)

    def _check_types(self, definition: GraphQLField, entered: Reads) -> None:
        for code in entered:
            record = self.records.get(RecordCode(code))
            if record is None or ("types" in definition.args and record.kind is not Kind.EVIDENCE):
                raise HubError(Code.EVIDENCE_TYPE_UNKNOWN, record=repeatable(code, CODE))


def _bound(arguments: Mapping[str, Any]) -> None:
    for value in arguments.values():
        if isinstance(value, list) and len(value) > LIST_LIMIT:
            raise HubError(Code.LIST_TOO_LONG, maximum=str(LIST_LIMIT))

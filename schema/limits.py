"""Bounds what a document may cost before anything is done with it."""

from __future__ import annotations

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.language import BREAK, Visitor, VisitorAction, visit

from hub.kernel.errors import Code, Problem

MAX_TOKENS = 5_000
MAX_ALIASES = 100
MAX_DIRECTIVES = 100
MAX_DEPTH = 15
MAX_FIELDS = 2_000  # with fragments spread out
MAX_FRAGMENTS = 150  # places with a fragment: validation compares each with each
MAX_REPEATED = 50  # fields that stand in a selection set again, with nothing new
MAX_SUBJECTS = 200  # named by one operation


def too_large(what: str, maximum: int) -> Problem:
    """The problem of a document over one of the bounds."""
    return Problem(Code.DOCUMENT_TOO_LARGE, {"limit": what, "maximum": str(maximum)})


def over_limits(document: DocumentNode) -> Problem | None:
    """The first bound that a parsed document exceeds."""
    return _too_many(document) or _too_wide(document)


def _too_many(document: DocumentNode) -> Problem | None:
    counter = _Counter()
    visit(document, counter)
    if counter.aliases > MAX_ALIASES:
        return too_large("aliases", MAX_ALIASES)
    if counter.directives > MAX_DIRECTIVES:
        return too_large("directives", MAX_DIRECTIVES)
    if counter.fragments > MAX_FRAGMENTS:
        return too_large("fragments", MAX_FRAGMENTS)
    if counter.repeated > MAX_REPEATED:
        return too_large("repeated", MAX_REPEATED)
    return None


def _too_wide(document: DocumentNode) -> Problem | None:
    measure = _Measure(document)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            fields, depth = measure.of(definition.selection_set)
            if depth > MAX_DEPTH:
                return too_large("depth", MAX_DEPTH)
            if fields > MAX_FIELDS:
                return too_large("fields", MAX_FIELDS)
    return None


class _Counter(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.aliases = 0
        self.directives = 0
        self.fragments = 0
        self.repeated = 0

    def enter_selection_set(self, node: SelectionSetNode, *_: object) -> VisitorAction:
        fields = [selection for selection in node.selections if isinstance(selection, FieldNode)]
        names = {(field.alias or field.name).value for field in fields}
        self.fragments += len(node.selections) - len(fields)
        self.repeated += len(fields) - len(names)
        return BREAK if self.fragments > MAX_FRAGMENTS or self.repeated > MAX_REPEATED else None

    def enter_field(self, node: FieldNode, *_: object) -> VisitorAction:
        self.aliases += node.alias is not None
        return BREAK if self.aliases > MAX_ALIASES else None

    def enter_directive(self, *_: object) -> VisitorAction:
        self.directives += 1
        return BREAK if self.directives > MAX_DIRECTIVES else None


class _Measure:
    """Fields and depth with every fragment spread out, each measured once; cycles count as nothing."""

    def __init__(self, document: DocumentNode) -> None:
        self.fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self.known: dict[str, tuple[int, int]] = {}

    def of(self, selections: SelectionSetNode) -> tuple[int, int]:
        fields = depth = 0
        for selection in selections.selections:
            if isinstance(selection, FragmentSpreadNode):
                inner = self._fragment(selection.name.value)
            else:
                below = getattr(selection, "selection_set", None)
                inner = self.of(below) if below else (0, 0)
                if isinstance(selection, FieldNode):
                    inner = inner[0] + 1, inner[1] + 1
            fields, depth = fields + inner[0], max(depth, inner[1])
        return fields, depth

    def _fragment(self, name: str) -> tuple[int, int]:
        if name not in self.known:
            self.known[name] = (0, 0)
            fragment = self.fragments.get(name)
            if fragment:
                self.known[name] = self.of(fragment.selection_set)
        return self.known[name]

"""Parses and validates documents once, within bounds, and says in our words what is wrong with them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import chain
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    GraphQLSyntaxError,
    InlineFragmentNode,
    NameNode,
    NullValueNode,
    OperationDefinitionNode,
    ValueNode,
    parse,
    print_ast,
    specified_rules,
    validate,
)
from graphql.language import SKIP, Visitor, visit

from hub.documents.rules import MOST_DOCUMENTS
from hub.kernel.errors import Code, HubError, Problem
from schema.execution.recent import Recent
from schema.faults import root_cause
from schema.limits import MAX_DEPTH, MAX_TOKENS, over_limits, too_large

MAX_ERRORS = 5
KEPT = 1_000
KEPT_CHARACTERS = 500_000  # parsed, a character takes some 80 bytes


@dataclass(frozen=True, slots=True)
class Document:
    """A valid document, with its operations by name and its digest without values and names of its own.

    ``types``: those that it names in the conditions of its fragments.
    """

    ast: DocumentNode
    operations: Mapping[str, OperationDefinitionNode]
    fragments: Mapping[str, FragmentDefinitionNode]
    digest: bytes
    types: frozenset[str]
    trusted: bool = False
    prepared: dict[str, Any] = field(
        default_factory=dict, compare=False
    )  # by operation name, with the document

    def operation(self, name: str | None) -> OperationDefinitionNode | Problem:
        """The operation to run: the named one, or the only one."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        found = self.operations.get(name or "")
        return found or Problem(Code.OPERATION_UNKNOWN)


Mistakes = tuple[GraphQLError, ...]


class Documents:
    """Reads documents against one schema, and keeps what it has read, good or bad.

    Of those that anybody may send, so many as the two bounds allow. Trusted ones, whose number the operator
    bounds, are kept apart: no crowd of others drives them out.
    """

    def __init__(
        self, schema: GraphQLSchema, *, most: int = KEPT, most_characters: int = KEPT_CHARACTERS
    ) -> None:
        self.schema = schema
        self.kept: Recent[str, Document | Mistakes] = Recent(most, most_characters)
        self.trusted: OrderedDict[str, Document | Mistakes] = OrderedDict()

    def moved(self, schema: GraphQLSchema, changed: frozenset[str]) -> Documents:
        """What stays good when these evidence types have changed or gone: valid, and naming none of them."""

        def stays(_: str, read: Document | Mistakes) -> bool:
            return isinstance(read, Document) and read.types.isdisjoint(changed)

        made = Documents(schema, most=self.kept.most, most_characters=self.kept.most_weight)
        made.kept = self.kept.filtered(stays)
        made.trusted = OrderedDict((text, read) for text, read in self.trusted.items() if stays(text, read))
        return made

    def all(self) -> Iterator[Document]:
        """Every valid document that is kept."""
        held = chain(self.trusted.values(), map(self.kept.peek, self.kept))
        return (one for one in held if isinstance(one, Document))

    def read(self, text: str, *, trusted: bool = False) -> Document | Mistakes:
        """The document, or at most MAX_ERRORS mistakes, and one more that says so."""
        if trusted:
            return self._trusted(text)
        found = self.kept.get(text)
        if found is None:
            found = self._read(text)
            self.kept.put(text, found, len(text))
        return found

    def _trusted(self, text: str) -> Document | Mistakes:
        found = self.trusted.get(text)
        if found is None:
            read = self._read(text)
            found = replace(read, trusted=True) if isinstance(read, Document) else read
            self.trusted[text] = found
            if len(self.trusted) > MOST_DOCUMENTS:
                self.trusted.popitem(last=False)  # the oldest: most likely registered no more
        return found

    def _read(self, text: str) -> Document | Mistakes:
        try:
            ast = parse(text, max_tokens=MAX_TOKENS)
        except GraphQLSyntaxError as error:
            return (_syntax(error),)
        except RecursionError:
            return (_error(too_large("depth", MAX_DEPTH)),)
        over = over_limits(ast)
        if over:
            return (_error(over),)
        mistakes = validate(self.schema, ast, RULES, max_errors=MAX_ERRORS)
        if mistakes:
            return tuple(_invalid(mistake) for mistake in mistakes)
        return _document(ast)


def _document(ast: DocumentNode) -> Document:
    operations: dict[str, OperationDefinitionNode] = {}
    fragments: dict[str, FragmentDefinitionNode] = {}
    for definition in ast.definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations[definition.name.value if definition.name else ""] = definition
        elif isinstance(definition, FragmentDefinitionNode):
            fragments[definition.name.value] = definition
    return Document(ast, operations, fragments, digest_of(ast), _types_named(ast))


class _Conditions(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: object) -> None:
        self.names.add(node.type_condition.name.value)

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: object) -> None:
        if node.type_condition is not None:
            self.names.add(node.type_condition.name.value)


def _types_named(ast: DocumentNode) -> frozenset[str]:
    conditions = _Conditions()
    visit(ast, conditions)
    return frozenset(conditions.names)


def digest_of(ast: DocumentNode) -> bytes:
    """SHA-256 of a document without aliases, literal values and its own names: it betrays none of them."""
    return sha256(print_ast(visit(ast, _Stripped())).encode()).digest()


class _Stripped(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, str] = {}

    def enter(self, node: Any, key: Any, parent: Any, *_: object) -> Any:
        if isinstance(node, ValueNode) and node.kind != "variable":
            return NullValueNode()
        if isinstance(node, NameNode) and key == "name" and _is_own_name(parent):
            return NameNode(value=self.names.setdefault(node.value, f"n{len(self.names)}"))
        if isinstance(node, NameNode) and key == "alias":
            return SKIP
        return None

    def leave_field(self, node: FieldNode, *_: object) -> FieldNode:
        return FieldNode(
            name=node.name,
            arguments=node.arguments,
            directives=node.directives,
            selection_set=node.selection_set,
        )


OWN_NAMES = ("operation_definition", "fragment_definition", "fragment_spread", "variable")


def _is_own_name(parent: Any) -> bool:
    return getattr(parent, "kind", None) in OWN_NAMES


def _error(problem: Problem, at: GraphQLError | None = None) -> GraphQLError:
    cause = HubError(problem.code, **problem.detail)
    if at is None:
        return GraphQLError(problem.code.label, original_error=cause)
    return GraphQLError(
        problem.code.label, nodes=at.nodes, source=at.source, positions=at.positions, original_error=cause
    )


def _place(error: GraphQLError) -> dict[str, str]:
    place = error.locations[0] if error.locations else None
    return {"line": str(place.line if place else 1), "column": str(place.column if place else 1)}


def _syntax(error: GraphQLSyntaxError) -> GraphQLError:
    if "Document contains more" in error.message:
        return _error(too_large("tokens", MAX_TOKENS))
    return _error(Problem(Code.DOCUMENT_SYNTAX, _place(error)), error)


def _invalid(error: GraphQLError) -> GraphQLError:
    cause = root_cause(error)
    if isinstance(cause, HubError):
        return _error(cause.problem, error)
    rule = str((error.extensions or {}).get(RULE, "Schema"))
    return _error(Problem(Code.DOCUMENT_INVALID, {"rule": rule, **_place(error)}), error)


RULE = "rule"


def _telling(rule: Any) -> Any:
    """The rule itself, but its errors carry its name, which the library keeps to itself."""

    class Telling(rule):  # type: ignore[misc]  # its base is only known at run time
        def report_error(self, error: GraphQLError) -> None:
            error.extensions = {RULE: rule.__name__.removesuffix("Rule")}
            super().report_error(error)

    return Telling


RULES = tuple(_telling(rule) for rule in specified_rules)

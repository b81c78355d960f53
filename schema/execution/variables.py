"""Which variables decide a plan's structure, and the quick coercion of those that only carry data."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from graphql import (
    ArgumentNode,
    DirectiveNode,
    FieldNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableDefinitionNode,
    VariableNode,
    type_from_ast,
)
from graphql.execution.values import VariableValues, get_variable_values
from graphql.language import Visitor, visit

from hub.kernel.errors import HubError
from schema.execution.document import Document

DATA = frozenset({"idNumber", "idNumbers", "uscc", "usccs", "first", "after"})
"""Arguments whose values change nothing in a plan but the keys it asks by."""

PRESENCE = frozenset({"name", "validOn"})
"""Arguments of which a plan depends on whether they are given."""

TYPED = frozenset({"representations"})
"""Arguments of which a plan depends on the types that they name."""

UNDECIDED = (HubError, GraphQLError, ValueError, TypeError)
"""What a scalar raises at a value that it does not take."""

MISSING = object()  # equal to no value that JSON can carry
Raw = Mapping[str, Any]
Coercer = Callable[[Any], Any]


class NotQuickError(Exception):
    """The quick coercion does not decide this value; the library's own does, with its errors."""


class Structure:
    """What of an operation's variables decides its plan."""

    def __init__(self, document: Document, operation: OperationDefinitionNode) -> None:
        uses = _Uses()
        visit(operation, uses)
        for fragment in document.fragments.values():
            visit(fragment, uses)
        self.by_value = sorted(uses.by_value)
        self.by_presence = sorted(uses.by_presence - uses.by_value)
        self.by_type = sorted(uses.by_type - uses.by_value)
        self.is_fixed = not (self.by_value or self.by_presence or self.by_type)

    def key(self, raw: Raw) -> Hashable:
        """Equal for variables that have the same plan."""
        if self.is_fixed:
            return None
        return (
            tuple(_frozen(raw.get(name, MISSING)) for name in self.by_value),
            tuple(_presence(raw, name) for name in self.by_presence),
            tuple((_presence(raw, name), _types(raw.get(name))) for name in self.by_type),
        )


class _Uses(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.by_value: set[str] = set()
        self.by_presence: set[str] = set()
        self.by_type: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        for argument in node.arguments or ():
            self._argument(argument)

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        for argument in node.arguments or ():
            self.by_value |= _variables_in(argument)

    def _argument(self, argument: ArgumentNode) -> None:
        name = argument.name.value
        if not isinstance(argument.value, VariableNode):
            self.by_value |= _variables_in(argument)
        elif name in PRESENCE:
            self.by_presence.add(argument.value.name.value)
        elif name in TYPED:
            self.by_type.add(argument.value.name.value)
        elif name not in DATA:
            self.by_value.add(argument.value.name.value)


class _Names(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self.names.add(node.name.value)


def _variables_in(node: ArgumentNode) -> set[str]:
    found = _Names()
    visit(node, found)
    return found.names


def _presence(raw: Raw, name: str) -> str:
    """A variable that is left out may have a default, one that is null has none."""
    if name not in raw:
        return "absent"
    return "null" if raw[name] is None else "given"


def _frozen(value: Any) -> Hashable:
    if value is MISSING:
        return value
    if isinstance(value, list):
        return ("list", *map(_frozen, value))
    if isinstance(value, dict):
        return ("object", *((name, _frozen(one)) for name, one in sorted(value.items())))
    return (type(value).__name__, value)


def _types(representations: Any) -> Hashable:
    listed = representations if isinstance(representations, list) else [representations]
    return frozenset(str(one.get("__typename")) if isinstance(one, dict) else "" for one in listed)


class Coercion:
    """Coerces the variables that carry data; those of the structure were coerced when the plan was made."""

    def __init__(
        self, schema: GraphQLSchema, operation: OperationDefinitionNode, structure: Structure, known: Raw
    ) -> None:
        """``known``: the coerced variables of the request that the plan was made for."""
        definitions = {
            definition.variable.name.value: definition for definition in operation.variable_definitions or ()
        }
        self.known = {name: known[name] for name in structure.by_value if name in known}
        self.coercers = {
            name: _coercer(schema, definition, may_be_null=name in structure.by_presence)
            for name, definition in definitions.items()
            if name not in structure.by_value
        }
        self.defaults = _defaults(schema, operation)

    def values(self, raw: Raw) -> dict[str, Any]:
        """The coerced variables; raises NotQuickError where the library must decide."""
        values = dict(self.known)
        for name, (coerce, firm) in self.coercers.items():
            if name in raw:
                values[name] = coerce(raw[name])
            elif name in self.defaults:
                values[name] = self.defaults[name]
            elif firm:
                raise NotQuickError
        return values


def _coercer(
    schema: GraphQLSchema, definition: VariableDefinitionNode, *, may_be_null: bool
) -> tuple[Coercer, bool]:
    """How a variable is coerced, and whether it must be given for the quick way.

    A key is never null, but a variable with a default may be declared so.
    """
    kind: Any = type_from_ast(schema, definition.type)
    firm = isinstance(kind, GraphQLNonNull) or definition.default_value is not None
    return _coerce(kind) if may_be_null else _firm(_coerce(kind)), firm


def _defaults(schema: GraphQLSchema, operation: OperationDefinitionNode) -> Raw:
    """The coerced defaults of an operation's variables."""
    declared = [one for one in operation.variable_definitions or () if one.default_value is not None]
    found = get_variable_values(schema, declared, {})
    return found.coerced if isinstance(found, VariableValues) else {}


def _coerce(kind: GraphQLInputType | None) -> Coercer:
    match kind:
        case GraphQLNonNull(of_type=inner):
            return _firm(_coerce(inner))
        case GraphQLList(of_type=GraphQLNonNull(of_type=GraphQLScalarType() as inner)):
            return _scalars(inner)
        case GraphQLList(of_type=inner):
            return _listed(_coerce(inner))
        case GraphQLScalarType():
            return _scalar(kind)
        case _:
            return _undecided


def _firm(coerce: Coercer) -> Coercer:
    def firm(value: Any) -> Any:
        if value is None:
            raise NotQuickError
        return coerce(value)

    return firm


def _listed(coerce: Coercer) -> Coercer:
    def listed(value: Any) -> Any:
        if value is None:
            return None
        return [coerce(one) for one in value] if isinstance(value, list) else [coerce(value)]

    return listed


def _scalar(kind: GraphQLScalarType) -> Coercer:
    parse = kind.parse_value

    def scalar(value: Any) -> Any:
        if value is None:
            return None
        try:
            return parse(value)
        except UNDECIDED:
            raise NotQuickError from None

    return scalar


def _scalars(kind: GraphQLScalarType) -> Coercer:
    """A list without nulls; the keys of a question come as one, and may be many."""
    parse = kind.parse_value

    def scalars(value: Any) -> Any:
        if value is None:
            return None
        values = value if isinstance(value, list) else [value]
        if None in values:
            raise NotQuickError
        try:
            return [parse(one) for one in values]
        except UNDECIDED:
            raise NotQuickError from None

    return scalars


def _undecided(_: Any) -> Any:
    raise NotQuickError

"""Describes what goes into and comes out of an operation as JSON Schema (2020-12)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    type_from_ast,
)
from graphql.pyutils import Undefined
from graphql.utilities import value_from_ast_untyped

from schema.execution.document import Document

JsonSchema = dict[str, Any]
Selected = tuple[FieldNode, bool]  # a field, and whether a directive may leave it out

SCALARS: Mapping[str, JsonSchema] = MappingProxyType(
    {
        "Int": {"type": "integer", "format": "int32"},
        "Float": {"type": "number"},
        "Boolean": {"type": "boolean"},
        "Date": {"type": "string", "format": "date"},
        "DateTime": {"type": "string", "format": "date-time"},
        "_Any": {"type": "object"},
    }
)
TEXT: JsonSchema = {"type": "string"}


def variables_of(schema: GraphQLSchema, operation: OperationDefinitionNode) -> JsonSchema:
    """The object of an operation's variables."""
    properties: JsonSchema = {}
    required = []
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        kind = type_from_ast(schema, definition.type)
        properties[name] = _given(kind)
        if definition.default_value is not None:
            properties[name]["default"] = value_from_ast_untyped(definition.default_value)
        elif isinstance(kind, GraphQLNonNull):
            required.append(name)
    return _object(properties, required)


def data_of(schema: GraphQLSchema, document: Document, operation: OperationDefinitionNode) -> JsonSchema:
    """The ``data`` of an operation's answer; null where an error has taken all of it."""
    query = schema.query_type
    if query is None:
        raise TypeError("the contract has no query type")
    return _or_null(_Answer(schema, document).object([operation.selection_set], query))


def _given(kind: Any) -> JsonSchema:
    if isinstance(kind, GraphQLNonNull):
        return _given_firm(kind.of_type)
    return _or_null(_given_firm(kind))


def _given_firm(kind: Any) -> JsonSchema:
    match kind:
        case GraphQLList(of_type=inner):
            return {"type": "array", "items": _given(inner)}
        case GraphQLInputObjectType(fields=fields):
            required = [
                name
                for name, field in fields.items()
                if isinstance(field.type, GraphQLNonNull) and field.default_value is Undefined
            ]
            return _object({name: _given(field.type) for name, field in fields.items()}, required)
        case _:
            return _leaf(kind)


def _leaf(kind: Any) -> JsonSchema:
    if isinstance(kind, GraphQLEnumType):
        return {"type": "string", "enum": list(kind.values)}
    told = {"description": kind.description} if isinstance(kind, GraphQLScalarType) else {}
    return SCALARS.get(kind.name, TEXT) | (told if kind.name not in ("String", "ID") else {})


def _object(properties: JsonSchema, required: Sequence[str]) -> JsonSchema:
    made: JsonSchema = {"type": "object", "properties": properties}
    return made | {"required": list(required)} if required else made


def _or_null(described: JsonSchema) -> JsonSchema:
    if described.keys() == {"anyOf"}:
        return {"anyOf": [*described["anyOf"], {"type": "null"}]}
    return {"anyOf": [described, {"type": "null"}]}


class _Answer:
    """The shape that selections give to an answer."""

    def __init__(self, schema: GraphQLSchema, document: Document) -> None:
        self.schema = schema
        self.fragments = document.fragments

    def object(self, sets: Iterable[SelectionSetNode], kind: GraphQLObjectType) -> JsonSchema:
        """An object of this type with what is selected of it."""
        selected: dict[str, list[Selected]] = {}
        for one in sets:
            for node, optional in self._fields(one, kind, optional=False):
                key = node.alias.value if node.alias else node.name.value
                selected.setdefault(key, []).append((node, optional))
        properties = {key: self._field(nodes, kind) for key, nodes in selected.items()}
        required = [key for key, nodes in selected.items() if not all(optional for _, optional in nodes)]
        return _object(properties, required)

    def _fields(
        self, selections: SelectionSetNode, kind: GraphQLObjectType, *, optional: bool
    ) -> Iterator[Selected]:
        for selection in selections.selections:
            left_out = optional or bool(selection.directives)
            match selection:
                case FieldNode():
                    yield selection, left_out
                case FragmentSpreadNode():
                    fragment = self.fragments[selection.name.value]
                    if self._applies(fragment.type_condition.name.value, kind):
                        yield from self._fields(fragment.selection_set, kind, optional=left_out)
                case InlineFragmentNode(type_condition=condition):
                    if condition is None or self._applies(condition.name.value, kind):
                        yield from self._fields(selection.selection_set, kind, optional=left_out)

    def _applies(self, condition: str, kind: GraphQLObjectType) -> bool:
        named = self.schema.type_map[condition]
        if isinstance(named, GraphQLInterfaceType | GraphQLUnionType):
            return self.schema.is_sub_type(named, kind)
        return named is kind

    def _field(self, nodes: Sequence[Selected], parent: GraphQLObjectType) -> JsonSchema:
        first = nodes[0][0]
        definition = self.schema.get_field(parent, first.name.value)
        if definition is None:
            raise TypeError("a valid document selects fields that exist")
        return self._output(definition.type, [node.selection_set for node, _ in nodes if node.selection_set])

    def _output(self, kind: Any, sets: Sequence[SelectionSetNode]) -> JsonSchema:
        if isinstance(kind, GraphQLNonNull):
            return self._firm(kind.of_type, sets)
        return _or_null(self._firm(kind, sets))

    def _firm(self, kind: Any, sets: Sequence[SelectionSetNode]) -> JsonSchema:
        match kind:
            case GraphQLList(of_type=inner):
                return {"type": "array", "items": self._output(inner, sets)}
            case GraphQLObjectType():
                return self.object(sets, kind)
            case GraphQLInterfaceType() | GraphQLUnionType():
                return self._any_of(sets, kind)
            case _:
                return _leaf(kind)

    def _any_of(
        self, sets: Sequence[SelectionSetNode], kind: GraphQLInterfaceType | GraphQLUnionType
    ) -> JsonSchema:
        """One shape for each group of types of which the same is selected."""
        shapes: list[JsonSchema] = []
        for possible in self.schema.get_possible_types(kind):
            shape = self.object(sets, possible)
            if shape not in shapes:
                shapes.append(shape)
        return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}

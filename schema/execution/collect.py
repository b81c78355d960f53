"""Collects an operation's fields by the object type they stand on (GraphQL specification, §6.3.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
)
from graphql.execution.values import VariableValues, get_argument_values, get_directive_values

from schema.execution.plan import Getter, Values


@dataclass(slots=True)
class Collected:
    """The nodes of one response key on one object type, merged.

    ``statics``: argument values at planning time; ``arguments``: the same, read at run time.
    """

    parent: str
    name: str
    definition: GraphQLField
    statics: Mapping[str, Any]
    arguments: Mapping[str, Getter]
    nodes: list[FieldNode] = field(default_factory=list)


class Selections:
    """Selection sets of one operation, with the directives decided by the variables at planning time."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: Mapping[str, FragmentDefinitionNode],
        variables: VariableValues,
    ) -> None:
        self.schema = schema
        self.fragments = fragments
        self.variables = variables

    def below(self, nodes: Iterable[FieldNode], kind: GraphQLObjectType) -> dict[str, Collected]:
        """The fields selected below these nodes on an object of this type, by response key, in order."""
        return self.of([node.selection_set for node in nodes if node.selection_set], kind)

    def of(self, sets: Sequence[SelectionSetNode], kind: GraphQLObjectType) -> dict[str, Collected]:
        """The fields of several selection sets on an object of this type."""
        collected: dict[str, Collected] = {}
        spread: set[str] = set()
        for selected in sets:
            self._collect(selected, kind, collected, spread)
        return collected

    def _collect(
        self,
        selected: SelectionSetNode,
        kind: GraphQLObjectType,
        into: dict[str, Collected],
        spread: set[str],
    ) -> None:
        for selection in selected.selections:
            if not self.included(selection):
                continue
            match selection:
                case FieldNode():
                    self._field(selection, kind, into)
                case InlineFragmentNode():
                    condition = selection.type_condition
                    if condition is None or self._applies(condition.name.value, kind):
                        self._collect(selection.selection_set, kind, into, spread)
                case FragmentSpreadNode():
                    self._spread(selection.name.value, kind, into, spread)

    def _spread(
        self, name: str, kind: GraphQLObjectType, into: dict[str, Collected], spread: set[str]
    ) -> None:
        fragment = self.fragments[name]
        if name not in spread and self._applies(fragment.type_condition.name.value, kind):
            spread.add(name)
            self._collect(fragment.selection_set, kind, into, spread)

    def _field(self, node: FieldNode, kind: GraphQLObjectType, into: dict[str, Collected]) -> None:
        response = node.alias.value if node.alias else node.name.value
        if response not in into:
            definition = self.schema.get_field(kind, node.name.value)
            if definition is None:
                raise LookupError("a validated document has no unknown fields")
            statics = get_argument_values(definition, node, self.variables)
            arguments = _getters(definition, node, statics)
            into[response] = Collected(kind.name, node.name.value, definition, statics, arguments)
        into[response].nodes.append(node)

    def _applies(self, condition: str, kind: GraphQLObjectType) -> bool:
        wanted = self.schema.type_map[condition]
        return wanted is kind or (is_abstract_type(wanted) and self.schema.is_sub_type(wanted, kind))

    def included(self, node: SelectionNode) -> bool:
        """What ``@skip`` and ``@include`` say of a selection."""
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        if skip and skip["if"]:
            return False
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not include or bool(include["if"])


def _getters(definition: GraphQLField, node: FieldNode, statics: Mapping[str, Any]) -> dict[str, Getter]:
    variables = {
        argument.name.value: argument.value.name.value
        for argument in node.arguments or ()
        if isinstance(argument.value, VariableNode)
    }
    return {
        name: _variable(variables[name], definition.args[name].default_value)
        if name in variables
        else _constant(statics.get(name))
        for name in definition.args
    }


def _variable(name: str, default: Any) -> Getter:
    def read(values: Values) -> Any:
        return values.get(name, default)

    return read


def _constant(value: Any) -> Getter:
    return lambda _: value

"""Dresses generated selections up: arguments, variables, aliases, fragments and directives by chance."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)

from tests.properties.plan_town import BUSINESSES, NAMES, PEOPLE

MOST_VARIABLES = 6
OMITTED = object()
CODES = ("drug_business_licence", "physician_practice", "ship_registration")
CLAIMS = ("number", "status", "scope", "manager", "grade", "capital", "category", "valid_until")
DAYS = ("2026-11-22", "2031-01-01", "1999-12-31")
WRONG = (
    *(None, 7, "", [], {}, ["x"], [None], "not a value", True),
    [{"__typename": "Person"}],
    [{"__typename": "Person", "idNumber": 5}],
    [{"__typename": "Ship", "number": "1"}],
    {"__typename": "Business", "uscc": BUSINESSES[0]},
)
ONE_OF: dict[str, tuple[str, ...]] = {
    "idNumber": PEOPLE,
    "uscc": BUSINESSES,
    "name": NAMES,
    "role": ("LEGAL_REPRESENTATIVE", "SHAREHOLDER", "DIRECTOR", "SUPERVISOR", "MANAGER"),
    "validOn": DAYS,
    "language": ("ZH", "EN"),
}
SEVERAL_OF = {"idNumbers": PEOPLE, "usccs": BUSINESSES, "types": CODES, "names": CLAIMS}
FIRST = {name: known[0] for name, known in SEVERAL_OF.items()} | {
    "representations": {"__typename": "Person", "idNumber": PEOPLE[0]}
}
Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType


@dataclass(frozen=True)
class Dressed:
    """An operation's text and several sets of variables for it, most of them right."""

    text: str
    variables: tuple[Mapping[str, Any], ...]


@dataclass
class Variable:
    """A declared variable; ``value`` draws one. ``optional``: may be left out."""

    declared: str
    value: Callable[[], Any]
    optional: bool
    nullable: bool


@dataclass
class Dresser:
    """Writes one operation. A response key at one place always gets the same arguments, so merging holds."""

    schema: GraphQLSchema
    random: Random
    variables: dict[str, Variable] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    arguments: dict[tuple[str, ...], str] = field(default_factory=dict)

    def dress(self, document: DocumentNode) -> Dressed:
        """The generated document in its new clothes."""
        selected = self._selections(_selected(document.definitions[0]), self._type("Query"), ())
        declared = ", ".join(f"${name}: {one.declared}" for name, one in self.variables.items())
        head = f"query Q({declared}) " if declared else ""
        text = "\n".join((head + "{ " + selected + " }", *self.fragments))
        return Dressed(text, tuple(self._drawn(wrong) for wrong in (False, False, self._chance(0.3))))

    def _drawn(self, wrong: bool) -> dict[str, Any]:
        drawn: dict[str, Any] = {}
        for name, one in self.variables.items():
            value = one.value()
            if one.optional and self._chance(0.4):
                continue
            drawn[name] = None if one.nullable and self._chance(0.2) else value
        if wrong and drawn:
            drawn[self.random.choice(list(drawn))] = self.random.choice(WRONG)
        return drawn

    # --- selections

    def _selections(self, selected: SelectionSetNode, kind: Composite, path: tuple[str, ...]) -> str:
        written: list[str] = []
        for selection in selected.selections:
            if isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._type(condition.name.value) if condition else kind
                body = self._selections(selection.selection_set, inner, path)
                written.append(self._wrapped(body, inner, always=True))
            elif isinstance(selection, FieldNode):
                written.extend(self._field(selection, kind, path))
        if self._chance(0.25):
            written.insert(self.random.randint(0, len(written)), self._alias("__typename"))
        return self._grouped(written, kind)

    def _grouped(self, written: list[str], kind: Composite) -> str:
        """Some neighbours of one selection set in a fragment, perhaps twice."""
        if len(written) < 2 or not self._chance(0.4):
            return " ".join(written)
        start = self.random.randrange(len(written))
        end = self.random.randint(start + 1, len(written))
        inner = self._wrapped(" ".join(written[start:end]), kind)
        again = [inner] if self._chance(0.2) else []
        return " ".join((*written[:start], inner, *written[end:], *again))

    def _wrapped(self, body: str, kind: Composite, *, always: bool = False) -> str:
        condition = kind.name if always or self._chance(0.7) else self._wider(kind)
        way = self.random.randrange(4)
        if way == 0 and condition == kind.name and not always:
            return f"...{self._directives()} {{ {body} }}"
        if way == 1:
            return f"... on {condition}{self._directives()} {{ {body} }}"
        if way == 2 and condition == kind.name:
            inner = f"... on {condition} {{ {body} }}"
            return f"... on {self._wider(kind)}{self._directives()} {{ {inner} }}"
        if not _fits(self.schema, condition, kind):
            return f"... on {condition} {{ ... on {kind.name} {{ {body} }} }}"
        name = f"F{len(self.fragments)}"
        inner = body if condition == kind.name else f"... on {kind.name} {{ {body} }}"
        self.fragments.append(f"fragment {name} on {condition} {{ {inner} }}")
        return f"...{name}{self._directives()}"

    def _wider(self, kind: Composite) -> str:
        """An interface or union that the type belongs to, else the type."""
        wider = [one.name for one in getattr(kind, "interfaces", ())]
        if kind.name in ("Person", "Business"):
            wider.append("_Entity")
        return self.random.choice(wider) if wider else kind.name

    def _field(self, node: FieldNode, kind: Composite, path: tuple[str, ...]) -> list[str]:
        name = node.name.value
        definition = self.schema.get_field(kind, name)
        assert definition is not None
        said = self._alias(name)
        key = said.split(":")[0]
        here = (*path, key)
        head = said + self._arguments_at((*here, name), definition)
        if node.selection_set is None:
            return [head + self._directives()]
        inner = get_named_type(definition.type)
        assert isinstance(inner, Composite)
        bodies = [self._selections(node.selection_set, inner, here)]
        if self._chance(0.2):  # the same field once more: what is below must merge
            bodies.append(self._selections(node.selection_set, inner, here))
        return [f"{head}{self._directives()} {{ {body} }}" for body in bodies]

    def _alias(self, name: str) -> str:
        return f"{self.random.choice('abc')}_{name}: {name}" if self._chance(0.25) else name

    def _directives(self) -> str:
        said = ""
        for directive, usual in (("skip", False), ("include", True)):
            if self._chance(0.08):
                literal = json.dumps(usual if self._chance(0.7) else not usual)
                said += f" @{directive}(if: {self._boolean() if self._chance(0.6) else literal})"
        return said

    def _boolean(self) -> str:
        name = f"b{self.random.randrange(3)}"
        if name not in self.variables:
            default = self.random.choice(("", " = true", " = false"))
            kind = self.random.choice(("Boolean", "Boolean!")) if default else "Boolean!"
            self.variables[name] = Variable(
                kind + default, lambda: self.random.random() < 0.6, bool(default), nullable=False
            )
        return f"${name}"

    # --- arguments

    def _arguments_at(self, place: tuple[str, ...], definition: GraphQLField) -> str:
        if place not in self.arguments:
            given = [
                f"{name}: {value}"
                for name, argument in definition.args.items()
                if (value := self._argument(name, argument)) is not OMITTED
            ]
            self.arguments[place] = f"({', '.join(given)})" if given else ""
        return self.arguments[place]

    def _argument(self, name: str, argument: GraphQLArgument) -> Any:
        firm = is_non_null_type(argument.type)
        if not firm and self._chance(0.4):
            return OMITTED
        if not firm and self._chance(0.1):
            return "null"
        if len(self.variables) < MOST_VARIABLES and self._chance(0.5):
            return self._variable(name, argument)
        value = self._value(name)
        if is_list_type(get_nullable_type(argument.type)) and self._chance(0.2):
            return _literal(value[0]) if len(value) == 1 else self._list_with_variable(name, argument, value)
        return _literal(value, isinstance(get_named_type(argument.type), GraphQLEnumType))

    def _variable(self, argument_name: str, argument: GraphQLArgument) -> str:
        name = f"v{len(self.variables)}"
        kind, firm = str(argument.type), is_non_null_type(argument.type)
        enum = isinstance(get_named_type(argument.type), GraphQLEnumType)
        default = ""
        if self._chance(0.4):
            default = " = " + _literal(self._value(argument_name), enum)
        nullable = not firm or (bool(default) and self._chance(0.5))
        declared = kind.removesuffix("!") if nullable else kind if firm else kind + "!"
        self.variables[name] = Variable(
            declared + default,
            lambda: self._single(self._value(argument_name)),
            bool(default) or (not firm),
            nullable,
        )
        return f"${name}"

    def _list_with_variable(self, name: str, argument: GraphQLArgument, value: list[Any]) -> str:
        """A list whose last item is a variable."""
        item = f"v{len(self.variables)}"
        kind = str(get_named_type(argument.type))
        self.variables[item] = Variable(
            f"{kind}!",
            lambda: (self._value(name) or value or [FIRST[name]])[0],
            optional=False,
            nullable=False,
        )
        return f"[{', '.join((*map(_literal, value), f'${item}'))}]"

    def _single(self, value: Any) -> Any:
        """A list of one may be given without its brackets."""
        return value[0] if isinstance(value, list) and len(value) == 1 and self._chance(0.3) else value

    def _value(self, name: str) -> Any:
        if name in ONE_OF:
            return self.random.choice(ONE_OF[name])
        if name == "representations":
            return [self._representation() for _ in range(self.random.randint(0, 4))]
        return self.random.choices(SEVERAL_OF[name], k=self.random.choice((0, 1, 1, 2, 3, 5)))

    def _representation(self) -> dict[str, str]:
        if self._chance(0.5):
            return {"__typename": "Person", "idNumber": self.random.choice(PEOPLE)}
        return {"__typename": "Business", "uscc": self.random.choice(BUSINESSES)}

    def _type(self, name: str) -> Composite:
        found: GraphQLNamedType = self.schema.type_map[name]
        assert isinstance(found, Composite)
        return found

    def _chance(self, likely: float) -> bool:
        return self.random.random() < likely


def _selected(definition: Any) -> SelectionSetNode:
    found: SelectionSetNode = definition.selection_set
    return found


def _fits(schema: GraphQLSchema, condition: str, kind: Composite) -> bool:
    """Whether a fragment on this type may be spread where the kind stands: always so for its own circles."""
    return condition == kind.name or schema.is_sub_type(schema.type_map[condition], kind)  # type: ignore[arg-type]


def _literal(value: Any, enum: bool = False) -> str:
    match value:
        case str() if enum:
            return value
        case dict():
            return "{" + ", ".join(f"{name}: {_literal(one)}" for name, one in value.items()) + "}"
        case list():
            return "[" + ", ".join(_literal(one, enum) for one in value) + "]"
        case _:
            return json.dumps(value, ensure_ascii=False)

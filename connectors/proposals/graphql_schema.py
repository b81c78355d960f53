"""Reads a GraphQL schema: an entity of a Federation subgraph, or a root field that takes a key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    ArgumentNode,
    EnumTypeDefinitionNode,
    FieldDefinitionNode,
    GraphQLError,
    InputValueDefinitionNode,
    ListTypeNode,
    NamedTypeNode,
    NonNullTypeNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    SchemaDefinitionNode,
    StringValueNode,
    TypeNode,
    parse,
    print_ast,
)

from connectors.manifest.model import Kind
from connectors.proposals.guess import known_as, scheme_of
from connectors.proposals.model import (
    Choice,
    Choices,
    Column,
    Declared,
    Findings,
    Line,
    Note,
    Reason,
    Refusal,
)
from connectors.proposals.openapi_document import shown
from connectors.proposals.toml import quoted
from connectors.proposals.words import spoken

LARGEST = 5_000_000  # bytes
TOKENS_HIGHEST = 300_000
COLUMNS = 300
DEPTH = 4
CODES_HIGHEST = 40
LISTED = 30
BATCH = 50
KEY_ENDS = ("id", "ids", "no", "number", "numbers", "code", "codes", "key", "keys", "in")
TITLE_LONGEST = 30
SCALARS = {"Int": Declared.NUMBER, "Float": Declared.NUMBER, "Boolean": Declared.BOOLEAN}
DATES = ("date", "datetime", "localdate")
ONE_FIELD = re.compile(r"\s*\{?\s*([_A-Za-z][_0-9A-Za-z]*)\s*\}?\s*")
Field = FieldDefinitionNode


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to ask: an entity (``argument`` is None) or a root field with the argument for the key."""

    name: str
    type: str
    key: str
    argument: InputValueDefinitionNode | None
    many: bool

    @property
    def shown(self) -> str:
        return f"entity {self.type}" if self.argument is None else f"query {self.name}"


def read_graphql(content: bytes, title: str, choice: str | None) -> Findings | Choices | Refusal:
    """What an entity or root field answers; the candidates when several could be meant."""
    if len(content) > LARGEST:
        return Refusal(Reason.TOO_LARGE)
    try:
        schema = _Schema(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return Refusal(Reason.ENCODING)
    except (GraphQLError, RecursionError):
        return Refusal(Reason.NOT_GRAPHQL)
    ways = list(schema.ways())
    if choice is not None:
        ways = [way for way in ways if choice in (way.name, way.shown)]
        if not ways:
            return Refusal(Reason.CHOICE_UNKNOWN, shown(choice))
    if not ways:
        return Refusal(Reason.NO_LOOKUP)
    if len(ways) > 1:
        return Choices(tuple(Choice(way.name, way.shown, way.key) for way in ways[:LISTED]))
    return _findings(schema, ways[0], title)


class _Schema:
    """The definitions of a document by name; nothing is resolved that it does not hold."""

    def __init__(self, text: str) -> None:
        self._fields: dict[str, dict[str, Field]] = {}
        self._keys: dict[str, list[str]] = {}
        self._enums: dict[str, tuple[str, ...]] = {}
        self._query = "Query"
        for node in parse(text, no_location=True, max_tokens=TOKENS_HIGHEST).definitions:
            if isinstance(node, ObjectTypeDefinitionNode | ObjectTypeExtensionNode):
                self._take(node)
            elif isinstance(node, EnumTypeDefinitionNode):
                self._enums[node.name.value] = tuple(one.name.value for one in node.values or ())
            elif isinstance(node, SchemaDefinitionNode):
                queries = [
                    one.type.name.value for one in node.operation_types if one.operation.value == "query"
                ]
                self._query = next(iter(queries), self._query)

    def _take(self, node: ObjectTypeDefinitionNode | ObjectTypeExtensionNode) -> None:
        name = node.name.value
        self._fields.setdefault(name, {}).update({one.name.value: one for one in node.fields or ()})
        for directive in node.directives or ():
            if directive.name.value == "key":
                self._keys.setdefault(name, []).extend(_key_fields(directive.arguments or ()))

    def ways(self) -> Iterator[_Way]:
        """Entities with a key of one field, then root fields with an argument that looks like a key."""
        for name, keys in self._keys.items():
            for key_field in keys[:1]:
                yield _Way(name, name, key_field, None, many=False)
        for name, field in self._fields.get(self._query, {}).items():
            inner = named(field.type)
            argument = next((one for one in field.arguments or () if _looks_like_key(one)), None)
            others = [one for one in field.arguments or () if one is not argument and _is_required(one)]
            if name.startswith("_") or argument is None or inner not in self._fields or others:
                continue
            key = self._key_of(inner, argument.name.value)
            if key is not None:
                yield _Way(name, inner, key, argument, many=is_list(field.type))

    def _key_of(self, type_name: str, argument: str) -> str | None:
        names = [name for name, field in self._fields[type_name].items() if not is_list(field.type)]
        said = spoken(argument)
        same = [name for name in names if spoken(name) in (said, said.removesuffix("s"))]
        known = known_as(Column((argument,)))
        like = [
            name
            for name in names
            if known is not None and (f := known_as(Column((name,)))) and f[0] == known[0]
        ]
        return next(iter(same or like), None)

    def items_of(self, type_name: str) -> tuple[str, str] | None:
        """The one list of records that an entity is a mere holder of, with the type in it."""
        fields = self._fields[type_name]
        lists = [
            (n, named(f.type)) for n, f in fields.items() if is_list(f.type) and named(f.type) in self._fields
        ]
        plain = [n for n, f in fields.items() if not is_list(f.type) and named(f.type) not in self._fields]
        return lists[0] if len(lists) == 1 and len(plain) <= 1 else None

    def columns(
        self, type_name: str, path: tuple[str, ...] = (), above: tuple[str, ...] = ()
    ) -> Iterator[Column]:
        """Everything that needs no argument, to the depth, and no type inside itself."""
        above = (*above, type_name)
        for name, field in self._fields.get(type_name, {}).items():
            here, inner = (*path, name), named(field.type)
            if name.startswith("__") or any(_is_required(one) for one in field.arguments or ()):
                yield Column(here)
            elif inner in self._fields:
                if is_list(field.type) or len(here) >= DEPTH or inner in above:
                    yield Column(here)
                else:
                    yield from self.columns(inner, here, above)
            else:
                yield self._column(here, field, inner)

    def _column(self, path: tuple[str, ...], field: Field, inner: str) -> Column:
        title = field.description.value.strip() if field.description is not None else ""
        usable = len(title) <= TITLE_LONGEST and sum(map(str.isdigit, title)) < 5 and title.isprintable()
        declared = SCALARS.get(inner, Declared.DATE if inner.lower() in DATES else Declared.TEXT)
        codes = self._enums.get(inner, ())
        if is_list(field.type):
            return Column(path, title if usable else "", Declared.TEXTS)
        return Column(
            path, title if usable else "", declared, (), codes if len(codes) <= CODES_HIGHEST else ()
        )


def named(node: TypeNode) -> str:
    """The name of the type inside lists and exclamation marks."""
    while isinstance(node, ListTypeNode | NonNullTypeNode):
        node = node.type
    return node.name.value if isinstance(node, NamedTypeNode) else ""


def is_list(node: TypeNode) -> bool:
    """Whether a type is a list."""
    return isinstance(node.type if isinstance(node, NonNullTypeNode) else node, ListTypeNode)


def _is_required(argument: InputValueDefinitionNode) -> bool:
    return isinstance(argument.type, NonNullTypeNode) and argument.default_value is None


def _looks_like_key(argument: InputValueDefinitionNode) -> bool:
    name = argument.name.value
    scalar = named(argument.type) in ("String", "ID") or named(argument.type) not in (
        "Int",
        "Float",
        "Boolean",
    )
    is_known = (
        scheme_of(Column((name,))) is not None or scheme_of(Column((name.removesuffix("s"),))) is not None
    )
    return scalar and (is_known or spoken(name).endswith(KEY_ENDS))


def _key_fields(arguments: tuple[ArgumentNode, ...] | list[ArgumentNode]) -> Iterator[str]:
    for argument in arguments:
        if argument.name.value == "fields" and isinstance(argument.value, StringValueNode):
            found = ONE_FIELD.fullmatch(argument.value.value)
            if found is not None:
                yield found[1]


def _findings(schema: _Schema, way: _Way, title: str) -> Findings | Refusal:
    items = schema.items_of(way.type) if way.argument is None else None
    all_columns = list(schema.columns(items[1] if items is not None else way.type))
    columns = tuple(one for one in all_columns if one.declared is not None)[:COLUMNS]
    if not columns:
        return Refusal(Reason.NO_FIELDS, way.shown)
    left_out = tuple(".".join(one.path) for one in all_columns if one not in columns)[:COLUMNS]
    key = next((one for one in columns if one.path == (way.key,) and items is None), Column((way.key,)))
    is_single = way.argument is not None and not is_list(way.argument.type)
    return Findings(
        Kind.GRAPHQL,
        title,
        (Line(f"url = {quoted('')}", (Note.FILL_URL,)),),
        (),
        tuple(_source(way, items[0] if items is not None else None, is_single=is_single)),
        (),
        key,
        columns,
        items is not None,
        1 if is_single else BATCH,
        absent_when_missing=True,
        left_out=left_out,
    )


def _source(way: _Way, items: str | None, *, is_single: bool) -> Iterator[Line]:
    yield Line("")
    if way.argument is None:
        yield from (Line("[offerings.entity]"), Line(f"typename = {quoted(way.type)}"))
    else:
        yield from (Line("[offerings.query]"), Line(f"field = {quoted(way.name)}"))
        yield Line(f"argument = {quoted(way.argument.name.value)}", (Note.KEY,))
        yield Line(f"type = {quoted(print_ast(way.argument.type))}")
        if is_single:
            yield Line("list = false")
    yield Line(f"key = {quoted(way.key)}", (Note.KEY,))
    if items is not None:
        yield Line(f"items = {quoted(items)}", (Note.ROWS,))

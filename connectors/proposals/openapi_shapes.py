"""Makes columns of a JSON Schema: nested tables become paths, alternatives are laid over one another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connectors.proposals.model import Column, Declared
from connectors.proposals.openapi_document import Document, Node, items, shown, table, text_of
from connectors.proposals.sheets import is_reachable

DEPTH = 6  # of tables in a row
LAYERS = 12  # allOf in oneOf in allOf …
COLUMNS = 300
VISITS = 20_000
VARIANTS = 50
PROPERTIES = 2_000
CODES_HIGHEST = 40
TITLE_LONGEST = 30
TYPES = {
    "integer": Declared.NUMBER,
    "number": Declared.NUMBER,
    "boolean": Declared.BOOLEAN,
    "string": Declared.TEXT,
}


@dataclass(slots=True)
class Shape:
    """A schema with its references followed and its alternatives laid over one another."""

    kinds: set[str] = field(default_factory=set)
    format: str = ""
    title: str = ""
    codes: list[str] = field(default_factory=list)
    properties: dict[str, object] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)
    element: object = None
    names: frozenset[str] = frozenset()  # pointers that led here
    xml: Node = field(default_factory=dict)
    sample: object = None

    @property
    def is_table(self) -> bool:
        """Whether it has properties of its own."""
        return bool(self.properties)

    @property
    def is_list(self) -> bool:
        """Whether it is a list of something."""
        return self.element is not None and not self.properties


class Shapes:
    """Reads the schemas of one document, within bounds that hold for all of it."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._visits = 0

    def shape(self, schema: object, seen: frozenset[str] = frozenset(), layer: int = 0) -> Shape | None:
        """The shape of a schema; None where it leads into itself or bounds end. Raises NotFollowed."""
        self._visits += 1
        if layer > LAYERS or self._visits > VISITS:
            return None
        node, pointer = self._document.resolve_with_name(schema)
        if pointer is not None:
            if pointer in seen:
                return None
            seen |= {pointer}
        made = self._own(node, seen)
        for word in ("allOf", "oneOf", "anyOf"):
            for variant in items(node.get(word))[:VARIANTS]:
                other = self.shape(variant, seen, layer + 1)
                if other is not None:
                    _lay_over(made, other, is_part=word == "allOf")
        return made

    def _own(self, node: Node, seen: frozenset[str]) -> Shape:
        declared = node.get("type")
        kinds = {
            one for one in (declared if isinstance(declared, list) else [declared]) if isinstance(one, str)
        }
        values = items(node.get("enum")) or ([node["const"]] if "const" in node else [])
        properties = table(node.get("properties"))
        return Shape(
            kinds - {"null"},
            text_of(node.get("format")),
            title_of(node),
            [as_code(one) for one in values[: CODES_HIGHEST + 1] if isinstance(one, str | int)],
            {str(name): one for name, one in list(properties.items())[:PROPERTIES]},
            {one for one in items(node.get("required")) if isinstance(one, str)},
            node.get("items"),
            seen,
            table(node.get("xml")),
            node.get("default", node.get("example")),
        )

    def columns(self, shape: Shape) -> tuple[tuple[Column, ...], tuple[str, ...]]:
        """Everything that can be reached in a row, and the names of what cannot."""
        found: list[Column] = []
        left_out: list[str] = []
        for column in self._walk(shape, ()):
            reachable = all(map(is_reachable, column.path)) and len(found) < COLUMNS
            if reachable and column.declared is not None:
                found.append(column)
            else:
                left_out.append(shown(".".join(column.path)))
        return tuple(found), tuple(left_out[:COLUMNS])

    def _walk(self, shape: Shape, path: tuple[str, ...]) -> Iterator[Column]:
        for name, schema in shape.properties.items():
            inner = self.shape(schema, shape.names)
            here = (*path, _xml_name(name, inner))
            if inner is None or (inner.is_table and len(here) >= DEPTH):
                yield Column(here)
            elif inner.is_table:
                yield from self._walk(inner, here)
            elif inner.is_list:
                element = self.shape(inner.element, inner.names)
                plain = element is not None and not element.is_table and not element.is_list
                yield Column(here, inner.title, Declared.TEXTS if plain else None)
            else:
                yield column_of(here, inner)


def column_of(path: tuple[str, ...], shape: Shape) -> Column:
    """A column of one plain value."""
    declared = next(
        (TYPES[kind] for kind in ("string", "boolean", "number", "integer") if kind in shape.kinds), None
    )
    if shape.format in ("date", "date-time"):
        declared = Declared.DATE
    codes = tuple(dict.fromkeys(shape.codes)) if len(shape.codes) <= CODES_HIGHEST else ()
    if "object" in shape.kinds or "array" in shape.kinds:
        return Column(path, shape.title)
    return Column(path, shape.title, declared or Declared.TEXT, (), codes)


def title_of(node: Mapping[str, object]) -> str:
    """A short name for people; a long description, or one with an example's digits in it, is none."""
    for word in ("title", "description"):
        text = text_of(node.get(word)).strip()
        if text and len(text) <= TITLE_LONGEST and sum(map(str.isdigit, text)) < 5 and text.isprintable():
            return text
    return ""


def as_code(value: object) -> str:
    """A declared value as a manifest compares it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _xml_name(name: str, shape: Shape | None) -> str:
    written = text_of(shape.xml.get("name")) if shape is not None else ""
    return (
        f"@{written or name}" if shape is not None and shape.xml.get("attribute") is True else written or name
    )


def _lay_over(made: Shape, other: Shape, *, is_part: bool) -> None:
    made.kinds |= other.kinds
    made.format = made.format or other.format
    made.title = made.title or other.title
    made.codes += other.codes
    made.properties = other.properties | made.properties
    made.element = other.element if made.element is None else made.element
    made.names |= other.names
    if is_part:
        made.required |= other.required

"""Finds where rows stand in an answer, what tells found from absent, and how pages are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from connectors.proposals.openapi_document import Document, Node, items, table, text_of
from connectors.proposals.openapi_lookups import is_json
from connectors.proposals.openapi_shapes import Shape, Shapes
from connectors.proposals.words import spoken, vocabulary

DEPTH = 4
OWN_LEAST = 4  # columns beside an envelope's word, from which a table is a row itself
STATUSES = ("200", "201", "2XX", "default")


@dataclass(frozen=True, slots=True)
class Answer:
    """A found answer: its format, where its rows stand and what one looks like.

    ``code``, ``total``, ``pages`` and ``cursor`` are paths of what is said beside the rows.
    """

    format: str
    rows: tuple[str, ...]
    row: Shape
    many: bool
    code: tuple[str, ...] | None = None
    total: tuple[str, ...] | None = None
    pages: tuple[str, ...] | None = None
    cursor: tuple[str, ...] | None = None


def answer_of(document: Document, shapes: Shapes, operation: Node) -> Answer | None:
    """The answer that an operation declares; None without one. Raises NotFollowed."""
    responses = table(operation.get("responses"))
    named = {str(status): one for status, one in responses.items()}
    for status in STATUSES:
        if status in named:
            found = _schema(document, operation, document.resolve(named[status]))
            if found is not None:
                return _answer(shapes, *found)
    return None


def _schema(document: Document, operation: Node, response: Node) -> tuple[str, object] | None:
    if document.is_swagger:
        produced = list(map(str, items(operation.get("produces", document.root.get("produces")))))
        form = "json" if any(map(is_json, produced)) or not produced else "xml"
        return (form, response["schema"]) if "schema" in response else None
    content = table(response.get("content"))
    for form in ("json", "xml"):
        for media, node in content.items():
            if (is_json(str(media)) if form == "json" else "xml" in str(media)) and "schema" in table(node):
                return form, table(node)["schema"]
    return None


def _answer(shapes: Shapes, form: str, schema: object) -> Answer | None:
    root = shapes.shape(schema)
    if root is None:
        return None
    base: tuple[str, ...] = ()
    if form == "xml":
        name = text_of(root.xml.get("name")) or text_of(table(schema).get("$ref")).rpartition("/")[2]
        base = (name,) if name else ()
    return _follow(shapes, form, root, base, DEPTH)


def _follow(shapes: Shapes, form: str, shape: Shape, path: tuple[str, ...], depth: int) -> Answer | None:
    if shape.is_list:
        element = shapes.shape(shape.element, shape.names)
        return Answer(form, path, element, many=True) if element is not None and element.is_table else None
    if not shape.is_table:
        return None
    inside = _envelope(shapes, shape) if depth else None
    if inside is None:
        return Answer(form, path, shape, many=False)
    name, inner = inside
    found = _follow(shapes, form, inner, (*path, name), depth - 1)
    if found is None:
        return Answer(form, path, shape, many=False)
    beside = dict(_beside(shape, path))
    return Answer(
        form,
        found.rows,
        found.row,
        found.many,
        beside.get("codes") or found.code,
        found.total or beside.get("totals"),
        found.pages or beside.get("pages"),
        found.cursor or beside.get("cursors"),
    )


def _envelope(shapes: Shapes, shape: Shape) -> tuple[str, Shape] | None:
    """The property in which the rows are; None where the table is a row itself."""
    words = vocabulary().envelopes
    about = set().union(
        *(words[name] for name in ("codes", "totals", "pages", "cursors", "asked_page", "asked_size"))
    )
    own = [
        name for name in shape.properties if spoken(name) not in about | words["rows"] | {"msg", "message"}
    ]
    inside = []
    for name, schema in shape.properties.items():
        inner = shapes.shape(schema, shape.names)
        holds = inner is not None and (inner.is_table or _holds_tables(shapes, inner))
        if inner is not None and holds and spoken(name) in words["rows"]:
            inside.append((name, inner))
    if not inside or len(own) >= OWN_LEAST:
        return None
    lists = [one for one in inside if one[1].is_list]
    return (lists or sorted(inside, key=lambda one: spoken(one[0]) == "page"))[0]


def _holds_tables(shapes: Shapes, shape: Shape) -> bool:
    element = shapes.shape(shape.element, shape.names) if shape.is_list else None
    return element is not None and element.is_table


def _beside(shape: Shape, path: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    words = vocabulary().envelopes
    for kind in ("codes", "totals", "pages", "cursors"):
        found = next((name for name in shape.properties if spoken(name) in words[kind]), None)
        if found is not None:
            yield kind, (*path, found)

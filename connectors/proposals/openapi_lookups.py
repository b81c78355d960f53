"""Finds the operations of an OpenAPI document that look up a record by a key, and what each would be sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from connectors.manifest.sources import HEADER, HEADER_VALUE, PATH, RESERVED
from connectors.proposals.guess import known_as, scheme_of
from connectors.proposals.model import Column, Reason, Refusal
from connectors.proposals.openapi_document import Document, Node, NotFollowed, items, shown, table, text_of
from connectors.proposals.openapi_shapes import Shape, Shapes, as_code, column_of
from connectors.proposals.words import spoken, vocabulary

METHODS = ("get", "post")
OPERATIONS_HIGHEST = 5_000
PARAMETERS_HIGHEST = 200
PARAMETER = re.compile(r"\{([^{}/]+)\}")
KEY_ENDS = (
    "id",
    "no",
    "nr",
    "number",
    "code",
    "key",
    "bh",
    "hm",
    "dm",
    "nummer",
    "uinfin",
    "uen",
    "号",
    "码",
    "编号",
)
SURE, LIKELY, PERHAPS = 100, 50, 20
BODY_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Parameter:
    """One value that a call carries; ``place`` is path, query, header or body, ``path`` leads into a body."""

    place: str
    path: tuple[str, ...]
    shape: Shape
    required: bool
    many: bool = False

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path[-1]

    @property
    def column(self) -> Column:
        """It as a column, to be recognised like one."""
        return column_of((self.name,), self.shape)


@dataclass(frozen=True, slots=True)
class Lookup:
    """An operation with the parameter that looks like its key; ``refusal``: why it cannot be imported."""

    method: str
    path: str
    operation: Node
    parameters: tuple[Parameter, ...]
    key: Parameter | None
    weight: int
    refusal: Refusal | None = None

    @property
    def given(self) -> str:
        """What chooses it: its id, or its method and path."""
        return text_of(self.operation.get("operationId")) or self.shown

    @property
    def shown(self) -> str:
        """Its method and path."""
        return f"{self.method.upper()} {self.path}"


@dataclass(slots=True)
class Call:
    """What is written of a call: path, query, headers and body; ``unknown``: values that must be given."""

    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, object] | None = None
    unknown: bool = False


def lookups(document: Document, shapes: Shapes) -> list[Lookup]:
    """Every GET and POST, the likeliest look-up first."""
    found = []
    for path, method, shared, operation in _operations(document):
        try:
            parameters = tuple(_parameters(document, shapes, shared, operation))
            key = max(parameters, key=_weight, default=None)
            weight = _weight(key) if key is not None else 0
            found.append(Lookup(method, path, operation, parameters, key if weight else None, weight))
        except NotFollowed as refused:
            found.append(Lookup(method, path, operation, (), None, 0, refused.refusal))
    return sorted(found, key=lambda one: (-one.weight, one.operation.get("deprecated") is True, one.method))


def _operations(document: Document) -> Iterator[tuple[str, str, Node, Node]]:
    count = 0
    for path, node in table(document.root.get("paths")).items():
        try:
            shared = document.resolve(node)
        except NotFollowed:
            continue
        for method in METHODS:
            operation = shared.get(method)
            if isinstance(operation, dict) and count < OPERATIONS_HIGHEST:
                count += 1
                yield str(path), method, shared, operation


def _parameters(document: Document, shapes: Shapes, shared: Node, operation: Node) -> Iterator[Parameter]:
    by_place: dict[tuple[str, str], Node] = {}
    for one in (items(shared.get("parameters")) + items(operation.get("parameters")))[:PARAMETERS_HIGHEST]:
        node = document.resolve(one)
        by_place[text_of(node.get("in")), text_of(node.get("name"))] = node
    for (place, name), node in by_place.items():
        if place == "body":
            yield from _body(shapes, node.get("schema"))
        elif name and place in ("path", "query", "header", "formData"):
            schema = node if document.is_swagger else node.get("schema", _first_schema(node))
            shape = shapes.shape(schema) or Shape()
            shape.title = shape.title or (shapes.shape(node) or Shape()).title
            required = place == "path" or node.get("required") is True
            yield Parameter(place, (name,), shape, required, shape.is_list)
    body = document.resolve(operation.get("requestBody"))
    if body:
        yield from _body(shapes, _json_schema(body))


def _first_schema(node: Node) -> object:
    return next((table(one).get("schema") for one in table(node.get("content")).values()), None)


def _json_schema(body: Node) -> object:
    for media, node in table(body.get("content")).items():
        if is_json(str(media)):
            return table(node).get("schema")
    return None


def is_json(media: str) -> bool:
    """Whether a media type is JSON (RFC 6838 suffix included)."""
    bare = media.partition(";")[0].strip().lower()
    return bare in ("application/json", "text/json", "*/*") or bare.endswith("+json")


def _body(shapes: Shapes, schema: object) -> Iterator[Parameter]:
    shape = shapes.shape(schema) if schema is not None else None
    if shape is not None:
        yield from _inside(shapes, shape, (), BODY_DEPTH)


def _inside(shapes: Shapes, shape: Shape, path: tuple[str, ...], depth: int) -> Iterator[Parameter]:
    for name, schema in list(shape.properties.items())[:PARAMETERS_HIGHEST]:
        inner = shapes.shape(schema, shape.names)
        if inner is None:
            continue
        if inner.is_table and depth > 1:
            if name in shape.required or not path:
                yield from _inside(shapes, inner, (*path, name), depth - 1)
            continue
        yield Parameter("body", (*path, name), inner, name in shape.required, inner.is_list)


def _weight(parameter: Parameter) -> int:
    if parameter.place not in ("path", "query", "body") or _is_about_pages(parameter.name):
        return 0
    column = parameter.column
    known = known_as(column)
    if scheme_of(column) is not None:
        weight = SURE
    elif known is not None and known[0].code in (
        "number",
        "identifier",
        "household_number",
        "unit_number",
        "plate",
    ):
        weight = LIKELY
    elif spoken(parameter.name).endswith(KEY_ENDS) or parameter.place == "path":
        weight = PERHAPS
    else:
        return 0
    return weight + {"path": 5, "body": 2}.get(parameter.place, 3) + (2 if parameter.required else 0)


def _is_about_pages(name: str) -> bool:
    words = vocabulary().envelopes
    said = spoken(name)
    return said in words["asked_page"] | words["asked_size"] | words["asked_cursor"] | words["correlation"]


def call_of(lookup: Lookup, prefix: str, page: Mapping[str, str]) -> Call | Refusal:
    """The declared call; ``page`` says by name which parameters ask for pages."""
    if lookup.key is None:
        return lookup.refusal or Refusal(Reason.NO_LOOKUP, shown(lookup.shown))
    call = Call("")
    in_path: dict[str, str] = {}
    for one in lookup.parameters:
        if one is not lookup.key and not one.required and one.name not in page:
            continue
        value = "$key" if one is lookup.key else page.get(one.name) or fixed(one)
        call.unknown = call.unknown or value == ""
        if one.place == "path":
            in_path[one.name] = value
        elif not _sent(call, one, value):
            return Refusal(Reason.BODY_UNSUPPORTED, shown(lookup.shown))
    path = _path(prefix, lookup.path, in_path)
    if isinstance(path, Refusal):
        return path
    call.path = path
    return call


def _sent(call: Call, one: Parameter, value: str) -> bool:
    match one.place:
        case "query":
            call.query[one.name] = value
        case "header":
            _put_header(call, one.name, value)
        case "body":
            _put(call, one, value)
        case _:
            return False
    return True


def fixed(parameter: Parameter) -> str:
    """What a required parameter other than the key is sent as: its first or default value, "" if unknown."""
    if spoken(parameter.name) in vocabulary().envelopes["correlation"]:
        return "$correlation"
    codes, sample = parameter.shape.codes, parameter.shape.sample
    value = codes[0] if codes else as_code(sample) if isinstance(sample, str | int) else ""
    return "" if value.startswith("$") else value


def _put_header(call: Call, name: str, value: str) -> None:
    usable = re.fullmatch(HEADER, name) and name.lower() not in (*RESERVED, "accept", "authorization")
    if usable and name.lower() != "content-type" and (not value or re.fullmatch(HEADER_VALUE, value)):
        call.headers[name] = value


def _put(call: Call, one: Parameter, value: str) -> None:
    call.body = call.body if call.body is not None else {}
    node: dict[str, object] = call.body
    for step in one.path[:-1]:
        inner = node.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        node = inner
    node[one.name] = ("$keys" if value == "$key" else [value]) if one.many else value


def _path(prefix: str, template: str, values: Mapping[str, str]) -> str | Refusal:
    steps = []
    for step in template.strip("/").split("/"):
        whole = PARAMETER.fullmatch(step)
        value = values.get(whole[1], "") if whole is not None else step
        if whole is not None and not value:
            return Refusal(Reason.SEVERAL_PARAMETERS, shown(template))
        steps.append(value if value == "$key" else quote(value, safe="~-._%"))
    made = f"{prefix}/{'/'.join(steps)}"
    if not re.fullmatch(PATH, made) or "%2e" in made.lower() or ".." in made:
        return Refusal(Reason.PATH_UNSUPPORTED, shown(template))
    return made

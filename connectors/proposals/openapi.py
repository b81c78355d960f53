"""Reads an OpenAPI 3.0 or 3.1 or Swagger 2.0 document: one operation that looks up a record by a key."""

from __future__ import annotations

from collections.abc import Iterator

from connectors.manifest.model import Kind
from connectors.proposals.guess import known_as
from connectors.proposals.model import Choice, Choices, Column, Findings, Line, Note, Reason, Refusal
from connectors.proposals.openapi_document import Document, NotFollowed, load, shown, table, text_of
from connectors.proposals.openapi_lookups import SURE, Call, Lookup, call_of, lookups
from connectors.proposals.openapi_rows import Answer, answer_of
from connectors.proposals.openapi_security import address_of, credentials_of
from connectors.proposals.openapi_shapes import Shapes
from connectors.proposals.toml import inline, quoted, value
from connectors.proposals.words import spoken, vocabulary

LISTED = 30
BATCH = 50
PAGE_SIZE = "100"
VERSIONS = ("3.0", "3.1", "2.0")


def read_openapi(content: bytes, choice: str | None) -> Findings | Choices | Refusal:
    """What the chosen operation answers; the candidates when several could be meant and none was chosen."""
    tree = load(content)
    if isinstance(tree, Refusal):
        return tree
    version = table(tree).get("openapi", table(tree).get("swagger"))
    if not str(version).startswith(VERSIONS):
        return Refusal(Reason.NOT_OPENAPI)
    document = Document(table(tree))
    shapes = Shapes(document)
    chosen = _choose(lookups(document, shapes), choice)
    if not isinstance(chosen, Lookup):
        return chosen
    try:
        return _findings(document, Shapes(document), chosen)
    except NotFollowed as refused:
        return refused.refusal


def _choose(found: list[Lookup], choice: str | None) -> Lookup | Choices | Refusal:
    if choice is not None:
        wanted = [one for one in found if choice in (one.given, one.shown)]
        return _importable(wanted[0]) if wanted else Refusal(Reason.CHOICE_UNKNOWN, shown(choice))
    keyed = [one for one in found if one.key is not None]
    sure = [one for one in keyed if one.weight >= SURE]
    if len(sure) == 1 or len(keyed) == 1:
        return (sure or keyed)[0]
    if keyed:
        return Choices(tuple(_choice(one) for one in keyed[:LISTED]))
    return next((one.refusal for one in found if one.refusal is not None), Refusal(Reason.NO_LOOKUP))


def _importable(lookup: Lookup) -> Lookup | Refusal:
    return (
        lookup if lookup.key is not None else lookup.refusal or Refusal(Reason.NO_LOOKUP, shown(lookup.shown))
    )


def _choice(lookup: Lookup) -> Choice:
    return Choice(shown(lookup.given), shown(lookup.shown), shown(lookup.key.name if lookup.key else ""))


def _findings(document: Document, shapes: Shapes, lookup: Lookup) -> Findings | Refusal:
    answer = answer_of(document, shapes, lookup.operation)
    if answer is None or lookup.key is None:
        return Refusal(Reason.NO_FIELDS, shown(lookup.shown))
    columns, left_out = shapes.columns(answer.row)
    address, prefix = address_of(document, lookup.operation)
    call = call_of(lookup, prefix, _page_parameters(lookup, answer))
    if isinstance(call, Refusal):
        return call
    if not columns:
        return Refusal(Reason.NO_FIELDS, shown(lookup.shown))
    asked = lookup.key.column
    key_column = _key_in_row(asked, columns)
    takes_many = lookup.key.many and lookup.key.place == "body"
    batch = BATCH if takes_many else 1
    if takes_many and key_column is None:
        return Refusal(Reason.NO_LOOKUP, shown(lookup.shown))
    source = tuple(_source(lookup, answer, call, key_column))
    return Findings(
        Kind.REST,
        _title(document, lookup),
        address,
        credentials_of(document, lookup.operation),
        source,
        tuple(_outcomes(lookup, answer)),
        key_column or asked,
        columns,
        answer.many and batch == 1,
        batch,
        answer.many,
        left_out,
    )


def _title(document: Document, lookup: Lookup) -> str:
    named = (table(document.root.get("info")).get("title"), lookup.operation.get("operationId"), lookup.path)
    return next((one for one in map(text_of, named) if one.strip()), "service")


def _key_in_row(asked: Column, columns: tuple[Column, ...]) -> Column | None:
    """Where a row repeats the key: under the same name, or as the same known field at its top."""
    same = [one for one in columns if spoken(one.name) == spoken(asked.name)]
    known = known_as(asked)
    if not same and known is not None:
        same = [one for one in columns if (found := known_as(one)) is not None and found[0] == known[0]]
    return min(same, key=lambda one: len(one.path), default=None)


def _page_parameters(lookup: Lookup, answer: Answer) -> dict[str, str]:
    """Pages are asked for where the answer says how many there are, or what brings the next."""
    words, found = vocabulary().envelopes, {}
    if not answer.many or (lookup.key is not None and lookup.key.many):
        return {}
    for one in lookup.parameters:
        said = spoken(one.name)
        if answer.cursor is not None and answer.pages is None and said in words["asked_cursor"]:
            found[one.name] = "$cursor"
        elif answer.pages is not None and said in words["asked_page"]:
            found[one.name] = "$page"
    if found:
        sizes = (one.name for one in lookup.parameters if spoken(one.name) in words["asked_size"])
        found |= dict.fromkeys(sizes, PAGE_SIZE)
    return found


def _source(lookup: Lookup, answer: Answer, call: Call, key_column: Column | None) -> Iterator[Line]:
    gap = (Note.FILL_VALUE,)
    yield Line("")
    yield Line("[offerings.request]")
    if lookup.method == "post":
        yield Line(f"method = {quoted('POST')}")
        yield Line("safe = true", (Note.CONSTANT,))
    yield Line(f"path = {quoted(call.path)}", (Note.KEY,))
    for name, told in (("query", call.query), ("headers", call.headers)):
        if told:
            written = inline({one: quoted(text) for one, text in told.items()})
            yield Line(f"{name} = {written}", gap if "" in told.values() else (Note.CONSTANT,))
    if call.body is not None:
        yield Line(f"body = {value(call.body)}", gap if call.unknown else (Note.CONSTANT,))
    yield Line("")
    yield Line("[offerings.response]")
    if answer.format != "json":
        yield Line(f"format = {quoted(answer.format)}")
    if answer.rows:
        yield Line(f"rows = {quoted('.'.join(answer.rows))}", (Note.ROWS,))
    if key_column is not None:
        yield Line(f"key = {quoted('.'.join(key_column.path))}", (Note.KEY,))
    yield from _paging(lookup, answer)


def _paging(lookup: Lookup, answer: Answer) -> Iterator[Line]:
    asked = _page_parameters(lookup, answer)
    if "$page" in asked.values() and answer.pages is not None:
        first = next(one.shape.sample for one in lookup.parameters if asked.get(one.name) == "$page")
        told = {"first": "0" if first == 0 else "1", "pages": quoted(".".join(answer.pages))}
    elif "$cursor" in asked.values() and answer.cursor is not None:
        told = {"cursor": quoted(".".join(answer.cursor))}
    else:
        return
    if answer.total is not None:
        yield Line(f"total = {quoted('.'.join(answer.total))}", (Note.PAGING,))
    yield Line(f"paging = {inline(told)}", (Note.PAGING,))


def _outcomes(lookup: Lookup, answer: Answer) -> Iterator[Line]:
    found = [Line(f"status = {_status(lookup)}")]
    if answer.code is not None:
        found.append(Line(f"path = {quoted('.'.join(answer.code))}", (Note.FOUND,)))
        found.append(Line(f"equals = {quoted('')}", (Note.FILL_FOUND,)))
    yield from (Line(""), Line("[[offerings.outcomes]]"), *found, Line(f"outcome = {quoted('found')}"))
    if "404" in map(str, table(lookup.operation.get("responses"))):
        yield from (Line(""), Line("[[offerings.outcomes]]"), Line("status = 404"))
        yield Line(f"outcome = {quoted('absent')}", (Note.ABSENT,))


def _status(lookup: Lookup) -> int:
    statuses = set(map(str, table(lookup.operation.get("responses"))))
    return 201 if "201" in statuses and "200" not in statuses else 200

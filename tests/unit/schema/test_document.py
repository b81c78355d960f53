"""A document's digest betrays nothing that its author put into it."""

from __future__ import annotations

import pytest
from graphql import parse

from schema.execution.document import digest_of

SAME = [
    '{ person(idNumber: "11010519491231002X") { name } }',
    '{ person(idNumber: "360426199101010071") { name } }',
    '{ p11010519491231002X: person(idNumber: "") { secret: name } }',
]
NAMED = [
    "query Anna($a: Int) { person(idNumber: $a) { ...F } } fragment F on Person { name }",
    "query Ben($b: Int) { person(idNumber: $b) { ...G } } fragment G on Person { name }",
]
OTHERS = [
    '{ person(idNumber: "") { name sex } }',
    '{ person(idNumber: "") { sex } }',
    '{ business(uscc: "") { name } }',
    '{ person(idNumber: "", name: "") { name } }',
]


@pytest.mark.parametrize("texts", [SAME, NAMED])
def test_values_aliases_and_names_do_not_count(texts: list[str]) -> None:
    assert len({digest_of(parse(text)) for text in texts}) == 1


def test_what_is_asked_counts() -> None:
    texts = [SAME[0], NAMED[0], *OTHERS]
    assert len({digest_of(parse(text)) for text in texts}) == len(texts)


def test_a_document_is_left_as_it_was() -> None:
    document = parse(SAME[0])
    digest_of(document)
    assert document == parse(SAME[0])

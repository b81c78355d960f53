"""A document's digest betrays nothing that its author put into it."""

from __future__ import annotations

import pytest
from graphql import build_schema, parse

from schema.execution.document import Document, Documents, digest_of

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


def test_what_is_kept_is_bounded_in_number_and_in_characters() -> None:
    documents = Documents(build_schema("type Query { a: Int }"), most=3, most_characters=100)
    for number in range(10):
        documents.read(f"query Q{number} {{ a }}")
    assert list(documents.kept) == [f"query Q{number} {{ a }}" for number in (7, 8, 9)]
    documents.read("{ a }" + "#" * 90)
    assert list(documents.kept) == ["{ a }" + "#" * 90]
    documents.read("{ a }" + "#" * 200)
    assert (list(documents.kept), documents.kept.weight) == (["{ a }" + "#" * 90], 95)


def test_the_most_recently_used_stay() -> None:
    documents = Documents(build_schema("type Query { a: Int }"), most=2)
    first = documents.read("query A { a }")
    documents.read("query B { a }")
    assert documents.read("query A { a }") is first
    documents.read("query C { a }")
    assert list(documents.kept) == ["query A { a }", "query C { a }"]


def test_trusted_documents_are_kept_apart() -> None:
    documents = Documents(build_schema("type Query { a: Int }"), most=1)
    trusted = documents.read("{ a }", trusted=True)
    assert isinstance(trusted, Document)
    assert trusted.trusted
    documents.read("query B { a }")
    assert documents.read("{ a }", trusted=True) is trusted
    assert documents.read("{ a }") is not trusted


def test_fields_that_stand_again_are_few() -> None:
    documents = Documents(build_schema("type Query { a: Int }"))
    assert isinstance(documents.read("{" + "a " * 51 + "}"), Document)
    assert not isinstance(documents.read("{" + "a " * 52 + "}"), Document)
    assert not isinstance(documents.read("{" + "b: a " * 52 + "}"), Document)


def test_fragments_are_few() -> None:
    documents = Documents(build_schema("type Query { a: Int }"))
    assert isinstance(documents.read("{" + "... { a } " * 150 + "}"), Document)
    assert not isinstance(documents.read("{" + "... { a } " * 151 + "}"), Document)

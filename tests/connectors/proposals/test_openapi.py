"""OpenAPI files with every trouble: what is proposed from them, and what is refused in words."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from connectors.documents import Format
from connectors.manifest.model import RestSource
from connectors.proposals.model import Choices, Findings, Note, Reason, Refusal
from connectors.proposals.openapi import read_openapi
from tests.connectors.proposals.proposing import WORDS, accepted, fields, proposal

PERSON = {
    "type": "object",
    "properties": {
        "sfzh": {"type": "string"},
        "xm": {"type": "string"},
        "csrq": {"type": "string", "format": "date"},
        "xb": {"type": "string", "enum": ["1", "2"]},
        "licence": {"type": "object", "properties": {"fzrq": {"type": "string"}, "zl": {"type": "string"}}},
    },
}
PATH = {"name": "sfzh", "in": "path", "required": True, "schema": {"type": "string"}}


def json_of(schema: Any) -> dict[str, Any]:
    return {"description": "", "content": {"application/json": {"schema": schema}}}


def document(schema: Any, **operation: Any) -> dict[str, Any]:
    get = {"parameters": [PATH], "responses": {"200": json_of(schema), "404": {"description": ""}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Insurance", "version": "1"},
        "servers": [{"url": "https://hr.example.cn/v1/"}],
        "paths": {"/people/{sfzh}": {"get": get | operation}},
        "components": {"schemas": {"Person": PERSON}},
    }


def read(tree: Any, choice: str | None = None) -> Findings | Choices | Refusal:
    return read_openapi(json.dumps(tree).encode(), choice)


def test_a_look_up_by_path() -> None:
    made = proposal(read(document({"$ref": "#/components/schemas/Person"})))
    (offered,) = accepted(made).offerings
    assert isinstance(offered.source, RestSource)
    assert (offered.source.path, offered.rows.key) == ("/people/$key", ("sfzh",))
    assert fields(made) == {
        "holder_scheme": {"constant": "111"},
        "holder_name": "xm",
        "birth_date": {"path": "csrq", "date": "iso"},
        "sex": {"path": "xb", "codes": {"1": "1", "2": "2"}},
        "issued_on": {"path": "licence.fzrq", "date": "iso"},
        "location": "licence.zl",
    }
    assert [rule.meaning for rule in offered.outcomes] == ["found", "absent"]


def test_an_envelope_with_a_list_and_pages() -> None:
    page = {"name": "page", "in": "query", "schema": {"type": "integer", "default": 0}}
    size = {"name": "size", "in": "query", "schema": {"type": "integer"}}
    schema = {
        "properties": {
            "code": {"type": "integer"},
            "data": {
                "properties": {
                    "records": {"type": "array", "items": {"$ref": "#/components/schemas/Person"}},
                    "total": {"type": "integer"},
                    "pages": {"type": "integer"},
                }
            },
        }
    }
    made = proposal(read(document(schema, parameters=[PATH, page, size])))
    (offered,) = accepted(made).offerings
    source = offered.source
    assert isinstance(source, RestSource)
    assert source.paging is not None
    assert (source.paging.first, source.paging.pages) == (0, ("data", "pages"))
    assert (offered.rows.path, offered.rows.total) == (("data", "records"), ("data", "total"))
    assert source.query == {"page": "$page", "size": "100"}
    assert offered.offering.many
    assert 'equals = ""' in made.manifest


def test_a_batch_by_post() -> None:
    ids = {
        "sfzh": {"type": "array", "items": {"type": "string"}},
        "system": {"type": "string", "default": "A"},
    }
    body = json_of({"type": "object", "required": ["sfzh", "system"], "properties": ids})
    answer = json_of({"type": "array", "items": {"$ref": "#/components/schemas/Person"}})
    tree = document({}) | {"paths": {"/q": {"post": {"requestBody": body, "responses": {"200": answer}}}}}
    (offered,) = accepted(proposal(read(tree))).offerings
    assert isinstance(offered.source, RestSource)
    assert offered.source.body == {"sfzh": "$keys", "system": "A"}
    assert offered.offering.batch == 50


def test_a_schema_that_leads_back_into_itself_is_cut_off() -> None:
    tree = document({"$ref": "#/components/schemas/Person"})
    parent = {"properties": PERSON["properties"] | {"parent": {"$ref": "#/components/schemas/Person"}}}
    tree["components"]["schemas"]["Person"] = parent
    made = proposal(read(tree))
    assert f"# ? {WORDS[Note.LEFT_OUT]} [parent]" in made.manifest.splitlines()


def test_alternatives_are_laid_over_one_another() -> None:
    other = {"type": "object", "properties": {"jfys": {"type": "integer"}}}
    one = {"allOf": [{"oneOf": [{"$ref": "#/components/schemas/Person"}, other]}, {"properties": {"bz": {}}}]}
    assert {"holder_name", "months_paid", "remarks"} <= set(fields(proposal(read(document(one)))))


def test_swagger_2() -> None:
    tree = {
        "swagger": "2.0",
        "info": {"title": "人口", "version": "1"},
        "host": "police.example.cn",
        "basePath": "/api",
        "schemes": ["http", "https"],
        "securityDefinitions": {"k": {"type": "apiKey", "in": "header", "name": "X-Key"}},
        "security": [{"k": []}],
        "definitions": {"P": PERSON},
        "paths": {
            "/p": {
                "get": {
                    "parameters": [{"name": "idCard", "in": "query", "type": "string", "required": True}],
                    "responses": {200: {"description": "", "schema": {"$ref": "#/definitions/P"}}},
                }
            }
        },
    }
    manifest = accepted(proposal(read(tree)))
    assert manifest.credentials.slots() == {"api_key"}
    source = manifest.offerings[0].source
    assert isinstance(source, RestSource)
    assert source.query == {"idCard": "$key"}
    assert 'url = "https://police.example.cn/api"' in proposal(read(tree)).manifest


def test_xml() -> None:
    tree = document({})
    named = {"properties": PERSON["properties"], "xml": {"name": "person"}}
    content = {"application/xml": {"schema": named}}
    tree["paths"]["/people/{sfzh}"]["get"]["responses"]["200"]["content"] = content
    (offered,) = accepted(proposal(read(tree))).offerings
    assert isinstance(offered.source, RestSource)
    assert (offered.source.format, offered.rows.path) == (Format.XML, ("person",))


def test_several_look_ups_are_listed_and_one_is_chosen_by_id_or_path() -> None:
    tree = document(PERSON)
    get = tree["paths"]["/people/{sfzh}"]["get"]
    tree["paths"]["/cards/{sfzh}"] = {"get": get | {"operationId": "getCard"}}
    choices = read(tree)
    assert isinstance(choices, Choices)
    assert [(one.given, one.key) for one in choices.listed] == [
        ("GET /people/{sfzh}", "sfzh"),
        ("getCard", "sfzh"),
    ]
    assert isinstance(read(tree, "getCard"), Findings)
    assert isinstance(read(tree, "GET /people/{sfzh}"), Findings)
    assert read(tree, "none") == Refusal(Reason.CHOICE_UNKNOWN, "none")


@pytest.mark.parametrize(
    "reference",
    [
        "https://evil.example/x.json#/a",
        "other.yaml#/x",
        "file:///etc/passwd",
        "//evil.example/x",
        "/etc/passwd",
    ],
)
def test_a_reference_to_elsewhere_is_refused_and_never_followed(
    reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("something was opened")

    content = json.dumps(document({"$ref": reference})).encode()
    monkeypatch.setattr("socket.socket.connect", opened)
    monkeypatch.setattr("builtins.open", opened)
    assert read_openapi(content, None) == Refusal(Reason.REMOTE_REFERENCE, reference)


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        ({"openapi": "4.0"}, Reason.NOT_OPENAPI),
        ([], Reason.NOT_OPENAPI),
        ({"openapi": "3.0.0"}, Reason.NO_LOOKUP),
        (document({"$ref": "#/nowhere"}), Reason.BROKEN_REFERENCE),
        (document({}), Reason.NO_FIELDS),
        (document({"type": "string"}), Reason.NO_FIELDS),
        (document(PERSON) | {"paths": {"/a": {"get": {"responses": {}}}}}, Reason.NO_LOOKUP),
    ],
)
def test_what_cannot_be_imported_says_why(tree: Any, reason: Reason) -> None:
    refusal = read(tree)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is reason


@pytest.mark.parametrize(
    "path", ["/a/../{sfzh}", "/a/%2e%2e/{sfzh}", "/*/{sfzh}", "/a/{sfzh}.json", "/a/.x/{sfzh}"]
)
def test_paths_that_lead_elsewhere_or_cannot_be_declared_are_refused(path: str) -> None:
    tree = document(PERSON)
    tree["paths"] = {path: tree["paths"]["/people/{sfzh}"]}
    refusal = read(tree)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.PATH_UNSUPPORTED


BOMB = "openapi: 3.0.0\na: &a [x,x,x,x,x,x,x,x,x]\n" + "\n".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]" for n in range(9)
)


def test_yaml_is_read_safely() -> None:
    started = time.monotonic()
    assert read_openapi(BOMB.encode(), None) == Refusal(Reason.NO_LOOKUP)
    merge = b"openapi: 3.0.0\na: &a {x: 1}\nb: {<<: *a}"
    assert read_openapi(merge, None) == Refusal(Reason.MERGE_KEY)
    assert read_openapi(b"openapi: !!python/object/apply:os.system ['true']", None) == Refusal(
        Reason.NOT_A_DOCUMENT
    )
    assert read_openapi(b"a: " + b"[" * 5_000, None) == Refusal(Reason.TOO_MANY_PARTS)
    assert read_openapi(b"&a [*a]", None) == Refusal(Reason.NOT_OPENAPI)
    assert time.monotonic() - started < 5


def test_a_large_file_is_read_in_bounded_time() -> None:
    tree = document({"$ref": "#/components/schemas/Person"})
    for number in range(4_000):
        fat = {f"f{one}": {"type": "string", "description": "x" * 30} for one in range(20)}
        tree["components"]["schemas"][f"S{number}"] = {
            "properties": fat | {"n": {"$ref": f"#/components/schemas/S{number - 1}"}}
        }
    content = json.dumps(tree).encode()
    assert len(content) > 5_000_000
    started = time.monotonic()
    assert isinstance(read_openapi(content, None), Findings)
    assert time.monotonic() - started < 5


def test_alternatives_that_multiply_are_bounded() -> None:
    tree = document({"$ref": "#/components/schemas/A0"})
    for number in range(12):
        inner = {"$ref": f"#/components/schemas/A{number + 1}"}
        tree["components"]["schemas"][f"A{number}"] = {
            "anyOf": [inner] * 50,
            "properties": {f"p{number}": {}},
        }
    started = time.monotonic()
    read(tree)
    assert time.monotonic() - started < 5

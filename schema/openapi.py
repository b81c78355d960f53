"""Describes the trusted documents as an HTTP interface of their own (OpenAPI 3.1)."""

from __future__ import annotations

from typing import Any

from hub.audit.rules import HEADERS, PARTS
from hub.documents.model import Trusted, TrustedDocument
from hub.documents.rules import SHA256
from hub.kernel.errors import Code, Next
from schema.build import Contract
from schema.execution.document import Document
from schema.json_schema import JsonSchema, data_of, variables_of

OPENAPI = "3.1.1"
VERSION = "1"
TITLE = "Proofless: trusted documents 可信文档"
SUMMARY = "Each registered query as one POST. 每条登记的查询对应一个 POST 接口。"
SCHEMAS = "#/components/schemas/"
RESPONSES = "#/components/responses/"
PARAMETERS = "#/components/parameters/"


def described(contract: Contract, trusted: Trusted, issuer: str) -> dict[str, Any]:
    """The description of every trusted document that has a name and that the contract answers."""
    paths = {}
    for name, document in sorted(trusted.by_name.items()):
        read = contract.documents.read(document.text, trusted=True)
        if isinstance(read, Document):
            paths[f"/q/{name}"] = {"post": _operation(contract, name, document, read)}
    return {
        "openapi": OPENAPI,
        "info": {"title": TITLE, "summary": SUMMARY, "version": VERSION},
        "servers": [{"url": issuer}],
        "security": [{"token": []}],
        "paths": paths,
        "components": _components(),
    }


def _operation(contract: Contract, name: str, document: TrustedDocument, read: Document) -> dict[str, Any]:
    operation = read.operations[name]
    variables = variables_of(contract.schema, operation)
    return {
        "operationId": name,
        "description": f"documentId: {SHA256}{document.digest}",
        "parameters": [{"$ref": PARAMETERS + _header(part)} for part in HEADERS.values()],
        "requestBody": {
            "required": True,
            "description": "The variables. 变量。",
            "content": {"application/json": {"schema": variables}},
        },
        "responses": {
            "200": _answered(data_of(contract.schema, read, operation)),
            "default": {"$ref": RESPONSES + "Refused"},
        },
    }


def _answered(data: JsonSchema) -> dict[str, Any]:
    body = {
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": data,
            "errors": {"type": "array", "items": {"$ref": SCHEMAS + "Error"}},
            "extensions": {"$ref": SCHEMAS + "Extensions"},
        },
    }
    return {
        "description": "The answer; seal and errors as in GraphQL. 答复，回执和错误与 GraphQL 相同。",
        "headers": {
            "Hub-Cost": {
                "description": "Estimated cost. 估算代价。",
                "schema": {"type": "integer", "minimum": 0},
            },
            "Hub-Document": {
                "description": "documentId of the sealed request. 回执所对应请求的 documentId。",
                "required": True,
                "schema": {"type": "string"},
            },
            **_standing(),
        },
        "content": {"application/json": {"schema": body}},
    }


def _components() -> dict[str, Any]:
    refused = {
        "type": "object",
        "required": ["errors"],
        "properties": {"errors": {"type": "array", "minItems": 1, "items": {"$ref": SCHEMAS + "Error"}}},
    }
    return {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        "parameters": {_header(part): _parameter(part) for part in HEADERS.values()},
        "schemas": {"Error": _error(), "Extensions": _extensions()},
        "responses": {
            "Refused": {
                "description": "Refused whole; the number says why. 整体不予办理，编号说明原因。",
                "headers": {"Retry-After": _text("Seconds to wait. 稍后再试的秒数。"), **_standing()},
                "content": {"application/json": {"schema": refused}},
            }
        },
    }


def _standing() -> dict[str, Any]:
    """Headers of every answer: draft-ietf-httpapi-ratelimit-headers, and the id to ask the operator by."""
    return {
        "Hub-Request-Id": _text("Id of this request in every log. 各处日志中本次请求的编号。"),
        "RateLimit-Policy": _text("The client's limits. 调用方的限额。"),
        "RateLimit": _text("What is left of them. 限额余量。"),
    }


def _text(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}}


def _header(part: str) -> str:
    return f"Hub-{part.capitalize()}"


def _parameter(part: str) -> dict[str, Any]:
    told = f"The purpose's {part}, percent-encoded UTF-8. 用途的一部分。"
    if part not in PARTS:
        told += " Exactly one of officer, citizen and device. 三者必居其一。"
    return {
        "name": _header(part),
        "in": "header",
        "required": part in PARTS,
        "description": told,
        "schema": {"type": "string"},
    }


def _error() -> JsonSchema:
    """An error as GraphQL words it (specification, §7.1.2), with the hub's number."""
    numbers = [code.label for code in Code]
    following = {"type": "object", "required": ["do"], "properties": {"do": {"enum": [*map(str, Next)]}}}
    return {
        "type": "object",
        "required": ["message", "extensions"],
        "properties": {
            "message": {"type": "string"},
            "path": {"type": "array", "items": {"type": ["string", "integer"]}},
            "locations": {"type": "array", "items": {"type": "object"}},
            "extensions": {
                "type": "object",
                "required": ["code", "next"],
                "properties": {"code": {"enum": numbers}, "next": following},
            },
        },
    }


def _extensions() -> JsonSchema:
    return {
        "type": "object",
        "required": ["receipt", "receiptSalt"],
        "properties": {"receipt": {"type": "string"}, "receiptSalt": {"type": "string"}},
    }

"""Reads the bytes an agency sent as plain values: JSON with exact numbers, XML without entities."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from xml.parsers import expat

import msgspec

DEPTH = 64
UTF_8 = "utf-8"
JSON = msgspec.json.Decoder(float_hook=Decimal)


class Format(StrEnum):
    """How a document is written."""

    JSON = "json"
    XML = "xml"


class NotADocument(Exception):  # noqa: N818 - it says what the bytes are
    """The bytes are not a document of the declared format."""


def decode(document: bytes | str, form: Format, encoding: str = UTF_8) -> object:
    """The document as dicts, lists, str, int, Decimal, bool and None.

    Raises NotADocument, whose text never holds a part of the document.
    """
    if form is Format.JSON and encoding == UTF_8:
        return _decode_json(document)  # which reads UTF-8 itself
    try:
        text = document if isinstance(document, str) else document.decode(encoding)
    except UnicodeDecodeError:
        raise NotADocument("not text in the declared encoding") from None
    return _decode_json(text) if form is Format.JSON else _decode_xml(text)


def _decode_json(text: bytes | str) -> object:
    try:
        tree: object = JSON.decode(text)
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError):
        raise NotADocument("not JSON") from None
    return tree


def _decode_xml(text: str) -> object:
    building = _Building()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = building.refuse
    parser.EntityDeclHandler = building.refuse
    parser.StartElementHandler = building.start
    parser.EndElementHandler = building.end
    parser.CharacterDataHandler = building.text
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, UnicodeEncodeError):
        raise NotADocument("not XML") from None
    return building.root


class _Building:
    """Elements as dicts by local name: attributes as ``@name``, repeated ones a list, bare ones text."""

    def __init__(self) -> None:
        self.root: dict[str, object] = {}
        self._open: list[tuple[dict[str, object], list[str]]] = [(self.root, [])]

    def refuse(self, *_declared: object) -> None:
        raise NotADocument("XML with a document type or entities")

    def start(self, _name: str, attributes: dict[str, str]) -> None:
        if len(self._open) > DEPTH:
            raise NotADocument("XML nested too deeply")
        self._open.append(({f"@{_local(name)}": value for name, value in attributes.items()}, []))

    def text(self, data: str) -> None:
        self._open[-1][1].append(data)

    def end(self, name: str) -> None:
        element, pieces = self._open.pop()
        text = "".join(pieces).strip()
        if element and text:
            element["#text"] = text
        _place(self._open[-1][0], _local(name), element or text)


def _local(name: str) -> str:
    return name.rpartition(" ")[2]


def _place(parent: dict[str, object], name: str, value: object) -> None:
    present = parent.get(name)
    if present is None:
        parent[name] = value
    elif isinstance(present, list):
        present.append(value)
    else:
        parent[name] = [present, value]

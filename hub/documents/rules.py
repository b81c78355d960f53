"""Decides which text answers a request, and which documents a file submits for registration."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from hub.documents.model import Chosen, Submitted, Trusted, TrustedDocument
from hub.kernel.errors import Code, Problem

SHA256 = "sha256:"
DIGEST_LENGTH = 64  # hexadecimal digits
LONGEST_ID = 200  # characters
LONGEST_TEXT = 100_000  # characters
LONGEST_NAME = 100  # characters
MOST_DOCUMENTS = 5_000
APOLLO_FORMAT = "apollo-persisted-query-manifest"


def digest_of(text: str) -> str:
    """The hexadecimal SHA-256 of a document's UTF-8."""
    return sha256(text.encode()).hexdigest()


def indexed(documents: Iterable[TrustedDocument]) -> Trusted:
    """Documents as they are found."""
    by_id: dict[str, TrustedDocument] = {}
    by_name: dict[str, TrustedDocument] = {}
    by_text: dict[str, TrustedDocument] = {}
    for document in documents:
        for known in (document.digest, SHA256 + document.digest):
            by_id.setdefault(known, document)
        by_text.setdefault(document.text, document)
        by_id[document.id] = document
        if document.name is not None:
            by_name[document.name] = document
    return Trusted(MappingProxyType(by_id), MappingProxyType(by_name), MappingProxyType(by_text))


def choose(trusted: Trusted, text: str | None, id_: str | None, *, only_trusted: bool) -> Chosen | Problem:
    """The text to answer: the one that the id stands for, or the one that was sent.

    REQUEST_SHAPE: neither was sent, or both and they differ. DOCUMENT_UNKNOWN: no document has the id.
    DOCUMENT_NOT_TRUSTED: ``only_trusted``, and the text is nobody's.
    """
    if id_ is not None and text is not None and not _belongs(trusted, text, id_):
        return Problem(Code.REQUEST_SHAPE, {"part": "documentId"})
    if text is None:
        if id_ is None:
            return Problem(Code.REQUEST_SHAPE, {"part": "query"})
        found = trusted.by_id.get(id_)
        return Chosen(found.text, True) if found else Problem(Code.DOCUMENT_UNKNOWN)
    known = trusted.by_text.get(text)
    if known is None and only_trusted:
        return Problem(Code.DOCUMENT_NOT_TRUSTED)
    return Chosen(text, known is not None)


def _belongs(trusted: Trusted, text: str, id_: str) -> bool:
    known = trusted.by_id.get(id_)
    return known.text == text if known else id_.removeprefix(SHA256) == digest_of(text)


def read_file(content: bytes) -> tuple[Submitted, ...] | Problem:
    """The documents of a file: GraphQL text, ``{id: text}`` (Relay), or Apollo's manifest of operations.

    TRUSTED_DOCUMENT_INVALID names the ``part`` that is wrong and the ``rule`` that it breaks.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return mistake("file", "UTF-8")
    if not text.lstrip().startswith("{"):
        return (Submitted(None, text),)
    try:
        manifest = json.loads(text)
    except ValueError:
        return (Submitted(None, text),)  # an operation may begin with a brace too
    return _listed(manifest)


def _listed(manifest: Any) -> tuple[Submitted, ...] | Problem:
    listed = manifest.get("operations") if manifest.get("format") == APOLLO_FORMAT else None
    pairs = list(manifest.items()) if listed is None else [_apollo(one) for one in _list(listed)]
    if not pairs:
        return mistake("file", "at least one document")
    for id_, text in pairs:
        if not isinstance(id_, str) or not isinstance(text, str):
            return mistake("file", '{"id": "text"}, or operations with id and body')
    return tuple(Submitted(id_, text) for id_, text in pairs)


def _list(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _apollo(one: Any) -> tuple[Any, Any]:
    return (one.get("id"), one.get("body")) if isinstance(one, Mapping) else (None, None)


def registered(submitted: Submitted, name: str) -> TrustedDocument | Problem:
    """A checked document under its id; an id that is a SHA-256 must be the text's own."""
    digest = digest_of(submitted.text)
    id_ = (submitted.id or digest).removeprefix(SHA256)
    if len(submitted.text) > LONGEST_TEXT:
        return mistake(name, f"at most {LONGEST_TEXT} characters")
    if len(name) > LONGEST_NAME:
        return mistake(name[:LONGEST_NAME], f"a name of at most {LONGEST_NAME} characters")
    if not id_.isprintable() or not 0 < len(id_) <= LONGEST_ID:
        return mistake(name, f"an id of at most {LONGEST_ID} printable characters")
    if _is_digest(id_) and id_.lower() != digest:
        return mistake(name, "an id that is the SHA-256 of the text")
    return TrustedDocument(digest if _is_digest(id_) else id_, name, submitted.text, digest)


def _is_digest(id_: str) -> bool:
    return len(id_) == DIGEST_LENGTH and all(digit in "0123456789abcdefABCDEF" for digit in id_)


def mistake(part: str, rule: str) -> Problem:
    """Why a document cannot be registered: which part of which rule."""
    return Problem(Code.TRUSTED_DOCUMENT_INVALID, {"part": part, "rule": rule})

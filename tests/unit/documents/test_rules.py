"""Which text answers a request, and which documents a file submits."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.documents.model import Chosen, Submitted, TrustedDocument
from hub.documents.rules import LONGEST_TEXT, choose, digest_of, indexed, read_file, registered
from hub.kernel.errors import Code, Problem

TEXT = "query A { a }"
DIGEST = digest_of(TEXT)
OTHER = "query B { b }"


def document(id_: str = DIGEST, text: str = TEXT) -> TrustedDocument:
    return TrustedDocument(id_, "A", text, digest_of(text))


CHOICES: dict[str, tuple[str | None, str | None, bool, Chosen | Code]] = {
    "a text": (OTHER, None, False, Chosen(OTHER, False)),
    "a trusted text": (TEXT, None, True, Chosen(TEXT, True)),
    "any other where only trusted ones count": (OTHER, None, True, Code.DOCUMENT_NOT_TRUSTED),
    "an id": (None, DIGEST, True, Chosen(TEXT, True)),
    "an id with its algorithm": (None, f"sha256:{DIGEST}", False, Chosen(TEXT, True)),
    "an unknown id": (None, digest_of(OTHER), False, Code.DOCUMENT_UNKNOWN),
    "an id and its text": (TEXT, DIGEST, True, Chosen(TEXT, True)),
    "an id and another text": (OTHER, DIGEST, False, Code.REQUEST_SHAPE),
    "an unknown id and its text": (OTHER, f"sha256:{digest_of(OTHER)}", False, Chosen(OTHER, False)),
    "an unknown id and its text, untrusted": (OTHER, digest_of(OTHER), True, Code.DOCUMENT_NOT_TRUSTED),
    "an unknown id and another text": (OTHER, "0" * 64, False, Code.REQUEST_SHAPE),
    "neither": (None, None, False, Code.REQUEST_SHAPE),
}


@pytest.mark.parametrize(("text", "id_", "only", "chosen"), CHOICES.values(), ids=CHOICES.keys())
def test_the_text_that_answers(text: str | None, id_: str | None, only: bool, chosen: Chosen | Code) -> None:
    found = choose(indexed([document()]), text, id_, only_trusted=only)
    assert (found.code if isinstance(found, Problem) else found) == chosen


def test_a_manifests_id_and_the_digest_both_find_it() -> None:
    trusted = indexed([document("md5-of-it"), document()])
    assert {trusted.by_id[id_].text for id_ in ("md5-of-it", DIGEST, f"sha256:{DIGEST}")} == {TEXT}


FILES: dict[str, tuple[bytes, list[Submitted] | Code]] = {
    "a query": (TEXT.encode(), [Submitted(None, TEXT)]),
    "a query without a name": (b"{ a }", [Submitted(None, "{ a }")]),
    "Relay's manifest": (
        json.dumps({"1": TEXT, "2": OTHER}).encode(),
        [Submitted("1", TEXT), Submitted("2", OTHER)],
    ),
    "Apollo's manifest": (
        json.dumps(
            {
                "format": "apollo-persisted-query-manifest",
                "version": 1,
                "operations": [{"id": DIGEST, "name": "A", "type": "query", "body": TEXT}],
            }
        ).encode(),
        [Submitted(DIGEST, TEXT)],
    ),
    "Apollo's manifest without operations": (
        b'{"format": "apollo-persisted-query-manifest", "operations": []}',
        Code.TRUSTED_DOCUMENT_INVALID,
    ),
    "Apollo's manifest with something else": (
        b'{"format": "apollo-persisted-query-manifest", "operations": ["a"]}',
        Code.TRUSTED_DOCUMENT_INVALID,
    ),
    "texts that are none": (b'{"1": 2}', Code.TRUSTED_DOCUMENT_INVALID),
    "nothing": (b"{}", Code.TRUSTED_DOCUMENT_INVALID),
    "other bytes": (b"\xff", Code.TRUSTED_DOCUMENT_INVALID),
}


@pytest.mark.parametrize(("content", "submitted"), FILES.values(), ids=FILES.keys())
def test_what_a_file_submits(content: bytes, submitted: list[Submitted] | Code) -> None:
    found = read_file(content)
    assert (found.code if isinstance(found, Problem) else list(found)) == submitted


IDS: dict[str, tuple[str | None, str | None]] = {
    "none": (None, DIGEST),
    "its digest": (DIGEST, DIGEST),
    "its digest with the algorithm": (f"sha256:{DIGEST}", DIGEST),
    "its digest in capitals": (DIGEST.upper(), DIGEST),
    "one of the manifest's own": ("op-7", "op-7"),
    "another text's digest": (digest_of(OTHER), None),
    "an empty one": ("sha256:", None),
    "a long one": ("a" * 201, None),
    "one that cannot be shown": ("a\nb", None),
}


@pytest.mark.parametrize(("id_", "registered_as"), IDS.values(), ids=IDS.keys())
def test_the_id_under_which_it_is_registered(id_: str | None, registered_as: str | None) -> None:
    found = registered(Submitted(id_, TEXT), "A")
    assert (found.id if isinstance(found, TrustedDocument) else None) == registered_as


BOUNDS: dict[str, tuple[str, Any]] = {
    "a long text": (TEXT + "#" * LONGEST_TEXT, "A"),
    "a long name": (TEXT, "A" * 101),
}


@pytest.mark.parametrize(("text", "name"), BOUNDS.values(), ids=BOUNDS.keys())
def test_what_is_too_long(text: str, name: str) -> None:
    found = registered(Submitted(None, text), name)
    assert isinstance(found, Problem)
    assert found.code is Code.TRUSTED_DOCUMENT_INVALID

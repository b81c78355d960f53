"""Trusted documents: operations that the operator has registered, and how they are found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class TrustedDocument:
    """One registered operation with its text as the client has it, to the byte.

    ``id``: what clients send, mostly the hexadecimal SHA-256 of the text, else the id of their own manifest;
    ``digest``: that SHA-256 in any case. ``name``: the operation's, under which it is served as
    ``POST /q/{name}``; None once a newer text has taken the name over.
    """

    id: str
    name: str | None
    text: str
    digest: str


@dataclass(frozen=True, slots=True)
class Trusted:
    """All trusted documents. ``by_id`` knows each by its id, its digest, and ``sha256:`` with the digest."""

    by_id: Mapping[str, TrustedDocument]
    by_name: Mapping[str, TrustedDocument]
    by_text: Mapping[str, TrustedDocument]


@dataclass(frozen=True, slots=True)
class Submitted:
    """A document as a file names it: the id of a manifest (None: it has none), and its text."""

    id: str | None
    text: str


class Chosen(msgspec.Struct, frozen=True):
    """The text that answers a request, and whether it is a trusted document's."""

    text: str
    trusted: bool

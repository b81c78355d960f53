"""The words by which agencies name things, read from the file beside this module."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from connectors.proposals.model import Note

SPOKEN = re.compile(r"[^0-9a-z\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class Known:
    """A field that many agencies have; ``codes`` names a table, ``holder_name`` whose name it is."""

    code: str
    type: str
    zh: str
    en: str
    sensitivity: str | None
    unit: str | None
    codes: str | None
    scheme: str | None
    holder_name: str | None


@dataclass(frozen=True, slots=True)
class CodeTable:
    """A standard's codes with their names in Chinese and English, and how agencies write them."""

    values: Mapping[str, tuple[str, str]]
    written: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All of the file."""

    names: Mapping[str, tuple[Known, Note]]
    parts: Mapping[str, str]
    codes: Mapping[str, CodeTable]
    truth: Mapping[str, bool]
    telling: tuple[str, ...]
    surnames: frozenset[str]
    reserved: frozenset[str]
    reserved_records: frozenset[str]
    envelopes: Mapping[str, frozenset[str]]

    def find(self, name: str) -> tuple[Known, Note] | None:
        """The field that a name stands for, and how it was recognised."""
        return self.names.get(spoken(name)) or self.names.get(spoken(re.sub(r"[(（].*?[)）]", "", name)))


def spoken(name: str) -> str:
    """A name without case, spaces and signs: all that counts when names are compared."""
    return SPOKEN.sub("", name.casefold())


@lru_cache(1)
def vocabulary() -> Vocabulary:
    """What is known."""
    text = files(__package__).joinpath("words.toml").read_text(encoding="utf-8")
    read = tomllib.loads(text)
    guard = read["guard"]
    return Vocabulary(
        MappingProxyType(_names(read)),
        MappingProxyType(read["parts"]),
        MappingProxyType({name: _table(one) for name, one in read["codes"].items()}),
        MappingProxyType(read["truth"]["written"]),
        tuple(guard["names"]),
        frozenset(guard["surnames"]),
        frozenset(read["reserved"]["codes"]),
        frozenset(read["reserved"]["records"]),
        MappingProxyType({name: frozenset(words) for name, words in read["envelopes"].items()}),
    )


def _names(read: Mapping[str, Any]) -> dict[str, tuple[Known, Note]]:
    """Of two fields that share an abbreviation the preferred one has it, else the first."""
    names: dict[str, tuple[Known, Note]] = {}
    by_code = {code: _known(code, field) for code, field in read["fields"].items()}
    for abbreviation, code in read["preferred"].items():
        names[abbreviation] = by_code[code], Note.BY_INITIALS
    spellings = [(known, *one) for code, known in by_code.items() for one in _spelt(read["fields"][code])]
    for wanted in (Note.BY_NAME, Note.BY_PINYIN, Note.BY_INITIALS):
        for known, name, note in spellings:
            if note is wanted:
                names.setdefault(spoken(name), (known, note))
    return names


def _spelt(field: Mapping[str, Any]) -> Iterator[tuple[str, Note]]:
    for name, pinyin in field["names"]:
        yield name, Note.BY_NAME
        yield pinyin, Note.BY_PINYIN
        yield "".join(syllable[0] for syllable in pinyin.split()), Note.BY_INITIALS
    yield from ((name, Note.BY_NAME) for name in field["latin"])


def _known(code: str, field: Mapping[str, Any]) -> Known:
    optional = (field.get(name) for name in ("sensitivity", "unit", "codes", "scheme", "holder_name"))
    return Known(code, field["type"], field["names"][0][0], field["en"], *optional)


def _table(one: Mapping[str, Any]) -> CodeTable:
    values = {code: (zh, en) for code, (zh, en) in one["values"].items()}
    return CodeTable(
        MappingProxyType(values), MappingProxyType({code: code for code in values} | one["written"])
    )

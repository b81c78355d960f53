"""What the hub says to people, in Chinese and English: numbered errors, outcomes and page texts."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files
from string import Formatter
from types import MappingProxyType

from hub.kernel.errors import Code, Next, Problem


class Language(StrEnum):
    """The two languages of every text; Chinese comes first."""

    ZH = "zh"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Said:
    """One text in three parts: what it is, what happened, and what to do next."""

    title: str
    explanation: str
    next: str


class Texts:
    """The texts of one language."""

    def __init__(self, language: Language, tables: Mapping[str, object]) -> None:
        self.language = language
        self.tag = str(tables["language"])
        self._tables = tables
        self._placeholders = _strings(tables["placeholder"])

    def error(self, code: Code) -> Said:
        """The texts of a numbered error with general words where a problem would name particulars."""
        return self.say(Problem(code))

    def raw(self, code: Code) -> Said:
        """The texts of a numbered error with their braces."""
        return _said(self._tables[code.label])

    def say(self, problem: Problem) -> Said:
        """The texts of a problem; a particular that it lacks or leaves empty is replaced by general words.

        A detail named ``agency_en`` is ``agency`` in English; one whose name is a table of the error, such
        as ``rule`` of HUB-117, is said in that table's words.
        """
        table, raw = _table(self._tables[problem.code.label]), self.raw(problem.code)
        words = self._placeholders | self._particulars(table, problem.detail)
        return Said(raw.title, raw.explanation.format_map(words), raw.next.format_map(words))

    def _particulars(self, table: Mapping[str, object], detail: Mapping[str, str]) -> dict[str, str]:
        return {
            name.removesuffix(f"_{self.language}"): _worded(table.get(name), value)
            for name, value in detail.items()
            if value
        }

    def outcome(self, outcome: str) -> Said:
        """The texts of one of the five outcomes; ``outcome`` is a value of connectors.contract.Outcome."""
        return _said(_table(self._tables["outcome"])[outcome])

    def next_step(self, step: Next) -> tuple[str, str]:
        """The name of a group of errors, and what its errors have in common."""
        return _strings(self._tables["next"])[step], _strings(self._tables["next_explained"])[step]

    def page(self, name: str) -> Mapping[str, str]:
        """The texts of one page by key."""
        return _strings(_table(self._tables["page"])[name])


def load_texts(language: Language) -> Texts:
    """Reads the texts of one language from the file beside this module."""
    return Texts(language, MappingProxyType(tomllib.loads(_read(language))))


def placeholders(text: str) -> frozenset[str]:
    """The names that stand in braces in a text."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)


def _read(language: Language) -> str:
    return files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8")


def _worded(known: object, value: str) -> str:
    return str(known.get(value, value)) if isinstance(known, Mapping) else value


def _table(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError("a table is expected in the texts")
    return value


def _strings(value: object) -> dict[str, str]:
    return {key: str(text) for key, text in _table(value).items()}


def _said(value: object) -> Said:
    table = _strings(value)
    return Said(table["title"], table["explanation"], table["next"])

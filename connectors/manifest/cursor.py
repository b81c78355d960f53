"""Reads one TOML table key by key and notes every mistake with its path, never with its value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from connectors.manifest.model import Mistake

Table = Mapping[str, object]
BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Cursor:
    """A table at a path. What is wrong is noted and a harmless value given back, so that reading goes on."""

    def __init__(self, table: Table, path: str, mistakes: list[Mistake]) -> None:
        self._table = table
        self.path = path
        self._mistakes = mistakes
        self._read: set[str] = set()

    def has(self, name: str) -> bool:
        """Whether the key stands in the table."""
        return name in self._table

    def names(self) -> tuple[str, ...]:
        """Every key of the table, in its order."""
        return tuple(self._table)

    def mistake(self, name: str, expected: str) -> None:
        """Notes a mistake at a key of this table ("" for the table itself)."""
        self._mistakes.append(Mistake(self._at(name), expected))

    def take(self, name: str) -> object:
        """The raw value; None when it is missing."""
        self._read.add(name)
        return self._table.get(name)

    def optional_text(self, name: str, expected: str = "a text", pattern: str = r"(?s).+") -> str | None:
        """A text that matches the pattern; None when it is missing."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return value
        self.mistake(name, expected)
        return None

    def text(self, name: str, expected: str = "a text", pattern: str = r"(?s).+") -> str:
        """A text that matches the pattern and must be there."""
        if not self.has(name):
            self.mistake(name, f"{expected} (it is missing)")
            return ""
        return self.optional_text(name, expected, pattern) or ""

    def choice(self, name: str, options: Iterable[str], default: str | None = None) -> str:
        """One of the options."""
        known = tuple(options)
        value = self.take(name)
        if value is None and default is not None:
            return default
        if isinstance(value, str) and value in known:
            return value
        self.mistake(name, f"one of {', '.join(known)}")
        return known[0]

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number within the bounds."""
        value = self.take(name)
        if value is None and default is not None:
            return default
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.mistake(name, f"a whole number from {low} to {high}")
        return low

    def number(self, name: str, low: float, high: float) -> float | None:
        """A number within the bounds; None when it is missing."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high:
            return float(value)
        self.mistake(name, f"a number from {low} to {high}")
        return None

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self.take(name)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        self.mistake(name, "true or false")
        return default

    def table(self, name: str) -> Cursor:
        """The table under a key; an empty one, noted, when there is none."""
        if not self.has(name):
            self.mistake(name, "a table (it is missing)")
        return self.optional_table(name) or Cursor({}, self._at(name), [])

    def optional_table(self, name: str) -> Cursor | None:
        """The table under a key; None when there is none."""
        value = self.take(name)
        if value is None:
            return None
        if isinstance(value, dict):
            return Cursor(value, self._at(name), self._mistakes)
        self.mistake(name, "a table")
        return None

    def tables(self, name: str) -> tuple[Cursor, ...]:
        """The list of tables under a key; empty when it is missing."""
        value = self.take(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.mistake(name, "a list of tables")
            return ()
        return tuple(Cursor(one, f"{self._at(name)}[{i}]", self._mistakes) for i, one in enumerate(value))

    def text_table(self, name: str, expected: str = "a text", pattern: str = r"(?s).+") -> dict[str, str]:
        """A table of texts; empty when it is missing."""
        inner = self.optional_table(name)
        if inner is None:
            return {}
        return {key: inner.text(key, expected, pattern) for key in inner.names()}

    def finish(self) -> None:
        """Notes every key that nobody read."""
        for name in self._table:
            if name not in self._read:
                self.mistake(name, "nothing: this key is not known here")

    def _at(self, name: str) -> str:
        shown = name if BARE_KEY.fullmatch(name) or not name else repr(name[:64])
        return ".".join(part for part in (self.path, shown) if part)

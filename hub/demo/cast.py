"""Decides the awkward cases that the demo city has on purpose; ``cast.toml`` says what is special."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

from hub.demo.model import Business, Person

OWNER, MANAGER, MOVED, LAPSED = 1, 20, 16, 17
PHARMACY, EXPIRED_SHOP, CROWDED, REVOKED_PHARMACY = 0, 1, 3, 8
CROWD = 230
"""How many shareholders the crowded business has."""


@dataclass(frozen=True, slots=True)
class PersonPart:
    """A person with a story: what is special, and what differs from the person drawn by lot."""

    index: int
    zh: str
    en: str
    set: Mapping[str, Any]
    born_characters: int = 10

    def change(self, person: Person) -> Person:
        """The person as the story has it."""
        return replace(person, born=person.born[: self.born_characters], **self.set)


@dataclass(frozen=True, slots=True)
class BusinessPart:
    """A business with a story; ``owner`` is its legal representative's index, ``letters`` begin its code."""

    index: int
    zh: str
    en: str
    set: Mapping[str, Any]
    owner: int | None = None
    region: str | None = None
    letters: str | None = None

    def change(self, business: Business) -> Business:
        """The business as the story has it."""
        return replace(business, **self.set)


def read_people() -> Mapping[int, PersonPart]:
    """Every person with a story, in the order of telling."""
    return {int(index): PersonPart(int(index), **part) for index, part in _sheet()["people"].items()}


def read_businesses() -> Mapping[int, BusinessPart]:
    """Every business with a story, in the order of telling."""
    sheet = _sheet()
    told = {
        int(index): BusinessPart(int(index), **{"set": {}, **part})
        for index, part in sheet["businesses"].items()
    }
    group = sheet["group"]
    indexes = range(group.pop("first"), group.pop("last") + 1)
    return told | {index: BusinessPart(index, **group) for index in indexes}


def _sheet() -> dict[str, Any]:
    return tomllib.loads(files("hub.demo").joinpath("cast.toml").read_text("utf-8"))

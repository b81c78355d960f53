"""The glossary names every word of the models, and of each enumeration every member."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
CHINESE = re.compile("[一-鿿]")
NUMBERED = {"Code"}  # its members stand at /errors


def models() -> Iterator[ModuleType]:
    for path in sorted((ROOT / "hub").glob("*/model.py")):
        if path.parent.name != "demo":
            yield importlib.import_module(f"hub.{path.parent.name}.model")
    yield importlib.import_module("connectors.contract")
    yield importlib.import_module("hub.kernel.errors")


def words() -> dict[str, type]:
    """Every public class that a model defines."""
    return {
        name: member
        for module in models()
        for name, member in inspect.getmembers(module, inspect.isclass)
        if member.__module__ == module.__name__ and not name.startswith("_")
    }


def rows() -> dict[str, tuple[str, str]]:
    """Word -> its Chinese and its meaning."""
    lines = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    return {code: (chinese, meaning) for code, chinese, meaning in cells if code != "code"}


@pytest.mark.parametrize("word", sorted(words()))
def test_every_word_of_a_model_is_explained(word: str) -> None:
    chinese, meaning = rows()[word]
    assert CHINESE.search(chinese)
    assert meaning


@pytest.mark.parametrize(
    "word", sorted(name for name, kind in words().items() if issubclass(kind, Enum) and name not in NUMBERED)
)
def test_every_member_of_an_enumeration_is_named_in_both_languages(word: str) -> None:
    _, meaning = rows()[word]
    kind = words()[word]
    assert issubclass(kind, Enum)
    for member in kind.__members__:
        assert re.search(rf"\b{member} [一-鿿]", meaning), member


def test_no_word_is_explained_twice() -> None:
    lines = (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines()
    named = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    words_only = [name for name in named if name != "code"]
    assert len(words_only) == len(set(words_only))


def test_words_of_the_constitution_are_explained() -> None:
    ahead = {
        "Fact",
        "Requirement",
        "Disposition",
        "Event",
        "Case",
        "Mandate",
        "Commitment",
        "Verification",
        "Review",
    }
    assert ahead <= set(rows())

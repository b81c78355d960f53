"""Every no of the hub has words in both languages, and the words name only what a problem can name."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any

import pytest

from connectors.contract import Outcome
from hub.kernel.errors import Code, Next, Problem
from hub.texts import Language, load_texts, placeholders

LABELS = frozenset(code.label for code in Code)
PARTS = {"title", "explanation", "next"}


def raw(language: Language) -> dict[str, Any]:
    return tomllib.loads(files("hub.texts").joinpath(f"{language}.toml").read_text(encoding="utf-8"))


def leaves(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key), value


@pytest.mark.parametrize("language", Language)
def test_every_number_has_its_three_parts_and_no_number_is_left_over(language: Language) -> None:
    numbered = {key: table for key, table in raw(language).items() if key.startswith("HUB-")}
    assert set(numbered) == LABELS
    assert all(set(table) == PARTS for table in numbered.values())


def test_both_languages_say_the_same_things() -> None:
    chinese, english = dict(leaves(raw(Language.ZH))), dict(leaves(raw(Language.EN)))
    assert set(chinese) == set(english)
    assert all(chinese.values())
    assert all(english.values())


@pytest.mark.parametrize("label", sorted(LABELS))
def test_both_languages_name_the_same_particulars(label: str) -> None:
    for part in ("explanation", "next"):
        assert placeholders(raw(Language.ZH)[label][part]) == placeholders(raw(Language.EN)[label][part])


@pytest.mark.parametrize("language", Language)
def test_a_title_names_no_particulars(language: Language) -> None:
    assert not any(placeholders(raw(language)[label]["title"]) for label in LABELS)


@pytest.mark.parametrize("language", Language)
def test_every_particular_has_general_words(language: Language) -> None:
    tables = raw(language)
    named = {name for label in LABELS for text in tables[label].values() for name in placeholders(text)}
    assert named <= set(tables["placeholder"])


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("code", Code)
def test_a_problem_without_detail_still_reads(language: Language, code: Code) -> None:
    said = load_texts(language).error(code)
    assert "{" not in said.title + said.explanation + said.next


def test_a_problem_names_its_particulars() -> None:
    said = load_texts(Language.EN).say(Problem(Code.OVER_ASKED, {"fields": "person.ethnicity"}))
    assert "person.ethnicity" in said.explanation


def test_braces_in_a_detail_are_text() -> None:
    said = load_texts(Language.EN).say(Problem(Code.REQUEST_SHAPE, {"part": "{fields}"}))
    assert "{fields}" in said.explanation


@pytest.mark.parametrize("language", Language)
def test_every_outcome_and_every_next_step_has_words(language: Language) -> None:
    texts = load_texts(language)
    assert all(texts.outcome(outcome).next for outcome in Outcome)
    assert all(all(texts.next_step(step)) for step in Next)


def test_english_is_english_and_chinese_is_chinese() -> None:
    brand = {
        ("page", "frame", "language"),
        ("page", "frame", "brand_other"),
        ("page", "graphiql", "case_hint"),
    }
    english = [text for path, text in leaves(raw(Language.EN)) if path not in brand]
    assert not [text for text in english if any("一" <= character <= "鿿" for character in text)]
    chinese = [table["title"] for label, table in raw(Language.ZH).items() if label.startswith("HUB-")]
    assert all(any("一" <= character <= "鿿" for character in title) for title in chinese)

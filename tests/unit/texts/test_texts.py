"""Every no of the hub has words in both languages, and the words name only what a problem can name."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Outcome
from hub.kernel.errors import Code, Next, Problem
from hub.subjects.rules import resident_id_mistake, uscc_mistake
from hub.texts import Language, load_texts, placeholders

ROOT = Path(__file__).parents[3]

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
    assert all(
        {key for key, text in table.items() if isinstance(text, str)} == PARTS for table in numbered.values()
    )


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
    named = {name for label in LABELS for part in PARTS for name in placeholders(tables[label][part])}
    assert named <= set(tables["placeholder"])


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("code", Code)
def test_a_problem_without_detail_still_reads(language: Language, code: Code) -> None:
    said = load_texts(language).error(code)
    assert "{" not in said.title + said.explanation + said.next


def test_a_problem_names_its_particulars() -> None:
    said = load_texts(Language.EN).say(Problem(Code.OVER_ASKED, {"fields": "person.ethnicity"}))
    assert "person.ethnicity" in said.explanation


def test_a_particular_left_empty_gets_general_words() -> None:
    problem = Problem(Code.EVIDENCE_TYPE_UNKNOWN, {"record": ""})
    assert load_texts(Language.EN).say(problem) == load_texts(Language.EN).error(problem.code)


@pytest.mark.parametrize(("language", "name"), [(Language.ZH, "公安局"), (Language.EN, "Police")])
def test_a_particular_is_said_in_the_readers_language(language: Language, name: str) -> None:
    problem = Problem(Code.SOURCE_TIMEOUT, {"agency_zh": "公安局", "agency_en": "Police"})
    assert name in load_texts(language).say(problem).explanation


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("code", "text", "rule"),
    [
        (Code.RESIDENT_ID_INVALID, resident_id_mistake(text), rule)
        for text, rule in [
            (3, "text"),
            ("37032319811213592", "length"),
            ("37032319811213592Y", "characters"),
            ("370323198113135921", "date"),
            ("370323198112135922", "check"),
        ]
    ]
    + [
        (Code.USCC_INVALID, uscc_mistake(text), rule)
        for text, rule in [
            (None, "text"),
            ("9137", "length"),
            ("91370303MA3GPR9Y2I", "characters"),
            ("91370303MA3GPR9Y2A", "check"),
        ]
    ],
)
def test_what_is_wrong_with_an_identifier_is_said_in_words(
    language: Language, code: Code, text: str, rule: str
) -> None:
    assert text == rule
    said = load_texts(language).say(Problem(code, {"rule": rule})).explanation
    assert str(raw(language)[code.label]["rule"][rule]) in said


def test_every_limit_of_a_query_has_words() -> None:
    named = {
        node.args[0].value
        for file in (ROOT / "schema").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"too_large", "oversized"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    assert "depth" in named
    assert named <= set(raw(Language.EN)[Code.DOCUMENT_TOO_LARGE.label]["limit"])


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

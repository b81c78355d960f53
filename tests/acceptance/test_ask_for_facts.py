"""The integrator's document, run as it stands: credentials, question, verification, in three languages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hub.kernel.errors import Next
from tests.acceptance.conftest import DemoHub
from tests.acceptance.snippets import ROOT, run_in_shell, snippets

DOCUMENTS = ("docs/ask-for-facts.md", "docs/ask-for-facts.zh.md")
PROGRAMS = {"python": "ask.py", "javascript": "ask.mjs"}
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_snippet_does_what_the_document_says(demo_hub: DemoHub, document: str, tmp_path: Path) -> None:
    for needed in ("node", "curl"):
        if shutil.which(needed) is None:
            pytest.skip(f"no {needed} on this machine: apt install {needed.replace('node', 'nodejs')}")
    for language, name in PROGRAMS.items():
        (program,) = snippets(document, language)
        (tmp_path / name).write_text(program, encoding="utf-8")
    said = run_in_shell("\n".join(snippets(document, "bash")), tmp_path, demo_hub)
    person = json.loads((tmp_path / "response.json").read_bytes())["data"]["person"]
    assert person["name"] == demo_hub.sheet["people"][0]["name"]
    for business in person["businesses"]:
        line = f"{business['name']} {business['status']}\n"
        assert said.count(line) == len(PROGRAMS)
    assert said.count("HUB-144") == 1


def test_both_languages_show_the_same_snippets() -> None:
    for language in ("bash", "python", "javascript"):
        english, chinese = (snippets(document, language) for document in DOCUMENTS)
        assert english == chinese


@pytest.mark.parametrize("document", DOCUMENTS)
def test_the_first_digits_are_those_of_the_list(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    assert [digit for digit in "123456789" if f"`{digit}` " in text] == [
        str(number) for number, _ in enumerate(Next, start=1)
    ]

"""The manual says what the product does: every setting and command stands in it, in both languages."""

from __future__ import annotations

from dataclasses import fields

import pytest

from hub.__main__ import FAMILIES
from hub.kernel.settings import Settings, environment_key
from tests.architecture.test_contracts import ROOT

MANUALS = {"en": ROOT / "docs" / "run-it.md", "zh": ROOT / "docs" / "run-it.zh.md"}
NONE = {"en": "none", "zh": "无"}


def table(language: str) -> list[str]:
    """The rows of the table of settings, made from what the program reads."""
    rows = []
    for one in fields(Settings):
        default = f"`{one.metadata['default']}`" if one.metadata["default"] else NONE[language]
        rows.append(f"| `{environment_key(one.name)}` | {default} | {one.metadata[language]} |")
    return rows


@pytest.mark.parametrize("language", MANUALS)
def test_the_table_of_settings_is_what_the_program_reads(language: str) -> None:
    lines = MANUALS[language].read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.startswith("| `HUB_")] == table(language)


@pytest.mark.parametrize("language", MANUALS)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_command_is_in_the_manual(language: str, family: str) -> None:
    assert f"`hub {family}" in MANUALS[language].read_text(encoding="utf-8")

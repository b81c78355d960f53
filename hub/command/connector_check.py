"""The command that tells every mistake of a manifest at once, on the agency's own machine, without a hub."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from connectors.manifest import Manifest, read
from connectors.manifest.model import Mistake
from hub.kernel.errors import Code, HubError, Problem
from hub.texts import Language, load_texts

FOUND = 1  # exit code
LARGEST = 2_000_000  # bytes
GUESSED = "# ?"  # what ``hub connector new`` marks a guess with


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(check)


def check(
    file: Annotated[Path, typer.Argument(help="The manifest. 连接器清单。")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON. 以 JSON 输出。")] = False,
) -> None:
    """Tell every mistake of a manifest, each with its place and what is expected there.

    一次列出清单中的全部错误：位置和应有的内容。
    """
    text = _text(file)
    found = read(text)
    mistakes: Sequence[Mistake] = () if isinstance(found, Manifest) else found
    guesses = [number for number, line in enumerate(text.splitlines(), 1) if GUESSED in line]
    if as_json:
        told = [{"path": one.path, "expected": one.expected} for one in mistakes]
        typer.echo(json.dumps({"mistakes": told, "guesses": guesses}, ensure_ascii=False, indent=2))
    else:
        _tell(mistakes, guesses)
    if mistakes:
        raise typer.Exit(FOUND)


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        if len(content) <= LARGEST:
            return content.decode()
    except (OSError, UnicodeDecodeError):
        pass
    rule = f"a file in UTF-8 that can be read, of at most {LARGEST} bytes"
    raise HubError(Code.MANIFEST_INVALID, path=str(file), rule=rule)


def _tell(mistakes: Sequence[Mistake], guesses: Sequence[int]) -> None:
    languages = [load_texts(language) for language in Language]
    for one in mistakes:
        problem = Problem(Code.MANIFEST_INVALID, {"path": one.path or "TOML", "rule": one.expected})
        for texts in languages:
            typer.echo(f"{problem.code.label} {texts.say(problem).explanation}")
    words = [texts.page("check") for texts in languages]
    typer.echo("\n".join(one["mistakes"].format(count=len(mistakes)) for one in words))
    if guesses:
        lines = ", ".join(map(str, guesses))
        typer.echo("\n".join(one["guesses"].format(count=len(guesses), lines=lines) for one in words))

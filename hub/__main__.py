"""The command line: finds the family of a command and imports only that."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import typer

from hub.kernel.errors import HubError, Problem
from hub.kernel.log import configure_logging

FAMILIES = (
    "demo",
    "serve",
    "worker",
    "migrate",
    "audit",
    "connector",
    "documents",
    "files",
    "quotas",
    "cache",
    "explain",
    "evidence",
    "doctor",
)
HELP = "Proofless: facts a city already has, instead of paper proofs. 无证明城市数据共享枢纽。"


def build(arguments: Sequence[str]) -> typer.Typer:
    """The command line for these arguments: one family, or all of them when none is named (``--help``)."""
    named = next((word for word in arguments if not word.startswith("-")), None)
    app = typer.Typer(help=HELP, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)
    for family in (named,) if named in FAMILIES else FAMILIES:
        app.add_typer(import_module(f"hub.command.{family}").app, name=family)
    return app


def main() -> None:
    """Run the command of ``sys.argv``; a numbered error is told in both languages, with exit code 1."""
    configure_logging("critical")  # a command speaks to a person; what serves asks for more
    try:
        build(sys.argv[1:])(prog_name="hub")
    except HubError as error:
        typer.echo(in_words(error.problem), err=True)
        sys.exit(1)


def in_words(problem: Problem) -> str:
    """A problem's title, explanation and next step, in Chinese and English."""
    from hub.texts import Language, load_texts

    said = [load_texts(language).say(problem) for language in Language]
    return "\n".join(f"{problem.code.label} {one.title}\n  {one.explanation}\n  {one.next}" for one in said)


if __name__ == "__main__":
    main()

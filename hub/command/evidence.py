"""Commands of those who judge evidence; they need neither a network nor a database."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hub.evidence.model import Verdict
from hub.evidence.rules import in_words, verify_exchange
from hub.kernel.errors import Code, Problem
from hub.texts import Language, Texts, load_texts

NOT_GENUINE = 1  # exit codes
UNREADABLE = 2

app = typer.Typer(no_args_is_help=True)


class Spoken(StrEnum):
    """Which languages the finding is told in."""

    ZH = "zh"
    EN = "en"
    BOTH = "both"

    def texts(self) -> Iterable[Texts]:
        """The texts of these languages, Chinese first."""
        return map(load_texts, Language if self is Spoken.BOTH else (Language(self.value),))


@app.callback()
def evidence() -> None:
    """Verify sealed answers offline.

    离线验证回执。
    """


@app.command()
def verify(
    exchange: Annotated[Path, typer.Argument(help="Saved {request, response}. 保存的问答。")],
    keys: Annotated[Path, typer.Option(help="Saved /.well-known/jwks.json. 保存的公钥。")],
    lang: Annotated[Spoken, typer.Option(help="Language. 语言。")] = Spoken.BOTH,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON. 以 JSON 输出。")] = False,
) -> None:
    """Tell whether a saved question and answer are genuine: exit code 0 yes, 1 no, 2 unreadable.

    验证保存的问答是否真实：退出码 0 有效，1 无效，2 无法读取。
    """
    found = _verified(exchange, keys)
    if isinstance(found, Verdict):
        typer.echo(_json(_finding(found)) if as_json else _proven(found, lang))
        return
    code = NOT_GENUINE if found.code is Code.RECEIPT_INVALID else UNREADABLE
    typer.echo(_json(_refusal(found, code)) if as_json else _refused(found, code, lang))
    raise typer.Exit(code)


def _verified(exchange: Path, keys: Path) -> Verdict | Problem:
    try:
        published = keys.read_bytes()
    except OSError:
        return Problem(Code.JWKS_UNREADABLE)
    try:
        return verify_exchange(exchange.read_bytes(), published)
    except OSError:
        return Problem(Code.EXCHANGE_UNREADABLE, {"part": str(exchange)})


def _proven(verdict: Verdict, lang: Spoken) -> str:
    return "\n\n".join("\n".join(in_words(verdict, texts.page("evidence"))) for texts in lang.texts())


def _refused(problem: Problem, code: int, lang: Spoken) -> str:
    heading = "not_genuine" if code == NOT_GENUINE else "unreadable"
    paragraphs = []
    for texts in lang.texts():
        said = texts.say(problem)
        title = f"{problem.code.label} {said.title}"
        paragraphs.append("\n".join((texts.page("evidence")[heading], title, said.explanation, said.next)))
    return "\n\n".join(paragraphs)


def _finding(verdict: Verdict) -> Mapping[str, object]:
    return {"genuine": True, **asdict(verdict), "at": f"{verdict.at:%Y-%m-%dT%H:%M:%SZ}"}


def _refusal(problem: Problem, code: int) -> Mapping[str, object]:
    genuine = False if code == NOT_GENUINE else None
    return {"genuine": genuine, "code": problem.code.label, "part": problem.detail.get("part")}


def _json(content: Mapping[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2)

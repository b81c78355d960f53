"""``hub audit show`` over a real log."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.audit.model import (
    Actor,
    ActorKind,
    AgencyCode,
    CaseReference,
    ClientId,
    Known,
    LookedUp,
    ProcedureCode,
    Purpose,
    Result,
    SourceUse,
)
from hub.audit.service import AuditService
from hub.audit.store import AuditStore
from hub.command.audit import app
from hub.kernel.clock import SystemClock
from hub.kernel.crypto.pseudonym import Pseudonyms
from hub.kernel.db import Database
from hub.subjects.model import Scheme, Subject

MASTER_KEY = bytes(range(32))
ANNA = Subject(Scheme.RESIDENT_ID, "11010519491231002X")
FIRM = Subject(Scheme.USCC, "91110000600037341L")


def purpose(client: str) -> Purpose:
    return Purpose(
        ClientId(client),
        AgencyCode("11370300004221110X"),
        ProcedureCode("drug-retail"),
        CaseReference("淄审批〔2026〕[red]12号"),
        Actor(ActorKind.OFFICER, "zhang.san"),
        (("client", Known.VERIFIED),),
    )


async def fill(url: str) -> list[str]:
    """Two look-ups: of a person, answered; of a business, without an outcome."""
    database = await Database.open(url)
    audit = AuditService(AuditStore(database), Pseudonyms(MASTER_KEY), SystemClock())
    first = await audit.record_intent(purpose("window"), b"\xab" * 32, {"person": ["name"]}, [ANNA])
    uses = (SourceUse("person", "id_number", "police", 1, {"found": 1}),)
    await audit.record_outcome(first, LookedUp(Result.ANSWERED, (ANNA,), uses))
    second = await audit.record_intent(purpose("kiosk"), b"\xab" * 32, {"business": ["status"]}, [FIRM])
    await database.close()
    return [str(first.inquiry), str(second.inquiry)]


@pytest.fixture
def environment(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of a hub over this test's database."""
    values = {
        "HUB_DATABASE_URL": database_url,
        "HUB_DATA": str(tmp_path / "data"),
        "HUB_MASTER_KEY": base64.b64encode(MASTER_KEY).decode(),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return values


@pytest.fixture
def inquiries(environment: dict[str, str]) -> list[str]:
    """The ids of the two look-ups, oldest first."""
    return asyncio.run(fill(environment["HUB_DATABASE_URL"]))


def show(*arguments: str, given: str | None = None) -> list[Any]:
    result = CliRunner().invoke(app, ["show", "--json", *arguments], input=given)
    assert result.exit_code == 0, result.output
    return list(json.loads(result.stdout))


def listed(*arguments: str, given: str | None = None) -> list[str]:
    return [one["inquiry"] for one in show(*arguments, given=given)]


def test_look_ups_as_json(inquiries: list[str]) -> None:
    second, first = show()
    assert [first["inquiry"], second["inquiry"]] == inquiries
    assert (first["result"], second["result"], second["endedAt"]) == ("answered", None, None)
    assert first["purpose"]["actor"] == {"kind": "officer", "account": "zhang.san"}
    assert first["fields"] == {"person": ["name"]}
    assert first["sources"][0]["outcomes"] == {"found": 1}


def test_they_are_narrowed(inquiries: list[str]) -> None:
    first, second = inquiries
    assert listed("--client", "window") == [first]
    assert listed("--limit", "1") == [second]
    assert listed("--inquiry", first) == [first]
    assert listed("--inquiry", "01900000-0000-7000-8000-000000000001") == []
    assert listed("--since", "2999-01-01") == []
    assert listed("--since", "2020-01-01T00:00+08:00") == [second, first]
    assert listed("--subject", "-", given=f" {ANNA.value.lower()}\n") == [first]
    assert listed("--subject", "-", given=FIRM.value) == [second]
    assert listed("--subject", "-", "--client", "window", given=FIRM.value) == []


def test_the_table_shows_what_has_no_outcome(inquiries: list[str]) -> None:
    shown = CliRunner().invoke(app, ["show"]).stdout
    assert "no outcome recorded" in shown
    assert "已答复 answered" in shown
    assert "淄审批〔2026〕[red]12号" in shown
    assert all(inquiry in shown for inquiry in inquiries)
    empty = CliRunner().invoke(app, ["show", "--client", "nobody"]).stdout
    assert "没有相符的查询记录。" in empty


def test_a_number_on_the_command_line_is_refused_and_not_repeated(environment: dict[str, str]) -> None:
    result = CliRunner().invoke(app, ["show", "--subject", ANNA.value])
    assert result.exit_code == 2
    assert ANNA.value not in result.output
    wrong = CliRunner().invoke(app, ["show", "--subject", "-"], input="110105194912310021\n")
    assert wrong.exit_code == 2
    assert "110105194912310021" not in wrong.output


@pytest.mark.parametrize("arguments", [("--since", "yesterday"), ("--limit", "0"), ("--inquiry", "7")])
def test_arguments_of_another_form_are_refused(
    environment: dict[str, str], arguments: tuple[str, str]
) -> None:
    assert CliRunner().invoke(app, ["show", *arguments]).exit_code == 2


def test_the_whole_command_line(inquiries: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "hub", "audit", "show", "--client", "kiosk"],
        capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert inquiries[1] in done.stdout
    assert inquiries[0] not in done.stdout

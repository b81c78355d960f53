"""``hub connector check`` tells every mistake at once, needs no hub, and repeats no value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.command.connector import app
from hub.kernel.errors import Code, HubError
from tests.connectors import samples

GOOD = samples.rest("https://police.test/api")


def check(tmp_path: Path, text: str | bytes, *options: str) -> tuple[int, str]:
    file = tmp_path / "manifest.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    ran = CliRunner().invoke(app, ["check", str(file), *options])
    if isinstance(ran.exception, HubError):
        raise ran.exception
    return ran.exit_code, ran.output


def test_a_good_manifest_passes(tmp_path: Path) -> None:
    assert check(tmp_path, GOOD) == (0, "发现 0 处错误。\n0 mistakes found.\n")


def test_every_mistake_is_told_with_its_path(tmp_path: Path) -> None:
    wrong = (
        GOOD.replace('kind = "rest"', 'kind = "magic"').replace("https:", "file:").replace("batch", "bath")
    )
    code, output = check(tmp_path, wrong)
    assert code == 1
    for path in ("connector.kind", "connector.address.url", "offerings[0].bath"):
        assert path in output
    assert "HUB-420" in output
    assert "police.test" not in output
    assert "magic" not in output


def test_programs_read_json(tmp_path: Path) -> None:
    code, output = check(tmp_path, GOOD.replace("https:", "file:"), "--json")
    told = json.loads(output)
    assert code == 1
    assert [one["path"] for one in told["mistakes"]] == ["connector.address.url"]
    assert told["guesses"] == []


def test_what_is_still_a_guess_is_told_but_is_no_mistake(tmp_path: Path) -> None:
    marked = GOOD.replace("batch = 10", "batch = 10  # ? how many")
    code, output = check(tmp_path, marked)
    line = 1 + marked[: marked.index("# ?")].count("\n")
    assert code == 0
    assert f"(# ?): {line}" in output


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 2_000_001])
def test_what_is_no_manifest_at_all(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(HubError) as refused:
        check(tmp_path, content)
    assert refused.value.problem.code is Code.MANIFEST_INVALID


def test_nonsense_is_told_as_such(tmp_path: Path) -> None:
    code, output = check(tmp_path, "x")
    assert code == 1
    assert "TOML" in output

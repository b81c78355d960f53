"""``hub connector new``: from a sample, a workbook or an interface to two drafts with the right fields."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.connectors import files_samples

AGENCY = "11100000000013338W"
ANNA, BERTA = files_samples.ANNA, files_samples.BERTA
HEAD = ("身份证号", "姓名", "参保单位", "缴费基数", "yxqz", "zt")
ROWS = [(ANNA, "王安娜", "甲公司", "4300.50", "2030-01-01", "有效")] * 5
REGISTER = (
    Path(__file__).parents[3] / "shared/data/no-brreg-fixtures/tests/data/enheter-details-response.json"
)


def new(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hub", "connector", "new", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("name", ["sample.csv", "sample.xlsx"])
def test_from_a_sample(tmp_path: Path, name: str) -> None:
    csv = "\n".join(map(",".join, [HEAD, *ROWS])).encode("gb18030")
    content = csv if name.endswith("csv") else files_samples.xlsx([HEAD, *ROWS])
    (tmp_path / name).write_bytes(content)
    told = new(
        "--from", str(tmp_path / name), "--out", str(tmp_path), "--id", "hr-weekly", "--agency", AGENCY
    )
    assert told.returncode == 0, told.stderr
    manifest = tomllib.loads((tmp_path / "hr-weekly.toml").read_text(encoding="utf-8"))
    assert manifest["connector"]["agency"] == AGENCY
    assert manifest["offerings"][0]["fields"] == {
        "holder_scheme": {"constant": "111"},
        "holder_name": "姓名",
        "employer_name": "参保单位",
        "payment_base": {"path": "缴费基数", "money": "CNY"},
        "valid_until": {"path": "yxqz", "date": "iso"},
        "status": {"path": "zt", "codes": {"有效": "01"}},
    }
    sheet = tomllib.loads((tmp_path / "hr-weekly.records.toml").read_text(encoding="utf-8"))
    assert sheet["records"]["sample"]["fields"]["payment_base"]["type"] == "money"
    assert "王安娜" not in told.stdout + told.stderr
    again = new("--from", str(tmp_path / name), "--out", str(tmp_path), "--id", "hr-weekly")
    assert (again.returncode, "HUB-472" in again.stderr) == (1, True)


def test_from_an_interface_with_a_choice(tmp_path: Path) -> None:
    """The answer is that of Norway's business register (Apache-2.0), by its names and forms only."""
    if not REGISTER.exists():
        pytest.skip("the folder of third-party data is absent")
    schema = shape_of(json.loads(REGISTER.read_text(encoding="utf-8")))
    key = {"name": "organisasjonsnummer", "in": "path", "required": True, "schema": {"type": "string"}}
    get = {
        "parameters": [key],
        "responses": {
            "200": {"content": {"application/json": {"schema": schema}}},
            "404": {"description": ""},
        },
    }
    tree = {
        "openapi": "3.0.1",
        "info": {"title": "Enhetsregisteret"},
        "servers": [{"url": "https://data.example.cn/api"}],
        "paths": {
            "/enheter/{organisasjonsnummer}": {"get": get},
            "/gamle/{organisasjonsnummer}": {"get": get},
        },
    }
    (tmp_path / "register.json").write_text(json.dumps(tree), encoding="utf-8")
    source = ("--from", str(tmp_path / "register.json"), "--out", str(tmp_path))
    listed = new(*source)
    assert (listed.returncode, "HUB-471" in listed.stderr) == (1, True)
    option, given = listed.stdout.splitlines()[0].split("\t")[0].split(" ", 1)
    chosen = new(*source, option, given.strip('"'))
    assert chosen.returncode == 0, chosen.stderr
    (offering,) = tomllib.loads((tmp_path / "enhetsregisteret.toml").read_text(encoding="utf-8"))["offerings"]
    assert offering["request"]["path"] == "/enheter/$key"
    assert offering["response"]["key"] == "organisasjonsnummer"
    assert offering["fields"]["navn"] == "navn"
    assert "organisasjonsform.beskrivelse" in str(offering["fields"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--from", "none.csv"), "HUB-470"),
        (("--from", "none.docx"), "HUB-470"),
        (("--from", "postgresql://a:hidden-word@h/d"), "HUB-470"),
        (("--from", "x.csv", "--agency", "123"), "--agency"),
        (("--from", "x.csv", "--id", "../../x"), "--id"),
        ((), "--from"),
    ],
)
def test_nonsense_is_refused_in_words(tmp_path: Path, arguments: tuple[str, ...], expected: str) -> None:
    told = new(*arguments, "--out", str(tmp_path))
    assert told.returncode != 0
    assert expected in told.stderr
    assert "hidden-word" not in told.stdout + told.stderr
    assert list(tmp_path.iterdir()) == []


def shape_of(value: object) -> dict[str, object]:
    """The schema of a value, without the value."""
    if isinstance(value, dict):
        return {"type": "object", "properties": {name: shape_of(one) for name, one in value.items()}}
    if isinstance(value, list):
        return {"type": "array", "items": shape_of(value[0]) if value else {}}
    kinds = {bool: "boolean", int: "integer", float: "number"}
    return {"type": kinds.get(type(value), "string")}

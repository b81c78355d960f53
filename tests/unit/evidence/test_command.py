"""``hub evidence verify``: its words, its exit codes, and that it needs nothing but two files."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.command.evidence import app

Save = Callable[[object], bytes]


@pytest.fixture
def files(tmp_path: Path, desk: Any, exchange: Any, saved: Save) -> tuple[Path, Path]:
    """A saved genuine exchange and the saved keys."""
    paths = tmp_path / "exchange.json", tmp_path / "jwks.json"
    paths[0].write_bytes(saved(exchange))
    paths[1].write_bytes(desk.jwks)
    return paths


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["verify", *map(str, arguments)])
    return result.exit_code, result.stdout


def test_a_genuine_exchange_in_both_languages(files: tuple[Path, Path]) -> None:
    code, said = run(files[0], "--keys", files[1])
    assert code == 0
    assert "回执有效。" in said
    assert "Genuine." in said


@pytest.mark.parametrize(
    ("language", "there", "not_there"), [("zh", "回执有效", "Genuine"), ("en", "Genuine", "回执")]
)
def test_one_language(files: tuple[Path, Path], language: str, there: str, not_there: str) -> None:
    code, said = run(files[0], "--keys", files[1], "--lang", language)
    assert code == 0
    assert there in said
    assert not_there not in said


def test_a_changed_byte_is_not_genuine(files: tuple[Path, Path]) -> None:
    files[0].write_bytes(files[0].read_bytes().replace("古丽".encode(), "古莉".encode()))
    code, said = run(files[0], "--keys", files[1])
    assert code == 1
    assert "HUB-441" in said
    assert "Not genuine." in said
    assert "阿依" not in said


def test_a_file_that_is_no_exchange_is_unreadable(files: tuple[Path, Path], tmp_path: Path) -> None:
    files[0].write_text("[]")
    assert run(files[0], "--keys", files[1])[0] == 2
    assert run(tmp_path / "nowhere", "--keys", files[1])[0] == 2
    assert run(tmp_path, "--keys", files[1])[0] == 2


def test_keys_that_cannot_be_read(files: tuple[Path, Path], tmp_path: Path) -> None:
    code, said = run(files[0], "--keys", tmp_path / "nowhere")
    assert code == 2
    assert "HUB-442" in said


def test_as_json(files: tuple[Path, Path]) -> None:
    code, said = run(files[0], "--keys", files[1], "--json")
    found = json.loads(said)
    assert code == 0
    assert found["genuine"] is True
    assert found["purpose"]["client"] == "window"
    assert found["at"] == "2026-05-12T03:04:05Z"
    files[0].write_bytes(files[0].read_bytes().replace(b"11010519491231002X", b"360426199101010071"))
    code, said = run(files[0], "--keys", files[1], "--json")
    assert code == 1
    assert json.loads(said) == {"genuine": False, "code": "HUB-441", "part": "request"}
    files[0].write_bytes(b"")
    code, said = run(files[0], "--keys", files[1], "--json")
    assert code == 2
    assert json.loads(said)["genuine"] is None


OFFLINE = """
import socket, sys
def refuse(*arguments, **options): raise AssertionError("a socket was opened")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from hub.command.evidence import app
try:
    app(["verify", sys.argv[1], "--keys", sys.argv[2], "--lang", "en"])
except SystemExit as end:
    assert not end.code, end.code
present = {"asyncpg", "strawberry", "graphql", "httptools", "starlette"} & set(sys.modules)
assert not present, present
"""


def test_it_opens_no_socket_and_loads_no_database(files: tuple[Path, Path]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE, *map(str, files)], capture_output=True, text=True, check=False, env={}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Genuine.")

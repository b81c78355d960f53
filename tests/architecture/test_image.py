"""The image's recipe and the migrations pass the checkers of their trade, and the image knows its health."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.architecture.test_contracts import ROOT


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_hadolint_finds_nothing_in_the_recipe() -> None:
    checked = run("hadolint", "Dockerfile")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_hadolint_would_find_something(tmp_path: Path) -> None:
    recipe = tmp_path / "Dockerfile"
    recipe.write_text("FROM python\nRUN cd /tmp\n", encoding="utf-8")
    assert run("hadolint", str(recipe)).returncode != 0


def test_squawk_finds_nothing_in_the_migrations() -> None:
    files = sorted(str(file) for file in (ROOT / "migrations").glob("*.sql"))
    assert files
    checked = run("squawk", "--config", "squawk.toml", *files)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_squawk_would_find_something(tmp_path: Path) -> None:
    migration = tmp_path / "0001_wrong.sql"
    migration.write_text("ALTER TABLE a ADD COLUMN b integer NOT NULL;", encoding="utf-8")
    assert run("squawk", "--config", "squawk.toml", str(migration)).returncode != 0


class Healthy(BaseHTTPRequestHandler):
    """Answers 200 to /healthz and 404 to everything else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def healthy_port() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), Healthy)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield server.server_port
    server.shutdown()
    serving.join()
    server.server_close()


def healthcheck() -> list[str]:
    recipe = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    found = re.search(r"^HEALTHCHECK .*?CMD (\[.*\])$", recipe, re.MULTILINE)
    assert found is not None
    _, *arguments = json.loads(found[1])
    return [sys.executable, *arguments]


def test_the_healthcheck_asks_the_port_that_is_set(healthy_port: int) -> None:
    environ = {**os.environ, "HUB_PORT": str(healthy_port)}
    assert subprocess.run(healthcheck(), env=environ, check=False).returncode == 0


def test_the_healthcheck_sees_when_nobody_answers(healthy_port: int) -> None:
    environ = {**os.environ, "HUB_PORT": "1"}
    asked = subprocess.run(healthcheck(), env=environ, capture_output=True, check=False)
    assert asked.returncode != 0

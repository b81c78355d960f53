"""GraphQL over HTTP to the letter: every check of the audit that the specification's own authors keep."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.graphql.conftest import CLIENT, Counter
from tests.http.conftest import PURPOSE_HEADERS

PACKAGES = ("graphql-http@1.23.1", "graphql@16.11.0")
CHECKS = 61
SCRIPT = Path(__file__).with_name("audit.mjs")


@pytest.fixture(scope="session")
def packages(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the audit installed, kept between runs where there is a cache."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node or npm is missing")
    cache = getattr(pytestconfig, "cache", None)
    folder = cache.mkdir("graphql-http-1.23.1") if cache else tmp_path_factory.mktemp("graphql-http")
    if not (folder / "node_modules" / "graphql-http").is_dir():
        made = tmp_path_factory.mktemp("installing")
        command = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(made)]
        run = subprocess.run([*command, *PACKAGES], capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stderr[-2000:]
        shutil.copytree(made / "node_modules", folder / "node_modules", dirs_exist_ok=True)
    return Path(folder)


@pytest.mark.slow
async def test_every_check_of_the_audit(counter: Counter, address: str, packages: Path) -> None:
    headers = {"authorization": f"Bearer {counter.tokens[CLIENT]}", **PURPOSE_HEADERS}
    process = await asyncio.create_subprocess_exec(
        "node",
        str(SCRIPT),
        str(packages),
        env={
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "AUDIT_URL": f"{address}/graphql",
            "AUDIT_HEADERS": json.dumps(headers),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaint = await process.communicate()
    assert process.returncode == 0, complaint.decode()[-2000:]
    results = json.loads(output)
    assert [(name, reason) for name, status, reason in results if status != "ok"] == []
    assert len(results) == CHECKS

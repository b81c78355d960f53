"""On the build machine nothing is skipped unseen."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.test_contracts import ROOT

SKIPPED = "import pytest\n\ndef test_it():\n    pytest.skip('no browser')\n"
HOOK = "from tests.conftest import pytest_runtest_makereport\n"


@pytest.mark.parametrize(("forbidden", "status"), [("", 0), ("1", 1)])
def test_a_skip_fails_where_skips_are_forbidden(tmp_path: Path, forbidden: str, status: int) -> None:
    (tmp_path / "conftest.py").write_text(HOOK, encoding="utf-8")
    (tmp_path / "test_it.py").write_text(SKIPPED, encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    environ = {**os.environ, "HUB_TEST_FORBID_SKIPS": forbidden, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert run.returncode == status, run.stdout

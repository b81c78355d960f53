"""Takes the snippets out of a document and runs them as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.acceptance.conftest import DemoHub

ROOT = Path(__file__).parents[2]
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def snippets(document: str, language: str) -> list[str]:
    """The fenced blocks of one language, in order."""
    text = (ROOT / document).read_text(encoding="utf-8")
    return [block for named, block in FENCED.findall(text) if named == language]


def run_in_shell(script: str, folder: Path, hub: DemoHub) -> str:
    """What a reader's shell prints; the first command that fails fails the test."""
    paths = os.pathsep.join((str(Path(sys.executable).parent), str(_with_hub(folder)), os.environ["PATH"]))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True, timeout=120,
        env={**os.environ, "PATH": paths, "HUB_DATA": str(hub.data)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _with_hub(folder: Path) -> Path:
    """A folder with a ``hub`` command, for an environment into which the product was not installed."""
    command = folder / "bin" / "hub"
    command.parent.mkdir(exist_ok=True)
    command.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m hub "$@"\n', encoding="utf-8"
    )
    command.chmod(0o755)
    return command.parent

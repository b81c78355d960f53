"""The tree is the architecture: import contracts hold, name every room, and one door leads to each danger."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("hub", "schema", "connectors")
DATA_ONLY = {"hub.web"}  # pages for browsers, no Python


def sources(*packages: str) -> list[Path]:
    return sorted(file for package in packages or PACKAGES for file in (ROOT / package).rglob("*.py"))


def name_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def contracts() -> list[dict[str, object]]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed: list[dict[str, object]] = settings["tool"]["importlinter"]["contracts"]
    return listed


def layered() -> set[str]:
    """Every module that a layers contract names, with its container where it has one."""
    named: set[str] = set()
    for contract in contracts():
        if contract["type"] != "layers":
            continue
        layers = contract["layers"]
        assert isinstance(layers, list)
        rooms = [room.strip(" ()") for layer in layers for room in layer.split("|")]
        containers = contract.get("containers", [""])
        assert isinstance(containers, list)
        named |= {f"{container}.{room}".lstrip(".") for container in containers for room in rooms}
    return named


def is_named(module: str, named: set[str]) -> bool:
    parts = module.split(".")
    return any(".".join(parts[:count]) in named for count in range(1, len(parts) + 1))


def test_the_import_contracts_hold() -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-4000:]


def test_every_module_is_named_in_a_contract() -> None:
    named = layered() | set(PACKAGES[2:])
    unnamed = [
        module for module in map(name_of, sources()) if module != "hub" and not is_named(module, named)
    ]
    assert unnamed == []


def test_every_folder_of_the_hub_is_a_room() -> None:
    folders = {f"hub.{entry.name}" for entry in (ROOT / "hub").iterdir() if entry.is_dir()}
    rooms = {folder for folder in folders if not folder.endswith("__pycache__")} - DATA_ONLY
    assert {room for room in rooms if not is_named(room, layered())} == set()


def used(file: Path) -> Iterator[str]:
    """Dotted names that a module uses, as far as their text shows them."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


CLOCK = {
    "datetime.now",
    "datetime.utcnow",
    "date.today",
    "time.time",
    "time.time_ns",
    "datetime.datetime.now",
}
DOORS = [
    pytest.param(CLOCK, {"hub.kernel.clock"}, id="the wall clock"),
    pytest.param({"os.environ", "os.getenv"}, {"hub.kernel.settings"}, id="the environment"),
]


@pytest.mark.parametrize(("names", "doors"), DOORS)
def test_one_door_leads_to(names: set[str], doors: set[str]) -> None:
    # The demo's agencies stand for other people's systems, which have clocks of their own.
    inside = [file for file in sources() if not name_of(file).startswith("hub.demo")]
    users = {name_of(file) for file in inside if names & set(used(file))}
    assert users == doors


def test_asyncpg_is_only_in_stores_and_in_the_database_room() -> None:
    users = {name_of(file) for file in sources() if any(name.startswith("asyncpg.") for name in used(file))}
    strangers = {
        user
        for user in users
        if not (user.endswith(".store") or user.startswith(("hub.kernel.db", "hub.demo", "connectors.sql")))
    }
    assert strangers == set()

"""Small functions, short files, a sentence on each module, no vague names: kept so by counting."""

from __future__ import annotations

import ast
import statistics
from pathlib import Path

from tests.architecture.test_contracts import ROOT, name_of, sources

LONGEST_FUNCTION = 40
MEDIAN_FUNCTION = 8
LONGEST_FILE = 400
VAGUE = ("util", "helper", "common", "manager")
LONGEST_PORT = 100  # connectors.contract


def functions(file: Path) -> list[tuple[str, int]]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [node for node in ast.walk(tree) if isinstance(node, kinds)]
    return [(f"{name_of(file)}.{node.name}", (node.end_lineno or 0) - node.lineno + 1) for node in found]


def test_no_function_is_long_and_half_are_short() -> None:
    lengths = [found for file in sources() for found in functions(file)]
    assert [found for found in lengths if found[1] > LONGEST_FUNCTION] == []
    assert statistics.median(length for _, length in lengths) <= MEDIAN_FUNCTION


def test_no_file_is_long() -> None:
    files = [*sources(), *(ROOT / "tests").rglob("*.py")]
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in files
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_every_module_says_what_it_is() -> None:
    silent = []
    for file in sources():
        text = file.read_text(encoding="utf-8")
        if text.strip() and not (ast.get_docstring(ast.parse(text)) or "").split("\n\n")[0].endswith(
            (".", "`")
        ):
            silent.append(name_of(file))
    assert silent == []


def test_no_module_has_a_vague_name() -> None:
    assert [name for name in map(name_of, sources()) if any(word in name for word in VAGUE)] == []


def test_nothing_is_left_to_do() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "XX" + "X")
    left = [
        name_of(file) for file in sources() if any(mark in file.read_text(encoding="utf-8") for mark in marks)
    ]
    assert left == []

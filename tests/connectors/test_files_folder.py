"""What is found in a watched folder: whole plain files, the newest data first, and nothing outside of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connectors.files_folder import Folder
from tests.connectors import files_samples as samples


def test_the_newest_whole_file_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.files_folder.SETTLED_SECONDS", 0.0)
    _, source = samples.offered(samples.manifest())
    for day, name in enumerate(("shebao-2.csv", "shebao-1.csv", "other.csv", "shebao-1.csv.control"), 1):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (day, day))
    (tmp_path / "shebao-dir.csv").mkdir()
    os.utime(tmp_path / "shebao-dir.csv", (0, 0))
    found = Folder(tmp_path).find(source, 4e9)
    assert [(one.name, one.is_plain) for one in found] == [
        ("shebao-1.csv", True),
        ("shebao-2.csv", True),
        ("shebao-dir.csv", False),
    ]


def test_a_file_with_a_control_file_is_whole_when_that_has_come(tmp_path: Path) -> None:
    declared = samples.manifest(a='format = "csv"|format = "csv"\ncontrol = true')
    _, source = samples.offered(declared)
    (tmp_path / "shebao-1.csv").write_bytes(samples.csv())
    assert Folder(tmp_path).find(source, 4e9) == []
    (tmp_path / "shebao-1.csv.control").symlink_to("/etc/passwd")
    assert Folder(tmp_path).find(source, 4e9) == []
    (tmp_path / "shebao-1.csv.control").unlink()
    (tmp_path / "shebao-1.csv.control").write_text("x")
    (found,) = Folder(tmp_path).find(source, 0)
    before = found.stamp
    (tmp_path / "shebao-1.csv.control").write_text("y")
    assert Folder(tmp_path).find(source, 0)[0].stamp != before


def test_what_became_a_link_meanwhile_is_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.files_folder.SETTLED_SECONDS", 0.0)
    file = tmp_path / "shebao-1.csv"
    file.write_bytes(b"x")
    _, source = samples.offered(samples.manifest())
    (found,) = Folder(tmp_path).find(source, 4e9)
    file.unlink()
    file.symlink_to("/etc/passwd")
    with pytest.raises(OSError, match="symbolic"), Folder(tmp_path).open(found):
        pass

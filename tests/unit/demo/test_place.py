"""Where the demo lies: whole or not there, private, and its agencies strangers to the hub."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from hub.demo.agencies.process import Mood, mood_file, read_mood
from hub.demo.control import reachable
from hub.demo.place import SECRETS, Made, Place, read_json, write_private
from hub.kernel.confined import EXIT_REFUSED


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path, 8300)
    place.folder.mkdir()
    return place


def test_a_city_is_there_only_between_finish_and_begin(place: Place) -> None:
    assert place.made() is None
    place.finish(Made(500, 1))
    assert place.made() == Made(500, 1)
    place.begin()
    assert place.made() is None


@pytest.mark.parametrize("content", ["", "[]", "{", '{"people": 5}', '{"inhabitants": 5, "seed": 1}'])
def test_a_mark_that_is_not_readable_is_no_city(place: Place, content: str) -> None:
    (place.folder / "city.json").write_text(content, "utf-8")
    assert place.made() is None


def test_secrets_are_made_once_and_for_the_owner_alone(place: Place) -> None:
    first = place.secrets()
    assert set(first) == set(SECRETS)
    assert len(set(first.values())) == len(SECRETS)
    assert place.secrets() == first
    assert place.secrets_file.stat().st_mode & 0o777 == 0o600


def test_a_private_file_is_whole_or_as_it_was(place: Place) -> None:
    write_private(place.sheet, {"a": "一"})
    with pytest.raises(TypeError):
        write_private(place.sheet, {"a": object()})
    assert read_json(place.sheet) == {"a": "一"}


def test_the_agencies_ports_follow_the_hubs() -> None:
    assert dict(Place(Path(), 8300).ports) == {"police": 8311, "market": 8312, "licences": 8313}


@pytest.mark.parametrize(
    ("written", "mood"), [("slow", Mood.SLOW), ("broken", Mood.BROKEN), ("odd", Mood.OK)]
)
def test_the_mood_is_what_was_written(place: Place, written: str, mood: Mood) -> None:
    assert read_mood(place.folder, "police") is Mood.OK
    mood_file(place.folder, "police").write_text(written, "ascii")
    assert read_mood(place.folder, "police") is mood


def test_a_socket_deep_in_the_tree_has_a_short_path(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a folder with a long name"] * 6)
    deep.mkdir(parents=True)
    with reachable(deep / "control.sock") as path:
        assert len(path) < 108
        assert Path(path).parent.samefile(deep)


@pytest.mark.parametrize("name", ["police", "market", "licences"])
def test_an_agency_knows_nothing_of_the_hub(name: str) -> None:
    """Its process loads the demo's and the identifiers' modules, and what ties it to its parent's life."""
    code = (
        f"import sys, hub.demo.agencies.{name}; "
        "print(*(m for m in sys.modules if m.split('.')[0] in ('hub', 'connectors', 'schema')))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    allowed = ("hub.demo", "hub.subjects")
    rest = [module for module in loaded if not module.startswith(allowed)]
    assert rest == ["hub", "hub.kernel", "hub.kernel.confined"]


@pytest.mark.parametrize("name", ["police", "market", "licences"])
def test_an_agency_without_its_parent_does_not_start(name: str, place: Place) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", f"hub.demo.agencies.{name}", "--folder", str(place.folder), "--port", "1",
         "--parent", "1", "--secrets", str(place.secrets_file)],
        capture_output=True, check=False, timeout=30,
    )  # fmt: skip
    assert ended.returncode == EXIT_REFUSED

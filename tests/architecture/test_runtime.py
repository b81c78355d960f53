"""While a question is answered, calls go down through the layers; whatever comes back up is named here."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from types import FrameType
from typing import Any

from tests.graphql.conftest import Counter
from tests.graphql.test_one_question import JOIN
from tests.graphql.town import ANNA

ROOT = Path(__file__).parents[2]
UPWARDS = {("hub.http", "hub.asgi")}  # a wrapper of HTTP hands the request on to what it was made around
OURS = tuple(str(ROOT / package) for package in ("hub", "schema", "connectors"))


def ranks() -> dict[str, int]:
    """The depth of each layer, from the import contract itself; connectors lie below everything."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    layers = settings["tool"]["importlinter"]["contracts"][0]["layers"]
    depth = {room.strip(): at for at, layer in enumerate(layers) for room in layer.split("|")}
    return depth | {"connectors": len(layers)}


def room_of(frame: FrameType, depth: dict[str, int]) -> str | None:
    """The layer that a frame's code belongs to, None for other people's code."""
    file = frame.f_code.co_filename
    if not file.startswith(OURS):
        return None
    module = Path(file).relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    parts = module.split(".")
    names = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((name for name in names if name in depth), None)


class Recorder:
    """Remembers from which layer to which other each direct call went."""

    def __init__(self) -> None:
        self.depth = ranks()
        self.calls: set[tuple[str, str]] = set()

    def __call__(self, frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or frame.f_back is None:
            return
        called, caller = room_of(frame, self.depth), room_of(frame.f_back, self.depth)
        if called and caller and called != caller:
            self.calls.add((caller, called))


async def test_no_call_goes_back_up(counter: Counter) -> None:
    recorder = Recorder()
    sys.setprofile(recorder)
    try:
        reply = await counter.ask(JOIN, {"id": ANNA, "types": ["drug_business_licence"]})
    finally:
        sys.setprofile(None)
    assert reply.status == 200
    assert ("schema", "hub.facts") in recorder.calls
    assert ("hub.facts", "hub.audit") in recorder.calls
    upwards = {call for call in recorder.calls if recorder.depth[call[1]] < recorder.depth[call[0]]}
    assert upwards <= UPWARDS

"""Holds what the agency processes share: arguments, mood, and that they die with their parent."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from hub.kernel.confined import die_with

SLOW_SECONDS = 4.0


class Mood(StrEnum):
    """How an agency behaves at the moment."""

    OK = "ok"
    SLOW = "slow"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Post:
    """Where an agency process works: the city's folder, its port, and its secrets by name."""

    name: str
    folder: Path
    port: int
    secrets: Mapping[str, str]

    def mood(self) -> Mood:
        """What the supervisor wants of the agency now; ok when it said nothing."""
        return read_mood(self.folder, self.name)

    async def feel(self) -> Mood:
        """The mood, after the wait that a slow agency makes."""
        mood = self.mood()
        if mood is Mood.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        return mood


def mood_file(folder: Path, name: str) -> Path:
    """Where the supervisor writes the mood of an agency."""
    return folder / f"{name}.mood"


def read_mood(folder: Path, name: str) -> Mood:
    """The mood written for an agency; ok when none or an unknown one is."""
    try:
        return Mood(mood_file(folder, name).read_text("ascii").strip())
    except (FileNotFoundError, ValueError):
        return Mood.OK


def take_post(name: str) -> Post:
    """Reads ``--folder --port --parent --secrets`` and ties this process to its parent's life."""
    parser = argparse.ArgumentParser(prog=f"hub.demo.agencies.{name}")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--secrets", type=Path, required=True)
    arguments = parser.parse_args()
    die_with(arguments.parent, signal.SIGKILL)
    secrets = json.loads(arguments.secrets.read_text("utf-8"))
    return Post(name, arguments.folder, arguments.port, secrets)


def serve(application: Starlette, post: Post) -> None:
    """Serves on 127.0.0.1 until told to end."""
    uvicorn.run(
        application, host="127.0.0.1", port=post.port, log_level="error", access_log=False, lifespan="off",
        timeout_graceful_shutdown=1,
    )  # fmt: skip

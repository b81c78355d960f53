"""Holds where the demo city lies in the data folder, and its secrets."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

SECRETS = ("police_api_key", "police_hmac_key", "licences_token")
PORTS = {"police": 11, "market": 12, "licences": 13}
"""The agencies, and how far their ports lie above the hub's."""


@dataclass(frozen=True, slots=True)
class Made:
    """Which city lies in the folder; ``draft`` counts the changes of how cities are drawn."""

    people: int
    seed: int
    draft: int = 2


@dataclass(frozen=True, slots=True)
class Place:
    """The demo's folder below the data folder, and the hub's port."""

    data: Path
    hub_port: int

    @property
    def folder(self) -> Path:
        """Where the agencies keep their stores, moods and secrets."""
        return self.data / "demo"

    @property
    def market_folder(self) -> Path:
        """The PostgreSQL cluster of market regulation."""
        return self.folder / "market"

    @property
    def secrets_file(self) -> Path:
        """The secrets that agencies and hub share."""
        return self.folder / "secrets.json"

    @property
    def control_socket(self) -> Path:
        """Where the supervisor takes commands."""
        return self.folder / "control.sock"

    @property
    def sheet(self) -> Path:
        """What a script needs to know of the demo."""
        return self.data / "demo.json"

    @property
    def ports(self) -> Mapping[str, int]:
        """The agencies' ports on 127.0.0.1."""
        return {name: self.hub_port + above for name, above in PORTS.items()}

    def made(self) -> Made | None:
        """The city that lies here whole, or None."""
        try:
            return Made(**read_json(self._made_file))
        except (FileNotFoundError, TypeError, ValueError):
            return None

    def begin(self) -> None:
        """From here on no whole city lies here until ``finish``."""
        self._made_file.unlink(missing_ok=True)

    def finish(self, made: Made) -> None:
        """The city is whole."""
        write_private(self._made_file, asdict(made))

    def secrets(self) -> dict[str, str]:
        """The secrets, made at the first asking."""
        try:
            known = read_json(self.secrets_file)
        except (FileNotFoundError, ValueError):
            known = {}
        missing = {name: secrets.token_urlsafe(24) for name in SECRETS if name not in known}
        if missing:
            self.keep_secrets(known | missing)
        return known | missing

    def keep_secrets(self, known: Mapping[str, str]) -> None:
        """Writes the secrets, readable for the owner alone."""
        write_private(self.secrets_file, known)

    @property
    def _made_file(self) -> Path:
        return self.folder / "city.json"


def read_json(file: Path) -> dict[str, Any]:
    """The object in a file; ValueError when there is none in it."""
    read = json.loads(file.read_text("utf-8"))
    if not isinstance(read, dict):
        raise ValueError(file.name)
    return read


def write_private(file: Path, content: Mapping[str, Any]) -> None:
    """Writes an object into a file of mode 0600: whole or not at all."""
    fresh = file.with_name(f"{file.name}.{os.getpid()}.new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    with fresh.open("w", encoding="utf-8") as writing:
        json.dump(content, writing, ensure_ascii=False, indent=2)
        writing.flush()
        os.fsync(writing.fileno())
    fresh.replace(file)

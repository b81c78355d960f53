"""Looks into a watched folder for files that are whole, and opens nothing but plain files that lie in it."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from connectors.files_control import LONGEST, SUFFIX, read_control
from connectors.manifest.model import FileSource

SETTLED_SECONDS = 60.0  # since its last change, after which a file without control file counts as whole
NAMES_HIGHEST = 10_000
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
PLAIN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe would block


@dataclass(frozen=True, slots=True)
class Found:
    """A file that lies there; ``is_plain``: it is no link, pipe or device, and has no second name elsewhere.

    ``stamp`` changes whenever the file or its control file does.
    """

    name: str
    is_plain: bool
    changed_at: datetime
    as_of: datetime
    stamp: str
    control: bytes | None


class Folder:
    """One connector's folder; what is opened is found in it by name, never by a path from outside."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find(self, source: FileSource, now: float) -> list[Found]:
        """Every file of an offering that is whole, the newest data first; ``now`` in Unix seconds.

        A file whose control file is still missing is not whole, nor is one without that changed lately.
        Nothing where there is no such folder.
        """
        try:
            with self._opened() as folder:
                found = [_found(folder, name, source, now) for name in _names(folder, source.name)]
        except OSError:
            return []
        whole = [one for one in found if one is not None]
        return sorted(whole, key=lambda one: (one.as_of, one.name), reverse=True)

    @contextmanager
    def open(self, found: Found) -> Iterator[BinaryIO]:
        """Raises OSError when it is no plain file any more."""
        with self._opened() as folder:
            descriptor = os.open(found.name, PLAIN, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as stream:
            if not _is_plain(os.fstat(descriptor)):
                raise OSError("not a plain file")
            yield stream

    @contextmanager
    def _opened(self) -> Iterator[int]:
        descriptor = os.open(self._path, DIRECTORY)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def stamp_of(stream: BinaryIO, control: bytes | None) -> str:
    """The stamp of an open file."""
    return _stamps(os.fstat(stream.fileno()), control)


def is_unchanged(stream: BinaryIO, stamp: str) -> bool:
    """Whether an open file is still the one that this stamp was made of."""
    return stamp.startswith(_stamp(os.fstat(stream.fileno())) + "/")


def _names(folder: int, pattern: str) -> list[str]:
    """Names that match, ``*`` standing for any characters and nothing else for anything but itself."""
    matching = re.compile(".*".join(map(re.escape, pattern.split("*"))))
    names = [name for name in os.listdir(folder) if matching.fullmatch(name) and not name.endswith(SUFFIX)]
    return sorted(names)[:NAMES_HIGHEST]


def _found(folder: int, name: str, source: FileSource, now: float) -> Found | None:
    try:
        seen = os.stat(name, dir_fd=folder, follow_symlinks=False)
        control = _read_control(folder, name + SUFFIX) if source.controlled else None
    except OSError:
        return None  # gone meanwhile
    is_whole = control is not None if source.controlled else now - seen.st_ctime >= SETTLED_SECONDS
    if _is_plain(seen) and not is_whole:
        return None
    changed_at = datetime.fromtimestamp(seen.st_mtime, UTC)
    told = read_control(control) if control is not None else None
    as_of = changed_at if told is None else told.as_of
    return Found(name, _is_plain(seen), changed_at, as_of, _stamps(seen, control), control)


def _read_control(folder: int, name: str) -> bytes | None:
    with suppress(FileNotFoundError):
        descriptor = os.open(name, PLAIN, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as stream:
            return stream.read(LONGEST + 1) if _is_plain(os.fstat(descriptor)) else None
    return None


def _is_plain(seen: os.stat_result) -> bool:
    return stat.S_ISREG(seen.st_mode) and seen.st_nlink == 1


def _stamps(seen: os.stat_result, control: bytes | None) -> str:
    return f"{_stamp(seen)}/{'' if control is None else hashlib.sha256(control).hexdigest()}"


def _stamp(seen: os.stat_result) -> str:
    return f"{seen.st_dev}.{seen.st_ino}.{seen.st_size}.{seen.st_mtime_ns}.{seen.st_ctime_ns}"

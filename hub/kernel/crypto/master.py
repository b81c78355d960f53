"""Holds the master key: 32 bytes from the settings, or from a file of the data folder made on first use."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path

from hub.kernel.errors import Code, HubError

MASTER_KEY_BYTES = 32
FILE_NAME = "master.key"


def master_key(setting: bytes | None, data: Path) -> bytes:
    """The key itself (32 bytes): ``setting``, else the file ``master.key`` (base64, mode 0600) in ``data``.

    Several processes may start at once: one file wins and all read it. Raises HubError(KEY_UNREADABLE)
    when the file does not hold 32 bytes of base64 or when others may read it.
    """
    if setting is not None:
        return setting
    path = data / FILE_NAME
    if not path.exists():
        _create(path)
    if stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        raise HubError(Code.KEY_UNREADABLE, part=FILE_NAME)
    return _decoded(path.read_text("ascii", errors="replace"))


def _decoded(text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip().encode(), validate=True)
    except binascii.Error:
        key = b""
    if len(key) != MASTER_KEY_BYTES:
        raise HubError(Code.KEY_UNREADABLE, part=FILE_NAME)
    return key


def _create(path: Path) -> None:
    """Writes beside and links into place: no reader sees half a key, and no second writer replaces it."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{FILE_NAME}.{secrets.token_hex(8)}")
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "wb") as opened:
        opened.write(base64.b64encode(secrets.token_bytes(MASTER_KEY_BYTES)))
        opened.flush()
        os.fsync(opened.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()

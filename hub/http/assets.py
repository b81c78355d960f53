"""The files below ``hub/web`` that a browser may fetch, and how they are validated, compressed and cached."""

from __future__ import annotations

import gzip
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
)
LICENCE = "LICENSE"
REVALIDATE = "no-cache"
FOREVER = "public, max-age=31536000, immutable"  # a vendored file's folder names its version
SMALLEST_COMPRESSED = 1024  # bytes; below it the headers weigh more than what is saved


@dataclass(frozen=True)
class Body:
    """Bytes with their media type and caching; what is derived from them is made once, when asked for."""

    content: bytes
    media_type: str
    caching: str = REVALIDATE

    @cached_property
    def validator(self) -> str:
        """A strong entity tag (RFC 9110 §8.8.3) of the uncompressed bytes."""
        return f'"{urlsafe_b64encode(sha256(self.content).digest()[:15]).decode()}"'

    @cached_property
    def compressed(self) -> bytes:
        """The bytes in gzip (RFC 1952)."""
        return gzip.compress(self.content, mtime=0)


class Assets:
    """Every file that may be fetched, by its path below a folder; one that is not listed does not exist."""

    def __init__(self, folder: Path) -> None:
        self._paths = {path.relative_to(folder).as_posix(): path for path in _fetchable(folder)}
        self._bodies: dict[str, Body] = {}

    def find(self, name: str) -> Body | None:
        """The file of this name, read at its first use; None where there is none."""
        if name not in self._paths:
            return None
        if name not in self._bodies:
            self._bodies[name] = _read(name, self._paths[name])
        return self._bodies[name]


def respond(request: Request, body: Body, headers: Mapping[str, str]) -> Response:
    """The body, compressed where the browser takes that, or 304 where it already has it."""
    sent = {**headers, "Cache-Control": body.caching, "Vary": "Accept-Encoding"}
    small = len(body.content) < SMALLEST_COMPRESSED
    if small or not _takes_gzip(request.headers.get("accept-encoding", "")):
        return _validated(request, body.content, body, {**sent, "ETag": body.validator})
    tag = f'{body.validator[:-1]}-gzip"'  # another representation, so another strong tag
    return _validated(request, body.compressed, body, {**sent, "ETag": tag, "Content-Encoding": "gzip"})


def _validated(request: Request, content: bytes, body: Body, headers: Mapping[str, str]) -> Response:
    known = request.headers.get("if-none-match", "")
    if headers["ETag"] in (tag.strip().removeprefix("W/") for tag in known.split(",")):
        kept = {name: value for name, value in headers.items() if name != "Content-Encoding"}
        return Response(status_code=304, headers=kept)
    return Response(content, headers=dict(headers), media_type=body.media_type)


def _takes_gzip(accepted: str) -> bool:
    for coding in accepted.lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _fetchable(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and (path.suffix in MEDIA_TYPES or path.name == LICENCE):
            yield path


def _read(name: str, path: Path) -> Body:
    caching = FOREVER if name.startswith("vendored/") else REVALIDATE
    return Body(path.read_bytes(), MEDIA_TYPES.get(path.suffix, "text/plain; charset=utf-8"), caching)

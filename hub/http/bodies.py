"""Reads a request's body within bounds."""

from __future__ import annotations

from starlette.types import Receive

from hub.kernel.errors import Code, Problem


async def read_body(receive: Receive, maximum: int) -> bytes | Problem:
    """The whole body, or BODY_TOO_LARGE as soon as it is longer than ``maximum`` bytes."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return Problem(Code.BODY_NOT_JSON)
        body += message.get("body", b"")
        if len(body) > maximum:
            return Problem(Code.BODY_TOO_LARGE, {"maximum": str(maximum)})
        if not message.get("more_body", False):
            return bytes(body)

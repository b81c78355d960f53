"""Small real services on local ports, each behaving as a case says."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from connectors.conformance.cases import ALSO_KNOWN, KNOWN, UNKNOWN

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
ROWS = {
    KNOWN: {"sfzh": KNOWN, "xm": " 张三 ", "xb": "2", "csrq": "19491231", "zt": "1"},
    ALSO_KNOWN: {"sfzh": ALSO_KNOWN, "xm": "李四", "xb": "1", "csrq": "19910100", "zt": "1"},
}
PIECE = b"x" * 65_536
NEVER = "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"


@asynccontextmanager
async def http(handler: Handler, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A service at 127.0.0.1 that answers everything by one handler; gives its port."""
    server = web.Server(handler)
    runner = web.ServerRunner(server, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def tcp(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A service that talks bytes; gives its port."""
    talks: set[asyncio.Task[None]] = set()

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        try:
            with contextlib.suppress(OSError, ssl.SSLError, asyncio.CancelledError, EOFError):
                await talk(reader, writer)
        finally:
            writer.close()
            talks.discard(task)

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.02)  # what was accepted just now begins, so that it can be closed
        for task in list(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def rest_handler(case: str) -> Handler:
    """A batch service with its own codes in the body."""

    async def handle(request: web.Request) -> web.StreamResponse:
        keys = (await request.json())["keys"]
        special = await _special(case, request)
        if special is not None:
            return special
        if case in ("not_found_in_200", "unknown_code"):
            return web.json_response({"code": "404" if case == "not_found_in_200" else "E77"})
        if case == "empty_answer":
            return web.json_response({"code": "0"})
        rows = _rows(case, [ROWS[key] for key in keys if key in ROWS])
        total = 5 if case == "short_answer" else len(rows)
        return web.json_response({"code": "0", "total": total, "data": rows})

    return handle


def graphql_handler(case: str) -> Handler:
    """A Federation subgraph."""

    async def handle(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        keys = [one["sfzh"] for one in body["variables"]["keys"]]
        special = await _special(case, request)
        if special is not None:
            return special
        if case in ("not_found_in_200", "unknown_code"):
            code = "NOT_FOUND" if case == "not_found_in_200" else "E77"
            return web.json_response({"data": {"_entities": [None]}, "errors": [_error(code, 0)]})
        if case == "empty_answer":
            return web.json_response({"data": {}})
        return _entities(case, keys)

    return handle


def _entities(case: str, keys: list[str]) -> web.Response:
    if case == "partial_batch":
        data = [ROWS[KNOWN], None]
        return web.json_response({"data": {"_entities": data}, "errors": [_error("FORBIDDEN", 1)]})
    if case == "short_answer":
        return web.json_response({"data": {"_entities": []}})
    known = [ROWS.get(key) for key in keys]
    rows = _rows(case, [row for row in known if row is not None])
    return web.json_response({"data": {"_entities": rows + [None] * known.count(None)}})


def _error(code: str, index: int) -> dict[str, object]:
    return {"message": "no", "path": ["_entities", index], "extensions": {"code": code}}


def _rows(case: str, rows: list[dict[str, str]]) -> list[dict[str, object]]:
    match case:
        case "partial_batch":
            return [rows[0], {"sfzh": ALSO_KNOWN, "zt": "9"}]
        case "duplicates":
            return [*rows, *rows]
        case "out_of_order":
            return [*reversed(rows)]
        case "wrong_type":
            return [{**row, "csrq": {"year": 1949}} for row in rows]
        case "wrong_subject":
            return [{**row, "sfzh": UNKNOWN} for row in rows]
        case _:
            return list(rows)


async def _special(case: str, request: web.Request) -> web.StreamResponse | None:
    match case:
        case "slow":
            await asyncio.sleep(30)
        case "truncated":
            return await _truncated(request)
        case "too_large":
            return await _endless(request)
    return _fixed(case, request.host)


def _fixed(case: str, host: str) -> web.Response | None:
    match case:
        case "server_error":
            return web.Response(status=500, text="<h1>Error</h1>", content_type="text/html")
        case "too_many_requests":
            return web.Response(status=429, headers={"Retry-After": "60"})
        case "absurd_retry_after":
            return web.Response(status=503, headers={"Retry-After": NEVER})
        case "html":
            return web.Response(text="<html>login</html>", content_type="text/html")
        case "redirect":
            return web.Response(status=302, headers={"Location": f"http://{host}/elsewhere"})
    return None


async def _truncated(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "5000"})
    await response.prepare(request)
    await response.write(b'{"code":"0","data":[')
    assert request.transport is not None
    request.transport.abort()
    return response


async def _endless(request: web.Request) -> web.StreamResponse:
    """Sends 1 GB to whoever goes on reading."""
    response = web.StreamResponse()
    response.enable_chunked_encoding()
    await response.prepare(request)
    with contextlib.suppress(OSError):
        for _ in range(16_384):
            await response.write(PIECE)
    return response

"""The demo's public security: the population register as REST and JSON, signed, with codes of its own."""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hub.demo.agencies.process import Mood, Post, serve, take_post

FOUND, NOT_FOUND, BAD_REQUEST, BUSY = "0000", "1001", "4001", "5001"
BAD_SIGNATURE, BAD_KEY, BAD_TIME, REPLAYED = "9001", "9002", "9003", "9004"
MESSAGES = {
    FOUND: "成功",
    NOT_FOUND: "查无此人",
    BAD_REQUEST: "请求参数有误",
    BUSY: "系统繁忙，请稍后再试",
    BAD_SIGNATURE: "签名错误",
    BAD_KEY: "应用未授权",
    BAD_TIME: "时间戳超出允许范围",
    REPLAYED: "请求重复",
}
BATCH = 100
LEEWAY_MILLISECONDS = 300_000
NONCES = 100_000
COLUMNS = ("sfzh", "xm", "xb", "csrq", "mz", "hjdz", "xzqh", "swbz", "dczt")
BEIJING = timezone(timedelta(hours=8))


class Gatekeeper:
    """Checks key, time, nonce and signature of a call; a call may be made once."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._key = secrets["police_api_key"]
        self._secret = secrets["police_hmac_key"].encode()
        self._seen: OrderedDict[str, None] = OrderedDict()

    def objection(self, request: Request, body: bytes) -> str | None:
        """The code of what is wrong with a call, or None.

        The signature is the hexadecimal HMAC-SHA-256 of method, path, time, nonce and the body's
        SHA-256, joined by line feeds.
        """
        given = request.headers.get
        stamp, nonce = given("x-timestamp", ""), given("x-nonce", "")
        if not hmac.compare_digest(given("x-api-key", "").encode(), self._key.encode()):
            return BAD_KEY
        if not stamp.isdigit() or abs(time.time() * 1000 - int(stamp)) > LEEWAY_MILLISECONDS:
            return BAD_TIME
        signed = "\n".join((request.method, request.url.path, stamp, nonce, hashlib.sha256(body).hexdigest()))
        expected = hmac.new(self._secret, signed.encode(), "sha256").hexdigest()
        if not hmac.compare_digest(given("x-signature", "").encode(), expected.encode()):
            return BAD_SIGNATURE
        return self._replayed(nonce)

    def _replayed(self, nonce: str) -> str | None:
        if not nonce or nonce in self._seen:
            return REPLAYED
        self._seen[nonce] = None
        if len(self._seen) > NONCES:
            self._seen.popitem(last=False)
        return None


class Register:
    """Answers calls from the register's store."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._gatekeeper = Gatekeeper(post.secrets)
        self._store = sqlite3.connect(f"file:{post.folder}/police.sqlite?mode=ro", uri=True)

    async def query(self, request: Request) -> Response:
        """Takes ``{"lsh", "sfzhlb": […]}``; gives code, msg, lsh, sjsj and ``data`` with zs and lb."""
        if await self._post.feel() is Mood.BROKEN:
            return _answer(BUSY, None)
        body = await request.body()
        code = self._gatekeeper.objection(request, body)
        if code is not None:
            return _answer(code, None)
        asked = _asked(body)
        if asked is None:
            return _answer(BAD_REQUEST, None)
        number, people = asked
        rows = self._rows(people)
        return _answer(FOUND if rows else NOT_FOUND, number, rows)

    async def ping(self, _: Request) -> Response:
        """Whether the register works."""
        return Response(status_code=503 if await self._post.feel() is Mood.BROKEN else 204)

    def _rows(self, people: Sequence[str]) -> list[dict[str, str]]:
        places = ",".join("?" * len(people))
        statement = f"SELECT {','.join(COLUMNS)} FROM rk_jbxx WHERE sfzh IN ({places})"  # noqa: S608 - places only
        return [dict(zip(COLUMNS, row, strict=True)) for row in self._store.execute(statement, people)]


def _asked(body: bytes) -> tuple[str, list[str]] | None:
    try:
        asked: Any = json.loads(body)
        number, people = asked["lsh"], asked["sfzhlb"]
    except (ValueError, KeyError, TypeError):
        return None
    if (
        not isinstance(people, list)
        or not 0 < len(people) <= BATCH
        or not all(isinstance(one, str) for one in people)
    ):
        return None
    return str(number), people


def _answer(code: str, number: str | None, rows: list[dict[str, str]] | None = None) -> Response:
    return JSONResponse(
        {
            "code": code,
            "msg": MESSAGES[code],
            "lsh": number,
            "sjsj": f"{datetime.now(BEIJING):%Y%m%d%H%M%S}",
            "data": None if rows is None else {"zs": len(rows), "lb": rows},
        }
    )


def application(post: Post) -> Starlette:
    """The register's endpoints."""
    register = Register(post)
    return Starlette(
        routes=[
            Route("/rkxx/plcx", register.query, methods=["POST"]),
            Route("/ping", register.ping, methods=["GET"]),
        ]
    )


def main() -> None:
    """Serves the register until told to end."""
    post = take_post("police")
    serve(application(post), post)


if __name__ == "__main__":
    main()

"""The demo's market regulation: a small proxy before the private socket of its own PostgreSQL."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from pathlib import Path

from hub.demo.agencies.process import Mood, Post, take_post

CHUNK = 65_536
RUBBISH = b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<html><body>502</body></html>\r\n"


class Proxy:
    """Passes every connection on to PostgreSQL's socket, in the agency's mood of the moment.

    Slow: every answer waits. Broken: rubbish instead of an answer, and the connection ends.
    """

    def __init__(self, post: Post, socket: Path) -> None:
        self._post = post
        self._socket = socket

    async def serve(self) -> None:
        """Listens on 127.0.0.1 until told to end."""
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        server = await asyncio.start_server(self._connected, "127.0.0.1", self._post.port, limit=CHUNK)
        await stopped.wait()
        server.close()

    async def _connected(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        try:
            database, asks = await asyncio.open_unix_connection(str(self._socket))
        except OSError:
            answers.close()
            return
        ways = [
            asyncio.create_task(self._pass(client, asks)),
            asyncio.create_task(self._pass_answers(database, answers)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        asks.close()
        answers.close()

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await source.read(CHUNK):
                sink.write(chunk)
                await sink.drain()

    async def _pass_answers(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while chunk := await source.read(CHUNK):
                if await self._post.feel() is Mood.BROKEN:
                    sink.write(RUBBISH)
                    await sink.drain()
                    return
                sink.write(chunk)
                await sink.drain()


def main() -> None:
    """Serves the proxy until told to end; the socket's path stands among the secrets."""
    post = take_post("market")
    asyncio.run(Proxy(post, Path(post.secrets["market_socket"])).serve())


if __name__ == "__main__":
    main()

"""The small town's hub behind a real server on a free port."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from urllib.parse import quote

import pytest
import uvicorn

from hub.documents.model import Submitted, TrustedDocument
from hub.documents.service import DocumentService
from hub.documents.store import DocumentStore
from hub.http.patience import patient_protocol
from hub.kernel.db import Database
from schema.trusted import checked
from tests.graphql.conftest import PURPOSE, Counter, counter, town

__all__ = ["counter", "town"]

PURPOSE_HEADERS = {
    "hub-agency": PURPOSE["agency"],
    "hub-procedure": PURPOSE["procedure"],
    "hub-case": quote(PURPOSE["case"]),
    "hub-officer": PURPOSE["officer"],
}


@pytest.fixture
async def address(counter: Counter) -> AsyncIterator[str]:
    """Where the hub is served."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        protocol = patient_protocol(30)
        config = uvicorn.Config(counter.app, http=protocol, lifespan="off", log_config=None, ws="none")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        await until(lambda: server.started)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        await serving


async def trust(counter: Counter, owner: Database, *texts: str, id_: str | None = None) -> TrustedDocument:
    """Registers documents as the command does, and waits until the hub knows them; returns the last."""
    contract, _ = counter.hub.answering.contract()
    good, mistakes = checked(contract, [Submitted(id_, text) for text in texts])
    assert mistakes == []
    await DocumentService(DocumentStore(owner)).add(good)
    await until_known(counter, good[-1].id)
    return good[-1]


async def until_known(counter: Counter, id_: str, *, known: bool = True) -> None:
    """Waits until the running hub knows a document, or no longer does."""
    await until(lambda: (id_ in counter.hub.documents.trusted.by_id) is known)


async def until(is_so: Callable[[], object]) -> None:
    """Waits until something is so."""
    async with asyncio.timeout(10):
        while True:
            if is_so():
                return
            await asyncio.sleep(0.01)

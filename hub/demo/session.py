"""Opens the sessions with which anyone can try the demo in a browser: a token, the purpose, ready queries."""

from __future__ import annotations

from pathlib import Path

from hub.clients.model import Client
from hub.clients.service import ClientService
from hub.demo.place import read_json
from hub.http.pages import DemoSession, OpenSession
from hub.http.ready import ReadyQuery
from hub.kernel.errors import Code, HubError, Problem


def session_opener(clients: ClientService, sheet: Path) -> OpenSession:
    """Sessions of the demo's client, as ``demo.json`` describes it at the moment of opening.

    Raises HubError when the client may not have a token.
    """

    async def open_session() -> DemoSession:
        told = read_json(sheet)
        client = clients.authenticate_secret(told["client"]["id"], told["client"]["secret"])
        token = clients.issue_token(client) if isinstance(client, Client) else client
        if isinstance(token, Problem):
            raise HubError(Code.DEMO_FAILED, detail=token.code.label)
        queries = tuple(ReadyQuery(one["query"], one["variables"]) for one in told["queries"])
        return DemoSession(token.token, told["purpose"], queries)

    return open_session

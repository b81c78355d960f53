"""A hub of pages only, with invented agencies and a GraphQL that answers from memory."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from graphql import build_schema, graphql_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from hub.catalogue.model import Label
from hub.http.board import AgencyState
from hub.http.pages import DemoSession, routes
from hub.http.ready import ReadyQuery
from hub.kernel.clock import SystemClock
from hub.kernel.errors import Code, HubError

TOKEN = "a-token-of-the-demo"
PURPOSE = {"agency": "11370300MB2858261X", "procedure": "pharmacy_opening", "case": "淄审批〔2026〕12号",
           "officer": "window-03"}  # fmt: skip
SCHEMA = build_schema(
    """
    scalar ResidentIdNumber
    "自然人 A person"
    type Person { "姓名 Name" name: String birthDate: String businesses: [Business!] }
    "市场主体 A business"
    type Business { name: String status: String }
    type Query {
      "按公民身份号码查一个人 One person by resident ID number"
      person(idNumber: ResidentIdNumber!): Person
    }
    """
)
BUSINESS = {"name": "淄博张店康民大药房", "status": "ACTIVE"}
PERSON = {"name": "王秀英", "birthDate": "1962-03", "businesses": [BUSINESS]}
QUERY = """query OnePerson($idNumber: ResidentIdNumber!) {
  person(idNumber: $idNumber) {
    name
    birthDate
    businesses {
      name
      status
    }
  }
}
"""
RECEIPT = "eyJhbGciOiJFZDI1NTE5In0.eyJqdGkiOiIwMTk4In0.c2lnbmF0dXJl"


async def agencies() -> Sequence[AgencyState]:
    market = Label("淄博市市场监督管理局", "Zibo Administration for Market Regulation")
    return (
        AgencyState(Label("淄博市公安局", "Zibo Public Security Bureau"), None),
        AgencyState(market, Code.SOURCE_UNREACHABLE),
        AgencyState(Label("淄博市行政审批服务局证照库", "Zibo Licence Store"), None),
    )


async def session() -> DemoSession:
    named = [QUERY, QUERY.replace("OnePerson", "Again"), QUERY.replace("OnePerson", "OnceMore")]
    variables = {"idNumber": "11010519491231002X"}
    return DemoSession(TOKEN, PURPOSE, tuple(ReadyQuery(query, variables) for query in named))


async def answer(request: Request) -> Response:
    """Answers like the hub: 401 without the token, a receipt unless nothing was looked up."""
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        return JSONResponse({"errors": [{"message": "令牌无效", "extensions": {"code": "HUB-131"}}]}, 401)
    asked = await request.json()
    result = graphql_sync(
        SCHEMA, asked["query"], {"person": lambda *_, **__: PERSON}, variable_values=asked.get("variables"),
        operation_name=asked.get("operationName"),
    )  # fmt: skip
    return JSONResponse({**result.formatted, "extensions": {"receipt": RECEIPT, "receiptSalt": "c2FsdA"}})


async def refused(request: Request, error: Exception) -> Response:
    return PlainTextResponse("HUB-109", 404)


def application(*, demo: bool) -> Starlette:
    pages = routes(SystemClock(), agencies, session if demo else None)
    graphql = Route("/graphql", answer, methods=["POST"])
    return Starlette(routes=[*pages, graphql], exception_handlers={HubError: refused})


@contextmanager
def serving(app: Starlette) -> Iterator[str]:
    """Serves the application on a free port of this machine; yields its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()

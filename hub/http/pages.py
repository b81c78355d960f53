"""The pages that people open in a browser: the start page, GraphiQL and the list of numbered errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from connectors.contract import Outcome
from hub.http.assets import Assets, Body, respond
from hub.http.board import AgencyBoard, AgencyState, ReadAgencies
from hub.http.policies import GRAPHIQL_POLICY, PLAIN_POLICY, browser_headers
from hub.http.ready import ReadyQuery
from hub.kernel.clock import Clock
from hub.kernel.errors import Code, HubError, Next
from hub.texts import Language, Said, Texts, load_texts

FOLDER = Path(__file__).parent.parent / "web"
PATHS: Mapping[str, str] = MappingProxyType({"landing": "/", "graphiql": "/graphiql", "errors": "/errors"})
PLAIN = browser_headers(PLAIN_POLICY)
GRAPHIQL = browser_headers(GRAPHIQL_POLICY)


@dataclass(frozen=True, slots=True)
class DemoSession:
    """What lets anyone try a demo: a token, a purpose (agency, procedure, case, officer) and queries."""

    token: str
    purpose: Mapping[str, str]
    queries: tuple[ReadyQuery, ...]


OpenSession = Callable[[], Awaitable[DemoSession]]


@dataclass(frozen=True, slots=True)
class Group:
    """The errors with the same next step."""

    step: Next
    digit: int
    title: str
    explanation: str
    errors: tuple[tuple[Code, Said], ...]


def routes(clock: Clock, agencies: ReadAgencies, demo: OpenSession | None = None) -> list[Route]:
    """The pages and their files below ``/web/``; with ``demo`` also ``/demo/session``, which opens a session.

    A file that does not exist raises HubError(ROUTE_UNKNOWN).
    """
    pages = Pages(AgencyBoard(clock, agencies), is_demo=demo is not None)
    listed = [
        Route("/", pages.landing),
        Route("/graphiql", pages.graphiql),
        Route("/errors", pages.errors),
        Route("/web/{name:path}", serve(Assets(FOLDER))),
    ]
    return listed if demo is None else [*listed, Route("/demo/session", open_session(demo))]


def serve(assets: Assets) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers with the file named in the path."""

    async def endpoint(request: Request) -> Response:
        body = assets.find(request.path_params["name"])
        if body is None:
            raise HubError(Code.ROUTE_UNKNOWN)
        return respond(request, body, PLAIN)

    return endpoint


def open_session(demo: OpenSession) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint that answers with a new demo session, which nobody may keep."""

    async def endpoint(_: Request) -> Response:
        headers = {**PLAIN, "Cache-Control": "no-store"}
        return Response(msgspec.json.encode(await demo()), headers=headers, media_type="application/json")

    return endpoint


class Pages:
    """The pages in both languages; those that never change are made once."""

    def __init__(self, board: AgencyBoard, *, is_demo: bool) -> None:
        self._board = board
        self._is_demo = is_demo
        self._texts = {language: load_texts(language) for language in Language}
        self._templates = Environment(
            loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._graphiql = {language: self._make("graphiql", language) for language in Language}
        self._errors = {language: self._make_errors(language) for language in Language}

    async def landing(self, request: Request) -> Response:
        """The start page with the state of the agencies as it is now."""
        language = chosen_language(request)
        states = await self._board.states()
        agencies = None if states is None else [(_name(state, language), state.code) for state in states]
        body = self._make("landing", language, agencies=agencies, outcomes=tuple(Outcome))
        return respond(request, body, PLAIN)

    async def graphiql(self, request: Request) -> Response:
        """The query page."""
        return respond(request, self._graphiql[chosen_language(request)], GRAPHIQL)

    async def errors(self, request: Request) -> Response:
        """Every numbered error with its meaning and next step."""
        return respond(request, self._errors[chosen_language(request)], PLAIN)

    def _make_errors(self, language: Language) -> Body:
        return self._make("errors", language, groups=[_group(step, self._texts[language]) for step in Next])

    def _make(self, name: str, language: Language, **particular: object) -> Body:
        html = self._templates.get_template(f"{name}/page.html").render(
            **self._frame(name, language), **particular
        )
        return Body(html.encode(), "text/html; charset=utf-8")

    def _frame(self, name: str, language: Language) -> dict[str, object]:
        texts, other = self._texts[language], self._texts[_other(language)]
        return {
            "name": name,
            "tag": texts.tag,
            "texts": texts,
            "text": texts.page(name),
            "frame": texts.page("frame"),
            "demo": self._is_demo,
            "link": lambda page: address(page, language),
            "other": address(name, other.language),
            "other_tag": other.tag,
        }


def chosen_language(request: Request) -> Language:
    """Chinese, unless ``?lang=en`` asks for English."""
    return Language.EN if request.query_params.get("lang") == Language.EN else Language.ZH


def address(page: str, language: Language) -> str:
    """The path of a page in a language."""
    return PATHS[page] if language is Language.ZH else f"{PATHS[page]}?lang={language}"


def _other(language: Language) -> Language:
    return Language.EN if language is Language.ZH else Language.ZH


def _name(state: AgencyState, language: Language) -> str:
    return state.name.zh if language is Language.ZH else state.name.en


def _group(step: Next, texts: Texts) -> Group:
    title, explanation = texts.next_step(step)
    listed = tuple((code, texts.error(code)) for code in Code if code.next is step)
    return Group(step, tuple(Next).index(step) + 1, title, explanation, listed)

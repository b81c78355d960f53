"""Says where an OpenAPI service is and how one signs in to it, in a manifest's words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from connectors.manifest.connection import SCOPE, URL
from connectors.manifest.sources import HEADER, RESERVED
from connectors.proposals.model import Line, Note
from connectors.proposals.openapi_document import Document, Node, NotFollowed, items, table, text_of
from connectors.proposals.toml import inline, quoted

VARIABLE = re.compile(r"\{([^{}]+)\}")
STEPS = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~%-]*)*")


def address_of(document: Document, operation: Node) -> tuple[tuple[Line, ...], str]:
    """The address, and what must stand before each path where only a path is declared."""
    url = _swagger_url(document.root) if document.is_swagger else _server_url(document.root, operation)
    if _is_usable(url):
        return (Line(f"url = {quoted(url)}", (Note.ADDRESS,)),), ""
    prefix = url if STEPS.fullmatch(url) else ""
    return (Line(f"url = {quoted('')}", (Note.FILL_URL,)),), prefix


def _is_usable(url: str) -> bool:
    try:
        return re.fullmatch(URL, url) is not None and urlsplit(url).port != 0
    except ValueError:
        return False


def _swagger_url(root: Node) -> str:
    schemes = [str(one) for one in items(root.get("schemes"))]
    base, host = text_of(root.get("basePath")).rstrip("/"), text_of(root.get("host"))
    scheme = "http" if schemes and "https" not in schemes else "https"
    return f"{scheme}://{host}{base}" if host else base


def _server_url(root: Node, operation: Node) -> str:
    servers = items(operation.get("servers")) or items(root.get("servers"))
    server = table(servers[0]) if servers else {}
    variables = table(server.get("variables"))

    def default(found: re.Match[str]) -> str:
        return text_of(table(variables.get(found[1])).get("default"))

    return VARIABLE.sub(default, text_of(server.get("url"))).rstrip("/")


def credentials_of(document: Document, operation: Node) -> tuple[Line, ...]:
    """How one signs in, by the first alternative that a manifest can say; secrets have only names."""
    required = operation.get("security", document.root.get("security"))
    alternatives = [table(one) for one in items(required)]
    for alternative in alternatives:
        lines = [
            line
            for name, scopes in alternative.items()
            for line in _scheme(document, str(name), items(scopes))
        ]
        if lines and len(lines) == len(alternative):
            return tuple(lines)
    needed = any(alternatives)
    return (Line("", (Note.CREDENTIALS,)),) if needed else ()


def _scheme(document: Document, name: str, scopes: list[object]) -> Iterator[Line]:
    root = document.root
    declared = root.get("securityDefinitions") or table(root.get("components")).get("securitySchemes")
    try:
        scheme = document.resolve(table(declared).get(name))
    except NotFollowed:
        return
    kind, how = text_of(scheme.get("type")), text_of(scheme.get("scheme")).lower()
    header = text_of(scheme.get("name"))
    if kind == "apiKey" and scheme.get("in") == "header":
        if re.fullmatch(HEADER, header) and header.lower() not in RESERVED:
            yield _line("api_key", {"header": header, "slot": "api_key"})
    elif kind == "basic" or (kind == "http" and how == "basic"):
        yield _line("basic", {"user": "", "slot": "password"}, Note.FILL_USER)
    elif kind == "http" and how == "bearer":
        yield _line("api_key", {"header": "Authorization", "prefix": "Bearer ", "slot": "token"})
    elif kind == "mutualTLS":
        yield _line("certificate", {"slot": "certificate"})
    elif kind == "oauth2":
        yield from _oauth2(scheme, scopes)


def _oauth2(scheme: Node, scopes: list[object]) -> Iterator[Line]:
    flow = table(table(scheme.get("flows")).get("clientCredentials"))
    if scheme.get("flow") == "application":
        flow = scheme
    if not flow:
        return
    url = text_of(flow.get("tokenUrl"))
    told = {"token_url": url if _is_usable(url) else "", "client": "", "slot": "client_secret"}
    wanted = " ".join(map(str, scopes))
    if re.fullmatch(SCOPE, wanted):
        told["scope"] = wanted
    yield _line("oauth2", told, Note.FILL_CLIENT, *(() if told["token_url"] else (Note.FILL_TOKEN_URL,)))


def _line(name: str, told: dict[str, str], *notes: Note) -> Line:
    table_text = inline({key: quoted(one) for key, one in told.items()})
    return Line(f"{name} = {table_text}", (Note.CREDENTIALS, *notes))

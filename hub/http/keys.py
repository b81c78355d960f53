"""Publishes the hub's public keys (RFC 7517) and where and how a client gets a token (RFC 8414)."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.clients.model import FACTS, RIGHTS
from hub.clients.rules import ASSERTION_ALGORITHMS
from hub.http.tokens import METHODS, TOKEN_PATH
from hub.kernel.crypto.keyring import Keyring

JWKS_PATH = "/.well-known/jwks.json"
METADATA_PATH = "/.well-known/oauth-authorization-server"
CACHED = {"Cache-Control": "public, max-age=300", "Access-Control-Allow-Origin": "*"}


def key_routes(keyring: Keyring, issuer: str) -> list[Route]:
    """GET of the JWK set and of the server's metadata; both are public."""

    async def jwks(_request: Request) -> Response:
        return Response(msgspec.json.encode(keyring.jwks()), 200, CACHED, "application/jwk-set+json")

    async def described(_request: Request) -> Response:
        return Response(msgspec.json.encode(metadata(issuer)), 200, CACHED, "application/json")

    return [Route(JWKS_PATH, jwks), Route(METADATA_PATH, described)]


def metadata(issuer: str) -> dict[str, Any]:
    """The metadata of RFC 8414 §2."""
    return {
        "issuer": issuer,
        "token_endpoint": issuer + TOKEN_PATH,
        "jwks_uri": issuer + JWKS_PATH,
        "scopes_supported": sorted({FACTS, *RIGHTS}),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": list(METHODS),
        "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
    }

"""What a scanner of GraphQL servers looks for, asked with an ordinary client's token: it finds nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.graphql.conftest import Counter, Reply, call

CLIENT = "kiosk"  # has no right to introspect
PROBE = "/graphql"
TYPES = "query cop { __schema { types { name fields { name } } } }"
CIRCULAR = (
    "query cop { __schema { types { fields { type { fields { type { fields { type { fields { type "
    "{ name } } } } } } } } } } }"
)
FRAGMENTS = "query cop { __schema { ...A } } fragment A on __Schema { directives { name } types { ...A } }"

Finds = Callable[[Any], bool]


def _has_data(body: Any) -> bool:
    return bool(isinstance(body, dict) and body.get("data"))


def _suggests(body: Any) -> bool:
    return "did you mean" in json.dumps(body).lower()


# Each probe of graphql-cop: what it posts, and what in the answer counts as a finding.
POSTED: dict[str, tuple[Any, Finds]] = {
    "introspection": ({"query": TYPES}, _has_data),
    "introspection of one type": ({"query": '{ __type(name: "Person") { name } }'}, _has_data),
    "introspection through the subgraph": ({"query": "{ _service { sdl } }"}, _has_data),
    "circular introspection": ({"query": CIRCULAR}, _has_data),
    "circular fragments": ({"query": FRAGMENTS}, _has_data),
    "field suggestions": ({"query": "query cop { __schema { directive } }"}, _suggests),
    "suggestions of our own fields": ({"query": "{ persn { nam } }"}, _suggests),
    "suggestions of arguments": ({"query": '{ person(idNumbr: "1") { name } }'}, _suggests),
    "alias overloading": (
        {"query": "query cop { " + " ".join(f"alias{n}: __typename" for n in range(101)) + " }"},
        _has_data,
    ),
    "array batching": ([{"query": "query cop { __typename }"}] * 10, lambda body: isinstance(body, list)),
    "directive overloading": (
        {"query": "query cop { __typename " + "@aa" * 10 + " }"},
        lambda body: len(body["errors"]) == 10,
    ),
    "directive overloading with a directive that exists": (
        {"query": "query cop { __typename " + "@include(if: true)" * 101 + " }"},
        _has_data,
    ),
    "field duplication": ({"query": "query cop { " + "__typename \n" * 500 + "}"}, _has_data),
    "trace mode": (
        {"query": "query cop { __typename }"},
        lambda body: bool({"tracing", "exception"} & body.get("extensions", {}).keys()),
    ),
    "unhandled errors": (
        {"query": "qwerty cop { abc }"},
        lambda body: any(
            {"exception", "stacktrace"} & error["extensions"].keys() for error in body["errors"]
        ),
    ),
}


@pytest.mark.parametrize(("posted", "finds"), POSTED.values(), ids=POSTED.keys())
async def test_a_probe_finds_nothing(counter: Counter, posted: Any, finds: Finds) -> None:
    content = json.dumps(posted).encode()
    for accept in ("application/json", "application/graphql-response+json"):
        reply = await counter.post(content, {"accept": accept}, client=CLIENT)
        assert not finds(reply.body)
    assert counter.town.asked == []


async def _ask(counter: Counter, method: str, target: str, body: bytes = b"", **headers: str) -> Reply:
    sent = {"authorization": f"Bearer {counter.tokens[CLIENT]}"}
    return await call(
        counter.app, method, target, sent | {k.replace("_", "-"): v for k, v in headers.items()}, body
    )


async def test_a_mutation_by_get_is_refused(counter: Counter) -> None:
    reply = await _ask(counter, "GET", f"{PROBE}?query=mutation%20cop%20%7B__typename%7D")
    assert not _has_data(reply.body)


async def test_a_form_is_not_read(counter: Counter) -> None:
    form = b"query=query+cop+%7B__typename%7D"
    reply = await _ask(counter, "POST", PROBE, form, content_type="application/x-www-form-urlencoded")
    assert (reply.status, reply.codes) == (415, ["HUB-106"])


async def test_no_page_to_play_with_stands_at_the_endpoint(counter: Counter) -> None:
    reply = await _ask(counter, "GET", PROBE, accept="text/html")
    text = reply.content.decode().lower()
    assert reply.status == 406
    assert not any(word in text for word in ("graphiql", "playground", "graphql-playground"))


async def test_the_one_finding_is_excepted_since_there_are_no_cookies(counter: Counter) -> None:
    reply = await _ask(counter, "GET", f"{PROBE}?query=query%20cop%20%7B__typename%7D")
    assert reply.body == {"data": {"__typename": "Query"}}
    without = await call(counter.app, "GET", f"{PROBE}?query=%7B__typename%7D", {"cookie": "token=1"})
    assert without.status == 401

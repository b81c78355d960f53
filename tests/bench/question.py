"""The one question that every contender is asked, and the HTTP requests that carry it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tests.bench.city import CERTIFICATES, LICENCE

PATH = "/graphql"
DIFFERENT = 64  # requests of one size; they are asked over and over
QUERY = """
query Approval($people: [ResidentIdNumber!]!) {
  people(idNumbers: $people) {
    idNumber
    name
    sex
    birthDate
    address
    certificates(types: %s) { id type { code } number issuedOn validUntil status }
    businesses {
      uscc
      name
      status
      address
      certificates(types: %s) { id number validUntil status }
      legalRepresentative { idNumber name }
    }
  }
}
""" % tuple(msgspec.json.encode(types).decode() for types in (CERTIFICATES, [LICENCE]))


CERTIFIED = """
query Certified($people: [ResidentIdNumber!]!) {
  people(idNumbers: $people) { idNumber name certificates(types: ["driving_licence"]) { id status } }
}
"""
EMPLOYED = """
query Employed($people: [ResidentIdNumber!]!) {
  people(idNumbers: $people) { idNumber businesses { uscc name } }
}
"""


def bodies(people: Sequence[str], size: int, purpose: Mapping[str, str]) -> list[bytes]:
    """Request bodies about ``size`` neighbours each, from all over the city."""
    starts = [number * len(people) // DIFFERENT for number in range(DIFFERENT)]
    twice = (*people, *people)
    return [body_of(QUERY, twice[start : start + size], purpose) for start in starts]


def body_of(
    query: str, value: str | Sequence[str], purpose: Mapping[str, str], variable: str = "people"
) -> bytes:
    """One request body with one variable."""
    return msgspec.json.encode(
        {"query": query, "variables": {variable: value}, "extensions": {"purpose": purpose}}
    )


def post(path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    """One HTTP/1.1 request, whole."""
    lines = [f"POST {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body

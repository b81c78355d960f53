"""Reads the parameters of a URL's query: UTF-8, none of those wanted twice."""

from __future__ import annotations

from collections.abc import Container, Mapping
from urllib.parse import parse_qsl

from hub.kernel.errors import Code, Problem


def read_parameters(query_string: bytes, wanted: Container[str]) -> Mapping[str, str] | Problem:
    """The wanted parameters that have a value (form-urlencoded, WHATWG URL §5.1).

    Problems: BODY_NOT_UTF8, BODY_DUPLICATE_KEY.
    """
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict")
    except ValueError:
        return Problem(Code.BODY_NOT_UTF8)
    given = [(name, value) for name, value in pairs if name in wanted]
    parameters = dict(given)
    if len(parameters) < len(given):
        return Problem(Code.BODY_DUPLICATE_KEY)
    return {name: value for name, value in parameters.items() if value}

"""Proposals made for tests, and their marked gaps filled with fixed values."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from connectors.manifest import Manifest, read
from connectors.proposals.model import Asked, Choices, Findings, Note, Proposal, Refusal
from connectors.proposals.write import MARK, propose

WORDS = {note: f"<{note}>" for note in Note}
AGENCY = "11370300004220030X"
FILLED = {
    "agency": AGENCY,
    "url": "https://data.example.cn/api",
    "token_url": "https://sign.example.cn/token",
}
GAP = re.compile(r'(?m)(?P<key>[A-Za-z_]+) = ""')
LONE = re.compile(r'""')


def proposal(found: Findings | Choices | Refusal, agency: str | None = None) -> Proposal:
    assert isinstance(found, Findings), found
    return propose(found, Asked(agency=agency), WORDS)


def filled(text: str) -> str:
    """Every empty text has a value; that it stood on a marked line is asserted."""
    gaps = [line for line in text.splitlines() if LONE.search(line)]
    assert [line for line in gaps if MARK not in line] == []
    named = GAP.sub(lambda found: f'{found["key"]} = "{FILLED.get(found["key"], "0")}"', text)
    return LONE.sub('"0"', named)


def accepted(made: Proposal) -> Manifest:
    """The manifest of a filled proposal, which must be right."""
    result = read(filled(made.manifest))
    assert isinstance(result, Manifest), (result, made.manifest)
    return result


def fields(made: Proposal) -> dict[str, Any]:
    offering: dict[str, Any] = tomllib.loads(made.manifest)["offerings"][0]
    return dict(offering["fields"])


def record(made: Proposal) -> dict[str, Any]:
    (one,) = tomllib.loads(made.sheet)["records"].values()
    return dict(one)

"""Makes lower_snake codes of foreign names: always valid, never reserved, never the same twice."""

from __future__ import annotations

import re

from connectors.proposals.words import vocabulary

LONGEST = 48
HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
CODE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
OTHER = re.compile(r"[^a-z0-9]+")
CHINESE = re.compile(r"[\u4e00-\u9fff]+")


def snake(name: str) -> str:
    """The Latin letters and digits of a name in lower_snake; "" when nothing is left."""
    return OTHER.sub("_", HUMP.sub("_", name).lower()).strip("_")[:LONGEST].strip("_")


def by_parts(name: str) -> str:
    """A code from the known parts of a Chinese name; "" unless every part is known."""
    if not CHINESE.fullmatch(name):
        return ""
    parts = vocabulary().parts
    longest = max(map(len, parts))
    found: list[str] = []
    rest = name
    while rest:
        part = next((rest[:size] for size in range(longest, 0, -1) if rest[:size] in parts), None)
        if part is None:
            return ""
        found.append(parts[part])
        rest = rest[len(part) :]
    return "_".join(found)[:LONGEST].strip("_")


def connector_id(name: str) -> str:
    """A connector's id from any name."""
    made = OTHER.sub("-", HUMP.sub("-", name).lower()).strip("-")[:LONGEST].strip("-")
    return made if len(made) > 1 else "new-connector"


class Namer:
    """Gives out codes, each once; names that differ in GraphQL by nothing count as the same."""

    def __init__(self, reserved: frozenset[str], prefix: str) -> None:
        self._reserved = reserved
        self._prefix = prefix
        self._taken: set[str] = set()

    def take(self, wanted: str) -> tuple[str, bool]:
        """The code, and whether it had to be another than the one wanted."""
        base = wanted if CODE.fullmatch(wanted) else f"{self._prefix}_{wanted}".strip("_")
        if base in self._reserved:
            base = f"{self._prefix}_{base}"
        code, count = base, 1
        while code.replace("_", "") in self._taken:
            count += 1
            code = f"{base}_{count}"
        self._taken.add(code.replace("_", ""))
        return code, code != wanted

    def is_free(self, code: str) -> bool:
        """Whether nobody has it yet."""
        return code.replace("_", "") not in self._taken

    def keep(self, code: str) -> None:
        """Takes a code that is given already, reserved or not."""
        self._taken.add(code.replace("_", ""))

"""Reads an OpenAPI document as plain values and follows references inside it, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote

import msgspec
import yaml

from connectors.proposals.model import Reason, Refusal

LARGEST = 20_000_000  # bytes
PARTS_HIGHEST = 1_000_000  # nodes of a YAML document
ALIASES_HIGHEST = 10_000
DEPTH = 100
HOPS_HIGHEST = 32  # references that lead to references
MERGE = "<<"
Node = Mapping[str, object]
NOTHING: Node = {}


class NotFollowed(Exception):  # noqa: N818 - an internal signal
    """A reference that is not followed, and why."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal
        super().__init__(refusal.reason)


def load(content: bytes) -> object | Refusal:
    """The document, JSON or YAML; YAML is counted before it is built, since aliases can stand for much."""
    if len(content) > LARGEST:
        return Refusal(Reason.TOO_LARGE)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Refusal(Reason.ENCODING)
    if text.lstrip()[:1] in ("{", "["):
        try:
            tree: object = msgspec.json.decode(text)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            return Refusal(Reason.NOT_A_DOCUMENT)
        return tree
    return _yaml(text)


def _yaml(text: str) -> object | Refusal:
    try:
        objection = _objection(yaml.parse(text, Loader=yaml.CSafeLoader))
        return objection or yaml.load(text, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, ValueError, TypeError, RecursionError, OverflowError):
        return Refusal(Reason.NOT_A_DOCUMENT)


def _objection(events: Iterator[yaml.Event]) -> Refusal | None:
    depth = aliases = 0
    for count, event in enumerate(events):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        elif isinstance(event, yaml.ScalarEvent) and event.value == MERGE:
            return Refusal(
                Reason.MERGE_KEY
            )  # no part of JSON's model, which OpenAPI asks for; and it multiplies
        if count > PARTS_HIGHEST or depth > DEPTH or aliases > ALIASES_HIGHEST:
            return Refusal(Reason.TOO_MANY_PARTS)
    return None


class Document:
    """A whole document; references are JSON pointers into it (RFC 6901)."""

    def __init__(self, root: Node) -> None:
        self.root = root
        self.is_swagger = "swagger" in root

    def resolve(self, node: object) -> Node:
        """The table that a node is or refers to; raises NotFollowed."""
        return self.resolve_with_name(node)[0]

    def resolve_with_name(self, node: object) -> tuple[Node, str | None]:
        """As ``resolve``, with the pointer of the last reference, by which recursion is seen."""
        pointer: str | None = None
        for _ in range(HOPS_HIGHEST):
            if not isinstance(node, dict):
                return NOTHING, pointer
            reference = node.get("$ref")
            if not isinstance(reference, str):
                return node, pointer
            pointer, node = reference, self._at(reference)
        raise NotFollowed(Refusal(Reason.BROKEN_REFERENCE, shown(pointer or "")))

    def _at(self, reference: str) -> object:
        if not reference.startswith("#"):
            raise NotFollowed(Refusal(Reason.REMOTE_REFERENCE, shown(reference)))
        node: object = self.root
        for step in reference[1:].lstrip("/").split("/") if reference != "#" else []:
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and name in node:
                node = node[name]
            elif isinstance(node, list) and name.isdecimal() and int(name[:6]) < len(node):
                node = node[int(name[:6])]
            else:
                raise NotFollowed(Refusal(Reason.BROKEN_REFERENCE, shown(reference)))
        return node


def shown(text: str) -> str:
    """A foreign text as it may be shown: one short line."""
    return "".join(one if one.isprintable() else " " for one in text)[:120]


def table(node: object) -> Node:
    """A table, or an empty one."""
    return node if isinstance(node, dict) else NOTHING


def items(node: object) -> list[object]:
    """A list, or an empty one."""
    return node if isinstance(node, list) else []


def text_of(node: object) -> str:
    """A text, or an empty one."""
    return node if isinstance(node, str) else ""

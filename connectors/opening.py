"""Opens the connector that a manifest describes: the one place that knows every kind."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from connectors.contract import Connector
from connectors.exchange import Exchange
from connectors.files import FilesConnector
from connectors.graphql import GraphqlConnector
from connectors.login import NEXT
from connectors.manifest import Manifest
from connectors.manifest.model import FileDrop, HttpAddress, Kind, SqlAddress
from connectors.rest import RestConnector
from connectors.sql import SqlConnector
from connectors.staged import NothingStaged, Staged
from connectors.transport import Transport

HEADER_SECRET = re.compile(r"[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?")  # RFC 9110, 5.5


class SecretsMissing(Exception):  # noqa: N818 - it says what is wrong
    """Secrets that the manifest names were not given; ``slots`` are their names."""

    def __init__(self, slots: frozenset[str]) -> None:
        self.slots = slots
        super().__init__(f"secrets missing: {', '.join(sorted(slots))}")


class SecretUnusable(Exception):  # noqa: N818 - it says what is wrong
    """A secret cannot be shown in the way that the manifest declares; ``slot`` is its name."""

    def __init__(self, slot: str, expected: str) -> None:
        self.slot = slot
        self.expected = expected
        super().__init__(f"secret {slot}: expected {expected}")


def open_connector(
    manifest: Manifest,
    transport: Transport,
    secrets: Mapping[str, str],
    now: Callable[[], datetime],
    staged: Staged | None = None,
) -> Connector:
    """The bare connector; nothing is connected yet. Use it behind ``connectors.wrappers.wrap``.

    ``secrets`` by slot, what is to replace one under ``SLOT.next``; ``now`` is the wall clock (for signed
    timestamps, and for what is late); ``staged`` keeps the rows of files, None: nothing is kept. Raises
    SecretsMissing, SecretUnusable, and ssl.SSLError when a declared certificate cannot be read.
    """
    missing = manifest.credentials.slots() - set(secrets)
    if missing:
        raise SecretsMissing(missing)
    key = manifest.credentials.api_key
    if key is not None:
        for slot in (key.slot, key.slot + NEXT):
            if not HEADER_SECRET.fullmatch(secrets.get(slot, "-")):
                raise SecretUnusable(slot, "printable ASCII with no space around it, for a header")
    if isinstance(manifest.address, FileDrop):
        return FilesConnector(manifest, staged or NothingStaged(), now)
    if isinstance(manifest.address, SqlAddress):
        return SqlConnector(manifest, manifest.address, transport, secrets)
    return _open_http(
        manifest, manifest.address, Exchange(manifest, manifest.address, transport, secrets, now)
    )


def _open_http(manifest: Manifest, address: HttpAddress, exchange: Exchange) -> Connector:
    if manifest.kind is Kind.REST:
        return RestConnector(manifest, exchange, address.health)
    return GraphqlConnector(manifest, exchange)

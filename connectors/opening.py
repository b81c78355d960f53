"""Opens the connector that a manifest describes: the one place that knows every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from connectors.contract import Connector
from connectors.exchange import Exchange
from connectors.graphql import GraphqlConnector
from connectors.manifest import Manifest
from connectors.manifest.model import HttpAddress, Kind, SqlAddress
from connectors.rest import RestConnector
from connectors.sql import SqlConnector
from connectors.transport import Transport


class SecretsMissing(Exception):  # noqa: N818 - it says what is wrong
    """Secrets that the manifest names were not given; ``slots`` are their names."""

    def __init__(self, slots: frozenset[str]) -> None:
        self.slots = slots
        super().__init__(f"secrets missing: {', '.join(sorted(slots))}")


def open_connector(
    manifest: Manifest, transport: Transport, secrets: Mapping[str, str], now: Callable[[], datetime]
) -> Connector:
    """The bare connector; nothing is connected yet. Use it behind ``connectors.wrappers.wrap``.

    ``secrets`` by slot; ``now`` is the wall clock (for signed timestamps). Raises SecretsMissing, and
    ssl.SSLError when a declared certificate cannot be read.
    """
    missing = manifest.credentials.slots() - set(secrets)
    if missing:
        raise SecretsMissing(missing)
    if isinstance(manifest.address, SqlAddress):
        return SqlConnector(manifest, manifest.address, transport, secrets)
    return _open_http(
        manifest, manifest.address, Exchange(manifest, manifest.address, transport, secrets, now)
    )


def _open_http(manifest: Manifest, address: HttpAddress, exchange: Exchange) -> Connector:
    if manifest.kind is Kind.REST:
        return RestConnector(manifest, exchange, address.health)
    return GraphqlConnector(manifest, exchange)

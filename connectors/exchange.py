"""Carries one call to an agency's HTTP service, with credentials, purpose and correlation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from connectors.contract import Ask, Fault
from connectors.manifest.model import HttpAddress, Manifest
from connectors.signing import Signer, Unsigned, told_headers
from connectors.transport import Call, Reply, Transport, tls_context

CORRELATION_HEADER = "X-Correlation-Id"
DEFAULT_PORTS = {"http": 80, "https": 443}


class Exchange:
    """One agency's HTTP service. Raises ssl.SSLError when a declared certificate cannot be read."""

    def __init__(
        self,
        manifest: Manifest,
        address: HttpAddress,
        transport: Transport,
        secrets: Mapping[str, str],
        now: Callable[[], datetime],
    ) -> None:
        parts = urlsplit(address.url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._base = parts.path
        self._host = parts.hostname or ""
        self._port = parts.port or DEFAULT_PORTS[parts.scheme]
        self._transport = transport
        self._signer = Signer(manifest.credentials, secrets, now)
        self._told = manifest.telling.headers
        self._max_bytes = manifest.limits.max_bytes
        slot = manifest.credentials.certificate
        secure = parts.scheme == "https"
        self._tls = tls_context(address.ca, None if slot is None else secrets[slot]) if secure else None

    async def send(self, call: Unsigned, headers: Mapping[str, str], ask: Ask) -> Reply | Fault:
        """The reply to a call whose path stands below the declared address."""
        telling = ask.tellings[0] if ask.tellings else None
        told = told_headers(self._told, telling) | {CORRELATION_HEADER: ask.correlation}
        return await self._send(call, {**told, **headers}, ask.deadline)

    async def get(self, path: str, deadline: float) -> Reply | Fault:
        """The reply to a call that is about nobody."""
        return await self._send(Unsigned("GET", path, "", b""), {}, deadline)

    async def reach(self, deadline: float) -> Fault | None:
        """Whether the service can be connected to at all."""
        return await self._transport.reach(self._host, self._port, deadline)

    async def _send(self, call: Unsigned, headers: Mapping[str, str], deadline: float) -> Reply | Fault:
        whole = Unsigned(call.method, self._base + call.path, call.query, call.body)
        query = f"?{whole.query}" if whole.query else ""
        body_type = {"Content-Type": "application/json"} if whole.body else {}
        return await self._transport.send(
            Call(
                whole.method,
                f"{self._origin}{whole.path}{query}",
                {**body_type, **headers, **self._signer.headers(whole)},
                whole.body or None,
                self._tls,
                self._max_bytes,
                deadline,
            )
        )

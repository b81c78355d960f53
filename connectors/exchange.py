"""Carries one call to an agency's HTTP service, with credentials, purpose and correlation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from urllib.parse import urlsplit

from connectors.contract import Ask, Fault
from connectors.manifest.model import HttpAddress, Manifest
from connectors.signing import Signer, Unsigned, told_headers
from connectors.transport import Call, Reply, Transport, tls_context

CORRELATION_HEADER = "X-Correlation-Id"
JSON = {"Content-Type": "application/json"}
NOTHING = Unsigned("GET", "", "", b"")
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
        self._shown = None if manifest.credentials.hmac else self._signer.headers(NOTHING)
        self._told = manifest.telling.headers
        self._max_bytes = manifest.limits.max_bytes
        slot = manifest.credentials.certificate
        secure = parts.scheme == "https"
        self._tls = tls_context(address.ca, None if slot is None else secrets[slot]) if secure else None

    def send(self, call: Unsigned, headers: Mapping[str, str], ask: Ask) -> Awaitable[Reply | Fault]:
        """The reply to a call whose path stands below the declared address."""
        told = told_headers(self._told, ask.tellings[0]) if ask.tellings else {}
        return self._send(call, {**told, CORRELATION_HEADER: ask.correlation, **headers}, ask.deadline)

    async def get(self, path: str, deadline: float) -> Reply | Fault:
        """The reply to a call that is about nobody."""
        return await self._send(Unsigned("GET", path, "", b""), {}, deadline)

    async def reach(self, deadline: float) -> Fault | None:
        """Whether the service can be connected to at all."""
        return await self._transport.reach(self._host, self._port, deadline)

    def _send(self, call: Unsigned, headers: Mapping[str, str], deadline: float) -> Awaitable[Reply | Fault]:
        path = self._base + call.path
        query = f"?{call.query}" if call.query else ""
        shown = self._shown
        if shown is None:
            shown = self._signer.headers(Unsigned(call.method, path, call.query, call.body))
        return self._transport.send(
            Call(
                call.method,
                f"{self._origin}{path}{query}",
                {**JSON, **headers, **shown} if call.body else {**headers, **shown},
                call.body or None,
                self._tls,
                self._max_bytes,
                deadline,
            )
        )

"""What the hub shows an agency with each call: keys, signatures, and the purpose it must be told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from connectors.contract import Telling
from connectors.manifest.model import Credentials, Hmac

NONCE_BYTES = 16
VISIBLE = (
    "!\"#$&'()*+,-./:;<=>?@[]^_`{|}~"  # everything printable in ASCII but the percent sign and backslash
)


@dataclass(frozen=True, slots=True)
class Unsigned:
    """The parts of a call that a signature can cover; ``path`` and ``query`` as they go over the wire."""

    method: str
    path: str
    query: str
    body: bytes


class Signer:
    """Turns declared credentials and their secrets into the headers of one call.

    ``secrets_by_slot`` must hold every slot that the credentials name; ``now`` is the wall clock.
    """

    def __init__(
        self, credentials: Credentials, secrets_by_slot: Mapping[str, str], now: Callable[[], datetime]
    ) -> None:
        self._hmac = credentials.hmac
        self._secrets = secrets_by_slot
        self._now = now
        self._fixed = _fixed_headers(credentials, secrets_by_slot)

    def headers(self, call: Unsigned) -> dict[str, str]:
        """The headers that authenticate this call."""
        if self._hmac is None:
            return dict(self._fixed)
        return self._fixed | self._sign(self._hmac, call)

    def _sign(self, scheme: Hmac, call: Unsigned) -> dict[str, str]:
        timestamp = _timestamp(scheme.timestamp_form, self._now())
        nonce = secrets.token_hex(NONCE_BYTES)
        parts = {
            "method": call.method.encode(),
            "path": call.path.encode(),
            "query": call.query.encode(),
            "timestamp": timestamp.encode(),
            "nonce": nonce.encode(),
            "body": call.body,
            "body_digest": hashlib.new(scheme.algorithm, call.body).hexdigest().encode(),
        }
        message = scheme.separator.encode().join(parts[part] for part in scheme.signed)
        digest = hmac.new(self._secrets[scheme.slot].encode(), message, scheme.algorithm).digest()
        headers = {scheme.header: _written(digest, scheme.encoding)}
        if scheme.timestamp_header is not None:
            headers[scheme.timestamp_header] = timestamp
        if scheme.nonce_header is not None:
            headers[scheme.nonce_header] = nonce
        return headers


def told_headers(names: Mapping[str, str], telling: Telling | None) -> dict[str, str]:
    """The purpose as headers: percent-encoded UTF-8 where a value is not plain ASCII."""
    if telling is None:
        return {}
    return {header: quote(getattr(telling, part), safe=VISIBLE + " ") for part, header in names.items()}


def _fixed_headers(credentials: Credentials, secrets_by_slot: Mapping[str, str]) -> dict[str, str]:
    headers = {}
    if credentials.api_key is not None:
        key = credentials.api_key
        headers[key.header] = key.prefix + secrets_by_slot[key.slot]
    if credentials.basic is not None:
        pair = f"{credentials.basic.user}:{secrets_by_slot[credentials.basic.slot]}"
        headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return headers


def _timestamp(form: str, now: datetime) -> str:
    if form == "iso":
        return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    milliseconds = round(now.timestamp() * 1000)
    return str(milliseconds if form == "unix_ms" else milliseconds // 1000)


def _written(digest: bytes, encoding: str) -> str:
    return digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()

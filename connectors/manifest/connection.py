"""Reads where an agency's service is, what the hub shows it and tells it, and what it bears."""

from __future__ import annotations

from urllib.parse import urlsplit

from connectors.manifest.cursor import Cursor
from connectors.manifest.model import (
    ApiKey,
    Basic,
    Credentials,
    FileDrop,
    Hmac,
    HttpAddress,
    Kind,
    Limits,
    OAuth2,
    SqlAddress,
    Telling,
)
from connectors.manifest.sources import PATH, read_header
from connectors.manifest.templates import PURPOSE

HOST = r"([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
BARE_HOST = r"[A-Za-z0-9._-]{1,253}|[0-9A-Fa-f:.]{2,45}"
NO_DOTS = r"(?!(\.|%2[eE]){1,2}(/|$))"  # a step that leads elsewhere (RFC 3986, 5.2.4)
URL = rf"https?://{HOST}(:[0-9]{{1,5}})?(/{NO_DOTS}[A-Za-z0-9._~%-]+)*"
A_URL = "http(s)://host[:port][/path], nothing more, no / at the end"
PEM = r"(?s)\s*-----BEGIN CERTIFICATE-----.+-----END CERTIFICATE-----\s*"
SLOT = r"[a-z][a-z0-9_]{0,63}"
A_SLOT = "the name of a secret, in lower_snake"
SETTING = r"[a-z_]{1,30}\.[a-z_]{1,30}"
SIGNED = ("method", "path", "query", "timestamp", "nonce", "body", "body_digest")
ALGORITHMS = ("sha256", "sha384", "sha512", "sm3")
PRINTABLE = r"[\x20-\x7e]*"
SCOPE = r"[\x21\x23-\x5b\x5d-\x7e]+( [\x21\x23-\x5b\x5d-\x7e]+)*"
PORT_HIGHEST = 65_535
ATTEMPTS_HIGHEST = 5
BYTES_HIGHEST = 100_000_000


def read_address(head: Cursor, kind: Kind) -> HttpAddress | SqlAddress | FileDrop:
    """Where the service is; its host is the only one that is ever spoken to."""
    if kind is Kind.FILES:
        return FileDrop()
    cursor = head.table("address")
    ca = cursor.optional_text("ca", "certificates as PEM text", PEM)
    address: HttpAddress | SqlAddress
    if kind is Kind.SQL:
        address = SqlAddress(
            cursor.text("host", "a host name or IP address", BARE_HOST),
            cursor.whole("port", 1, PORT_HIGHEST, 5432),
            cursor.text("database", "a name", r"[^\x00]{1,63}"),
            cursor.text("user", "a name", r"[^\x00]{1,63}"),
            cursor.flag("tls", default=True),
            ca,
        )
    else:
        url = cursor.text("url", A_URL, URL)
        if not _names_a_place(url):
            cursor.mistake("url", f"an IPv6 address in the brackets, a port from 1 to {PORT_HIGHEST}")
        health = cursor.optional_text("health", "a path", PATH) if kind is Kind.REST else None
        address = HttpAddress(url, ca, health)
    cursor.finish()
    return address


def _names_a_place(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:
        return False


def read_credentials(head: Cursor, kind: Kind) -> Credentials:
    """Which secrets are shown, and how; the secrets themselves never stand in a manifest."""
    if kind is Kind.FILES:
        return Credentials()
    cursor = head.optional_table("credentials")
    if cursor is None:
        return Credentials()
    if kind is Kind.SQL:
        credentials = Credentials(
            password=_read_slot(cursor, "password"), certificate=_read_certificate(cursor)
        )
    else:
        credentials = Credentials(
            _read_api_key(cursor),
            _read_basic(cursor),
            _read_hmac(cursor),
            None,
            _read_certificate(cursor),
            _read_oauth2(cursor),
        )
        _check_authorization(cursor, credentials)
    cursor.finish()
    return credentials


def read_telling(head: Cursor, kind: Kind) -> Telling:
    """Where each part of the purpose is told."""
    if kind is Kind.FILES:
        return Telling()
    cursor = head.optional_table("telling")
    if cursor is None:
        return Telling()
    if kind is Kind.SQL:
        settings = cursor.text_table("settings", "a setting like hub.case", SETTING)
        _check_parts(cursor, "settings", settings)
        telling = Telling(settings=settings)
    else:
        inner = cursor.optional_table("headers")
        headers = {part: read_header(inner, part) for part in inner.names()} if inner is not None else {}
        _check_parts(cursor, "headers", headers)
        telling = Telling(headers)
    cursor.finish()
    return telling


def read_limits(head: Cursor, repeatable: frozenset[str]) -> Limits:
    """What the service bears; what is left out has the default of Limits."""
    cursor = head.optional_table("limits") or Cursor({}, "connector.limits", [])
    breaker = cursor.optional_table("breaker") or Cursor({}, "connector.limits.breaker", [])
    limits = Limits(
        cursor.whole("timeout_ms", 10, 60_000, 3000) / 1000,
        cursor.whole("concurrency", 1, 1000, 16),
        cursor.number("per_second", 0.01, 100_000),
        cursor.whole("attempts", 1, ATTEMPTS_HIGHEST, 2),
        cursor.whole("max_bytes", 1, BYTES_HIGHEST, 4_000_000),
        cursor.whole("max_rows", 1, 1_000_000, 10_000),
        breaker.whole("failures", 1, 1000, 5),
        breaker.number("seconds", 0.05, 3600) or 10.0,
        repeatable,
    )
    breaker.finish()
    cursor.finish()
    return limits


def _check_parts(cursor: Cursor, name: str, told: dict[str, str]) -> None:
    if not set(told) <= set(PURPOSE):
        cursor.mistake(name, f"only {', '.join(PURPOSE)}")


def _read_slot(parent: Cursor, name: str) -> str | None:
    cursor = parent.optional_table(name)
    if cursor is None:
        return None
    slot = cursor.text("slot", A_SLOT, SLOT)
    cursor.finish()
    return slot


def _read_certificate(parent: Cursor) -> str | None:
    return _read_slot(parent, "certificate")


def _read_api_key(parent: Cursor) -> ApiKey | None:
    cursor = parent.optional_table("api_key")
    if cursor is None:
        return None
    prefix = cursor.optional_text("prefix", "printable ASCII", PRINTABLE) or ""
    key = ApiKey(read_header(cursor, "header"), cursor.text("slot", A_SLOT, SLOT), prefix)
    cursor.finish()
    return key


def _read_basic(parent: Cursor) -> Basic | None:
    cursor = parent.optional_table("basic")
    if cursor is None:
        return None
    basic = Basic(
        cursor.text("user", "a name without a colon", r"[^:\x00-\x1f]+"), cursor.text("slot", A_SLOT, SLOT)
    )
    cursor.finish()
    return basic


def _read_oauth2(parent: Cursor) -> OAuth2 | None:
    cursor = parent.optional_table("oauth2")
    if cursor is None:
        return None
    url = cursor.text("token_url", A_URL, URL)
    if not _names_a_place(url):
        cursor.mistake("token_url", f"an IPv6 address in the brackets, a port from 1 to {PORT_HIGHEST}")
    declared = OAuth2(
        url,
        cursor.text("client", "printable ASCII", r"[\x21-\x7e]{1,200}"),
        cursor.text("slot", A_SLOT, SLOT),
        cursor.optional_text("scope", "words of printable ASCII (RFC 6749, 3.3)", SCOPE),
        cursor.choice("secret_in", ("header", "body"), "header") == "body",
    )
    cursor.finish()
    return declared


def _check_authorization(cursor: Cursor, credentials: Credentials) -> None:
    """One header cannot show two things."""
    key = credentials.api_key
    shown = [
        credentials.basic is not None,
        credentials.oauth2 is not None,
        key is not None and key.header.casefold() == "authorization",
    ]
    if sum(shown) > 1:
        cursor.mistake("", "one of api_key, basic and oauth2 in the header Authorization")


def _read_hmac(parent: Cursor) -> Hmac | None:
    cursor = parent.optional_table("hmac")
    if cursor is None:
        return None
    timestamp = cursor.optional_table("timestamp")
    nonce = cursor.optional_table("nonce")
    hmac = Hmac(
        cursor.text("slot", A_SLOT, SLOT),
        cursor.choice("algorithm", ALGORITHMS, "sha256"),
        cursor.choice("encoding", ("hex", "base64"), "hex"),
        read_header(cursor, "header"),
        read_header(timestamp, "header") if timestamp is not None else None,
        timestamp.choice("form", ("unix", "unix_ms", "iso"), "unix") if timestamp is not None else "unix",
        read_header(nonce, "header") if nonce is not None else None,
        _read_signed(cursor),
        cursor.optional_text("separator", "a text", r"(?s).{0,8}") or "",
    )
    _check_signed(cursor, hmac)
    for inner in (timestamp, nonce, cursor):
        if inner is not None:
            inner.finish()
    return hmac


def _read_signed(cursor: Cursor) -> tuple[str, ...]:
    value = cursor.take("signed")
    if isinstance(value, list) and value and all(isinstance(part, str) and part in SIGNED for part in value):
        return tuple(value)
    cursor.mistake("signed", f"a list of {', '.join(SIGNED)}")
    return ()


def _check_signed(cursor: Cursor, hmac: Hmac) -> None:
    if "timestamp" in hmac.signed and hmac.timestamp_header is None:
        cursor.mistake("timestamp", "a header, since the timestamp is signed")
    if "nonce" in hmac.signed and hmac.nonce_header is None:
        cursor.mistake("nonce", "a header, since the nonce is signed")

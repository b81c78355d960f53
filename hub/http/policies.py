"""What a browser is told about a page: which content it may load, and who may embed or read it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PLAIN_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
GRAPHIQL_POLICY = f"{PLAIN_POLICY}; font-src data:"  # GraphiQL carries its fonts in its style sheet
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def browser_headers(policy: str) -> Mapping[str, str]:
    """Headers of a page with this Content-Security-Policy (CSP Level 3)."""
    return MappingProxyType(
        {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": PERMISSIONS,
        }
    )

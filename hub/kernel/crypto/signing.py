"""Holds one Ed25519 signing key and makes compact JWS with it (RFC 7515, RFC 8037, RFC 9864)."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc.jwk import OKPKey

ALGORITHM = "Ed25519"


class Use(StrEnum):
    """What a key may sign; a key of one use never signs for the other."""

    RECEIPT = "receipt"
    TOKEN = "token"  # noqa: S105 a name, not a secret


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A published key. ``jwk`` is its public JWK with kid, use and alg; a retired key signs nothing more."""

    kid: str
    use: Use
    jwk: Mapping[str, str]
    retired_at: datetime | None = None


class Signer:
    """The active key of one use."""

    def __init__(self, kid: str, private: bytes) -> None:
        """``private`` is the key's 32-byte seed (RFC 8032)."""
        self.kid = kid
        self._key = Ed25519PrivateKey.from_private_bytes(private)
        self._headers: dict[str, bytes] = {}

    def sign(self, typ: str, payload: bytes) -> str:
        """Compact JWS over ``payload`` with header members alg, kid and typ.

        Put together here because a JOSE library doubles a signature's cost; the tests verify it with one.
        """
        signed = self._header(typ) + b"." + _base64url(payload)
        return (signed + b"." + _base64url(self._key.sign(signed))).decode()

    def _header(self, typ: str) -> bytes:
        """It says the same every time."""
        if typ not in self._headers:
            header = {"alg": ALGORITHM, "kid": self.kid, "typ": typ}
            self._headers[typ] = _base64url(json.dumps(header, separators=(",", ":")).encode())
        return self._headers[typ]


def new_key(use: Use) -> tuple[PublicKey, bytes]:
    """A fresh key pair: public key and private 32-byte seed. The kid is use and RFC 7638 thumbprint."""
    private = Ed25519PrivateKey.generate()
    key = OKPKey.import_key(
        {"kty": "OKP", "crv": "Ed25519", "x": _base64url(private.public_key().public_bytes_raw()).decode()}
    )
    kid = f"{use}-{key.thumbprint()}"
    jwk = {str(name): str(value) for name, value in key.as_dict(private=False).items()}
    public = MappingProxyType(jwk | {"kid": kid, "use": "sig", "alg": ALGORITHM})
    return PublicKey(kid, use, public), private.private_bytes_raw()


def _base64url(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")

"""A signature of ours is an ordinary compact JWS that any JOSE library verifies."""

from __future__ import annotations

import pytest
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey

from hub.kernel.crypto.signing import Signer, Use, new_key


def test_a_jose_library_verifies_what_we_sign() -> None:
    public, private = new_key(Use.RECEIPT)
    token = Signer(public.kid, private).sign("hub-receipt+jwt", '{"iss":"淄博"}'.encode())
    opened = jws.deserialize_compact(token, OKPKey.import_key(dict(public.jwk)), algorithms=["Ed25519"])
    assert opened.headers() == {"alg": "Ed25519", "kid": public.kid, "typ": "hub-receipt+jwt"}
    assert opened.payload == '{"iss":"淄博"}'.encode()


def test_another_key_does_not_verify_it() -> None:
    public, private = new_key(Use.RECEIPT)
    other, _ = new_key(Use.RECEIPT)
    token = Signer(public.kid, private).sign("hub-receipt+jwt", b"{}")
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(token, OKPKey.import_key(dict(other.jwk)), algorithms=["Ed25519"])


def test_a_public_key_says_what_it_is_for_and_holds_nothing_private() -> None:
    public, private = new_key(Use.TOKEN)
    assert public.jwk.keys() == {"kty", "crv", "x", "kid", "use", "alg"}
    assert (public.jwk["alg"], public.jwk["use"], public.jwk["kid"]) == ("Ed25519", "sig", public.kid)
    assert public.kid == f"token-{OKPKey.import_key(dict(public.jwk)).thumbprint()}"
    assert len(private) == 32

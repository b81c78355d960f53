"""Secrets that cannot be shown as declared are refused before anybody is asked, and never told."""

from __future__ import annotations

import pytest

from connectors.opening import SecretUnusable, open_connector
from tests.connectors import samples

HEAD = """[connector.credentials]
api_key = { header = "X-Key", prefix = "Bearer ", slot = "token" }
basic = { user = "hub", slot = "word" }
[connector.limits]"""
TEXT = samples.rest("http://127.0.0.1:1").replace("[connector.limits]", HEAD)


@pytest.mark.parametrize("end", ["\r\nX-Evil: 1", "\n", "密钥", "\x00", " ", "\x7f", "é"])
def test_a_secret_for_a_header_stays_on_its_line(end: str) -> None:
    with pytest.raises(SecretUnusable) as refused:
        open_connector(
            samples.manifest(TEXT), samples.transport(), {"token": f"k-1{end}", "word": "w"}, samples.now
        )
    assert refused.value.slot == "token"
    assert "k-1" not in str(refused.value)


def test_a_secret_for_a_header_is_not_empty() -> None:
    with pytest.raises(SecretUnusable):
        open_connector(samples.manifest(TEXT), samples.transport(), {"token": "", "word": "w"}, samples.now)


def test_what_goes_encoded_may_be_anything() -> None:
    secrets = {"token": "k 1~", "word": "密钥\r\n"}
    assert open_connector(samples.manifest(TEXT), samples.transport(), secrets, samples.now).describe()

"""Settings are read whole, refuse what is wrong by its name, and never show a secret."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from ipaddress import ip_network

import pytest

from hub.kernel.errors import Code, HubError
from hub.kernel.settings import read_settings, unknown_keys

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


def test_nothing_set_gives_the_documented_defaults() -> None:
    settings = read_settings({})
    assert (settings.host, settings.port, settings.database_url) == ("127.0.0.1", 8300, None)
    assert settings.data.is_absolute()
    assert settings.agency_networks == ()


def test_an_empty_variable_counts_as_absent() -> None:
    assert read_settings({"HUB_PORT": " ", "HUB_DATABASE_URL": ""}).port == 8300


def test_the_issuer_follows_the_port_unless_it_is_set() -> None:
    assert read_settings({"HUB_PORT": "9000"}).issuer == "http://127.0.0.1:9000"
    assert read_settings({"HUB_ISSUER": "https://hub.example/"}).issuer == "https://hub.example"


def test_agency_networks_are_networks_with_port_ranges() -> None:
    settings = read_settings({"HUB_AGENCY_NETWORKS": "10.20.0.0/16:443,8000-8002 fd00::/8:9"})
    assert settings.agency_networks == (
        (ip_network("10.20.0.0/16"), (range(443, 444), range(8000, 8003))),
        (ip_network("fd00::/8"), (range(9, 10),)),
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("HUB_PORT", "0"),
        ("HUB_PORT", "65536"),
        ("HUB_PORT", "８３００"),
        ("HUB_PORT", "-1"),
        ("HUB_DEADLINE_SECONDS", "soon"),
        ("HUB_DATABASE_URL", "mysql://secret-word@host/hub"),
        ("HUB_ISSUER", "hub.example"),
        ("HUB_ISSUER", "https://user:secret-word@hub.example"),
        ("HUB_MASTER_KEY", "c2hvcnQ="),
        ("HUB_MASTER_KEY", "not base64 secret-word"),
        ("HUB_AGENCY_NETWORKS", "10.0.0.0/8"),
        ("HUB_AGENCY_NETWORKS", "10.0.0.1/8:443"),
        ("HUB_AGENCY_NETWORKS", "10.0.0.0/8:0"),
        ("HUB_AGENCY_NETWORKS", "10.0.0.0/8:99999"),
        ("HUB_AGENCY_NETWORKS", "10.0.0.0/8:9-1"),
        ("HUB_AGENCY_NETWORKS", "10.0.0.0/8:1,,2"),
        ("HUB_AGENCY_NETWORKS", "::ffff:10.20.0.0/112:443"),
        ("HUB_AGENCY_NETWORKS", "fe80::1%eth0/128:443"),
        ("HUB_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_value_is_refused_by_its_key_and_not_repeated(key: str, value: str) -> None:
    with pytest.raises(HubError) as caught:
        read_settings({key: value})
    problem = caught.value.problem
    assert problem.code is Code.SETTING_INVALID
    assert problem.detail["setting"] == key
    assert problem.detail["rule"]
    assert len(value) < 2 or value not in str(problem).replace("https://hub.example.gov.cn", "")


def test_secrets_are_not_shown() -> None:
    url = "postgresql://hub:secret-word@db/hub"
    shown = repr(
        read_settings({"HUB_DATABASE_URL": url, "HUB_OWNER_DATABASE_URL": url, "HUB_MASTER_KEY": KEY})
    )
    assert "secret-word" not in shown
    assert "\\x00\\x01" not in shown


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        read_settings({}).port = 1  # type: ignore[misc]


def test_misspelt_settings_are_found() -> None:
    assert unknown_keys({"HUB_PROT": "1", "HUB_PORT": "1", "HOME": "/"}) == ("HUB_PROT",)

"""Where a connection URL says that a database listens."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from hub.kernel.db.places import places


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://hub:secret@db.example/hub", [("db.example", 5432)]),
        ("postgres://db.example:5433/hub", [("db.example", 5433)]),
        ("postgresql://h1:5433,h2:5434/hub", [("h1", 5433), ("h2", 5434)]),
        ("postgresql://h1,h2/hub?port=6000", [("h1", 6000), ("h2", 6000)]),
        ("postgresql://hub:secret@/hub?host=10.0.0.5&port=5433", [("10.0.0.5", 5433)]),
        ("postgresql:///hub?host=10.0.0.5,10.0.0.6&port=1,2", [
            ("10.0.0.5", 1), ("10.0.0.5", 2), ("10.0.0.6", 1), ("10.0.0.6", 2),
        ]),
        ("postgresql://decoy/hub?host=10.0.0.5", [("decoy", 5432), ("10.0.0.5", 5432)]),
        ("postgresql:///hub?hostaddr=10.0.0.7", [("10.0.0.7", 5432)]),
        ("postgresql://hub@10%2E0%2E0%2E8/hub", [("10.0.0.8", 5432)]),
        ("postgresql://hub@[fd12::1]:5433/hub", [("fd12::1", 5433)]),
        ("postgresql:///hub?host=fd12::1", [("fd12::1", 5432)]),
        ("postgresql:///hub?host=%5Bfd12::1%5D:7", [("fd12::1", 7)]),
        ("postgresql:///hub", [("localhost", 5432)]),
        ("postgresql:///hub?port=6000", [("localhost", 6000)]),
        ("postgresql://hub:secret@/hub?host=/run/postgresql&port=5433", []),
        ("postgresql://hub@%2Frun%2Fpostgresql/hub", []),
        ("postgresql:///hub?host=@abstract", []),
    ],
)  # fmt: skip
def test_places(url: str, expected: list[tuple[str, int]]) -> None:
    assert list(places(url, {})) == expected


@pytest.mark.parametrize(
    ("url", "environ", "expected"),
    [
        ("postgresql:///hub", {"PGHOST": "10.0.0.5"}, [("10.0.0.5", 5432)]),
        ("postgresql:///hub", {"PGHOST": "h1:7,h2", "PGPORT": "6001"}, [("h1", 7), ("h2", 6001)]),
        ("postgresql:///hub?hostaddr=10.0.0.7", {"PGPORT": "6001"}, [("10.0.0.7", 6001)]),
        ("postgresql:///hub", {"PGHOSTADDR": "10.0.0.8"}, [("10.0.0.8", 5432)]),
        ("postgresql:///hub", {"PGHOST": "/run/postgresql"}, []),
        ("postgresql:///hub", {"PGPORT": "6001"}, [("localhost", 6001)]),
        ("postgresql://h1:7/hub", {"PGHOST": "h2", "PGPORT": "6001"}, [("h1", 7)]),
        ("postgresql://h1,h2/hub", {"PGPORT": "6001,6002"}, [
            ("h1", 6001), ("h1", 6002), ("h2", 6001), ("h2", 6002),
        ]),
    ],
)  # fmt: skip
def test_what_the_url_leaves_open_stands_in_the_environment(
    url: str, environ: dict[str, str], expected: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(places(url, environ)) == expected
    for name in ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert list(places(url)) == expected


@pytest.mark.parametrize("environ", [{"PGSERVICE": "main"}, {"PGPORT": "x"}, {"PGHOST": "h1:0"}])
def test_an_environment_that_cannot_be_read_is_refused(environ: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"^(not|the)"):
        places("postgresql:///hub", environ)


@pytest.mark.parametrize("url", ["postgresql:///hub", "postgresql://db/hub", "postgresql://a:7,b/hub?host=c"])
def test_the_driver_goes_nowhere_else(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGHOST", "10.0.0.5")
    monkeypatch.setenv("PGPORT", "6001")
    tried: list[object] = []

    async def note(_: object, _factory: object, host: str, port: int, **_more: object) -> None:
        tried.append((host, port))
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.BaseEventLoop, "create_connection", note)
    with pytest.raises(OSError):  # noqa: PT011 - how it fails is the driver's matter
        asyncio.run(asyncpg.connect(url, user="hub", password="x", timeout=5))
    assert tried
    assert {*tried} <= {*places(url)}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://hub:s3cret@h1:99999/hub",
        "postgresql://hub:s3cret@h1:0/hub",
        "postgresql://hub:s3cret@h1,,h2/hub",
        "postgresql://hub:s3cret@h1:x/hub",
        "postgresql://hub:s3cret@[::1/hub",
        "postgresql://hub:s3cret@h1/hub?port",
        "postgresql://hub:s3cret@h1/hub?port=x",
        "postgresql://hub:s3cret@h1/hub?service=main",
    ],
)
def test_what_cannot_be_read_is_refused_without_a_secret(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(not|the)") as refused:
        places(url)
    assert "s3cret" not in str(refused.value)

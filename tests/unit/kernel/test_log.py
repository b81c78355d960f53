"""Nothing that names a person, a business or a secret reaches the log, however it is written."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
import structlog

from hub.kernel.errors import Code, HubError
from hub.kernel.log import ALLOWED_KEYS, configure_logging, get_log, scrub

ID_NUMBER = "11010519491231002X"
USCC = "91110000600037341L"
TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.c2ln"
NAME = "王小明"
SECRETS = (ID_NUMBER, USCC, TOKEN, NAME)


@contextmanager
def configured(stream: io.StringIO) -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    configure_logging("debug", stream)
    yield
    structlog.reset_defaults()
    root.handlers, root.level = handlers, level


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with configured(stream):
        yield stream


def last(written: io.StringIO) -> dict[str, object]:
    entry: dict[str, object] = json.loads(written.getvalue().splitlines()[-1])
    return entry


def test_an_entry_is_one_json_object_with_its_time_and_place(written: io.StringIO) -> None:
    get_log("hub.audit").info("intent_recorded", inquiry=UUID(int=7), code=Code.OVER_ASKED, seconds=0.5)
    entry = last(written)
    assert entry["event"] == "intent_recorded"
    assert (entry["level"], entry["logger"]) == ("info", "hub.audit")
    assert entry["inquiry"] == "00000000-0000-0000-0000-000000000007"
    assert entry["code"] == "OVER_ASKED"
    assert str(entry["time"]).endswith("Z")


def test_a_key_outside_the_list_is_dropped_and_counted(written: io.StringIO) -> None:
    get_log().info("asked", id_number=ID_NUMBER, name=NAME, client="c1")
    entry = last(written)
    assert entry["dropped"] == 2
    assert set(entry) <= ALLOWED_KEYS


@pytest.mark.parametrize("secret", SECRETS)
def test_no_road_leads_a_secret_into_the_log(written: io.StringIO, secret: str) -> None:
    log = get_log()
    log.info(f"asked about {secret}")  # noqa: G004 - what must not leak however it is written
    log.info("asked", client=secret, count=secret, seconds={"of": secret}, agency=[secret], extra=secret)
    if secret.isdigit():
        log.info("asked", count=int(secret))
    logging.getLogger("uvicorn.error").warning("bad request %s", secret)
    logging.getLogger("foreign").warning("already filled in: " + secret)  # noqa: G003 - as above
    logging.getLogger("foreign").warning("with extra", extra={"client": secret, "key": secret})
    try:
        raise HubError(Code.INTERNAL, value=secret) from ValueError(secret)
    except HubError:
        log.exception("failed")
        logging.getLogger("foreign").exception("failed %s", secret)
    assert secret not in written.getvalue()
    assert len(written.getvalue().splitlines()) >= 7


def test_a_library_that_had_its_own_way_of_writing_is_taken_over() -> None:
    own, stream = io.StringIO(), io.StringIO()
    library = logging.getLogger("library")
    library.handlers, library.propagate = [logging.StreamHandler(own)], False
    with configured(stream):
        library.warning("bad request %s", ID_NUMBER)
    assert own.getvalue() == ""
    assert json.loads(stream.getvalue())["event"] == "bad request %s"


def test_a_failure_is_told_by_kinds_and_places(written: io.StringIO) -> None:
    try:
        raise HubError(Code.STORE_UNAVAILABLE) from OSError("refused")
    except HubError:
        get_log().exception("failed")
    entry = last(written)
    assert entry["error"] == "HUB-203 < OSError"
    assert isinstance(entry["frames"], list)


def test_numbers_too_long_to_be_counts_are_scrubbed(written: io.StringIO) -> None:
    get_log().info("asked", count=110105194912310021)
    assert last(written)["count"] == "[redacted]"


def test_a_password_in_a_url_is_scrubbed() -> None:
    assert scrub("postgresql://hub:word@db/hub") == "postgresql[redacted]db/hub"


def test_access_lines_of_the_server_are_not_written(written: io.StringIO) -> None:
    logging.getLogger("uvicorn.access").info("GET /?id=1")
    assert written.getvalue() == ""

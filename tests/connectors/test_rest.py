"""What is special about ``rest``: how calls are written, signed and told, and how answers are judged."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from connectors.contract import Answer, Ask, Telling
from connectors.opening import SecretsMissing, open_connector
from tests.connectors import samples, services

CASE = "淄审批〔2026〕12号 %"
TOLD = Telling("client-1", "11370300004220030X", "P-1", CASE, "officer 7")
OUTCOME = '[[offerings.outcomes]]\nstatus = 200\noutcome = "found"\n'


def written(offering: str, head: str = "", tell: str = "none", more: str = OUTCOME) -> str:
    return f"""
[connector]
id = "agency"
agency = "11370300004220030X"
kind = "rest"
name = {{ zh = "甲", en = "A" }}
tell = "{tell}"
[connector.address]
url = "http://127.0.0.1:PORT/api"
{head}
[[offerings]]
name = "person"
record = "person"
key = "id_number"
freshness = "PT0S"
{offering}
[offerings.fields]
name = "xm"
{more}
"""


class Recorder:
    """A service that keeps what it was sent and answers one thing."""

    def __init__(self, reply: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.requests: list[tuple[web.Request, bytes]] = []
        self._reply = reply
        self._status = status
        self._headers = headers or {}

    async def __call__(self, request: web.Request) -> web.Response:
        self.requests.append((request, await request.read()))
        body = self._reply if isinstance(self._reply, bytes) else json.dumps(self._reply).encode()
        return web.Response(body=body, status=self._status, headers=self._headers)


async def fetch(
    text: str,
    service: Recorder,
    keys: tuple[str, ...] = ("A",),
    tellings: tuple[Telling, ...] = (),
    secrets: Mapping[str, str] | None = None,
) -> Answer:
    through = samples.transport()
    async with services.http(service) as port:
        connector = samples.opened(text.replace("PORT", str(port)), through, secrets)
        try:
            deadline = time.monotonic() + 3
            return await connector.fetch(
                Ask("person", keys, ("id_number", "name"), tellings, deadline, "corr-1")
            )
        finally:
            await connector.close()
            await through.close()


def kinds(answer: Answer) -> dict[str, str]:
    return {key: why.kind for key, why in answer.faults.items()}


ONE = """
[offerings.request]
path = "/people/$key"
query = { lang = "zh", q = "$key" }
headers = { X-Trace = "$correlation" }
[offerings.response]
key = "sfzh"
"""


async def test_a_get_with_the_key_in_path_and_query() -> None:
    service = Recorder({"sfzh": "甲/..?#", "xm": "张三"})
    answer = await fetch(written(ONE), service, ("甲/..?#",))
    assert answer.rows == {"甲/..?#": (("甲/..?#", "张三"),)}
    request, body = service.requests[0]
    assert request.raw_path == "/api/people/%E7%94%B2%2F..%3F%23?lang=zh&q=%E7%94%B2%2F..%3F%23"
    assert (request.headers["X-Trace"], request.headers["X-Correlation-Id"], body) == (
        "corr-1",
        "corr-1",
        b"",
    )


async def test_an_answer_without_the_key_is_taken_only_for_one_key() -> None:
    answer = await fetch(written(ONE.replace('key = "sfzh"\n', "")), Recorder({"xm": "张三"}))
    assert answer.rows == {"A": (("A", "张三"),)}


async def test_another_persons_record_is_refused() -> None:
    assert kinds(await fetch(written(ONE), Recorder({"sfzh": "B", "xm": "李四"}))) == {"A": "wrong_subject"}


async def test_a_check_digit_in_small_letters_is_the_same_person() -> None:
    answer = await fetch(written(ONE), Recorder({"sfzh": "12x", "xm": "张三"}), ("12X",))
    assert answer.rows == {"12X": (("12X", "张三"),)}


BATCH = """
batch = 10
absent = "missing"
[offerings.request]
method = "POST"
path = "/q"
body = { keys = "$keys", id = "$correlation", n = 5, deep = [{ v = "x" }] }
[offerings.response]
rows = "data"
key = "sfzh"
"""


async def test_a_body() -> None:
    service = Recorder({"data": []})
    answer = await fetch(written(BATCH), service, ("A", "B"))
    assert json.loads(service.requests[0][1]) == {
        "keys": ["A", "B"],
        "id": "corr-1",
        "n": 5,
        "deep": [{"v": "x"}],
    }
    assert service.requests[0][0].content_type == "application/json"
    assert answer.rows == {"A": (), "B": ()}


async def test_missing_is_not_absent_unless_declared() -> None:
    text = written(BATCH.replace('absent = "missing"\n', ""))
    answer = await fetch(text, Recorder({"data": [{"sfzh": "A", "xm": "x"}]}), ("A", "B"))
    assert set(answer.rows) == {"A"}
    assert kinds(answer) == {"B": "incomplete"}


@pytest.mark.parametrize(
    "reply", [{"data": None}, {}, {"data": "x"}, {"data": [5]}, {"data": [{"xm": "x"}]}, []]
)
async def test_an_answer_of_another_shape_is_malformed(reply: Any) -> None:
    assert kinds(await fetch(written(BATCH), Recorder(reply))) == {"A": "malformed"}


async def test_groups() -> None:
    text = written(
        BATCH.replace('key = "sfzh"', 'key = "sfzh"\nitems = "list"').replace("batch", "many = true\nbatch")
    )
    reply = {"data": [{"sfzh": "A", "list": [{"xm": "a"}, {"xm": "b"}]}, {"sfzh": "B", "list": []}]}
    answer = await fetch(text, Recorder(reply), ("A", "B"))
    assert answer.rows == {"A": (("A", "a"), ("A", "b")), "B": ()}


async def test_gb18030_and_xml() -> None:
    text = written(BATCH.replace('rows = "data"', 'rows = "R.P"\nformat = "xml"\nencoding = "gb18030"'))
    body = '<?xml version="1.0" encoding="GB18030"?><R><P><sfzh>A</sfzh><xm>㐂镕</xm></P></R>'.encode(
        "gb18030"
    )
    assert (await fetch(text, Recorder(body))).rows == {"A": (("A", "㐂镕"),)}
    assert kinds(await fetch(text, Recorder(b"\xff\xff"))) == {"A": "malformed"}


async def test_how_old_the_data_is() -> None:
    whole = written(
        BATCH.replace("batch = 10", 'batch = 10\nas_of = { path = "at", date = "YYYYMMDDhhmmss" }')
    )
    answer = await fetch(whole, Recorder({"at": "20260201080000", "data": []}))
    assert answer.as_of == datetime(2026, 2, 1, tzinfo=UTC)
    rows = written(
        BATCH.replace("batch = 10", 'batch = 10\nas_of = { path = "at", date = "iso", row = true }')
    )
    reply = [
        {"sfzh": "A", "xm": "x", "at": "2026-02-02T00:00:00Z"},
        {"sfzh": "B", "xm": "x", "at": "2026-02-01T00:00:00Z"},
    ]
    assert (await fetch(rows, Recorder({"data": reply}), ("A", "B"))).as_of == datetime(
        2026, 2, 1, tzinfo=UTC
    )
    del reply[0]["at"]
    assert (await fetch(rows, Recorder({"data": reply}), ("A", "B"))).as_of is None


CODES = """
[[offerings.outcomes]]
status = 404
path = "error.code"
equals = "NO_RECORD"
outcome = "absent"
[[offerings.outcomes]]
status = 404
path = "anything"
present = true
outcome = "refused"
[[offerings.outcomes]]
status = 202
outcome = "pending"
[[offerings.outcomes]]
status = 403
outcome = "refused"
[[offerings.outcomes]]
status = 200
path = "code"
equals = "9"
outcome = "busy"
[[offerings.outcomes]]
status = 204
outcome = "absent"
[[offerings.outcomes]]
status = 200
path = "code"
equals = "0"
outcome = "found"
"""


@pytest.mark.parametrize(
    ("status", "reply", "kind", "code"),
    [
        (404, {"error": {"code": "NO_RECORD"}}, "absent", None),
        (404, {"error": {"code": "NO_ROUTE"}}, "code_unknown", "NO_ROUTE"),
        (404, b"<html>not found</html>", "code_unknown", "404"),
        (404, {"anything": {"x": 1}}, "refused", "404"),
        (204, b"", "absent", None),
        (202, {}, "pending", "202"),
        (403, b"no", "refused", "403"),
        (401, {}, "code_unknown", "401"),
        (400, {"code": "0"}, "code_unknown", "0"),
        (200, {"code": 9}, "busy", "9"),
        (200, {"code": "7"}, "code_unknown", "7"),
        (200, {"code": "查无此人 张三"}, "code_unknown", "200"),
        (200, {"code": "11010519491231002X"}, "code_unknown", "200"),
        (200, {}, "code_unknown", "200"),
        (200, b"", "malformed", "200"),
        (500, {"code": "E5"}, "failed", "E5"),
        (503, b"", "failed", "503"),
        (429, b"", "busy", "429"),
    ],
)
async def test_codes_and_outcomes(status: int, reply: Any, kind: str, code: str | None) -> None:
    answer = await fetch(written(BATCH, more=CODES), Recorder(reply, status))
    if kind == "absent":
        assert answer == Answer({"A": ()})
    else:
        why = answer.faults["A"]
        assert (why.kind, why.agency_code, why.correlation) == (kind, code, "corr-1")
        assert why.outcome == {"pending": "pending", "refused": "refused"}.get(kind, "unavailable")


async def test_a_page_is_not_absent_where_a_status_alone_means_absent() -> None:
    more = OUTCOME + '[[offerings.outcomes]]\nstatus = 404\noutcome = "absent"\n'
    assert kinds(await fetch(written(BATCH, more=more), Recorder(b"<html>", 404))) == {"A": "malformed"}
    assert not (await fetch(written(BATCH, more=more), Recorder({}, 404))).faults


async def test_the_purpose_in_headers() -> None:
    head = '[connector.telling]\nheaders = { client = "X-Client", case = "X-Case", actor = "X-Actor" }'
    service = Recorder({"data": []})
    await fetch(written(BATCH, head, "per_call"), service, ("A", "B"), (TOLD,))
    sent = service.requests[0][0].headers
    assert sent["X-Client"] == "client-1"
    assert sent["X-Case"] == "%E6%B7%84%E5%AE%A1%E6%89%B9%E3%80%942026%E3%80%9512%E5%8F%B7 %25"
    assert sent["X-Actor"] == "officer 7"


async def test_the_purpose_of_each_key_in_the_body() -> None:
    text = written(BATCH.replace('"$keys"', '["$each", { k = "$key", c = "$case" }]'), tell="per_key")
    service = Recorder({"data": []})
    other = Telling("client-1", "x", "P-1", "case 2", "officer 7")
    await fetch(text, service, ("A", "B"), (TOLD, other))
    assert json.loads(service.requests[0][1])["keys"] == [{"k": "A", "c": CASE}, {"k": "B", "c": "case 2"}]


async def test_no_header_can_be_smuggled_in() -> None:
    head = '[connector.telling]\nheaders = { case = "X-Case" }'
    service = Recorder({"data": []})
    evil = Telling("c", "a", "p", "x\r\nX-Admin: 1", "o")
    await fetch(written(BATCH, head, "per_call"), service, ("A",), (evil,))
    assert service.requests[0][0].headers["X-Case"] == "x%0D%0AX-Admin: 1"
    assert "X-Admin" not in service.requests[0][0].headers


CREDENTIALS = """
[connector.credentials]
api_key = { header = "X-Api-Key", slot = "api_key", prefix = "Key " }
basic = { user = "hub", slot = "password" }
[connector.credentials.hmac]
slot = "hmac_key"
algorithm = "sha256"
encoding = "hex"
header = "X-Signature"
timestamp = { header = "X-Timestamp", form = "unix_ms" }
nonce = { header = "X-Nonce" }
signed = ["method", "path", "query", "timestamp", "nonce", "body_digest"]
separator = "\\n"
"""
SECRETS = {"api_key": "k-1", "password": "p-1", "hmac_key": "h-1"}


async def test_credentials() -> None:
    service = Recorder({"data": []})
    await fetch(written(BATCH, CREDENTIALS), service, secrets=SECRETS)
    request, body = service.requests[0]
    sent = request.headers
    assert sent["X-Api-Key"] == "Key k-1"
    assert sent["Authorization"] == "Basic aHViOnAtMQ=="
    assert sent["X-Timestamp"] == str(round(samples.now().timestamp() * 1000))
    parts = ["POST", "/api/q", "", sent["X-Timestamp"], sent["X-Nonce"], hashlib.sha256(body).hexdigest()]
    expected = hmac.new(b"h-1", "\n".join(parts).encode(), "sha256").hexdigest()
    assert sent["X-Signature"] == expected


@pytest.mark.parametrize("algorithm", ["sha384", "sha512", "sm3"])
async def test_other_digests_in_base64_over_the_body_itself(algorithm: str) -> None:
    head = (
        CREDENTIALS.replace("sha256", algorithm)
        .replace('"hex"', '"base64"')
        .replace('"body_digest"', '"body"')
    )
    service = Recorder({"data": []})
    await fetch(written(BATCH, head.replace("unix_ms", "iso")), service, secrets=SECRETS)
    request, body = service.requests[0]
    sent = request.headers
    assert sent["X-Timestamp"] == "2026-11-22T12:00:00.500Z"
    message = b"\n".join(
        [b"POST", b"/api/q", b"", sent["X-Timestamp"].encode(), sent["X-Nonce"].encode(), body]
    )
    digest = hmac.new(b"h-1", message, algorithm).digest()
    assert sent["X-Signature"] == __import__("base64").b64encode(digest).decode()


async def test_secrets_that_are_missing_are_named() -> None:
    manifest = samples.manifest(written(BATCH, CREDENTIALS).replace("PORT", "1"))
    with pytest.raises(SecretsMissing) as told:
        open_connector(manifest, samples.transport(), {"api_key": "k-1"}, samples.now)
    assert told.value.slots == {"password", "hmac_key"}
    assert "k-1" not in str(told.value)


@pytest.mark.parametrize(("status", "kind"), [(200, None), (204, None), (500, "failed"), (404, "failed")])
async def test_health(status: int, kind: str | None) -> None:
    service = Recorder({}, status)
    through = samples.transport()
    text = written(BATCH).replace('/api"', '/api"\nhealth = "/ping"')
    async with services.http(service) as port:
        why = await samples.opened(text.replace("PORT", str(port)), through).health(time.monotonic() + 1)
        reached = await samples.opened(written(BATCH).replace("PORT", str(port)), through).health(
            time.monotonic() + 1
        )
    gone = await samples.opened(written(BATCH).replace("PORT", str(port)), through).health(
        time.monotonic() + 1
    )
    await through.close()
    assert service.requests[0][0].path == "/api/ping"
    assert (None if why is None else why.kind) == kind
    assert reached is None
    assert gone is not None
    assert gone.kind == "unreachable"

"""Manifests: what a right one means, and that a wrong one tells every mistake at once and no value."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Tell
from connectors.documents import Format
from connectors.manifest import Manifest, Mistake, read
from connectors.manifest.model import Kind, Meaning, RestSource, SqlSource
from connectors.mapping import FieldRule, Text, Unpack
from tests.connectors import samples

REST = samples.rest("https://data.example.cn:8443/api")
SQL = samples.sql(5432, "market", "v_person")
GRAPHQL = samples.graphql("http://127.0.0.1:8313/graphql")


def mistakes(text: str) -> dict[str, str]:
    result = read(text)
    assert isinstance(result, tuple)
    return {mistake.path: mistake.expected for mistake in result}


def changed(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_a_right_manifest() -> None:
    manifest = samples.manifest(REST)
    (offered,) = manifest.offerings
    assert (manifest.id, manifest.kind, manifest.tell) == ("police-population", Kind.REST, Tell.NONE)
    assert offered.offering.columns == ("id_number", "name", "sex", "birth_date")
    assert offered.offering.freshness == timedelta(days=1)
    assert offered.offering.batch == 10
    assert offered.missing_is_absent
    assert isinstance(offered.source, RestSource)
    assert offered.source.body == {"keys": "$keys"}
    assert [rule.meaning for rule in offered.outcomes] == [
        Meaning.FOUND,
        Meaning.REFUSED,
        Meaning.FOUND,
        Meaning.ABSENT,
    ]
    assert manifest.limits.timeout == 2.0
    assert manifest.limits.repeatable == frozenset()
    assert manifest.credentials.slots() == frozenset()


def test_a_post_is_repeatable_only_when_declared() -> None:
    manifest = samples.manifest(changed(REST, ('method = "POST"', 'method = "POST"\nsafe = true')))
    assert manifest.limits.repeatable == {"person"}


def test_sql_and_graphql() -> None:
    sql, graphql = samples.manifest(SQL), samples.manifest(GRAPHQL)
    assert sql.offerings[0].source == SqlSource(("open", "v_person"), "sfzh")
    assert sql.credentials.slots() == {"password"}
    assert graphql.offerings[0].rows.path == ("data", "_entities")
    assert graphql.limits.repeatable == {"person"}


def test_unpacking_goes_with_any_form() -> None:
    text = changed(REST, ('name = "xm"', 'name = { path = "kz", json = "a.xm" }'))
    rule = samples.manifest(text).offerings[0].fields["name"]
    assert rule == FieldRule(("kz",), Text(), Unpack(Format.JSON, ("a", "xm")))


@pytest.mark.parametrize(
    ("text", "weeks", "seconds"),
    [("P2W", 2, 0), ("P1DT2H3M4S", 0, 86_400 + 7_384), ("PT0S", 0, 0), ("PT10M", 0, 600)],
)
def test_freshness(text: str, weeks: int, seconds: int) -> None:
    offering = samples.manifest(changed(REST, ("P1D", text))).offerings[0].offering
    assert offering.freshness == timedelta(weeks=weeks, seconds=seconds)


def test_every_mistake_is_told_at_once_with_its_path() -> None:
    text = changed(
        REST,
        ('id = "police-population"', 'id = "Police!"'),
        ("11370300004220030X", "12"),
        ('en = "Population"', "en = 5"),
        ("timeout_ms = 2000", "timeout_ms = 1\nretries = 3"),
        ("failures = 5", "failures = 0"),
        ('freshness = "P1D"', 'freshness = "daily"'),
        ("batch = 10", "batch = 100_000"),
        ('"1" = "1"', '"1" = 1'),
        ('date = "YYYYMMDD", partial = true', 'date = "MMDD", partial = true'),
        ('outcome = "found"', 'outcome = "fine"'),
        ('rows = "data"', "rows = 7"),
        ('path = "/people"', 'path = "people"'),
    )
    assert set(mistakes(text)) == {
        "connector.id",
        "connector.agency",
        "connector.name.en",
        "connector.limits.timeout_ms",
        "connector.limits.retries",
        "connector.limits.breaker.failures",
        "offerings[0].freshness",
        "offerings[0].batch",
        "offerings[0].fields.sex.codes.1",
        "offerings[0].fields.birth_date.date",
        "offerings[0].fields.birth_date.partial",
        "offerings[0].outcomes[0].outcome",
        "offerings[0].response.rows",
        "offerings[0].request.path",
    }


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (("/api", "/api?x=1"), "connector.address.url"),
        (("https://data", "https://user:secret@data"), "connector.address.url"),
        (("https://data", "file://data"), "connector.address.url"),
        ((":8443", ":99999"), "connector.address.url"),
        ((":8443", ":65536"), "connector.address.url"),
        ((":8443", ":0"), "connector.address.url"),
        (("data.example.cn", "[1::2::3]"), "connector.address.url"),
        (('path = "/people"', 'path = "//evil.example/people"'), "offerings[0].request.path"),
        (('path = "/people"', 'path = "/../people"'), "offerings[0].request.path"),
        (('path = "/people"', 'path = "/people/$key"'), "offerings[0].request.path"),
        (('path = "/people"', 'path = "/people/$all"'), "offerings[0].request.path"),
        (('body = { keys = "$keys" }', 'body = { keys = "$key" }'), "offerings[0].request.body"),
        (
            ('body = { keys = "$keys" }', 'body = { keys = "$keys", c = "$case" }'),
            "offerings[0].request.body",
        ),
        (
            ('body = { keys = "$keys" }', 'body = { keys = "$keys", x = "$eval" }'),
            "offerings[0].request.body",
        ),
        (('body = { keys = "$keys" }', 'body = { keys = "$keys", x = 1.5 }'), "offerings[0].request.body"),
        (('body = { keys = "$keys" }', 'body = { keys = "all" }'), "offerings[0].request"),
        (('method = "POST"', 'method = "DELETE"'), "offerings[0].request.method"),
        (('key = "sfzh"', ""), "offerings[0].response.key"),
        (('name = "xm"', 'id_number = "sfzh"'), "offerings[0].fields.id_number"),
        (('name = "xm"', 'Name = "xm"'), "offerings[0].fields.Name"),
        (('name = "xm"', 'name = "a..b"'), "offerings[0].fields.name"),
        (('name = "xm"', 'name = ["xm"]'), "offerings[0].fields.name"),
        (('"1" = "1", "2" = "2"', '"1" = "1", "2" = false'), "offerings[0].fields.sex.codes"),
        (('"1" = "1", "2" = "2"', ""), "offerings[0].fields.sex.codes"),
        (('name = "xm"', 'name = { path = "xm", python = "os" }'), "offerings[0].fields.name.python"),
        (
            ('name = "xm"', 'name = { path = "xm", number = true, boolean = true }'),
            "offerings[0].fields.name",
        ),
        (('name = "xm"', 'name = { path = "xm", json = "a", xml = "b" }'), "offerings[0].fields.name"),
        (('name = "xm"', 'name = { path = "xm", money = "yuan" }'), "offerings[0].fields.name.money"),
        (
            ('name = "xm"', 'name = { path = "xm", mask = { first = -1 } }'),
            "offerings[0].fields.name.mask.first",
        ),
        (
            ('name = "xm"', 'name = { path = "d", date = "iso", zone = "CST" }'),
            "offerings[0].fields.name.zone",
        ),
        (('tell = "none"', 'tell = "per_call"'), "connector.telling"),
        (("[connector.limits]", "[connector.secrets]\n[connector.limits]"), "connector.secrets"),
        (
            ("[connector.limits]", '[connector.credentials]\npassword = "hunter2"\n[connector.limits]'),
            "connector.credentials.password",
        ),
        (
            (
                "[connector.limits]",
                '[connector.credentials.api_key]\nheader = "Host"\nslot = "a"\n[connector.limits]',
            ),
            "connector.credentials.api_key.header",
        ),
        (
            (
                "[connector.limits]",
                '[connector.credentials.hmac]\nslot = "a"\nheader = "X"\nsigned = ["timestamp"]',
            ),
            "connector.credentials.hmac.timestamp",
        ),
        (('path = "zt"\nequals = "1"', 'path = "zt"'), "offerings[0].outcomes[0]"),
        (("status = 200\npath", "status = 99\npath"), "offerings[0].outcomes[2].status"),
        (("status = 200\npath", 'status = 200\ncode = "X"\npath'), "offerings[0].outcomes[2].code"),
        (('kind = "rest"', 'kind = "python"'), "connector.kind"),
    ],
)
def test_one_mistake(change: tuple[str, str], path: str) -> None:
    assert path in mistakes(changed(REST, change))


@pytest.mark.parametrize(
    ("text", "change", "path"),
    [
        (SQL, ('name = "open.v_person"', 'name = "open.v; drop table x"'), "offerings[0].view.name"),
        (SQL, ('key = "sfzh"', 'key = "sfzh = sfzh or"'), "offerings[0].view.key"),
        (SQL, ('name = "xm"', 'name = "a.b"'), "offerings[0].fields.name"),
        (
            SQL,
            ('freshness = "P1D"', 'freshness = "P1D"\nas_of = { path = "t", date = "iso" }'),
            "offerings[0].as_of.row",
        ),
        (SQL, ("row = true", "row = false"), "offerings[0].outcomes[0].row"),
        (SQL, ("password = {", "api_key = {"), "connector.credentials.api_key"),
        (GRAPHQL, ('typename = "Person"', 'typename = "Person { x }"'), "offerings[0].entity.typename"),
        (GRAPHQL, ('name = "xm"', 'name = "xm } evil {"'), "offerings[0].fields.name"),
        (GRAPHQL, ("[offerings.entity]", "[offerings.query]\n[offerings.entity]"), "offerings[0]"),
        (GRAPHQL, ('code = "FORBIDDEN"', "status = 403"), "offerings[0].outcomes[2].code"),
    ],
)
def test_one_mistake_of_other_kinds(text: str, change: tuple[str, str], path: str) -> None:
    assert path in mistakes(changed(text, change))


def test_names_are_given_once() -> None:
    second = REST[REST.index("[[offerings]]") :]
    assert mistakes(REST + second)["offerings"] == "each record by each key once"
    assert "offerings" not in mistakes(
        REST + second.replace('record = "person"', 'record = "x"').replace('name = "person"', 'name = "Q"')
    )


def test_per_key_needs_a_place_for_each_key() -> None:
    telling = '[connector.telling]\nheaders = { case = "X-Case" }\n[connector.limits]'
    text = changed(REST, ('tell = "none"', 'tell = "per_key"'), ("[connector.limits]", telling))
    assert "connector.telling" in mistakes(text)
    assert isinstance(read(text.replace("batch = 10", "batch = 1")), Manifest)
    each = changed(
        REST, ('tell = "none"', 'tell = "per_key"'), ('"$keys"', '["$each", { k = "$key", c = "$case" }]')
    )
    assert isinstance(read(each), Manifest)
    outside = changed(each, ('{ k = "$key", c = "$case" }]', '"$key"], c = "$case"'))
    assert "offerings[0].request.body" in mistakes(outside)


def test_no_value_is_told() -> None:
    secret = "s3cr3t-value"
    broken = changed(
        REST,
        ('id = "police-population"', f'id = "{secret}!"'),
        ("https://data", f"https://u:{secret}@data"),
        ('freshness = "P1D"', f'freshness = "{secret}"'),
    )
    told = read(broken)
    assert isinstance(told, tuple)
    assert len(told) == 3
    assert secret not in repr(told)


def test_not_toml() -> None:
    secret = "s3cr3t"
    assert read("[connector]\nid = =") == (Mistake("", "TOML: not readable at line 2, column 6"),)
    assert secret not in repr(read(f'[connector]\nid = "x"\nid = "{secret}"'))
    assert secret not in repr(read(f"[connector]\nid = {secret}"))
    assert isinstance(read("x = " + "[" * 100_000), tuple)
    assert read("x" * 300_000) == (Mistake("", "at most 262144 characters"),)


def test_nothing_at_all_tells_what_is_needed() -> None:
    assert {"connector", "offerings"} <= set(mistakes(""))


PIECES = st.sampled_from(
    [
        "[connector]",
        "[[offerings]]",
        "kind = 'sql'",
        "fields = 3",
        "batch = 1",
        "name = {}",
        "[offerings.fields]",
        "x = { date = 3 }",
        "[[offerings.outcomes]]",
        "telling = []",
    ]
)


@given(st.lists(PIECES, max_size=8).map("\n".join) | st.text(max_size=40))
def test_reading_never_raises(text: str) -> None:
    result = read(text)
    assert isinstance(result, tuple)
    assert result


def test_the_demos_manifests_are_right() -> None:
    folder = Path(__file__).parents[2] / "hub" / "demo" / "manifests"
    for path in folder.glob("*.toml"):
        assert isinstance(read(path.read_text()), Manifest), (path.name, read(path.read_text()))

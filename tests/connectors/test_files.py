"""What a file becomes: rows that fit, or reasons with line and column, however it is written or broken."""

from __future__ import annotations

import io
import re
import tracemalloc
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from connectors.contract import Form
from connectors.dates import CHINA, DateForm, compile_date, written
from connectors.files_control import read_control
from connectors.files_reasons import Bad, BadRows, Reason
from connectors.files_rows import read_rows
from connectors.files_tables import LINE_LONGEST
from connectors.manifest import Manifest, read
from tests.connectors import files_samples as samples
from tests.connectors.files_samples import ANNA, BERTA, HEAD, ROWS

FOUND = [(2, ANNA, (ANNA, "王安娜", "2", "1949-12-31")), (3, BERTA, (BERTA, "欧阳·贝", "1", "1991-01-01"))]
GB18030 = samples.manifest(a='format = "csv"|format = "csv"\nencoding = "gb18030"')
SEMICOLON = samples.manifest(a='format = "csv"|format = "csv"\nseparator = ";"')
WORKBOOK = samples.xlsx_manifest()
AS_OF = "[offerings.as_of]\npath = 'x'\ndate = 'iso'"
BUSY = "[[offerings.outcomes]]\nrow = true\npath = 'x'\nequals = '1'\noutcome = 'busy'"
LINES = samples.manifest(a='format = "csv"|format = "jsonl"')


def reasons(declared: Manifest, content: bytes) -> list[Bad]:
    """What is wrong with a file."""
    return list(samples.read_all(declared, content)[1].first)


def line(*cells: str) -> bytes:
    return samples.csv([cells])


@pytest.mark.parametrize(
    ("declared", "content"),
    [
        (samples.manifest(), samples.csv()),
        (samples.manifest(), b"\xef\xbb\xbf" + samples.csv()),
        (samples.manifest(), samples.csv().replace(b"\r\n", b"\n").rstrip()),
        (samples.manifest(), samples.csv().replace("王安娜".encode(), '"王安娜"'.encode())),
        (samples.manifest(), samples.csv() + b"\r\n,,,\r\n \r\n"),
        (GB18030, samples.csv(encoding="gb18030")),
        (
            samples.manifest(a='format = "csv"|format = "csv"\nseparator = ";"'),
            samples.csv().replace(b",", b";"),
        ),
    ],
)
def test_csv_as_agencies_write_it(declared: Manifest, content: bytes) -> None:
    rows, bad = samples.read_all(declared, content)
    assert (rows, bad.total) == (FOUND, 0)


def test_json_lines_and_workbooks_give_the_same_rows() -> None:
    lines = [f'{{"证件号码": "{a}", "姓名": "{b}", "性别": "{c}", "出生日期": "{d}"}}' for a, b, c, d in ROWS]
    rows, _ = samples.read_all(LINES, "\n".join(lines).encode())
    assert [row.content for row in rows] == [row[2] for row in FOUND]
    assert samples.read_all(samples.xlsx_manifest(), samples.xlsx([HEAD, *ROWS]))[0] == FOUND


def test_titles_above_the_header_are_passed_over() -> None:
    declared = samples.xlsx_manifest("\nheader = 3")
    rows, _ = samples.read_all(declared, samples.xlsx([["社保缴费情况"], [], HEAD, *ROWS]))
    assert [row.line for row in rows] == [4, 5]
    declared = samples.manifest(a='format = "csv"|format = "csv"\nheader = 2')
    assert len(samples.read_all(declared, "社保\n".encode() + samples.csv())[0]) == 2


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-2+3", "@SUM(A1)", "=cmd|'/c calc'!A0", "=HYPERLINK(0)"])
def test_a_formula_in_csv_is_a_text(formula: str) -> None:
    rows, bad = samples.read_all(samples.manifest(), line(ANNA, formula, "2", "1949/12/31"))
    assert bad.total == 0
    assert isinstance(rows[0].content, tuple)
    assert rows[0].content[1] == formula


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", [Bad(Reason.EMPTY)]),
        (line(ANNA, "a"), [Bad(Reason.RAGGED, 2)]),
        (line(ANNA, "a", "1", "1949/1/1", ""), [Bad(Reason.RAGGED, 2)]),
        (line("", "a", "1", "1949/1/1"), [Bad(Reason.KEY_MISSING, 2, "证件号码")]),
        (line(ANNA, "a", "7", "1949/1/1"), [Bad(Reason.FORM, 2, "性别")]),
        (line(ANNA, "a", "7", "x"), [Bad(Reason.FORM, 2, "性别"), Bad(Reason.FORM, 2, "出生日期")]),
        (line("1.10105E+17", "a", "1", "1949/1/1"), [Bad(Reason.AS_NUMBER, 2, "证件号码")]),
        (line(ANNA, "3.70303E+17", "1", "1949/1/1"), [Bad(Reason.AS_NUMBER, 2, "姓名")]),
        (line(ANNA, "a\0b", "1", "1949/1/1"), [Bad(Reason.NUL, 2)]),
        (line(ANNA, '"a"b', "1", "1949/1/1") + samples.csv()[-40:], [Bad(Reason.QUOTE, 2)]),
        (line(ANNA, '"a', "1", "1949/1/1"), [Bad(Reason.QUOTE, 2)]),
        (samples.csv(encoding="gb18030"), [Bad(Reason.ENCODING, 1)]),
        (samples.csv(encoding="utf-16"), None),
        (samples.csv(head=("证件号码", "姓名", "姓名", "出生日期")), None),
        (samples.csv(head=("ID", "姓名", "性别", "出生日期")), [Bad(Reason.COLUMN_MISSING, 1, "证件号码")]),
        (line(ANNA, "字" * 100_001, "1", "1949/1/1"), [Bad(Reason.TOO_LONG, 2, "姓名")]),
        (b"x" * (LINE_LONGEST * 2) + b"\n", None),
        (bytes(range(256)) * 20, None),
    ],
)
def test_what_is_wrong_is_told_with_line_and_column(content: bytes, expected: list[Bad] | None) -> None:
    told = reasons(samples.manifest(), content)
    assert told
    assert expected is None or told[: len(expected)] == expected


def test_gb18030_that_is_utf8_with_a_mark_is_told() -> None:
    assert Reason.ENCODING in {bad.reason for bad in reasons(GB18030, b"\xef\xbb\xbf" + samples.csv())}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"证件号码": 110105194912310020}', Reason.AS_NUMBER),
        ('{"证件号码": {}}', Reason.FORM),
        ("[]", Reason.NOT_JSON),
        ('{"a"', Reason.NOT_JSON),
        ("{" + '"a":{' * 5000, Reason.NOT_JSON),
        (f'{{"证件号码": "{ANNA}", "姓名": "a\\u0000"}}', Reason.NUL),
        (f'{{"证件号码": "{ANNA}", "姓名": 12}}', Reason.AS_NUMBER),
    ],
)
def test_what_is_wrong_in_json_lines(text: str, reason: Reason) -> None:
    assert [bad.reason for bad in reasons(LINES, text.encode())] == [reason]


def test_numbers_in_a_workbook_are_not_taken_for_texts() -> None:
    sheet = samples.xlsx([HEAD, (110105194912310020.0, "a", "1", "1949/1/1"), (ANNA, 12.0, 1.0, "1949/1/1")])
    assert reasons(samples.xlsx_manifest(), sheet) == [
        Bad(Reason.AS_NUMBER, 2, "证件号码"),
        Bad(Reason.AS_NUMBER, 3, "姓名"),
    ], "a code without leading zeros may be a number"
    coded = samples.xlsx([HEAD, (ANNA, "a", 7.0, "1949/1/1")])
    assert reasons(samples.xlsx_manifest(), coded) == [Bad(Reason.AS_NUMBER, 2, "性别")]


def test_a_workbooks_own_dates_are_dates() -> None:
    styled = samples.parts(samples.sheet([HEAD, (ANNA, "a", "1", 18264.0)]).replace('r="D2"', 'r="D2" s="1"'))
    styled["xl/styles.xml"] = (
        f'<styleSheet xmlns="{samples.MAIN}"><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
        "</styleSheet>"
    )
    styled["xl/_rels/workbook.xml.rels"] = styled["xl/_rels/workbook.xml.rels"].replace(
        "</Relationships>",
        f'<Relationship Id="r2" Type="{samples.RELATIONS}/styles" Target="styles.xml"/></Relationships>',
    )
    rows, bad = samples.read_all(samples.xlsx_manifest(), samples.zipped(styled))
    assert bad.total == 0
    assert isinstance(rows[0].content, tuple)
    assert rows[0].content[3] == "1950-01-01"


def far(reference: str) -> bytes:
    sheet = samples.sheet([HEAD])
    digits = "".join(filter(str.isdigit, reference))
    cell = f'<row r="{digits}"><c r="{reference}"><v>1</v></c></row></sheetData>'
    return samples.zipped(samples.parts(sheet.replace("</sheetData>", cell)))


BOMB = samples.parts(samples.sheet([HEAD]))
ENTITIES = BOMB | {
    "xl/worksheets/sheet1.xml": '<!DOCTYPE a [<!ENTITY b "c">]>' + samples.sheet([HEAD]),
}


def claiming(size: int) -> bytes:
    """A workbook with a part of 5 MB whose size is said to be another."""
    content = samples.zipped(BOMB | {"xl/big.xml": "<a>" + " " * 5_000_000 + "</a>"})
    assert content.count((5_000_007).to_bytes(4, "little")) == 2
    return content.replace((5_000_007).to_bytes(4, "little"), size.to_bytes(4, "little"))


HOSTILE = {
    "empty": (b"", Reason.NOT_XLSX),
    "no archive": (b"PK\x03\x04" + b"x" * 100, Reason.NOT_XLSX),
    "csv": (samples.csv(), Reason.NOT_XLSX),
    "no workbook": (samples.zipped({"a": "b"}), Reason.NOT_XLSX),
    "cut off": (samples.xlsx([HEAD])[:-30], Reason.NOT_XLSX),
    "entities": (samples.zipped(ENTITIES), Reason.NOT_XLSX),
    "a sheet that is not measured": (
        samples.zipped(samples.parts(samples.sheet([HEAD]), "worksheets/sheet1.bin")),
        Reason.NOT_XLSX,
    ),
    "two parts of one name": (samples.zipped(BOMB | {"XL/WORKSHEETS/SHEET1.XML": "<a/>"}), Reason.NOT_XLSX),
    "broken": (samples.zipped(BOMB | {"xl/worksheets/sheet1.xml": "<worksheet><c>"}), Reason.NOT_XLSX),
    "unpacks to 2 GB": (claiming(2_000_000_000), Reason.UNPACKED),
    "a cell far out": (far("XFD1048576"), Reason.UNPACKED),
    "a cell beyond all": (far("ZZZ9999999"), Reason.UNPACKED),
    "no cell": (far("A0x"), Reason.NOT_XLSX),
    "many parts": (samples.zipped(BOMB | {f"a{number}": "" for number in range(2_001)}), Reason.UNPACKED),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_would_unpack_to_too_much_is_not_unpacked(name: str) -> None:
    content, reason = HOSTILE[name]
    tracemalloc.start()
    told = reasons(WORKBOOK, content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert [bad.reason for bad in told] == [reason]
    assert peak < 60_000_000


def test_a_directory_that_lies_about_sizes_is_found_out() -> None:
    assert [bad.reason for bad in reasons(samples.xlsx_manifest(), claiming(100))] == [Reason.NOT_XLSX]


def test_a_missing_sheet_is_told() -> None:
    declared = samples.xlsx_manifest('\nsheet = "汇总"')
    assert reasons(declared, samples.xlsx([HEAD, *ROWS])) == [Bad(Reason.SHEET_MISSING)]


def test_quotes_that_never_end_cost_no_memory() -> None:
    content = samples.csv() + b'"' + b"x,y\n" * 50_000
    tracemalloc.start()
    told = reasons(samples.manifest(), content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told[0] == Bad(Reason.QUOTE, 4)
    assert peak < 4_000_000


def test_more_rows_than_declared_are_not_read_to_the_end() -> None:
    declared = samples.manifest(a='format = "csv"|format = "csv"\nmax_rows = 1')
    assert reasons(declared, samples.csv()) == [Bad(Reason.TOO_MANY_ROWS, 3)]


@given(
    st.binary(max_size=300), st.sampled_from([samples.manifest(), GB18030, LINES, samples.xlsx_manifest()])
)
def test_any_bytes_are_rows_or_reasons(content: bytes, declared: Manifest) -> None:
    rows, bad = samples.read_all(declared, content)
    assert rows == [] or bad.total >= 0
    rows, bad = samples.read_all(declared, samples.csv() + content)
    assert all(one.line > 0 for one in bad.first if one.line is not None)


@given(
    st.datetimes(),
    st.sampled_from(["iso", "YYYYMMDD", "YYYY年M月D日", "YYYY-MM-DD hh:mm:ss", "unix_ms"]),
)
def test_a_workbooks_date_is_read_as_it_is_written(moment: datetime, form: str) -> None:
    assume(2 < moment.year < 9998)
    declared = DateForm(form, zone=CHINA)
    assert compile_date(declared)(written(moment, declared)) == moment.date().isoformat()


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('name = "shebao-*.csv"', 'name = "../x.csv"', "offerings[0].file.name"),
        ('name = "shebao-*.csv"', 'name = "/etc/passwd"', "offerings[0].file.name"),
        ('name = "shebao-*.csv"', 'name = ".hidden"', "offerings[0].file.name"),
        ('format = "csv"', 'format = "xls"', "offerings[0].file.format"),
        ('format = "csv"', 'format = "csv"\nshrink = "20"', "offerings[0].file.shrink"),
        ('format = "csv"', 'format = "csv"\ntolerance = "P1D"', "offerings[0].file.tolerance"),
        ('format = "csv"', 'format = "csv"\nevery = "weekly"', "offerings[0].file.every"),
        ('format = "csv"', 'format = "csv"\nsheet = "a"', "offerings[0].file.sheet"),
        ('key = "证件号码"', 'key = "a.b"', "offerings[0].file.key"),
        ('name = "姓名"', 'name = "a.b"', "offerings[0].fields.name"),
        ('kind = "files"', 'kind = "files"\ntell = "per_call"', "connector.tell"),
        ("[[offerings]]", "[connector.address]\nurl = 'http://a'\n[[offerings]]", "connector.address"),
        ("[[offerings]]", "[connector.credentials]\n[[offerings]]", "connector.credentials"),
        (
            "[offerings.fields]",
            "[offerings.as_of]\npath = 'x'\ndate = 'iso'\n[offerings.fields]",
            "offerings[0].as_of",
        ),
        (
            "[offerings.fields]",
            "[[offerings.outcomes]]\nstatus = 404\noutcome = 'absent'\n[offerings.fields]",
            "offerings[0].outcomes[0].row",
        ),
        (
            "[offerings.fields]",
            f"{BUSY}\n[offerings.fields]",
            "offerings[0].outcomes[0].outcome",
        ),
    ],
)
def test_a_mistake_in_the_manifest_is_told_with_its_path(old: str, new: str, path: str) -> None:
    assert old in samples.MANIFEST
    told = read(samples.MANIFEST.replace(old, new, 1))
    assert isinstance(told, tuple)
    assert path in [mistake.path for mistake in told]


def test_what_it_offers_is_described_like_any_other() -> None:
    offering = samples.manifest().offerings[0].offering
    assert offering.columns == ("id_number", "name", "sex", "birth_date")
    assert offering.forms["sex"] is Form.CODE


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"x" * 20_000,
        b"\xff",
        b"file = 1",
        b'file="a"\nsha256="x"\nrows=1\nas_of=2026-01-01',
        b"[" * 5000,
    ],
)
def test_what_is_no_control_file(text: bytes) -> None:
    assert read_control(text) is None


def test_a_huge_file_streams() -> None:
    """Lines are made as they are read: what is held at once is one of them."""

    class Endless(io.RawIOBase):
        def __init__(self) -> None:
            self.left = 12_000

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            row = f"{ANNA},王,1,1949/1/1\n".encode() if self.left < 12_000 else samples.csv([])
            self.left -= 1
            buffer[: len(row)] = row
            return len(row) if self.left > 0 else 0

    stream = io.BufferedReader(Endless())
    tracemalloc.start()
    count = sum(
        1 for _ in read_rows(stream, *samples.offered(samples.manifest()), lambda key: key, BadRows())
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count > 10_000
    assert peak < 3_000_000


@pytest.mark.parametrize("page", ["connect-an-agency.md", "connect-an-agency.zh.md"])
def test_what_the_manual_shows_is_read(page: str) -> None:
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    section = re.split(r"^## (?:Files|文件)$", text, flags=re.MULTILINE)[1].split("\n## ")[0]
    shown, control = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    declared = read(shown)
    assert isinstance(declared, Manifest), declared
    assert read_control(control.replace("…", "0" * 64).encode()) is not None
    keys = {
        name for row in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for name in row.split("`")[1::2]
    }
    assert keys - {"[offerings.file]"} == {
        "name", "format", "key", "encoding", "separator", "sheet", "header", "every", "tolerance", "shrink",
        "control", "max_rows", "max_bytes",
    }  # fmt: skip

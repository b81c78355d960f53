"""A manifest of files for tests, files as agencies would write them, and workbooks made by hand."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from connectors.files_reasons import BadRows
from connectors.files_rows import FileRow, read_rows
from connectors.manifest import Manifest, read
from connectors.manifest.model import FileSource, Offered

MANIFEST = """
[connector]
id = "hr-insurance"
agency = "11370300004220030X"
kind = "files"
name = { zh = "社会保险", en = "Social insurance" }

[[offerings]]
name = "insurance"
record = "person"
key = "id_number"
freshness = "P1D"
absent = "missing"

[offerings.file]
name = "shebao-*.csv"
format = "csv"
key = "证件号码"

[offerings.fields]
name = "姓名"
sex = { path = "性别", codes = { "1" = "1", "2" = "2" } }
birth_date = { path = "出生日期", date = "YYYY/M/D" }
"""
HEAD = ("证件号码", "姓名", "性别", "出生日期")
ANNA, BERTA = "11010519491231002X", "360426199101010071"
ROWS = ((ANNA, "王安娜", "2", "1949/12/31"), (BERTA, "欧阳·贝", "1", "1991/1/1"))

TYPES = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/'
    'content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.'
    'relationships+xml"/><Default Extension="xml" ContentType="application/xml"/></Types>'
)
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def manifest(**changed: str) -> Manifest:
    """The manifest with texts replaced: each keyword's value is ``old|new``."""
    text = MANIFEST
    for change in changed.values():
        old, _, new = change.partition("|")
        assert old in text, old
        text = text.replace(old, new)
    declared = read(text)
    assert isinstance(declared, Manifest), declared
    return declared


def offered(declared: Manifest) -> tuple[Offered, FileSource]:
    """Its only offering."""
    one = declared.offerings[0]
    assert isinstance(one.source, FileSource)
    return one, one.source


def xlsx_manifest(more: str = "") -> Manifest:
    """The same as a workbook."""
    return manifest(a='"shebao-*.csv"|"shebao-*.xlsx"', b=f'format = "csv"|format = "xlsx"{more}')


def read_all(declared: Manifest, content: bytes) -> tuple[list[FileRow], BadRows]:
    """What a file becomes."""
    bad = BadRows()
    return list(read_rows(io.BytesIO(content), *offered(declared), lambda key: key, bad)), bad


def csv(rows: Sequence[Sequence[str]] = ROWS, head: Sequence[str] = HEAD, encoding: str = "utf-8") -> bytes:
    """Lines of cells, nothing quoted."""
    return "".join(",".join(row) + "\r\n" for row in (head, *rows)).encode(encoding)


def cell(value: object, reference: str) -> str:
    """One cell; a text stands inline."""
    if isinstance(value, str):
        return f'<c r="{reference}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{reference}"><v>{value!r}</v></c>'


def sheet(rows: Sequence[Sequence[object]]) -> str:
    """A worksheet's XML."""
    lines = (
        f'<row r="{line}">'
        + "".join(cell(value, f"{chr(65 + column)}{line}") for column, value in enumerate(row))
        + "</row>"
        for line, row in enumerate(rows, 1)
    )
    return f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'


def parts(worksheet: str, target: str = "worksheets/sheet1.xml") -> dict[str, str]:
    """What a workbook with one sheet consists of."""
    return {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" Type="{RELATIONS}/'
        'officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r1" Type='
        f'"{RELATIONS}/worksheet" Target="{target}"/></Relationships>',
        f"xl/{target}": worksheet,
    }


def zipped(content: Mapping[str, str | bytes]) -> bytes:
    """The parts as one file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in content.items():
            archive.writestr(name, text)
    return made.getvalue()


def xlsx(rows: Sequence[Sequence[object]]) -> bytes:
    """A workbook with one sheet."""
    return zipped(parts(sheet(rows)))

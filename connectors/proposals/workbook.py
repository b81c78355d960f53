"""Opens an XLSX workbook for its sheets, after it has been measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from python_calamine import CalamineSheet, load_workbook

from connectors.files_reasons import Reason as FileReason
from connectors.files_xlsx import WORKBOOK_FAILURES, Unbearable, measure
from connectors.proposals.model import Reason, Refusal

SHEETS = 20
ROWS = 2_100
Rows = Iterator[tuple[int, Sequence[object]]]


def tables_of(file: Path) -> list[tuple[str, Rows]] | Refusal:
    """The sheets with their rows, numbered from 1; formulas give the values that are stored with them."""
    try:
        with file.open("rb") as stream:
            measure(stream)
            book = load_workbook(stream)
            names = book.sheet_names[:SHEETS]
            return [(name, _numbered(book.get_sheet_by_name(name))) for name in names]
    except Unbearable as unbearable:
        too_far = unbearable.reason is FileReason.UNPACKED
        return Refusal(Reason.UNPACKS_TOO_FAR if too_far else Reason.NOT_A_WORKBOOK)
    except WORKBOOK_FAILURES:
        return Refusal(Reason.NOT_A_WORKBOOK)


def _numbered(sheet: CalamineSheet) -> Rows:
    above = sheet.start[0] if sheet.start else 0
    rows = islice(sheet.iter_rows(), ROWS) if sheet.start else iter(())
    return iter([(line, list(cells)) for line, cells in enumerate(rows, above + 1)])

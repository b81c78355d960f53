"""A sheet of evidence types becomes record types, or every mistake in it is told with its place."""

from __future__ import annotations

import pytest

from hub.catalogue.model import FieldCode, FieldType, RecordType, Sensitivity
from hub.catalogue.rules import EVERY_EVIDENCE, read_record_types
from hub.kernel.errors import Problem

SHEET = """
[records.social_insurance]
kind = "evidence"
name = { zh = "社会保险参保记录", en = "Social insurance record" }
holders = ["111"]
sharing = "conditional"
legal_basis = "《社会保险法》第七十四条"
sensitivity = "personal"
[records.social_insurance.fields.months_paid]
type = "number"
name = { zh = "累计缴费月数", en = "Months paid" }
unit = "mon"
sensitivity = "sensitive"
[records.social_insurance.fields.kind_of_cover]
type = "code"
name = { zh = "险种", en = "Kind of cover" }
codes = { "养老" = { zh = "养老保险", en = "Pension" } }
"""


def one(text: str) -> RecordType:
    (record,) = read_record_types(text)
    assert isinstance(record, RecordType), record
    return record


def paths(text: str) -> list[str]:
    found = read_record_types(text)
    assert all(isinstance(problem, Problem) for problem in found), found
    return [problem.detail["path"] for problem in found if isinstance(problem, Problem)]


def test_a_sheet_becomes_a_type_with_the_fields_that_all_have() -> None:
    record = one(SHEET)
    assert set(record.fields) == {*EVERY_EVIDENCE, "months_paid", "kind_of_cover"}
    months = record.fields[FieldCode("months_paid")]
    assert (months.type, months.unit, months.sensitivity) == (
        FieldType.NUMBER,
        "mon",
        Sensitivity.SENSITIVE,
    )
    assert record.fields[FieldCode("status")].codes
    assert record.fields[FieldCode("holder_name")].sensitivity is Sensitivity.PERSONAL


def test_every_mistake_is_told_at_once() -> None:
    wrong = SHEET.replace('sharing = "conditional"', 'sharing = "perhaps"') + SHEET.replace(
        "social_insurance", "second"
    ).replace('"number"', '"magic"').replace('zh = "险种", ', "")
    assert paths(wrong) == [
        "records.social_insurance.sharing",
        "records.second.fields.months_paid.type",
        "records.second.fields.kind_of_cover.name",
    ]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('kind = "evidence"', 'kind = "base"', "records.social_insurance.kind"),
        (
            'legal_basis = "《社会保险法》第七十四条"',
            'legal_basis = ""',
            "records.social_insurance.legal_basis",
        ),
        ('holders = ["111"]', 'holders = ["999"]', "records.social_insurance.holders[0]"),
        ("fields.months_paid]", "fields.holder]", "records.social_insurance.fields.holder"),
        ("fields.months_paid]", "fields.__proto__]", "record_type.social_insurance"),
        ("fields.months_paid]", "fields._entities]", "record_type.social_insurance"),
        ("[records.social_insurance", '[records."Social Insurance"', "record_type.Social Insurance"),
        ('type = "number"', 'type = "text"', "records.social_insurance.fields.months_paid.unit"),
        ('type = "code"', 'type = "text"', "records.social_insurance.fields.kind_of_cover.codes"),
        ('unit = "mon"', 'colour = "red"', "records.social_insurance.fields.months_paid"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(old: str, new: str, path: str) -> None:
    assert path in paths(SHEET.replace(old, new))


@pytest.mark.parametrize("text", ["", "x", "[records]", "a = 1", "records = 5", "#" * 600_000])
def test_nonsense(text: str) -> None:
    assert len(paths(text)) == 1


def test_ten_thousand_fields_are_too_many() -> None:
    field = '[records.social_insurance.fields.f{}]\ntype = "text"\nname = {{ zh = "甲", en = "A" }}\n'
    assert paths(SHEET + "".join(map(field.format, range(3_000)))) == ["records.social_insurance.fields"]

"""Sample spreadsheets: what their columns are taken for, and what never leaves them."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.contract import Form
from connectors.proposals.guess import EVERY_EVIDENCE
from connectors.proposals.model import Findings, Note, Reason, Refusal
from connectors.proposals.sheets import read_csv, read_xlsx
from hub.catalogue import rules
from tests.connectors import files_samples
from tests.connectors.proposals.proposing import WORDS, accepted, fields, proposal, record

ANNA, BERTA = files_samples.ANNA, files_samples.BERTA
HEAD = "sfzh,xm,csrq,xb,参保单位,险种,累计缴费月数,缴费基数,yxqz,zt,手机号,是否特殊工种,未知事项"
ROWS = [
    f"{ANNA},王安娜,19491231,2,甲公司,养老,120,4300.50,2030-01-01,有效,13900001111,是,丙丁{number}"
    for number in range(5)
] + [
    f"{BERTA},欧阳贝,19910101,1,乙公司,失业,3,5000,2031-12-31,注销,13900002222,否,戊己{number}"
    for number in range(5)
]
CSV = "\n".join([HEAD, *ROWS])


def found_in(tmp_path: Path, text: str | bytes, name: str = "insurance.csv") -> Findings | Refusal:
    file = tmp_path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_xlsx(file) if name.endswith("xlsx") else read_csv(file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_columns_are_recognised_by_names_initials_and_values(tmp_path: Path, encoding: str) -> None:
    made = proposal(found_in(tmp_path, CSV.encode(encoding)))
    assert fields(made) == {
        "holder_scheme": {"constant": "111"},
        "holder_name": "xm",
        "birth_date": {"path": "csrq", "date": "YYYYMMDD"},
        "sex": {"path": "xb", "codes": {"1": "1", "2": "2"}},
        "employer_name": "参保单位",
        "insurance_type": {"path": "险种", "codes": {"养老": "养老", "失业": "失业"}},
        "months_paid": {"path": "累计缴费月数", "number": True},
        "payment_base": {"path": "缴费基数", "money": "CNY"},
        "valid_until": {"path": "yxqz", "date": "iso"},
        "status": {"path": "zt", "codes": {"有效": "01", "注销": "04"}},
        "phone": "手机号",
        "field_12": {"path": "是否特殊工种", "codes": {"否": False, "是": True}},
        "field_13": "未知事项",
    }
    manifest = accepted(made)
    (offered,) = manifest.offerings
    assert (offered.offering.key, offered.offering.many) == ("holder", True)
    assert offered.offering.forms["payment_base"] is Form.MONEY


def test_every_guess_is_marked_with_why(tmp_path: Path) -> None:
    made = proposal(found_in(tmp_path, CSV))
    lines = made.manifest.split("[offerings.fields]")[1].strip().splitlines()
    assert all("# ? <" in line for line in lines)
    why = {line.split(" = ")[0]: line.rpartition("# ?")[2].strip() for line in lines}
    assert why["holder_name"] == WORDS[Note.BY_INITIALS]
    assert why["months_paid"] == WORDS[Note.BY_NAME]
    assert WORDS[Note.UNKNOWN] in why["field_13"]


def test_no_value_of_the_sample_leaves_it_but_codes(tmp_path: Path) -> None:
    made = proposal(found_in(tmp_path, CSV))
    values = {
        ANNA,
        BERTA,
        "王安娜",
        "欧阳贝",
        "甲公司",
        "13900001111",
        "19491231",
        "4300.50",
        "丙丁1",
        "2030-01-01",
    }
    assert [value for value in values if value in made.manifest + made.sheet] == []


def test_few_names_are_not_taken_for_codes(tmp_path: Path) -> None:
    rows = [f"{ANNA},王安娜,1" if number % 2 else f"{BERTA},欧阳贝,2" for number in range(20)]
    made = proposal(found_in(tmp_path, "\n".join(["甲,乙,丙类", *rows])))
    assert "王安娜" not in made.manifest + made.sheet
    assert fields(made)["field_3"] == {"path": "丙类", "codes": {"1": "1", "2": "2"}}


def test_an_identifier_is_known_by_its_check_digit_alone(tmp_path: Path) -> None:
    uscc = "91350100M000100Y43\n91110000600037341L"
    made = proposal(found_in(tmp_path, f"a,b\n{uscc.split(maxsplit=1)[0]},x\n{uscc.split()[1]},y"))
    assert record(made)["holders"] == ["001"]
    assert 'key = "a"' in made.manifest


def test_names_that_are_no_fields_are_renamed(tmp_path: Path) -> None:
    head = "身份证号,__proto__,_entities,A b,aB,type,2nd,a.b,constructor"
    made = proposal(found_in(tmp_path, f"{head}\n{ANNA},1,2,3,4,5,6,7,8"))
    accepted(made)
    expected = {
        "field_proto",
        "field_entities",
        "a_b",
        "a_b_2",
        "field_type",
        "field_2nd",
        "field_constructor",
    }
    assert expected <= set(fields(made))
    renamed = [line for line in made.manifest.splitlines() if WORDS[Note.RENAMED] in line]
    assert len(renamed) == 6
    assert f"# ? {WORDS[Note.LEFT_OUT]} [a.b]" in made.manifest.splitlines()


def test_id_numbers_that_are_stored_as_numbers_are_told(tmp_path: Path) -> None:
    made = proposal(
        found_in(tmp_path, files_samples.xlsx([("身份证号", "姓名"), (1.10105194912310e17, "王")]), "a.xlsx")
    )
    assert made.digits_lost == ("身份证号",)
    assert WORDS[Note.DIGITS_LOST] in made.manifest
    made = proposal(found_in(tmp_path, "身份证号,姓名\n3.70302E+17,王"))
    assert made.digits_lost == ("身份证号",)


def test_a_workbook_with_a_title_above_its_header(tmp_path: Path) -> None:
    rows = [("社保名单",), ("身份证号", "姓名", "缴费月数"), (ANNA, "王安娜", 12), (BERTA, "欧阳贝", 3)]
    made = proposal(found_in(tmp_path, files_samples.xlsx(rows), "社保.xlsx"))
    assert fields(made)["months_paid"] == {"path": "缴费月数", "number": True}
    assert "header = 2" in made.manifest
    accepted(made)


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (f"{ANNA},王安娜\n{BERTA},欧阳贝", "a.csv", Reason.NO_HEADER),
        ("", "a.csv", Reason.NO_HEADER),
        (b"\x81\xff\xff,\xff", "a.csv", Reason.ENCODING),
        (b"a,b\0", "a.csv", Reason.ENCODING),
        ("身份证号,姓名", "a.xlsx", Reason.NOT_A_WORKBOOK),
        (files_samples.zipped({"xl/workbook.xml": "<x/>"}), "a.xlsx", Reason.NOT_A_WORKBOOK),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, content: str | bytes, name: str, reason: Reason) -> None:
    assert found_in(tmp_path, content, name) == Refusal(reason)


def test_a_workbook_that_unpacks_to_too_much_is_never_opened(tmp_path: Path) -> None:
    far = files_samples.sheet([("a", "b")]).replace('r="B1"', 'r="XFD1048576"')
    assert 'r="XFD1048576"' in far
    bomb = files_samples.zipped(files_samples.parts(far))
    assert found_in(tmp_path, bomb, "a.xlsx") == Refusal(Reason.UNPACKS_TOO_FAR)


def test_a_formula_is_a_text(tmp_path: Path) -> None:
    made = proposal(found_in(tmp_path, f'身份证号,"=1+1|cmd"\n{ANNA},=HYPERLINK("http://x")'))
    assert "HYPERLINK" not in made.manifest


def test_the_common_fields_are_those_of_the_catalogue() -> None:
    assert tuple(EVERY_EVIDENCE) == rules.EVERY_EVIDENCE

"""The bureau's table of cases decides what grants allow; each row has its legal basis."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from hub.audit.model import Actor, ActorKind, AgencyCode, CaseReference, ClientId, ProcedureCode, Purpose
from hub.catalogue.model import (
    Field,
    FieldCode,
    FieldType,
    Kind,
    Label,
    RecordCode,
    RecordType,
    Sensitivity,
    Sharing,
)
from hub.grants import rules
from hub.grants.model import Grant, Permit
from hub.kernel.errors import Code, Problem
from hub.subjects.model import Scheme

TABLE = tomllib.loads(Path(__file__).with_name("grants.toml").read_text("utf-8"))


def record(code: str, told: Mapping[str, Any]) -> RecordType:
    label = Label(told["name"], code)
    return RecordType(
        code=RecordCode(code),
        kind=Kind.EVIDENCE,
        name=label,
        standard=None,
        holders=(Scheme.RESIDENT_ID,),
        sharing=Sharing(told["sharing"]),
        legal_basis="政务数据共享条例",
        fields={
            FieldCode(field): Field(FieldCode(field), FieldType.TEXT, label, Sensitivity.PERSONAL)
            for field in told["fields"]
        },
    )


RECORDS = MappingProxyType({RecordCode(code): record(code, told) for code, told in TABLE["records"].items()})
GRANTS = MappingProxyType(
    {name: Grant(**{**told, "fields": frozenset(told["fields"])}) for name, told in TABLE["grants"].items()}
)


def purpose(case: Mapping[str, Any]) -> Purpose:
    return Purpose(
        ClientId("window"),
        AgencyCode(case.get("agency", "审批局")),
        ProcedureCode("开办药店"),
        CaseReference("淄审批〔2026〕12号"),
        Actor(ActorKind.OFFICER, "zhang"),
        (),
    )


def asked(case: Mapping[str, Any]) -> dict[RecordCode, frozenset[FieldCode]]:
    fields: defaultdict[RecordCode, set[FieldCode]] = defaultdict(set)
    for one in case["asks"]:
        name, _, field = one.partition(".")
        fields[RecordCode(name)].update([FieldCode(field)] if field else [])
    return {name: frozenset(some) for name, some in fields.items()}


@pytest.mark.parametrize("case", TABLE["cases"], ids=[case["what"] for case in TABLE["cases"]])
def test_case(case: Mapping[str, Any]) -> None:
    grants = [GRANTS[name] for name in case["grants"]]
    fields = asked(case)
    decided = rules.decide(purpose(case), fields, grants, RECORDS, case.get("now", TABLE["today"]))
    if case.get("permits"):
        assert decided == Permit(fields)
    else:
        detail = {name: case[name] for name in ("fields", "expired", "record") if name in case}
        assert decided == Problem(Code[case["refuses"]], detail)


def test_every_case_says_what_and_on_which_basis() -> None:
    assert all(case["what"] and case["basis"] for case in TABLE["cases"])
    assert len({case["what"] for case in TABLE["cases"]}) == len(TABLE["cases"])


def test_every_grant_of_the_table_is_used() -> None:
    assert {name for case in TABLE["cases"] for name in case["grants"]} == GRANTS.keys()

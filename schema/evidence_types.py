"""Makes one GraphQL object type of each evidence type in the catalogue, joined to the fixed interface."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from graphql import (
    GraphQLBoolean,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLString,
)
from strawberry.utils.str_converters import to_camel_case

from hub.catalogue.model import Field, FieldType, RecordType
from hub.catalogue.rules import EVERY_EVIDENCE
from schema.asks import ASKS, own
from schema.certificates import Certificate
from schema.forms import FACT, PLAIN, Amount, Coded, Division, Fact, FactForm, Listed
from schema.records import formed
from schema.words import both

TYPE_NAMES = {
    FieldType.DATE: "Date",
    FieldType.PARTIAL_DATE: "PartialDate",
    FieldType.MONEY: "Money",
    FieldType.NUMBER: "Decimal",
    FieldType.CODE: "CodedValue",
    FieldType.REGION: "Region",
    FieldType.RESIDENT_ID: "ResidentIdNumber",
    FieldType.USCC: "UnifiedSocialCreditCode",
}
"""Fixed types of the schema by field type; the others are built in."""


def type_name(code: str) -> str:
    """The GraphQL name of a record: ``drug_business_licence`` is ``DrugBusinessLicence``."""
    return "".join(part.capitalize() for part in code.split("_"))


def name_of_certificate(value: Certificate, _info: GraphQLResolveInfo[Any], _type: object) -> str:
    """The object type that a certificate has."""
    return type_name(value.evidence.code)


def evidence_object(
    record: RecordType, certificate: GraphQLInterfaceType, fixed: Mapping[str, GraphQLNamedType]
) -> GraphQLObjectType:
    """The object type of an evidence type: what every certificate has, and its own typed fields."""
    own_fields = {
        to_camel_case(field.code): _field(field, fixed)
        for field in record.fields.values()
        if field.code not in EVERY_EVIDENCE
    }
    return GraphQLObjectType(
        type_name(record.code),
        {**own_fields, **certificate.fields},
        interfaces=[certificate],
        description=both(f"{record.name.en}.", f"{record.name.zh}。"),
    )


def _field(field: Field, fixed: Mapping[str, GraphQLNamedType]) -> GraphQLField:
    fact = Fact(field.code, _form(field))
    return GraphQLField(
        _output(field.type, fixed),
        resolve=partial(_resolve, fact),
        description=both(f"{field.name.en}.", f"{field.name.zh}。"),
        extensions={ASKS: own(field.code), FACT: fact},
    )


def _form(field: Field) -> FactForm:
    match field.type:
        case FieldType.CODE:
            return Coded(field.codes or {})
        case FieldType.MONEY:
            return Amount()
        case FieldType.REGION:
            return Division()
        case FieldType.TEXTS:
            return Listed()
        case _:
            return PLAIN


def _resolve(fact: Fact, root: Certificate, _info: GraphQLResolveInfo[Any]) -> Any:
    return formed(fact.form, root, fact.code)


def _output(kind: FieldType, fixed: Mapping[str, GraphQLNamedType]) -> GraphQLOutputType:
    match kind:
        case FieldType.TEXT:
            return GraphQLString
        case FieldType.TEXTS:
            return GraphQLList(GraphQLNonNull(GraphQLString))
        case FieldType.BOOLEAN:
            return GraphQLBoolean
        case _:
            return cast(GraphQLOutputType, fixed[TYPE_NAMES[kind]])

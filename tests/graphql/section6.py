"""Cases for every rule of section 6, Execution, of the GraphQL specification (October 2021 and 2025)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.graphql.town import ACME, ANNA, BEN, NOBODY
from tests.properties.plan_town import BAKERY, CARL, CINEMA, DORA

Place = tuple[str, str, tuple[tuple[int, int], ...]]  # path, number, (line, column) of every field node


@dataclass(frozen=True)
class Case:
    """An operation and what the specification says comes of it. ``errors`` and a plan exclude each other."""

    query: str
    data: Any
    variables: Mapping[str, Any] = field(default_factory=dict)
    errors: tuple[Place, ...] = ()
    planned: bool = True


def of(number: str, selected: str, head: str = "") -> str:
    """An operation about one person."""
    return '%s{ person(idNumber: "%s") { %s } }' % (head, number, selected)


ANNA_NAME, ACME_NAME = "安娜·阿依古丽", "淄博安康药店"
VARIABLE = "query($id: ResidentIdNumber! = %s) { person(idNumber: $id) { name } }" % f'"{BEN}"'
NAMED = "query($id: ResidentIdNumber!, $name: String%s) { person(idNumber: $id, name: $name) { sex } }"

COLLECTING: dict[str, Case] = {
    "fields come in the order of the document, not of the contract": Case(
        of(ANNA, "sex name idNumber deceased"),
        {"person": {"sex": "FEMALE", "name": ANNA_NAME, "idNumber": ANNA, "deceased": False}},
    ),
    "a field named twice stands where it was first": Case(
        of(ANNA, "name sex name"), {"person": {"name": ANNA_NAME, "sex": "FEMALE"}}
    ),
    "an alias is the response key": Case(
        of(ANNA, "b: name a: name name"),
        {"person": {"b": ANNA_NAME, "a": ANNA_NAME, "name": ANNA_NAME}},
    ),
    "an alias may be another field's name": Case(
        of(ANNA, "name: sex sex: name"), {"person": {"name": "FEMALE", "sex": ANNA_NAME}}
    ),
    "selections below the same key merge, in the order of their first mention": Case(
        of(BEN, "region { code } name region { name code }"),
        {"person": {"region": {"code": "370302", "name": None}, "name": "本杰明"}},
    ),
    "roots of the same key merge": Case(
        '{ person(idNumber: "%s") { name } person(idNumber: "%s") { sex name } }' % (BEN, BEN),
        {"person": {"name": "本杰明", "sex": "MALE"}},
    ),
    "merging goes through fragments, on every level": Case(
        of(BEN, "...A ... on Person { businesses { uscc } }")
        + " fragment A on Person { businesses { name ...B } } fragment B on Business { status name }",
        {
            "person": {
                "businesses": [
                    {"name": ACME_NAME, "status": "ACTIVE", "uscc": ACME},
                    {"name": "面包房", "status": "ACTIVE", "uscc": BAKERY},
                ]
            }
        },
    ),
    "a fragment's fields stand where it is spread first": Case(
        of(BEN, "sex ...A deceased ...A") + " fragment A on Person { name idNumber }",
        {"person": {"sex": "MALE", "name": "本杰明", "idNumber": BEN, "deceased": False}},
    ),
    "inline fragments need no condition and nest": Case(
        of(BEN, "... { name ... on Person { sex ... { idNumber } } }"),
        {"person": {"name": "本杰明", "sex": "MALE", "idNumber": BEN}},
    ),
    "roots in a fragment on Query": Case(
        "{ ...Roots } fragment Roots on Query { a: __typename " + of(BEN, "name")[2:],
        {"a": "Query", "person": {"name": "本杰明"}},
    ),
    "typename of the root, an object, and behind an alias": Case(
        "{ __typename " + of(BEN, "name __typename kind: __typename")[2:],
        {"__typename": "Query", "person": {"name": "本杰明", "__typename": "Person", "kind": "Person"}},
    ),
    "fragments on an interface apply to each of its types, those on a type to that one": Case(
        '{ people(idNumbers: ["%s"]) { certificates(types: ["physician_practice", "drug_business_licence"]) '
        "{ ...Every ... on DrugBusinessLicence { scope } ... on PhysicianPractice { category } } } } "
        % ANNA
        + "fragment Every on Certificate { __typename number }",
        {
            "people": [
                {
                    "certificates": [
                        {"__typename": "PhysicianPractice", "number": "鲁P1", "category": "临床"},
                        {"__typename": "DrugBusinessLicence", "number": "鲁D1", "scope": []},
                    ]
                }
            ]
        },
    ),
    "an interface within a type, and a type within it": Case(
        of(
            ANNA,
            'certificates(types: ["physician_practice"]) { ... on PhysicianPractice { ... on Certificate '
            "{ number ... on PhysicianPractice { category } "
            "... on DrugBusinessLicence { grade { code } } } } }",
        ),
        {"person": {"certificates": [{"number": "鲁P1", "category": "临床"}]}},
    ),
    "fragments on a union's types, and on the union itself": Case(
        '{ _entities(representations: [{__typename: "Person", idNumber: "%s"}, '
        '{__typename: "Business", uscc: "%s"}]) { __typename ... on _Entity { ... on Person { name sex } } '
        "...Firm } } fragment Firm on Business { status name }" % (BEN, ACME),
        {
            "_entities": [
                {"__typename": "Person", "name": "本杰明", "sex": "MALE"},
                {"__typename": "Business", "status": "ACTIVE", "name": ACME_NAME},
            ]
        },
    ),
    "the same key may mean another field on another type": Case(
        '{ _entities(representations: [{__typename: "Business", uscc: "%s"}, '
        '{__typename: "Person", idNumber: "%s"}]) '
        "{ ... on Person { key: name } ... on Business { key: scope } } }" % (ACME, BEN),
        {"_entities": [{"key": "药品零售"}, {"key": "本杰明"}]},
    ),
}

DIRECTIVES: dict[str, Case] = {
    "skip and include by literals": Case(
        of(
            BEN,
            "name @skip(if: true) sex @skip(if: false) "
            "idNumber @include(if: true) a: name @include(if: false)",
        ),
        {"person": {"sex": "MALE", "idNumber": BEN}},
    ),
    "both must agree": Case(
        of(
            BEN,
            "a: name @skip(if: true) @include(if: true) b: name @skip(if: false) @include(if: true) "
            "c: name @skip(if: false) @include(if: false) d: name @include(if: true) @skip(if: true)",
        ),
        {"person": {"b": "本杰明"}},
    ),
    "on spreads and inline fragments": Case(
        of(
            BEN,
            "...A @skip(if: true) ... @include(if: true) { sex } "
            "... on Person @include(if: false) { idNumber }",
        )
        + " fragment A on Person { name }",
        {"person": {"sex": "MALE"}},
    ),
    "a spread that is skipped has not been visited": Case(
        of(BEN, "...A @skip(if: true) sex ...A") + " fragment A on Person { name }",
        {"person": {"sex": "MALE", "name": "本杰明"}},
    ),
    "a field that is skipped once may be included elsewhere": Case(
        of(BEN, "name @skip(if: true) sex name"), {"person": {"sex": "MALE", "name": "本杰明"}}
    ),
    "on a root": Case(
        '{ a: person(idNumber: "%s") { name } b: person(idNumber: "%s") @skip(if: true) { name } }'
        % (BEN, ANNA),
        {"a": {"name": "本杰明"}},
    ),
    "a variable's default decides when it is left out": Case(
        of(BEN, "name @include(if: $yes) sex @skip(if: $yes)", "query($yes: Boolean = true) "),
        {"person": {"name": "本杰明"}},
    ),
    "and its value when it is given": Case(
        of(BEN, "name @include(if: $yes) sex @skip(if: $yes)", "query($yes: Boolean = true) "),
        {"person": {"sex": "MALE"}},
        {"yes": False},
    ),
    "an object of which everything is skipped is empty": Case(
        of(BEN, "region { code @skip(if: true) } name"), {"person": {"region": {}, "name": "本杰明"}}
    ),
    "what stands below a skipped field is not asked": Case(
        of(BEN, "name businesses @skip(if: true) { people { name } }"), {"person": {"name": "本杰明"}}
    ),
}
ARGUMENTS: dict[str, Case] = {
    "a variable's default when it is left out": Case(VARIABLE, {"person": {"name": "本杰明"}}),
    "its value when it is given": Case(VARIABLE, {"person": {"name": ANNA_NAME}}, {"id": ANNA}),
    "a variable that nobody declared is ignored": Case(
        VARIABLE, {"person": {"name": ANNA_NAME}}, {"id": ANNA, "other": [1]}
    ),
    "an argument's default": Case(
        of(BEN, "source { agency { name } }"), {"person": {"source": {"agency": {"name": "公安局"}}}}
    ),
    "an argument's default when its variable is left out": Case(
        of(BEN, "source { agency { name(language: $in) } }", "query($in: NameLanguage! = EN) "),
        {"person": {"source": {"agency": {"name": "Public security"}}}},
    ),
    "a variable without value or default leaves the argument's default": Case(
        NAMED % "", {"person": {"sex": "MALE"}}, {"id": BEN}
    ),
    "null is a value: no name is compared": Case(
        NAMED % ' = "somebody else"', {"person": {"sex": "MALE"}}, {"id": BEN, "name": None}
    ),
    "null as a literal": Case(
        '{ person(idNumber: "%s", name: null) { relations(role: null) { role } } }' % BEN,
        {"person": {"relations": [{"role": "MANAGER"}, {"role": "MANAGER"}]}},
    ),
    "an enum by a literal and by a variable": Case(
        of(
            ANNA,
            "a: relations(role: SHAREHOLDER) { role } b: relations(role: $role) { role }",
            "query($role: BusinessRole) ",
        ),
        {"person": {"a": [{"role": "SHAREHOLDER"}], "b": [{"role": "SUPERVISOR"}]}},
        {"role": "SUPERVISOR"},
    ),
    "an enum variable that is left out filters nothing": Case(
        of(BEN, "relations(role: $role) { role }", "query($role: BusinessRole) "),
        {"person": {"relations": [{"role": "MANAGER"}, {"role": "MANAGER"}]}},
    ),
    "a single literal where a list is expected": Case(
        '{ people(idNumbers: "%s") { certificates(types: "physician_practice") { number } } }' % ANNA,
        {"people": [{"certificates": [{"number": "鲁P1"}]}]},
    ),
    "a single value of a variable where a list is expected": Case(
        "query($ids: [ResidentIdNumber!]!) { people(idNumbers: $ids) { name } }",
        {"people": [{"name": "本杰明"}]},
        {"ids": BEN},
    ),
    "a list with a variable in it": Case(
        'query($id: ResidentIdNumber!) { people(idNumbers: ["%s", $id]) { name } }' % BEN,
        {"people": [{"name": "本杰明"}, {"name": ANNA_NAME}]},
        {"id": ANNA},
    ),
    "an empty list": Case(
        "query($ids: [ResidentIdNumber!]!) { people(idNumbers: $ids) { name } }", {"people": []}, {"ids": []}
    ),
    "a scalar is normalised": Case(
        of(ANNA.lower(), "idNumber name"), {"person": {"idNumber": ANNA, "name": ANNA_NAME}}
    ),
    "an object with a variable in it": Case(
        'query($id: ResidentIdNumber!) { _entities(representations: {__typename: "Person", idNumber: $id}) '
        "{ ... on Person { name } } }",
        {"_entities": [{"name": "本杰明"}]},
        {"id": BEN},
    ),
}

COMPLETING: dict[str, Case] = {
    "null stays null, whatever the type": Case(
        of(CARL, "name sex birthDate region { code } deceased source { connector }"),
        {
            "person": {
                "name": None,
                "sex": None,
                "birthDate": None,
                "region": None,
                "deceased": None,
                "source": {"connector": "police@1"},
            }
        },
    ),
    "an object that is null has nothing below it": Case(
        of(NOBODY, "name businesses { name }"), {"person": None}
    ),
    "lists keep order, duplicates and nulls": Case(
        '{ people(idNumbers: ["%s", "%s", "%s", "%s"]) { idNumber } }' % (BEN, NOBODY, ANNA, BEN),
        {"people": [{"idNumber": BEN}, None, {"idNumber": ANNA}, {"idNumber": BEN}]},
    ),
    "an empty list is a list": Case(
        '{ business(uscc: "%s") { uscc people(role: DIRECTOR) { name } certificates(types: []) { id } } }'
        % BAKERY,
        {"business": {"uscc": BAKERY, "people": [], "certificates": []}},
    ),
    "an object behind an object that is absent": Case(
        '{ business(uscc: "%s") { legalRepresentative { name } } }' % CINEMA,
        {"business": {"legalRepresentative": None}},
    ),
    "amounts, codes and lists of texts": Case(
        '{ business(uscc: "%s") { registeredCapital { currency amount __typename } '
        'certificates(types: ["drug_business_licence"]) { ... on DrugBusinessLicence '
        "{ scope grade { name code en: name(language: EN) } capital { amount } } } } }" % ACME,
        {
            "business": {
                "registeredCapital": {"currency": "CNY", "amount": "500000.00", "__typename": "Money"},
                "certificates": [
                    {
                        "scope": ["中成药", "化学药"],
                        "grade": {"name": "甲级", "code": "A", "en": "Grade A"},
                        "capital": {"amount": "10.50"},
                    },
                    {"scope": None, "grade": None, "capital": None},
                ],
            }
        },
    ),
    "an enum outside its table is an error there, and null": Case(
        of(DORA, "name kind: sex deceased"),
        {"person": {"name": "多拉", "kind": None, "deceased": True}},
        errors=(('["person", "kind"]', "HUB-302", ((1, 49),)),),
        planned=False,
    ),
    "a non-null that is null makes the nearest nullable above it null": Case(
        '{ business(uscc: "%s") {\n certificates(types: ["drug_business_licence"]) {\n'
        "  number id\n } name } }" % CINEMA,
        {"business": {"certificates": [None, {"number": "鲁D1", "id": "1.2.156.3005.2.D4"}], "name": "影院"}},
        errors=(('["business", "certificates", 0, "id"]', "HUB-401", ((3, 10),)),),
        planned=False,
    ),
    "once, however many non-nulls are below it": Case(
        '{ business(uscc: "%s") { certificates(types: ["drug_business_licence"]) { a: id } } }' % CINEMA,
        {"business": {"certificates": [None, {"a": "1.2.156.3005.2.D4"}]}},
        errors=(('["business", "certificates", 0, "a"]', "HUB-401", ((1, 91),)),),
        planned=False,
    ),
    "an error lies at every place where the value is asked, with its index": Case(
        '{ people(idNumbers: ["%s", "%s", "%s"]) { sex } }' % (DORA, BEN, DORA),
        {"people": [{"sex": None}, {"sex": "MALE"}, {"sex": None}]},
        errors=(
            ('["people", 0, "sex"]', "HUB-302", ((1, 91),)),
            ('["people", 2, "sex"]', "HUB-302", ((1, 91),)),
        ),
        planned=False,
    ),
    "an error of a merged field points to every mention": Case(
        of(DORA, "sex ...A") + " fragment A on Person { sex }",
        {"person": {"sex": None}},
        errors=(('["person", "sex"]', "HUB-302", ((1, 44), (1, 80))),),
        planned=False,
    ),
    "an error of a field that raises leaves its siblings": Case(
        '{ business(uscc: "%s") { registeredCapital { amount } name } }' % CINEMA,
        {"business": {"registeredCapital": None, "name": "影院"}},
        errors=(('["business", "registeredCapital"]', "HUB-401", ((1, 42),)),),
        planned=False,
    ),
    "a name that is not the recorded one makes its object null": Case(
        NAMED % "",
        {"person": None},
        {"id": BEN, "name": "somebody else"},
        errors=(('["person"]', "HUB-146", ((1, 48),)),),
        planned=False,
    ),
}
CASES = COLLECTING | DIRECTIVES | ARGUMENTS | COMPLETING

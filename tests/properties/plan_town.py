"""The town of the plans' proofs: nulls, missing records, many rows, and codes outside their tables."""

from __future__ import annotations

from hub.subjects import rules
from tests.graphql import town
from tests.graphql.town import ACME, ANNA, BEN, NOBODY, Desk, Rows, Town, by


def _person(serial: int) -> str:
    """An invented resident identity number with its check character (GB 11643)."""
    body = f"370303199{serial % 10}0101{serial:03d}"
    return next(found for check in "0123456789X" if (found := rules.resident_id(body + check)))


def _business(serial: int) -> str:
    """An invented credit code with its check characters (GB 32100)."""
    letters = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    bodies = (f"9137030330{serial:06d}{inner}" for inner in letters)
    return next(
        found for body in bodies for check in letters if (found := rules.uscc(body + check)) is not None
    )


CARL, DORA, EVA = _person(1), _person(2), _person(3)
BAKERY, CINEMA, GHOST = _business(1), _business(2), _business(3)
PEOPLE = (ANNA, BEN, CARL, DORA, EVA, NOBODY)
BUSINESSES = (ACME, BAKERY, CINEMA, GHOST)
NAMES = ("安娜·阿依古丽", "安娜•阿依古丽", "本杰明", "淄博安康药店", "someone else", "")


def _gaps(row: dict[str, object], **own: object) -> dict[str, object]:
    """The row with nothing in it but what is given."""
    return dict.fromkeys(row) | own


_ANNA = town.PEOPLE[ANNA][0]
_ACME = town.BUSINESSES[ACME][0]
_D1 = town.DRUG[ACME][0]
_P1 = town.PHYSICIAN[ANNA][0]
PERSON_ROWS: Rows = town.PEOPLE | {
    CARL: [_gaps(_ANNA, id_number=CARL)],
    DORA: [_ANNA | {"id_number": DORA, "name": "多拉", "sex": "7", "region": "999999", "deceased": True}],
    EVA: [],
}
BUSINESS_ROWS: Rows = town.BUSINESSES | {
    BAKERY: [_gaps(_ACME, uscc=BAKERY, name="面包房", status="ACTIVE")],
    CINEMA: [
        _ACME
        | {"uscc": CINEMA, "name": "影院", "legal_representative": NOBODY, "registered_capital": "1000000"}
    ],
}
ROLES = [
    *town.ROLES,
    {"person_id": CARL, "uscc": ACME, "role": "DIRECTOR", "since": None},
    {"person_id": CARL, "uscc": BAKERY, "role": None, "since": "2021-02-03"},
    {"person_id": ANNA, "uscc": BAKERY, "role": "SUPERVISOR", "since": "2021-02-03"},
    {"person_id": DORA, "uscc": CINEMA, "role": "EMPEROR", "since": "2022-02-03"},
    {"person_id": DORA, "uscc": GHOST, "role": "MANAGER", "since": "2022-02-03"},
    {"person_id": NOBODY, "uscc": CINEMA, "role": "SHAREHOLDER", "since": "2022-02-03"},
    {"person_id": BEN, "uscc": BAKERY, "role": "MANAGER", "since": "2022-02-03"},
    {"person_id": None, "uscc": CINEMA, "role": "DIRECTOR", "since": "2022-02-03"},
    {"person_id": EVA, "uscc": "no code", "role": "DIRECTOR", "since": "2022-02-03"},
]
DRUG_ROWS: Rows = town.DRUG | {
    BAKERY: [_gaps(_D1, identifier="1.2.156.3005.2.D2", holder=BAKERY)],
    CINEMA: [
        _D1 | {"identifier": None, "holder": CINEMA},
        _D1 | {"identifier": "1.2.156.3005.2.D4", "holder": CINEMA, "status": "88", "grade": "Z"},
    ],
    ANNA: [_D1 | {"identifier": "1.2.156.3005.2.D5", "holder": ANNA, "valid_until": None, "scope": ()}],
}
PHYSICIAN_ROWS: Rows = town.PHYSICIAN | {
    CARL: [_P1 | {"identifier": f"1.2.156.3005.2.P{at}", "holder": CARL, "number": None} for at in (2, 3, 4)],
    DORA: [],
}


def plan_town() -> Town:
    """The agencies of this town."""
    made = Town()
    made.police = Desk(("person", "id_number", False, PERSON_ROWS))
    made.market = Desk(
        ("business", "uscc", False, BUSINESS_ROWS),
        ("business_role", "person_id", True, by(ROLES, "person_id")),
        ("business_role", "uscc", True, by(ROLES, "uscc")),
    )
    made.store = Desk(
        ("drug_business_licence", "holder", True, DRUG_ROWS),
        ("physician_practice", "holder", True, PHYSICIAN_ROWS),
    )
    made.desks = {"police": made.police, "market": made.market, "store": made.store}
    return made

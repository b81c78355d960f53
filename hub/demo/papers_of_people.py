"""Decides which certificates a person of the demo city holds, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from hub.demo.cast import LAPSED, MOVED, OWNER
from hub.demo.model import TODAY, Certificate, Person
from hub.demo.paper import DEREGISTERED, REVOKED, Claims, Holder, Press, Term, after, issued_within, term_of
from hub.demo.people import HOUSEHOLD, seeded
from hub.demo.records import ethnicity_name
from hub.demo.regions import region_of

HOSPITALS = (
    "淄博市中心医院",
    "淄博市第一医院",
    "淄博市中医医院",
    "临淄区人民医院",
    "沂源县人民医院",
    "桓台县人民医院",
)
BANKS = ("中国工商银行", "中国农业银行", "中国银行", "中国建设银行", "齐商银行", "山东省农村信用社")
CARS = ("大众汽车牌SVW71810", "比亚迪牌BYD7005", "五菱牌LZW6376", "丰田牌TV7126", "吉利牌JL7152")
SUBJECTS = ("语文", "数学", "英语", "物理", "化学", "历史", "音乐", "体育")
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"

Printed = tuple[str, Term, Claims]  # number, term, claims


@dataclass(frozen=True, slots=True)
class Bearer:
    """A person with her family and the random numbers of her papers."""

    person: Person
    family: tuple[Person, ...]
    random: Random
    together: Random  # the same for both spouses


def of_person(press: Press, seed: int, person: Person, family: tuple[Person, ...]) -> Iterator[Certificate]:
    """Everything that a person holds; each type at most once."""
    if person.without_certificates:
        return
    household = person.index // HOUSEHOLD
    bearer = Bearer(person, family, seeded(seed, 3, person.index), seeded(seed, 4, household))
    holder = Holder(person.id_number, "111", person.name, person.region, person.index)
    for kind, paper in PAPERS.items():
        drawn = bearer.random.random()
        if drawn < paper.share(person) or kind in ALWAYS.get(person.index, ()):
            number, term, claims = paper.printed(bearer)
            yield press.certificate(kind, holder, number, term, claims, _status(kind, person))


def _status(kind: str, person: Person) -> str | None:
    if person.deceased:
        return DEREGISTERED
    return REVOKED if person.index == LAPSED and kind == "physician_practice" else None


def _resident_id_card(bearer: Bearer) -> Printed:
    person, random = bearer.person, bearer.random
    years = 5 if person.age < 16 else 10 if person.age < 26 else 20
    term = term_of(random, years, years * 365 + 60, date(person.born_year, 12, 31))
    if person.age > 46:
        term = Term(term.issued)
    number = person.id_number
    address = "山东省淄博市周村区大街街道新建路18号（迁移前）" if person.index == MOVED else person.address
    return number, term, {
        "sex": person.sex,
        "ethnicity": ethnicity_name(person.ethnicity),
        "birth_date": f"{number[6:10]}-{number[10:12]}-{number[12:14]}",
        "address": address,
    }  # fmt: skip


def _household_register(bearer: Bearer) -> Printed:
    person, together = bearer.person, bearer.together
    number = f"{person.region}{together.randrange(10**6):06}"
    return number, Term(issued_within(bearer.random, 5000, date(person.born_year, 12, 31))), {
        "household_number": number,
        "household_type": "FAMILY" if together.random() < 0.97 else "COLLECTIVE",
        "head_name": person.head,
        "relation": person.relation,
        "address": person.address,
    }  # fmt: skip


def _driving_licence(bearer: Bearer) -> Printed:
    person, random = bearer.person, bearer.random
    term = term_of(random, 10, 3700, after(date(person.born_year, 12, 31), 18))
    if person.index == LAPSED:
        term = Term(date(2014, 11, 3), date(2024, 11, 2))
    return person.id_number, term, {
        "vehicle_class": random.choice(("C1", "C1", "C1", "C2", "B2", "A2", "C1E")),
        "first_issued": term.issued.isoformat(),
        "file_number": f"3703{random.randrange(10**8):08}",
    }  # fmt: skip


def _vehicle_licence(bearer: Bearer) -> Printed:
    random = bearer.random
    plate = f"鲁C{random.choice(LETTERS)}{random.randrange(10**4):04}"
    registered = issued_within(random, 4400)
    return plate, Term(registered), {
        "plate": plate,
        "vehicle_type": "小型轿车",
        "brand": random.choice(CARS),
        "vehicle_use": "PRIVATE" if random.random() < 0.95 else "COMMERCIAL",
        "registered_on": registered.isoformat(),
        "inspected_until": (TODAY + timedelta(random.randrange(-200, 700))).isoformat(),
    }  # fmt: skip


def _residence_permit(bearer: Bearer) -> Printed:
    person, random = bearer.person, bearer.random
    term = term_of(random, 1, 420)
    claims = {"residence": person.address, "home_region": person.id_number[:6]}
    return f"{person.region}{random.randrange(10**9):09}", term, claims


def _no_criminal_record(bearer: Bearer) -> Printed:
    random, person = bearer.random, bearer.person
    issued = issued_within(random, 300)
    number = f"淄公无犯〔{issued.year}〕{random.randrange(1, 99999):05}号"
    return number, Term(issued, issued + timedelta(180)), {
        "conclusion": "NONE_FOUND",
        "period_from": after(date(person.born_year, 1, 1), 14).isoformat(),
        "period_until": issued.isoformat(),
    }  # fmt: skip


def _marriage_certificate(bearer: Bearer) -> Printed:
    person, together = bearer.person, bearer.together
    spouse = bearer.family[1 - person.index % HOUSEHOLD]
    youngest = max(one.born_year for one in bearer.family[:2])
    day = min(date(youngest + 22, 1, 1) + timedelta(together.randrange(900)), date(2026, 5, 20))
    registry = f"{region_of(bearer.family[0].region).name}民政局婚姻登记处"
    return f"J{bearer.family[0].region}-{day.year}-{together.randrange(1, 9999):06}", Term(day), {
        "registered_on": day.isoformat(),
        "spouse_name": spouse.name,
        "spouse_id": spouse.id_number,
        "registry": registry,
    }  # fmt: skip


def _divorce_certificate(bearer: Bearer) -> Printed:
    person, random = bearer.person, bearer.random
    day = issued_within(random, 3000, date(person.born_year + 24, 1, 1))
    registry = f"{region_of(person.region).name}民政局婚姻登记处"
    number = f"L{person.region}-{day.year}-{random.randrange(1, 9999):06}"
    return number, Term(day), {"registered_on": day.isoformat(), "registry": registry}


def _minimum_living_allowance(bearer: Bearer) -> Printed:
    random = bearer.random
    number = f"低保{bearer.person.region}{random.randrange(10**6):06}"
    size = random.randint(1, 3)
    return number, term_of(random, 1, 400), {
        "monthly_amount": f"{size * 1023}.00 CNY",
        "household_size": str(size),
    }  # fmt: skip


def _birth_certificate(bearer: Bearer) -> Printed:
    person, random, (father, mother, *_) = bearer.person, bearer.random, bearer.family
    born = date.fromisoformat(person.born)
    return f"{random.choice('QRSTU')}37{random.randrange(10**7):07}", Term(born + timedelta(12)), {
        "born_on": person.born,
        "father_name": father.name,
        "mother_name": mother.name,
        "institution": random.choice(HOSPITALS),
    }  # fmt: skip


def _physician_practice(bearer: Bearer) -> Printed:
    random, person = bearer.random, bearer.person
    day = issued_within(random, 6000, after(date(person.born_year, 12, 31), 24))
    category = random.choice(("CLINICAL", "CLINICAL", "TRADITIONAL", "DENTAL", "PUBLIC_HEALTH"))
    scopes = {"CLINICAL": "内科专业", "TRADITIONAL": "中医专业", "DENTAL": "口腔专业"}
    number = f"{random.choice('12')}{random.choice('14')}0370300{random.randrange(10**6):06}"
    return number, Term(day), {
        "practice_category": category,
        "practice_scope": scopes.get(category, "公共卫生类别专业"),
        "institution": random.choice(HOSPITALS),
        "registered_on": day.isoformat(),
    }  # fmt: skip


def _nurse_practice(bearer: Bearer) -> Printed:
    random = bearer.random
    term = term_of(random, 5, 1900)
    claims = {"institution": random.choice(HOSPITALS), "registered_on": term.issued.isoformat()}
    return f"{term.issued.year}370{random.randrange(10**6):06}", term, claims


def _disability_certificate(bearer: Bearer) -> Printed:
    random = bearer.random
    digits = {"SIGHT": "1", "HEARING": "2", "SPEECH": "3", "LIMB": "4", "INTELLECTUAL": "5", "MENTAL": "6"}
    levels = ("FIRST", "SECOND", "THIRD", "FOURTH")
    category, level = random.choice(tuple(digits)), random.randrange(4)
    number = f"{bearer.person.id_number}{digits[category]}{level + 1}"
    return (
        number,
        term_of(random, 10, 3700),
        {
            "disability_category": category,
            "disability_level": levels[level],
        },
    )


def _social_security_card(bearer: Bearer) -> Printed:
    random = bearer.random
    claims: Claims = {"bank": random.choice(BANKS), "insured": random.random() < 0.93}
    return f"3703{random.randrange(10**9):09}", term_of(random, 10, 3700), claims


def _teacher_qualification(bearer: Bearer) -> Printed:
    random, person = bearer.random, bearer.person
    day = issued_within(random, 9000, after(date(person.born_year, 12, 31), 22))
    stage = random.choice(("KINDERGARTEN", "PRIMARY", "JUNIOR", "SENIOR"))
    number = f"{day.year}3703{random.randrange(10**9):09}"
    return number, Term(day), {"stage": stage, "subject": random.choice(SUBJECTS)}


def _pharmacist_registration(bearer: Bearer) -> Printed:
    random, person = bearer.random, bearer.person
    owner = person.index == OWNER
    term = term_of(random, 5, 900 if owner else 1900)
    return f"3703{random.randrange(10**8):08}", term, {
        "pharmacy_category": random.choice(("PHARMACY", "TRADITIONAL")),
        "practice_unit": "淄博张店惠民大药房有限公司" if owner else "淄博市康宁大药房连锁有限公司",
        "practice_scope": "药品经营企业",
    }  # fmt: skip


def _real_estate_certificate(bearer: Bearer) -> Printed:
    person, random = bearer.person, bearer.random
    day = issued_within(random, 4000, after(date(person.born_year, 12, 31), 18))
    region = region_of(person.region)
    number = f"鲁（{day.year}）淄博{region.name}不动产权第{random.randrange(10**7):07}号"
    parcel, building = random.randrange(10**6), random.randrange(10**8)
    unit = f"{region.code}{parcel:06}GB{random.randrange(10**5):05}F{building:08}"
    return number, Term(day), {
        "ownership": "JOINT" if person.spouse is not None else "SOLE",
        "location": person.address,
        "unit_number": unit,
        "land_use": "城镇住宅用地/住宅" if random.random() < 0.9 else "批发零售用地/商业服务",
        "area": f"{random.randint(52, 190)}.{random.randrange(100):02}",
        "term_until": after(day, 70).isoformat(),
        "sealed": random.random() < 0.02,
        "mortgaged": random.random() < 0.35,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paper:
    """A type of certificate: the share of people like this one who hold it, and what it says."""

    share: Callable[[Person], float]
    printed: Callable[[Bearer], Printed]


def _adult(share: float, oldest: int = 99) -> Callable[[Person], float]:
    return lambda person: share if 20 <= person.age <= oldest else 0.0


def _worker(share: float) -> Callable[[Person], float]:
    return lambda person: share if 25 <= person.age <= 62 else 0.0


PAPERS: Mapping[str, Paper] = {
    "resident_id_card": Paper(lambda person: 1.0 if person.age >= 6 else 0.4, _resident_id_card),
    "household_register": Paper(lambda _: 1.0, _household_register),
    "driving_licence": Paper(_adult(0.5, 70), _driving_licence),
    "vehicle_licence": Paper(_adult(0.3, 75), _vehicle_licence),
    "residence_permit": Paper(
        lambda person: 0.0 if person.id_number.startswith("3703") else 0.7, _residence_permit
    ),
    "no_criminal_record": Paper(_worker(0.06), _no_criminal_record),
    "marriage_certificate": Paper(lambda person: float(person.spouse is not None), _marriage_certificate),
    "divorce_certificate": Paper(
        lambda person: 0.0 if person.spouse is not None or person.age < 28 else 0.3, _divorce_certificate
    ),
    "minimum_living_allowance": Paper(_adult(0.01), _minimum_living_allowance),
    "birth_certificate": Paper(
        lambda person: (
            0.97 if person.age < 26 and len(person.born) == 10 and person.index % HOUSEHOLD > 1 else 0.0
        ),
        _birth_certificate,
    ),
    "physician_practice": Paper(_worker(0.012), _physician_practice),
    "nurse_practice": Paper(_worker(0.015), _nurse_practice),
    "disability_certificate": Paper(lambda _: 0.02, _disability_certificate),
    "social_security_card": Paper(lambda _: 0.9, _social_security_card),
    "teacher_qualification": Paper(_worker(0.03), _teacher_qualification),
    "pharmacist_registration": Paper(_worker(0.006), _pharmacist_registration),
    "real_estate_certificate": Paper(_adult(0.4), _real_estate_certificate),
}

ALWAYS: Mapping[int, frozenset[str]] = {
    OWNER: frozenset(
        {"real_estate_certificate", "pharmacist_registration", "no_criminal_record", "driving_licence"}
    ),
    LAPSED: frozenset({"driving_licence", "physician_practice"}),
    MOVED: frozenset({"resident_id_card"}),
}
"""Types that people with a story hold for sure."""

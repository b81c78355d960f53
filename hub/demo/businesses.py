"""Decides which businesses the demo city has and who is what in them, each from its own seed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from hub.demo import names
from hub.demo.cast import BusinessPart
from hub.demo.model import TODAY, Business, Person
from hub.demo.people import seeded
from hub.demo.regions import TWENTIETHS, business_address, region_of
from hub.subjects.rules import USCC_ALPHABET, check_digit_organisation, check_digit_uscc

ORGANISATIONS = len(USCC_ALPHABET) ** 5
STRIDE = 1_299_709  # a prime that does not divide ORGANISATIONS
STATUSES = ("ACTIVE",) * 44 + ("SUSPENDED",) * 2 + ("REVOKED",) * 2 + ("DEREGISTERED",) * 2
CAPITALS = tuple(
    ten_thousands * 10_000 for ten_thousands in (10, 30, 50, 100, 200, 300, 500, 1000, 2000, 5000)
)
LIMITED, SOLE, SINGLE, COOPERATIVE = (
    "有限责任公司",
    "有限责任公司（自然人独资）",
    "个体工商户",
    "农民专业合作社",
)
FORMS = (LIMITED,) * 5 + (SOLE,) * 3 + (SINGLE,) * 7 + (COOPERATIVE,)
UNFUNDED = (SINGLE, "其他组织")
FORM_CLASS = {SINGLE: "92", COOPERATIVE: "93"}
TRADE_SCOPE = {
    "药品": "药品零售；医疗器械销售",
    "食品": "食品销售；食品互联网销售",
    "餐饮": "餐饮服务；食品销售",
    "医药": "药品批发；第三类医疗器械经营；第二类医疗器械销售",
    "住宿": "住宿服务；洗浴服务",
    "建筑": "建设工程施工；住宅室内装饰装修",
    "物流": "道路货物运输（不含危险货物）；装卸搬运",
    "医疗": "医疗服务；诊所服务",
    "文化": "出版物零售；文具用品零售",
}
TRADES = (*TRADE_SCOPE, "陶瓷", "琉璃", "丝绸", "化工", "机械", "环保", "农业", "电子")


def uscc_of(body: str) -> str:
    """A code for department, class, region and the organisation code's first eight characters."""
    complete = body + check_digit_organisation(body[8:])
    return complete + check_digit_uscc(complete)


def business(seed: int, index: int, owner: Person, part: BusinessPart | None) -> Business:
    """The business with this index, represented by this person, and not founded before she was twenty."""
    random = seeded(seed, 2, index)
    region, _ = random.choice(TWENTIETHS)
    region = region_of(part.region) if part and part.region else region
    form, trade = random.choice(FORMS), random.choice(TRADES)
    form = part.set.get("legal_form", form) if part else form
    earliest = max(date(1993, 1, 1), date(min(owner.born_year + 20, 2024), 7, 1))
    address = business_address(region, random)
    letters = part.letters if part else None
    drawn = Business(
        index=index,
        uscc=_uscc(seed, index, letters or FORM_CLASS.get(form, "91"), region.code),
        name=_name(random, region.name, form, trade),
        legal_form=form,
        trade=trade,
        capital=None if form in UNFUNDED else f"{random.choice(CAPITALS)}.00",
        currency="CNY",
        established=earliest + timedelta(random.randrange((TODAY - earliest).days - 400)),
        scope=TRADE_SCOPE.get(trade, f"{trade}产品制造、销售；货物进出口"),
        region=region.code,
        address=address,
        licence_address=address,
        status=random.choice(STATUSES),
        legal_representative=owner.index,
    )
    return part.change(drawn) if part else drawn


def other_roles(random: Random, form: str) -> Iterator[str]:
    """Which roles a business has beside its legal representative."""
    if form in UNFUNDED:
        return
    yield from ["SHAREHOLDER"] * (1 if form == SOLE else random.randint(1, 4))
    if form != SOLE:
        yield "SUPERVISOR"
    if random.random() < 0.4:
        yield "DIRECTOR"
    if random.random() < 0.5:
        yield "MANAGER"


def _uscc(seed: int, index: int, department: str, region: str) -> str:
    number = (index * STRIDE + seed * 15_485_863) % ORGANISATIONS
    serial = ""
    for _ in range(5):
        number, digit = divmod(number, len(USCC_ALPHABET))
        serial = USCC_ALPHABET[digit] + serial
    return uscc_of(f"{department}{region}MA3{serial}")


def _name(random: Random, region: str, form: str, trade: str) -> str:
    word, second = random.choice(names.SHOP_WORDS), random.choice(names.SHOP_WORDS)
    if form == SINGLE:
        return f"淄博市{region}{word}{trade}{random.choice(('店', '商行', '经营部', '工作室'))}"
    return f"淄博{word}{second}{trade}{'专业合作社' if form == COOPERATIVE else '有限公司'}"

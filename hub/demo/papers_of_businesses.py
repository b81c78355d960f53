"""Decides which licences a business of the demo city holds, and what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from hub.demo import names
from hub.demo.cast import EXPIRED_SHOP, PHARMACY, REVOKED_PHARMACY
from hub.demo.model import Business, Certificate
from hub.demo.paper import DEREGISTERED, REVOKED, Claims, Holder, Press, Term, term_of
from hub.demo.people import seeded

CURRENCIES = {"CNY": "人民币", "USD": "美元"}
PHARMACY_LICENCES = "drug_business_licence medical_device_3 medical_device_2_record food_business_licence"
STORY_TERM = Term(date(2023, 5, 8), date(2028, 5, 7))

Printed = tuple[str, Term, Claims]


@dataclass(frozen=True, slots=True)
class Firm:
    """A business with the names that its licences print."""

    business: Business
    owner: str
    random: Random

    def someone(self) -> str:
        """The name of one of its people."""
        male = self.random.random() < 0.5
        return names.surname(self.random) + names.given_name(self.random, male, 1985)


def of_business(press: Press, seed: int, business: Business, owner: str) -> Iterator[Certificate]:
    """Everything that a business holds; each type at most once."""
    firm = Firm(business, owner, seeded(seed, 5, business.index))
    holder = Holder(business.uscc, "001", business.name, business.region, business.index)
    for kind in kinds_of(business):
        number, term, claims = PRINTED[kind](firm)
        term = _term_in_story(kind, business.index) or term
        yield press.certificate(kind, holder, number, term, claims, _status(kind, business))


def kinds_of(business: Business) -> tuple[str, ...]:
    """The types that a business of this trade holds."""
    return ("business_licence", *TRADE_LICENCES.get(business.trade, "").split())


def _term_in_story(kind: str, index: int) -> Term | None:
    if index == EXPIRED_SHOP and kind == "food_business_licence":
        return Term(date(2019, 9, 20), date(2024, 9, 19))
    return STORY_TERM if index == PHARMACY and kind != "business_licence" else None


def _status(kind: str, business: Business) -> str | None:
    if business.index == REVOKED_PHARMACY and kind == "drug_business_licence":
        return REVOKED
    return {"REVOKED": REVOKED, "DEREGISTERED": DEREGISTERED}.get(business.status)


def _capital(business: Business) -> str | None:
    if business.capital is None:
        return None
    wan = business.capital.removesuffix("0000.00")
    return f"{wan}万{CURRENCIES[business.currency]}" if wan != business.capital else business.capital


def _business_licence(firm: Firm) -> Printed:
    business = firm.business
    return business.uscc, Term(business.established), {
        "legal_form": business.legal_form,
        "legal_representative_name": firm.owner,
        "registered_capital_text": _capital(business),
        "established": business.established.isoformat(),
        "address": business.licence_address,
        "business_scope": business.scope,
    }  # fmt: skip


def _term(firm: Firm) -> Term:
    return term_of(firm.random, 5, 2000, firm.business.established)


def _food_business_licence(firm: Firm) -> Printed:
    number = f"JY13703{firm.random.randrange(10**9):09}"
    catering = firm.business.trade in ("餐饮", "住宿")
    items = "热食类食品制售；冷食类食品制售" if catering else "预包装食品销售；散装食品销售；保健食品销售"
    return number, _term(firm), {
        "legal_representative_name": firm.owner,
        "business_form": "餐饮服务经营者" if catering else "食品销售经营者",
        "items": items,
        "address": firm.business.address,
    }  # fmt: skip


def _drug_business_licence(firm: Firm) -> Printed:
    wholesale = firm.business.trade == "医药"
    return f"鲁{'AA' if wholesale else 'DA'}533{firm.random.randrange(10**5):05}", _term(firm), {
        "business_mode": "WHOLESALE" if wholesale else "RETAIL",
        "legal_representative_name": firm.owner,
        "responsible_person": firm.someone(),
        "quality_manager": firm.someone(),
        "scope": "中药饮片；中成药；化学药；生物制品（除疫苗）",
        "address": firm.business.address,
        "warehouse": firm.business.address + "（仓库）" if wholesale else None,
    }  # fmt: skip


def _device_claims(firm: Firm, scope: str) -> dict[str, str | bool | None]:
    return {
        "legal_representative_name": firm.owner,
        "responsible_person": firm.someone(),
        "scope": scope,
        "address": firm.business.address,
    }


def _medical_device_3(firm: Firm) -> Printed:
    term = _term(firm)
    number = f"鲁淄药监械经营许{term.issued.year}{firm.random.randrange(10**4):04}号"
    claims = _device_claims(firm, "6815注射穿刺器械；6864医用卫生材料及敷料；6866医用高分子材料及制品")
    return number, term, {**claims, "quality_manager": firm.someone()}


def _medical_device_2_record(firm: Firm) -> Printed:
    issued = _term(firm).issued
    number = f"鲁淄药监械经营备{issued.year}{firm.random.randrange(10**4):04}号"
    return number, Term(issued), _device_claims(firm, "6820普通诊察器械；6826物理治疗及康复设备")


def _medical_institution_licence(firm: Firm) -> Printed:
    random = firm.random
    return f"PDY{random.randrange(10**5):05}{firm.business.region}17D2152", term_of(random, 5, 1900), {
        "principal": firm.owner,
        "departments": "内科；外科；中医科；口腔科",
        "beds": str(random.choice((0, 0, 20, 40, 99))),
        "address": firm.business.address,
    }  # fmt: skip


def _public_hygiene_licence(firm: Firm) -> Printed:
    term = term_of(firm.random, 4, 1500, firm.business.established)
    return f"淄卫公证字〔{term.issued.year}〕第{firm.random.randrange(10**5):05}号", term, {
        "legal_representative_name": firm.owner,
        "project": "旅店；公共浴室",
        "address": firm.business.address,
    }  # fmt: skip


def _special_trade_licence(firm: Firm) -> Printed:
    issued = _term(firm).issued
    return f"鲁公特旅字第37{firm.random.randrange(10**6):06}号", Term(issued), {
        "legal_representative_name": firm.owner,
        "trade": "旅馆业",
        "address": firm.business.address,
    }  # fmt: skip


def _construction_safety_licence(firm: Firm) -> Printed:
    random = firm.random
    term = term_of(random, 3, 1100, firm.business.established)
    return f"（鲁）JZ安许证字〔{term.issued.year}〕03{random.randrange(10**4):04}", term, {
        "principal": firm.owner,
        "permitted_scope": "建筑施工",
        "address": firm.business.address,
    }  # fmt: skip


def _road_transport_licence(firm: Firm) -> Printed:
    random = firm.random
    number = f"鲁交运管许可淄字{firm.business.region}{random.randrange(10**6):06}号"
    return number, term_of(random, 4, 1500), {
        "scope": "道路普通货物运输；货物专用运输（集装箱）",
        "vehicles": str(random.randint(1, 120)),
        "address": firm.business.address,
    }  # fmt: skip


def _publication_licence(firm: Firm) -> Printed:
    return f"新出发淄零字第{firm.random.randrange(10**5):05}号", _term(firm), {
        "legal_representative_name": firm.owner,
        "publication_mode": "RETAIL",
        "business_scope": "图书、期刊、音像制品零售",
        "address": firm.business.address,
    }  # fmt: skip


def _tobacco_retail_licence(firm: Firm) -> Printed:
    return f"3703{firm.random.randrange(10**8):08}", _term(firm), {
        "legal_representative_name": firm.owner,
        "supplier": "山东淄博烟草有限公司",
        "address": firm.business.address,
    }  # fmt: skip


TRADE_LICENCES = {
    "药品": PHARMACY_LICENCES,
    "医药": "drug_business_licence medical_device_3 medical_device_2_record",
    "食品": "food_business_licence tobacco_retail_licence",
    "餐饮": "food_business_licence",
    "住宿": "public_hygiene_licence special_trade_licence food_business_licence",
    "建筑": "construction_safety_licence",
    "物流": "road_transport_licence",
    "医疗": "medical_institution_licence",
    "文化": "publication_licence",
}
PRINTED: Mapping[str, Callable[[Firm], Printed]] = {
    "business_licence": _business_licence,
    "food_business_licence": _food_business_licence,
    "drug_business_licence": _drug_business_licence,
    "medical_device_3": _medical_device_3,
    "medical_device_2_record": _medical_device_2_record,
    "medical_institution_licence": _medical_institution_licence,
    "public_hygiene_licence": _public_hygiene_licence,
    "special_trade_licence": _special_trade_licence,
    "construction_safety_licence": _construction_safety_licence,
    "road_transport_licence": _road_transport_licence,
    "publication_licence": _publication_licence,
    "tobacco_retail_licence": _tobacco_retail_licence,
}

"""Holds the authorities of the demo city: its departments, their codes, and who issues which type where."""

from __future__ import annotations

from dataclasses import dataclass

from hub.demo.businesses import uscc_of
from hub.demo.regions import CITY, REGIONS


@dataclass(frozen=True, slots=True)
class Department:
    """A department of the city with its branches in the regions; ``number`` makes its codes."""

    key: str
    name: str
    english: str
    branch: str  # {} is the region's name
    number: int

    def code(self, region: str = CITY) -> str:
        """The USCC of the department, or of its branch in a region."""
        return uscc_of(f"11{region}0042{self.number + int(region[-2:]):04}")

    def title(self, region_name: str | None = None) -> str:
        """The department's name, or that of its branch."""
        return self.branch.format(region_name) if region_name else self.name


DEPARTMENTS = (
    Department("police", "淄博市公安局", "Zibo Public Security Bureau", "淄博市公安局{}分局", 2101),
    Department("market", "淄博市市场监督管理局", "Zibo Market Regulation Bureau", "{}市场监督管理局", 2301),
    Department("data", "淄博市大数据局", "Zibo Big Data Bureau", "{}大数据中心", 2501),
    Department("approval", "淄博市行政审批服务局", "Zibo Approval Bureau", "{}行政审批服务局", 2701),
    Department("civil", "淄博市民政局", "Zibo Civil Affairs Bureau", "{}民政局", 2901),
    Department("health", "淄博市卫生健康委员会", "Zibo Health Commission", "{}卫生健康局", 3101),
    Department("land", "淄博市自然资源和规划局", "Zibo Natural Resources Bureau", "{}自然资源局", 3301),
    Department("labour", "淄博市人力资源和社会保障局", "Zibo Labour Bureau", "{}人社局", 3501),
    Department("education", "淄博市教育局", "Zibo Education Bureau", "{}教育和体育局", 3701),
    Department("disabled", "淄博市残疾人联合会", "Zibo Disabled Persons' Federation", "{}残疾人联合会", 3901),
    Department("tobacco", "淄博市烟草专卖局", "Zibo Tobacco Monopoly Bureau", "{}烟草专卖局", 4101),
)  # fmt: skip

ISSUED_BY = {
    "police": "resident_id_card household_register driving_licence vehicle_licence residence_permit "
    "no_criminal_record",
    "civil": "marriage_certificate divorce_certificate minimum_living_allowance",
    "health": "birth_certificate",
    "disabled": "disability_certificate",
    "labour": "social_security_card",
    "education": "teacher_qualification",
    "land": "real_estate_certificate",
    "market": "pharmacist_registration",
    "tobacco": "tobacco_retail_licence",
}
"""Types by the department that issues them; all others are issued by the approval bureau."""


def department(key: str) -> Department:
    """The department with this key; KeyError for one that the city does not have."""
    return {one.key: one for one in DEPARTMENTS}[key]


class Registry:
    """Knows who issues a type of certificate in a region."""

    def __init__(self) -> None:
        by_type = {kind: key for key, kinds in ISSUED_BY.items() for kind in kinds.split()}
        departments = {one.key: one for one in DEPARTMENTS}
        self._departments = {kind: departments[key] for kind, key in by_type.items()}
        self._other = departments["approval"]
        self._branches = {
            (one.key, region.code): (one.code(region.code), one.title(region.name))
            for one in DEPARTMENTS
            for region in REGIONS
        }

    def issuer(self, kind: str, region: str) -> tuple[str, str]:
        """USCC and name of the authority that issues this type in this region."""
        return self._branches[(self._departments.get(kind, self._other).key, region)]

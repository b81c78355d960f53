"""The demo city follows from its seed alone, its identifiers are genuine, its awkward cases are there."""

from __future__ import annotations

import types
from datetime import date
from itertools import islice

import pytest

from hub.demo import cast
from hub.demo.city import LEAST_PEOPLE, City
from hub.demo.model import TODAY, Business, Certificate, Person
from hub.demo.records import read_records
from hub.demo.regions import ABOLISHED, REGIONS
from hub.subjects import rules
from hub.subjects.model import ResidentIdNumber


@pytest.fixture(scope="module")
def city() -> City:
    return City(2000)


@pytest.fixture(scope="module")
def people(city: City) -> list[Person]:
    return [person for family in city.families() for person in family]


@pytest.fixture(scope="module")
def businesses(city: City) -> list[Business]:
    return list(city.businesses())


@pytest.fixture(scope="module")
def certificates(city: City, businesses: list[Business]) -> list[Certificate]:
    of_people = [one for family in city.families() for one in city.certificates_of_family(family)]
    return of_people + [one for firm in businesses for one in city.certificates_of_business(firm)]


def of_person(city: City, index: int) -> dict[str, Certificate]:
    family = city.household(index // 4)
    return {
        one.type: one
        for one in city.certificates_of_family(family)
        if one.holder == city.person(index).id_number
    }


def test_the_same_seed_gives_the_same_city(city: City) -> None:
    again = City(2000)
    family = city.household(17)
    assert again.household(17) == family
    assert list(again.certificates_of_family(family)) == list(city.certificates_of_family(family))
    assert again.business(33) == city.business(33)
    assert list(again.roles(again.business(33))) == list(city.roles(city.business(33)))


def test_another_seed_gives_another_city(city: City) -> None:
    other = City(2000, seed=2)
    assert {other.person(index).id_number for index in range(200)}.isdisjoint(
        city.person(index).id_number for index in range(200)
    )
    assert other.business(40).uscc != city.business(40).uscc


def test_a_larger_city_begins_like_a_smaller_one(city: City) -> None:
    assert [City(4000).household(number) for number in range(50)] == [city.household(n) for n in range(50)]


@pytest.mark.parametrize("seed", [1, 7])
def test_every_resident_id_is_genuine_and_nobody_shares_one(seed: int) -> None:
    city = City(6_000, seed)
    numbers = [person.id_number for family in city.families() for person in family]
    assert all(rules.resident_id(number) == number for number in numbers)
    assert len(set(numbers)) == len(numbers) == 6_000


def test_numbers_stay_unique_to_the_last_person() -> None:
    """A household at the very end of the largest city still has numbers unlike those of its beginning."""
    city = City(7_000_000)
    far = {
        person.id_number
        for number in range(city.households - 500, city.households)
        for person in city.household(number)
    }
    near = {person.id_number for number in range(500) for person in city.household(number)}
    assert len(far) == len(near) == 2000
    assert not far & near


def test_every_uscc_is_genuine_and_unique(businesses: list[Business]) -> None:
    codes = [firm.uscc for firm in businesses]
    assert all(rules.uscc(code) == code and rules.organisation_code(code[8:17]) for code in codes)
    assert len(set(codes)) == len(codes)


def test_every_licence_identifier_is_genuine_and_unique(certificates: list[Certificate]) -> None:
    identifiers = [one.identifier for one in certificates]
    assert all(rules.licence_identifier(one) == one for one in identifiers)
    assert len(set(identifiers)) == len(identifiers)


def test_every_code_inside_a_licence_identifier_is_a_genuine_uscc(certificates: list[Certificate]) -> None:
    kinds = {tuple(one.identifier.split(".")[5:7]) for one in certificates}
    for kind, issuer in kinds:
        assert rules.uscc(kind[:18]) is not None
        assert rules.uscc(issuer) is not None


def test_every_evidence_type_is_held_by_somebody_with_exactly_its_own_fields(
    certificates: list[Certificate],
) -> None:
    own = {record.code: set(record.own) for record in read_records() if record.kind == "evidence"}
    assert {one.type for one in certificates} == set(own)
    assert len(own) >= 25
    for one in certificates:
        assert set(one.claims) == own[one.type], one.type


def test_every_code_and_date_has_the_form_of_its_field(certificates: list[Certificate]) -> None:
    fields = {record.code: record.fields for record in read_records()}
    for one in certificates:
        for name, value in one.claims.items():
            field = fields[one.type][name]
            if value is None:
                continue
            assert isinstance(value, bool) is (field.type == "boolean")
            if field.codes:
                assert value in field.codes
            if field.type == "date":
                assert date.fromisoformat(str(value)).isoformat() == value


def test_holders_are_of_the_declared_schemes(certificates: list[Certificate]) -> None:
    holders = {record.code: record.holders for record in read_records()}
    check = {"111": rules.resident_id, "001": rules.uscc}
    for one in certificates:
        assert one.holder_scheme in holders[one.type]
        assert check[one.holder_scheme](one.holder) == one.holder


def test_regions_are_zibos_own_and_birthplaces_of_the_whole_country(people: list[Person]) -> None:
    own = {region.code for region in REGIONS}
    assert own == {"370302", "370303", "370304", "370305", "370306", "370321", "370322", "370323"}
    assert {person.region for person in people} == own
    births = {person.id_number[:6] for person in people}
    assert len(births - own) > 20


def test_somebody_was_born_in_a_region_that_is_no_more() -> None:
    births = {person.id_number[:6] for family in City(6_000).families() for person in family}
    assert births & set(ABOLISHED)


def test_children_are_younger_than_their_parents_and_bear_the_fathers_surname(people: list[Person]) -> None:
    for first in range(0, len(people), 4):
        father, _, *others = people[first : first + 4]
        for child in (one for one in others if one.relation in ("子", "女")):
            assert child.born_year - father.born_year >= 17
            if father.index not in cast.read_people() and child.index not in cast.read_people():
                assert child.name[0] == father.name[0]


def test_spouses_hold_the_same_marriage_certificate(city: City) -> None:
    husband, wife = of_person(city, 0)["marriage_certificate"], of_person(city, 1)["marriage_certificate"]
    assert husband.number == wife.number
    assert husband.claims["spouse_id"] == wife.holder
    assert wife.claims["spouse_id"] == husband.holder


def test_a_legal_representative_is_an_adult_who_was_twenty_when_it_began(
    city: City, businesses: list[Business]
) -> None:
    for firm in islice(businesses, 24, 300):
        person = city.person(firm.legal_representative)
        assert not person.deceased
        assert firm.established.year - person.born_year >= 19


def test_the_dead_the_doubted_and_the_half_known(city: City) -> None:
    assert city.person(4).deceased
    assert city.business(7).legal_representative == 4
    assert len(city.person(5).born) == 4
    assert len(city.person(8).born) == 7
    assert city.person(9).under_investigation
    assert city.person(8).id_number[6:12] == city.person(8).born.replace("-", "")


def test_a_name_of_twenty_characters(city: City) -> None:
    name = city.person(12).name
    assert len(name) == 20
    assert name.count("·") == 2


def test_a_person_without_any_certificate(city: City) -> None:
    assert of_person(city, 13) == {}


def test_expired_and_revoked_licences(city: City) -> None:
    driver = of_person(city, cast.LAPSED)
    assert driver["driving_licence"].status == "05"
    assert (driver["driving_licence"].valid_until or TODAY) < TODAY
    assert driver["physician_practice"].status == "07"
    shop = {one.type: one for one in city.certificates_of_business(city.business(cast.EXPIRED_SHOP))}
    assert shop["food_business_licence"].status == "05"
    chemist = {one.type: one for one in city.certificates_of_business(city.business(cast.REVOKED_PHARMACY))}
    assert chemist["drug_business_licence"].status == "07"
    assert city.business(cast.REVOKED_PHARMACY).status == "ACTIVE"


def test_the_pharmacy_has_all_its_licences(city: City) -> None:
    firm = city.business(cast.PHARMACY)
    held = {one.type: one.status for one in city.certificates_of_business(firm)}
    assert firm.legal_representative == cast.OWNER
    assert held == dict.fromkeys(
        ("business_licence", "drug_business_licence", "medical_device_3", "medical_device_2_record",
         "food_business_licence"), "01"
    )  # fmt: skip


def test_codes_that_begin_with_letters(city: City) -> None:
    assert city.business(2).uscc[0] == "N"
    assert city.business(11).uscc[0] == "Y"


def test_two_agencies_that_disagree_on_an_address(city: City) -> None:
    moved = city.person(cast.MOVED)
    assert of_person(city, cast.MOVED)["resident_id_card"].claims["address"] != moved.address
    firm = city.business(6)
    licence = next(iter(city.certificates_of_business(firm)))
    assert (licence.type, licence.claims["address"] != firm.address) == ("business_licence", True)


def test_a_business_with_more_than_two_hundred_people(city: City) -> None:
    people = {role.person for role in city.roles(city.business(cast.CROWDED))}
    assert len(people) > 200
    assert cast.MANAGER in people


def test_one_person_with_twelve_businesses(city: City, businesses: list[Business]) -> None:
    assert sum(firm.legal_representative == cast.MANAGER for firm in businesses) == 12


def test_money_that_is_not_yuan(city: City) -> None:
    assert city.business(10).currency == "USD"


def test_no_pair_of_person_and_role_stands_twice_in_a_business(
    city: City, businesses: list[Business]
) -> None:
    for firm in businesses:
        pairs = [(role.person, role.role) for role in city.roles(firm)]
        assert len(pairs) == len(set(pairs))
        assert all(0 <= person < city.people_count for person, _ in pairs)


def test_a_city_of_a_million_is_drawn_as_it_is_asked_for() -> None:
    city = City(1_000_000)
    families = city.families()
    assert isinstance(families, map)
    assert isinstance(city.roles(city.business(0)), types.GeneratorType)
    assert [person.index for person in next(families)] == [0, 1, 2, 3]
    assert city.person(999_999).index == 999_999
    assert city.business_count == 300_000


@pytest.mark.parametrize("people", [0, LEAST_PEOPLE - 1, 10**9])
def test_a_city_too_small_or_too_large_is_refused(people: int) -> None:
    with pytest.raises(ValueError, match="people"):
        City(people)


def test_the_sex_of_the_number_is_the_sex_of_the_person(people: list[Person]) -> None:
    assert all(rules.sex(ResidentIdNumber(person.id_number)) == person.sex for person in people)

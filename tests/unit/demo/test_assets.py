"""The files the demo is made from: catalogue, stores, people, postcodes and pictures."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.identity import IdentifierType, normalise
from sync_server.demo.assets import distance_m, read_assets
from sync_server.demo.numbers import account_number, check_digit, loyalty_number, phone_number, shopper_index
from sync_server.demo.pictures import draw_picture, list_pictures
from tests.unit.demo.worlds import chain_of

PICTURES = files("assets") / "products"


def test_the_catalogue_has_some_240_products_that_can_be_scanned() -> None:
    """Unique skus and titles, GTIN-13 with a right check digit, ten products a category."""
    products = read_assets().products
    assert len(products) == 240
    for field in ("sku", "gtin", "title"):
        assert len({getattr(product, field) for product in products}) == 240, field
    assert all(len(one.gtin) == 13 and check_digit(one.gtin[:12]) == one.gtin[12] for one in products)
    assert set(Counter(product.category for product in products).values()) == {10}


def test_a_known_gtin_has_the_check_digit_printed_on_it() -> None:
    """The example of the GS1 General Specifications: 629104150021 has the check digit 3."""
    assert check_digit("629104150021") == "3"


def test_every_product_earns_something_in_both_currencies() -> None:
    """Prices are minor units in EUR and CHF; what is left after tax is more than the cost."""
    for product in read_assets().products:
        for currency, vat_per_mille in (("EUR", 230), ("CHF", 81)):
            net = product.price_minor[currency] * 1000 // (1000 + vat_per_mille)
            assert 0 < product.cost_minor[currency] < net


def test_every_picture_is_a_small_webp_of_320_pixels() -> None:
    """Each drawing has its file and each file its drawing; 320 x 320, at most 8 kB."""
    drawn = {picture.file_name for picture in list_pictures()}
    stored = {entry.name for entry in PICTURES.iterdir() if entry.name.endswith(".webp")}
    assert drawn == stored
    assert 72 <= len(stored) <= 96
    for name in stored:
        content = (PICTURES / name).read_bytes()
        assert content[:4] + content[8:16] == b"RIFFWEBPVP8 ", name
        assert [int.from_bytes(content[at : at + 2], "little") & 0x3FFF for at in (26, 28)] == [320, 320], name
        assert len(content) <= 8_192, name


def test_every_picture_is_used_and_every_product_has_one() -> None:
    """No picture is missing, none lies about."""
    assert {product.picture for product in read_assets().products} == {one.file_name for one in list_pictures()}


def test_pictures_hold_shapes_and_no_letters() -> None:
    """A drawing is paths on the one ground under the one light, without text or anything from outside."""
    for picture in list_pictures():
        svg = draw_picture(picture)
        assert "<path" in svg
        assert 'id="ground"' in svg
        assert "<text" not in svg
        assert "href" not in svg


def test_there_are_six_stores_one_of_them_in_francs_and_one_in_another_zone() -> None:
    """Zurich and Lisbon differ; every zone is known, coordinates are whole millionths of a degree."""
    stores = read_assets().stores
    assert stores[0].code == "berlin-1"
    assert len(stores) == 6
    assert {store.code for store in stores if store.currency == "CHF"} == {"zurich-1"}
    assert {ZoneInfo(store.timezone).key for store in stores} == {"Europe/Berlin", "Europe/Zurich", "Europe/Lisbon"}
    assert all(36_000_000 < store.lat_e6 < 56_000_000 for store in stores)


def test_each_store_has_four_associates_and_a_manager_with_their_own_pins() -> None:
    """24 associates with four digits, 6 managers with six; no PIN twice in the chain."""
    people = read_assets().associates
    roles = Counter((person.store, person.role) for person in people)
    assert all(
        roles[store.code, "associate"] == 4 and roles[store.code, "manager"] == 1 for store in read_assets().stores
    )
    assert {(person.role, len(person.pin)) for person in people} == {("associate", 4), ("manager", 6)}
    assert len({person.pin for person in people}) == len({person.associate_id for person in people}) == 30


def test_shoppers_live_between_a_short_walk_and_a_long_drive_from_their_store() -> None:
    """Distances run from under a kilometre to 45 km, near and far both well filled."""
    chain = chain_of(400)
    distances = sorted(chain.shopper(index).distance_m for index in range(400))
    assert distances[0] < 1_000
    assert 35_000 < distances[-1] <= 45_000
    assert 0.35 < sum(metres <= 3_000 for metres in distances) / 400 < 0.60


def test_postcodes_are_unique_and_near_a_store() -> None:
    """One middle for each postcode, none farther than 55 km from a store of its country."""
    assets = read_assets()
    assert len({(place.country, place.postcode) for place in assets.postcodes}) == len(assets.postcodes)
    for place in assets.postcodes:
        own = [store for store in assets.stores if store.country == place.country]
        assert min(distance_m(place, store) for store in own) < 55_000, place


def test_berlin_and_hamburg_are_255_kilometres_apart() -> None:
    """The distance is the great circle's: the two town halls, to a few kilometres."""
    assets = read_assets()
    hamburg = next(place for place in assets.postcodes if place.postcode == "20095")
    assert abs(distance_m(hamburg, assets.stores[0]) - 255_000) < 5_000


def test_contacts_of_made_up_shoppers_are_well_formed_and_their_own() -> None:
    """E-mails and phones pass the core's normalisation; e-mails and loyalty numbers are never shared."""
    chain = chain_of(400)
    people = [chain.shopper(index) for index in range(400)]
    assert len({one.email for one in people}) == len({one.loyalty_id for one in people}) == 400
    for one in people:
        assert normalise(IdentifierType.EMAIL, one.email, region="DE")
        assert one.email.rpartition("@")[2] in ("example.com", "example.org", "example.net")
        if one.phone:
            assert normalise(IdentifierType.PHONE, one.phone, region="DE")


@pytest.mark.parametrize("country", ["DE", "CH", "PT"])
def test_phone_numbers_have_the_length_of_their_country(country: str) -> None:
    """A valid mobile number of that country by the library's own table."""
    number = phonenumbers.parse(phone_number(country, 12), None)
    assert phonenumbers.is_valid_number_for_region(number, country)


@given(st.integers(min_value=0, max_value=9_999_999))
def test_a_loyalty_number_leads_back_to_its_shopper(index: int) -> None:
    """EAN-13 in the range 29; the index is found again, so no register of numbers is needed."""
    number = loyalty_number(index)
    assert len(number) == 13
    assert number.startswith("29")
    assert check_digit(number[:12]) == number[12]
    assert shopper_index(number) == index


@pytest.mark.parametrize("text", ["", "2900000000000x", "4006381333931", "29271828182", "2927182818280"])
def test_a_number_that_is_none_of_ours_is_refused(text: str) -> None:
    """Wrong length, range, characters or check digit."""
    with pytest.raises(ValueError, match=r"loyalty number|check digit"):
        shopper_index(text)


def test_account_numbers_are_never_given_twice() -> None:
    """One web shop number for each shopper of a large chain."""
    assert len({account_number(index) for index in range(50_000)}) == 50_000

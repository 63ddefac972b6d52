"""Finding shoppers by what people type at a counter."""

from __future__ import annotations

import pytest

from associate_app.services.search import find_shoppers
from tests.support.replica import STORE_SCOPE, load, mara

PEOPLE = {
    "p1": ("Mara", "Lindqvist", "2900000000018", "+4915123456789", "mara@example.org"),
    "p2": ("Jürgen", "Müller", "2900000000025", "+4917099988877", "j.mueller@example.com"),
    "p3": ("Li", "Ng", "2900000000032", "+41791234567", "ng@example.ch"),
    "p4": ("Łukasz", "Ørsted", "2900000000049", "+4520304050", "lukasz@example.dk"),
    "p5": ("Maria", "Lindner", "2900000000056", "+4915199911122", "maria@example.org"),
    "p6": ("Anna Sofie", "Groß", "2900000000063", "+49301112223", "anna@example.org"),
}


@pytest.fixture
def found(database):
    """Who is found for a text."""
    documents = {}
    for profile_id, (given, family, number, phone, email) in PEOPLE.items():
        identifiers = [{"type": "loyalty_id", "value": number}, {"type": "phone", "value": phone}]
        identifiers.append({"type": "email", "value": email})
        documents[f"profile/{profile_id}"] = mara(
            id=profile_id, given_name=given, family_name=family, identifiers=identifiers
        )
    load(database, STORE_SCOPE, documents)
    return lambda text: [hit.profile_id for hit in find_shoppers(database, text)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Lindqvist", "p1"),
        ("lindqv", "p1"),
        ("mara lind", "p1"),
        ("lind mara", "p1"),
        ("Müller", "p2"),
        ("muller", "p2"),
        ("Mueller", "p2"),
        ("Ng", "p3"),
        ("li ng", "p3"),
        ("orsted", "p4"),
        ("lukasz", "p4"),
        ("gross", "p6"),
        ("sofie", "p6"),
        ("Lindqvsit", "p1"),
        ("Lindkvist", "p1"),
        ("Linqvist", "p1"),
        ("456789", "p1"),
        ("0151 2345", "p1"),
        ("+49 170 999", "p2"),
        ("2900000000032", "p3"),
        ("000056", "p5"),
        ("j.mueller@", "p2"),
        ("example.dk", "p4"),
    ],
)
def test_a_shopper_is_found_as_people_type(found, text, first):
    """Parts of names, other spellings, small slips, phone digits with or without country code, numbers, e-mail."""
    assert found(text)[0] == first


def test_beginnings_come_before_middles_and_everyone_who_fits_is_listed(found):
    """`Lin` lists both Lindqvist and Lindner, by family name."""
    assert found("lin") == ["p5", "p1"]


@pytest.mark.parametrize(
    "text", ["", "   ", "zzzz", '"', "'; DROP TABLE shopper; --", "NEAR(", "*", "x" * 10_000, "\x00"]
)
def test_a_text_that_fits_nobody_or_means_harm_finds_nobody(found, text):
    """Quotes and operators of the index are plain characters; nothing raises."""
    assert found(text) == []

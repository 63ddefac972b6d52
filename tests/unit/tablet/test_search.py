"""Finding shoppers by what people type at a counter."""

from __future__ import annotations

import pytest

from associate_app.services.search import find_shoppers
from shared.slips import one_slip, slips_between
from tests.support.replica import STORE_SCOPE, gone, load, mara, page

PEOPLE = {
    "p1": ("Mara", "Lindqvist", "2900000000018", "+4915123456789", "mara@example.org"),
    "p2": ("Jürgen", "Müller", "2900000000025", "+4917099988877", "j.mueller@example.com"),
    "p3": ("Li", "Ng", "2900000000032", "+41791234567", "ng@example.ch"),
    "p4": ("Łukasz", "Ørsted", "2900000000049", "+4520304050", "lukasz@example.dk"),
    "p5": ("Maria", "Lindner", "2900000000056", "+4915199911122", "maria@example.org"),
    "p6": ("Anna Sofie", "Groß", "2900000000063", "+49301112223", "anna@example.org"),
    "p7": ("Jan", "Weißbach", "2900000000070", "+491632223334", "weiss@example.org"),
    "p8": ("Ute", "Klein-Zschoche", "2900000000087", "+491634445556", "uz@example.org"),
    "p9": ("Kim", "Duerr", "2900000000094", "+491634445222", "kim.d@example.org"),
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
        ("kim.", "p9"),
        ("222", "p9"),
        ("lindwvist", "p1"),
        ("llindqvist", "p1"),
        ("indqvist", "p1"),
        ("ilndqvist", "p1"),
        ("Mraa Lindqvist", "p1"),
        ("lindqvits maar", "p1"),
        ("lindqvsi", "p1"),
        ("Jn Weißbach", "p7"),
        ("Jan Weibßach", "p7"),
        ("Weisbach", "p7"),
        ("Mueler", "p2"),
        ("Mülelr", "p2"),
        ("Juergne Müller", "p2"),
        ("Dürr", "p9"),
        ("kim dür", "p9"),
        ("Ute Zscohche", "p8"),
        ("klein zschoche", "p8"),
        ("kleinzschoche", "p8"),
        ("ana sofie gros", "p6"),
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


def test_the_same_comes_before_beginnings_and_those_before_slips(database):
    """`Bergs`: who is called so, then whose names begin so, last who is one slip away; names tell equals apart."""
    names = {"a": "Berg", "b": "Bergs", "c": "Bergsen", "d": "Altbergs", "e": "Bergt", "f": "Sommer"}
    load(database, STORE_SCOPE, {f"profile/{key}": mara(id=key, family_name=name) for key, name in names.items()})
    assert [hit.profile_id for hit in find_shoppers(database, "Bergs")] == ["b", "c", "d", "a", "e"]


def test_of_equally_likely_ones_those_seen_come_first_however_many_there_are(database):
    """Thirty namesakes: the one whose card was open is at the head; seen or not, a worse answer stays behind."""
    people = {f"profile/{number:02}": mara(id=f"{number:02}") for number in range(30)}
    people["profile/x"] = mara(id="x", family_name="Lindqvister")
    load(database, STORE_SCOPE, people)
    for text in ("mara lindqvist", "lindqvist", "lindqvits"):
        assert find_shoppers(database, text, seen=("29",))[0].profile_id == "29"
    assert find_shoppers(database, "lindqvist", seen=("x",))[0].profile_id == "00"
    assert find_shoppers(database, "sommer", seen=("29",)) == ()


def test_a_common_name_near_by_leaves_room_for_a_rare_one(database):
    """`Meiper` lies one slip from forty Meiers and from one Meiser."""
    people = {f"profile/{number:02}": mara(id=f"{number:02}", family_name="Meier") for number in range(40)}
    people["profile/z"] = mara(id="z", family_name="Meiser")
    load(database, STORE_SCOPE, people)
    hits = find_shoppers(database, "Meiper")
    assert "z" in {hit.profile_id for hit in hits}
    assert len(hits) > 5


def test_who_left_is_not_found_by_a_slip_either(database):
    """Somebody erased, by each reading; nor is one of them among those seen this shift."""
    load(database, STORE_SCOPE, {"profile/p1": mara(id="p1"), "profile/p2": mara(id="p2", family_name="Vik")})
    database.apply_page(page(STORE_SCOPE, [gone("profile/p1", 11, "erased")], head=11))
    for text in ("lindqvist", "lindqvits", "mraa lindqvist", "lindqv", "maralindqvist"):
        assert "p1" not in {hit.profile_id for hit in find_shoppers(database, text, seen=("p1",))}


@pytest.mark.parametrize(
    ("typed", "word", "slips"),
    [
        ("lind", "lind", 0),
        ("lnd", "lind", 1),
        ("liind", "lind", 1),
        ("lnid", "lind", 1),
        ("lint", "lind", 1),
        ("ind", "lind", 1),
        ("lin", "lind", 1),
        ("ilnd", "lind", 1),
        ("lidn", "lind", 1),
        ("lnit", "lind", 2),
        ("nild", "lind", 2),
        ("lindau", "lind", 2),
        ("", "l", 1),
    ],
)
def test_a_slip_is_one_letter(typed, word, slips):
    """Missing, doubled, wrong or swapped; what is counted and what is looked for are the same."""
    assert slips_between(typed, word) == slips_between(word, typed) == slips
    assert (word in one_slip(typed)) is (slips <= 1)

"""A new PIN on the tablet: offline, by a manager who proves it, at once in force, and its hash goes to HQ alone."""

from __future__ import annotations

from typing import Any

import pytest

from associate_app.services.export import export_journal
from associate_app.services.override import Approval
from associate_app.services.pin_reset import set_pin
from associate_app.services.record import Recorder
from associate_app.services.sign_in import FREE_TRIES, SignIn, sign_in
from associate_app.services.store_book import TabletRules
from shared.errors import Refused
from tests.support.plays import NOW_AT
from tests.support.replica import PIN_HASH, STORE_SCOPE, ShopTablet, answer, page, put

BOSS = {"associate_id": "a0002", "name": "Mira", "role": "manager", "pin_hash": PIN_HASH}
OTHER = {"associate_id": "a0003", "name": "Ada", "role": "manager", "pin_hash": PIN_HASH}
MINE = Approval("a0002", "2580")


@pytest.fixture
def manager(shop: ShopTablet) -> Recorder:
    """Mira, who manages the store, and her records."""
    changes = [put("associate/a0002", BOSS, 50), put("associate/a0003", OTHER, 51)]
    shop.database.apply_page(page(STORE_SCOPE, changes, head=51))
    return Recorder(shop.database, shop.clock, shop.recorder.make_id, lambda: None, "a0002")


def tried(shop: ShopTablet, pin: str, who: str = "a0001") -> SignIn:
    """What comes of a PIN."""
    return sign_in(shop.database, who, pin, clock=shop.clock, rules=TabletRules())


def test_a_new_pin_holds_at_once_and_ends_the_wait_of_wrong_ones(shop: ShopTablet, manager: Recorder) -> None:
    """Without a network; the old one is one no more, and the lock is gone with it."""
    for _ in range(FREE_TRIES):
        tried(shop, "0000")
    assert tried(shop, "2580").wait_s > 0
    saved = set_pin(manager, shop.book, "a0001", "112233", MINE)
    assert tried(shop, "2580").associate is None
    assert tried(shop, "112233").associate is not None
    entry = shop.database.entry(saved.op_id)
    assert entry is not None
    assert entry.op.body["pin_hash"].startswith("$argon2id$")
    assert "112233" not in str(entry)


def test_a_wait_ends_on_the_other_tablets_too_when_they_hear_of_the_new_pin(
    shop: ShopTablet, manager: Recorder
) -> None:
    """The tries were those of another PIN."""
    for _ in range(FREE_TRIES):
        tried(shop, "0000")
    person = {"associate_id": "a0001", "name": "Jonas Weber", "pin_hash": new_hash(shop, manager), "pin_set_at": NOW_AT}
    shop.database.apply_page(page(STORE_SCOPE, [put("associate/a0001", person, 60)], head=60))
    assert tried(shop, "4711").associate is not None


def new_hash(shop: ShopTablet, manager: Recorder) -> str:
    """The hash of 4711, as another tablet would make it."""
    saved = set_pin(manager, shop.book, "a0003" if manager.associate_id == "a0003" else "a0002", "4711", MINE)
    entry = shop.database.entry(saved.op_id)
    assert entry is not None
    return str(entry.op.body["pin_hash"])


@pytest.mark.parametrize(
    ("whom", "pin", "approval", "words"),
    [
        ("a0001", "12", MINE, "4 to 6 digits"),
        ("a0001", "12345a", MINE, "4 to 6 digits"),
        ("a0003", "1234", MINE, "HQ sets the PIN of another manager"),
        ("nobody", "1234", MINE, "nobody of that name"),
        ("a0001", "1234", Approval("a0002", "0000"), "not right"),
        ("a0001", "1234", Approval("a0003", "2580"), "your own PIN"),
    ],
)
def test_what_may_not_be_is_refused_in_words(
    shop: ShopTablet, manager: Recorder, whom: str, pin: str, approval: Approval, words: str
) -> None:
    """And nothing is recorded."""
    with pytest.raises(Refused, match=words):
        set_pin(manager, shop.book, whom, pin, approval)
    assert shop.database.counts().recorded == 0
    assert "2580" not in repr(MINE)


def test_an_associate_gives_nobody_a_pin(shop: ShopTablet, manager: Recorder) -> None:
    """Not even themselves."""
    with pytest.raises(Refused, match="Only a store manager"):
        set_pin(shop.recorder, shop.book, "a0001", "1234", Approval("a0001", "2580"))


def test_the_hash_leaves_by_a_push_alone(shop: ShopTablet, manager: Recorder) -> None:
    """An export of the journal is for people's hands."""
    set_pin(manager, shop.book, "a0001", "112233", MINE)
    assert "argon2" not in "".join(export_journal(shop.database))
    [op] = shop.database.next_batch(after_seq=0, max_ops=5, max_bytes=100_000)
    assert op.kind == "pin_set"


@pytest.mark.parametrize(
    ("verdict", "holds"),
    [
        ("accepted", True),
        (("parked", "unknown_kind"), True),
        (("parked", "not_allowed"), False),
        (("rejected", "malformed"), False),
    ],
)
def test_hq_s_word_decides_and_a_server_of_before_takes_nothing_away(
    shop: ShopTablet, manager: Recorder, verdict: Any, holds: bool
) -> None:
    """Accepted it holds until the feed shows it; not allowed it never did; not understood yet it holds here."""
    set_pin(manager, shop.book, "a0001", "112233", MINE)
    shop.database.settle(answer(shop.database, {1: verdict}, visible_at=99), at=NOW_AT)
    assert (tried(shop, "112233").associate is not None) is holds
    assert (tried(shop, "2580").associate is None) is holds
    later = "2026-11-23T10:00:00.000Z"
    person = {"associate_id": "a0001", "name": "Jonas Weber", "pin_hash": PIN_HASH, "pin_set_at": later}
    shop.database.apply_page(page(STORE_SCOPE, [put("associate/a0001", person, 98)], head=98))
    assert tried(shop, "2580").associate is not None, "HQ set one later"

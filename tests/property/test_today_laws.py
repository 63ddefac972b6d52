"""Laws of Today's lists: nobody without consent, never too many, one order however the shoppers are come by; and of the
ticks of a task, the last one."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from associate_app.services.outreach import WAY_OF, agreed_to
from associate_app.services.slice_walk import MINE_MAX, SHORT_LIST, Note, entered_at, glean, note_of
from associate_app.services.store_book import StoreBook
from shared.clock import parse_at
from shared.plays.tasks import TasksDocument, TickedTask, with_tick
from tests.support.plays import NOW_AT, ago, event, granted
from tests.support.replica import SKU, make_shop_tablet, mara

PURPOSES = ("personalise_in_store", "profiling", "email", "sms", "phone")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> StoreBook:
    """The seed playbook in a store that has four of everything."""
    shop = make_shop_tablet(tmp_path_factory.mktemp("laws"))
    made = shop.book
    shop.close()
    return made


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Mara with whatever she agreed to, and every reason to be written to, called and greeted."""
    agreed = draw(st.sets(st.sampled_from(PURPOSES)))
    promised = draw(st.booleans())
    return mara(
        id=draw(st.uuids()).hex,
        consent=granted(*agreed),
        wishlist=[{"sku": SKU, "at": ago(80)}],
        recent=[event("Store Entered", 0.5, store="berlin-1")],
        value_band="top_5",
        follow_ups=[{"op_id": "f", "what": "call", "state": "open"}] if promised else [],
        facts={**mara()["facts"], "orders": 4, "last_order_at": ago(24 * draw(st.sampled_from([30, 120, 400])))},
    )


@given(documents())
def test_nobody_is_listed_who_did_not_agree(book: StoreBook, document: dict[str, Any]) -> None:
    """A word needs a channel, what the play reads, and no promise; a greeting the consent to being greeted by it."""
    note = note_of(document, 1, book, parse_at(NOW_AT))
    if note.rank is not None:
        assert any(agreed_to(document, channel) for channel in WAY_OF)
        assert not document["follow_ups"]
        assert any(all(agreed_to(document, one) for one in play.consents) for play in book.outreach.plays)
    if not agreed_to(document, "personalise_in_store"):
        assert entered_at(document, "berlin-1") is note.entered_at is None


notes = st.dictionaries(
    st.integers(0, 10**6).map("profile/{:06d}".format),
    st.builds(
        Note,
        s=st.just(1),
        pinned_by=st.sets(st.sampled_from("abc")).map(lambda found: tuple(sorted(found))),
        served=st.dictionaries(st.sampled_from("abc"), st.sampled_from([ago(1), ago(2)])).map(
            lambda found: tuple(sorted(found.items()))
        ),
        entered_at=st.none() | st.sampled_from([ago(1), ago(2)]),
        rank=st.none() | st.tuples(st.integers(0, 2), st.integers(-5, 0), st.text("ab", max_size=3)),
    ),
    max_size=90,
)


@given(notes, st.randoms())
def test_the_lists_are_bounded_and_in_one_order(found: dict[str, Note], chance: random.Random) -> None:
    """Whatever order the shoppers came in; the best are kept."""
    shuffled = list(found.items())
    chance.shuffle(shuffled)
    gleaned = glean(dict(shuffled))
    assert gleaned == glean(found)
    assert len(gleaned.worth) <= SHORT_LIST
    assert max(map(len, (gleaned.entered, *gleaned.mine.values())), default=0) <= MINE_MAX
    ranks = [found[f"profile/{one}"].rank for one in gleaned.worth]
    assert None not in ranks
    assert ranks == sorted(ranks)  # type: ignore[type-var]


ticks = st.builds(
    TickedTask,
    done=st.booleans(),
    at=st.sampled_from([ago(1), ago(2), ago(3)]),
    op_id=st.integers(0, 99).map("{:02d}".format),
)


@given(st.lists(st.tuples(st.sampled_from("ab"), ticks), unique_by=lambda one: one[1].op_id), st.randoms())
def test_the_last_tick_of_a_task_counts_in_whatever_order(told: list[tuple[str, TickedTask]], chance: Any) -> None:
    """Order and repetition change nothing."""
    ordered = _laid(told)
    again = [*told, *told]
    chance.shuffle(again)
    assert _laid(again) == ordered
    for task in "ab":
        mine = [tick for name, tick in told if name == task]
        assert ordered.ticks.get(task) == max(mine, key=lambda tick: (tick.at, tick.op_id), default=None)


def _laid(told: list[tuple[str, TickedTask]]) -> TasksDocument:
    held = TasksDocument(entry_id="e")
    for task, tick in told:
        held = with_tick(held, task, tick)
    return held

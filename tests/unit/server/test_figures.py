"""A store's figures at HQ: what counts, what an order proves, what goes again, when lift is told."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from shared.fold import ProfileState
from shared.plays.figures import FigureRow, FiguresDocument, LiftDocument
from shared.plays.playbook import Playbook
from shared.projection import Reading
from sync_server.services.estimates import refresh_estimates
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.lift import LiftCount, interval_of, triggers_seen
from sync_server.services.privacy import erase
from tests.support.plays import play
from tests.support.world import LOYALTY_ID, Journalist, make_journalist, pass_time

PLAY, TODAY = "show-the-cart", "2026-11-22"
SHOPPER = {"type": "loyalty_id", "value": LOYALTY_ID}


@pytest.fixture
def tablet(hq: Headquarters) -> Journalist:
    """A tablet of berlin-1."""
    return make_journalist(hq)


def show(tablet: Journalist, arm: str = "shown", **envelope: Any) -> dict[str, Any]:
    """A card opened with the play on it."""
    shown = {"play_id": PLAY, "play_version": 1, "arm": arm, "rank": 1}
    body = {"shopper": SHOPPER, "shown": [shown], "rule_pack": "0" * 64, "profile_s": 0}
    return tablet.record("impression_recorded", body, **envelope)


def sell(hq: Headquarters, order_id: str, total: float = 49.9, currency: str = "EUR") -> None:
    """The till's order of the same shopper in the same store."""
    names = {"context": {"externalIds": [{"type": "loyalty_id", "id": LOYALTY_ID}]}}
    order = {"order_id": order_id, "currency": currency, "total": total, "store": "berlin-1", "products": []}
    sold = {"type": "track", "event": "Order Completed", "properties": order, "messageId": order_id, **names}
    take_messages(hq.database, hq.clock, "till", [sold])


def figures(hq: Headquarters, store: str = "berlin-1") -> FiguresDocument:
    """What the store's tablets hear, counted now."""
    refresh_estimates(hq)
    with hq.database.read() as reader:
        row = reader.doc(f"store:{store}", f"figures/{store}")
    assert row is not None
    return FiguresDocument.model_validate_json(row.body)


def test_a_store_hears_what_its_own_tablets_did(hq: Headquarters, tablet: Journalist):
    """Shown, held back, used, claimed and proven; another store's showing is the other's; nobody is named."""
    show(tablet)
    show(tablet, "would_show")
    tablet.outcome()
    tablet.outcome("not_mentioned")
    tablet.push()
    away = make_journalist(hq, "zurich-1")
    show(away)
    away.push()
    row = {"on": TODAY, "play_id": PLAY, "shown": 1, "would_show": 1, "used": 1, "bought": 1}
    found = figures(hq)
    assert found.rows == (FigureRow(**row),)
    assert found.revenue == ()
    sell(hq, "o1")
    found = figures(hq)
    assert found.rows == (FigureRow(**row, proven=1),)
    assert [(one.on, one.minor, one.currency) for one in found.revenue] == [(TODAY, 4990, "EUR")]
    assert [(one.name, one.last_seen_at) for one in found.tablets] == [("Tablet", None)]
    assert figures(hq, "zurich-1").rows == (FigureRow(on=TODAY, play_id=PLAY, shown=1),)
    assert LOYALTY_ID not in found.model_dump_json()
    assert "a0001" not in found.model_dump_json()


def test_money_of_two_currencies_stays_two_sums(hq: Headquarters, tablet: Journalist):
    """Francs are not added to euros."""
    tablet.outcome()
    tablet.push()
    sell(hq, "o1")
    pass_time(hq, hours=6)
    later = tablet.outcome()
    tablet.push([later])
    sell(hq, "o2", 20.0, "CHF")
    assert [(one.minor, one.currency) for one in figures(hq).revenue] == [(2000, "CHF"), (4990, "EUR")]


def test_what_is_undone_old_or_erased_does_not_count(hq: Headquarters, tablet: Journalist):
    """Undo reaches the figures in the next counting; so does an erasure; a showing of last week is not of this one."""
    showing, said = show(tablet), tablet.outcome()
    tablet.push()
    for op in (showing, said):
        tablet.record("op_withdrawn", {"why": "undo"}, amends=op["op_id"])
    tablet.push(tablet.ops[2:])
    assert figures(hq).rows == ()
    last = show(tablet)
    tablet.push([last])
    assert figures(hq).rows == (FigureRow(on=TODAY, play_id=PLAY, shown=1),)
    pass_time(hq, days=9)
    assert figures(hq).rows == ()
    newest = show(tablet)
    tablet.push([newest])
    assert len(figures(hq).rows) == 1
    erase(hq, LOYALTY_ID, who="hq")
    assert figures(hq).rows == ()


def test_what_became_visible_later_is_not_in_it(hq: Headquarters, tablet: Journalist):
    """The position tells it: a counted op lies at or below, one pushed afterwards above."""
    show(tablet)
    before = tablet.push()["visible_at"]["store:berlin-1"]
    through_s = figures(hq).through_s
    later = show(tablet)
    after = tablet.push([later])["visible_at"]["store:berlin-1"]
    assert before <= through_s < after


def test_a_store_without_tablets_gets_no_document(hq: Headquarters):
    """There is nobody to read it."""
    refresh_estimates(hq)
    with hq.database.read() as reader:
        assert reader.docs_of("store:berlin-1", "figures/") == []


# lift -----------------------------------------------------------------------------------------------------------------

AGREED = {"analytics": ["2026-01-01T10:00:00.000Z", 0, "c", None, None]}
NOW_AT, FIRST_AT = "2026-11-22T10:00:00.000Z", "2026-11-01T10:00:00.000Z"


def lift(shown: tuple[int, int], held: tuple[int, int], *, percent: int = 50, at: str = FIRST_AT) -> LiftDocument:
    """The lift of a play from (shoppers, those with an order) of both groups, among as many who did not agree to it."""
    made = play(id=PLAY, holdout={"percent": percent})
    count = LiftCount(Playbook.of([made], []), 0, NOW_AT)
    order = [FIRST_AT.replace("T10", "T12"), 0, "f", "pos", "berlin-1", 100, "EUR", []]
    seen = {PLAY: NOW_AT}
    for arm, (n, orders) in (("shown", shown), ("would_show", held)):
        for place in range(n):
            orders_of = {"o": order} if place < orders else {}
            count.add(
                Reading(ProfileState(consent=AGREED, first_shown={PLAY: [at, "op", arm]}, orders=orders_of)),
                seen if place == 0 else {},
            )
            count.add(Reading(ProfileState(first_shown={PLAY: [at, "op", arm]}, orders={"o": order})), seen)
    return next(iter(count.documents()))


def test_lift_is_told_with_n_and_interval_only():
    """Whole numbers; the known answer of the Hillstrom e-mail experiment (visits and conversions)."""
    found = lift((200, 60), (200, 30))
    assert found.state == "measured"
    assert (found.shown, found.shown_orders, found.held, found.held_orders) == (200, 60, 200, 30)
    assert found.lift_ppm == 150_000
    assert found.trigger_seen == 1, "of the held back, who agreed to be counted"
    assert found.low_ppm is not None
    assert 60_000 < found.low_ppm < 150_000
    assert interval_of(3894, 21307, 2262, 21306) == (76_590, 69_953, 83_227)
    assert interval_of(267, 21307, 122, 21306) == (6_805, 5_014, 8_641)


def test_lift_is_not_told_early_or_of_uneven_groups():
    """Under ten orders in a group; groups that are not as drawn; exposures whose two weeks are not over."""
    assert lift((200, 60), (200, 9)).state == "few"
    uneven = lift((200, 60), (100, 30))
    assert (uneven.state, uneven.lift_ppm) == ("uneven", None)
    with pytest.raises(StopIteration):
        lift((20, 10), (20, 10), at="2026-11-21T10:00:00.000Z")
    with pytest.raises(StopIteration):
        lift((20, 10), (20, 10), percent=0)


def test_without_statistics_lift_is_left_out(monkeypatch: pytest.MonkeyPatch):
    """HQ may run without the extra that works out intervals."""
    monkeypatch.setitem(sys.modules, "scipy.stats", None)
    assert lift((200, 60), (200, 30)).state == "unmeasured"


def test_whose_trigger_was_seen_is_known_by_shopper_and_play(hq: Headquarters, tablet: Journalist):
    """The last time counts; what was taken back with the shopper's erasure is not there."""
    op = tablet.record("trigger_seen", {"shopper": SHOPPER, "play_id": PLAY})
    tablet.push([op])
    with hq.database.read() as reader:
        [plays] = triggers_seen(reader).values()
    assert list(plays) == [PLAY]
    erase(hq, LOYALTY_ID, who="Ada")
    with hq.database.read() as reader:
        assert triggers_seen(reader) == {}


def test_lift_documents_hold_whole_numbers(hq: Headquarters):
    """What is published can be read back, and its numbers are integers."""
    found = json.loads(lift((200, 60), (200, 30)).model_dump_json(exclude_none=True))
    assert all(isinstance(value, int | str) for value in found.values())

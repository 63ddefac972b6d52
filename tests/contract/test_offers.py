"""An offer bent on one tablet without a network: HQ's totals, the other tablet's count, and a manager's pause."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from associate_app.services.lookup import ShopperKey
from associate_app.services.override import Wish, honour_offer, used_today
from associate_app.services.play_change import change_play
from associate_app.services.record import Recorder
from associate_app.services.store_book import StoreBook, StoreBooks
from shared.errors import Refused
from sync_server.services.chain import NewAssociate, add_associates
from sync_server.services.headquarters import Headquarters
from sync_server.services.overrides import total_overrides
from sync_server.services.play_changes import list_changes, list_proposals
from sync_server.services.play_life import publish
from sync_server.services.quarantine import list_quarantine
from tests.support.asgi_endpoint import AsgiTransport
from tests.support.programs import run_json_here
from tests.support.tablet import Tablet, connect, make_tablet
from tests.support.world import LOYALTY_ID, pass_time

OFFER = """
id: knits
title: 20 on knitwear
kind: amount
amounts: [{minor: 2000, currency: EUR}]
terms: On all knitwear.
codes: [KNITS20]
valid_until: 2026-11-21
override: {extend_days: 3, max_minor: 1500, per_day: 2, reasons: [late, size], needs: associate}
"""
PLAY = """
id: say-hello
title: Say hello
tags: [welcome]
class: recommended
offer_id: knits
condition: {kind: Group, op: all, items: []}
talking_points: {en: {opener: Hello.}}
guardrails: {lever_min: -10, lever_max: 20, may_pause: true}
"""
SHOPPER = ShopperKey("loyalty_id", LOYALTY_ID, "01a20000-0000-5000-8000-00000000aaaa")


@pytest.fixture
def tablets(hq: Headquarters, transport: AsgiTransport, tmp_path: Path) -> list[Tablet]:
    """Two tablets of berlin-1 that hold the offer and the play."""
    for kind, text in (("offers", OFFER), ("playbook", PLAY)):
        (tmp_path / "files" / kind).mkdir(parents=True)
        (tmp_path / "files" / kind / "one.yaml").write_text(text, "utf-8")
    publish(hq, tmp_path / "files")
    pass_time(hq, minutes=1)
    made = [make_tablet(tmp_path, transport, seed=seed) for seed in (1, 2)]
    for tablet in made:
        tablet.clock.move(60)
        connect(tablet, hq)
        assert tablet.sync().is_complete
    return made


def recorder_of(tablet: Tablet, who: str) -> Recorder:
    """Someone at a tablet."""
    return Recorder(tablet.database, tablet.clock, tablet.make_id, lambda: None, who)


def book_of(tablet: Tablet) -> StoreBook:
    """What the tablet knows of its store."""
    return StoreBooks().read(tablet.database)


def bend(tablet: Tablet, **said: Any) -> str:
    """The offer honoured at a tablet; the op's id."""
    wish = replace(Wish("knits", "extended", "late"), **said)
    return honour_offer(recorder_of(tablet, "a0001"), book_of(tablet), SHOPPER, wish).saved.op_id


def test_what_was_given_offline_is_totalled_at_hq_and_counted_on_the_other_tablet(
    hq: Headquarters, tablets: list[Tablet], tmp_path: Path
) -> None:
    """Both gave what they could see; HQ says which one was over, and nobody gives more."""
    first, second = tablets
    bend(first)
    bend(first, kind="goodwill", amount=700, reason="size")
    bend(second)
    assert total_overrides(hq) == []
    assert all(tablet.sync().is_complete for tablet in tablets)
    assert list_quarantine(hq) == []
    rows = total_overrides(hq)
    assert [(one["reason"], one["kind"], one["count"], one["minor"], one["over"]) for one in rows] == [
        ("late", "extended", 2, 4000, 1),
        ("size", "goodwill", 1, 700, 0),
    ]
    assert used_today(second.database, book_of(second), "knits", second.clock.now()) == 3
    with pytest.raises(Refused, match="3 times here today"):
        bend(second)
    here = ("--data-dir", tmp_path, "--database", hq.settings.database)
    assert run_json_here("sync_server", "offer", "overrides", "--store", "berlin-1", *here) == rows
    assert [one["offer_id"] for one in run_json_here("sync_server", "offer", "list", *here)] == ["knits"]
    assert run_json_here("sync_server", "offer", "check", *here) == []


def test_a_managers_pause_holds_here_at_once_and_there_with_the_feed(hq: Headquarters, tablets: list[Tablet]) -> None:
    """What the first tablet laid over is what HQ publishes; nothing becomes a proposal."""
    first, second = tablets
    [mira] = add_associates(hq, [NewAssociate("berlin-1", "Mira", role="manager")])
    assert first.sync().is_complete
    change_play(recorder_of(first, str(mira["associate_id"])), book_of(first), "say-hello", paused=True, lever=20)
    at_once = book_of(first).playbook.changes
    assert (at_once["say-hello"].paused, at_once["say-hello"].lever) == (True, 20)
    assert book_of(second).playbook.changes == {}
    assert all(tablet.sync().is_complete for tablet in tablets)
    assert book_of(first).playbook.changes == book_of(second).playbook.changes == at_once
    assert [(one["play_id"], one["paused"], one["lever"]) for one in list_changes(hq)] == [("say-hello", True, 20)]
    assert list_proposals(hq) == []

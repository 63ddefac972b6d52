"""Parity in the wild, estimates and what-if on both databases: a real tablet evaluates, HQ runs it again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from associate_app.services.lookup import CardView, look_up
from associate_app.services.record import Recorder, open_card, record_outcome
from associate_app.services.store_book import StoreBooks
from shared.errors import Refused
from shared.plays import evaluate as evaluator
from shared.plays.condition import NotFollowed
from shared.plays.verdicts import tell_verdicts
from sync_server.command_line.app import run
from sync_server.services.chain import set_term
from sync_server.services.estimates import refresh_estimates
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.parity import compare_waiting, forget_inputs, show_comparison, show_parity
from sync_server.services.playbook import publish_playbook
from sync_server.services.privacy import erase, export_shopper
from sync_server.services.upkeep import keep
from sync_server.services.whatif import WhatIf, what_if
from tests.support.tablet import Tablet
from tests.support.world import LOYALTY_ID, pass_time

CART_PLAY = "cart-reminder-near"


def shop_online(hq: Headquarters) -> None:
    """A member of the store who agreed to everything has had a jumper in the cart for two days."""
    names = {"context": {"externalIds": [{"type": "loyalty_id", "id": LOYALTY_ID}]}}
    product = {"product_id": "NH-1", "name": "Aran jumper", "category": "knitwear", "price": 49.9, "currency": "EUR"}
    messages: list[dict[str, Any]] = [
        {"type": "identify", "traits": {"given_name": "Mara", "home_store": "berlin-1"}, **names},
        {"type": "track", "event": "Product Added", "properties": product, "timestamp": "2026-11-20T09:00:00.000Z"},
    ]
    numbered = [{**message, **names, "messageId": f"m{place}"} for place, message in enumerate(messages)]
    take_messages(hq.database, hq.clock, "web-shop", numbered)


def agree(tablet: Tablet) -> None:
    """The shopper's own tap on the tablet."""
    for purpose in ("personalise_in_store", "profiling"):
        given = {"purpose": purpose, "decision": "granted", "method": "shopper_tapped"}
        body = {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "consent": given}
        tablet.record("consent_changed", body)


def prepare(hq: Headquarters, tablet: Tablet, one_in: int = 1) -> None:
    """A published playbook, a shopper, and a tablet that holds both."""
    publish_playbook(hq)
    set_term(hq, "inputs_one_in", str(one_in))
    shop_online(hq)
    agree(tablet)
    tablet.sync()
    tablet.run(120)


def recorder_of(tablet: Tablet) -> Recorder:
    """Who records."""
    return Recorder(tablet.database, tablet.clock, tablet.make_id, lambda: None, "a0001")


def scan(tablet: Tablet) -> CardView:
    """Open the card and record what it showed."""
    view = look_up(tablet.database, StoreBooks().read(tablet.database), LOYALTY_ID, now=tablet.clock.now())
    open_card(recorder_of(tablet), view)
    return view


def checks(hq: Headquarters) -> list[dict[str, Any]]:
    """What lies beside the ledger."""
    with hq.database.read() as reader:
        return reader.rows("parity_check")


def impressions(hq: Headquarters) -> list[dict[str, Any]]:
    """Bodies of impressions in the ledger."""
    with hq.database.read() as reader:
        return [json.loads(row["body"]) for row in reader.rows("fact", kind="impression_recorded")]


def test_what_a_tablet_decided_is_decided_again_alike(hq: Headquarters, shop_tablet: Tablet):
    """Compared 1, different 0; the inputs lie apart from the ledger, and go once both agree."""
    prepare(hq, shop_tablet)
    view = scan(shop_tablet)
    assert view.looked is not None
    assert view.plays, "a card without plays proves nothing"
    shop_tablet.sync()
    [row] = checks(hq)
    assert row["state"] == "waiting"
    assert row["rule_pack"] == view.rule_pack
    assert "Mara" not in row["inputs"]
    assert "Aran" not in row["inputs"]
    assert all("inputs" not in body for body in impressions(hq))
    assert compare_waiting(hq.database, hq.clock) == 0
    told = show_parity(hq.database)
    assert (told["compared"], told["different"], told["rows"]) == (1, 0, [])
    assert checks(hq)[0]["inputs"] is None


def test_an_altered_evaluator_shows_as_different(
    hq: Headquarters, shop_tablet: Tablet, monkeypatch: pytest.MonkeyPatch
):
    """A tablet that answers one leaf the other way round is found, with both verdicts and both traces."""
    prepare(hq, shop_tablet)
    sound = evaluator._EVALUATORS[NotFollowed]

    def altered(leaf: Any, run: Any) -> Any:
        answer = sound(leaf, run)
        return answer._replace(is_met=not answer.is_met)

    with monkeypatch.context() as patch:
        patch.setitem(evaluator._EVALUATORS, NotFollowed, altered)
        view = scan(shop_tablet)
    shop_tablet.sync()
    assert compare_waiting(hq.database, hq.clock) == 1
    told = show_parity(hq.database)
    assert (told["compared"], told["different"]) == (1, 1)
    [row] = told["rows"]
    assert row["store"] == "berlin-1"
    assert row["rule_pack"] == view.rule_pack
    assert all(play["tablet"] != play["hq"] for play in row["plays"])
    lines = [line for play in row["plays"] for line in play["trace"] if line["tablet"] != line["hq"]]
    assert any("cart" in line["rule"] for line in lines), lines
    assert show_comparison(hq.database, row["op_id"])["plays"] == row["plays"]
    assert compare_waiting(hq.database, hq.clock, is_again=True) == 1, "it differs until somebody mends it"
    with pytest.raises(Refused, match="play parity"):
        show_comparison(hq.database, "nobody")


def test_what_cannot_be_compared_is_counted_by_its_reason(hq: Headquarters, shop_tablet: Tablet):
    """A pack HQ never published, inputs nobody can read, inputs left out; never counted as the same."""
    prepare(hq, shop_tablet)
    view = scan(shop_tablet)
    body = next(e.op.body for e in shop_tablet.database.entries(limit=5) if e.op.kind == "impression_recorded")
    assert view.plays
    for changed in ({"rule_pack": "f" * 64}, {"inputs": {"now_s": "soon"}}, {"inputs": {"left_out": 20_000}}):
        shop_tablet.record("impression_recorded", {**body, **changed})
    shop_tablet.sync()
    assert compare_waiting(hq.database, hq.clock) == 0
    told = show_parity(hq.database)
    assert told == {
        "compared": 1,
        "different": 0,
        "waiting": 0,
        "no_pack": 1,
        "unreadable": 1,
        "left_out": 1,
        "gone": 0,
        "rows": [],
    }


def test_inputs_go_after_thirty_days_and_at_an_erasure(hq: Headquarters, shop_tablet: Tablet):
    """What differs keeps them for thirty days; an erasure takes the row; who asks is handed it out before."""
    prepare(hq, shop_tablet)
    scan(shop_tablet)
    body = next(e.op.body for e in shop_tablet.database.entries(limit=5) if e.op.kind == "impression_recorded")
    shop_tablet.record("impression_recorded", {**body, "rule_pack": "f" * 64})
    shop_tablet.sync()
    compare_waiting(hq.database, hq.clock)
    assert sorted(row["inputs"] is None for row in checks(hq)) == [False, True]
    assert len(export_shopper(hq, LOYALTY_ID, who="hq")["parity_check"]) == 2
    pass_time(hq, days=29)
    assert forget_inputs(hq.database, hq.clock) == 0
    pass_time(hq, days=2)
    assert keep(hq)["inputs"] == 1
    assert all(row["inputs"] is None for row in checks(hq))
    erase(hq, LOYALTY_ID, who="hq")
    assert checks(hq) == []


def test_one_impression_in_so_many_carries_inputs(hq: Headquarters, shop_tablet: Tablet):
    """None where the setting says 0; the setting reaches the tablet by the feed."""
    prepare(hq, shop_tablet, one_in=0)
    scan(shop_tablet)
    shop_tablet.sync()
    assert impressions(hq)
    assert checks(hq) == []
    with pytest.raises(Refused, match="0 for none"):
        set_term(hq, "inputs_one_in", "often")


def test_estimates_count_matched_orders_and_reach_the_tablet(hq: Headquarters, shop_tablet: Tablet):
    """A claim is no success until an order proves it; p is a whole number, by play and stage, with the chain's K."""
    prepare(hq, shop_tablet)
    view = scan(shop_tablet)
    play = view.plays[0]
    record_outcome(recorder_of(shop_tablet), StoreBooks().read(shop_tablet.database), view, play.play_id, "bought")
    shop_tablet.sync()
    refresh_estimates(hq)
    assert estimate(hq, play.play_id)["orders"] == 0
    names = {"context": {"externalIds": [{"type": "loyalty_id", "id": LOYALTY_ID}]}}
    order = {"order_id": "o1", "currency": "EUR", "total": 49.9, "store": "berlin-1", "products": []}
    sold = {"type": "track", "event": "Order Completed", "properties": order, "messageId": "o1", **names}
    take_messages(hq.database, hq.clock, "till", [sold])
    set_term(hq, "estimate_k", "1")
    refresh_estimates(hq)
    found = estimate(hq, play.play_id)
    p0 = play.factors.p_ppm
    assert (found["shown"], found["orders"]) == (1, 1)
    with hq.database.read() as reader:
        figures = json.loads(reader.docs_of("store:berlin-1", "figures/")[0].body)
    [counted] = [row for row in figures["rows"] if row["play_id"] == play.play_id]
    assert [counted[what] for what in ("shown", "used", "bought", "proven")] == [1, 1, 1, 1]
    assert figures["revenue"] == [{"on": counted["on"], "minor": 4990, "currency": "EUR"}]
    assert found["p_ppm"] == (1_000_000 + p0) // 2 + (((1_000_000 + p0) % 2) and ((1_000_000 + p0) // 2) % 2)
    shop_tablet.run(120)
    book = StoreBooks().read(shop_tablet.database)
    assert book.playbook.estimates[play.play_id, "prospect"] == found["p_ppm"]


def estimate(hq: Headquarters, play_id: str) -> dict[str, Any]:
    """The estimate for shoppers without an order."""
    with hq.database.read() as reader:
        row = reader.doc("all", f"estimate/{play_id}/prospect")
    assert row is not None
    found: dict[str, Any] = json.loads(row.body)
    return found


def has_open_cart(found: WhatIf) -> bool:
    """What the cart's play finds of its first leaf."""
    told = {one.play_id: one for one in tell_verdicts(found.looked)}[CART_PLAY]
    return next(line.is_met for line in told.trace if "cart" in line.rule)


def test_hq_explains_the_card_that_the_tablet_shows(hq: Headquarters, shop_tablet: Tablet):
    """Every play with its verdict and trace, the same on both sides; in plain words in both languages."""
    prepare(hq, shop_tablet)
    view = scan(shop_tablet)
    shop_tablet.sync()
    assert view.looked is not None
    at = hq.now_at()
    found = what_if(hq, LOYALTY_ID, "berlin-1", at)
    assert found.is_held
    there = look_up(shop_tablet.database, StoreBooks().read(shop_tablet.database), LOYALTY_ID, now=hq.clock.now())
    assert there.looked is not None
    for language in ("en", "de"):
        here = tell_verdicts(found.looked, language)
        assert here == tell_verdicts(there.looked, language)
        assert {one.play_id for one in here} == {play.id for play in found.looked.playbook.plays}
        assert all(one.sentence.endswith(".") and one.trace for one in here)
    earlier = what_if(hq, LOYALTY_ID, "berlin-1", "2026-11-19T09:00:00.000Z")
    assert has_open_cart(found)
    assert not has_open_cart(earlier), "the jumper came into the cart later"
    away = what_if(hq, LOYALTY_ID, "zurich-1", at)
    assert not away.is_held
    assert away.looked.is_stranger
    with pytest.raises(Refused, match="no store"):
        what_if(hq, LOYALTY_ID, "nowhere", at)


def test_the_commands_say_it_in_plain_words(
    hq: Headquarters, shop_tablet: Tablet, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Explain for people and for programs, parity with both traces, estimates; wrong words are refused in words."""
    if not hq.settings.database.startswith("sqlite"):
        pytest.skip("the command line is the same over either")
    prepare(hq, shop_tablet)
    sound = evaluator._EVALUATORS[NotFollowed]
    with monkeypatch.context() as patch:
        patch.setitem(evaluator._EVALUATORS, NotFollowed, lambda leaf, run: sound(leaf, run)._replace(is_met=False))
        scan(shop_tablet)
    shop_tablet.sync()
    place = ["--data-dir", str(hq.settings.data_dir), "--database", hq.settings.database]

    def said(*words: str) -> str:
        status = run([*words, *place])
        out = capsys.readouterr()
        return out.out if status == 0 else out.err

    told = said("play", "explain", LOYALTY_ID, "--store", "berlin-1", "--at", "2026-11-22T12:00")
    assert f"({CART_PLAY}, version 1)" in told
    assert "Place 1 on the card: " in told
    assert "All of this:" in told
    assert "EUR x lever +0 %" in told
    for_programs = json.loads(said("play", "explain", LOYALTY_ID, "--store", "berlin-1", "--json"))
    assert for_programs["is_held"]
    assert {play["reason"] for play in for_programs["plays"]} >= {"shown", "condition_not_met"}
    assert said("play", "explain", LOYALTY_ID, "--store", "berlin-1", "--at", "noon").startswith("A time is written")
    assert "1 compared, 1 different (the target is 0)." in said("play", "parity")
    op_id = json.loads(said("play", "parity", "--json"))["rows"][0]["op_id"]
    assert "(tablet no, HQ yes)" in said("play", "parity", op_id)
    assert said("play", "estimates").startswith("There are ")

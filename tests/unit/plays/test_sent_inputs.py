"""What an impression carries: its frozen form, how it is chosen, what it leaves out, and when it is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.ids import derived_id
from shared.plays.files import document_of
from shared.plays.inputs import ProductFacts, StockLevel
from shared.plays.playbook import Playbook, StoreChange, play_document
from shared.plays.rank import recommend
from shared.plays.sent_inputs import Looked, SentInputs, inputs_of, is_chosen, look_again, read_pack, verdicts_of
from shared.plays.settings import HoldoutSettings, PlaySettings
from shared.profile import Money
from shared.wire.canonical import canonical
from tests.support.plays import event, group, offer, outcome, play, seen, shopper

KEPT = Path(__file__).parent / "kept" / "inputs-1.json"
CART = {
    "kind": "NotFollowed",
    "first": "Product Added",
    "then": ["Order Completed"],
    "same": "sku",
    "idle_h": 24,
    "window_h": 720,
}
HERE = {"kind": "Stock", "source": ["cart"], "window_h": 720, "min_qty": 1}


def kept_playbook() -> tuple[Playbook, PlaySettings]:
    """One play on the card, one held out, one held back, one whose condition is not met, one paused."""
    settings = PlaySettings()
    consents = ["personalise_in_store"]
    plays = [
        play(id="cart", tags=["cart"], condition=group("all", CART, HERE), consents=consents, offer_id="gift"),
        play(id="out", tags=["out"], holdout={"percent": 90}),
        play(id="rests", tags=["rests"]),
        play(id="never", tags=["never"], condition=group("any")),
        play(id="paused", tags=["paused"]),
    ]
    changes = {"paused": StoreChange(paused=True), "cart": StoreChange(lever=20)}
    estimates = {("cart", "prospect"): 81_234}
    return Playbook.of(plays, [offer()], settings, changes=changes, estimates=estimates), settings


def kept_look() -> Looked:
    """Mara with a jumper in the cart, who said *not today* to one play."""
    playbook, settings = kept_playbook()
    line = {"sku": "NH-1", "title": "Aran jumper", "category": "knitwear", "image": "jumper.webp"}
    profile = shopper(
        recent=[event("Product Added", 48, **line, price={"minor": 4990, "currency": "EUR"})],
        cart=[{"sku": "NH-1", "at": event("x", 48)["at"], "title": "Aran jumper"}],
        outcomes=[outcome("rests", "not_today", 10, reason="in a hurry", associate_id="a0001")],
        notes=[{"op_id": "n1", "text": "likes blue", "at": event("x", 48)["at"]}],
        open_issue=None,
        email="mara@example.com",
    )
    inputs = seen(
        profile,
        stock={"NH-1": StockLevel(4, "B3"), "NH-2": StockLevel(9)},
        products={"NH-1": ProductFacts("Aran jumper", "knitwear", "Nordhang", Money(minor=4990, currency="EUR"))},
        settings=settings,
    )
    return Looked(inputs, playbook, "L1", recommend(inputs, playbook, loyalty_anchor="L1"))


def pack_of(playbook: Playbook, settings: PlaySettings) -> dict[str, Any]:
    """The rule pack as HQ keeps it."""
    return {
        "plays": [play_document(one) for one in playbook.plays],
        "offers": [document_of(one) for one in playbook.offers.values()],
        "settings": settings.as_document(),
    }


def test_the_frozen_inputs_are_what_a_tablet_sends_and_are_decided_alike() -> None:
    """Byte for byte; a tablet of today is read by every later HQ."""
    kept = json.loads(KEPT.read_text("utf-8"))
    assert canonical(inputs_of(kept_look())) == canonical(kept["inputs"])
    again = look_again(SentInputs.model_validate(kept["inputs"]), read_pack(kept["pack"]))
    assert verdicts_of(again.ranked) == kept["inputs"]["verdicts"]
    assert {name: one[0] for name, one in kept["inputs"]["verdicts"].items()} == {
        "cart": "shown",
        "out": "holdout_play",
        "rests": "held_back",
        "never": "condition_not_met",
        "paused": "paused_here",
    }


def test_inputs_hold_no_words_for_people() -> None:
    """No name, title, note, picture, reason, contact or colleague; nor stock of what the shopper never wanted."""
    told = canonical(inputs_of(kept_look())).decode()
    for word in ("Mara", "Aran", "likes blue", "jumper.webp", "hurry", "a0001", "mara@", "NH-2"):
        assert word not in told, word


def test_what_is_larger_than_a_record_may_carry_is_left_out_with_its_size() -> None:
    """HQ counts it."""
    lines = [event("Product Viewed", n + 1, sku=f"sku-{n}" * 30) for n in range(100)]
    playbook, settings = kept_playbook()
    inputs = seen(shopper(recent=lines), settings=settings)
    sent = inputs_of(Looked(inputs, playbook, "L1", recommend(inputs, playbook, loyalty_anchor="L1")))
    assert sent.keys() == {"left_out"}
    assert sent["left_out"] > 16_384


def test_one_in_so_many_is_chosen_by_hash_alone() -> None:
    """About one in twenty of 20,000; none where the setting says 0, all where it says 1."""
    ids = [derived_id("impression", str(n)) for n in range(20_000)]
    assert 900 < sum(is_chosen(one, 20) for one in ids) < 1_100
    assert not any(is_chosen(one, 0) for one in ids[:100])
    assert all(is_chosen(one, 1) for one in ids[:100])


def test_a_new_period_of_a_holdout_forgets_the_first_arm() -> None:
    """Within a period the first exposure sticks, a new one draws afresh."""
    for arm, period, is_out in (("shown", 1, False), ("shown", 2, True), (None, 1, True)):
        state = {"greet": {"shown_at": [], "arm": arm, "period": period}} if arm else {}
        playbook = Playbook.of([play(holdout={"percent": 90})])
        anchor = next(f"L{n}" for n in range(50) if not recommend_greet(playbook, {}, f"L{n}"))
        assert recommend_greet(playbook, state, anchor) is not is_out


def recommend_greet(playbook: Playbook, state: dict[str, Any], anchor: str) -> bool:
    """Whether the play is on the card."""
    return bool(recommend(seen(plays_state=state), playbook, loyalty_anchor=anchor).plays)


def test_the_chains_holdout_is_run_again_too() -> None:
    """The settings of the pack decide, not those of the server."""
    settings = PlaySettings(holdout=HoldoutSettings(percent=90))
    playbook = Playbook.of([play()], settings=settings)
    anchor = next(
        f"L{n}" for n in range(50) if not recommend(seen(settings=settings), playbook, loyalty_anchor=f"L{n}").plays
    )
    inputs = seen(settings=settings)
    sent = inputs_of(Looked(inputs, playbook, anchor, recommend(inputs, playbook, loyalty_anchor=anchor)))
    assert sent["verdicts"]["greet"][0] == "holdout_chain"
    again = look_again(SentInputs.model_validate(sent), read_pack(pack_of(playbook, settings)))
    assert verdicts_of(again.ranked) == sent["verdicts"]

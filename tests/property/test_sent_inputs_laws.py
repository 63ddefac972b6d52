"""Laws of what an impression carries: it is read back to the same decisions, it fits, and it holds no words."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.fold import Fact, ProfileState, fold
from shared.plays.claims import Claim, SoldOrder, match_claims
from shared.plays.files import document_of
from shared.plays.inputs import EvaluationInputs, ProductFacts, StockLevel
from shared.plays.playbook import Playbook, StoreChange, play_document
from shared.plays.rank import recommend
from shared.plays.sent_inputs import INPUTS_BYTES_MAX, Looked, SentInputs, inputs_of, look_again, read_pack, verdicts_of
from shared.profile import Money
from shared.projection import Reading, StoreView, project
from shared.wire.canonical import canonical, check_body
from tests.property.test_plays_laws import documents, leaves
from tests.support.plays import group, play, seed_playbook, seed_settings, seen, shopper

STOCK = {"A": StockLevel(3, "4B"), "B": StockLevel(0), "C": StockLevel(1)}
PRODUCTS = {"A": ProductFacts("Aran jumper", "knitwear", "Nordhang", Money(minor=4900, currency="EUR"))}


def look(inputs: EvaluationInputs, playbook: Playbook) -> Looked:
    """One look at a shopper."""
    return Looked(inputs, playbook, "L1", recommend(inputs, playbook, loyalty_anchor="L1"))


@given(documents(), st.lists(leaves(), min_size=1, max_size=4), st.integers(-50, 100))
def test_inputs_are_read_back_to_the_same_decisions(document: dict[str, Any], parts: list[dict[str, Any]], lever: int):
    """Through JSON and with the kept pack: every reason, rank, trace and hold is the same."""
    own = [
        play(
            id=f"own-{n}",
            tags=[f"own-{n}"],
            condition=group("any", part),
            consents=["personalise_in_store", "profiling", "analytics", "email", "sms", "phone"],
        )
        for n, part in enumerate(parts)
    ]
    settings = seed_settings()
    playbook = Playbook.of(
        [*seed_playbook().plays, *own],
        seed_playbook().offers.values(),
        settings,
        estimates={("own-0", "prospect"): 70_000, ("own-0", "active"): 10_000},
        changes={"own-0": StoreChange(lever=lever), "own-1": StoreChange(paused=True)},
    )
    looked = look(seen(shopper(**document), stock=STOCK, products=PRODUCTS, settings=settings), playbook)
    sent = inputs_of(looked)
    check_body(sent)
    assert len(canonical(sent)) <= INPUTS_BYTES_MAX
    pack = read_pack(
        {
            "plays": [play_document(one) for one in playbook.plays],
            "offers": [document_of(one) for one in playbook.offers.values()],
            "settings": settings.as_document(),
        }
    )
    again = look_again(SentInputs.model_validate(json.loads(canonical(sent))), pack)
    assert verdicts_of(again.ranked) == sent["verdicts"]
    assert [one.factors for one in again.ranked.verdicts] == [one.factors for one in looked.ranked.verdicts]


ORDERS = st.builds(
    SoldOrder,
    st.sampled_from([f"o{n}" for n in range(5)]),
    st.sampled_from(["berlin-1", "zurich-1"]),
    st.integers(0, 30_000),
    st.frozensets(st.sampled_from("AB")),
)
CLAIMS = st.builds(
    Claim,
    st.sampled_from([f"c{n}" for n in range(5)]),
    st.sampled_from(["berlin-1", "zurich-1"]),
    st.integers(0, 30_000),
    st.sampled_from([None, "A", "B"]),
    st.sampled_from([None, "o1", "o9"]),
)


@given(
    st.lists(CLAIMS, max_size=5, unique_by=lambda one: one.claim_id),
    st.lists(ORDERS, max_size=5, unique_by=lambda one: one.order_id),
    st.randoms(use_true_random=False),
)
def test_claims_are_matched_alike_in_any_order_and_as_many_as_can_be(claims: Any, orders: Any, chance: Any):
    """An order proves one claim at most, every pair is allowed, and no larger weight exists."""
    found = match_claims(claims, orders)
    assert len(set(found.values())) == len(found)
    chance.shuffle(claims)
    chance.shuffle(orders)
    assert match_claims(claims, orders) == found
    by_claim, by_order = {one.claim_id: one for one in claims}, {one.order_id: one for one in orders}
    assert sum(weight(by_claim[c], by_order[o]) for c, o in found.items()) == heaviest(claims, orders)


def weight(claim: Claim, order: SoldOrder) -> int:
    """The same weights, said once more."""
    if claim.receipt_no == order.order_id:
        return 1_000_000_000
    later_s = order.at_s - claim.at_s
    if claim.store != order.store or later_s < -1_800 or later_s > 14_400:
        return 0
    return 100_000 + 50_000 * (claim.sku in order.skus) + 16_200 - abs(later_s)


def heaviest(claims: list[Claim], orders: list[SoldOrder]) -> int:
    """By trying everything."""
    if not claims:
        return 0
    first, rest = claims[0], claims[1:]
    best = heaviest(rest, orders)
    for order in orders:
        if (here := weight(first, order)) > 0:
            best = max(best, here + heaviest(rest, [one for one in orders if one is not order]))
    return best


SHOWN = st.tuples(st.integers(10, 59), st.integers(1, 3), st.sampled_from(["shown", "would_show"]))


@given(st.lists(SHOWN, min_size=1, max_size=6, unique_by=lambda one: one[0]), st.randoms(use_true_random=False))
def test_the_first_arm_of_the_newest_period_sticks_in_any_order(showings: list[Any], chance: Any):
    """A new period of a holdout draws afresh; within one the first exposure decides, whenever its op arrives."""
    facts = []
    for minute, period, arm in showings:
        line = {"play_id": "greet", "play_version": 1, "arm": arm, "rank": 1}
        line |= {"period": period} if period > 1 else {}
        body = {"shown": [line]}
        facts.append(Fact(f"f{minute}", f"2026-11-22T10:{minute}:00.000Z", "impression_recorded", body, "berlin-1"))
    chance.shuffle(facts)
    state = fold(ProfileState(), facts)
    told = project(Reading(state), "p1", StoreView())["plays_state"]["greet"]
    newest = max(period for _, period, _ in showings)
    assert told.get("period", 1) == newest
    assert told["arm"] == min(one for one in showings if one[1] == newest)[2]

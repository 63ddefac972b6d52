"""Bench of plays: 50 plays for one shopper, and the playbook read from its documents. Figures, never verdicts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from shared.plays.inputs import EvaluationInputs, ProductFacts, StockLevel
from shared.plays.playbook import Playbook, play_document
from shared.plays.rank import recommend
from tests.conftest import RecordFigure
from tests.support.plays import BERLIN, NOW_S, ago, event, outcome, seed_playbook, seed_settings, shopper

PLAYS = 50
ROUNDS = 400


def fifty_documents() -> dict[str, Any]:
    """The seed's plays and as many copies under other ids as make 50, with all offers."""
    seeds = [play_document(play) for play in seed_playbook().plays]
    plays = [{**seeds[n % len(seeds)], "id": f"{seeds[n % len(seeds)]['id']}-{n}"} for n in range(PLAYS)]
    documents: dict[str, Any] = {f"play/{play['id']}": play for play in plays}
    offers = seed_playbook().offers.values()
    return documents | {f"offer/{offer.id}": offer.model_dump(mode="json") for offer in offers}


def busy_inputs() -> EvaluationInputs:
    """A shopper with 100 recent events, 30 outcomes, a full cart and wishlist: the heavy end of the tail."""
    names = (
        "Product Viewed",
        "Product Added",
        "Product Clicked",
        "Products Searched",
        "Email Opened",
        "Order Completed",
    )
    recent = [
        event(
            names[n % len(names)], 2 + n * 20, sku=f"S{n % 40}", category=f"category-{n % 9}", title=f"Thing {n % 40}"
        )
        for n in range(100)
    ]
    profile = shopper(
        recent=recent,
        cart=[{"sku": f"S{n}", "at": ago(30 + n)} for n in range(12)],
        wishlist=[{"sku": f"S{n}", "at": ago(90 + n)} for n in range(20, 35)],
        outcomes=[outcome("thank-you-3", "interested", 900 + n) for n in range(30)],
        facts={"orders": 7, "first_order_at": ago(9000), "last_order_at": ago(102), "distance": {"this_store_m": 1200}},
    )
    products = {f"S{n}": ProductFacts(f"Thing {n}", f"category-{n % 9}") for n in range(40)}
    stock = {f"S{n}": StockLevel(n % 5, "B3") for n in range(40)}
    return EvaluationInputs(profile, stock, products, BERLIN, NOW_S, seed_settings())


def timed_ms(work: Callable[[], object], rounds: int) -> list[float]:
    """Milliseconds of each round, sorted."""
    taken = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        taken.append((time.perf_counter() - started) * 1000)
    return sorted(taken)


def test_fifty_plays_for_one_busy_shopper(record_figure: RecordFigure):
    """Median and p99 of a whole card: view, 50 plays, ranking and words (the goal: 3 ms and 8 ms)."""
    playbook, heavy = Playbook.from_documents(fifty_documents(), seed_settings()), busy_inputs()

    def card() -> object:
        again = EvaluationInputs(heavy.profile, heavy.stock, heavy.products, BERLIN, NOW_S, heavy.settings)
        return recommend(again, playbook, loyalty_anchor="L1")

    assert len(playbook.plays) == PLAYS
    assert len(recommend(heavy, playbook, loyalty_anchor="L1").verdicts) == PLAYS
    taken = timed_ms(card, ROUNDS)
    record_figure("50 plays ranked for one shopper, median", f"{taken[ROUNDS // 2]:.2f}", "ms")
    record_figure("50 plays ranked for one shopper, p99", f"{taken[ROUNDS * 99 // 100]:.2f}", "ms")
    print(f"\n50 plays for one shopper: median {taken[ROUNDS // 2]:.2f} ms, p99 {taken[ROUNDS * 99 // 100]:.2f} ms")


def test_loading_the_playbook(record_figure: RecordFigure):
    """50 plays read from documents, checked and hashed (the goal: 100 ms)."""
    documents = fifty_documents()
    assert Playbook.from_documents(documents, seed_settings()).unread == ()
    taken = timed_ms(lambda: Playbook.from_documents(documents, seed_settings()), 20)
    record_figure("playbook of 50 plays loaded, median", f"{taken[10]:.1f}", "ms")
    print(f"\nplaybook of 50 plays loaded: median {taken[10]:.1f} ms")

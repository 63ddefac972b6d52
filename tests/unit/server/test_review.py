"""A pair waits for a person only while something keeps it apart; what a person decided stays decided."""

from __future__ import annotations

from typing import Any

from sync_server.ports import ReviewRow
from sync_server.services.duplicates import find_duplicates
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.review import SETTLED
from sync_server.services.who_is_who import block, keep_apart, link, list_reviews, rebuild, split

OLD, NEW = "2900000000018", "2900000000025"
MARA = "mara@example.com"
ADA = {"given_name": "Ada", "family_name": "Quist", "birth_on": "1990-02-03"}


def identify(hq: Headquarters, number: int, user: str | None = None, **traits: Any) -> None:
    """An identify call of the web shop."""
    message = {"type": "identify", "messageId": f"m-{number}", "userId": user, "traits": traits}
    message["timestamp"] = f"2026-11-01T10:00:{number:02}.000Z"
    assert take_messages(hq.database, hq.clock, "shop", [message]).accepted == 1


def decided(hq: Headquarters) -> list[ReviewRow]:
    """Rows that wait no more."""
    with hq.database.read() as reader:
        return reader.reviews(is_open=False)


def test_a_pair_goes_with_its_cause_and_comes_with_it(hq: Headquarters) -> None:
    """One address of two cards: linked they are one, apart they wait again, under the id and the day they had."""
    identify(hq, 1, email=MARA, loyalty_id=OLD)
    identify(hq, 2, email=MARA, loyalty_id=NEW)
    waiting = list_reviews(hq)
    assert [pair["why"] for pair in waiting] == ["two_numbers"]
    link(hq, OLD, NEW, who="Ada")
    assert list_reviews(hq) == []
    [row] = decided(hq)
    assert (row.decision, row.decided_at) == (SETTLED, hq.now_at())
    split(hq, OLD, NEW, who="Ada")
    again = list_reviews(hq)
    assert [(pair["id"], pair["found_at"]) for pair in again] == [(pair["id"], pair["found_at"]) for pair in waiting]
    assert ([pair["why"] for pair in again], decided(hq)) == (["split"], [])
    block(hq, f"email:{MARA}", who="Ada")
    assert list_reviews(hq) == []
    rebuild(hq)
    assert list_reviews(hq) == []


def test_a_person_s_word_is_not_taken_back_by_itself(hq: Headquarters) -> None:
    """Left as it is, it does not wait again when the rest changes."""
    identify(hq, 1, email=MARA, loyalty_id=OLD)
    identify(hq, 2, email=MARA, loyalty_id=NEW)
    [pair] = list_reviews(hq)
    keep_apart(hq, pair["id"], who="Ada")
    link(hq, OLD, NEW, who="Ada")
    split(hq, OLD, NEW, who="Ada")
    assert list_reviews(hq) == []
    assert [row.decision for row in decided(hq)] == ["kept"]


def test_a_settled_pair_is_decided_by_who_links_it(hq: Headquarters) -> None:
    """Then it is a person's."""
    identify(hq, 1, email=MARA, loyalty_id=OLD)
    identify(hq, 2, email=MARA, loyalty_id=NEW)
    link(hq, OLD, NEW, who="Ada")
    link(hq, f"email:{MARA}", NEW, who="Ada")
    assert [row.decision for row in decided(hq)] == ["linked"]


def test_a_proposal_waits_until_its_sides_are_one(hq: Headquarters) -> None:
    """Whatever else changes about them; and again once they are two."""
    identify(hq, 1, email=MARA, **ADA)
    identify(hq, 2, email="ada@example.com", **ADA)
    assert find_duplicates(hq, model=None, threshold=0.9).count_new() == 1
    waiting = list_reviews(hq)
    link(hq, f"email:{MARA}", "customer_id:c-1", who="Ada")
    assert list_reviews(hq) == waiting
    link(hq, "email:ada@example.com", "customer_id:c-1", who="Ada")
    assert list_reviews(hq) == []
    assert [row.decision for row in decided(hq)] == [SETTLED]
    split(hq, "email:ada@example.com", "customer_id:c-1", who="Ada")
    assert list_reviews(hq) == waiting


def test_a_settled_pair_may_be_proposed(hq: Headquarters) -> None:
    """Nobody decided it: the matcher's reason is a new one, under the same id."""
    identify(hq, 1, user="c-1", email=MARA, **ADA)
    identify(hq, 2, user="c-2", email="ada@example.com", **ADA)
    link(hq, "customer_id:c-1", "customer_id:c-2", who="Ada")
    with hq.database.write() as tx:
        tx.drop_rows("identity_fact", kind="link")
    rebuild(hq)
    assert find_duplicates(hq, model=None, threshold=0.9).count_new() == 1
    with hq.database.write() as tx:
        settled = {"why": "two_numbers", "decided_at": hq.now_at(), "decision": SETTLED}
        assert tx.change_rows("review", settled, decided_at=None) == 1
    assert find_duplicates(hq, model=None, threshold=0.9).count_new() == 1
    assert [one["why"] for one in list_reviews(hq)] == ["name_and_birth_date"]

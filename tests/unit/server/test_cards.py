"""Cards at HQ: issued for any number, cancelled for good, and a stock of fresh ones for each install."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from shared.cards import CardStatus, SignedCard, check_card, parse_card
from shared.code_patterns import Fit, best_fit
from shared.errors import Refused
from sync_server.services.cards import STOCK, cancel_card, fill_stock, issue_card
from sync_server.services.chain import DEFAULT_NUMBERS
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from tests.support.world import LOYALTY_ID, Journalist, make_journalist


def read(hq: Headquarters, text: str, *, cancelled: frozenset[str] = frozenset()) -> tuple[SignedCard, CardStatus]:
    """A card as a tablet of the chain reads it today."""
    card = parse_card(text)
    assert isinstance(card, SignedCard)
    keys = hq.keys.public_card_keys()
    return card, check_card(card, keys=keys, cancelled=cancelled, today=hq.clock.now().date())


def stock_of(hq: Headquarters, tablet: Journalist) -> list[str]:
    """The stock that a hello of this install would bring."""
    with hq.database.write() as tx:
        install = tx.lock_install(tablet.install_id, tablet.device.device_id)
        return [one["card"] for one in fill_stock(hq, tx, install, tablet.device)]


def test_a_card_for_a_number_nobody_knows_yet_is_verified_offline(hq: Headquarters) -> None:
    """The first scan of a new chain needs no shopper at HQ."""
    card, status = read(hq, issue_card(hq, LOYALTY_ID))
    assert (card.loyalty_id, status, card.expires_on) == (LOYALTY_ID, CardStatus.VERIFIED, None)


def test_a_card_carries_the_tier_hq_knows(hq: Headquarters) -> None:
    """So that it says something before the profile is there."""
    message = {
        "type": "identify",
        "userId": "c-1",
        "traits": {"loyalty_id": LOYALTY_ID, "tier": "gold"},
        "context": {"channel": "pos", "store": "berlin-1"},
    }
    take_messages(hq.database, hq.clock, "till", [message])
    card, _ = read(hq, issue_card(hq, LOYALTY_ID))
    assert card.tier == "Gold"


def test_an_expired_and_a_cancelled_card_read_as_such(hq: Headquarters) -> None:
    """Its last day counts; a cancelled one is in every feed."""
    today = hq.clock.now().date()
    assert read(hq, issue_card(hq, LOYALTY_ID, expires_on=today))[1] is CardStatus.VERIFIED
    assert read(hq, issue_card(hq, LOYALTY_ID, expires_on=today - timedelta(days=1)))[1] is CardStatus.EXPIRED
    text = issue_card(hq, LOYALTY_ID)
    told = cancel_card(hq, text)
    assert cancel_card(hq, told["card_id"]) == told
    with hq.database.read() as reader:
        assert reader.doc("all", f"card_cancelled/{told['card_id']}") is not None
    assert read(hq, text, cancelled=frozenset({told["card_id"]}))[1] is CardStatus.CANCELLED


@pytest.mark.parametrize("loyalty_id", ["", "x" * 18, "29 12", "Zoë"])
def test_a_number_no_card_can_carry_is_refused(hq: Headquarters, loyalty_id: str) -> None:
    """In words, and nothing is written."""
    with pytest.raises(Refused, match="cannot carry"):
        issue_card(hq, loyalty_id)
    with hq.database.read() as reader:
        assert reader.rows("card") == []


def test_a_card_hq_never_issued_cannot_be_cancelled(hq: Headquarters) -> None:
    """Neither a stranger's nor a text that is none."""
    for text in ("FS1.AAAA", "0" * 16, ""):
        with pytest.raises(Refused, match="never issued"):
            cancel_card(hq, text)


def test_the_stock_is_thirty_fresh_cards_of_the_chains_numbers(hq: Headquarters) -> None:
    """Each with a number of its own, with its check digit, and no two installs share one."""
    first, second = make_journalist(hq), make_journalist(hq)
    texts = stock_of(hq, first)
    numbers = [read(hq, text)[0].loyalty_id for text in texts]
    assert len(set(numbers)) == STOCK
    assert {best_fit(number, DEFAULT_NUMBERS) for number in numbers} == {Fit.FITS}
    assert {read(hq, text)[1] for text in texts} == {CardStatus.VERIFIED}
    assert not set(texts) & set(stock_of(hq, second))


def test_a_lost_hello_brings_the_same_stock_again_and_a_used_card_is_replaced(hq: Headquarters) -> None:
    """Only a number somebody enrolled with is used up."""
    tablet = make_journalist(hq)
    texts = stock_of(hq, tablet)
    assert sorted(stock_of(hq, tablet)) == sorted(texts)
    used = read(hq, texts[0])[0].loyalty_id
    tablet.record("shopper_enrolled", {"loyalty_id": used, "given_name": "Ada", "consents": []})
    tablet.push()
    after = stock_of(hq, tablet)
    assert len(after) == STOCK
    assert texts[0] not in after
    assert set(texts[1:]) <= set(after)


def test_days_a_card_cannot_hold_are_refused(hq: Headquarters) -> None:
    """Two bytes of days since 2020."""
    with pytest.raises(Refused, match="dates lie after"):
        issue_card(hq, LOYALTY_ID, expires_on=date(2019, 1, 1))

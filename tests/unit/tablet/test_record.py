"""Recording: one use case, one transaction, one ring; impressions, corrections, undo, and what is refused in words."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest

from associate_app.services import follow_ups, record
from associate_app.services.lookup import CardView, look_up
from shared.errors import Refused
from shared.wire.ops import read_body
from tests.support.replica import LOYALTY_ID, MARA, STORE_SCOPE, ShopTablet, card_for, load, mara


@pytest.fixture
def view(shop: ShopTablet) -> CardView:
    """Mara's card, opened by scanning it."""
    return look_up(shop.database, shop.book, card_for(), now=shop.clock.now())


def bodies(shop: ShopTablet) -> list[tuple[str, dict]]:
    """(kind, body) of everything recorded, oldest first."""
    return [(entry.op.kind, entry.op.body) for entry in reversed(shop.database.entries())]


def kinds(shop: ShopTablet) -> list[str]:
    """Kinds of everything recorded, oldest first."""
    return [kind for kind, _ in bodies(shop)]


def test_opening_a_card_records_the_opening_with_the_card_and_what_was_shown(shop, view):
    """HQ can verify the signature; the impression lists the plays in order, with rule pack and profile position."""
    record.open_card(shop.recorder, view)
    (kind, opened), (shown_kind, shown) = bodies(shop)
    assert (kind, shown_kind) == ("shopper_opened", "impression_recorded")
    assert opened == {"shopper": {"type": "loyalty_id", "value": LOYALTY_ID}, "how": "card", "card": card_for()}
    assert [(one["play_id"], one["rank"]) for one in shown["shown"] if one["arm"] == "shown"] == [
        (play.play_id, play.rank) for play in view.plays
    ]
    assert (shown["rule_pack"], shown["profile_s"]) == (view.rule_pack, view.profile_s)
    assert shop.rings == ["ring"]


def test_a_reopening_within_30_minutes_adds_nothing(shop, view):
    """The same visit; afterwards it is a new one. A clock set back begins a new visit too."""
    record.open_card(shop.recorder, view)
    shop.clock.move(29 * 60)
    assert record.open_card(shop.recorder, view) is None
    shop.clock.move(2 * 60)
    assert record.open_card(shop.recorder, view) is not None
    assert kinds(shop) == ["shopper_opened", "impression_recorded"] * 2
    shop.clock.move(-7200)
    assert record.open_card(shop.recorder, view) is not None


def test_a_card_scanned_after_its_number_was_typed_is_still_told_to_hq(shop, view):
    """Only the signature brings another store's profile here, so it goes even within the visit."""
    typed = look_up(shop.database, shop.book, LOYALTY_ID, now=shop.clock.now())
    record.open_card(shop.recorder, typed)
    record.open_card(shop.recorder, view)
    assert [body.get("how") for kind, body in bodies(shop) if kind == "shopper_opened"] == ["typed", "card"]
    assert kinds(shop).count("impression_recorded") == 1


def test_an_outcome_names_the_impression_of_the_visit_or_brings_its_own(shop, view):
    """Without an opening the impression is written in the same transaction; with one it is only named."""
    play = view.plays[0]
    saved = record.record_outcome(shop.recorder, shop.book, view, play.play_id, "interested")
    assert kinds(shop) == ["impression_recorded", "outcome_recorded"]
    assert bodies(shop)[1][1]["impression_op_id"] == saved.op_ids[0]
    again = record.record_outcome(shop.recorder, shop.book, view, play.play_id, "bought")
    assert kinds(shop) == ["impression_recorded", "outcome_recorded", "outcome_recorded"]
    assert bodies(shop)[2][1]["impression_op_id"] == saved.op_ids[0]
    assert again.op_ids == (again.op_id,)


def test_an_outcome_carries_play_version_offer_and_what_it_was_about(shop, view):
    """HQ can attribute it without asking back."""
    play = view.plays[0]
    record.record_outcome(shop.recorder, shop.book, view, play.play_id, "bought", receipt_no="R-1")
    body = bodies(shop)[-1][1]
    assert (body["play_id"], body["play_version"], body["arm"]) == (play.play_id, play.play_version, "shown")
    assert (body.get("offer_id"), body["sku"], body["receipt_no"]) == (play.offer_id, play.sku, "R-1")
    assert body["rule_pack"] == view.rule_pack


def test_a_play_used_from_the_playbook_counts_as_shown(shop, view):
    """An associate may use a play that was not on the card; its impression says so."""
    unused = next(play.id for play in shop.book.playbook.plays if view.play(play.id) is None)
    record.record_outcome(shop.recorder, shop.book, view, unused, "interested")
    shown = bodies(shop)[0][1]["shown"]
    assert (shown[-1]["play_id"], shown[-1]["arm"]) == (unused, "shown")


def test_a_reason_amends_the_outcome_and_an_undo_ends_it(shop, view):
    """Corrections are new ops of the same kind that name the first; amending a correction amends the first."""
    saved = record.record_outcome(shop.recorder, shop.book, view, view.plays[0].play_id, "not_today")
    reason = record.amend_outcome(shop.recorder, saved.op_id, reason="in a hurry")
    record.amend_outcome(shop.recorder, reason.op_id, sku="A")
    record.withdraw(shop.recorder, reason.op_id)
    first, second, undo = (entry.op for entry in reversed(shop.database.entries(limit=3)))
    assert {first.amends, second.amends, undo.amends} == {saved.op_id}
    assert (second.body["reason"], second.body["sku"], second.body["outcome"]) == ("in a hurry", "A", "not_today")
    assert undo.body == {"why": "undo"}
    with pytest.raises(Refused, match="no longer on this tablet"):
        record.withdraw(shop.recorder, "01a20000-0000-7000-8000-00000000dead")


def test_every_use_case_writes_a_body_hq_reads(shop, view):
    """Each kind once, through HQ's own strict reader, with the shopper, the associate and the store's scope."""
    shopper = view.shopper
    recorder, book = shop.recorder, shop.book
    record.open_card(recorder, view)
    record.note_trigger_seen(recorder, view, view.plays[0].play_id)
    record.record_outcome(recorder, book, view, view.plays[0].play_id, "out_of_stock", reason="no M", variant="M")
    record.add_note(recorder, shopper, "  prefers wool\n")
    record.set_preference(recorder, shopper, "size", "M")
    record.change_consent(recorder, shopper, record.ConsentAnswer("email", is_granted=False, method="spoken"))
    record.add_identifier(recorder, shopper, "phone", "+4915100000000")
    record.correct_profile(recorder, shopper, "family_name", "Lindquist")
    record.flag_wrong(recorder, shopper, "postcode", "moved")
    promised = record.request_follow_up(recorder, shopper, what="call", due=shop.clock.now())
    follow_ups.finish(recorder, promised.op_id)
    record.book_appointment(
        recorder, shopper, starts=shop.clock.now(), minutes=30, topic="boots", with_associate="a0001"
    )
    record.hold_product(recorder, shopper, sku="A", quantity=1, until=date(2026, 11, 25))
    record.give_feedback(recorder, "worked", "good words", play_id=view.plays[0].play_id)
    record.mark_play_read(recorder, book.playbook.plays[0])
    record.tick_task(recorder, "member-weekend", "window")
    record.enrol_shopper(recorder, "2900000000087", [], given_name="Nora")
    entries = shop.database.entries(limit=100)
    for entry in entries:
        read_body(entry.op.kind, entry.op.schema, entry.op.body)
        assert (entry.op.scope, entry.op.associate_id) == (STORE_SCOPE, "a0001")
        if "shopper" in entry.op.body:
            assert entry.profile_id == MARA
    assert len({entry.op.kind for entry in entries}) == 18
    ids = [entry.op.op_id for entry in reversed(entries)]
    assert ids == sorted(ids)


@pytest.mark.parametrize("channel", ["email", "sms", "phone"])
def test_nobody_is_promised_a_message_by_a_way_they_did_not_agree_to(shop, view, channel):
    """Refused in words before anything is written; right after the shopper's own yes it is taken."""
    ask = partial(record.request_follow_up, shop.recorder, view.shopper, what="message", due=shop.clock.now())
    no = record.ConsentAnswer(channel, is_granted=False, method="spoken")
    record.change_consent(shop.recorder, view.shopper, no)
    with pytest.raises(Refused, match="have not agreed"):
        ask(channel=channel)
    assert kinds(shop) == ["consent_changed"]
    shop.clock.move(1)
    yes = record.ConsentAnswer(channel, is_granted=True, method="shopper_tapped", wording_version="1")
    record.change_consent(shop.recorder, view.shopper, yes)
    assert ask(channel=channel).op_id


@pytest.mark.parametrize("text", ["", "   ", "\x00\x07"])
def test_an_empty_note_is_refused_and_nothing_is_written(shop, view, text):
    """One sentence; no op, no ring."""
    with pytest.raises(Refused, match="cannot be empty"):
        record.add_note(shop.recorder, view.shopper, text)
    assert (kinds(shop), shop.rings) == ([], [])


def test_a_text_too_long_for_hq_is_refused_before_it_is_saved(shop, view):
    """2,000 characters; the sentence says how many there are."""
    record.add_note(shop.recorder, view.shopper, "x" * 2000)
    with pytest.raises(Refused, match="this has 2001"):
        record.add_note(shop.recorder, view.shopper, "x" * 2001)


def test_an_associate_alone_never_records_a_yes(shop, view):
    """A grant needs the shopper's tap or a paper; a withdrawal may be spoken."""
    yes = record.ConsentAnswer("email", is_granted=True, method="spoken")
    with pytest.raises(Refused, match="the shopper's own tap"):
        record.change_consent(shop.recorder, view.shopper, yes)
    record.change_consent(
        shop.recorder,
        view.shopper,
        record.ConsentAnswer("email", is_granted=True, method="shopper_tapped", wording_version="2", language="de"),
    )
    assert bodies(shop)[0][1]["consent"]["wording_version"] == "2"


@pytest.mark.parametrize(
    ("play_id", "outcome", "words"),
    [("first-conversation", "sold", "There are: bought"), ("first-conversatoin", "bought", "Did you mean first-conv")],
)
def test_an_unknown_play_or_outcome_is_refused_with_what_there_is(shop, view, play_id, outcome, words):
    """A typo on the command line is told, never recorded."""
    with pytest.raises(Refused, match=words):
        record.record_outcome(shop.recorder, shop.book, view, play_id, outcome)
    assert kinds(shop) == []


def test_text_no_screen_can_show_is_cleaned_not_parked(shop, view):
    """Control characters vanish, lines and emoji stay, lone surrogates cannot reach the journal."""
    record.add_note(shop.recorder, view.shopper, "a\u0007b\nc 🙂\ud800")
    assert bodies(shop)[0][1]["text"] == "ab\nc 🙂"


def test_the_impression_of_someone_else_is_never_taken(shop, view):
    """Two shoppers in one visit time: each outcome has its own impression."""
    other = mara(id="p2", identifiers=[{"type": "loyalty_id", "value": "2900000000025"}])
    load(shop.database, STORE_SCOPE, {f"profile/{MARA}": mara(), "profile/p2": other}, as_of=20)
    second = look_up(shop.database, shop.book, "2900000000025", now=shop.clock.now())
    record.record_outcome(shop.recorder, shop.book, view, "first-conversation", "interested")
    record.record_outcome(shop.recorder, shop.book, second, "first-conversation", "interested")
    assert kinds(shop) == ["impression_recorded", "outcome_recorded"] * 2

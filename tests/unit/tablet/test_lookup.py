"""Looking a shopper up: what a scan is worth, whose card opens, what is on it, and that looking up writes nothing."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from associate_app.services import record
from associate_app.services.lookup import CardView, look_up, look_up_again, look_up_profile
from associate_app.services.scan import (
    OPENING,
    CardReading,
    InvitationReading,
    OfferReading,
    ProductReading,
    read_scan,
)
from shared.cards import CardStatus, swap_y_and_z
from shared.errors import Refused
from shared.identity import Identifier, IdentifierType, profile_id_for
from shared.scan_code import encode_enrolment
from tests.support.plays import ago, granted
from tests.support.replica import (
    LOYALTY_ID,
    MARA,
    OTHER_KEY,
    SKU,
    STORE_SCOPE,
    STRANGER_ID,
    ShopTablet,
    answer,
    card_for,
    gone,
    mara,
    open_file,
    page,
    put,
)


def opened(shop: ShopTablet, text: str) -> Any:
    """The card for a text, now."""
    return look_up(shop.database, shop.book, text, now=shop.clock.now())


def scanned(shop: ShopTablet, scan: str | bytes, now: datetime | None = None) -> Any:
    """What a scan is, now."""
    return read_scan(shop.book, scan, now=now or shop.clock.now())


def again(shop: ShopTablet, view: CardView) -> Any:
    """The same card as it stands now."""
    return look_up_again(shop.database, shop.book, view, now=shop.clock.now())


# what a scan is worth -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("card", "status", "words"),
    [
        (card_for(), CardStatus.VERIFIED, None),
        (card_for(expires_on=date(2026, 11, 22)), CardStatus.VERIFIED, None),
        (card_for(expires_on=date(2026, 5, 3)), CardStatus.EXPIRED, "expired on 3 May 2026"),
        (card_for(card_id="00000000000000cc"), CardStatus.CANCELLED, "was cancelled"),
        (card_for(key=OTHER_KEY), CardStatus.FORGED, "was not made by us"),
        (card_for(kid=9), CardStatus.UNKNOWN_KEY, "until the next contact"),
        (LOYALTY_ID, CardStatus.NUMBER_ONLY, None),
        (f" {LOYALTY_ID[:4]} {LOYALTY_ID[4:]} ", CardStatus.NUMBER_ONLY, None),
        (LOYALTY_ID[:-1] + "0", CardStatus.UNREADABLE, "One digit of this number is wrong"),
        ("https://example.org/loyalty?card=12345", CardStatus.FOREIGN, "web address"),
        ("7612345678900", CardStatus.FOREIGN, "not one of our cards"),
        ("FS1.ABC", CardStatus.UNREADABLE, "cannot be read"),
        ("", CardStatus.UNREADABLE, "Nothing was scanned"),
        ("x" * 10_000, CardStatus.UNREADABLE, "longer than any of ours"),
    ],
)
def test_each_kind_of_code_is_told_apart_by_its_own_word_and_sentence(shop, card, status, words):
    """Verified, expired, cancelled, forged, unknown key, number, mistyped, foreign, unreadable, empty, far too long."""
    reading = scanned(shop, card)
    assert type(reading) is CardReading
    assert reading.status is status
    assert reading.sentence is None if words is None else words in str(reading.sentence)
    assert reading.opens == (status in OPENING)
    if status is CardStatus.FORGED:
        assert (reading.loyalty_id, reading.tier) == (None, None), "nothing on a forged card is believed"


def test_a_card_counts_through_its_last_day_in_the_store_s_time_zone(shop):
    """At 23:30 UTC it is already the next day in Berlin."""
    card = card_for(expires_on=date(2026, 11, 22))
    late = shop.clock.now().replace(hour=23, minute=30)
    assert scanned(shop, card, late).status is CardStatus.EXPIRED


def test_a_scanner_with_a_german_layout_still_opens_the_card(shop):
    """Y and Z in each other's place are put right by the signature."""
    view = opened(shop, swap_y_and_z(card_for()))
    assert (view.card.status, view.profile.name) == (CardStatus.VERIFIED, "Mara Lindqvist")


def test_offer_product_and_invitation_codes_are_not_shoppers(shop):
    """They lead to their own screens; looked up as a card they say so."""
    code = shop.book.playbook.offers["member-weekend"].codes[0]
    offer = scanned(shop, code.lower())
    assert offer.offer.id == offer.offer_id == "member-weekend"
    assert isinstance(offer, OfferReading)
    product = scanned(shop, shop.book.catalogue[SKU].gtin)
    assert (product.sku, product.stock.quantity) == (SKU, 4)
    assert isinstance(product, ProductReading)
    invitation = scanned(shop, encode_enrolment("https://hq.test", "ABC", None))
    assert isinstance(invitation, InvitationReading)
    view = opened(shop, code)
    assert (view.profile, view.card.status) == (None, CardStatus.FOREIGN)
    assert "not to a shopper" in view.card.sentence


@pytest.mark.parametrize("scan", [b"\xff\xfe\x00", b"", "\x00", "\ud800", "\u202e\u0007", "FSE1.", "{}", "🙂" * 50])
def test_no_scan_ever_raises(shop, scan):
    """Bytes that are no text, control characters, lone surrogates: an answer each."""
    assert scanned(shop, scan) is not None


# whose card opens -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [card_for(), LOYALTY_ID, "mara@example.org", "MARA@Example.org ", "0151 23456789"])
def test_a_shopper_of_this_store_opens_by_card_number_e_mail_and_phone(shop, text):
    """Name, tier, stage with its date, plays with their why, and the age of the data."""
    view = opened(shop, text)
    assert (view.profile.id, view.profile.name, view.profile.tier) == (MARA, "Mara Lindqvist", "Gold")
    assert view.stage.stage == "active"
    assert view.stage.because[0].days_ago == 30
    assert [play.rank for play in view.plays] == list(range(1, len(view.plays) + 1))
    assert 0 < len(view.plays) <= 3
    assert all(play.why for play in view.plays)
    assert view.plays[0].sku == SKU
    assert view.as_of is not None
    assert (view.is_in_replica, view.has_agreed, view.is_behaviour_hidden) == (True, True, False)


@pytest.mark.parametrize("card", [card_for(key=OTHER_KEY), card_for(card_id="00000000000000cc"), "nobody@example.org"])
def test_a_code_that_proves_nothing_opens_nobody(shop, card):
    """A forged, cancelled or unknown code shows no profile, no plays; recording under it is refused in words."""
    view = opened(shop, card)
    assert (view.shopper, view.profile, view.plays) == (None, None, ())
    with pytest.raises(Refused, match="look"):
        record.open_card(shop.recorder, view)


def test_a_shopper_this_tablet_does_not_hold_still_has_a_usable_card(shop):
    """The signed card gives number and tier; plays are those that claim nothing about them; no stage is made up."""
    view = opened(shop, card_for(STRANGER_ID, tier="Platinum"))
    assert view.card.status is CardStatus.VERIFIED
    assert (view.is_in_replica, view.stage) == (False, None)
    assert (view.profile.loyalty_id, view.profile.tier) == (STRANGER_ID, "Platinum")
    assert view.shopper.profile_id == profile_id_for(Identifier(IdentifierType.LOYALTY_ID, STRANGER_ID))
    shown = {play.play_id for play in view.plays}
    assert "first-conversation" in shown
    assert "ask-consent" not in shown, "whether they agreed is not known here"
    assert not view.profile.is_provisional


def test_an_unverified_number_says_no_tier(shop):
    """Only a signature vouches for a tier."""
    assert opened(shop, card_for(STRANGER_ID, kid=9)).profile.tier is None
    assert opened(shop, STRANGER_ID).profile.tier is None


def test_a_stranger_s_profile_replaces_the_card_s_when_it_comes(shop):
    """What was recorded meanwhile stays on the card, once."""
    view = opened(shop, card_for(STRANGER_ID))
    record.add_note(shop.recorder, view.shopper, "asked for tents")
    known = mara(
        id=view.shopper.profile_id, given_name="Tom", identifiers=[{"type": "loyalty_id", "value": STRANGER_ID}]
    )
    shop.database.apply_page(page(STORE_SCOPE, [put(f"profile/{view.shopper.profile_id}", known, 11)], head=11))
    later = again(shop, view)
    assert (later.profile.given_name, later.is_in_replica) == ("Tom", True)
    assert [note.text for note in later.profile.notes] == ["asked for tents"]


def test_a_shopper_enrolled_here_opens_before_hq_knows_them(shop):
    """Name and consents come from the own op; the profile is provisional and its stage is prospect."""
    yes = record.ConsentAnswer("personalise_in_store", is_granted=True, method="shopper_tapped")
    record.enrol_shopper(shop.recorder, STRANGER_ID, [yes], given_name="Nora", family_name="Vik", phone="+4791234567")
    view = opened(shop, STRANGER_ID)
    assert (view.profile.name, view.profile.is_provisional, view.has_agreed) == ("Nora Vik", True, True)
    assert view.stage.stage == "prospect"


def test_a_shopper_found_by_search_opens_under_their_loyalty_number(shop):
    """Records then name the number HQ knows, not an internal id; one who left the slice opens no more."""
    view: Any = look_up_profile(shop.database, shop.book, MARA, now=shop.clock.now())
    assert (view.shopper.type, view.shopper.value) == ("loyalty_id", LOYALTY_ID)
    shop.database.apply_page(page(STORE_SCOPE, [gone(f"profile/{MARA}", 11)], head=11))
    assert look_up_profile(shop.database, shop.book, MARA, now=shop.clock.now()).shopper is None


# what is on it --------------------------------------------------------------------------------------------------------


def test_what_was_just_recorded_is_on_the_card_at_once_and_once_after_the_sync(shop):
    """Bought here a moment ago: held back at once; after HQ's document shows it, still exactly one outcome."""
    view = opened(shop, card_for())
    play = view.plays[0]
    saved = record.record_outcome(shop.recorder, shop.book, view, play.play_id, "bought")
    after = again(shop, view)
    assert play.play_id not in [one.play_id for one in after.plays]
    held = next(one for one in after.held_back if one.play_id == play.play_id)
    assert held.sentence
    assert held.until > view.as_of
    head = shop.database.head()[0]
    shop.database.settle(answer(shop.database, dict.fromkeys(range(1, head + 1), "accepted"), visible_at=11), at=ago(0))
    told = {"op_id": saved.op_id, "play_id": play.play_id, "outcome": "bought", "at": saved.at}
    shop.database.apply_page(page(STORE_SCOPE, [put(f"profile/{MARA}", mara(outcomes=[told]), 11)], head=11))
    synced = again(shop, view)
    assert [line.op_id for line in synced.profile.outcomes] == [saved.op_id]
    assert play.play_id in [one.play_id for one in synced.held_back]


def test_an_undo_gives_the_play_back(shop):
    """A withdrawn outcome holds nothing back, before and after the push."""
    view = opened(shop, card_for())
    saved = record.record_outcome(shop.recorder, shop.book, view, view.plays[0].play_id, "bought")
    record.withdraw(shop.recorder, saved.op_id)
    after = again(shop, view)
    assert after.profile.outcomes == []
    assert [play.play_id for play in after.plays] == [play.play_id for play in view.plays]


def test_a_withdrawn_consent_hides_behaviour_on_this_tablet_at_once(shop):
    """Before HQ has heard of it nothing of the shopper's behaviour is shown or used."""
    view = opened(shop, card_for())
    no = record.ConsentAnswer("personalise_in_store", is_granted=False, method="spoken")
    record.change_consent(shop.recorder, view.shopper, no)
    after = again(shop, view)
    assert (after.profile.recent, after.profile.cart, after.has_agreed) == ([], [], False)
    assert all(play.sku != SKU for play in after.plays)


def test_a_withdrawal_of_profiling_hides_what_was_counted_online_at_once(shop):
    """Not the lines, which the other purpose allows, and not what was counted on the floor."""
    counts = {"Product Viewed": 4, "Store Entered": 2}
    seen = {name: {"n": n, "first_at": ago(99), "last_at": ago(9)} for name, n in counts.items()}
    told = mara(seen=seen, consent=granted("personalise_in_store", "profiling"))
    shop.database.apply_page(page(STORE_SCOPE, [put(f"profile/{MARA}", told, 50)], head=50))
    view = opened(shop, card_for())
    assert view.profile.seen.keys() == counts.keys()
    record.change_consent(
        shop.recorder, view.shopper, record.ConsentAnswer("profiling", is_granted=False, method="spoken")
    )
    after = again(shop, view).profile
    assert after.seen.keys() == {"Store Entered"}
    assert (after.recent, after.cart, after.redacted) == (view.profile.recent, view.profile.cart, ["profiling"])


def test_a_withdrawal_outlives_a_restart_and_a_clock_that_is_behind(shop, tmp_path):
    """Not yet sent, opened again from the same files: still hidden, whatever moment the tablet thinks it is."""
    counts = {"Product Viewed": 4, "Store Entered": 2}
    seen = {name: {"n": n, "first_at": ago(99), "last_at": ago(9)} for name, n in counts.items()}
    offers = [{"offer_id": "ten", "state": "clicked", "at": ago(9)}, {"offer_id": "late", "state": "honoured"}]
    bought = [{"at": ago(9), "event": "Order Completed", "channel": channel} for channel in ("web", "pos")]
    told = mara(seen=seen, offers=offers, purchases=bought, slice=["cart_near", "home"])
    told["facts"]["last_seen"] = {"web": ago(9), "store": ago(30)}
    shop.database.apply_page(page(STORE_SCOPE, [put(f"profile/{MARA}", told, 50)], head=50))
    view = opened(shop, card_for())
    assert view.profile is not None
    assert view.profile.seen.keys() == counts.keys()
    shop.clock.move(-400 * 86_400.0)
    no = record.ConsentAnswer("personalise_in_store", is_granted=False, method="spoken")
    record.change_consent(shop.recorder, view.shopper, no)
    shop.clock.move(400 * 86_400.0)
    for is_restarted in (False, True):
        if is_restarted:
            shop.database.close()
            shop.database = open_file(tmp_path, clock=shop.clock)
        after = look_up(shop.database, shop.book, card_for(), now=shop.clock.now())
        profile = after.profile
        assert profile is not None
        assert (profile.recent, profile.cart, profile.wishlist, after.has_agreed) == ([], [], [], False)
        assert profile.seen.keys() == {"Store Entered"}
        assert profile.facts.last_seen.keys() == {"store"}
        assert [line.channel for line in profile.purchases] == ["pos"]
        assert [one.offer_id for one in profile.offers] == ["late"]
        assert profile.slice == ["home"]


def test_after_72_hours_without_hq_behaviour_is_hidden_and_says_so(shop):
    """Consent may have been withdrawn meanwhile. The setting of the chain counts."""
    shop.clock.move(71 * 3600)
    assert not opened(shop, card_for()).is_behaviour_hidden
    shop.clock.move(2 * 3600)
    view = opened(shop, card_for())
    assert (view.is_behaviour_hidden, view.profile.cart, view.profile.recent) == (True, [], [])
    assert "behaviour" in view.profile.redacted
    assert view.profile.name == "Mara Lindqvist"
    shop.database.apply_page(page("all", [put("setting/tablet", {"hide_behaviour_h": 100}, 11)], head=11))
    assert not opened(shop, card_for()).is_behaviour_hidden


def test_a_clock_a_year_off_never_stops_a_card(shop):
    """Expired by a wrong clock or behaviour hidden, but the shopper's number opens and recording goes on."""
    for days in (400, -800):
        shop.clock.move(days * 86_400.0)
        view = opened(shop, LOYALTY_ID)
        assert view.profile.name == "Mara Lindqvist"
        assert record.record_outcome(shop.recorder, shop.book, view, "first-conversation", "interested").op_id


def test_a_held_out_play_keeps_its_trigger_quiet(shop):
    """What triggered a held-out play is told to the screen, so that it stays out of sight there."""
    changes = []
    for play in shop.book.playbook.plays:
        held_out = play.model_copy(update={"holdout": play.holdout.model_copy(update={"percent": 90})})
        changes.append(put(f"play/{play.id}", held_out.model_dump(mode="json", by_alias=True), 11))
    shop.database.apply_page(page("all", changes, head=11))
    view = opened(shop, card_for())
    assert view.would_show
    assert any(play.trigger_skus for play in view.would_show)
    assert view.quiet_skus == {sku for play in view.would_show for sku in play.trigger_skus}


def test_looking_up_writes_nothing(shop):
    """The journal, the replica and the notes are as before; nothing rings."""
    before = shop.database.counts(), shop.database.states(), shop.database.head()
    for text in (card_for(), LOYALTY_ID, card_for(STRANGER_ID), "x"):
        opened(shop, text)
    assert (shop.database.counts(), shop.database.states(), shop.database.head()) == before
    assert shop.rings == []


def test_the_book_follows_the_feed_part_by_part(shop):
    """A changed stock document changes stock and nothing else; an unchanged replica gives the very same parts."""
    first = shop.book
    assert shop.book.playbook is first.playbook
    changed = {"sku": SKU, "quantity": 0, "aisle": "B3"}
    shop.database.apply_page(page(STORE_SCOPE, [put(f"stock/{SKU}", changed, 11)], head=11))
    second = shop.book
    assert (second.stock[SKU].quantity, second.playbook is first.playbook) == (0, True)
    shop.database.apply_page(page("all", [gone("play/first-conversation", 11)], head=11))
    assert "first-conversation" not in [play.id for play in shop.book.playbook.plays]


def test_documents_of_a_newer_server_cost_nothing_but_themselves(shop):
    """A setting, pattern, product or key this version cannot read is left out; all else stays."""
    odd = [
        put("setting/plays", {"plays_max": "many"}, 11),
        put("setting/tablet", {"hide_behaviour_h": "soon", "sign_in_d": -1}, 12),
        put("product/ODD", {"sku": 7}, 13),
        put("card_key/2", {"kid": "two", "public_key": "?"}, 14),
        put("play/odd", {"id": "odd", "condition": {"kind": "Telepathy"}}, 15),
    ]
    shop.database.apply_page(page("all", odd, head=15))
    view = opened(shop, card_for())
    assert view.plays
    assert shop.book.rules.hide_behaviour_h == 72
    assert [one.play_id for one in shop.book.playbook.unread] == ["odd"]


def test_an_unconnected_tablet_says_what_to_do(database):
    """No store, no book."""
    from associate_app.services.store_book import StoreBooks

    with pytest.raises(Refused, match="Connect it with an enrolment code"):
        StoreBooks().read(database)


def test_german_words_when_the_tablet_speaks_german(shop):
    """Why and talking points come in the language asked for."""
    english = opened(shop, card_for()).plays[0]
    german = look_up(shop.database, shop.book, card_for(), now=shop.clock.now(), language="de").plays[0]
    assert german.play_id == english.play_id
    assert german.talking_points.opener != english.talking_points.opener


def test_consent_is_read_from_the_document(shop):
    """A shopper who never agreed is told apart from one whose data is merely old."""
    changed = mara(consent=granted("email"), recent=[], cart=[], redacted=["behaviour"])
    shop.database.apply_page(page(STORE_SCOPE, [put(f"profile/{MARA}", changed, 11)], head=11))
    view = opened(shop, card_for())
    assert (view.has_agreed, view.is_behaviour_hidden) == (False, False)

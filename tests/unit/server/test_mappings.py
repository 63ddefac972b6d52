"""Mapping files: what they may say, how they are refused, and what the shipped ones make of real payloads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Malformed, Refused
from shared.ingest_rules import IngestRules
from shared.segment_messages import normalise_message
from shared.shopper_events import ShopperEvent
from sync_server.services.hooks.mapping import HookMapping, Value, read_mapping
from sync_server.services.hooks.messages import Piece, read_delivery, with_shopper
from sync_server.services.hooks.paths import Scope, fill, read, steps_of
from sync_server.services.hooks.shipped import find_mapping, shipped_mappings
from sync_server.services.hooks.trial import try_mapping
from sync_server.services.hooks.values import Habits, value_of
from tests.support import webhooks

AT = "2026-11-22T10:00:00.000Z"
RULES = IngestRules("DE", "EUR", {"berlin-1": "EUR"})


def pieces_of(name: str, body: Any, **headers: str) -> tuple[Piece, ...]:
    """What a shipped mapping makes of a body; `x_shopify_topic` is a header."""
    named = {key.replace("_", "-").lower(): value for key, value in headers.items()}
    return read_delivery(find_mapping(name)[1], body, named, AT)


def event_of(piece: Piece, who: dict[str, str] | None = None) -> ShopperEvent:
    """The event that ingest makes of a piece."""
    assert piece.fault is None
    assert piece.message is not None
    message = with_shopper(piece.message, who or piece.who)
    made = normalise_message(message, source="hook", received_at=AT, rules=RULES)
    assert isinstance(made, ShopperEvent), made
    return made


def identifiers(event: ShopperEvent) -> set[tuple[str, str]]:
    """Type and value of each."""
    return {(one.type.value, one.value) for one in event.identifiers}


# paths ----------------------------------------------------------------------------------------------------------------

TREE = {"a": {"b": [{"type": "x", "v": 1}, {"type": "y", "v.w": 2}], "n": None, "$m": "t", "two words": True}, "e": ""}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b[0].v", 1),
        ('a.b[type=y]."v.w"', 2),
        ("a.$m", "t"),
        ("a.two words", True),
        ("body:a.$m", "t"),
        ("header:X-Topic", "made"),
        (".", TREE),
        ("a.b[7].v", None),
        ("a.b.v", None),
        ("a.n.x", None),
        ("a.b[type=z].v", None),
        ("header:X-Other", None),
    ],
)
def test_a_path_leads_where_it_says_or_nowhere(path: str, found: Any) -> None:
    """Members, places, the element that has a value, headers: and None where there is nothing."""
    assert read(path, Scope(TREE, TREE, {"x-topic": "made"})) == found


@pytest.mark.parametrize("path", ["a..b", "a[", "a[x]", "a.b.", "header:", "a]b"])
def test_what_is_no_path_is_refused(path: str) -> None:
    """When the mapping is read, not when the first delivery comes."""
    with pytest.raises(ValueError, match="path"):
        steps_of(path)


def test_a_template_lacking_a_value_is_nothing() -> None:
    """Half an id would be an id of something else."""
    scope = Scope({"id": 5.0, "at": None}, {})
    assert fill("order/{id}", scope) == "order/5"
    assert fill("order/{id}/{at}", scope) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["data", "id", "type", "a"]), inner),
    max_leaves=12,
)


@given(body=JSON, topic=st.sampled_from(["orders/create", "refunds/create", "customers/update", "", "x"]))
def test_no_body_makes_a_shipped_mapping_raise(body: Any, topic: str) -> None:
    """A delivery that fits nothing is a fault with a sentence, never an exception: the line behind it goes on."""
    for name in shipped_mappings():
        for piece in read_delivery(find_mapping(name)[1], body, {"x-shopify-topic": topic}, AT):
            assert piece.fault is None or piece.fault.strip()


# values ---------------------------------------------------------------------------------------------------------------


def made(spec: Any, element: Any, **habits: Any) -> Any:
    """A value by its specification, as YAML gives it."""
    return value_of(Value.model_validate(spec), Scope(element, element), Habits(**habits), "here")


@pytest.mark.parametrize(
    ("spec", "element", "wanted"),
    [
        ({"from": "p", "as": "amount"}, {"p": "1,299.50"}, "1299.50"),
        ({"from": "p", "as": "amount"}, {"p": 89.9}, "89.9"),
        ({"from": "p", "as": "cents"}, {"p": 8990}, "89.90"),
        ({"from": "p", "as": "cents"}, {"p": "8990"}, "89.90"),
        ({"from": "p", "as": "amount", "negate": True}, {"p": "-8.00"}, "8.00"),
        ({"from": "p", "as": "whole"}, {"p": "2"}, 2),
        ({"from": "p", "as": "text"}, {"p": 450789469}, "450789469"),
        ({"from": "p", "as": "lower"}, {"p": "  Mara@EXAMPLE.org "}, "mara@example.org"),
        ({"from": "p", "as": "bool"}, {"p": "Yes"}, True),
        ({"from": "p", "as": "bool"}, {"p": 0}, False),
        ({"from": "p", "as": "time"}, {"p": "2026-11-22T10:00:00+01:00"}, "2026-11-22T09:00:00.000Z"),
        ({"from": "p", "as": "epoch_s"}, {"p": "1795336200"}, "2026-11-22T08:30:00.000Z"),
        ({"from": "p", "as": "epoch_ms"}, {"p": 1795336200000}, "2026-11-22T08:30:00.000Z"),
        ({"from": "p", "map": {"open": 1}}, {"p": "shut"}, None),
        ({"from": "p", "map": {True: "on"}}, {"p": True}, "on"),
        ({"from": "p", "default": "web"}, {}, "web"),
        ({"value": 5}, {}, 5),
        (["x", "y"], {"x": "", "y": "z"}, "z"),
        (["t/{x}", "t/{y}"], {"y": 3}, "t/3"),
        (
            {"for_each": "l", "where": {"k": "in"}, "sum": "v"},
            {"l": [{"k": "in", "v": "1.10"}, {"k": "o", "v": 5}]},
            "1.10",
        ),
        ({"for_each": "l", "sum": "v"}, {}, "0"),
        ({"for_each": "l", "fields": {"a": "b"}}, {"l": [{"b": 1}, {"c": 2}, {"b": 3}]}, [{"a": 1}, {"a": 3}]),
    ],
)
def test_a_value_becomes_what_the_mapping_asks_for(spec: Any, element: Any, wanted: Any) -> None:
    """Amounts stay decimal text, times become the wire's, nothing stays nothing."""
    assert made(spec, element) == wanted


def test_a_sender_s_habits_are_its_mapping_s() -> None:
    """A decimal comma, and times without a zone."""
    assert made({"from": "p", "as": "amount"}, {"p": "1.299,50"}, decimal=",") == "1299.50"
    assert made({"from": "p", "as": "time"}, {"p": "2026-11-22T10:00"}, timezone="Europe/Berlin").startswith(
        "2026-11-22T09"
    )


@pytest.mark.parametrize(
    ("spec", "element"),
    [
        ({"from": "p", "as": "amount"}, {"p": "free"}),
        ({"from": "p", "as": "whole"}, {"p": "1.5"}),
        ({"from": "p", "as": "time"}, {"p": "yesterday"}),
        ({"from": "p", "as": "time"}, {"p": True}),
        ({"from": "p", "as": "epoch_s"}, {"p": "soon"}),
        ({"from": "p", "as": "epoch_s"}, {"p": 1e300}),
        ({"from": "p", "as": "bool"}, {"p": "perhaps"}),
        ({"from": "p", "must": True}, {}),
        ("p", {"p": {"q": 1}}),
        ({"for_each": "l", "sum": "v"}, {"l": [{"v": "x"}]}),
    ],
)
def test_a_value_that_is_not_one_says_where_and_what(spec: Any, element: Any) -> None:
    """Whoever mends the mapping learns its place."""
    with pytest.raises(Malformed, match="here"):
        made(spec, element)


# files ----------------------------------------------------------------------------------------------------------------

SMALL = """
verify: {scheme: none}
cases:
  - event: Order Completed
    who: {email: email}
"""


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("who:", "hwo:", r"cases\[0\]: has no 'hwo'. It may hold: when, .*who"),
        (
            "{email: email}",
            "{mail: email}",
            r"cases\[0\].who: has no 'mail'. It may hold: loyalty_id, customer_id, email",
        ),
        ("scheme: none", "scheme: sha1", r"verify.scheme: is 'sha1'; allowed are 'hmac-sha256-base64'"),
        ("scheme: none", "scheme: hmac-sha256-hex", "verify: .*needs header"),
        ("scheme: none", "scheme: none, signed: x", "verify: signs nothing of the body"),
        ("email: email", "email: 5", r"cases\[0\].who.email: holds 5: write a path, or value: 5"),
        ("email: email", "email: {from: a, as: money}", r"cases\[0\].who.email.as: is 'money'; allowed are 'text'"),
        ("email: email", "email: {from: a, value: b}", r"cases\[0\].who.email: says in one way"),
        ("email: email", "email: a..b", r"cases\[0\].who.email: 'a..b' is no path"),
        ("email: email", "", r"cases\[0\]: names nobody"),
        ("event: Order Completed", "type: track", r"cases\[0\]: .*needs its event's name"),
        ("event: Order Completed", "type: claim", r"cases\[0\]: is a claim and needs key"),
        ("event: Order Completed", "type: alias", r"cases\[0\].type: is 'alias'; allowed are 'track'"),
        (
            "event: Order Completed",
            "event: X\n    consent: {post: a}",
            r"cases\[0\].consent.post.*: is 'post'; allowed",
        ),
        ("cases:", "case:", "the file: has no 'case'. It may hold: about, verify"),
        ("verify: {scheme: none}", "about: x", "verify is missing"),
        ("verify: {scheme: none}", "verify: {scheme: none}\ntimezone: Moon", "timezone: is no time zone"),
        ("cases:", "cases: [", "is no YAML"),
    ],
)
def test_a_mapping_that_is_wrong_says_where_and_what_is_allowed(old: str, new: str, sentence: str) -> None:
    """One sentence: the place in the file, and the words that may stand there."""
    assert isinstance(read_mapping(SMALL), HookMapping)
    with pytest.raises(Refused, match=f"(?s)^till.yaml.*{sentence}"):
        read_mapping(SMALL.replace(old, new, 1), "till.yaml")


@pytest.mark.parametrize("text", ["", "5", "[]", "a: &a [*a]", "x" * 200_000, "\x00"])
def test_what_is_no_mapping_at_all_is_refused(text: str) -> None:
    """One sentence, whatever the file holds."""
    with pytest.raises(Refused):
        read_mapping(text)


def test_a_mapping_is_found_by_file_or_by_name(tmp_path: Path) -> None:
    """A file goes before a name; neither is refused with the names there are."""
    (tmp_path / "till.yaml").write_text(SMALL)
    assert find_mapping(str(tmp_path / "till.yaml"))[0] == SMALL
    assert find_mapping("shopify")[1].verify.scheme == "hmac-sha256-base64"
    with pytest.raises(Refused, match="klaviyo, pos-ticket, shopify"):
        find_mapping("shopware")


# the shipped ones -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("topic", ["orders/create", "orders/paid"])
def test_shopify_s_order_is_an_order_by_whichever_topic(topic: str) -> None:
    """One message id for both, so that it counts once; net of tax and shipping, lines by sku or variant."""
    [piece] = pieces_of("shopify", webhooks.shopify_order(), x_shopify_topic=topic)
    event = event_of(piece)
    assert event.name == "Order Completed"
    assert event.channel.value == "web"
    assert event.occurred_at == "2026-11-22T09:29:57.000Z"
    assert piece.key == "order/820982911946154508"
    assert piece.message is not None
    assert piece.message["messageId"] == "order/820982911946154508"
    assert identifiers(event) == {
        ("customer_id", "207119551"),
        ("email", "mara.lind@example.org"),
        ("phone", "+4930901820123"),
    }
    order = event.order
    assert order is not None
    assert (order.order_id, order.currency) == ("820982911946154508", "EUR")
    assert (order.total_minor, order.revenue_minor) == (12495, 12495 - 595 - 1995)
    assert [(one.sku, one.price_minor, one.quantity) for one in order.lines] == [
        ("BOOT-39", 9900, 1),
        ("808950811", 1000, 2),
    ]
    assert event.offer_id == "WELCOME10"


def test_shopify_s_refund_names_its_order_and_nobody() -> None:
    """Only money that went out counts, tax apart; whose it is comes by the order's key."""
    [piece] = pieces_of("shopify", webhooks.shopify_refund(), x_shopify_topic="refunds/create")
    assert (piece.key, dict(piece.who), piece.owns_key) == ("order/820982911946154508", {}, False)
    order = event_of(piece, {"customer_id": "207119551"}).order
    assert order is not None
    assert (order.order_id, order.refund_minor) == ("820982911946154508", 9900 - 1581)
    assert [(one.sku, one.quantity) for one in order.lines] == [("BOOT-39", 1)]


def test_shopify_s_refund_without_money_gives_nothing_back() -> None:
    """Goods that came back for store credit are no refund of money."""
    body = webhooks.shopify_refund(transactions=[], refund_line_items=[])
    [piece] = pieces_of("shopify", body, x_shopify_topic="refunds/create")
    order = event_of(piece, {"customer_id": "1"}).order
    assert order is not None
    assert order.refund_minor == 0


def test_shopify_s_shopper_brings_traits_and_a_consent_of_its_own_time() -> None:
    """The decision counts from when it was made; what was never asked says nothing."""
    traits, consent = pieces_of("shopify", webhooks.shopify_shopper(), x_shopify_topic="customers/update")
    assert event_of(traits).traits == {
        "given_name": "Mara",
        "family_name": "Lind",
        "postcode": "10115",
        "city": "Berlin",
        "country": "DE",
        "email": "mara.lind@example.org",
        "phone": "+4930901820123",
    }
    decided = event_of(consent)
    assert (decided.consent, decided.occurred_at) == ({"email": "granted"}, "2026-10-01T08:02:00.000Z")
    said = {"state": "unsubscribed", "opt_in_level": "single_opt_in", "consent_updated_at": "2026-11-20T08:00:00Z"}
    body = webhooks.shopify_shopper(email_marketing_consent=said, sms_marketing_consent=said)
    _, by_mail, by_sms = pieces_of("shopify", body, x_shopify_topic="customers/update")
    assert event_of(by_mail).consent == {"email": "denied"}
    assert event_of(by_sms).consent == {"sms": "denied"}


def test_shopify_s_other_topics_are_ignored_on_purpose_or_fail_visibly() -> None:
    """What nobody thought of is never dropped in silence."""
    [ignored] = pieces_of("shopify", {"id": 1}, x_shopify_topic="products/update")
    assert ignored.is_ignored
    [unknown] = pieces_of("shopify", {"id": 1}, x_shopify_topic="draft_orders/create")
    assert unknown.fault is not None
    assert "header:X-Shopify-Topic is 'draft_orders/create'" in unknown.fault


@pytest.mark.parametrize(
    ("topic", "name", "channel"),
    [
        ("received_email", "Email Delivered", "email"),
        ("opened_email", "Email Opened", "email"),
        ("clicked_email", "Email Link Clicked", "email"),
        ("bounced_email", "Email Bounced", "email"),
        ("unsubscribed_from_email_marketing", "Email Unsubscribed", "email"),
        ("marked_email_as_spam", "Email Marked as Spam", "email"),
    ],
)
def test_klaviyo_s_messages_are_the_catalogue_s(topic: str, name: str, channel: str) -> None:
    """Known events with their shopper, campaign and time; unsubscribing is a decision."""
    [piece] = pieces_of("klaviyo", webhooks.klaviyo_batch(webhooks.klaviyo_event(topic, URL="https://shop.example/k")))
    event = event_of(piece)
    assert (event.name, event.channel.value, event.is_known) == (name, channel, True)
    assert event.occurred_at == "2026-11-22T08:30:01.000Z"
    assert identifiers(event) == {("customer_id", "207119551"), ("email", "mara.lind@example.org")}
    assert event.campaign_id == "01HMSG"
    is_denial = name in ("Email Unsubscribed", "Email Marked as Spam")
    assert event.consent == ({"email": "denied"} if is_denial else {})
    assert ("link_url" in event.extra) == (name == "Email Link Clicked")


def test_klaviyo_s_request_brings_several_events_and_a_bad_one_keeps_none_back() -> None:
    """Each element by itself."""
    events = [
        webhooks.klaviyo_event("opened_email", 1),
        {"topic": "event:klaviyo.unheard"},
        webhooks.klaviyo_event("clicked_email", 3),
    ]
    pieces = pieces_of("klaviyo", webhooks.klaviyo_batch(*events))
    assert [piece.fault is None for piece in pieces] == [True, False, True]
    assert len({piece.message["messageId"] for piece in pieces if piece.message}) == 2


def test_klaviyo_s_profile_brings_traits_and_its_subscription() -> None:
    """As the API gives it, an object and not a list."""
    traits, consent = pieces_of("klaviyo", webhooks.klaviyo_profile())
    assert event_of(traits).traits["language"] == "de"
    assert event_of(traits).traits["postcode"] == "10115"
    assert event_of(consent).consent == {"email": "granted"}
    assert event_of(consent).occurred_at == "2026-10-01T08:02:00.000Z"


def test_a_till_s_ticket_is_an_order_of_its_store() -> None:
    """At the till, in its store, by its local time."""
    [piece] = pieces_of("pos-ticket", webhooks.ticket())
    event = event_of(piece)
    assert (event.name, event.channel.value, event.store) == ("Order Completed", "pos", "berlin-1")
    assert event.occurred_at == "2026-11-22T09:02:00.000Z"
    assert event.order is not None
    assert event.order.revenue_minor == 8990 - 1435
    assert identifiers(event) == {("loyalty_id", webhooks.LOYALTY_ID)}


def test_a_ticket_of_nobody_waits_for_its_key_and_a_claim_names_it() -> None:
    """A household's card alone names nobody."""
    [nobody] = pieces_of("pos-ticket", webhooks.ticket(loyalty_number=None, payment_token="tok-1"))
    assert (nobody.names_somebody, nobody.key) == (False, "ticket/B1-20261122-0042")
    [named] = pieces_of("pos-ticket", webhooks.claim())
    assert (named.names_somebody, named.key, named.message) == (True, nobody.key, None)
    event = event_of(nobody, {**named.who, **nobody.who})
    assert identifiers(event) == {("loyalty_id", webhooks.LOYALTY_ID), ("payment_token", "tok-1")}
    [empty] = pieces_of("pos-ticket", webhooks.claim(loyalty_number=None))
    assert empty.fault is not None


def test_who_brings_something_back_does_not_say_who_bought_it() -> None:
    """A gift's return must not give the giver's ticket to the receiver."""
    [piece] = pieces_of("pos-ticket", webhooks.ticket(type="return", ticket="B1-2", of_ticket="B1-1", total="10.00"))
    assert (piece.key, piece.owns_key) == ("ticket/B1-1", False)
    order = event_of(piece).order
    assert order is not None
    assert order.order_id == "B1-1"


# trying ---------------------------------------------------------------------------------------------------------------


def test_trying_a_mapping_shows_messages_events_and_faults() -> None:
    """Everything a delivery would mean, without a database."""
    payload = json.dumps(webhooks.shopify_order()).encode()
    [piece] = try_mapping("shopify", payload, {"X-Shopify-Topic": "orders/paid"})["pieces"]
    assert (piece["what"], piece["fault"]) == ("message", None)
    assert piece["event"]["order"]["total_minor"] == 12495
    [piece] = try_mapping("shopify", payload, {})["pieces"]
    assert "no case of the mapping fits" in piece["fault"]
    with pytest.raises(Refused, match="not JSON"):
        try_mapping("shopify", b"{", {})

"""Messages of the tracking API as unmodified clients send them, and the events they become."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.code_patterns import CheckRule, CodePattern, with_check_digit
from shared.errors import Malformed
from shared.event_catalogue import CATALOGUE, DIGITAL_CHANNELS, Channel, entry_for
from shared.identity import Identifier, IdentifierType
from shared.ingest_rules import IngestRules
from shared.offers import register_codes
from shared.segment_messages import MESSAGE_BYTES_MAX, normalise_message
from shared.shopper_events import EventKind, EventOrder, FaultyMessage, OrderLine, ShopperEvent
from shared.wire.canonical import canonical, check_body

RECEIVED_AT = "2026-11-22T20:52:46.500Z"
SENT_AT = "2026-11-22T20:52:46.163388+00:00"
LOYALTY = CodePattern("29", 13, check=CheckRule.EAN13)
NUMBER = with_check_digit("290000000001", CheckRule.EAN13)
RULES = IngestRules(
    stores={"berlin-1": "EUR", "zurich-1": "CHF"},
    loyalty=(LOYALTY,),
    offers=register_codes({"AUTUMN10": "autumn-knits"}),
)

# Recorded from segment-analytics-python 2.4.0: null ids are present, sentAt stands on the batch.
SEGMENT = {
    "integrations": {},
    "anonymousId": None,
    "properties": {"sku": "ARAN-M", "name": "Aran jumper", "price": 89.9, "quantity": 1, "cart_id": "cart-1"},
    "timestamp": "2026-11-22T20:52:45.663+00:00",
    "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
    "userId": "u1",
    "type": "track",
    "event": "Product Added",
    "messageId": "f5e7ab46-6350-47c2-8725-15e7192717cd",
}
# Recorded from rudder-sdk-python 2.1.9: traits under context, six decimals, its way of travelling as `channel`.
RUDDER = {
    "integrations": {"All": True},
    "anonymousId": None,
    "timestamp": "2026-11-22T20:52:46.826810+00:00",
    "context": {
        "traits": {"email": " A@x.example ", "firstName": "Mara"},
        "library": {"name": "analytics-python", "version": "2.1.9"},
    },
    "type": "identify",
    "userId": "u1",
    "messageId": "1fc252e4-4ca3-4f76-966f-3b10f09bbf26",
    "channel": "server",
}


def read(message, **given):
    """Whatever a message becomes."""
    return normalise_message(
        message, **{"source": "webshop", "received_at": RECEIVED_AT, "sent_at": SENT_AT, "rules": RULES, **given}
    )


def event_of(message, **given):
    """The event of a message; fails where it is faulty, or its body would be refused by the wire."""
    event = read(message, **given)
    assert isinstance(event, ShopperEvent), event
    body = event.to_body()
    check_body(body)
    assert ShopperEvent.from_body(json.loads(canonical(body))) == event
    return event


def track(event, properties=None, **message):
    """A track call of shopper u1."""
    return event_of({"type": "track", "event": event, "userId": "u1", "properties": properties or {}, **message})


def pairs(event):
    """The linking identifiers as (type, value)."""
    return [(one.type.value, one.value) for one in event.identifiers]


def test_a_segment_client_s_product_is_read_whole():
    """Null ids are absent, a float is money as written, the clock of the sender cancels out."""
    event = event_of(SEGMENT)
    assert pairs(event) == [("customer_id", "u1")]
    assert (event.kind, event.name, event.channel) == (EventKind.TRACK, "Product Added", Channel.WEB)
    assert (event.sku, event.title, event.price_minor, event.currency) == ("ARAN-M", "Aran jumper", 8990, "EUR")
    assert (event.quantity, event.cart_id, event.occurred_at) == (1, "cart-1", "2026-11-22T20:52:45.999Z")
    assert event.is_digital
    assert event.is_signal
    assert event.is_known
    assert event.extra == {}


def test_a_rudder_client_s_traits_are_found_under_the_context():
    """An identify call has no event of its own."""
    event = event_of(RUDDER)
    assert pairs(event) == [("customer_id", "u1"), ("email", "a@x.example")]
    assert event.traits == {"given_name": "Mara", "email": "a@x.example"}
    assert event.name == ""
    assert event.is_known


def test_a_node_client_names_its_own_times():
    """`sentAt` of the message wins over the batch's; absent ids are absent. A time the shop said counts as it is."""
    message = {
        "type": "track",
        "event": "Product Viewed",
        "anonymousId": "anon-1",
        "originalTimestamp": "2026-11-22T19:00:00.000Z",
        "sentAt": "2026-11-22T19:00:10.000Z",
        "messageId": "m1",
    }
    assert event_of(message).occurred_at == "2026-11-22T20:52:36.500Z"
    said = {**message, "timestamp": "2026-08-01T10:00:00Z"}
    assert event_of(said, sent_at="2026-11-22T19:00:10.000Z").occurred_at == "2026-08-01T10:00:00.000Z"


@pytest.mark.parametrize(
    ("timestamp", "sent_at", "occurred_at"),
    [
        ("2025-11-22T20:00:00Z", "2025-11-22T20:01:00Z", "2026-11-22T20:51:46.500Z"),
        ("2036-11-22T20:00:00Z", "2036-11-22T20:00:02Z", "2026-11-22T20:52:44.500Z"),
        ("2026-08-01T10:00:00Z", None, "2026-08-01T10:00:00.000Z"),
        ("2026-08-01T12:00:00+02:00", "", "2026-08-01T10:00:00.000Z"),
        ("2026-08-01T10:00:00", None, "2026-08-01T10:00:00.000Z"),
        (1785578400000, None, "2026-08-01T10:00:00.000Z"),
        (1785578400, None, "2026-08-01T10:00:00.000Z"),
        ("2040-01-01T00:00:00Z", None, "2026-11-22T20:57:46.500Z"),
        ("2040-01-01T00:00:00Z", "2026-11-22T20:52:00Z", "2026-11-22T20:57:46.500Z"),
        ("yesterday", None, RECEIVED_AT),
        (None, "2026-11-22T20:52:00Z", RECEIVED_AT),
        ("0001-01-01T00:00:00+14:00", None, RECEIVED_AT),
        ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", RECEIVED_AT),
        (True, None, RECEIVED_AT),
        (1e300, None, RECEIVED_AT),
    ],
)
def test_a_wrong_clock_never_moves_an_event_far(timestamp, sent_at, occurred_at):
    """By HQ's clock where both times are known, never over five minutes ahead, the time of arrival as a last resort."""
    assert event_of({**SEGMENT, "timestamp": timestamp}, sent_at=sent_at).occurred_at == occurred_at


def test_the_order_within_a_batch_is_kept():
    """Two clicks within a second must not change places: one adds, the other removes."""
    first = event_of({**SEGMENT, "timestamp": "2026-11-22T20:52:45.100Z"})
    second = event_of({**SEGMENT, "timestamp": "2026-11-22T20:52:45.900Z", "messageId": "m2"})
    assert first.occurred_at < second.occurred_at


def test_an_event_is_known_by_source_and_message_id_for_ever():
    """The same message of another source is another event; arrival and sending times change nothing."""
    again = event_of({**SEGMENT, "sentAt": "2026-11-23T00:00:00Z"}, received_at="2026-11-24T00:00:00.000Z")
    assert event_of(SEGMENT).event_id == again.event_id == "973ef5da-0633-5970-bbf6-d1b930dd4f4e"
    assert event_of(SEGMENT, source="app").event_id != again.event_id


def test_a_message_without_an_id_is_known_by_what_it_says():
    """A resend, which only changes when it was sent, stays the same event."""
    message = {name: value for name, value in SEGMENT.items() if name != "messageId"}
    resent = {**message, "messageId": None, "sentAt": "2026-11-25T00:00:00Z"}
    other = {**message, "event": "Product Removed"}
    assert event_of(message).event_id == event_of(resent).event_id != event_of(other).event_id


def test_every_place_that_names_the_shopper_is_promoted():
    """Ids, traits in both places, properties, the device and external ids; each once."""
    event = event_of(
        {
            "type": "track",
            "event": "Order Completed",
            "userId": 17,
            "anonymousId": "anon-1",
            "traits": {"email": "mara@example.org"},
            "properties": {"email": "MARA@example.org", "loyalty_id": NUMBER, "payment_token": "tok-1"},
            "context": {
                "traits": {"phone": "0151 23456789", "email": "other@example.org"},
                "device": {"id": "device-1"},
                "externalIds": [
                    {"id": "second@example.org", "type": "email", "encoding": "none"},
                    {"id": "hashed@example.org", "type": "email", "encoding": "sha256"},
                    {"id": "x", "type": "ios.idfa"},
                    "nonsense",
                ],
            },
        }
    )
    assert pairs(event) == [
        ("customer_id", "17"),
        ("anonymous_id", "anon-1"),
        ("email", "mara@example.org"),
        ("phone", "+4915123456789"),
        ("loyalty_id", NUMBER),
        ("payment_token", "tok-1"),
        ("anonymous_id", "device-1"),
        ("email", "second@example.org"),
    ]


@pytest.mark.parametrize(
    ("account", "expected"),
    [
        ("u1", ("customer_id", "u1")),
        (4711, ("customer_id", "4711")),
        (" Mara@Example.org", ("email", "mara@example.org")),
        (NUMBER, ("loyalty_id", NUMBER)),
        (int(NUMBER), ("loyalty_id", NUMBER)),
        (NUMBER[:-1] + "0", ("customer_id", NUMBER[:-1] + "0")),
    ],
)
def test_a_user_id_is_what_it_plainly_is(account, expected):
    """Many shops use the e-mail or the loyalty number as account id."""
    assert pairs(event_of({**SEGMENT, "userId": account})) == [expected]


def test_an_alias_names_both():
    """The previous id of a browser is its anonymous id, of a shop an older account."""
    anonymous = "3f2b8a52-33a4-4d5e-9a39-0f0e6f2a6c11"
    call = {"type": "alias", "userId": "u1"}
    assert pairs(event_of({**call, "previousId": anonymous})) == [("customer_id", "u1"), ("anonymous_id", anonymous)]
    assert pairs(event_of({**call, "previousId": "u0"})) == [("customer_id", "u1"), ("customer_id", "u0")]


def test_values_that_identify_nobody_stay_on_the_event_without_linking():
    """Kept as evidence: a block lifted later finds them again."""
    event = event_of({**SEGMENT, "userId": "null", "anonymousId": "anon-1"})
    assert pairs(event) == [("anonymous_id", "anon-1")]
    assert event.blocked == (Identifier(IdentifierType.CUSTOMER_ID, "null"),)
    nobody = event_of({**SEGMENT, "userId": "undefined"})
    assert nobody.identifiers == ()
    assert nobody.blocked


def test_a_group_s_traits_are_not_the_person_s():
    """A company's phone number is nobody's."""
    event = event_of({"type": "group", "userId": "u1", "groupId": "g1", "traits": {"phone": "030 12345678"}})
    assert pairs(event) == [("customer_id", "u1")]
    assert event.traits == {}
    assert event.extra["@group"] == {"id": "g1", "phone": "030 12345678"}


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("text", "not_an_object"),
        (None, "not_an_object"),
        ([SEGMENT], "not_an_object"),
        ({}, "unknown_type"),
        ({**SEGMENT, "type": "purchase"}, "unknown_type"),
        ({**SEGMENT, "type": 7}, "unknown_type"),
        ({**SEGMENT, "event": None}, "no_event_name"),
        ({**SEGMENT, "event": "  "}, "no_event_name"),
        ({**SEGMENT, "event": {"name": "x"}}, "no_event_name"),
        ({**SEGMENT, "userId": None}, "no_identifier"),
        ({**SEGMENT, "userId": "", "anonymousId": " "}, "no_identifier"),
        ({**SEGMENT, "userId": {"id": 7}}, "no_identifier"),
        ({**SEGMENT, "properties": {"note": "x" * MESSAGE_BYTES_MAX}}, "too_big"),
        ({**SEGMENT, "properties": {"note": "ä" * (MESSAGE_BYTES_MAX // 2)}}, "too_big"),
        ({**SEGMENT, "properties": {"note": object()}}, "unreadable"),
    ],
)
def test_a_faulty_message_says_what_is_wrong(message, reason):
    """A value, not an exception: the good messages of the batch go on."""
    fault = read(message)
    assert isinstance(fault, FaultyMessage)
    assert fault.reason == reason
    assert fault.sentence.endswith(".")


def test_a_nest_too_deep_to_weigh_is_unreadable():
    """Whoever sends a thousand brackets gets a dead letter, not a crash."""
    nest: list[Any] = []
    for _ in range(100_000):
        nest = [nest]
    fault = read({**SEGMENT, "properties": {"note": nest}})
    assert isinstance(fault, FaultyMessage)
    assert fault.reason == "unreadable"


def test_the_route_says_the_kind_where_the_message_does_not():
    """`/v1/page` knows what it carries."""
    page = event_of({"userId": "u1", "name": "Jumpers", "category": "Women"}, kind="page")
    assert (page.kind, page.name, page.title, page.category) == (EventKind.PAGE, "Page Viewed", "Jumpers", "Women")


ORDER = {
    "order_id": "o-1",
    "revenue": "89.90",
    "total": 99.8,
    "shipping": 4.9,
    "tax": 5,
    "currency": "eur",
    "coupon": "autumn10",
    "products": [
        {"product_id": "ARAN-M", "name": "Aran jumper", "price": 40, "quantity": "2", "category": "Knitwear"},
        {"sku": "BEANIE", "price": "9,90"},
        {"name": "without a number", "price": 1},
        "nonsense",
    ],
}


def test_an_order_keeps_lines_and_amounts_in_minor_units():
    """Floats, texts and decimal commas are exact; a line without a sku is left out."""
    event = track("Order Completed", ORDER)
    assert event.order == EventOrder(
        order_id="o-1",
        currency="EUR",
        lines=(
            OrderLine("ARAN-M", "Aran jumper", "Knitwear", price_minor=4000, quantity=2),
            OrderLine("BEANIE", price_minor=990),
        ),
        revenue_minor=8990,
        total_minor=9980,
    )
    assert event.offer_id == "autumn-knits"
    assert event.extra["coupon"] == "autumn10"
    assert event.price_minor is None


@pytest.mark.parametrize(
    ("amounts", "revenue_minor"),
    [
        ({"revenue": 10, "subtotal": 20, "total": 30}, 1000),
        ({"subtotal": 20, "total": 30}, 2000),
        ({"total": 30, "shipping": 4, "tax": 1}, 2500),
        ({"products": [{"sku": "A", "price": 5, "quantity": 2}, {"sku": "B", "price": 1}], "discount": 1}, 1000),
        ({"revenue": "a lot"}, None),
        ({"revenue": 10, "currency": "Euros"}, None),
        ({"revenue": 10, "currency": "JPY"}, 10),
        ({"revenue": 1e300}, None),
        ({"products": [{"sku": "A", "price": 10**9, "quantity": 10**9}]}, None),
        ({"revenue": True}, None),
        ({}, None),
    ],
)
def test_revenue_excludes_shipping_and_tax(amounts, revenue_minor):
    """Stated, or worked out from what else was stated; a currency that cannot be read gives no amount at all."""
    assert track("Order Completed", amounts).order.revenue_minor == revenue_minor


@pytest.mark.parametrize(("amounts", "refund_minor"), [({"total": 30}, 3000), ({"revenue": -30}, 3000), ({}, None)])
def test_a_refund_states_what_was_given_back(amounts, refund_minor):
    """Positive however it was sent; no amount means the whole order."""
    order = track("Order Refunded", {"order_id": "o-1", **amounts}).order
    assert (order.refund_minor, order.revenue_minor, order.total_minor) == (refund_minor, None, None)


def test_a_shop_s_ticket_comes_from_the_till_in_the_shop_s_currency():
    """`context.store`, or an affiliation that is a known code; a web shop's own name is no shop."""
    assert track("Order Completed", ORDER, context={"store": "lisbon-1"}).channel is Channel.POS
    ticket = track("Order Completed", {"affiliation": "zurich-1", "revenue": 10})
    assert (ticket.channel, ticket.store, ticket.order.currency) == (Channel.POS, "zurich-1", "CHF")
    online = track("Order Completed", {"affiliation": "Online Store", "revenue": 10})
    assert (online.channel, online.store, online.order.currency) == (Channel.WEB, None, "EUR")


@pytest.mark.parametrize(
    ("event", "message", "channel"),
    [
        ("Product Viewed", {}, "web"),
        ("Product Viewed", {"context": {"channel": "App"}}, "app"),
        ("Product Viewed", {"properties": {"channel": "kiosk"}}, "store"),
        ("Product Viewed", {"context": {"store": "berlin-1"}}, "web"),
        ("Product Viewed", {"properties": {"store": "berlin-1"}}, "web"),
        ("Product Viewed", {"context": {"os": {"name": "iOS"}}}, "app"),
        ("Product Viewed", {"channel": "mobile"}, "app"),
        ("Product Viewed", {"channel": "server"}, "web"),
        ("Something Else", {}, "web"),
        ("Email Opened", {"channel": "server"}, "email"),
        ("Email Opened", {"channel": "browser"}, "email"),
        ("SMS Link Clicked", {}, "sms"),
        ("Ad Clicked", {}, "ads"),
        ("Support Case Opened", {}, "service"),
        ("Store Entered", {"context": {"store": "berlin-1"}}, "store"),
        ("Product Scanned", {}, "store"),
        ("Order Refunded", {"context": {"store": "berlin-1"}}, "pos"),
        ("Order Completed", {}, "web"),
        ("Order Completed", {"context": {"store": "berlin-1", "channel": "web"}}, "web"),
    ],
)
def test_the_channel_is_declared_or_follows_from_the_event(event, message, channel):
    """Browsing never becomes a floor event by naming a shop: consent redaction hides by channel."""
    found = event_of({"type": "track", "event": event, "userId": "u1", **message})
    assert found.channel == channel
    assert found.is_digital == (channel in {"web", "app", "email", "sms", "ads"})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, dict.fromkeys(("personalise_in_store", "profiling", "analytics", "email", "sms", "phone"), "denied")),
        ({"email": True, "sms": False}, {"email": "granted", "sms": "denied"}),
        ({"Analytics": True, "Advertising": False}, {"analytics": "granted", "profiling": "denied"}),
        ({"Advertising": True}, {}),
        ({"Personalization": True}, {"profiling": "granted"}),
        ({"Personalization": False}, {"profiling": "denied", "personalise_in_store": "denied"}),
        ({"Personalization": True, "Marketing": False}, {"profiling": "denied"}),
        ({"Marketing": False, "Personalization": True}, {"profiling": "denied"}),
        ({"email": "true"}, {"email": "denied"}),
        ({"Personalization": "true"}, {"profiling": "denied", "personalise_in_store": "denied"}),
        ({"Cookies we never heard of": True}, {}),
    ],
)
def test_preferences_are_decisions(said, expected):
    """Empty denies all, only `true` grants, a denial wins, and a cookie banner never opens the shop floor."""
    message = {"context": {"consent": {"categoryPreferences": said}}}
    assert track("Segment Consent Preference Updated", **message).consent == expected


@pytest.mark.parametrize(
    "context", [{}, {"consent": {}}, {"consent": None}, {"consent": {"categoryPreferences": None}}]
)
def test_absent_preferences_change_nothing(context):
    """Most messages carry none."""
    assert track("Product Viewed", context=context).consent == {}


def test_unsubscribing_is_a_decision_too():
    """From the e-mail tool's own event; the proof says web."""
    (decision,) = track("Email Unsubscribed").decisions()
    assert (decision.purpose, decision.decision, decision.method) == ("email", "denied", "web")
    assert track("Unsubscribed").consent == {"email": "denied"}
    assert track("SMS Unsubscribed").consent == {"sms": "denied"}


def test_traits_are_kept_under_our_names():
    """Every spelling of the libraries' specifications, the nested address included; unknown ones in `extra`."""
    event = event_of(
        {
            "type": "identify",
            "userId": "u1",
            "traits": {
                "first_name": " Mara ",
                "lastName": "Lindqvist",
                "phone": "0151 23456789",
                "birthday": "1990-05-04T00:00:00Z",
                "address": {"postalCode": 10115, "country": "de", "city": "Berlin", "street": "Weg 1"},
                "loyalty_tier": "Gold",
                "points": "120",
                "locale": "de-DE",
                "home_store": "berlin-1",
                "shoeSize": 39.5,
            },
        }
    )
    assert event.traits == {
        "given_name": "Mara",
        "family_name": "Lindqvist",
        "phone": "+4915123456789",
        "birth_on": "1990-05-04",
        "postcode": "10115",
        "country": "DE",
        "city": "Berlin",
        "tier": "Gold",
        "points": 120,
        "language": "de",
        "home_store": "berlin-1",
    }
    assert event.extra == {"@traits": {"shoeSize": "39.5"}}


@pytest.mark.parametrize(
    ("traits", "expected"),
    [
        ({"name": "Mara Eva Lindqvist"}, {"given_name": "Mara Eva", "family_name": "Lindqvist"}),
        ({"name": "Mara"}, {"given_name": "Mara"}),
        ({"name": "M L", "lastName": "Lindqvist"}, {"family_name": "Lindqvist"}),
        ({"birthday": "4 May", "points": "many", "email": "none", "phone": "no"}, {}),
        ({"email": "test@example.org"}, {}),
    ],
)
def test_what_cannot_be_read_is_left_out(traits, expected):
    """A name alone is split; a wrong value is no value."""
    assert event_of({"type": "identify", "userId": "u1", "traits": traits}).traits == expected


def test_message_and_campaign_fields_are_found():
    """E-mail tools, promotions, searches, carts and service cases each have their own words."""
    mail = track("Email Link Clicked", {"email_subject": "Autumn knits", "campaign_id": "c-9"})
    assert (mail.title, mail.campaign_id) == ("Autumn knits", "c-9")
    tagged = track("Product Viewed", context={"campaign": {"name": "autumn", "source": "newsletter"}})
    assert tagged.campaign_id == "autumn"
    assert track("Promotion Clicked", {"promotion_id": "weekend", "name": "Member weekend"}).offer_id == "weekend"
    assert track("Products Searched", {"query": "wool hat"}).query == "wool hat"
    case = track("Support Case Opened", {"ticket_id": 77, "subject": "Zip repair", "due_on": "2026-11-24"})
    assert (case.case_id, case.title, case.extra) == ("77", "Zip repair", {"due_on": "2026-11-24"})
    assert track("Cart Viewed", {"products": [{"sku": "A"}, {"product_id": "B"}]}).extra == {"@skus": ["A", "B"]}
    sole = track("Product Added", {"cart_id": "k", "products": [{"sku": "A", "price": 5}]})
    assert (sole.sku, sole.price_minor, sole.cart_id) == ("A", 500, "k")


@pytest.mark.parametrize("names", [("sku", "product_id"), ("product_id", "sku")])
def test_the_best_spelling_wins_in_any_order(names):
    """A shop that sends both its sku and its database's product id means the sku."""
    said = {"sku": "ARAN-M", "product_id": "gid://1"}
    assert track("Product Viewed", {name: said[name] for name in names}).sku == "ARAN-M"


def test_nothing_is_a_number_too():
    """A present costs 0, and none were left: that is not the same as unknown."""
    gift = track("Product Added", {"sku": "GIFT", "price": 0, "quantity": 0})
    assert (gift.price_minor, gift.quantity) == (0, 0)


def test_a_deep_nest_is_cut_where_nobody_reads_any_more():
    """The wire takes 32 levels; we keep eight of what we do not know."""
    nest: Any = "bottom"
    for _ in range(40):
        nest = {"in": nest}
    assert "bottom" not in json.dumps(track("Gift Wrapped", {"nest": nest}).extra)


def test_unknown_fields_are_kept_and_needless_ones_are_not():
    """Address of the network and browser are nobody's business; floats and deep nests are made safe for the wire."""
    event = track(
        "Gift Wrapped",
        {"ribbon": "red", "weight": 1.5, "huge": 2**60, "nul\x00": "a\x00b", "half": "\ud800", "none": None},
        context={"ip": "192.0.2.1", "userAgent": "x", "page": {"path": "/a"}},
        custom={"a": [1, {"b": True}]},
    )
    assert not event.is_known
    assert event.name == "Gift Wrapped"
    assert event.extra == {
        "ribbon": "red",
        "weight": "1.5",
        "huge": str(2**60),
        "nul": "ab",
        "half": "?",
        "@context": {"page": {"path": "/a"}},
        "@message": {"custom": {"a": [1, {"b": True}]}},
    }


@pytest.mark.parametrize(
    ("sent", "name"),
    [
        ("product added", "Product Added"),
        ("product_added", "Product Added"),
        ("Viewed Product", "Product Viewed"),
        ("Completed Order", "Order Completed"),
        ("Application Installed", "App Installed"),
        ("ORDER  CANCELED", "Order Cancelled"),
        (" My Own Event ", "My Own Event"),
    ],
)
def test_an_event_goes_by_the_catalogue_s_name(sent, name):
    """Rules are written on one name."""
    assert track(sent).name == name


def test_the_catalogue_is_consistent():
    """One entry a name; what missing consent hides follows from the channel."""
    assert all(entry_for(name) is entry for name, entry in CATALOGUE.items())
    assert Channel.POS not in DIGITAL_CHANNELS
    assert CATALOGUE["Product Viewed"].is_digital
    assert CATALOGUE["Product Viewed"].is_signal
    assert not CATALOGUE["Store Entered"].is_digital
    assert not CATALOGUE["Order Completed"].is_signal


@pytest.mark.parametrize(
    "body", [{}, {"kind": "purchase"}, {"kind": "track", "channel": "web"}, {"kind": "track", "channel": "radio"}]
)
def test_a_body_that_is_no_event_is_malformed(body):
    """The ledger's bodies are read strictly."""
    with pytest.raises(Malformed):
        ShopperEvent.from_body(body)

"""Messages under fire: any JSON gives an event the wire takes or a fault that says why, and always the same one."""

from __future__ import annotations

import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from shared.clock import is_at, shift_at
from shared.event_catalogue import CATALOGUE
from shared.ingest_rules import IngestRules
from shared.money import amount_of, digits_of, minor_units
from shared.segment_messages import normalise_message
from shared.shopper_events import FaultyMessage, ShopperEvent
from shared.wire.canonical import canonical, check_body

RECEIVED_AT = "2026-11-22T20:52:46.500Z"
RULES = IngestRules(stores={"berlin-1": "EUR"})

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)
moments = values | st.datetimes().map(lambda moment: moment.isoformat()) | st.integers(0, 2 * 10**12)
FIELDS = (
    *("sku", "product_id", "name", "price", "currency", "quantity", "products", "revenue", "total", "shipping", "tax"),
    *("discount", "coupon", "order_id", "affiliation", "store", "email", "query", "category", "channel", "consent"),
)
products = st.lists(st.dictionaries(st.sampled_from(("sku", "price", "quantity", "name")), values), max_size=3)
properties = st.dictionaries(st.sampled_from(FIELDS), values | products, max_size=8) | values
contexts = (
    st.fixed_dictionaries(
        {},
        optional={
            "traits": st.dictionaries(
                st.sampled_from(("email", "phone", "mobile", "zip", "name", "firstName", "first_name", "address")),
                values,
            ),
            "consent": st.fixed_dictionaries({"categoryPreferences": st.dictionaries(st.text(max_size=9), values)}),
            "device": values,
            "os": values,
            "campaign": values,
            "store": values,
            "externalIds": values,
        },
    )
    | values
)
messages = st.fixed_dictionaries(
    {
        "type": st.sampled_from(("track", "identify", "page", "screen", "group", "alias")) | values,
        "userId": st.just("u1") | values,
    },
    optional={
        "event": st.sampled_from(sorted(CATALOGUE)) | values,
        "anonymousId": values,
        "previousId": values,
        "messageId": values,
        "timestamp": moments,
        "originalTimestamp": moments,
        "sentAt": moments,
        "properties": properties,
        "traits": values,
        "context": contexts,
        "name": values,
        "channel": values,
    },
)


def read(message):
    """Whatever a message becomes."""
    return normalise_message(message, source="s", received_at=RECEIVED_AT, rules=RULES)


@given(messages | values)
def test_any_json_gives_an_event_or_a_fault(message):
    """Total: never an exception, and what comes out is what the wire takes."""
    found = read(message)
    if isinstance(found, FaultyMessage):
        assert found.sentence
        return
    body = found.to_body()
    check_body(body)
    assert is_at(found.occurred_at)
    assert found.occurred_at <= shift_at(RECEIVED_AT, seconds=300)
    assert ShopperEvent.from_body(json.loads(canonical(body))) == found


def turned(value):
    """The same JSON with the fields of every object in the other order."""
    if isinstance(value, dict):
        return {name: turned(part) for name, part in reversed(value.items())}
    return [turned(part) for part in value] if isinstance(value, list) else value


@given(messages)
def test_the_same_message_is_the_same_event_in_any_order_of_its_fields(message):
    """Dedupe and replay rest on it: a queue between sender and HQ may write the fields anew."""
    assert read(turned(message)) == read(message)


@given(messages)
def test_reading_changes_nothing_in_the_message(message):
    """A dead letter is kept as it came."""
    before = json.dumps(message)
    read(message)
    assert json.dumps(message) == before


@given(st.dictionaries(st.text(max_size=12), st.booleans()))
def test_consent_is_granted_by_true_alone(preferences):
    """No set of preferences without `true` ever grants."""
    denied = dict.fromkeys(preferences, False)
    message = {
        "type": "track",
        "event": "Segment Consent Preference Updated",
        "userId": "u1",
        "context": {"consent": {"categoryPreferences": denied}},
    }
    event = read(message)
    assert isinstance(event, ShopperEvent)
    assert "granted" not in event.consent.values()


@given(st.integers(-(2**53) + 1, 2**53 - 1), st.sampled_from(["EUR", "JPY", "KWD", "CLF"]))
def test_every_amount_survives_text(minor, currency):
    """Written as the library shows it, read back to the same minor units."""
    assert minor_units(str(amount_of(minor, currency)), currency) == minor


@given(st.integers(0, 10**9))
def test_a_price_sent_as_a_float_is_the_price_on_the_label(minor):
    """Two decimals as JSON writes them, for every price up to ten million."""
    assert minor_units(json.loads(f"{Decimal(minor).scaleb(-2)}"), "EUR") == minor
    assert digits_of("EUR") == 2

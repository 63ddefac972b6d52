"""Webhooks as Shopify, Klaviyo and a till really send them: payloads in their shape, signed in their way."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

SECRET = "shpss_0123456789abcdef"
LOYALTY_ID = "2900000000018"


def body_of(value: Any) -> bytes:
    """A payload as bytes."""
    return json.dumps(value).encode()


def shopify_headers(
    topic: str, body: bytes, webhook_id: str = "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043"
) -> dict[str, str]:
    """What Shopify sends beside the body."""
    signature = base64.b64encode(hmac.digest(SECRET.encode(), body, "sha256")).decode()
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": signature,
        "X-Shopify-Shop-Domain": "nordhang.myshopify.com",
        "X-Shopify-API-Version": "2026-10",
        "X-Shopify-Webhook-Id": webhook_id,
        "X-Shopify-Triggered-At": "2026-11-22T09:30:05.123456789Z",
    }


def shopify_shopper(**changed: Any) -> dict[str, Any]:
    """customers/create and customers/update."""
    address = {"id": 207119551, "zip": "10115", "city": "Berlin", "country_code": "DE", "phone": None, "default": True}
    return {
        "id": 207119551,
        "email": "Mara.Lind@Example.org",
        "created_at": "2026-10-01T10:00:00+02:00",
        "updated_at": "2026-11-22T10:31:00+01:00",
        "first_name": "Mara",
        "last_name": "Lind",
        "orders_count": 1,
        "state": "enabled",
        "total_spent": "124.95",
        "verified_email": True,
        "phone": "+4930901820123",
        "tags": "",
        "currency": "EUR",
        "email_marketing_consent": {
            "state": "subscribed",
            "opt_in_level": "confirmed_opt_in",
            "consent_updated_at": "2026-10-01T10:02:00+02:00",
        },
        "sms_marketing_consent": {
            "state": "not_subscribed",
            "opt_in_level": "single_opt_in",
            "consent_updated_at": None,
            "consent_collected_from": "OTHER",
        },
        "admin_graphql_api_id": "gid://shopify/Customer/207119551",
        "default_address": address,
        "addresses": [address],
        **changed,
    }


def _money(amount: str) -> dict[str, Any]:
    return {name: {"amount": amount, "currency_code": "EUR"} for name in ("shop_money", "presentment_money")}


def shopify_order(**changed: Any) -> dict[str, Any]:
    """orders/create and orders/paid: boots 99.00 and two pairs of socks 10.00, shipping 5.95, tax included."""
    shopper = shopify_shopper()
    lines = [
        {
            "id": 866550311766439020,
            "variant_id": 808950810,
            "product_id": 632910392,
            "title": "Hiking boots",
            "name": "Hiking boots - 39",
            "sku": "BOOT-39",
            "vendor": "Nordhang",
            "quantity": 1,
            "price": "99.00",
            "price_set": _money("99.00"),
            "total_discount": "0.00",
            "tax_lines": [{"title": "VAT", "price": "15.81", "rate": 0.19}],
        },
        {
            "id": 141249953214522974,
            "variant_id": 808950811,
            "product_id": 632910393,
            "title": "Wool socks",
            "name": "Wool socks",
            "sku": "",
            "vendor": "Nordhang",
            "quantity": 2,
            "price": "10.00",
            "price_set": _money("10.00"),
            "total_discount": "0.00",
            "tax_lines": [],
        },
    ]
    return {
        "id": 820982911946154508,
        "admin_graphql_api_id": "gid://shopify/Order/820982911946154508",
        "name": "#1001",
        "email": shopper["email"],
        "contact_email": shopper["email"],
        "created_at": "2026-11-22T10:29:58+01:00",
        "processed_at": "2026-11-22T10:29:57+01:00",
        "updated_at": "2026-11-22T10:30:02+01:00",
        "currency": "EUR",
        "presentment_currency": "EUR",
        "financial_status": "paid",
        "source_name": "web",
        "location_id": None,
        "taxes_included": True,
        "subtotal_price": "119.00",
        "total_price": "124.95",
        "current_total_price": "124.95",
        "total_tax": "19.95",
        "current_total_tax": "19.95",
        "total_discounts": "0.00",
        "total_shipping_price_set": _money("5.95"),
        "discount_codes": [{"code": "WELCOME10", "amount": "0.00", "type": "percentage"}],
        "customer": shopper,
        "phone": None,
        "line_items": lines,
        "shipping_address": {"zip": "10115", "city": "Berlin", "country_code": "DE"},
        "billing_address": {"zip": "10115", "city": "Berlin", "country_code": "DE"},
        **changed,
    }


def shopify_refund(**changed: Any) -> dict[str, Any]:
    """refunds/create: the boots went back. It names the order, and no shopper."""
    return {
        "id": 929361464,
        "order_id": 820982911946154508,
        "created_at": "2026-11-22T10:45:00+01:00",
        "processed_at": "2026-11-22T10:45:00+01:00",
        "note": "too small",
        "user_id": 548380009,
        "restock": True,
        "admin_graphql_api_id": "gid://shopify/Refund/929361464",
        "order_adjustments": [],
        "refund_line_items": [
            {
                "id": 1058498311,
                "quantity": 1,
                "line_item_id": 866550311766439020,
                "restock_type": "return",
                "subtotal": 99.0,
                "total_tax": 15.81,
                "subtotal_set": _money("99.00"),
                "total_tax_set": _money("15.81"),
                "line_item": {
                    "id": 866550311766439020,
                    "variant_id": 808950810,
                    "product_id": 632910392,
                    "title": "Hiking boots",
                    "name": "Hiking boots - 39",
                    "sku": "BOOT-39",
                    "price": "99.00",
                    "quantity": 1,
                },
            }
        ],
        "transactions": [
            {
                "id": 1072844685,
                "order_id": 820982911946154508,
                "kind": "refund",
                "gateway": "shopify_payments",
                "status": "success",
                "amount": "99.00",
                "currency": "EUR",
            },
            {"id": 1072844686, "kind": "refund", "status": "failure", "amount": "99.00", "currency": "EUR"},
        ],
        **changed,
    }


KLAVIYO_AT = "1795599000"


def klaviyo_headers(body: bytes) -> dict[str, str]:
    """What Klaviyo sends beside the body: an HMAC over body and time, in hex."""
    signature = hmac.new(SECRET.encode(), body + KLAVIYO_AT.encode(), hashlib.sha256).hexdigest()
    return {"Klaviyo-Signature": signature, "Klaviyo-Timestamp": KLAVIYO_AT, "Klaviyo-Webhook-Id": "01HXWH"}


def klaviyo_event(topic: str, number: int = 1, **properties: Any) -> dict[str, Any]:
    """One element of a system webhook: an event as the API gives it, its profile included."""
    told = {
        "Recipient Email Address": "mara.lind@example.org",
        "Subject": "Autumn knits are here",
        "Campaign Name": "Autumn knits",
        "$message": "01HMSG",
        "$event_id": f"01HXM:{number}",
        **properties,
    }
    attributes = {
        "timestamp": 1795336200 + number,
        "event_properties": told,
        "datetime": f"2026-11-22T08:30:{number:02}+00:00",
        "uuid": f"b2ae7d00-c0a1-11f0-8001-{number:012}",
    }
    profile = {
        "type": "profile",
        "id": "01HXPROFILE",
        "attributes": {
            "email": "mara.lind@example.org",
            "phone_number": None,
            "external_id": "207119551",
            "first_name": "Mara",
            "last_name": "Lind",
        },
    }
    payload = {
        "data": {
            "type": "event",
            "id": f"5sTz{number}",
            "attributes": attributes,
            "relationships": {"profile": {"data": {"type": "profile", "id": "01HXPROFILE"}}},
        },
        "included": [{"type": "metric", "id": "WKr2", "attributes": {"name": "Opened Email"}}, profile],
    }
    return {"external_id": f"ext-{number}", "topic": f"event:klaviyo.{topic}", "payload": payload}


def klaviyo_batch(*events: Any) -> dict[str, Any]:
    """The body of a system webhook."""
    return {"data": list(events), "meta": {"timestamp": "2026-11-22T09:30:00+00:00", "klaviyo_webhook_id": "01HXWH"}}


def klaviyo_profile() -> dict[str, Any]:
    """A profile as the API gives it, which a flow's webhook can send."""
    said = {
        "consent": "SUBSCRIBED",
        "consent_timestamp": "2026-10-01T08:02:00+00:00",
        "last_updated": "2026-10-01T08:02:00+00:00",
        "method": "FORM",
        "can_receive_email_marketing": True,
    }
    attributes = {
        "email": "mara.lind@example.org",
        "phone_number": "+4930901820123",
        "external_id": "207119551",
        "first_name": "Mara",
        "last_name": "Lind",
        "locale": "de-DE",
        "created": "2026-10-01T08:00:00+00:00",
        "updated": "2026-11-22T08:00:00+00:00",
        "location": {"city": "Berlin", "country": "Germany", "zip": "10115"},
        "subscriptions": {"email": {"marketing": said}, "sms": None},
    }
    return {"data": {"type": "profile", "id": "01HXPROFILE", "attributes": attributes, "links": {"self": "https://a"}}}


def ticket(**changed: Any) -> dict[str, Any]:
    """A till's sale."""
    return {
        "type": "sale",
        "ticket": "B1-20261122-0042",
        "store": "berlin-1",
        "at": "2026-11-22T10:02:00",
        "currency": "EUR",
        "total": "89.90",
        "tax": "14.35",
        "loyalty_number": LOYALTY_ID,
        "lines": [{"sku": "KNIT-1", "name": "Knitwear", "category": "knitwear", "price": "89.90", "quantity": 1}],
        **changed,
    }


def claim(**changed: Any) -> dict[str, Any]:
    """Whose a ticket was, told apart from it."""
    return {"type": "claim", "ticket": "B1-20261122-0042", "loyalty_number": LOYALTY_ID, **changed}

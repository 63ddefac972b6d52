"""Exports that many chains have, known by their headings, so that they are taken as they come: Shopify's and UCI's.

Data and nothing else: which of our fields is which of their columns, the better heading first.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.errors import Refused
from sync_server.services.imports.kinds import ImportMapping

ONLINE_RETAIL: Final = frozenset({"InvoiceNo", "StockCode", "UnitPrice", "CustomerID"})
SHOPIFY_ORDERS: Final = frozenset({"Name", "Email", "Paid at", "Lineitem quantity", "Lineitem price"})
SHOPIFY_SHOPPERS: Final = frozenset({"First Name", "Last Name", "Email", "Accepts Email Marketing"})

_ONLINE_RETAIL: Final = ImportMapping(
    columns={
        "order_id": "InvoiceNo",
        "at": "InvoiceDate",
        "sku": "StockCode",
        "title": "Description",
        "quantity": "Quantity",
        "price": "UnitPrice",
        "customer_id": "CustomerID",
    },
    dates=("%m/%d/%Y %H:%M", "%m/%d/%y %H:%M"),
    currency="GBP",
    refund_prefix="C",
)

_SHOPIFY_ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "order_id": ("Name",),
    "at": ("Created at", "Paid at"),
    "payment_status": ("Financial Status",),
    "email": ("Email",),
    "phone": ("Phone",),
    "sku": ("Lineitem sku",),
    "title": ("Lineitem name",),
    "quantity": ("Lineitem quantity",),
    "price": ("Lineitem price",),
    "subtotal": ("Subtotal",),
    "total": ("Total",),
    "refunded": ("Refunded Amount",),
    "currency": ("Currency",),
    "coupon": ("Discount Code",),
    "store": ("Location",),
}
"""`Created at` stands in every line and for unpaid orders too; `Subtotal` is without shipping and tax."""

_SHOPIFY_SHOPPERS: Final[Mapping[str, tuple[str, ...]]] = {
    "customer_id": ("Customer ID",),
    "given_name": ("First Name",),
    "family_name": ("Last Name",),
    "email": ("Email",),
    "phone": ("Phone", "Default Address Phone"),
    "postcode": ("Default Address Zip", "Zip"),
    "country": ("Default Address Country Code", "Country Code"),
}
SHOPIFY_CONSENT: Final = frozenset({"Accepts Email Marketing", "Accepts SMS Marketing", "Accepts Marketing"})


def known_export(kind: str, held: frozenset[str]) -> ImportMapping | None:
    """The mapping of a common export by its columns; None where it is none.

    Raises Refused for consents from Shopify's shoppers: yes and no are there, what proves them is not.
    """
    if kind == "orders" and held >= ONLINE_RETAIL:
        return _ONLINE_RETAIL
    if kind == "orders" and held >= SHOPIFY_ORDERS:
        return ImportMapping(columns=_present(_SHOPIFY_ORDERS, held), dates=("%Y-%m-%d %H:%M:%S %z",))
    if kind == "shoppers" and held >= SHOPIFY_SHOPPERS:
        return ImportMapping(columns=_present(_SHOPIFY_SHOPPERS, held))
    if kind == "consents" and held >= SHOPIFY_SHOPPERS:
        raise Refused(
            "Shopify's export says yes or no, but not what the shopper was told and when, and a consent counts only "
            "with its proof. Add a column that says where the proof is kept, and give a mapping: purpose: email, at: "
            "DAY, columns: {email: Email, decision: Accepts Email Marketing, proof: NAME}."
        )
    return None


def check_proof(made: ImportMapping) -> None:
    """Shopify's yes or no is a decision only beside a column of proofs. Raises Refused."""
    if made.columns.get("decision") in SHOPIFY_CONSENT and "proof" not in made.columns:
        raise Refused(
            f"{made.columns['decision']!r} says yes or no, but not what the shopper was told: map the column that says "
            "where the proof is kept, columns: {proof: NAME}."
        )


def _present(named: Mapping[str, tuple[str, ...]], held: frozenset[str]) -> dict[str, str]:
    found = {field: next((name for name in names if name in held), None) for field, names in named.items()}
    return {field: column for field, column in found.items() if column is not None}

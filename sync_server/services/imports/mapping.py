"""Which column of a file means what: declared in a YAML file, or inferred from the header of a common export.

A mapping is data. It names our fields on the left and the file's columns on the right; it holds no code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import Refused

_WHO: Final = ("loyalty_id", "customer_id", "email", "phone")
_NAME: Final = ("given_name", "family_name", "birth_on", "language", "postcode", "country")
FIELDS: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "orders": (
        ("order_id", "at"),
        (*_WHO, "sku", "title", "category", "quantity", "price", "total", "currency", "store", "coupon", "country"),
    ),
    "shoppers": (("loyalty_id",), (*_WHO[1:], *_NAME, "tier", "points", "home_store", "at", "old_loyalty_ids")),
    "consents": (("purpose", "decision", "at"), (*_WHO, "wording_version", "method", "proof")),
    "events": ((), ()),
    "service": (("case_id", "state", "at"), (*_WHO, "title", "due_on")),
    "products": (("sku", "title"), ("category", "brand", "gtin", "price", "currency", "image", "sizes")),
    "stock": (("store", "sku", "quantity"), ("aisle",)),
    "stores": (("code", "name"), ("currency", "timezone", "country", "region", "lat", "lon")),
    "associates": (("store", "name"), ("role", "pin", "associate_id")),
    "postcodes": (("country", "postcode", "lat", "lon"), ()),
}
"""Kind -> (fields it must have, fields it may have)."""

_ALSO: Final[Mapping[str, str]] = {
    "order_id": "orderid order ordernumber invoiceno invoice receiptno receipt ticket",
    "at": "date time datetime timestamp invoicedate orderdate soldat createdat created joinedon occurredat",
    "sku": "stockcode productid article articleno itemno gtin ean lineitemsku variantsku",
    "title": "description name product producttitle lineitemname",
    "quantity": "qty amount pieces lineitemquantity",
    "price": "unitprice itemprice lineitemprice",
    "loyalty_id": "loyaltyid loyaltynumber cardnumber memberid membernumber number",
    "customer_id": "customerid customerno userid account accountid",
    "email": "emailaddress mail",
    "phone": "phonenumber mobile tel telephone",
    "given_name": "firstname forename",
    "family_name": "lastname surname",
    "birth_on": "birthday birthdate dateofbirth",
    "postcode": "zip zipcode postalcode plz defaultaddresszip",
    "country": "countrycode defaultaddresscountrycode",
    "home_store": "homestore favouritestore store",
    "store": "storecode shop branch location",
    "category": "producttype department",
    "old_loyalty_ids": "oldnumbers formernumbers",
    "code": "store storecode id",
}
"""Other names of a field, letters and digits only."""

SHOPIFY_ORDERS: Final = frozenset({"Name", "Email", "Paid at", "Lineitem quantity", "Lineitem price"})
SHOPIFY_SHOPPERS: Final = frozenset({"Customer ID", "First Name", "Accepts Email Marketing"})
ONLINE_RETAIL: Final = frozenset({"InvoiceNo", "StockCode", "UnitPrice", "CustomerID"})


class ImportMapping(BaseModel):
    """How to read a file of one kind.

    `dates` are strptime forms tried in turn (ISO 8601 always is), `timezone` is meant where a time says none,
    `refund_prefix` marks the numbers of orders that were taken back, `empty` are the texts that mean nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: dict[str, str]
    dates: tuple[str, ...] = ()
    timezone: str | None = None
    decimal: Literal[".", ","] = "."
    currency: str | None = None
    store: str | None = None
    refund_prefix: str | None = None
    empty: tuple[str, ...] = ("", "NA", "N/A", "NULL", "null", "None")


def read_mapping(path: Path, kind: str, columns: Sequence[str]) -> ImportMapping:
    """A mapping file, checked against the kind and the file's columns. Raises Refused, naming what is wrong."""
    try:
        told = yaml.safe_load(path.read_text("utf-8"))
        made = ImportMapping.model_validate(told)
    except (OSError, UnicodeDecodeError) as problem:
        raise Refused(f"The mapping {path} cannot be read ({problem}).") from None
    except yaml.YAMLError as problem:
        raise Refused(f"The mapping {path.name} is no YAML: {problem}") from None
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        raise Refused(f"{path.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from None
    return _checked(made, kind, columns, path.name)


def infer_mapping(kind: str, columns: Sequence[str]) -> ImportMapping:
    """The mapping of a common export, or of columns that are called as our fields are. Raises Refused."""
    held = frozenset(columns)
    if kind == "orders" and held >= ONLINE_RETAIL:
        named = {"order_id": "InvoiceNo", "at": "InvoiceDate", "sku": "StockCode", "title": "Description"}
        named |= {"quantity": "Quantity", "price": "UnitPrice", "customer_id": "CustomerID"}
        return ImportMapping(
            columns=named, dates=("%m/%d/%Y %H:%M", "%m/%d/%y %H:%M"), currency="GBP", refund_prefix="C"
        )
    if kind == "orders" and held >= SHOPIFY_ORDERS:
        named = {"order_id": "Name", "at": "Paid at", "email": "Email", "sku": "Lineitem sku", "total": "Total"}
        named |= {"title": "Lineitem name", "quantity": "Lineitem quantity", "price": "Lineitem price"}
        named |= {"currency": "Currency", "coupon": "Discount Code", "phone": "Phone"}
        return _checked(ImportMapping(columns=_present(named, held), dates=("%Y-%m-%d %H:%M:%S %z",)), kind, columns)
    return _checked(ImportMapping(columns=_alike(kind, columns)), kind, columns)


def _present(named: Mapping[str, str], held: frozenset[str]) -> dict[str, str]:
    return {field: column for field, column in named.items() if column in held}


def _alike(kind: str, columns: Sequence[str]) -> dict[str, str]:
    """Fields whose name, or one of their other names, is a column's."""
    by_key = {_key(column): column for column in reversed(columns)}
    found: dict[str, str] = {}
    for field in (*FIELDS[kind][0], *FIELDS[kind][1]):
        names = (_key(field), *_ALSO.get(field, "").split())
        column = next((by_key[name] for name in names if name in by_key and by_key[name] not in found.values()), None)
        if column is not None:
            found[field] = column
    return found


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _checked(made: ImportMapping, kind: str, columns: Sequence[str], name: str = "The file") -> ImportMapping:
    must, may = FIELDS[kind]
    unknown = sorted(set(made.columns) - {*must, *may})
    if unknown:
        raise Refused(f"{name}: {kind} have no field {unknown[0]!r}. They have: {', '.join((*must, *may))}.")
    absent = [column for column in made.columns.values() if column not in columns]
    if absent:
        raise Refused(f"{name}: there is no column {absent[0]!r}. There are: {', '.join(columns)}.")
    missing = [field for field in must if field not in made.columns and not getattr(made, field, None)]
    if missing:
        raise Refused(
            f"{name} has no column for {missing[0]}, which {kind} need. Its columns are: {', '.join(columns)}. "
            f"Say which one it is in a mapping file: columns: {{{missing[0]}: NAME}}, and give it with --mapping."
        )
    if {*_WHO} & {*must, *may} and not {*_WHO} & made.columns.keys():
        raise Refused(f"{name} names no shopper. Map at least one of: {', '.join(_WHO)}.")
    return made

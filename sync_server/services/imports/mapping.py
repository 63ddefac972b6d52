"""Which column of a file means what: declared in a YAML file, or inferred from the header of a common export.

A mapping is data. It names our fields on the left and the file's columns on the right; it holds no code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml
from pydantic import ValidationError

from shared.errors import Refused
from sync_server.services.imports.exports import check_proof, known_export
from sync_server.services.imports.kinds import FIELDS, WHO, ImportMapping

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
    "phone_verified": "phonenumberverified verifiedphone",
    "given_name": "firstname forename",
    "family_name": "lastname surname",
    "birth_on": "birthday birthdate dateofbirth",
    "postcode": "zip zipcode postalcode plz defaultaddresszip",
    "country": "countrycode defaultaddresscountrycode",
    "home_store": "homestore favouritestore store",
    "store": "storecode shop branch location",
    "category": "producttype department",
    "old_loyalty_ids": "oldnumbers oldnumber formernumbers formernumber previousnumbers oldcards",
    "code": "store storecode id",
    "day": "date on",
    "currency": "currencycode",
    "rate": "exchangerate",
    "subtotal": "net netamount subtotalprice",
    "payment_status": "financialstatus",
    "refunded": "refundedamount amountrefunded",
    "visitors": "visits footfall traffic count counted people in ins entries",
    "date": "day",
    "hour": "hourofday time from starting",
}
"""Other names of a field, letters and digits only."""


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
    known = known_export(kind, frozenset(columns))
    return _checked(known or ImportMapping(columns=_alike(kind, columns)), kind, columns)


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
    missing = [field for field in must if field not in made.columns and made.constant(field) is None]
    if kind == "traffic" and not made.columns.keys() & {"at", "date", "hour"}:
        missing = ["at"]
    if missing:
        raise Refused(
            f"{name} has no column for {missing[0]}, which {kind} need. Its columns are: {', '.join(columns)}. "
            f"Say which one it is in a mapping file: columns: {{{missing[0]}: NAME}}, and give it with --mapping."
        )
    if {*WHO} & {*must, *may} and not {*WHO} & made.columns.keys():
        raise Refused(f"{name} names no shopper. Map at least one of: {', '.join(WHO)}.")
    check_proof(made)
    return made

"""Shopify's exports as its admin writes them: several rows an order, sums of refunds, and a yes that is no consent."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Refused
from sync_server.services.headquarters import Headquarters
from sync_server.services.imports.run import ImportReport, run_import
from sync_server.services.shoppers import show_profile

ORDER_COLUMNS = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,"
    "Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,"
    "Lineitem fulfillment status,Billing Name,Billing Zip,Billing Country,Billing Phone,Notes,Cancelled at,"
    "Payment Method,Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Id,Tags,Source,Lineitem discount,Phone"
)
SHOPPER_COLUMNS = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,"
    "Default Address Address2,Default Address City,Default Address Province Code,Default Address Country Code,"
    "Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,"
    "Tax Exempt,Tags"
)
OLDER_COLUMNS = "First Name,Last Name,Email,Accepts Email Marketing,Company,Address1,Zip,Country Code,Phone,Tags"
FIRST = {
    "Name": "#1001",
    "Email": "mara@example.org",
    "Financial Status": "paid",
    "Paid at": "2026-11-20 10:15:12 +0100",
    "Created at": "2026-11-20 10:15:10 +0100",
    "Currency": "EUR",
    "Subtotal": "174.00",
    "Shipping": "4.90",
    "Taxes": "28.56",
    "Total": "178.90",
    "Discount Code": "WINTER10",
    "Lineitem quantity": "1",
    "Lineitem name": "Kepler hiking boots - 42",
    "Lineitem price": "149.00",
    "Lineitem sku": "BOOT-01",
    "Refunded Amount": "0.00",
}
SECOND = {
    "Name": "#1001",
    "Email": "mara@example.org",
    "Created at": "2026-11-20 10:15:10 +0100",
    "Lineitem quantity": "2",
    "Lineitem name": "Ridge winter socks",
    "Lineitem price": "12.50",
    "Lineitem sku": "SOCK-07",
}
MARA = {
    "Customer ID": "'6940095564",
    "First Name": "Mara",
    "Last Name": "Lindqvist",
    "Email": "mara@example.org",
    "Accepts Email Marketing": "yes",
    "Default Address Country Code": "DE",
    "Default Address Zip": "'10119",
    "Phone": "'+49305550101",
    "Total Spent": "178.90",
    "Total Orders": "1",
}


def write(path: Path, header: str, *rows: dict[str, str]) -> Path:
    """An export with all of its columns, most of them empty."""
    text = io.StringIO()
    made = csv.DictWriter(text, header.split(","), lineterminator="\n")
    made.writeheader()
    made.writerows(rows)
    path.write_text(text.getvalue(), "utf-8")
    return path


def orders(hq: Headquarters, folder: Path, *rows: dict[str, str]) -> ImportReport:
    """Import an export of orders."""
    return run_import(hq, "orders", write(folder / "orders_export_1.csv", ORDER_COLUMNS, *rows))


def facts(hq: Headquarters, email: str = "mara@example.org") -> dict[str, Any]:
    """What HQ knows of a shopper's buying."""
    return dict(show_profile(hq, email)["facts"])


def bodies(hq: Headquarters, kind: str) -> list[dict[str, Any]]:
    """What the ledger holds of an import."""
    with hq.database.read() as reader:
        return [json.loads(row["body"]) for row in reader.rows("fact", origin=f"import-{kind}")]


# orders ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("left", [(), ("Email", "Created at")])
def test_an_order_of_several_rows_is_one_order_whose_later_rows_are_mostly_empty(
    hq: Headquarters, tmp_path: Path, left: tuple[str, ...]
):
    """Money is the subtotal, for shipping and tax are no revenue; the total is kept beside it."""
    second = {name: said for name, said in SECOND.items() if name not in left}
    report = orders(hq, tmp_path, FIRST, second)
    assert (report.rows, report.taken, report.left_out) == (2, 1, {})
    assert facts(hq)["net_revenue"] == [{"minor": 17_400, "currency": "EUR"}]
    [body] = bodies(hq, "orders")
    assert (body["occurred_at"], body["channel"]) == ("2026-11-20T09:15:10.000Z", "web")
    assert [(line["sku"], line["quantity"]) for line in body["order"]["lines"]] == [("BOOT-01", 1), ("SOCK-07", 2)]
    assert (body["order"]["revenue_minor"], body["order"]["total_minor"]) == (17_400, 17_890)
    assert orders(hq, tmp_path, FIRST, second).known == 1


def test_orders_that_nobody_paid_are_left_out_until_they_are_paid(hq: Headquarters, tmp_path: Path):
    """Whole, with the reason; the next export has them as paid."""
    waiting = {**FIRST, "Financial Status": "pending", "Paid at": ""}
    report = orders(hq, tmp_path, waiting, SECOND)
    assert (report.taken, report.left_out) == (0, {"the order is not paid": 2})
    assert orders(hq, tmp_path, FIRST, SECOND).taken == 1


def test_what_is_refunded_later_counts_once_although_each_export_says_the_sum_so_far(hq: Headquarters, tmp_path: Path):
    """0, then 25, the same again, then 49: given back are 49 and not 99."""
    orders(hq, tmp_path, FIRST, SECOND)
    for so_far, told in (("25.00", 1), ("25.00", 0), ("49.00", 1), ("49.00", 0)):
        refunded = {**FIRST, "Financial Status": "partially_refunded", "Refunded Amount": so_far}
        report = orders(hq, tmp_path, refunded, SECOND)
        assert (report.taken, report.known, report.also.total()) == (0, 1, told), so_far
    assert facts(hq)["net_revenue"] == [{"minor": 17_400 - 4_900, "currency": "EUR"}]
    assert sorted(body["order"].get("refund_minor", 0) for body in bodies(hq, "orders")) == [0, 2_400, 2_500]


def test_an_order_at_a_till_belongs_to_the_store_of_its_location(hq: Headquarters, tmp_path: Path):
    """Shopify writes the store's name, the chain has a code for it."""
    orders(hq, tmp_path, {**FIRST, "Location": "Berlin Mitte"}, SECOND)
    [body] = bodies(hq, "orders")
    assert (body["channel"], body["store"]) == ("pos", "berlin-1")


def test_an_order_without_an_address_is_left_out_and_said(hq: Headquarters, tmp_path: Path):
    """A walk-in's sale belongs to nobody."""
    report = orders(hq, tmp_path, {**FIRST, "Email": ""})
    assert (report.taken, report.left_out) == (0, {"the row names no shopper": 1})


# shoppers and consents ------------------------------------------------------------------------------------------------


def test_shoppers_come_by_account_and_address_and_their_yes_is_no_consent(hq: Headquarters, tmp_path: Path):
    """The apostrophes that keep spreadsheets away are not part of a number."""
    path = write(tmp_path / "customers_export.csv", SHOPPER_COLUMNS, MARA)
    assert run_import(hq, "shoppers", path).taken == 1
    [body] = bodies(hq, "shoppers")
    named = {(one["type"], one["value"]) for one in body["identifiers"]}
    assert named == {("customer_id", "6940095564"), ("email", "mara@example.org"), ("phone", "+49305550101")}
    assert body["traits"]["postcode"] == "10119"
    assert "consent" not in body


def test_an_export_of_the_older_form_is_known_too(hq: Headquarters, tmp_path: Path):
    """Without ids, with shorter names of the address."""
    told = {name: said for name, said in MARA.items() if name in OLDER_COLUMNS.split(",")}
    assert run_import(hq, "shoppers", write(tmp_path / "c.csv", OLDER_COLUMNS, {**told, "Zip": "10119"})).taken == 1


def test_a_yes_becomes_a_consent_only_beside_a_column_of_proofs(hq: Headquarters, tmp_path: Path):
    """Refused with what to add; with proofs, each row is judged by its own."""
    unproven = {**MARA, "Email": "tom@example.org"}
    path = write(
        tmp_path / "customers_export.csv", f"{SHOPPER_COLUMNS},Proof", {**MARA, "Proof": "form 2025-17"}, unproven
    )
    with pytest.raises(Refused, match="a consent counts only with its proof"):
        run_import(hq, "consents", path)
    mapping = tmp_path / "consents.yaml"
    told = "purpose: email\nat: 2026-01-31\ncolumns: {email: Email, decision: Accepts Email Marketing"
    mapping.write_text(told + "}\n")
    with pytest.raises(Refused, match="where the proof is kept"):
        run_import(hq, "consents", path, mapping=mapping)
    mapping.write_text(told + ", proof: Proof}\n")
    report = run_import(hq, "consents", path, mapping=mapping)
    assert (report.taken, report.left_out) == (1, {"a grant needs its proof": 1})
    [body] = bodies(hq, "consents")
    assert (body["consent"], body["occurred_at"]) == ({"email": "granted"}, "2026-01-30T23:00:00.000Z")

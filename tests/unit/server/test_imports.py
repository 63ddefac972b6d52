"""Files of other systems: what is taken, what is left out and why, and that the same file twice changes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Refused
from shared.opening_hours import tell_hours
from sync_server.services.chain import list_stores
from sync_server.services.headquarters import Headquarters
from sync_server.services.imports.kinds import FIELDS
from sync_server.services.imports.mapping import infer_mapping
from sync_server.services.imports.run import ImportReport, run_import
from sync_server.services.shoppers import show_profile
from tests.support.world import make_headquarters

STARTER = Path(__file__).parents[3] / "assets" / "starter"
ONLINE_RETAIL = """X;InvoiceNo;StockCode;Description;Quantity;InvoiceDate;UnitPrice;CustomerID;Country
1;537240;84347;ROTATING ANGELS;2;12/06/2010 10:08;5.06;17850;United Kingdom
2;544447;22229;BUNNY;3;2/20/11 11:39;0.85;16466;United Kingdom
3;537240;22423;CAKESTAND;1;12/06/2010 10:08;12.75;17850;United Kingdom
4;C537241;84347;ROTATING ANGELS;-1;12/07/2010 09:00;5.06;17850;United Kingdom
5;544299;16161P;WRAP ROSE;25;2/17/11 12:55;0.42;NA;United Kingdom
6;544300;16161P;WRAP ROSE;lots;2/17/11 12:55;0.42;13178;United Kingdom
7;544301;16161P;WRAP ROSE;1;30/17/11 12:55;0.42;13178;United Kingdom
8;A563185;B;Adjust bad debt;1;8/12/11 14:50;-11062.06;13178;United Kingdom
"""


@pytest.fixture
def empty(tmp_path: Path) -> Any:
    """A chain that has nothing but its name."""
    made = make_headquarters(f"sqlite:///{tmp_path / 'empty.db'}", tmp_path / "empty", stores=())
    yield made
    made.database.close()


def take(hq: Headquarters, folder: Path, kind: str, text: str, **options: Any) -> ImportReport:
    """Import a text as a file."""
    path = folder / f"{kind}.csv"
    path.write_text(text, "utf-8")
    return run_import(hq, kind, path, **options)


def profile(hq: Headquarters, identifier: str) -> dict[str, Any]:
    """A profile as HQ holds it."""
    return dict(show_profile(hq, identifier))


def test_a_file_of_stores_says_when_they_are_open_also_of_those_there_are(empty: Headquarters, tmp_path: Path):
    """Hours that cannot be are left out with their row; a file without them takes none away."""
    first = "code,name,hours\nberlin-1,Berlin,mon-sat 10:00-20:00\nparis-1,Paris,always\n"
    report = take(empty, tmp_path, "stores", first)
    assert (report.taken, sum(report.left_out.values())) == (1, 1)
    hours = "mon-fri 09:00-20:00; sat 10:00-18:00"
    assert take(empty, tmp_path, "stores", f'code,name,hours\nberlin-1,Berlin,"{hours}"\n').taken == 1
    assert take(empty, tmp_path, "stores", "code,name\nberlin-1,Berlin\n").taken == 0
    [store] = list_stores(empty)
    assert tell_hours(json.loads(store.hours)) == hours


def test_the_starter_files_make_a_chain_and_come_a_second_time_as_known(empty: Headquarters):
    """Ten lines of each kind, in the order in which a chain is set up; then all of it again."""
    assert {path.name.partition(".")[0] for path in STARTER.iterdir()} == set(FIELDS)
    for kind in FIELDS:
        report = run_import(empty, kind, next(STARTER.glob(f"{kind}.*")))
        assert (report.rows, report.known, report.left_out) == (10, 0, {}), report
        assert report.taken > 0, report
    for kind in FIELDS:
        again = run_import(empty, kind, next(STARTER.glob(f"{kind}.*")))
        assert (again.taken, again.also.total(), again.left_out) == (0, 0, {}), again
        assert again.known > 0


def test_a_retailer_s_export_is_read_as_it_is(hq: Headquarters, tmp_path: Path):
    """Two date styles, an order's lines apart, a cancellation, missing shoppers, an adjustment, a broken number.

    The cancellation names no order that it takes back: it counts as a refund and lowers no order's money.
    """
    report = take(hq, tmp_path, "orders", ONLINE_RETAIL)
    assert (report.rows, report.taken) == (8, 3)
    assert report.left_out == {
        "the row names no shopper": 1,
        "Quantity is no number": 1,
        "InvoiceDate is no time": 1,
        "the price is negative": 1,
    }
    facts = profile(hq, "17850")["facts"]
    assert (facts["orders"], facts["refunds"]) == (1, 1)
    assert facts["net_revenue"] == [{"minor": 2 * 506 + 1275, "currency": "GBP"}]


def test_rows_left_out_are_kept_with_line_and_reason(hq: Headquarters, tmp_path: Path):
    """In the data folder, as JSON lines that say which line of the file it was."""
    report = take(hq, tmp_path, "orders", ONLINE_RETAIL)
    assert report.bad_rows is not None
    kept = [json.loads(line) for line in report.bad_rows.read_text("utf-8").splitlines()]
    assert {row["line"] for row in kept} == {6, 7, 8, 9}
    assert all(row["why"] and row["row"]["InvoiceNo"] for row in kept)
    assert report.bad_rows.is_relative_to(hq.settings.data_dir)


def test_a_trial_writes_nothing(hq: Headquarters, tmp_path: Path):
    """The same report, and no shopper."""
    assert take(hq, tmp_path, "orders", ONLINE_RETAIL, is_trial=True).taken == 3
    with pytest.raises(Refused):
        profile(hq, "17850")


def test_a_grant_without_proof_is_left_out_and_a_denial_needs_none(hq: Headquarters, tmp_path: Path):
    """Consent is not imported on somebody's word."""
    text = "email,purpose,decision,at\na@example.org,email,yes,2026-01-01\nb@example.org,email,no,2026-01-01\n"
    report = take(hq, tmp_path, "consents", text)
    assert (report.taken, report.left_out) == (1, {"a grant needs its proof": 1})


def test_a_mapping_names_columns_decimals_and_dates(hq: Headquarters, tmp_path: Path):
    """A till that writes German numbers and days, in Windows' letters."""
    mapping = tmp_path / "till.yaml"
    mapping.write_text(
        "columns: {order_id: Bon, at: Datum, sku: Artikel, quantity: Menge, price: Preis, email: Mail}\n"
        "dates: ['%d.%m.%Y %H:%M']\ndecimal: ','\ncurrency: EUR\ntimezone: Europe/Berlin\n"
    )
    path = tmp_path / "till.csv"
    path.write_bytes(
        "Bon;Datum;Artikel;Menge;Preis;Mail\n1;20.11.2026 09:30;Mütze;1;1.234,50;x@example.org\n".encode("cp1252")
    )
    assert run_import(hq, "orders", path, mapping=mapping).taken == 1
    [line] = profile(hq, "x@example.org")["recent"]
    assert (line["sku"], line["at"]) == ("Mütze", "2026-11-20T08:30:00.000Z")
    assert profile(hq, "x@example.org")["facts"]["net_revenue"] == [{"minor": 123450, "currency": "EUR"}]


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ("columns: {order_id: Bon}", "there is no column 'Bon'"),
        ("columns: {colour: InvoiceNo}", "have no field 'colour'"),
        ("columns: {order_id: InvoiceNo}", "no column for at"),
        ("columns: {order_id: InvoiceNo, at: InvoiceDate}", "names no shopper"),
        ("colums: {}", "columns: Field required"),
        ("columns: [", "is no YAML"),
        ("columns: {order_id: InvoiceNo}\ntimezone: Mars/Base", "is no time zone"),
    ],
)
def test_a_wrong_mapping_is_refused_with_what_to_mend(hq: Headquarters, tmp_path: Path, mapping: str, says: str):
    """Before a single row is read."""
    path = tmp_path / "m.yaml"
    path.write_text(mapping)
    with pytest.raises(Refused, match=says):
        take(hq, tmp_path, "orders", ONLINE_RETAIL, mapping=path)


def test_columns_are_recognised_by_their_usual_names():
    """What shops and tills call our fields."""
    found = infer_mapping("shoppers", ["Card Number", "First name", "Last Name", "E-Mail", "ZIP"])
    assert found.columns == {
        "loyalty_id": "Card Number",
        "given_name": "First name",
        "family_name": "Last Name",
        "postcode": "ZIP",
        "email": "E-Mail",
    }


def test_an_unknown_kind_and_a_missing_file_are_told_in_a_sentence(hq: Headquarters, tmp_path: Path):
    """What there is to choose from."""
    with pytest.raises(Refused, match="There are: stores, associates"):
        run_import(hq, "wishes", tmp_path / "x.csv")
    with pytest.raises(Refused, match="There is no file"):
        run_import(hq, "orders", tmp_path / "x.csv")


# shoppers -------------------------------------------------------------------------------------------------------------


def test_the_loyalty_base_keeps_its_tier_points_and_old_numbers(hq: Headquarters, tmp_path: Path):
    """Each old number becomes an alias message of its own that names it and the present one, whatever it looks like."""
    text = (
        "Card Number;Old Numbers;Tier;Points;Home Store\n"
        "2900000000018;K-77 | 2900000000902;gold;1.240;berlin-1\n"
        "2900000000025;K-78; silver;10;berlin-1\n"
    )
    mapping = tmp_path / "base.yaml"
    mapping.write_text(
        "columns: {loyalty_id: Card Number, old_loyalty_ids: Old Numbers, tier: Tier, points: Points}\ndecimal: ','\n"
    )
    report = take(hq, tmp_path, "shoppers", text, mapping=mapping)
    assert (report.taken, report.also, report.left_out) == (2, {"old numbers": 3}, {})
    with hq.database.read() as reader:
        bodies = [json.loads(row["body"]) for row in reader.rows("fact", origin="import-shoppers")]
    told = {tuple(one["value"] for one in body["identifiers"]) for body in bodies if body["kind"] == "alias"}
    assert told == {("2900000000018", "K-77"), ("2900000000018", "2900000000902"), ("2900000000025", "K-78")}
    types = {one["type"] for body in bodies if body["kind"] == "alias" for one in body["identifiers"]}
    assert types == {"loyalty_id"}
    assert (profile(hq, "2900000000025")["tier"], profile(hq, "2900000000025")["points"]) == ("silver", 10)
    again = take(hq, tmp_path, "shoppers", text, mapping=mapping)
    assert (again.taken, again.known, again.also.total()) == (0, 2, 0)


def test_old_numbers_without_a_present_one_are_left_out(hq: Headquarters, tmp_path: Path):
    """There is nobody to link them to; a shopper known by e-mail alone is taken."""
    text = "number,old numbers,email\n,K-1,a@example.org\n,,b@example.org\n,,\n"
    report = take(hq, tmp_path, "shoppers", text)
    assert report.taken == 1
    assert report.left_out == {"the row has old numbers and no present one": 1}
    assert report.rows == 2, "a line of empty cells is no row"


# numbers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "minor"),
    [("12.50", 1250), ("1,299.00", 129900), ("1,299", 129900), ("12,50", None), ("1,2,3", None), ("²", None)],
)
def test_a_price_that_could_mean_two_things_is_refused_rather_than_guessed(
    hq: Headquarters, tmp_path: Path, said: str, minor: int | None
):
    """A decimal comma that nobody declared would make a hundredfold of it."""
    report = take(hq, tmp_path, "orders", f'order_id;at;email;sku;price\n1;2026-11-20;x@example.org;S1;"{said}"\n')
    assert report.taken == (minor is not None)
    if minor is not None:
        assert profile(hq, "x@example.org")["facts"]["net_revenue"] == [{"minor": minor, "currency": "EUR"}]


def test_a_whole_number_beyond_all_bounds_is_a_bad_row(hq: Headquarters, tmp_path: Path):
    """It once was an overflow."""
    report = take(hq, tmp_path, "stock", f"store,sku,quantity\nberlin-1,S1,{'9' * 400}\nberlin-1,S2,3\n")
    assert (report.taken, report.left_out) == (1, {"quantity is no whole number": 1})


def test_one_refused_row_of_a_table_is_left_out_alone(hq: Headquarters, tmp_path: Path):
    """A role that there is not, a store that there is not: the people beside them come in."""
    text = "store,name,role\nberlin-1,Anna Vogt,associate\nberlin-1,Bo Berg,king\nrome-9,Cy Conti,associate\n"
    report = take(hq, tmp_path, "associates", text)
    assert report.taken == 1
    assert report.left_out == {"there is no such store": 1, "A role is associate or manager, not 'king'.": 1}


def test_a_header_without_rows_is_a_quiet_day_and_no_refusal(hq: Headquarters, tmp_path: Path):
    """Nightly exports of a day on which nothing happened; a file without even a header is refused."""
    assert take(hq, tmp_path, "orders", "order_id,at,email\n").rows == 0
    (tmp_path / "events.jsonl").write_text("\n")
    assert run_import(hq, "events", tmp_path / "events.jsonl").rows == 0
    with pytest.raises(Refused, match="is empty"):
        take(hq, tmp_path, "orders", "")

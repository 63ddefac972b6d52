"""Every kind of file on both databases: what the starter files make, and that the same again changes nothing."""

from __future__ import annotations

from pathlib import Path

from sync_server.services.headquarters import Headquarters
from sync_server.services.imports.kinds import FIELDS
from sync_server.services.imports.run import run_import

STARTER = Path(__file__).parents[2] / "assets" / "starter"


def test_every_kind_is_taken_once_and_known_the_second_time(hq: Headquarters) -> None:
    """Visitors and rates as well, whose rows are replaced where they changed."""
    for kind in FIELDS:
        report = run_import(hq, kind, next(STARTER.glob(f"{kind}.*")))
        assert (report.rows, report.left_out) == (10, {}), report
    for kind in FIELDS:
        again = run_import(hq, kind, next(STARTER.glob(f"{kind}.*")))
        assert (again.taken, again.left_out) == (0, {}), again
    with hq.database.read() as reader:
        assert len(reader.rows("store_traffic", store="berlin-1")) == 10
        assert [row["rate"] for row in reader.rows("currency_rate", day="2026-11-20")] == ["1.0709", "1.1474"]


def test_a_later_file_replaces_what_it_says_anew(hq: Headquarters, tmp_path: Path) -> None:
    """The last one wins, and only it counts as taken."""
    path = tmp_path / "rates.csv"
    path.write_text("day,currency,rate\n2026-11-20,CHF,1.07\n2026-11-20,GBP,1.15\n")
    assert run_import(hq, "rates", path).taken == 2
    path.write_text("day,currency,rate\n2026-11-20,CHF,1.08\n2026-11-20,GBP,1.15\n")
    report = run_import(hq, "rates", path)
    assert (report.taken, report.known) == (1, 1)
    with hq.database.read() as reader:
        assert {row["currency"]: row["rate"] for row in reader.rows("currency_rate")} == {"CHF": "1.08", "GBP": "1.15"}

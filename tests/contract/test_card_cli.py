"""`sync-server card ...` as people and scripts call it: pictures, tables and sheets on disk, one sentence a refusal."""

from __future__ import annotations

import contextlib
import csv
import io
import shlex
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from sync_server.command_line.app import run as run_command_line
from tests.support.programs import Said

NUMBER = "2912345678903"


def here(line: str, folder: Path) -> Said:
    """Run a command line in this very process, in a data folder."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run_command_line([*shlex.split(line), "--data-dir", str(folder)])
    return Said(status, out.getvalue(), err.getvalue())


def told(line: str, folder: Path) -> Any:
    """The one JSON value a command prints."""
    done = here(f"{line} --json", folder)
    assert (done.status, done.err) == (0, ""), done
    assert done.out.count("\n") == 1
    return done.json


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain."""
    folder = tmp_path_factory.mktemp("chain")
    told("init --chain Fjellvik --currency EUR --timezone Europe/Berlin", folder)
    return folder


def test_a_card_is_issued_to_a_picture_and_given_again(chain: Path, tmp_path: Path) -> None:
    """PNG and SVG by the name's end; the same card until a new one is asked for."""
    first = told(f"card issue {NUMBER} --out '{tmp_path / 'card.png'}'", chain)
    with Image.open(tmp_path / "card.png") as picture:
        [found] = zxingcpp.read_barcodes(picture.convert("L"))
    assert found.text == first["card"]
    again = told(f"card issue {NUMBER} --out '{tmp_path / 'card.svg'}'", chain)
    assert (again["card"], again["is_new"]) == (first["card"], False)
    assert (tmp_path / "card.svg").read_text("utf-8").startswith("<svg")
    assert told(f"card issue {NUMBER} --new", chain)["card"] != first["card"]


def test_a_replacement_says_which_cards_were_cancelled(chain: Path) -> None:
    """As JSON, and in a sentence below the code."""
    held = told("card issue 2900000000018", chain)
    done = told("card replace 2900000000018", chain)
    assert (done["cancelled"], done["loyalty_id"]) == ([held["card_id"]], "2900000000018")
    said = here(f"card replace {done['card']}", chain)
    assert said.status == 0
    assert f"Cancelled: {done['card_id']}." in said.out


def test_a_file_of_numbers_becomes_a_table_and_a_sheet_of_the_same_cards(chain: Path, tmp_path: Path) -> None:
    """Idempotent over both: the sheet shows the cards of the table."""
    file = tmp_path / "numbers.csv"
    file.write_text("loyalty_id\n2900000000025\n2900000000026\n2900000000032\n", "utf-8")
    made = told(f"card issue --file '{file}' --out '{tmp_path / 'cards.csv'}'", chain)
    assert (made["issued"], made["known"], made["left_out"]) == (2, 0, {"its check digit is wrong": 1})
    assert made["bad_numbers"] == str(tmp_path / "cards.bad.csv")
    with (tmp_path / "cards.csv").open(encoding="utf-8", newline="") as table:
        cards = [row["card_id"] for row in csv.DictReader(table)]
    drawn = told(f"card sheet --file '{file}' --out '{tmp_path / 'sheet.svg'}' --line 'Willkommen & danke'", chain)
    assert (drawn["cards"], drawn["pages"], drawn["issued"], drawn["known"]) == (2, 1, 0, 2)
    page = (tmp_path / "sheet.svg").read_text("utf-8")
    assert page.count("Fjellvik<") == len(cards) == 2
    assert "Willkommen &amp; danke" in page
    said = here(f"card issue --file '{file}' --out '{tmp_path / 'cards.csv'}'", chain)
    assert "0 cards issued, 2 numbers had theirs already" in said.out
    assert "1 x its check digit is wrong" in said.out


def test_a_sheet_of_stock_is_one_page_unless_more_are_asked_for(chain: Path, tmp_path: Path) -> None:
    """A PDF at the place that was said."""
    drawn = told(f"card sheet --out '{tmp_path / 'new' / 'stock.pdf'}'", chain)
    assert (drawn["cards"], drawn["pages"]) == (10, 1)
    assert (tmp_path / "new" / "stock.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("card issue 2912345678903 --out card.gif", "a file.png or a file.svg"),
        ("card issue --file absent.csv --out cards.csv", "no file absent.csv"),
        ("card issue --file absent.csv --out cards.pdf", "a folder or a FILE.csv"),
        ("card replace 2999999999999", "never issued a card"),
        ("card replace FS1.AAAA", "never issued a card"),
        ("card sheet --out sheet.png", "A sheet is a FILE.pdf"),
        ("card sheet --out sheet.svg --stock 11", "fill 2 pages"),
        ("card sheet --out sheet.pdf --stock 0", "1 to 10000 cards"),
        ("card sheet --out sheet.pdf --expires-on soon", "A day is written like"),
        ("card page 2912345678903", "knows no shopper"),
        ("card page 2912345678903 --withdraw", "no card page"),
    ],
)
def test_a_refusal_is_one_sentence_and_issues_nothing(
    chain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, sentence: str
) -> None:
    """Nothing on standard output, nothing on the disk, status 1."""
    monkeypatch.chdir(tmp_path)
    for more in ("", " --json"):
        done = here(line + more, chain)
        assert (done.status, done.out, done.err.count("\n")) == (1, "", 1), done
        assert sentence in done.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "line",
    [
        "card issue 2912345678903 --file numbers.csv --out cards.csv",
        "card issue --file numbers.csv",
        "card sheet",
        "card sheet --out a.pdf --stock 5 --file numbers.csv",
        "card page",
        "card replace",
    ],
)
def test_what_does_not_go_together_is_wrong_usage(chain: Path, line: str) -> None:
    """Status 2, and where help is."""
    done = here(line, chain)
    assert (done.status, done.out) == (2, "")
    assert "--help" in done.err

"""`associate-app` as people and scripts call it: JSON and nothing else, three exit statuses, one sentence a refusal."""

from __future__ import annotations

import builtins
import contextlib
import io
import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import qrcode

from associate_app import __main__ as entry
from associate_app.bootstrap import make_tablet
from associate_app.command_line import common
from associate_app.command_line.app import COMMANDS, run
from associate_app.settings import SETTINGS, Settings, environment_table, read_settings
from shared.errors import Refused
from tests.support.programs import Said
from tests.support.replica import (
    LOYALTY_ID,
    OTHER_KEY,
    STORE_SCOPE,
    STRANGER_ID,
    card_for,
    chain_documents,
    connect,
    load,
    mara,
    store_documents,
)


def here(*words: object) -> Said:
    """Run a command line in this very process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run([str(word) for word in words])
    return Said(status, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A connected tablet with a full replica, in a folder of its own."""
    made = tmp_path_factory.mktemp("tablet")
    tablet = make_tablet(Settings(made, is_own_folder=True))
    with contextlib.closing(tablet.open_database()) as database:
        connect(database)
        load(database, "all", chain_documents())
        load(database, STORE_SCOPE, {**store_documents(), f"profile/{mara()['id']}": mara()})
    return made


@pytest.fixture
def told(folder: Path) -> Any:
    """Run with --json and give the one value."""

    def tell(line: str) -> Any:
        done = here(*shlex.split(line), "--json", "--data-dir", folder)
        assert (done.status, done.err) == (0, ""), done
        assert done.out.count("\n") == 1
        return done.json

    return tell


def test_lookup_prints_the_card_of_the_contract(told):
    """Status, profile, stage, plays with their words and why, held back, age."""
    view = told(f"lookup {card_for()}")
    assert view["card"]["status"] == "verified"
    assert view["profile"]["given_name"] == "Mara"
    assert view["stage"] in ("active", "lapsing", "win_back")
    for play in view["plays"]:
        assert {"play_id", "title", "class", "why", "score", "talking_points", "offer_id"} <= set(play)
        assert play["talking_points"]["opener"]
    for held in view["held_back"]:
        assert {"play_id", "reason", "until"} <= set(held)
    assert "as_of" in view
    assert told("status")["recorded"] == 0, "looking up records nothing"


def test_codes_that_open_nobody_are_answers_not_errors(told):
    """Forged, foreign, unreadable: status 0 and their own word."""
    assert told(f"lookup {card_for(key=OTHER_KEY)}")["card"]["status"] == "forged"
    assert told("lookup https://example.org/x")["card"]["status"] == "foreign"
    assert told(f"lookup {'x' * 10_000}")["card"]["status"] == "unreadable"


def test_record_writes_the_outcome_with_its_impression_and_status_counts_it(told, folder):
    """Opening, impression, outcome; pending until the next sync; the play is held back at once."""
    play_id = told(f"lookup {STRANGER_ID}")["plays"][0]["play_id"]
    saved = told(f"record --shopper {STRANGER_ID} --play {play_id} --outcome bought --associate a0001")
    assert saved["pending"] == 3
    status = told("status")
    assert (status["recorded"], status["pending"], status["acked"]) == (3, 3, 0)
    assert status["oldest_pending_at"] <= saved["recorded_at"]
    assert status["receipt"] is None
    assert play_id in [held["play_id"] for held in told(f"lookup {STRANGER_ID}")["held_back"]]
    shown = here("status", "--data-dir", folder)
    assert shown.status == 0
    assert "3 records are saved here" in shown.out


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (f"record --shopper {LOYALTY_ID} --play nonsense --outcome bought", "There is no play 'nonsense'"),
        (f"record --shopper {LOYALTY_ID} --play birthday --outcome sold", "is no outcome"),
        ("record --shopper nobody --play birthday --outcome bought", "This is not one of our cards"),
        ("enrol ABC", "needs HQ's address"),
        ("enrol ABC --server nowhere", "is not an address"),
        ("enrol ABC --server http://127.0.0.1:9", "HQ cannot be reached"),
        ("scan-image missing.png", "missing.png cannot be read"),
        ("scan-image", "Name at least one"),
    ],
)
def test_a_refusal_is_one_sentence_and_status_1(folder, line, words):
    """Nothing on standard output, no traceback, no second line."""
    done = here(*shlex.split(line), "--data-dir", folder)
    assert (done.status, done.out) == (1, "")
    assert words in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "line", ["", "nonsense", "lookup", "lookup a b", "record --shopper 1", "status --nope", "sync 1"]
)
def test_wrong_usage_is_status_2(line):
    """With a pointer to the help."""
    done = here(*shlex.split(line))
    assert done.status == 2
    assert done.out.startswith("Usage") or "--help" in done.err


def test_help_names_every_command(folder):
    """Each with what it does; asking for help is no wrong usage."""
    done = here("--help")
    assert done.status == 0
    assert all(name in done.out for name in COMMANDS)
    assert here("lookup", "--help").status == 0


def test_scan_image_reads_codes_of_several_files(told, tmp_path):
    """File, codes with format and text, milliseconds; a picture without a code has none."""
    good, empty = tmp_path / "card.png", tmp_path / "empty.png"
    qrcode.make(card_for()).save(good)
    empty.write_bytes(b"no picture at all")
    first, second = told(f"scan-image '{good}' '{empty}'")
    assert first["codes"] == [{"format": "QR Code", "text": card_for()}]
    assert (second["file"], second["codes"]) == (str(empty), [])
    assert first["ms"] >= 0


def test_find_lists_shoppers(told):
    """By a part of the name."""
    assert [hit["name"] for hit in told("find lindq")] == ["Mara Lindqvist"]


@pytest.mark.full
def test_sync_without_hq_says_so_and_loses_nothing(folder):
    """The value tells how it stands, the sentence why it is not complete; it tries for some ten seconds before."""
    before = here("status", "--json", "--data-dir", folder).json["recorded"]
    done = here("sync", "--json", "--data-dir", folder)
    assert done.status == 1
    assert done.json["complete"] is False
    assert done.err.strip()
    assert here("status", "--json", "--data-dir", folder).json["recorded"] == before


def test_export_writes_the_journal(told, folder, tmp_path, monkeypatch):
    """Plain to standard output, or sealed into a file."""
    plain = here("export", "--plain", "--data-dir", folder)
    assert json.loads(plain.out.splitlines()[0])["format"] == "floorside-journal-1"
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse\n"))
    sealed = told(f"export --file '{tmp_path / 'journal.txt'}'")
    assert sealed["sealed"] is True
    assert (tmp_path / "journal.txt").read_text().startswith("FSJ1.")


def test_an_unconnected_tablet_says_what_to_do(tmp_path):
    """Lookup and sync need a store; status and export do not."""
    for line in ("lookup 1", "sync"):
        done = here(*line.split(), "--data-dir", tmp_path)
        assert (done.status, "Connect it with an enrolment code" in done.err) == (1, True)
    assert here("status", "--json", "--data-dir", tmp_path).json["store"] is None
    assert here("export", "--plain", "--data-dir", tmp_path).status == 0


def test_a_damaged_key_or_database_is_a_sentence(tmp_path):
    """Which file, and what to do."""
    here("status", "--data-dir", tmp_path)
    (tmp_path / "tablet.key").write_text("?")
    done = here("status", "--data-dir", tmp_path)
    assert (done.status, "tablet.key is damaged" in done.err) == (1, True)
    (tmp_path / "tablet.key").write_text("ab" * 32)
    done = here("status", "--data-dir", tmp_path)
    assert (done.status, "belong to another key" in done.err) == (1, True)


def test_a_data_folder_that_cannot_be_made_is_a_sentence(tmp_path):
    """A file stands in its place."""
    (tmp_path / "file").write_text("")
    done = here("status", "--data-dir", tmp_path / "file" / "tablet")
    assert (done.status, "cannot be made" in done.err) == (1, True)


def test_a_bug_is_one_sentence_and_a_log_file(tmp_path, monkeypatch):
    """Never a traceback on the screen; the details lie in the data folder."""

    def explode(*_: object) -> None:
        raise ZeroDivisionError("hidden detail")

    monkeypatch.setattr("associate_app.command_line.connection.read_status", explode)
    done = here("status", "--data-dir", tmp_path)
    assert done.status == 1
    assert "fault in Floorside (ZeroDivisionError)" in done.err
    assert "Traceback" not in done.err
    assert "hidden detail" in (tmp_path / "tablet.log").read_text()
    assert str(tmp_path / "tablet.log") in done.err


def test_a_bare_tablet_says_how_to_get_the_command_line(monkeypatch, capsys):
    """Packaged tablets have neither cyclopts nor rich."""
    real = builtins.__import__

    def refuse(name: str, *args: Any, **more: Any) -> Any:
        if name == "associate_app.command_line.app":
            raise ImportError("No module named 'cyclopts'", name="cyclopts")
        return real(name, *args, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == 1
    assert "floorside[hub]" in capsys.readouterr().err


def test_settings_come_from_the_command_line_then_the_environment(tmp_path):
    """A named folder keeps its key inside; a wrong language is refused by name."""
    named = {"FLOORSIDE_TABLET_DATA_DIR": str(tmp_path / "env"), "FLOORSIDE_LANGUAGE": "de"}
    default = read_settings({}, {}, tmp_path / "default")
    assert (default.data_dir, default.is_own_folder, default.language) == (tmp_path / "default", False, "en")
    settings = read_settings(named, {}, tmp_path)
    assert (settings.data_dir, settings.is_own_folder, settings.language) == (tmp_path / "env", True, "de")
    assert read_settings(named, {"data_dir": tmp_path / "told"}, tmp_path).data_dir == tmp_path / "told"
    with pytest.raises(Refused, match="FLOORSIDE_LANGUAGE"):
        read_settings({"FLOORSIDE_LANGUAGE": "xx"}, {}, tmp_path)
    assert len(environment_table()) == len(SETTINGS)


def test_the_environment_names_the_folder(tmp_path, monkeypatch):
    """Without --data-dir."""
    monkeypatch.setenv("FLOORSIDE_TABLET_DATA_DIR", str(tmp_path / "tablet"))
    assert here("status").status == 0
    assert (tmp_path / "tablet" / "tablet.db").exists()


@pytest.fixture(autouse=True)
def forget_settings() -> Iterator[None]:
    """Each command stands alone."""
    yield
    common._settings_in_use.clear()

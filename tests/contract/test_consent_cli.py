"""Consent and the CRM lens by command line: one JSON value or a sentence, files that appear when they are whole."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from sync_server.bootstrap import open_headquarters
from sync_server.services.ingest import take_messages
from sync_server.settings import Settings
from tests.contract.test_keeping_cli import here, told
from tests.support.receiver import receiver
from tests.support.traffic import found_chain
from tests.support.world import LOYALTY_ID

CONSENT = {"email": True, "sms": False}
WORDING = 'purpose: email\nversion: "9"\ntitle: {en: E-mails}\ntext: {en: You may write to me.}\n'


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """A chain's folder with one shopper, who agreed to e-mail and to nothing else."""
    folder = tmp_path / "hq"
    with open_headquarters(Settings(data_dir=folder, database=f"sqlite:///{folder / 'central.db'}")) as hq:
        found_chain(hq)
        traits = {"loyalty_id": LOYALTY_ID, "email": "mara@example.org"}
        context: dict[str, Any] = {"traits": traits, "consent": {"categoryPreferences": CONSENT}}
        message = {"type": "track", "event": "Segment Consent Preference Updated", "messageId": "1"}
        take_messages(hq.database, hq.clock, "web-shop", [{**message, "context": context}])
    return folder


def test_consent_is_shown_counted_and_exported(chain: Path, tmp_path: Path) -> None:
    """For people as tables, for programs as JSON, for an authority as a file."""
    assert told(chain, f"consent show {LOYALTY_ID}")["purposes"]["email"]["state"] == "granted"
    assert "never asked" in here(chain, f"consent show {LOYALTY_ID}")[1]
    (email,) = [row for row in told(chain, "consent coverage") if row["purpose"] == "email"]
    assert (email["granted"], email["granted_permille"]) == (1, 1000)
    assert "100.0 %" in here(chain, "consent coverage")[1]
    file = tmp_path / "proofs.csv"
    assert told(chain, f"consent export {file} --purpose sms") == {"file": str(file), "decisions": 1}
    assert [row["decision"] for row in csv.DictReader(file.read_text("utf-8").splitlines())] == ["denied"]
    status, out, err = here(chain, f"consent export {tmp_path / 'none' / 'x.csv'}")
    assert (status, out) == (1, "")
    assert "cannot be written" in err


def test_a_wording_is_added_listed_and_shown(chain: Path, tmp_path: Path) -> None:
    """A third word in the command line: `consent wording add`."""
    (tmp_path / "w.yaml").write_text(WORDING, "utf-8")
    assert told(chain, f"consent wording add {tmp_path / 'w.yaml'}")["is_new"]
    assert "word for word" in here(chain, f"consent wording add {tmp_path / 'w.yaml'}")[1]
    assert "9" in {row["version"] for row in told(chain, "consent wording list")}
    (shown,) = told(chain, "consent wording show email 9")
    assert shown["text"] == "You may write to me."
    assert "wording" in here(chain, "consent --help")[1]


def test_summaries_go_to_a_file_or_to_standard_output(chain: Path, tmp_path: Path) -> None:
    """The cursor is told beside the rows, never among them."""
    file = tmp_path / "traits.jsonl"
    done = told(chain, f"export traits {file} --format jsonl")
    assert done["profiles"] == 1
    status, out, err = here(chain, f"export traits --since {done['cursor']}")
    assert (status, len(list(csv.reader(io.StringIO(out)))), err) == (0, 1, f"Next time: --since {done['cursor']}\n")
    assert here(chain, "export traits --json")[0] == 1


def test_a_webhook_is_added_run_listed_and_removed(chain: Path) -> None:
    """What did not get through ends the command with a sentence, so that a timer's owner hears of it."""
    with receiver() as crm:
        assert len(told(chain, f"export webhook add {crm.url}")["secret"]) == 64
        crm.statuses = [404]
        status, out, err = here(chain, "export webhook run --json")
        assert (status, "404" in out, "stays due" in err) == (1, True, True)
        (done,) = told(chain, "export webhook run")
        assert (done["taken"], crm.taken[0]["email"]) == (1, "mara@example.org")
        assert told(chain, "export webhook list")[0]["is_due"] is False
        assert here(chain, f"export webhook remove {crm.url}")[0] == 0
        assert told(chain, "export webhook list") == []

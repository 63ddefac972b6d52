"""Consent at HQ: every decision with its proof, the words behind it, and who agreed to what."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Refused
from shared.plays.refusal import PlaybookRefused
from shared.wire.messages import SCOPE_ALL
from sync_server.ports import DocWrite
from sync_server.services.consent import PROOF_COLUMNS, ProofQuery, count_coverage, export_proofs, show_consent
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.playbook import publish_playbook
from sync_server.services.table_file import cell_of, write_file
from sync_server.services.wordings import add_wording, list_wordings, show_wording
from tests.support.world import LOYALTY_ID, Journalist, make_journalist, pass_time

OTHER_ID = "2900000000025"
WORDING = """
purpose: email
version: "7"
title: {en: E-mails, de: E-Mails}
text:
  en: You may write to me.
  de: Ihr dürft mir schreiben.
"""


def wording_file(folder: Path, text: str = WORDING) -> Path:
    """A wording as a file."""
    path = folder / "wording.yaml"
    path.write_text(text, "utf-8")
    return path


def decide(tablet: Journalist, decision: str, purpose: str = "email", card: str = LOYALTY_ID, **proof: Any) -> str:
    """A decision on the floor, pushed; its op_id."""
    given = {"purpose": purpose, "decision": decision, "method": "shopper_tapped", **proof}
    op = tablet.record("consent_changed", {"shopper": {"type": "loyalty_id", "value": card}, "consent": given})
    assert tablet.push([op])["results"][0]["verdict"] == "accepted"
    return str(op["op_id"])


def listen(hq: Headquarters, *messages: dict[str, Any]) -> None:
    """Messages of a mail tool."""
    numbered = [{"messageId": f"{hq.make_id()}", **message} for message in messages]
    assert take_messages(hq.database, hq.clock, "mail-tool", numbered).accepted == len(messages)


def told(hq: Headquarters, purpose: str = "email", card: str = LOYALTY_ID) -> tuple[str, list[tuple[str, str]]]:
    """(what stands, [(decision, what became of it)])."""
    shown = show_consent(hq, card)
    decisions = [(one["decision"], one["standing"]) for one in shown["decisions"] if one["purpose"] == purpose]
    return shown["purposes"][purpose]["state"], decisions


def test_a_proof_says_who_where_when_how_and_on_which_words(hq: Headquarters, tmp_path: Path):
    """The sha a tablet names leads to the very words, in the language they were read in."""
    made = add_wording(hq, wording_file(tmp_path))
    sha = made["sha"]["de"]
    op_id = decide(make_journalist(hq), "granted", wording_version="7", wording_sha=sha, language="de")
    (proof,) = export_proofs(hq, ProofQuery(shopper=LOYALTY_ID))
    assert set(proof) == set(PROOF_COLUMNS)
    assert (proof["wording_text"], proof["wording_found_by"]) == ("Ihr dürft mir schreiben.", "sha")
    assert (proof["associate_id"], proof["store"], proof["method"]) == ("a0001", "berlin-1", "shopper_tapped")
    assert (proof["language"], proof["wording_sha"], proof["fact_id"]) == ("de", sha, op_id)
    assert (proof["standing"], proof["state"], proof["loyalty_id"]) == ("in_force", "granted", LOYALTY_ID)
    assert proof["at"] == proof["received_at"] == hq.now_at()


def test_a_wording_nobody_published_is_kept_and_marked(hq: Headquarters):
    """Never refused: the decision is the shopper's, the missing words are HQ's affair."""
    decide(make_journalist(hq), "granted", wording_version="9", wording_sha="f" * 64, language="en")
    (proof,) = export_proofs(hq, ProofQuery())
    assert (proof["wording_found_by"], proof["wording_text"], proof["wording_sha"]) == ("unknown", None, "f" * 64)
    assert proof["state"] == "granted"


def test_words_that_were_replaced_can_still_be_quoted(hq: Headquarters, tmp_path: Path):
    """A document may go, what a shopper agreed to stays."""
    sha = add_wording(hq, wording_file(tmp_path))["sha"]["en"]
    decide(make_journalist(hq), "granted", wording_version="7", wording_sha=sha)
    with hq.database.write() as tx:
        tx.publish([DocWrite(SCOPE_ALL, "consent_wording/email/7", None, "gone")], hq.now_at())
    (proof,) = export_proofs(hq, ProofQuery())
    assert proof["wording_text"] == "You may write to me."


def test_a_mail_tool_s_unsubscribe_is_a_decision_and_so_are_preferences(hq: Headquarters):
    """Absent preferences change nothing, empty ones deny all, a category denies what it stands for."""
    tablet = make_journalist(hq)
    decide(tablet, "granted")
    pass_time(hq, minutes=1)
    who = {"context": {"traits": {"loyalty_id": LOYALTY_ID}}}
    listen(hq, {"type": "track", "event": "Email Opened", "timestamp": hq.now_at(), **who})
    assert told(hq)[0] == "granted"
    listen(hq, {"type": "track", "event": "Email Unsubscribed", "timestamp": hq.now_at(), **who})
    assert told(hq) == ("denied", [("granted", "superseded"), ("denied", "in_force")])
    pass_time(hq, minutes=1)
    decide(tablet, "granted")
    decide(tablet, "granted", "phone")
    pass_time(hq, minutes=1)
    traits = who["context"]["traits"]
    asked = {"type": "track", "event": "Segment Consent Preference Updated", "timestamp": hq.now_at()}
    listen(hq, {**asked, "context": {"traits": traits, "consent": {}}})
    assert (told(hq)[0], told(hq, "phone")[0]) == ("granted", "granted")
    listen(hq, {**asked, "context": {"traits": traits, "consent": {"categoryPreferences": {}}}})
    assert {one["state"] for one in show_consent(hq, LOYALTY_ID)["purposes"].values()} == {"denied"}


def test_what_became_of_each_decision_is_told(hq: Headquarters):
    """Undone, corrected, never counted, superseded, overridden by a join: each by its word."""
    tablet = make_journalist(hq)
    undone = decide(tablet, "granted")
    tablet.push([tablet.record("op_withdrawn", {"why": "undo"}, amends=undone)])
    pass_time(hq, minutes=1)
    decide(tablet, "granted", method="spoken")
    assert told(hq) == ("never_asked", [("granted", "withdrawn"), ("granted", "not_counted")])
    pass_time(hq, minutes=1)
    at = hq.now_at()
    listen(hq, {"type": "track", "event": "Email Unsubscribed", "timestamp": at, "context": {"traits": MAIL}})
    pass_time(hq, minutes=1)
    decide(tablet, "granted")
    assert told(hq)[0] == "granted"
    pass_time(hq, minutes=1)
    listen(hq, {"type": "identify", "timestamp": hq.now_at(), "traits": {**MAIL, "loyalty_id": LOYALTY_ID}})
    state, decisions = told(hq)
    assert state == "conflict"
    assert decisions[-2:] == [("denied", "superseded"), ("granted", "overridden")]


MAIL = {"email": "mara@example.org"}


def test_coverage_counts_each_shopper_once_per_purpose(hq: Headquarters):
    """Granted, denied, never asked; browsers nobody knows are not people; a store counts whom it holds."""
    tablet = make_journalist(hq)
    decide(tablet, "granted")
    decide(tablet, "denied", card=OTHER_ID)
    listen(hq, {"type": "identify", "traits": MAIL}, {"type": "page", "anonymousId": "browser-1"})
    email = next(row for row in count_coverage(hq) if row["purpose"] == "email")
    counts = (email["shoppers"], email["granted"], email["denied"], email["never_asked"], email["conflict"])
    assert (counts, email["granted_permille"]) == ((3, 1, 1, 1, 0), 333)
    assert [row["shoppers"] for row in count_coverage(hq, "berlin-1")] == [2] * 6
    assert [row["granted_permille"] for row in count_coverage(hq, "zurich-1")] == [0] * 6
    with pytest.raises(Refused):
        count_coverage(hq, "nowhere")


def test_proofs_are_picked_by_purpose_and_time_and_written_into_the_audit_log(hq: Headquarters, tmp_path: Path):
    """A file for an authority: header, one line a decision, nothing a spreadsheet runs."""
    tablet = make_journalist(hq)
    decide(tablet, "granted")
    pass_time(hq, hours=30)
    decide(tablet, "granted", "sms", wording_version="=1+1")
    assert len(list(export_proofs(hq, ProofQuery()))) == 2
    assert [one["purpose"] for one in export_proofs(hq, ProofQuery(since="2026-11-23"))] == ["sms"]
    path = tmp_path / "proofs.csv"
    assert write_file(path, export_proofs(hq, ProofQuery(purpose="sms")), PROOF_COLUMNS, "csv") == 1
    (line,) = csv.DictReader(path.read_text("utf-8").splitlines())
    assert (line["purpose"], line["wording_version"]) == ("sms", "'=1+1")
    assert path.stat().st_mode & 0o077 == 0
    with hq.database.read() as reader:
        assert "exported consent proofs" in {row["did"] for row in reader.rows("audit")}


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (ProofQuery(shopper="nobody@example.org"), "knows no shopper"),
        (ProofQuery(purpose="fun"), "is no purpose"),
        (ProofQuery(since="last week"), "is no time"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_in_words(hq: Headquarters, query: ProofQuery, words: str):
    """One sentence, before anything is written."""
    with pytest.raises(Refused, match=words):
        list(export_proofs(hq, query))


def test_a_cell_can_start_no_formula():
    """Text is text; phone numbers and amounts stay what they are."""
    assert [cell_of(value) for value in ("=1", "@x", "-x", "+4915100", -5, None, True)] == [
        *("'=1", "'@x", "'-x", "+4915100", "-5", "", "yes")
    ]
    assert cell_of({"EUR": 12, "CHF": 3}) == "CHF=3;EUR=12"


# wordings -------------------------------------------------------------------------------------------------------------


def test_a_wording_reaches_every_tablet_once_and_changed_words_need_a_new_version(hq: Headquarters, tmp_path: Path):
    """The document carries the sha of each language; the same file twice changes nothing."""
    assert add_wording(hq, wording_file(tmp_path))["is_new"]
    assert not add_wording(hq, wording_file(tmp_path))["is_new"]
    with hq.database.read() as reader:
        row = reader.doc(SCOPE_ALL, "consent_wording/email/7")
        assert row is not None
        assert set(json.loads(row.body)["sha"]) == {"en", "de"}
        assert reader.head(SCOPE_ALL).n == row.s
    with pytest.raises(Refused, match="new version"):
        add_wording(hq, wording_file(tmp_path, WORDING.replace("write to me", "write to me daily")))
    assert show_wording(hq, "email", "7")[1].text == "You may write to me."


def test_the_newest_version_is_the_highest_number(hq: Headquarters, tmp_path: Path):
    """10 comes after 9."""
    for version in ("9", "10", "2"):
        add_wording(hq, wording_file(tmp_path, WORDING.replace('"7"', f'"{version}"')))
    assert [row["version"] for row in list_wordings(hq)] == ["2", "9", "10"]
    assert {one.version for one in show_wording(hq, "email", None)} == {"10"}
    with pytest.raises(Refused, match="No wording"):
        show_wording(hq, "email", "3")


def test_a_file_that_is_no_wording_is_refused(hq: Headquarters, tmp_path: Path):
    """Broken YAML, an unknown purpose, no file: a sentence each."""
    with pytest.raises(PlaybookRefused):
        add_wording(hq, wording_file(tmp_path, WORDING.replace("email", "fun")))
    with pytest.raises(Refused, match="no readable YAML"):
        add_wording(hq, wording_file(tmp_path, "a: [1"))
    with pytest.raises(Refused, match="cannot be read"):
        add_wording(hq, tmp_path / "missing.yaml")


def test_the_playbook_s_wordings_are_kept_too(hq: Headquarters):
    """What ships is proof from the first tap on."""
    publish_playbook(hq)
    with hq.database.read() as reader:
        assert {row["purpose"] for row in reader.rows("wording")} >= {"email", "personalise_in_store", "profiling"}

"""Proofs, coverage and the row of changed summaries on SQLite and PostgreSQL alike, streamed in pages."""

from __future__ import annotations

import pytest

from sync_server.services.changes import export_changes
from sync_server.services.consent import ProofQuery, count_coverage, export_proofs
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.traits import TRAITS


def test_proofs_and_changes_are_streamed_on_both_databases(hq: Headquarters, monkeypatch: pytest.MonkeyPatch) -> None:
    """More shoppers than a page holds: each once, in the order of their changes, and only who changed since."""
    for page in ("changes.PAGE", "consent._PAGE"):
        monkeypatch.setattr(f"sync_server.services.{page}", 3)
    asked = {"type": "track", "event": "Segment Consent Preference Updated"}
    context = {"consent": {"categoryPreferences": {"email": True}}}
    messages = [{**asked, "messageId": f"{n}", "userId": f"c-{n}", "context": context} for n in range(10)]
    take_messages(hq.database, hq.clock, "web-shop", messages)
    rows, cursor = export_changes(hq, TRAITS, None)
    assert sorted(row["customer_id"] for row in rows) == [f"c-{n}" for n in range(10)]
    assert len(list(export_proofs(hq, ProofQuery(purpose="email")))) == 10
    assert next(row for row in count_coverage(hq) if row["purpose"] == "email")["granted"] == 10
    denied = {"type": "track", "event": "Email Unsubscribed", "messageId": "no", "userId": "c-4"}
    take_messages(hq.database, hq.clock, "mail-tool", [denied])
    rows, after = export_changes(hq, TRAITS, cursor)
    assert [(row["customer_id"], row["consent_email"]) for row in rows] == [("c-4", "denied")]
    assert (list(export_changes(hq, TRAITS, after)[0]), after != cursor) == ([], True)

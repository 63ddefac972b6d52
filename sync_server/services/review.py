"""The review queue follows the partition: refused edges wait in it for a person as long as they are refused. Step 7.

A row that a person decided is never touched. A pair the matcher proposed (duplicates.py) stays until its two sides are
one shopper. What goes by itself is `SETTLED`, not deleted, and waits again when its cause is back. Called by
identity.py with the answer about a part; nothing here links or places anybody.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from shared.identity import Identifier
from shared.ids import derived_id
from shared.partition import Refusal, Why
from sync_server.ports import CentralWriter, ReviewRow
from sync_server.services.evidence import as_identifier, as_pair

SETTLED: Final = "settled"
"""The decision of a row that nobody decided: its cause is gone."""
_REFUSED: Final = frozenset(Why)


def review_of(refusal: Refusal, now_at: str) -> ReviewRow:
    """A refused edge as a row of the review queue."""
    edge = refusal.edge
    a, b = sorted((as_pair(edge.a), as_pair(edge.b)))
    evidence = {"fact": edge.fact_id, "at": edge.at}
    if edge.through is not None:
        evidence["through"] = ":".join(as_pair(edge.through))
    if edge.link is not None:
        evidence["said_by"] = edge.link.by
    told = json.dumps(evidence, sort_keys=True)
    return ReviewRow(derived_id("review", *a, *b), *a, *b, refusal.why.value, told, None, now_at)


def reviews_of(refused: Sequence[Refusal], now_at: str) -> dict[str, ReviewRow]:
    """Refused edges by the id of their pair; the first of a pair speaks for it."""
    rows: dict[str, ReviewRow] = {}
    for row in (review_of(one, now_at) for one in refused):
        rows.setdefault(row.review_id, row)
    return rows


def follow_reviews(
    tx: CentralWriter,
    members: Collection[Identifier],
    refused: Sequence[Refusal],
    leads: Mapping[Identifier, str],
    now_at: str,
) -> None:
    """Bring the rows about a part's members to what its new answer refuses."""
    wanted = reviews_of(refused, now_at)
    known = {row.review_id: row for row in tx.reviews_of_first([as_pair(one) for one in members])}
    tx.add_reviews([row for key, row in wanted.items() if key not in known])
    for row in known.values():
        a, b = as_identifier((row.a_type, row.a_value)), as_identifier((row.b_type, row.b_value))
        if b in members and row.decision in (None, SETTLED):
            is_one = leads.get(a) is not None and leads.get(a) == leads.get(b)
            _follow(tx, row, wanted.get(row.review_id), now_at, is_one=is_one)


def _follow(tx: CentralWriter, row: ReviewRow, wanted: ReviewRow | None, now_at: str, *, is_one: bool) -> None:
    is_ours = row.why in _REFUSED
    if (wanted is None) if is_ours else is_one:
        now = row if row.decided_at else row._replace(decided_at=now_at, decision=SETTLED)
    else:
        now = row._replace(decided_at=None, decision=None)
        if is_ours and wanted is not None:
            now = now._replace(why=wanted.why, evidence=wanted.evidence)
    if now != row:
        changed = {"why": now.why, "evidence": now.evidence, "decided_at": now.decided_at, "decision": now.decision}
        tx.change_rows("review", changed, review_id=row.review_id)

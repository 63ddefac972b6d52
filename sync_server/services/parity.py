"""Parity in the wild: impressions that carried what the evaluator looked at are run again, and what differs is counted.

The target is 0 different. Inputs lie apart from the ledger: gone at once where both sides agree, after 30 days where
they do not, and at an erasure. What cannot be compared is counted by its reason, never as the same. After step 7.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from pydantic import ValidationError

from shared.clock import format_at, shift_at
from shared.errors import Refused
from shared.plays.sent_inputs import Looked, RulePack, SentInputs, look_again, parts_of, read_pack, verdicts_of
from shared.plays.verdicts import rule_words
from sync_server.ports import CentralDatabase, CentralReader, CentralWriter, Clock, LedgerRow
from sync_server.services.json_text import canonical

State = Literal["waiting", "same", "different", "no_pack", "unreadable", "left_out", "gone"]
KEPT_DAYS: Final = 30
_TABLE: Final = "parity_check"
_PAGE: Final = 200
_KEEPING: Final[tuple[State, ...]] = ("waiting", "different", "no_pack", "unreadable")
"""States in which a row may still hold inputs."""
VERDICT_PARTS: Final = ("reason", "rank", "trace", "held_by", "held_until_s")


def parity_row(row: LedgerRow, body: Mapping[str, Any]) -> dict[str, Any]:
    """What an impression with inputs leaves beside the ledger."""
    is_left_out = "left_out" in body["inputs"]
    return {
        "op_id": row.fact_id,
        "received_at": row.received_at,
        "store": row.store,
        "device_id": row.device_id,
        "rule_pack": body["rule_pack"],
        "state": "left_out" if is_left_out else "waiting",
        "inputs": None if is_left_out else canonical(body["inputs"]).decode(),
        "found": None,
        "checked_at": None,
    }


# comparing ------------------------------------------------------------------------------------------------------------


def compare_waiting(database: CentralDatabase, clock: Clock, *, is_again: bool = False) -> int:
    """Run again what waits, and with `is_again` also what did not come out the same; how many now differ.

    A page is one transaction, so that pushes pass. A row that an erasure took meanwhile stays away.
    """
    states: tuple[State, ...] = _KEEPING if is_again else ("waiting",)
    with database.read() as reader:
        waiting = [row["op_id"] for state in states for row in reader.rows(_TABLE, state=state)]
    packs: dict[str, RulePack | None] = {}
    different = 0
    for start in range(0, len(waiting), _PAGE):
        with database.write() as tx:
            for op_id in waiting[start : start + _PAGE]:
                different += _compare(tx, op_id, packs, format_at(clock.now())) == "different"
    return different


def _compare(tx: CentralWriter, op_id: str, packs: dict[str, RulePack | None], now_at: str) -> State | None:
    row = next(iter(tx.rows(_TABLE, op_id=op_id)), None)
    if row is None or row["inputs"] is None:
        return None
    state, found = _judge(tx, row, packs)
    changes: dict[str, Any] = {"state": state, "checked_at": now_at}
    changes["found"] = json.dumps(found, ensure_ascii=False) if found else None
    if state == "same":
        changes["inputs"] = None
    tx.change_rows(_TABLE, changes, op_id=op_id)
    return state


def _judge(
    reader: CentralReader, row: Mapping[str, Any], packs: dict[str, RulePack | None]
) -> tuple[State, list[dict[str, Any]]]:
    rule_pack = row["rule_pack"]
    if rule_pack not in packs:
        packs[rule_pack] = _pack(reader, rule_pack)
    pack = packs[rule_pack]
    if pack is None:
        return "no_pack", []
    try:
        sent = SentInputs.model_validate(json.loads(row["inputs"]))
        looked = look_again(sent, pack)
    except (ValidationError, ValueError, TypeError, KeyError):  # whatever a broken or newer tablet may have sent
        return "unreadable", []
    found = list(_differences(sent, looked))
    return ("different" if found else "same"), found


def _pack(reader: CentralReader, rule_pack: str) -> RulePack | None:
    kept = next(iter(reader.rows("rule_pack", hash=rule_pack)), None)
    return read_pack(json.loads(kept["body"])) if kept is not None else None


def _differences(sent: SentInputs, looked: Looked) -> Iterator[dict[str, Any]]:
    """The plays of which the two sides decided otherwise, each with both verdicts and both traces."""
    here = verdicts_of(looked.ranked)
    for play_id in sorted({*here, *sent.verdicts}):
        theirs, ours = sent.verdicts.get(play_id), here.get(play_id)
        if theirs != ours:
            trace = list(_traces(play_id, str(theirs[2]) if theirs and len(theirs) > 2 else "", looked))
            yield {"play_id": play_id, "tablet": _named(theirs), "hq": _named(ours), "trace": trace}


def _named(verdict: list[Any] | None) -> dict[str, Any] | None:
    return dict(zip(VERDICT_PARTS, verdict, strict=False)) if verdict is not None else None


def _traces(play_id: str, tablet: str, looked: Looked) -> Iterator[dict[str, Any]]:
    trace = next((one.trace for one in looked.ranked.verdicts if one.play_id == play_id), None)
    for place, (depth, part) in enumerate(parts_of(trace) if trace is not None else ()):
        theirs = tablet[place] == "1" if place < len(tablet) else None
        yield {"depth": depth, "rule": rule_words(part), "tablet": theirs, "hq": part.is_met}


# showing and forgetting -----------------------------------------------------------------------------------------------


def show_parity(database: CentralDatabase) -> dict[str, Any]:
    """How many were compared and how many differ, what could not be compared by its reason, and those that differ."""
    with database.read() as reader:
        counts = Counter(reader.count_by(_TABLE, "state"))
        different = reader.rows(_TABLE, state="different")
    told = {"compared": counts["same"] + counts["different"], "different": counts["different"]}
    others = {state: counts[state] for state in ("waiting", "no_pack", "unreadable", "left_out", "gone")}
    return {**told, **others, "rows": [_shown(row) for row in different]}


def show_comparison(database: CentralDatabase, op_id: str) -> dict[str, Any]:
    """One comparison in full. Raises Refused for an impression that carried nothing."""
    with database.read() as reader:
        row = next(iter(reader.rows(_TABLE, op_id=op_id)), None)
    if row is None:
        raise Refused(
            f"No impression {op_id!r:.60} carried what its evaluator looked at: see `sync-server play parity`."
        )
    return _shown(row)


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("op_id", "received_at", "store", "device_id", "rule_pack", "state", "checked_at")
    return {**{name: row[name] for name in kept}, "plays": json.loads(row["found"] or "[]")}


def forget_inputs(database: CentralDatabase, clock: Clock) -> int:
    """Blank inputs older than 30 days and what was found by them; how many. What still waited then is gone."""
    before_at = shift_at(format_at(clock.now()), days=-KEPT_DAYS)
    with database.write() as tx:
        old = [row for state in _KEEPING for row in tx.rows(_TABLE, state=state) if row["received_at"] < before_at]
        old = [row for row in old if row["inputs"] is not None]
        for row in old:
            state = "gone" if row["state"] == "waiting" else row["state"]
            tx.change_rows(_TABLE, {"inputs": None, "found": None, "state": state}, op_id=row["op_id"])
    return len(old)

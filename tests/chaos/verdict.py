"""The verdict of a chaos run: the truth of the tablets against HQ's ledger and documents, and a fresh tablet's replica.

Reads only. An effect counts where a colleague would see it, in the profile documents, not in the ledger alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text


@dataclass(slots=True)
class Truth:
    """All that was shown as saved. `tokens`: every note begun, saved or not, may be seen once at most."""

    saved: set[str] = field(default_factory=set)
    undos: dict[str, str] = field(default_factory=dict)
    maybe_undone: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)


def read_truth(files: Iterable[Path]) -> Truth:
    """The tablets' own logs; a last line torn by a kill was never shown."""
    truth = Truth()
    for file in files:
        for line in file.read_text("utf-8").splitlines() if file.exists() else []:
            try:
                _take(truth, json.loads(line))
            except ValueError:
                continue
    return truth


def _take(truth: Truth, line: dict[str, Any]) -> None:
    if line["what"] == "about":
        if line["kind"] == "undo":
            truth.maybe_undone.add(line["of"])
        else:
            truth.tokens.add(line["token"])
    elif line["kind"] == "undo":
        truth.undos[line["op_id"]] = line["of"]
    else:
        truth.saved.add(line["op_id"])


@dataclass(slots=True)
class AtHq:
    """The central database at the end: facts by verdict, how often each op and each text is seen, the documents."""

    facts: dict[str, str]
    seen: Counter[str]
    texts: Counter[str]
    documents: dict[str, str]


def read_hq(url: str, scope: str) -> AtHq:
    """Read it all in one go."""
    engine = create_engine(url)
    with engine.connect() as connection:
        facts: dict[str, str] = dict(connection.execute(text("SELECT fact_id, verdict FROM fact")).tuples().all())
        wanted = text("SELECT id, body FROM doc WHERE scope = :scope AND NOT deleted")
        documents: dict[str, str] = dict(connection.execute(wanted, {"scope": scope}).tuples().all())
    engine.dispose()
    seen: Counter[str] = Counter()
    texts: Counter[str] = Counter()
    for id_, body in documents.items():
        profile = json.loads(body) if id_.startswith("profile/") else {}
        seen.update(one["op_id"] for one in [*profile.get("notes", ()), *profile.get("outcomes", ())])
        texts.update(one["text"] for one in profile.get("notes", ()))
    return AtHq(facts, seen, texts, documents)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The four figures, and what makes them up in words (at most a few examples of each)."""

    recorded: int
    at_hq: int
    lost: int
    doubled: int
    examples: tuple[str, ...]

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing doubled, and something was at stake."""
        return self.lost == 0 and self.doubled == 0 and self.recorded > 0


def judge(truth: Truth, hq: AtHq, replica: dict[str, str]) -> Verdict:
    """Compare. A document that differs on the fresh tablet counts as lost."""
    undone = set(truth.undos.values())
    must_be_seen = truth.saved - undone - truth.maybe_undone
    shown = truth.saved | set(truth.undos)
    absent = {op for op in shown if hq.facts.get(op) != "accepted"}
    unseen = {op for op in must_be_seen - absent if hq.seen[op] == 0}
    returned = {op for op in undone if hq.seen[op] > 0}
    twice = {op for op, times in hq.seen.items() if times > 1} | {
        words for words, times in hq.texts.items() if times > 1
    }
    differs = {id_ for id_ in hq.documents.keys() | replica.keys() if hq.documents.get(id_) != replica.get(id_)}
    told = {
        "not in HQ's ledger": absent,
        "in the ledger, in no profile": unseen,
        "undone and still there": returned,
        "there twice": twice,
        "not the same on a fresh tablet": differs,
    }
    examples = tuple(f"{len(ops)} {why}: {', '.join(sorted(ops)[:5])}" for why, ops in told.items() if ops)
    lost = len(absent) + len(unseen) + len(differs)
    return Verdict(len(shown), len(shown - absent), lost, len(twice) + len(returned), examples)

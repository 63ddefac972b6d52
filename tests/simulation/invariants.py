"""The invariants of protocol.md, checked after every step against a plain model of what was recorded.

The model is the list of ops each tablet saved, and what each must become; nothing here uses the code it judges, except
to read cursors. A tablet or HQ that did not change since the last check is not looked at again. Elsewhere: I11, I17 and
I21 on the wire in faults.py, I17 of idle tablets, I19 and bugs of HQ in schedule.py, I22 in outage.py; erasure nowhere.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
from dataclasses import dataclass, field
from typing import Any, Final

from associate_app.ports import EPOCH_NOTE
from shared.clock import shift_at
from shared.fold import ProfileState, fold
from shared.wire.canonical import canonical
from sync_server.services.feed import mark_of, open_cursor
from sync_server.services.merge import fact_of_row, refold
from tests.simulation.faults import demand
from tests.simulation.headquarters import SimulatedHeadquarters
from tests.simulation.tablet import SimulatedTablet

_HIDDEN: Final = ("recent", "cart", "wishlist")
_SLICE_DAYS: Final = 25
"""Judged by the time at which HQ lets an op take effect: a clock that jumps years between record and push moves it out
of every slice, as protocol.md's formula says, and HQ flags it."""
_FINAL_VERDICTS: Final = {"acked": {"accepted"}, "parked": {"parked"}}


@dataclass(frozen=True, slots=True)
class Recorded:
    """An op as it was saved: the truth. `becomes` are the verdicts it may get."""

    op_id: str
    sha: str
    kind: str
    associate_id: str | None
    occurred_at: str
    amends: str | None
    becomes: frozenset[str]


@dataclass(slots=True)
class Inspector:
    """Remembers what was seen, and says what must not have changed since."""

    hq: SimulatedHeadquarters
    recorded: dict[str, Recorded] = field(default_factory=dict)
    facts: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    rejected: set[str] = field(default_factory=set)
    parked: set[str] = field(default_factory=set)
    _hq_seen: tuple[int, int, int] = (-1, -1, -1)
    _acked_at_hq: dict[str, int] = field(default_factory=dict)
    _tablet_seen: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    _acked_here: dict[tuple[str, str, str], int] = field(default_factory=dict)
    _docs: dict[str, dict[str, tuple[int, bool, str]]] = field(default_factory=dict)
    _epoch: str = ""

    # HQ

    def check_hq(self) -> None:
        """Ledger, journals and feeds of HQ, if anything was committed."""
        seen = (id(self.hq.database), self.hq.database.commits, self.hq.restores)
        if seen == self._hq_seen:
            return
        if self.hq.restores != self._hq_seen[2]:
            self.facts, self._acked_at_hq = {}, {}
        self._hq_seen = seen
        self._epoch = self.hq.epoch()
        self._check_ledger()
        self._check_journals()
        self._check_feeds()

    def _check_ledger(self) -> None:
        now = {
            row[0]: row[1:]
            for row in self.hq.rows(
                "SELECT fact_id, sha, body, received_at, effective_at, associate_id, origin, kind, verdict, code "
                "FROM fact"
            )
        }
        for op_id, before in self.facts.items():
            demand(op_id in now, "I1", f"HQ held {op_id} and lost it")
            demand(now[op_id][:6] == before[:6], "I5", f"stored fact {op_id} changed: {before} -> {now[op_id]}")
        for op_id in now.keys() - self.facts.keys():
            self._check_fact(op_id, now[op_id])
        self._check_time()
        self.facts = now
        self.parked = {op_id for op_id, row in now.items() if row[7] == "parked"}

    def _check_time(self) -> None:
        """I15: within an install facts take effect in the order of recording, whatever its clock does."""
        rows = self.hq.rows(
            "SELECT e.install_id, e.seq, f.effective_at FROM journal_entry e JOIN fact f "
            "ON f.fact_id = e.op_id AND f.origin = e.install_id ORDER BY e.install_id, e.seq"
        )
        for (install_id, _, before_at), (other_id, seq, at) in itertools.pairwise(rows):
            is_after = install_id != other_id or before_at <= at
            demand(is_after, "I15", f"seq {seq} of {install_id} takes effect at {at}, before {before_at}")

    def _check_fact(self, op_id: str, row: tuple[Any, ...]) -> None:
        sha, body, received_at, effective_at, associate_id, _, kind, verdict, code = row
        demand(effective_at <= received_at, "I15", f"{op_id} took effect at {effective_at}, before it came")
        recorded = self.recorded.get(op_id)
        if recorded is None:
            return
        demand(sha == recorded.sha, "I5", f"{op_id} reached HQ with other bytes")
        if kind == "withheld":
            demand("poison" in recorded.becomes, "I20", f"{op_id} was withheld and is no poison")
            return
        is_whole = hashlib.sha256(body.encode()).hexdigest() == sha or code == "merge_failed"
        demand(is_whole, "I3", f"the stored body of {op_id} is not what was recorded")
        demand(
            associate_id == recorded.associate_id, "I14", f"{op_id} of {recorded.associate_id} came as {associate_id}'s"
        )
        demand(
            verdict in recorded.becomes, "I20", f"{op_id} ({kind}) became {verdict} {code}, not {set(recorded.becomes)}"
        )

    def _check_journals(self) -> None:
        rows = self.hq.rows(
            "SELECT i.install_id, i.acked_seq, count(e.seq), coalesce(max(e.seq), 0), coalesce(min(e.seq), 1) "
            "FROM install i LEFT JOIN journal_entry e ON e.install_id = i.install_id GROUP BY i.install_id"
        )
        for install_id, acked_seq, count, highest, lowest in rows:
            is_prefix = count == highest == acked_seq and lowest == 1
            demand(is_prefix, "I4", f"install {install_id}: {count} entries, highest {highest}, acked {acked_seq}")
            before = self._acked_at_hq.get(install_id, 0)
            demand(acked_seq >= before, "I4", f"install {install_id}: acked {before} -> {acked_seq} in one epoch")
            self._acked_at_hq[install_id] = acked_seq
        self.rejected = {row[0] for row in self.hq.rows("SELECT op_id FROM journal_entry WHERE verdict = 'rejected'")}
        wrong = [one for one in self.rejected if (r := self.recorded.get(one)) and "rejected" not in r.becomes]
        demand(not wrong, "I20", f"{wrong} were rejected for nothing of their own")

    def _check_feeds(self) -> None:
        self._docs = {}
        for scope, id_, s, deleted, body in self.hq.rows("SELECT scope, id, s, deleted, body FROM doc"):
            self._docs.setdefault(scope, {})[id_] = (s, bool(deleted), body)
            if id_.startswith("profile/") and not deleted:
                _check_consent(json.loads(body))
        for scope, head, count, total in self.hq.rows("SELECT scope, n, count, sum FROM scope_head"):
            docs = self._docs.get(scope, {})
            live = {id_: body for id_, (_, is_deleted, body) in docs.items() if not is_deleted}
            positions = [s for s, _, _ in docs.values()]
            demand(len(set(positions)) == len(positions), "I6", f"{scope}: two documents share a position")
            demand(max(positions, default=0) <= head, "I6", f"{scope}: a position above the head {head}")
            added = (len(live), _sum_of(live))
            demand(added == (count, total), "I9", f"{scope}: HQ's {count}, {total} is not {added}")

    # tablets

    def check_tablet(self, tablet: SimulatedTablet) -> None:
        """A tablet's journal and replica, if anything in its file or at HQ changed."""
        seen = (tablet.starts, tablet.raw.total_changes, self._hq_seen, len(tablet.held))
        if self._tablet_seen.get(tablet.name) == seen:
            return
        self._tablet_seen[tablet.name] = seen
        is_current = tablet.database.read_note(EPOCH_NOTE) == self._epoch
        self._check_outbox(tablet, is_current)
        for state in tablet.database.states():
            self._check_replica(tablet, state.scope, is_current)
        if tablet.driver.status().is_revoked and tablet.driver.is_resting:
            left = tablet.raw.execute("SELECT count(*) FROM known_identifier").fetchone()[0]
            demand(left == 0, "I13", f"{tablet.name} is revoked and still knows {left} identifiers")

    def _check_outbox(self, tablet: SimulatedTablet, is_current: bool) -> None:
        rows = tablet.raw.execute(
            "SELECT install_id, seq, op_id, sha, body, associate_id, state, visible_at, scope, stand_in, kind FROM op"
        ).fetchall()
        install_id, head, acked, forgotten = tablet.raw.execute(
            "SELECT install_id, head_seq, acked_seq, forgotten FROM install WHERE is_current"
        ).fetchone()
        here = {row[2] for row in rows}
        counts = tablet.database.counts()
        demand(here <= tablet.held, "I3", f"{tablet.name} holds ops nobody recorded: {here - tablet.held}")
        gone = tablet.held - here
        demand(len(gone) == forgotten, "I3", f"{tablet.name}: {len(gone)} ops are gone, {forgotten} were let go")
        demand(counts.recorded == len(tablet.held), "I3", f"{tablet.name}: {counts} of {len(tablet.held)}")
        unsent = sorted(seq for install, seq, *_ in rows if install == install_id and seq > acked)
        demand(unsent == list(range(acked + 1, head + 1)), "I4", f"{tablet.name}: acked {acked}, head {head}, {unsent}")
        place = (tablet.name, install_id, tablet.database.read_note(EPOCH_NOTE) or "")
        before = self._acked_here.get(place, 0)
        demand(acked >= before or tablet.starts > 1, "I4", f"{tablet.name}: acked {before} -> {acked}")
        self._acked_here[place] = acked
        for row in rows:
            self._check_entry(tablet, row, is_current)
        self._check_own_writes(tablet, rows)

    def _check_entry(self, tablet: SimulatedTablet, row: tuple[Any, ...], is_current: bool) -> None:
        _, _, op_id, sha, body, associate_id, state, _, _, stand_in, _ = row
        recorded = self.recorded[op_id]
        is_same = sha == recorded.sha and (stand_in == "erased" or hashlib.sha256(body).hexdigest() == sha)
        demand(is_same, "I3", f"{tablet.name}: the bytes of {op_id} changed")
        demand(associate_id == recorded.associate_id, "I14", f"{tablet.name}: {op_id} is {associate_id}'s now")
        if not is_current:
            return
        if state == "rejected":
            demand(op_id in self.rejected, "I1", f"{tablet.name}: {op_id} is rejected, HQ says nothing of it")
        if state in _FINAL_VERDICTS:
            fact = self.facts.get(op_id)
            demand(fact is not None, "I1", f"{tablet.name}: {op_id} is {state}, and HQ does not hold it")
            assert fact is not None
            demand(fact[7] in _FINAL_VERDICTS[state], "I1", f"{tablet.name}: {op_id} is {state}, at HQ {fact[7]}")

    def _check_own_writes(self, tablet: SimulatedTablet, rows: list[tuple[Any, ...]]) -> None:
        """The card shows an op until the replica does (protocol.md, Tablet rules; M18)."""
        at = {state.scope: state.at for state in tablet.database.states()}
        ahead = {
            row[2]
            for row in rows
            if row[6] in ("pending", "acked") and row[9] is None and (row[7] or 1 << 60) > at.get(row[8], 0)
        }
        notes: dict[tuple[str, str], set[str]] = {}
        for row in rows:
            if row[2] in ahead and row[10] == "note_added":
                shopper = json.loads(row[4])["shopper"]
                notes.setdefault((shopper["type"], shopper["value"]), set()).add(row[2])
        for shopper, op_ids in notes.items():
            hidden = op_ids - {op.op_id for op in tablet.database.unsettled(None, [shopper])}
            demand(not hidden, "read your writes", f"{tablet.name} no longer shows {sorted(hidden)}")

    def _check_replica(self, tablet: SimulatedTablet, scope: str, is_current: bool) -> None:
        state = tablet.database.state(scope)
        assert state is not None
        held = {
            id_: (s, body)
            for id_, s, body in tablet.raw.execute(
                "SELECT id, s, body FROM document JOIN replica USING (slice) WHERE scope = ?", (scope,)
            )
        }
        if state.cursor is None:  # being wiped, or not yet received: a snapshot comes before anything is compared
            return
        own = (len(held), _sum_of({id_: body.decode() for id_, (_, body) in held.items()}))
        demand(own == (state.count, state.sum), "I9", f"{tablet.name} {scope}: {state.count}, {state.sum} is not {own}")
        cursor = open_cursor(state.cursor, self.hq.services.keys.hmac_key("cursor"))
        if cursor is not None and cursor.epoch_mark != mark_of(self._epoch):
            return
        at = cursor.position if cursor is not None else state.at
        demand(cursor is None or at == state.at, "I7", f"{tablet.name} {scope}: at {state.at} with cursor {cursor}")
        for id_, (s, is_deleted, _) in self._docs.get(scope, {}).items():
            if s > at:
                continue
            if is_deleted:
                demand(id_ not in held, "I8", f"{tablet.name} {scope}: {id_} was deleted at {s} and is here at {at}")
            else:
                is_held = id_ in held and held[id_][0] >= s
                demand(is_held, "I6", f"{tablet.name} {scope}: {id_} at {s} is not here, though the cursor is at {at}")
        for id_ in held.keys() - self._docs.get(scope, {}).keys():
            demand(False, "I8", f"{tablet.name} {scope}: {id_} is here and in no feed of HQ")

    # at rest

    def check_rest(self, tablets: list[SimulatedTablet], chance: random.Random) -> None:
        """Everything that must hold once the faults have stopped and every tablet has caught up."""
        for tablet in tablets:
            self._check_drained(tablet)
            for scope in ("all", f"store:{tablet.store}"):
                self._check_converged(tablet, scope)
        self._check_once()
        self._check_rebuild(chance)

    def _check_drained(self, tablet: SimulatedTablet) -> None:
        counts = tablet.database.counts()
        demand(counts.pending == 0, "I19", f"{tablet.name}: {counts.pending} ops are not sent")
        whole = counts.acked + counts.parked + counts.rejected + counts.withheld
        demand(counts.recorded == whole, "I3", f"{tablet.name}: {counts}")
        missing = tablet.held - self.facts.keys() - self.rejected
        demand(not missing, "I1", f"{tablet.name} recorded {sorted(missing)}, and HQ has none of it")
        for op_id in tablet.held & self.facts.keys():
            recorded = self.recorded[op_id]
            is_due = "poison" in recorded.becomes or self.facts[op_id][7] in recorded.becomes
            demand(is_due, "I18", f"{op_id} is {self.facts[op_id][7]}, not {set(recorded.becomes)}")

    def _check_converged(self, tablet: SimulatedTablet, scope: str) -> None:
        here = dict(
            tablet.raw.execute(
                "SELECT id, body FROM document JOIN replica USING (slice) WHERE scope = ?", (scope,)
            ).fetchall()
        )
        there = {id_: body.encode() for id_, (_, gone, body) in self._docs.get(scope, {}).items() if not gone}
        wrong = sorted(id_ for id_ in here.keys() | there.keys() if here.get(id_) != there.get(id_))
        demand(not wrong, "I8", f"{tablet.name} {scope}: {wrong} differ from HQ")
        known = tablet.raw.execute(
            "SELECT count(DISTINCT profile_id) FROM known_identifier JOIN replica USING (slice) WHERE scope = ?",
            (scope,),
        ).fetchone()[0]
        profiles = sum(1 for id_ in here if id_.startswith("profile/") and json.loads(here[id_]).get("identifiers"))
        demand(known == profiles, "I8", f"{tablet.name} {scope}: {known} profiles can be found of {profiles}")

    def _check_once(self) -> None:
        """I2: each note is in exactly one profile of its store's feed, once."""
        shown: dict[tuple[str, str], int] = {}
        for scope, docs in self._docs.items():
            for id_, (_, is_deleted, body) in docs.items():
                for note in json.loads(body).get("notes", []) if id_.startswith("profile/") and not is_deleted else []:
                    shown[scope, note["op_id"]] = shown.get((scope, note["op_id"]), 0) + 1
        twice = sorted(place for place, count in shown.items() if count > 1)
        demand(not twice, "I2", f"{twice} are shown more than once")
        withdrawn = {r.amends for r in self.recorded.values() if r.kind == "op_withdrawn"}
        everywhere = {op_id for _, op_id in shown}
        for op_id, row in self.facts.items():
            recorded = self.recorded.get(op_id)
            if recorded is None or row[6] != "note_added" or row[7] != "accepted" or recorded.amends:
                continue
            is_in_reach = row[3] > shift_at(self.hq.services.now_at(), days=-_SLICE_DAYS)
            if op_id not in withdrawn and is_in_reach:
                demand(op_id in everywhere, "I2", f"the note {op_id} is accepted and shown nowhere")

    def _check_rebuild(self, chance: random.Random) -> None:
        """I16: any order of the facts gives the stored profile, and so does a rebuild."""
        database, now_at = self.hq.database, self.hq.services.now_at()
        with database.read() as reader:
            stored = {one.profile_id: json.loads(one.state) for one in reader.every_profile()}
            facts = [(row.profile_id, fact_of_row(row)) for row in reader.facts_of(list(stored))]
        for profile_id, state in stored.items():
            own = [fact for of, fact in facts if of == profile_id]
            chance.shuffle(own)
            again = json.loads(canonical(fold(ProfileState(), own).as_json()))
            demand(again == state, "I16", f"profile {profile_id} folds differently in another order")
        with database.read() as reader:
            refold(_Unsaved(reader), stored, now_at)  # type: ignore[arg-type]


class _Unsaved:
    """Lets a rebuild read, and compares what it would save with what is stored."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def save_profiles(self, profiles: list[Any]) -> None:
        for profile in profiles:
            kept = self._reader.profiles([profile.profile_id])[profile.profile_id]
            is_same = json.loads(kept.state) == json.loads(profile.state)
            demand(is_same, "I16", f"profile {profile.profile_id} is rebuilt differently")


def _check_consent(document: dict[str, Any]) -> None:
    """I13: without consent no behaviour goes to a store."""
    decided = document.get("consent", {}).get("personalise_in_store", {}).get("decision")
    if decided != "granted":
        told = [name for name in _HIDDEN if document.get(name)]
        demand(not told, "I13", f"profile {document['id']} shows {told} without consent")


def _sum_of(docs: dict[str, str]) -> str:
    total = 0
    for id_, body in docs.items():
        total += int.from_bytes(hashlib.sha256(f"{id_}|{body}".encode()).digest()[:8], "big")
    return f"{total % 2**64:016x}"

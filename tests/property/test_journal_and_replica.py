"""The tablet's file against plain models: in any order of events nothing is lost, counted twice or left behind."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from associate_app.adapters.sqlite import TabletFile
from shared.journal import CHAIN_START, chain_over
from shared.wire.canonical import canonical, document_hash, sha_of
from shared.wire.messages import Change
from shared.wire.ops import WITHHELD
from tests.support.plays import NOW_AT
from tests.support.replica import (
    MARA,
    STORE_SCOPE,
    answer,
    end_of,
    gone,
    header,
    line,
    load,
    mara,
    new_note,
    op_ids,
    open_file,
    page,
    put,
)

VERDICTS = st.sampled_from(["accepted", "duplicate", "parked:unknown_play", "rejected:malformed"])
FOR_EVER = "9999-12-31T23:59:59.999Z"


class JournalMachine(RuleBasedStateMachine):
    """Records, sends, crashes, copies and new installs in any order, over a real file."""

    @initialize()
    def begin(self) -> None:
        """A new tablet."""
        self.folder = tempfile.TemporaryDirectory(prefix="floorside-journal-")
        self.path = Path(self.folder.name)
        self.database: TabletFile = open_file(self.path)
        self.make_id = op_ids()
        self.bodies: dict[str, dict[str, Any]] = {}
        self.forgotten = 0
        self.installs = 0

    @rule(texts=st.lists(st.text(max_size=20), min_size=1, max_size=4))
    def record(self, texts: list[str]) -> None:
        """Something is recorded."""
        kept = ["".join(sign for sign in text if sign.isprintable()) for text in texts]
        for op in self.database.record([new_note(self.make_id, text) for text in kept]):
            self.bodies[op.op_id] = op.body

    @precondition(lambda self: self.database.head()[0] > self.database.acked()[0])
    @rule(verdicts=st.lists(VERDICTS, min_size=1, max_size=5))
    def push(self, verdicts: list[str]) -> None:
        """HQ answers a batch."""
        batch = self.database.next_batch(after_seq=self.database.acked()[0], max_ops=len(verdicts), max_bytes=10**6)
        pairs = zip(batch, verdicts, strict=False)
        told = {op.seq: "parked:withheld" if op.kind == WITHHELD else verdict for op, verdict in pairs}
        self.database.settle(answer(self.database, told), at=NOW_AT)
        assert self.database.acked()[0] == batch[-1].seq

    @precondition(lambda self: self.database.head()[0] > self.database.acked()[0])
    @rule()
    def withhold(self) -> None:
        """The next op is poison."""
        self.database.withhold(self.database.acked()[0] + 1)

    @rule(back=st.integers(0, 5))
    def server_restored(self, back: int) -> None:
        """HQ lacks the last few."""
        seq = max(0, self.database.acked()[0] - back)
        if not self.database.resend_from(seq):
            self.new_install(include_acked=True)

    @rule(include_acked=st.booleans())
    def new_install(self, include_acked: bool) -> None:
        """Another journal stands under this install at HQ."""
        self.installs += 1
        self.database.restart_install(f"01a20000-0000-7000-8000-{self.installs:012x}", include_acked=include_acked)

    @rule()
    def new_history(self) -> None:
        """HQ's history changed."""
        self.database.requeue_earlier_installs()

    @rule()
    def retention(self) -> None:
        """Acknowledged ops are dropped after their time."""
        self.forgotten += self.database.forget_acked(FOR_EVER)

    @rule(is_copy=st.booleans())
    def reopen(self, is_copy: bool) -> None:
        """The program ends and starts again, perhaps on a copy without its companion file."""
        install_id = self.database.install_id()
        self.database.close()
        if is_copy:
            (self.path / "tablet.db.install").unlink()
        self.installs += 1
        self.database = open_file(self.path, seed=1000 + self.installs)
        assert (self.database.install_id() == install_id) is not is_copy

    @invariant()
    def nothing_is_lost(self) -> None:
        """recorded = pending + acked + parked + rejected + withheld = everything ever recorded; bytes unchanged."""
        counts = self.database.counts()
        states = counts.pending + counts.acked + counts.parked + counts.rejected + counts.withheld
        assert counts.recorded == states == len(self.bodies)
        kept = self.database.entries(limit=10_000)
        assert len(kept) == len(self.bodies) - self.forgotten
        for entry in kept:
            assert entry.op.body == self.bodies[entry.op.op_id]
            assert entry.op.sha == sha_of(entry.op.body)

    @invariant()
    def the_chain_holds(self) -> None:
        """What is still to be sent is contiguous and leads from the acknowledged chain to the head's."""
        acked_seq, chain = self.database.acked()
        head_seq, head_chain = self.database.head()
        batch = self.database.next_batch(after_seq=acked_seq, max_ops=10_000, max_bytes=10**9)
        assert [op.seq for op in batch] == list(range(acked_seq + 1, head_seq + 1))
        assert chain_over(chain, [(op.op_id, op.sha) for op in batch]) == head_chain
        assert acked_seq or chain == CHAIN_START

    def teardown(self) -> None:
        """Close the file."""
        if hasattr(self, "database"):
            self.database.close()
            self.folder.cleanup()


JournalMachine.TestCase.settings = settings(
    max_examples=25, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
TestTheJournalKeepsItsPromisesInAnyOrder = JournalMachine.TestCase

IDS = st.sampled_from([f"profile/{MARA}", "profile/p2", "stock/A", "stock/B", "play/x"])
EDITS = st.tuples(IDS, st.one_of(st.none(), st.integers(0, 3)), st.integers(0, 2))


def edited(document_id: str, version: int) -> dict[str, Any]:
    """A document that differs by its version."""
    if document_id.startswith("profile/"):
        return mara(id=document_id.partition("/")[2], points=version, family_name=f"Lind{version}")
    return {"id": document_id, "version": version}


def sum_of(documents: dict[str, dict[str, Any]]) -> str:
    """The sum over documents by protocol.md's definition."""
    return f"{sum(int(document_hash(id_, canonical(doc)), 16) for id_, doc in documents.items()) % 2**64:016x}"


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(EDITS, max_size=6), max_size=6), st.integers(0, 5))
def test_pages_in_order_give_the_documents_their_count_and_their_sum(batches: list[list[Any]], snapshot_at: int):
    """Whatever is put, replaced and deleted, by pages or a snapshot in between: content, count, sum, indexes agree."""
    with tempfile.TemporaryDirectory(prefix="floorside-replica-") as folder:
        database = open_file(Path(folder))
        model: dict[str, dict[str, Any]] = {}
        positions: dict[str, int] = {}
        s = 0
        load(database, STORE_SCOPE, {}, as_of=0)
        for number, batch in enumerate(batches):
            changes: list[Change] = []
            for document_id, version, back in batch:
                s += 1
                at = max(1, s - back * 3)
                is_newer = at > positions.get(document_id, 0)
                if version is None:
                    changes.append(gone(document_id, at))
                    if is_newer:
                        model.pop(document_id, None)
                        positions.pop(document_id, None)
                else:
                    changes.append(put(document_id, edited(document_id, version), at))
                    if is_newer:
                        model[document_id] = edited(document_id, version)
                        positions[document_id] = at
            state = database.apply_page(page(STORE_SCOPE, changes, head=s))
            assert (state.count, state.sum, state.at) == (len(model), sum_of(model), s)
            if number == snapshot_at:
                lines = [line(id_, model[id_], positions[id_]) for id_ in sorted(model)]
                database.load_snapshot(header(STORE_SCOPE, s), lines)
                assert database.swap_snapshot(STORE_SCOPE, end_of(lines)).sum == sum_of(model)
        assert database.recompute(STORE_SCOPE).sum == sum_of(model)
        kinds = ("profile", "stock", "play")
        assert {stored.id: stored.body for kind in kinds for stored in database.documents(kind)} == model
        people = [id_.partition("/")[2] for id_ in model if id_.startswith("profile/")]
        assert sorted(hit.profile_id for hit in database.search("lind")) == sorted(people)
        database.close()

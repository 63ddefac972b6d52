"""The start-up guard on SQLite and on PostgreSQL: a database that came back older begins a new epoch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sync_server.adapters.guard import FileGuard
from sync_server.services.guard import mark_of, watch_history
from sync_server.services.headquarters import Headquarters
from sync_server.services.operations import begin_new_epoch, former_epochs
from tests.support.world import Journalist, make_journalist


def test_every_server_of_a_chain_keeps_a_guard_of_its_own_and_one_of_them_begins_the_epoch(
    hq: Headquarters, tmp_path: Path
) -> None:
    """Two machines on one database: positions of both are the database's, and a restore one of them missed is no
    loss."""
    here, there = (replace(hq, guard=FileGuard(tmp_path / f"{name}.json")) for name in ("here", "there"))
    tablet = make_journalist(hq)
    tablet.outcome()
    tablet.push()
    assert (watch_history(here), watch_history(there)) == (None, None)
    kept = here.guard.read()
    assert kept is not None
    assert (kept.ops, kept.heads["store:berlin-1"] > 0) == (1, True)
    there.guard.write(replace(kept, ops=2))
    here.guard.write(replace(kept, ops=2))
    assert "holds 1 ops and had 2" in str(watch_history(there))
    assert watch_history(here) is None
    begin_new_epoch(hq)
    assert (watch_history(here), watch_history(there)) == (None, None)
    with hq.database.read() as reader:
        assert len(former_epochs(reader)) == 2
        assert here.guard.read() == there.guard.read() == mark_of(reader)


def test_a_tablet_of_the_lost_epoch_is_fenced_and_sends_again(hq: Headquarters, tmp_path: Path) -> None:
    """409 epoch for the old one; under the new one its ops are duplicates, or new where they were lost."""
    guarded = replace(hq, guard=FileGuard(tmp_path / "guard.json"))
    tablet: Journalist = make_journalist(hq)
    tablet.outcome()
    tablet.push()
    watch_history(guarded)
    kept = guarded.guard.read()
    assert kept is not None
    guarded.guard.write(replace(kept, heads={**kept.heads, "all": kept.heads["all"] + 1}))
    assert "all stands at" in str(watch_history(guarded))
    with hq.database.read() as reader:
        tablet.epoch = reader.note("epoch") or ""
    assert tablet.epoch != kept.epoch
    assert [result["verdict"] for result in tablet.push()["results"]] == ["duplicate"]

"""The start-up guard: tells when a database lost what was once committed, and begins a new epoch by itself then.

A small file in the data folder remembers how far the history had come. It is written from committed state only, so it
may lag and is never ahead of what is durable; it is read BEFORE the database, so what it says was committed earlier
than what the database answers. An epoch the database has left behind accuses nobody (decision 0012).
"""

from __future__ import annotations

from collections.abc import Collection

from shared.errors import Damaged
from sync_server.ports import CentralReader, Mark
from sync_server.services.headquarters import Headquarters
from sync_server.services.operations import former_epochs, new_epoch
from sync_server.services.recall import remember_devices
from sync_server.services.sessions import EPOCH_NOTE


def mark_of(reader: CentralReader) -> Mark | None:
    """How far this database's history has come; None while it has none."""
    epoch = reader.note(EPOCH_NOTE)
    if not epoch:
        return None
    heads = {row["scope"]: row["n"] for row in reader.rows("scope_head")}
    first = next(iter(former_epochs(reader)), epoch)
    erasures = tuple(row["erasure_id"] for row in reader.rows("erasure"))
    return Mark(first, epoch, heads, reader.count_ops(), remember_devices(reader), erasures)


def erasures_known(reader: CentralReader, kept: Mark | None) -> set[str]:
    """Every erasure that this database knows, or the guard of its chain."""
    present = mark_of(reader)
    if present is None:
        return set()
    is_same = kept is not None and kept.first_epoch == present.first_epoch
    return {*present.erasures, *(kept.erasures if kept is not None and is_same else ())}


def loss_between(kept: Mark, present: Mark, former: Collection[str]) -> str | None:
    """What the database must have lost since `kept` was written, in words; None when it lost nothing.

    `former` are the epochs the database has left behind. A mark of another chain says nothing about this one.
    """
    if kept.first_epoch != present.first_epoch or kept.epoch in former:
        return None
    if kept.epoch != present.epoch:
        return f"it is of the epoch {present.epoch}, and had reached the later epoch {kept.epoch}"
    for scope, reached in sorted(kept.heads.items()):
        if (stands := present.heads.get(scope, 0)) < reached:
            return f"{scope} stands at {stands} and had reached {reached}"
    return f"it holds {present.ops} ops and had {kept.ops}" if present.ops < kept.ops else None


def watch_history(hq: Headquarters) -> str | None:
    """One look: compare the guard with the database, begin a new epoch where something was lost, bring the guard up to
    date. Returns the sentence to print after a loss.

    Raises Damaged where the guard knows of a history and the database is empty.
    """
    kept = hq.guard.read()
    with hq.database.read() as reader:
        present, former = mark_of(reader), former_epochs(reader)
    if present is None:
        _refuse_empty(hq, kept)
        return None
    told = None
    if kept is not None and loss_between(kept, present, former):
        told = _begin_anew(hq, kept)
        with hq.database.read() as reader:
            present = mark_of(reader) or present
    if present != kept:
        hq.guard.write(present)
    return told


def _begin_anew(hq: Headquarters, kept: Mark) -> str | None:
    """Look again inside the writing transaction: of several servers that start together, one begins the epoch."""
    with hq.database.write() as tx:
        present = mark_of(tx)
        loss = loss_between(kept, present, former_epochs(tx)) if present else None
        if loss is None:
            return None
        told = new_epoch(hq, tx, "found an older database; new epoch", kept)
    voided = f" and {told['codes_voided']} open enrolment codes are void" if told["codes_voided"] else ""
    return (
        f"This database is older than what this server had committed: {loss}. Somebody put an older copy in its place, "
        f"so a new epoch began ({told['epoch']}): tablets send again what it lacks at their next contact{voided}."
    )


def _refuse_empty(hq: Headquarters, kept: Mark | None) -> None:
    if kept is not None:
        raise Damaged(
            f"The database is empty, but {hq.guard.place} remembers a chain with {kept.ops} ops. If the database was "
            "lost, bring it back with `sync-server restore BACKUP`; for a new chain give another --data-dir."
        )

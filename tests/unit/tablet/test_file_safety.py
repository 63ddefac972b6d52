"""What happens to the file: killed processes, full disks, damage, wrong keys, copies, threads. Nothing is lost."""

from __future__ import annotations

import contextlib
import multiprocessing
import shutil
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from associate_app.adapters import sqlite_connection
from associate_app.adapters.install_file import InstallFile
from shared.errors import Damaged, StorageFull
from shared.journal import CHAIN_START, chain_over
from tests.support.replica import MARA, STORE_SCOPE, header, line, load, mara, new_note, op_ids, open_file, page, put


def record_for_ever(folder: Path, seed: int, saved: Connection) -> None:
    """Record notes and report each as saved, until killed."""
    database = open_file(folder)
    make_id = op_ids(seed)
    while True:
        [op] = database.record([new_note(make_id)])
        saved.send(op.op_id)


def killed_after(folder: Path, count: int, seed: int) -> list[str]:
    """Record in a process of its own until so many were reported saved, then kill it; returns the reported op_ids.

    The process is forked from one that has imported the tablet already, seconds saved on each.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    hearing, speaking = context.Pipe(duplex=False)
    process = context.Process(target=record_for_ever, args=(folder, seed, speaking))
    process.start()
    speaking.close()
    saved = [hearing.recv() for _ in range(count)]
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with hearing, contextlib.suppress(EOFError):
        while True:
            saved.append(hearing.recv())
    return saved


def test_what_was_reported_saved_survives_kill_minus_nine(tmp_path):
    """Everything printed is in the journal, in order, and the chain is intact; the next process goes on from there."""
    saved: list[str] = []
    for seed, lines in enumerate((1, 7, 40)):
        saved += killed_after(tmp_path, lines, seed)
        database = open_file(tmp_path)
        kept = [entry.op for entry in reversed(database.entries(limit=10_000))]
        assert [op.op_id for op in kept if op.op_id in set(saved)] == saved
        assert len(kept) - len(saved) <= seed + 1, "at most the one being reported when the kill came"
        saved = [op.op_id for op in kept]
        assert [op.seq for op in kept] == list(range(1, len(kept) + 1))
        assert database.head() == (len(kept), chain_over(CHAIN_START, [(op.op_id, op.sha) for op in kept]))
        database.close()


def fill(database) -> None:
    """Let the file grow no further, and use up what room it has."""
    connection = database._connection
    connection.rows("PRAGMA max_page_count = 1")
    make_id = op_ids(99)

    def record_for_ever() -> None:
        while True:
            database.record([new_note(make_id, "x" * 1500)])

    with pytest.raises(StorageFull):
        record_for_ever()


def test_a_full_disk_is_said_plainly_and_half_writes_nothing(tmp_path, database):
    """The op that did not fit is not there, all before it are; with room again recording goes on with the next seq."""
    database.record([new_note(op_ids(1))])
    fill(database)
    seq, chain = database.head()
    kept = [entry.op for entry in reversed(database.entries(limit=10_000))]
    assert len(kept) == seq > 1
    assert chain == chain_over(CHAIN_START, [(op.op_id, op.sha) for op in kept])
    database._connection.rows("PRAGMA max_page_count = 1000000")
    [op] = database.record([new_note(op_ids(2))])
    assert op.seq == seq + 1


def test_a_full_disk_never_moves_a_cursor_without_its_page(database):
    """Page and cursor are one transaction: neither or both."""
    load(database, STORE_SCOPE, {f"profile/{MARA}": mara()})
    before = database.state(STORE_SCOPE)
    fill(database)
    documents = [put(f"profile/p{number}", mara(id=f"p{number}"), 11 + number) for number in range(200)]
    with pytest.raises(StorageFull, match="storage is full"):
        database.apply_page(page(STORE_SCOPE, documents, head=300))
    assert database.state(STORE_SCOPE) == before
    assert database.recompute(STORE_SCOPE) == before


def test_a_full_disk_stops_a_snapshot_and_keeps_the_old_copy(database):
    """What came whole waits in the shadow; the live copy is untouched."""
    load(database, STORE_SCOPE, {f"profile/{MARA}": mara()})
    fill(database)
    lines = [line(f"profile/p{number:04d}", mara(id=f"p{number:04d}")) for number in range(600)]
    with pytest.raises(StorageFull):
        database.load_snapshot(header(STORE_SCOPE, 20), lines)
    assert database.document(f"profile/{MARA}") is not None


@pytest.mark.parametrize("with_cipher", [True, False])
def test_a_damaged_file_is_named_with_what_to_do(tmp_path, monkeypatch, with_cipher):
    """One sentence instead of a driver's error, encrypted or not."""
    if not with_cipher:
        monkeypatch.setattr(sqlite_connection, "_sqlcipher", lambda: None)
    opened = open_file(tmp_path)
    load(opened, STORE_SCOPE, {f"profile/p{number}": mara(id=f"p{number}") for number in range(50)})
    opened.close()
    path = tmp_path / "tablet.db"
    raw = bytearray(path.read_bytes())
    raw[200 : 4096 * 8] = b"\xa5" * (4096 * 8 - 200)
    path.write_bytes(bytes(raw))
    with pytest.raises(Damaged, match=r"tablet\.db\) are damaged or belong to another key\. Move the file aside"):
        open_file(tmp_path)


def test_another_key_opens_nothing(tmp_path):
    """The records are sealed: without their key the file is noise."""
    opened = open_file(tmp_path)
    encrypted = opened.is_encrypted
    opened.close()
    assert encrypted, "the encrypting driver is part of the test install"
    assert not (tmp_path / "tablet.db").read_bytes().startswith(b"SQLite format 3")
    with pytest.raises(Damaged, match="another key"):
        open_file(tmp_path, key="cd" * 32)


def test_an_encrypted_file_without_its_driver_says_what_to_install(tmp_path, monkeypatch):
    """It is not taken for a damaged one."""
    open_file(tmp_path).close()
    monkeypatch.setattr(sqlite_connection, "_sqlcipher", lambda: None)
    with pytest.raises(Damaged, match="install sqlcipher3"):
        open_file(tmp_path)


def test_a_file_begun_without_encryption_stays_readable(tmp_path, monkeypatch):
    """A phone's or an older install's plain file opens although the encrypting driver is there now."""
    with monkeypatch.context() as without:
        without.setattr(sqlite_connection, "_sqlcipher", lambda: None)
        plain = open_file(tmp_path)
        plain.record([new_note(op_ids())])
        plain.close()
    opened = open_file(tmp_path)
    assert (opened.is_encrypted, opened.head()[0]) == (False, 1)
    opened.close()


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path):
    """The sentence names the file and what to check."""
    with pytest.raises(Damaged, match="Check that the folder exists"):
        open_file(tmp_path / "nowhere")


# wiped, restored, cloned ----------------------------------------------------------------------------------------------


def recorded(folder: Path, count: int, seed: int = 1) -> str:
    """Record some notes and close; returns the install id."""
    database = open_file(folder, seed=seed)
    make_id = op_ids(seed + 100)
    for _ in range(count):
        database.record([new_note(make_id)])
    install_id = database.install_id()
    database.close()
    return install_id


def reopened(folder: Path, seed: int = 2) -> tuple[str, int]:
    """(install id, head seq) after opening again."""
    database = open_file(folder, seed=seed)
    found = database.install_id(), database.head()[0]
    database.close()
    return found


def test_an_untouched_file_keeps_its_install(tmp_path):
    """Restarting is no reason for a new install, also when the process died between commit and companion file."""
    install_id = recorded(tmp_path, 3)
    assert reopened(tmp_path) == (install_id, 3)
    InstallFile(tmp_path / "tablet.db.install").write(install_id, 2)
    assert reopened(tmp_path, 3) == (install_id, 3)


def test_a_restored_database_takes_a_new_install_and_loses_nothing_it_holds(tmp_path):
    """An older copy would give out seqs twice: its ops are renumbered under a new install from 1."""
    install_id = recorded(tmp_path, 2)
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copy(tmp_path / "tablet.db", copy / "tablet.db")
    recorded(tmp_path, 3, seed=7)
    shutil.copy(copy / "tablet.db", tmp_path / "tablet.db")
    fresh, head = reopened(tmp_path)
    assert fresh != install_id
    assert head == 2
    assert reopened(tmp_path, 4) == (fresh, 2)


def test_a_wiped_database_begins_a_new_install(tmp_path):
    """The companion file alone is no journal."""
    install_id = recorded(tmp_path, 2)
    for path in tmp_path.glob("tablet.db*"):
        if not path.name.endswith(".install"):
            path.unlink()
    fresh, head = reopened(tmp_path)
    assert (fresh != install_id, head) == (True, 0)


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"install_id": "x", "head_seq": 1}', '{"head_seq": true}'])
def test_a_missing_or_odd_companion_file_means_a_copy(tmp_path, content):
    """A database carried to another place without its companion is a clone."""
    install_id = recorded(tmp_path, 2)
    path = tmp_path / "tablet.db.install"
    path.unlink()
    if content is not None:
        path.write_text(content)
    fresh, head = reopened(tmp_path)
    assert (fresh != install_id, head) == (True, 2)


# several connections --------------------------------------------------------------------------------------------------


def test_threads_of_one_owner_never_mix_their_transactions(database):
    """Eight threads record on one connection: seqs are 1..n, the chain holds, nothing is lost."""
    failures: list[Exception] = []

    def work(seed: int) -> None:
        try:
            make_id = op_ids(seed)
            for _ in range(10):
                with database.atomic():
                    database.record([new_note(make_id)])
                    database.write_note(f"n{seed}", "x")
                database.counts()
        except Exception as failure:  # noqa: BLE001 - told to the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    kept = [entry.op for entry in reversed(database.entries(limit=1000))]
    assert [op.seq for op in kept] == list(range(1, 81))
    assert database.head()[1] == chain_over(CHAIN_START, [(op.op_id, op.sha) for op in kept])


def test_the_sync_thread_s_connection_and_the_app_s_see_each_other_s_commits(tmp_path, database):
    """Two connections of one file: a record on one is sent by the other, a page on one is read by the other."""
    other = open_file(tmp_path)
    database.record([new_note(op_ids())])
    assert len(other.next_batch(after_seq=0, max_ops=9, max_bytes=10**6)) == 1
    load(other, STORE_SCOPE, {f"profile/{MARA}": mara()})
    assert database.document(f"profile/{MARA}") is not None
    other.close()


def test_recording_goes_on_while_a_snapshot_is_loaded(tmp_path, database):
    """Lines are stored in small transactions: between two of them a record is saved."""
    other = open_file(tmp_path)
    make_id = op_ids()
    lines = [line(f"profile/p{number:05d}", mara(id=f"p{number:05d}")) for number in range(1200)]

    def arriving():
        for number, one in enumerate(lines):
            if number % 500 == 499:
                database.record([new_note(make_id)])
            yield one

    other.load_snapshot(header(STORE_SCOPE, 20), arriving())
    assert database.head()[0] == 2
    progress = other.shadow_progress(STORE_SCOPE)
    assert progress is not None
    assert progress[2] == 1200
    other.close()


def write_two_and_fail(database) -> None:
    """A transaction that records, notes, and then fails."""
    with database.atomic():
        database.record([new_note(op_ids())])
        database.write_note("b", "2")
        raise RuntimeError


def test_an_outer_transaction_takes_everything_back_together(database):
    """Several writes in one transaction: a failure undoes all of them; a failed part inside undoes only itself."""
    with pytest.raises(RuntimeError):
        write_two_and_fail(database)
    assert (database.head()[0], database.read_note("b")) == (0, None)
    with database.atomic():
        database.write_note("a", "1")
        with pytest.raises(RuntimeError):
            write_two_and_fail(database)
    assert (database.head()[0], database.read_note("a"), database.read_note("b")) == (0, "1", None)


def test_one_worker_holds_the_lease_until_it_runs_out(database):
    """Another owner waits; a lease from a clock that was set back does not block for ever."""
    assert database.lease("a", until_s=115.0, now_s=100.0)
    assert not database.lease("b", until_s=116.0, now_s=101.0)
    assert database.lease("a", until_s=120.0, now_s=105.0)
    assert database.lease("b", until_s=136.0, now_s=121.0)
    assert database.lease("c", until_s=25.0, now_s=10.0)

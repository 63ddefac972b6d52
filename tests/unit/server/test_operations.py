"""Backup and restore: online, whole or not at all, under a new epoch, and never without the keys."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from shared.errors import Problem, Refused
from sync_server.bootstrap import back_up, begin_anew, open_headquarters, restore
from sync_server.services.chain import Chain, add_stores, list_stores, make_chain
from sync_server.services.enrolment import authenticate, enroll, make_code
from sync_server.services.sessions import EPOCH_NOTE
from sync_server.settings import Settings, read_settings
from tests.support.world import BERLIN, ZURICH


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A chain with one store in a folder."""
    made = read_settings({}, {"data_dir": tmp_path / "hq"}, tmp_path)
    with open_headquarters(made) as hq:
        make_chain(hq, Chain("Nordhang", "EUR", "Europe/Berlin"))
        add_stores(hq, [BERLIN])
    return made


def epoch_of(settings: Settings) -> str | None:
    """The epoch now."""
    with open_headquarters(settings) as hq, hq.database.read() as reader:
        return reader.note(EPOCH_NOTE)


def test_a_backup_is_one_private_file_taken_while_the_server_writes(settings: Settings, tmp_path: Path) -> None:
    """It holds what was committed, not what is still under way, and no key."""
    with open_headquarters(settings) as hq, hq.database.write() as tx:
        tx.write_note("half", "written")
        path = back_up(settings, tmp_path / "backup.db")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in tmp_path.iterdir() if found.name.startswith("backup")] == ["backup.db"]
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT code FROM store").fetchall() == [("berlin-1",)]
    assert connection.execute("SELECT count(*) FROM note WHERE name = 'half'").fetchone() == (0,)
    connection.close()
    content = path.read_bytes()
    for secret in settings.keys_dir.glob("*.secret"):
        assert bytes.fromhex(secret.read_text().strip()) not in content
        assert secret.read_bytes().strip() not in content


def test_a_backup_never_overwrites(settings: Settings, tmp_path: Path) -> None:
    """Nor does it take a folder that is not there."""
    (tmp_path / "old.db").write_text("precious")
    with pytest.raises(Refused, match="already a file"):
        back_up(settings, tmp_path / "old.db")
    assert (tmp_path / "old.db").read_text() == "precious"
    with pytest.raises(Refused, match="cannot be written"):
        back_up(settings, tmp_path / "no" / "folder.db")
    assert back_up(settings, tmp_path).name == "central-backup.db"


def test_a_restore_brings_the_old_state_back_under_a_new_epoch_while_the_server_runs(
    settings: Settings, tmp_path: Path
) -> None:
    """A running server sees it as one commit; open codes are void, tokens and keys stay good."""
    with open_headquarters(settings) as hq:
        token = enroll(
            hq, {"code": make_code(hq, "berlin-1").code, "name": "T", "install_id": hq.make_id(), "app": "1"}
        )
        code = make_code(hq, "berlin-1").code
        path = back_up(settings, tmp_path / "backup.db")
        add_stores(hq, [ZURICH])
        before = epoch_of(settings)
        told = restore(settings, path)
        assert told["epoch"] == epoch_of(settings) != before
        assert told["codes_voided"] == 1
        assert [store.code for store in list_stores(hq)] == ["berlin-1"]
        assert authenticate(hq, token["token"]).store == "berlin-1"
        with pytest.raises(Problem):
            enroll(hq, {"code": code, "name": "T", "install_id": hq.make_id(), "app": "1"})
        add_stores(hq, [ZURICH])
    assert not list(settings.data_dir.glob("restoring*"))


def test_a_restore_on_a_new_machine_needs_the_keys_and_names_the_missing_one(
    settings: Settings, tmp_path: Path
) -> None:
    """Without them nothing is made; with them the chain goes on."""
    path = back_up(settings, tmp_path / "backup.db")
    fresh = read_settings({}, {"data_dir": tmp_path / "new"}, tmp_path)
    with pytest.raises(Refused, match=r"card-1\.pem is missing"):
        restore(fresh, path)
    assert not (tmp_path / "new" / "central.db").exists()
    shutil.copytree(settings.keys_dir, fresh.keys_dir)
    restore(fresh, path)
    with open_headquarters(fresh) as hq:
        assert [store.code for store in list_stores(hq)] == ["berlin-1"]


def test_a_file_that_is_no_backup_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    """Missing, empty of tables, torn, or no database at all."""
    before = epoch_of(settings)
    whole = back_up(settings, tmp_path / "whole.db").read_bytes()
    (tmp_path / "torn.db").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.db").write_text("not a database, but long enough to look at " * 50)
    for name in ("missing.db", "torn.db", "text.db"):
        with pytest.raises(Refused):
            restore(settings, tmp_path / name)
    assert epoch_of(settings) == before
    with open_headquarters(settings) as hq:
        assert [store.code for store in list_stores(hq)] == ["berlin-1"]


def test_an_empty_database_is_no_backup_of_a_chain(settings: Settings, tmp_path: Path) -> None:
    """A wrong file must not quietly become an empty chain."""
    sqlite3.connect(tmp_path / "empty.db").execute("VACUUM").connection.close()
    with pytest.raises(Refused, match="no chain"):
        restore(settings, tmp_path / "empty.db")


def test_a_database_restored_by_other_tools_begins_a_new_epoch_when_told(settings: Settings) -> None:
    """For PostgreSQL, whose own tools are better."""
    before = epoch_of(settings)
    assert begin_anew(settings)["epoch"] == epoch_of(settings) != before
    postgresql = read_settings({}, {"data_dir": settings.data_dir, "database": "postgresql://a@b/c"}, settings.data_dir)
    with pytest.raises(Refused, match="pg_dump"):
        back_up(postgresql, settings.data_dir / "x")
    with pytest.raises(Refused, match="pg_restore"):
        restore(postgresql, settings.data_dir / "x")


def test_a_backup_of_a_newer_version_is_refused_and_changes_nothing(settings: Settings, tmp_path: Path) -> None:
    """A downgrade by way of a restore: said in words, before anything of the present database is touched."""
    path = back_up(settings, tmp_path / "newer.db")
    newer = sqlite3.connect(path)
    newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.commit()
    newer.close()
    foreign = sqlite3.connect(tmp_path / "foreign.db")
    foreign.execute("CREATE TABLE invoices (id INTEGER)")
    foreign.commit()
    foreign.close()
    before = settings.guard_file.read_bytes(), epoch_of(settings)
    with pytest.raises(Refused, match="schema 9999, which a newer Floorside made"):
        restore(settings, path)
    with pytest.raises(Refused, match="holds other tables"):
        restore(settings, tmp_path / "foreign.db")
    assert (settings.guard_file.read_bytes(), epoch_of(settings)) == before
    assert not list(settings.data_dir.glob("restoring*"))


def test_a_restore_into_a_full_disk_leaves_the_present_database_as_it_is(settings: Settings, tmp_path: Path) -> None:
    """The copy to check needs room; without it nothing changes, and it can simply be run again."""
    with open_headquarters(settings) as hq, hq.database.write() as tx:
        for number in range(400):
            tx.write_note(f"n{number}", "x" * 2000)
    path = back_up(settings, tmp_path / "backup.db")
    before = epoch_of(settings)
    program = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)); "
        "from sync_server.command_line.app import run; sys.exit(run(sys.argv[1:]))"
    )
    words = [sys.executable, "-c", program, "restore", str(path), "--data-dir", str(settings.data_dir)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert "Traceback" not in done.stderr
    assert epoch_of(settings) == before
    assert not list(settings.data_dir.glob("restoring*"))
    assert restore(settings, path)["epoch"] == epoch_of(settings) != before

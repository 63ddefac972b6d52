"""The start-up guard with real processes: kill -9 at any moment begins no epoch, an older file put in place does."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from associate_app.adapters.http import HttpEndpoint
from associate_app.ports import DeviceIdentity
from shared.wire.messages import EnrollRequest
from sync_server.adapters.backup import copy_database
from sync_server.adapters.database import SqlDatabase
from sync_server.adapters.guard import FileGuard
from sync_server.ports import Mark
from sync_server.services.enrolment import make_code
from sync_server.services.guard import loss_between, mark_of
from sync_server.services.operations import former_epochs
from tests.support.asgi_endpoint import AsgiTransport
from tests.support.forked import start_forked
from tests.support.programs import ForkedServer
from tests.support.tablet import Tablet, make_tablet
from tests.support.traffic import found_chain, open_chain

GUARD_AGE_S_MAX = 20
"""How long a busy machine may take for what the server does twice a second."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ForkedServer]:
    """A chain's server, stopped."""
    folder = tmp_path / "hq"
    with open_chain(folder) as hq:
        found_chain(hq)
    made = ForkedServer(folder)
    yield made
    made.kill()


@pytest.fixture
def tablet(server: ForkedServer, tmp_path: Path) -> Iterator[Tablet]:
    """A tablet that speaks to the server over real HTTP; the server runs."""
    with open_chain(server.data_dir) as hq:
        code = make_code(hq, "store-0").code
    server.start()
    unused = AsgiTransport(FastAPI())
    made = make_tablet(tmp_path, unused)
    unused.close()
    made.endpoint = HttpEndpoint(server.url, token=made._token)
    made.driver = made._make_driver()
    asked = EnrollRequest(code=code, name="T", install_id=made.database.install_id(), app="1.0.0")
    reply = made.endpoint.enroll(asked)
    given = {"device_id": reply.device_id, "token": reply.token, "store": reply.store, "receipt_key": reply.receipt_key}
    made.database.save_device(DeviceIdentity(server_url=server.url, name="T", **given))
    yield made
    made.endpoint.close()
    made.database.close()


def history_of(folder: Path) -> tuple[Mark, list[str], list[str]]:
    """How far the database's history has come, the epochs behind it, and the notes in the ledger."""
    database = SqlDatabase(f"sqlite:///{folder / 'central.db'}")
    try:
        with database.read() as reader:
            mark = mark_of(reader)
            assert mark is not None
            facts = [row["fact_id"] for row in reader.rows("fact", kind="note_added")]
            return mark, former_epochs(reader), sorted(facts)
    finally:
        database.close()


def assert_guard_lags(folder: Path) -> None:
    """The guard never says more than the database holds."""
    kept = FileGuard(folder / "guard.json").read()
    mark, former, _ = history_of(folder)
    assert kept is not None
    assert loss_between(kept, mark, former) is None


def await_guard(server: ForkedServer, ops: int) -> None:
    """Until the running server has written down so many ops."""
    until_s = time.monotonic() + GUARD_AGE_S_MAX
    guard = FileGuard(server.data_dir / "guard.json")
    with httpx.Client() as asker:
        while (kept := guard.read()) is None or kept.ops < ops:
            assert time.monotonic() < until_s, "the guard was not brought up to date"
            asker.get(f"{server.url}/healthz")


def test_kill_9_between_any_two_commits_begins_no_epoch_and_the_guard_is_never_ahead(
    server: ForkedServer, tablet: Tablet
) -> None:
    """Killed right after an answer, before and after the guard was written: the same history goes on."""
    ops = []
    epoch = history_of(server.data_dir)[0].epoch
    for turn in range(2):
        ops += [tablet.note(f"{turn} {number}").op_id for number in range(3)]
        assert tablet.sync().is_complete
        if turn:
            await_guard(server, ops=len(ops))
        server.kill()
        assert_guard_lags(server.data_dir)
        server.start()
        assert httpx.get(f"{server.url}/healthz").json()["epoch"] == epoch
    assert history_of(server.data_dir)[2] == sorted(ops)


def test_an_older_file_put_in_place_while_the_server_is_down_gets_everything_again(
    server: ForkedServer, tablet: Tablet, tmp_path: Path
) -> None:
    """Killed, swapped, started: a new epoch is said in one sentence, the tablet sends again, nothing is there twice."""
    ops = [tablet.note("before the copy").op_id]
    assert tablet.sync().is_complete
    copy_database(server.data_dir / "central.db", tmp_path / "old.db")
    ops += [tablet.note(f"after the copy {number}").op_id for number in range(3)]
    assert tablet.sync().is_complete
    await_guard(server, ops=len(ops))
    server.kill()
    before = history_of(server.data_dir)[0].epoch
    for path in server.data_dir.glob("central.db*"):
        path.unlink()
    shutil.copy(tmp_path / "old.db", server.data_dir / "central.db")
    server.start()
    after = httpx.get(f"{server.url}/healthz").json()["epoch"]
    assert after != before
    assert server.log().count("older than what this server had committed") == 1
    ops.append(tablet.note("recorded since").op_id)
    tablet.run(120)
    assert history_of(server.data_dir)[2] == sorted(ops)
    assert tablet.database.counts().pending == 0
    server.kill()
    server.start()
    assert httpx.get(f"{server.url}/healthz").json()["epoch"] == after


def push_while(tablet: Tablet, command: str, path: Path, folder: Path) -> list[str]:
    """Record and push until a command beside the running server has ended; it must have done what it was told."""
    ops: list[str] = []
    said = folder.parent / f"{command}.log"
    running = start_forked([command, path, "--json", "--data-dir", folder], said)
    while running.is_alive():
        ops.append(tablet.note(f"while {command} runs {len(ops)}").op_id)
        tablet.sync()
    assert running.exitcode == 0, said.read_text("utf-8")
    assert json.loads(said.read_text("utf-8")), "one value, and no complaint beside it"
    return ops


def test_backup_and_restore_beside_a_server_that_takes_pushes_lose_and_double_nothing(
    server: ForkedServer, tablet: Tablet, tmp_path: Path
) -> None:
    """The restored database gets again what the backup lacks; the guard knows of the restore, so a start begins no
    further epoch."""
    ops = [tablet.note("before").op_id]
    assert tablet.sync().is_complete
    ops += push_while(tablet, "backup", tmp_path / "backup.db", server.data_dir)
    ops.append(tablet.note("after the backup").op_id)
    assert tablet.sync().is_complete
    before = history_of(server.data_dir)[0].epoch
    ops += push_while(tablet, "restore", tmp_path / "backup.db", server.data_dir)
    tablet.run(300)
    mark, former, facts = history_of(server.data_dir)
    assert former == [before]
    assert facts == sorted(ops)
    assert tablet.database.counts().pending == 0
    server.kill()
    server.start()
    assert httpx.get(f"{server.url}/healthz").json()["epoch"] == mark.epoch
    assert server.log().count("older than what this server had committed") == 0

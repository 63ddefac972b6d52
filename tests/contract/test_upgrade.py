"""Updates with old tablets talking, and downgrades refused: on a database an older version really made."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, MetaData, text

from sync_server.adapters.database import SqlDatabase
from sync_server.adapters.keys import FileKeyFolder
from sync_server.adapters.migrations import REVISIONS, SCRIPTS, bring_up_to_date
from sync_server.adapters.schema import metadata
from sync_server.bootstrap import open_headquarters
from sync_server.services import feed
from sync_server.services.chain import set_term
from sync_server.services.enrolment import authenticate, token_to_offer
from sync_server.services.headquarters import Headquarters
from sync_server.services.intake import take_push
from sync_server.services.quarantine import list_quarantine, replay
from sync_server.services.salvage import approve, list_salvage
from sync_server.settings import Settings
from tests.support.programs import run_here
from tests.support.tablet import Tablet

KEPT = Path(__file__).parent / "kept" / "central-0001.sql"
"""What version 0001 made: a chain, a tablet with five ops (two accepted, two parked, one rejected) and one salvaged."""
TOKEN = "gtu4ky3y7qi8szuun7w9njg2s6i2z28d7ce2i3hmstjud6nysmib"
INSTALL = "01a202b2-c500-7e8c-8ed9-04759531ae5e"
EPOCH = "01a202b2-c500-726b-b2a7-4de452e6b438"


@pytest.fixture
def old_chain(tmp_path: Path) -> Settings:
    """A data folder as version 0001 left it. Its private keys are not kept with the project: these are new ones."""
    folder = tmp_path / "hq"
    folder.mkdir()
    made = sqlite3.connect(folder / "central.db")
    made.executescript(KEPT.read_text("utf-8"))
    made.execute("UPDATE note SET value = '{}' WHERE name = 'keys'")
    made.commit()
    made.execute("PRAGMA journal_mode=WAL")
    made.close()
    FileKeyFolder(folder / "keys").make_missing()
    return Settings(data_dir=folder, database=f"sqlite:///{folder / 'central.db'}")


def test_a_database_of_the_first_version_is_brought_up_and_its_tablets_go_on(old_chain: Settings) -> None:
    """The old token, the journal where it stood, what was parked, rejected and salvaged: all of it still counts."""
    with open_headquarters(old_chain) as hq:
        device = authenticate(hq, TOKEN)
        with hq.database.read() as reader:
            [kept] = [json.loads(row["raw"]) for row in reader.rows("salvage")]
            assert reader.note("epoch") == EPOCH, "an update is no new history"
            assert [row.identifiers for row in reader.every_sighting()], "who is who is read out of the ledger"
            assert all(row["own_id"] for row in reader.rows("identifier"))
        message = {
            "epoch": EPOCH,
            "device_id": device.device_id,
            "install_id": INSTALL,
            "batch_id": hq.make_id(),
            "first_seq": 6,
            "device_now": hq.now_at(),
            "ops": [kept],
        }
        reply = take_push(hq.database, hq.keys, hq.clock, hq.chance, device, message)
        assert [result["verdict"] for result in reply["results"]] == ["accepted"]
        assert [(row["what"], row["code"]) for row in list_quarantine(hq)] == [
            ("parked", "unknown_play"),
            ("parked", "unknown_schema"),
            ("dead letter", "malformed"),
        ]
        assert [result["code"] for result in replay(hq)] == ["unknown_play", "unknown_schema"]
        assert [row["state"] for row in list_salvage(hq)] == ["waiting"]
        assert [result["verdict"] for result in approve(hq, [kept["op_id"]])] == ["duplicate"]
        with hq.database.write() as tx:
            tx.change_rows("device", {"must_rotate": True}, device_id=device.device_id)
        fresh = token_to_offer(hq, device.device_id)
        assert authenticate(hq, fresh).device_id == device.device_id


def _drop_everything(connection: Connection) -> None:
    """The shared PostgreSQL has the present tables already."""
    there = MetaData()
    there.reflect(connection)
    there.drop_all(connection)


def test_each_version_brings_up_the_one_before_on_both_databases(database_url: str) -> None:
    """Rows that were there stay; the tables are then exactly those of the code."""
    database = SqlDatabase(database_url)
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    with database.engine.connect() as connection, connection.begin():
        _drop_everything(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, REVISIONS[0])
        values = "('d1', 's', 'Tablet', 'h', '[]', '2026-11-22T10:00:00.000Z')"
        columns = "device_id, store, name, token_hash, stores_held, enrolled_at"
        connection.execute(text(f"INSERT INTO device ({columns}) VALUES {values}"))
        columns = "scope, id, s, deleted, h, body, written_at"
        for s, id_, deleted in ((1, "offer/knits", "FALSE"), (2, "offer/gone", "TRUE"), (3, "play/knits", "FALSE")):
            values = f"('all', '{id_}', {s}, {deleted}, '', '{{}}', '2026-11-22T10:00:00.000Z')"
            connection.execute(text(f"INSERT INTO doc ({columns}) VALUES {values}"))
    assert bring_up_to_date(database.engine) == (REVISIONS[0], REVISIONS[-1])
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    with database.read() as reader:
        [row] = reader.rows("device")
        assert reader.rows("offer_version") == [{"offer_id": "knits", "published_at": "", "body": "{}"}]
    assert (row["name"], row["must_rotate"], row["token_at"]) == ("Tablet", False, None)
    database.close()


@pytest.mark.parametrize("line", ["serve --port 0", "migrate"])
def test_a_newer_database_is_refused_in_one_sentence_and_left_alone(old_chain: Settings, line: str) -> None:
    """A downgrade by mistake: nothing is served, nothing is written, and the way out is named."""
    path = old_chain.data_dir / "central.db"
    newer = sqlite3.connect(path)
    newer.execute("UPDATE alembic_version SET version_num = '9999'")
    newer.commit()
    newer.close()
    before = path.read_bytes()
    said = run_here("sync_server", *line.split(), "--data-dir", old_chain.data_dir)
    assert (said.status, said.out, said.err.count("\n")) == (1, "", 1)
    assert "schema 9999, which a newer Floorside made" in said.err
    assert "Update this server, or restore a backup from before the update." in said.err
    assert path.read_bytes() == before


# tablets of before ----------------------------------------------------------------------------------------------------


@pytest.fixture
def shop_tablet(shop_tablet: Tablet) -> Tablet:
    """A connected tablet of berlin-1 that has synced."""
    shop_tablet.note("before the update")
    assert shop_tablet.sync().is_complete
    return shop_tablet


def test_documents_of_a_new_shape_come_as_a_snapshot_while_pushes_go_on(
    hq: Headquarters, shop_tablet: Tablet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """410 schema once for each scope, then pages again."""
    asked = shop_tablet.transport.asked
    monkeypatch.setattr(feed, "DOCUMENT_SCHEMA", 2)
    asked.clear()
    op = shop_tablet.note("while the server is a new one")
    assert shop_tablet.sync().is_complete
    assert asked.count("/v1/sync/snapshot") == 2
    with hq.database.read() as reader:
        assert op.op_id in [row["fact_id"] for row in reader.rows("fact", kind="note_added")]
        heads = reader.heads(["all", "store:berlin-1"])
    assert {state.scope: state.at for state in shop_tablet.database.states()} == heads
    asked.clear()
    assert shop_tablet.sync().is_complete
    assert "/v1/sync/snapshot" not in asked


def test_a_notice_and_the_oldest_app_reach_every_tablet_by_its_next_hello(
    hq: Headquarters, shop_tablet: Tablet
) -> None:
    """A sentence for everybody, taken away again by an empty one; 426 stops receiving alone."""

    def told() -> Any:
        shop_tablet.restart()
        return shop_tablet.sync()

    set_term(hq, "notice", "HQ is updated tonight from 22:00.")
    assert told().status.notice == "HQ is updated tonight from 22:00."
    set_term(hq, "notice", "")
    set_term(hq, "min_app", "2.0")
    shop_tablet.note("from an old app")
    summary = told()
    assert (summary.status.notice, summary.status.needs_upgrade, summary.answered) == (None, True, {"accepted": 1})

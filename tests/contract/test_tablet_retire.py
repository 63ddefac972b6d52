"""A tablet that leaves for good, by its own command line and over real HTTP: what it still holds goes first."""

from __future__ import annotations

import contextlib
from pathlib import Path

from associate_app.bootstrap import make_tablet
from associate_app.settings import Settings as TabletSettings
from sync_server.bootstrap import open_headquarters
from sync_server.services.enrolment import make_code
from sync_server.settings import Settings
from tests.support.programs import ForkedServer
from tests.support.replica import new_note, op_ids
from tests.support.traffic import STORES, found_chain
from tests.unit.tablet.test_command_line import here


def test_retire_waits_for_hq_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Without HQ nothing is deleted; with it the record is there, confirmed, and the tablet's folder is empty."""
    settings, folder = Settings(tmp_path / "hq", f"sqlite:///{tmp_path / 'hq' / 'central.db'}"), tmp_path / "tablet"
    with open_headquarters(settings) as hq:
        found_chain(hq)
        code = make_code(hq, STORES[0].code).code
    server = ForkedServer(settings.data_dir).start()
    try:
        assert here("enrol", code, "--server", server.url, "--data-dir", folder).status == 0
        with contextlib.closing(make_tablet(TabletSettings(folder, is_own_folder=True)).open_database()) as database:
            [op] = database.record([new_note(op_ids(), "likes wool", scope=f"store:{STORES[0].code}")])
        server.stop()
        refused = here("retire", "--data-dir", folder)
        assert (refused.status, "1 record is on this tablet only" in refused.err) == (1, True)
        server.start()
        retired = here("retire", "--json", "--data-dir", folder)
    finally:
        server.stop()
    assert retired.json == {"lost": 0, "at_hq": 1}
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    with open_headquarters(settings) as hq, hq.database.read() as reader:
        assert set(reader.known_facts([op.op_id])) == {op.op_id}

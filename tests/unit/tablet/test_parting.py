"""A tablet that leaves, is emptied or connected anew: no record is lost without its number being said and confirmed."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

import pytest

from associate_app.bootstrap import make_tablet
from associate_app.ports import DeviceIdentity
from associate_app.services.enrol import Invitation, enrol_tablet, show_earlier
from associate_app.services.export import note_safe_elsewhere
from associate_app.services.parting import check_nothing_is_lost, only_here
from associate_app.settings import Settings
from shared.errors import Refused
from shared.salvage_file import read_journal
from shared.wire.messages import EnrollReply
from tests.support.replica import STORE_SCOPE, ShopTablet, chain_documents, connect, load, new_note, op_ids
from tests.unit.tablet.test_command_line import here

CODE = Invitation("http://hq.test", "CODE")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A connected tablet with two unsent records, in a folder of its own; its HQ cannot be reached."""
    tablet = make_tablet(Settings(tmp_path / "tablet", is_own_folder=True))
    with contextlib.closing(tablet.open_database()) as database:
        connect(database)
        load(database, "all", chain_documents())
        make_id = op_ids()
        database.record([new_note(make_id, "likes wool")])
        database.record([new_note(make_id, "size M")])
    return tmp_path / "tablet"


def files_in(folder: Path) -> set[str]:
    """What is left of a tablet."""
    return {path.name for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("command", ["reset", "retire"])
def test_unsent_records_stop_it_with_their_number(folder, command):
    """Nothing is deleted; the sentence says how many and what to do; a wrong number confirms nothing."""
    for extra in ((), ("--lose", "1"), ("--lose", "3")):
        done = here(command, *extra, "--data-dir", folder)
        assert done.status == 1
        assert "2 records are on this tablet only" in done.err
        assert "associate-app export" in done.err
        assert "--lose 2" in done.err
    assert here("status", "--json", "--data-dir", folder).json["pending"] == 2


@pytest.mark.parametrize("command", ["reset", "retire"])
def test_the_right_number_empties_the_tablet(folder, command):
    """Records, companion file, key and pictures are gone."""
    (folder / "media").mkdir()
    (folder / "media" / ("ab" * 32)).write_bytes(b"picture")
    done = here(command, "--lose", 2, "--data-dir", folder)
    assert (done.status, done.err) == (0, "")
    assert files_in(folder) == set()
    assert list((folder / "media").iterdir()) == []
    assert here("status", "--json", "--data-dir", folder).json["store"] is None


@pytest.mark.parametrize("command", ["reset", "retire"])
def test_an_export_is_as_good_as_hq(folder, command, tmp_path, monkeypatch):
    """Once a copy exists nothing is lost; what is recorded after it counts again."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse\n"))
    kept = tmp_path / "journal.txt"
    assert here("export", "--file", kept, "--data-dir", folder).status == 0
    text = kept.read_text()
    assert "wool" not in text
    assert [op["body"]["text"] for op in read_journal(text, "correct horse").ops] == ["likes wool", "size M"]
    assert here(command, "--data-dir", folder).status == 0
    assert files_in(folder) == set()


def test_an_export_to_the_screen_promises_nothing(folder):
    """Nobody knows whether it was kept."""
    assert here("export", "--plain", "--data-dir", folder).status == 0
    assert here("reset", "--data-dir", folder).status == 1


def test_a_running_app_is_not_emptied_under_its_feet(folder):
    """Its worker holds the lease."""
    tablet = make_tablet(Settings(folder, is_own_folder=True))
    with contextlib.closing(tablet.open_database()) as database:
        now_s = tablet.clock.now().timestamp()
        assert database.lease("the app", now_s + 15, now_s)
    done = here("reset", "--lose", 2, "--data-dir", folder)
    assert (done.status, "app of this tablet is running" in done.err) == (1, True)
    assert "tablet.db" in files_in(folder)


def test_salvage_without_a_network_loses_nothing_and_says_so(folder):
    """Records that a sync will carry are left to it."""
    done = here("salvage", "--data-dir", folder)
    assert done.status == 0
    assert "Nothing needs salvage" in done.out
    assert here("status", "--json", "--data-dir", folder).json["pending"] == 2


def test_a_missing_key_is_said_and_no_new_one_is_made(folder):
    """A new key would hide that the old one is gone."""
    (folder / "tablet.key").rename(folder / "key.away")
    done = here("status", "--data-dir", folder)
    assert (done.status, "is missing" in done.err, done.err.count("\n")) == (1, True, 1)
    assert not (folder / "tablet.key").exists()
    (folder / "key.away").rename(folder / "tablet.key")
    assert here("status", "--json", "--data-dir", folder).json["pending"] == 2


# what is only here ----------------------------------------------------------------------------------------------------


def test_only_what_nobody_else_holds_counts(shop: ShopTablet):
    """Unsent and set aside; up to the newest record that an export holds."""
    make_id = op_ids()
    first, second, third = (shop.database.record([new_note(make_id, text)])[0] for text in ("a", "b", "c"))
    shop.database.withhold(second.seq)
    assert [one.op.op_id for one in only_here(shop.database)] == [first.op_id, second.op_id, third.op_id]
    note_safe_elsewhere(shop.database, second.op_id)
    note_safe_elsewhere(shop.database, first.op_id)
    assert [one.op.op_id for one in only_here(shop.database)] == [third.op_id]
    with pytest.raises(Refused, match="1 record is on this tablet only"):
        check_nothing_is_lost(shop.database)
    assert check_nothing_is_lost(shop.database, 1) == 1


# connecting anew ------------------------------------------------------------------------------------------------------


class Hq:
    """An HQ that takes the code."""

    def __init__(self, store: str = "berlin-1", receipt_key: str = "AAAA") -> None:
        self.store, self.receipt_key = store, receipt_key

    def enroll(self, _request: object) -> EnrollReply:
        scopes = ["all", STORE_SCOPE]
        members = {"device_id": "new", "token": "t", "store": self.store, "scopes": scopes}
        return EnrollReply.model_validate({**members, "receipt_key": self.receipt_key, "epoch": "e"})


def enrolled_anew(shop: ShopTablet, hq: Hq) -> DeviceIdentity:
    """Connect again with a fresh code."""
    return enrol_tablet(shop.database, lambda _: hq, CODE, name="Tablet", app="1.0.0")  # type: ignore[arg-type, return-value]


def test_connecting_anew_to_the_same_store_keeps_the_outbox(shop: ShopTablet):
    """A new device identity, the same records."""
    op = shop.database.record([new_note(op_ids())])[0]
    assert enrolled_anew(shop, Hq()).device_id == "new"
    assert shop.database.next_batch(after_seq=0, max_ops=9, max_bytes=9999) == (op,)


@pytest.mark.parametrize(
    ("hq", "what"), [(Hq(store="zurich-1"), "another store"), (Hq(receipt_key="BBBB"), "another HQ")]
)
def test_another_store_or_hq_is_refused_while_records_wait(shop: ShopTablet, hq: Hq, what: str):
    """Nothing is changed; after an export it is a matter of a fresh code."""
    op = shop.database.record([new_note(op_ids())])[0]
    before = shop.database.device()
    with pytest.raises(Refused, match=rf"{what}.* 1 record recorded here"):
        enrolled_anew(shop, hq)
    assert shop.database.device() == before
    note_safe_elsewhere(shop.database, op.op_id)
    assert enrolled_anew(shop, hq).store == hq.store


def test_only_the_same_hq_is_shown_the_token_this_tablet_had(shop):
    """So that it knows whose records these are; to another it would be a stranger's secret."""
    device = shop.database.device()
    assert show_earlier(shop.database, Invitation(device.server_url, "CODE")).earlier_token == device.token
    assert show_earlier(shop.database, Invitation("https://other.test", "CODE")).earlier_token is None

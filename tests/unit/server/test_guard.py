"""The start-up guard: what counts as a loss, what the file survives, and who begins the new epoch."""

from __future__ import annotations

import shutil
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Damaged, Problem
from sync_server.adapters.backup import copy_database
from sync_server.adapters.guard import FileGuard
from sync_server.bootstrap import back_up, open_headquarters, restore
from sync_server.ports import Mark
from sync_server.services.chain import Chain, add_stores, make_chain
from sync_server.services.enrolment import authenticate, find_devices, make_code, move_device, revoke_device
from sync_server.services.guard import erasures_known, loss_between, mark_of, watch_history
from sync_server.services.operations import former_epochs
from sync_server.services.privacy import apply_list, erase
from sync_server.settings import Settings, read_settings
from tests.support.world import BERLIN, LOYALTY_ID, ZURICH, make_journalist

MARK = Mark("e1", "e1", {"all": 9, "store:berlin-1": 4}, 7)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A chain with one store, closed."""
    settings = read_settings({}, {"data_dir": tmp_path / "hq"}, tmp_path)
    with open_headquarters(settings) as hq:
        make_chain(hq, Chain("Nordhang", "EUR", "Europe/Berlin"))
        add_stores(hq, [BERLIN])
    return settings


def open_once(settings: Settings) -> tuple[str, list[str]]:
    """Open and close as a start does: the epoch, and what was told."""
    told: list[str] = []
    with open_headquarters(settings, tell=told.append) as hq, hq.database.read() as reader:
        mark = mark_of(reader)
    assert mark is not None
    return mark.epoch, told


def swap_in(settings: Settings, copy: Path) -> None:
    """Put a copy in the database's place by hand, as a person with a file browser does."""
    for path in settings.data_dir.glob("central.db*"):
        path.unlink()
    shutil.copy(copy, settings.data_dir / "central.db")


# what is a loss


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (replace(MARK, heads={"all": 10}), "all stands at 9 and had reached 10"),
        (replace(MARK, heads={"store:gone-1": 1}), "store:gone-1 stands at 0"),
        (replace(MARK, ops=8), "holds 7 ops and had 8"),
        (replace(MARK, epoch="e2"), "the later epoch e2"),
    ],
)
def test_a_guard_ahead_of_the_database_or_of_an_epoch_it_never_knew_is_a_loss(kept: Mark, words: str) -> None:
    """Each alone is enough, and is said in words."""
    assert words in str(loss_between(kept, MARK, []))


def test_a_guard_of_an_epoch_left_behind_or_of_another_chain_accuses_nobody() -> None:
    """A second machine's guard lags by a whole restore; another database was used in this folder before."""
    assert loss_between(replace(MARK, epoch="e0", ops=99), MARK, ["e0"]) is None
    assert loss_between(replace(MARK, first_epoch="other", epoch="x", ops=99), MARK, []) is None


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 5)), st.integers(0, 5), st.data())
def test_a_history_that_only_goes_on_never_loses(heads: dict[str, int], ops: int, data: st.DataObject) -> None:
    """Whatever the guard saw, positions and ops that only grow are no loss: no crash or restart begins an epoch."""
    kept = Mark("e", "e", heads, ops)
    grown = {scope: n + data.draw(st.integers(0, 3)) for scope, n in heads.items()}
    assert loss_between(kept, Mark("e", "e", {**grown, "new": 1}, ops + data.draw(st.integers(0, 3))), []) is None


# the file


def test_the_file_is_private_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    """What is written is read; a torn or foreign file says nothing."""
    guard = FileGuard(tmp_path / "guard.json")
    assert guard.read() is None
    guard.write(MARK)
    assert guard.read() == MARK
    assert [path.name for path in tmp_path.iterdir()] == ["guard.json"]
    assert stat.S_IMODE((tmp_path / "guard.json").stat().st_mode) == 0o600
    for torn in (b"", b"{", b"[]", b'{"epoch": 1}', b'{"first_epoch":"a","epoch":"a","heads":3,"ops":1}', b"\xff"):
        (tmp_path / "guard.json").write_bytes(torn)
        assert guard.read() is None


def test_a_folder_that_takes_no_file_stops_nothing(tmp_path: Path) -> None:
    """The guard lags then; nothing raises."""
    FileGuard(tmp_path / "no" / "guard.json").write(MARK)


# a start


def test_a_start_after_a_start_keeps_the_epoch(settings: Settings) -> None:
    """Also when the guard lags behind, or is gone."""
    first, told = open_once(settings)
    settings.guard_file.unlink()
    assert (open_once(settings), told) == ((first, []), [])
    with open_headquarters(settings) as hq:
        old = settings.guard_file.read_bytes()
        add_stores(hq, [ZURICH])
    settings.guard_file.write_bytes(old)
    assert open_once(settings) == (first, [])


def test_an_older_copy_put_in_place_by_hand_begins_one_new_epoch_and_voids_open_codes(
    settings: Settings, tmp_path: Path
) -> None:
    """Told in one sentence, written into the audit; the next start is a start like any other."""
    with open_headquarters(settings) as hq:
        make_code(hq, "berlin-1")
        copy_database(settings.data_dir / "central.db", tmp_path / "old.db")
        add_stores(hq, [ZURICH])
    before, _ = open_once(settings)
    swap_in(settings, tmp_path / "old.db")
    after, told = open_once(settings)
    assert after != before
    assert len(told) == 1
    assert "older than what this server had committed" in told[0]
    assert "1 open enrolment codes are void" in told[0]
    with open_headquarters(settings) as hq, hq.database.read() as reader:
        assert "found an older database; new epoch" in [row["did"] for row in reader.rows("audit")]
        assert reader.rows("enrolment_code", used_at=None) == []
    assert open_once(settings) == (after, [])


def test_a_copy_that_lacks_nothing_is_no_older_copy(settings: Settings, tmp_path: Path) -> None:
    """Moving the file to another disk is nobody's loss."""
    before, _ = open_once(settings)
    copy_database(settings.data_dir / "central.db", tmp_path / "same.db")
    swap_in(settings, tmp_path / "same.db")
    assert open_once(settings) == (before, [])


def test_a_copy_from_before_a_restore_is_of_another_epoch(settings: Settings, tmp_path: Path) -> None:
    """Its positions may be higher; its epoch is one the guard has left."""
    with open_headquarters(settings) as hq:
        copy_database(settings.data_dir / "central.db", tmp_path / "low.db")
        add_stores(hq, [ZURICH])
        copy_database(settings.data_dir / "central.db", tmp_path / "high.db")
    restored = restore(settings, tmp_path / "low.db")["epoch"]
    assert open_once(settings) == (restored, [])
    swap_in(settings, tmp_path / "high.db")
    after, told = open_once(settings)
    assert after != restored
    assert len(told) == 1


def test_a_guard_that_missed_a_restore_begins_no_second_epoch(settings: Settings, tmp_path: Path) -> None:
    """A running server wrote it at the wrong moment and was killed, or it is a second machine's."""
    with open_headquarters(settings) as hq:
        copy_database(settings.data_dir / "central.db", tmp_path / "old.db")
        add_stores(hq, [ZURICH])
    stale = settings.guard_file.read_bytes()
    restored = restore(settings, tmp_path / "old.db")["epoch"]
    settings.guard_file.write_bytes(stale)
    assert open_once(settings) == (restored, [])


def test_of_two_servers_that_start_on_an_older_copy_one_begins_the_epoch(settings: Settings, tmp_path: Path) -> None:
    """The second finds its guard's epoch left behind, also if it has a data folder of its own."""
    with open_headquarters(settings) as hq:
        copy_database(settings.data_dir / "central.db", tmp_path / "old.db")
        add_stores(hq, [ZURICH])
    swap_in(settings, tmp_path / "old.db")
    ahead = FileGuard(settings.guard_file).read()
    assert ahead is not None
    first, told = open_once(settings)
    FileGuard(settings.guard_file).write(ahead)
    assert (len(told), open_once(settings)) == (1, (first, []))


def test_a_database_that_goes_back_under_a_running_server_is_noticed_there(settings: Settings) -> None:
    """A standby that took over without the last commits: the next look begins the epoch."""
    with open_headquarters(settings) as hq:
        with hq.database.read() as reader:
            mark = mark_of(reader)
        assert mark is not None
        assert watch_history(hq) is None
        hq.guard.write(replace(mark, ops=mark.ops + 5))
        assert "holds 0 ops and had 5" in str(watch_history(hq))
        with hq.database.read() as reader:
            assert former_epochs(reader) == [mark.epoch]
        assert watch_history(hq) is None


def test_an_empty_database_where_a_chain_was_is_refused_in_words(settings: Settings) -> None:
    """A disk that was not mounted must not quietly become a new chain; a restore still works there."""
    for path in settings.data_dir.glob("central.db*"):
        path.unlink()
    with pytest.raises(Damaged, match=r"The database is empty, but .*guard\.json remembers"):
        open_once(settings)


# devices a restored database forgot


@pytest.mark.parametrize("how", ["restore", "by hand"])
def test_a_move_the_older_database_forgot_is_made_again(settings: Settings, tmp_path: Path, how: str) -> None:
    """No tablet can tell HQ of it, and what was recorded for the new store since would be refused for good."""
    with open_headquarters(settings) as hq:
        add_stores(hq, [ZURICH])
        tablet = make_journalist(hq, BERLIN.code)
    copy = back_up(settings, tmp_path / "copy.db")
    with open_headquarters(settings) as hq:
        move_device(hq, tablet.device.device_id, ZURICH.code)
    if how == "restore":
        restore(settings, copy)
    else:
        swap_in(settings, copy)
    with open_headquarters(settings, tell=lambda _: None) as hq, hq.database.read() as reader:
        (device,) = find_devices(reader, [tablet.device.device_id])
        held = reader.rows("doc", scope=f"store:{ZURICH.code}")
    assert (device.store, set(device.stores_held)) == (ZURICH.code, {BERLIN.code, ZURICH.code})
    assert f"device/{tablet.device.device_id}" in {row["id"] for row in held}


def test_a_tablet_enrolled_since_goes_on_and_a_revoked_one_stays_out(settings: Settings, tmp_path: Path) -> None:
    """A stolen tablet must not be let in by last night's backup, nor this morning's new one need a second code."""
    with open_headquarters(settings) as hq:
        lost = make_journalist(hq, BERLIN.code)
    copy = back_up(settings, tmp_path / "copy.db")
    with open_headquarters(settings) as hq:
        fresh = make_journalist(hq, BERLIN.code)
        revoke_device(hq, lost.device.device_id)
    assert restore(settings, copy)["devices_recalled"] == 2
    with open_headquarters(settings) as hq:
        assert authenticate(hq, fresh.token).device_id == fresh.device.device_id
        with pytest.raises(Problem) as refused:
            authenticate(hq, lost.token)
        with hq.database.read() as reader:
            assert reader.install(fresh.install_id) is not None
            listed = {row["id"] for row in reader.rows("doc", scope=f"store:{BERLIN.code}", deleted=False)}
    assert refused.value.code == "device_revoked"
    assert {f"device/{fresh.device.device_id}"} == {id_ for id_ in listed if id_.startswith("device/")}


def test_a_move_to_a_store_the_older_database_does_not_know_stays_forgotten(settings: Settings, tmp_path: Path) -> None:
    """The chain is what the backup says; the tablet's records wait as dead letters until the store is there again."""
    with open_headquarters(settings) as hq:
        tablet = make_journalist(hq, BERLIN.code)
    copy = back_up(settings, tmp_path / "copy.db")
    with open_headquarters(settings) as hq:
        add_stores(hq, [ZURICH])
        move_device(hq, tablet.device.device_id, ZURICH.code)
    restore(settings, copy)
    with open_headquarters(settings) as hq, hq.database.read() as reader:
        assert find_devices(reader, [tablet.device.device_id])[0].stores_held == (BERLIN.code,)


# erasures


def test_an_older_list_beside_an_older_database_is_found_out(settings: Settings, tmp_path: Path) -> None:
    """Both put back from the night before, the erasure since is known to neither: the guard knows it. With the list of
    today the older database loses the shopper again; another chain's guard says nothing."""
    with open_headquarters(settings) as hq:
        tablet = make_journalist(hq)
        tablet.note("likes tents")
        tablet.push()
    night = tmp_path / "night"
    shutil.copytree(settings.data_dir, night)
    with open_headquarters(settings) as hq:
        told = erase(hq, LOYALTY_ID, who="hq")
    guarded = FileGuard(settings.guard_file).read()
    assert guarded is not None
    assert guarded.erasures == (told["id"],)
    today = settings.keys_dir / "erased.jsonl"
    today.rename(tmp_path / "today.jsonl")
    swap_in(settings, night / "central.db")
    for _ in range(2):
        with pytest.raises(Damaged, match="lacks 1 of 1 erasures this server knows"), open_headquarters(settings):
            pass
    with pytest.raises(Damaged, match="lacks 1 of 1"):
        restore(settings, night / "central.db")
    shutil.copy(tmp_path / "today.jsonl", today)
    with open_headquarters(settings, tell=lambda _: None) as hq, hq.database.read() as reader:
        assert apply_list(hq) == 0
        assert [row["erasure_id"] for row in reader.rows("erasure")] == [told["id"]]
        assert erasures_known(reader, replace(guarded, first_epoch="another", erasures=("x",))) == {told["id"]}

"""The key of the database: made once, kept where only this account reads it, damaged ones named."""

from __future__ import annotations

import os
import stat

import pytest

from associate_app.adapters import key_store
from associate_app.adapters.key_store import FileKeyStore, RingKeyStore, choose_key_store
from shared.errors import Damaged, StorageFull


def test_a_key_is_made_once_and_only_this_account_reads_it(tmp_path):
    """64 hex digits, mode 0600, the same for ever; another name has another key."""
    store = FileKeyStore(tmp_path)
    key = store.database_key("tablet")
    assert len(bytes.fromhex(key)) == 32
    assert FileKeyStore(tmp_path).database_key("tablet") == key
    assert store.database_key("other") != key
    if os.name == "posix":
        assert stat.S_IMODE((tmp_path / "tablet.key").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["other.key", "tablet.key"]


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 64, b"g" * 64, b"ab" * 33])
def test_a_damaged_key_file_is_named_with_what_to_do(tmp_path, content):
    """Never replaced by a new key: that would lock the records for good."""
    (tmp_path / "tablet.key").write_bytes(content)
    with pytest.raises(Damaged, match=r"tablet\.key is damaged or cannot be read\. Put it back from a copy"):
        FileKeyStore(tmp_path).database_key("tablet")
    assert (tmp_path / "tablet.key").read_bytes() == content


def test_a_forgotten_key_is_gone(tmp_path):
    """The next one is another; forgetting twice is no error."""
    store = FileKeyStore(tmp_path)
    key = store.database_key("tablet")
    store.forget("tablet")
    store.forget("tablet")
    assert store.database_key("tablet") != key


def test_a_folder_that_cannot_be_written_is_said_plainly(tmp_path):
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageFull, match="cannot be written"):
        FileKeyStore(tmp_path / "file").database_key("tablet")


class Ring:
    """A key ring in memory."""

    def __init__(self, *, is_locked: bool = False) -> None:
        self.held: dict[tuple[str, str], str] = {}
        self.is_locked = is_locked

    def get_password(self, service: str, name: str) -> str | None:
        if self.is_locked:
            raise RuntimeError("locked")
        return self.held.get((service, name))

    def set_password(self, service: str, name: str, key: str) -> None:
        self.held[service, name] = key

    def delete_password(self, service: str, name: str) -> None:
        del self.held[service, name]


def test_a_key_ring_keeps_the_key_and_its_failures_are_plain():
    """Made once; a locked ring or a foreign entry is said in words."""
    ring = Ring()
    key = RingKeyStore(ring).database_key("tablet")
    assert RingKeyStore(ring).database_key("tablet") == key
    ring.held["floorside", "tablet"] = "something else"
    with pytest.raises(Damaged, match="something else"):
        RingKeyStore(ring).database_key("tablet")
    RingKeyStore(ring).forget("tablet")
    with pytest.raises(Damaged, match="did not delete"):
        RingKeyStore(ring).forget("tablet")
    with pytest.raises(Damaged, match="Unlock it"):
        RingKeyStore(Ring(is_locked=True)).database_key("tablet")


def test_a_named_folder_keeps_its_key_inside(tmp_path, monkeypatch):
    """Such a folder can be moved and thrown away whole; the account's ring is not touched."""
    ring = Ring()
    monkeypatch.setattr(key_store, "_working_ring", lambda: ring)
    assert isinstance(choose_key_store(tmp_path, "tablet", is_own_folder=True), FileKeyStore)
    chosen = choose_key_store(tmp_path, "tablet", is_own_folder=False)
    assert isinstance(chosen, RingKeyStore)
    assert ring.held == {}


def test_a_key_file_once_made_stays_in_use(tmp_path, monkeypatch):
    """A ring that begins to work later does not lock out what the file opened."""
    monkeypatch.setattr(key_store, "_working_ring", lambda: None)
    key = choose_key_store(tmp_path, "tablet", is_own_folder=False).database_key("tablet")
    monkeypatch.setattr(key_store, "_working_ring", lambda: Ring())
    assert choose_key_store(tmp_path, "tablet", is_own_folder=False).database_key("tablet") == key

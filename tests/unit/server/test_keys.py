"""The key folder: made once, private, and never replaced in silence."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from shared.errors import Damaged
from sync_server.adapters.keys import FileKeyFolder
from sync_server.bootstrap import open_headquarters
from sync_server.services.chain import Chain, make_chain
from sync_server.settings import Settings, read_settings

FILES = {"receipt-r1.pem", "card-1.pem", "cursor.secret", "erasure.secret"}


def settings_in(folder: Path) -> Settings:
    """Settings of a chain that lives in a folder."""
    return read_settings({}, {"data_dir": folder}, folder)


def chain_in(folder: Path) -> None:
    """Make a chain in a folder."""
    with open_headquarters(settings_in(folder)) as hq:
        make_chain(hq, Chain("Nordhang", "EUR", "Europe/Berlin"))


def test_a_new_chain_gets_each_key_once_readable_by_its_account_alone(tmp_path: Path) -> None:
    """Four files of mode 0600 in a folder of mode 0700; making them again changes none."""
    chain_in(tmp_path)
    folder = tmp_path / "keys"
    assert {path.name for path in folder.iterdir()} == FILES
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    before = FileKeyFolder(folder).inventory()
    again = FileKeyFolder(folder)
    again.make_missing()
    assert again.inventory() == before


def test_the_database_is_for_its_account_alone_in_a_folder_open_to_all(tmp_path: Path) -> None:
    """It holds personal words; what lies beside it takes its mode."""
    tmp_path.chmod(0o755)
    with open_headquarters(settings_in(tmp_path)) as hq:
        make_chain(hq, Chain("Nordhang", "EUR", "Europe/Berlin"))
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("central.db*")}
    assert "central.db" in modes
    assert set(modes.values()) == {0o600}


def test_opening_an_empty_folder_makes_no_key(tmp_path: Path) -> None:
    """Only a chain that is made makes keys: a look must never do it."""
    with open_headquarters(settings_in(tmp_path)):
        assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_server_without_a_key_its_database_knows_refuses_to_start_and_names_the_file(
    tmp_path: Path, name: str
) -> None:
    """It never makes a new one: that would make every card signed so far worthless."""
    chain_in(tmp_path)
    (tmp_path / "keys" / name).unlink()
    with pytest.raises(Damaged, match=name), open_headquarters(settings_in(tmp_path)):
        pass
    assert not (tmp_path / "keys" / name).exists()


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize(
    "content", [b"", b"\x00\xff" * 40, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_damaged_key_file_is_named_in_one_sentence(tmp_path: Path, name: str, content: bytes) -> None:
    """No traceback, and what to do: put the file back."""
    chain_in(tmp_path)
    (tmp_path / "keys" / name).write_bytes(content)
    with pytest.raises(Damaged, match=f"{name} is damaged") as refusal, open_headquarters(settings_in(tmp_path)):
        pass
    assert "\n" not in str(refusal.value)


def test_another_chains_key_in_its_place_is_found_out(tmp_path: Path) -> None:
    """A sound key file, but not the one this database was used with."""
    chain_in(tmp_path / "one")
    chain_in(tmp_path / "two")
    (tmp_path / "one/keys/card-1.pem").write_bytes((tmp_path / "two/keys/card-1.pem").read_bytes())
    with (
        pytest.raises(Damaged, match=r"card-1\.pem .* is not the one"),
        open_headquarters(settings_in(tmp_path / "one")),
    ):
        pass


def test_a_key_rotated_in_signs_and_the_old_one_still_verifies(tmp_path: Path) -> None:
    """The highest number signs; every public key is there to verify with."""
    chain_in(tmp_path)
    folder = tmp_path / "keys"
    old = FileKeyFolder(folder)
    chain_in(tmp_path / "other")
    (folder / "card-2.pem").write_bytes((tmp_path / "other/keys/card-1.pem").read_bytes())
    both = FileKeyFolder(folder)
    assert both.card_key()[0] == 2
    assert both.public_card_keys()[1] == old.public_card_keys()[1]
    assert set(both.public_card_keys()) == {1, 2}

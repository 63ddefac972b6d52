"""Settings: where they come from, which wins, and the sentence for a wrong one."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from shared.errors import Damaged, Refused
from sync_server.settings import SETTINGS, Settings, environment_table, read_settings


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    """One order, for every setting."""
    (tmp_path / "settings.toml").write_text('port = 1001\nhost = "0.0.0.0"\nsnapshots_max = 3\n')
    environment = {"FLOORSIDE_PORT": "1002", "FLOORSIDE_HOST": "127.0.0.2"}
    settings = read_settings(environment, {"data_dir": tmp_path, "port": 1003}, Path("/nowhere"))
    assert (settings.port, settings.host, settings.snapshots_max) == (1003, "127.0.0.2", 3)


def test_the_table_lists_every_setting_there_is(tmp_path: Path) -> None:
    """The table is what the README shows; a setting that is not in it could not be set."""
    assert [kind.name for kind in SETTINGS] == [field.name for field in fields(Settings)]
    assert [row[0] for row in environment_table()] == [kind.variable for kind in SETTINGS]


@pytest.mark.parametrize("port", ["", "abc", "-1", "65536", "1.5", "9" * 30])
def test_a_wrong_number_is_refused_with_its_name_and_bounds(tmp_path: Path, port: str) -> None:
    """One sentence; an empty variable counts as not set."""
    if not port:
        assert read_settings({"FLOORSIDE_PORT": port}, {}, tmp_path).port == 8321
        return
    with pytest.raises(Refused, match="FLOORSIDE_PORT must be a whole number 0-65535"):
        read_settings({"FLOORSIDE_PORT": port}, {}, tmp_path)


@pytest.mark.parametrize("written", [b"port = ", b"\xff\xfe\x00", b"prot = 1", b'data_dir = "/"', b"port = true"])
def test_a_damaged_settings_file_is_named_in_one_sentence(tmp_path: Path, written: bytes) -> None:
    """No traceback, whatever is in it."""
    (tmp_path / "settings.toml").write_bytes(written)
    with pytest.raises(Refused) as refusal:
        read_settings({}, {"data_dir": tmp_path}, tmp_path)
    told = str(refusal.value)
    assert "settings.toml" in told or "FLOORSIDE_PORT" in told
    assert isinstance(refusal.value, Damaged) or "FLOORSIDE_PORT" in told
    assert "\n" not in told

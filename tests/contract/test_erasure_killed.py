"""`privacy erase` killed by kill -9 at its narrow places, the server beside it too: finished by the next start or by
running it again, and what is served in between is the shopper whole or nothing of her."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from sync_server.bootstrap import open_headquarters
from sync_server.services.privacy import show_erasures
from sync_server.settings import read_settings
from tests.support.forgotten import dump, fill, found_in, found_in_files
from tests.support.programs import ForkedServer, run_json_here
from tests.support.world import LOYALTY_ID, Journalist, make_headquarters, make_journalist

_PROGRAM = """
import os, signal, sys
from sync_server.command_line.app import run
event, name = sys.argv[1].split()
def look(frame, what, argument):
    if what == event and frame.f_code.co_name == name:
        os.kill(os.getpid(), signal.SIGKILL)
sys.setprofile(look)
sys.exit(run(sys.argv[2:]))
"""
"""The real program, killed the moment it calls or returns from a function."""
PLACES = {
    "before it is remembered": ("call _append", "call _append"),
    "remembered, nothing deleted": ("return add", "call _drop_identity"),
    "half of the rows gone": ("call _farewell", "return _drop_identity"),
    "before the commit": ("return publish", "return publish"),
    "the files not cleared": ("call compact", "call compact"),
}
"""Where the command is killed, and where the one that runs after it is killed again."""


def killed_at(place: str, *words: object) -> int:
    """Run a command line of `sync_server` that is killed at a place; its exit status."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, place, *map(str, words)], capture_output=True, timeout=110, check=False
    )
    return done.returncode


def served(server: ForkedServer, tablet: Journalist) -> list[str]:
    """The shopper's words in what a tablet of the store is given."""
    asked = {"headers": {"Authorization": f"Bearer {tablet.token}"}, "params": {"scope": tablet.scope}}
    reply = httpx.get(f"{server.url}/v1/sync/snapshot", timeout=30, **asked)  # type: ignore[arg-type]
    assert reply.status_code == 200, reply.text
    assert reply.text.splitlines()[-1].startswith('{"end":true'), "a snapshot that stops is no answer"
    return found_in(reply.text)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("place", PLACES)
def test_an_erasure_that_is_killed_is_finished(database_url: str, tmp_path: Path, place: str):
    """Killed, killed again, the running server killed with it: the next start serves nothing of her."""
    first, second = PLACES[place]
    folder = tmp_path / "hq"
    folder.mkdir()
    (folder / "settings.toml").write_text(f'database = "{database_url}"\n', "utf-8")
    hq = make_headquarters(database_url, folder)
    tablet = make_journalist(hq)
    fill(hq, tablet)
    hq.database.close()
    server = ForkedServer(folder).start()
    try:
        whole = served(server, tablet)
        assert {LOYALTY_ID, "blue kayak"} <= set(whole)
        command = ("privacy", "erase", LOYALTY_ID, "--data-dir", folder)
        assert killed_at(first, *command) == -signal.SIGKILL
        assert served(server, tablet) in (whole, [])
        assert killed_at(second, *command) == -signal.SIGKILL
        assert served(server, tablet) in (whole, [])
        server.kill()
        server = ForkedServer(folder).start()
        if place == "before it is remembered":
            assert served(server, tablet) == whole
            run_json_here("sync_server", *command)
        assert served(server, tablet) == []
    finally:
        server.kill()
    with open_headquarters(read_settings(dict(os.environ), {"data_dir": folder}, folder)) as opened:
        assert found_in(dump(opened)) == []
        assert [row["outstanding"] for row in show_erasures(opened)] == [1]
        assert all(row["files_cleared_at"] for row in show_erasures(opened))
        assert opened.database.erasures.known().keys() == {row["id"] for row in show_erasures(opened)}
    if database_url.startswith("sqlite"):
        assert found_in_files(tmp_path) == []

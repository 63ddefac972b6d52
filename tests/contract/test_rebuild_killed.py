"""A rebuild killed in the middle has changed nothing, and the next one finds what there was."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.who_is_who import link, rebuild
from tests.support.world import Journalist

TABLES = ("fact", "identity_fact", "identifier", "sighting", "sighted", "profile", "redirect", "review", "doc")
OLD, NEW = "2900000000018", "2900000000025"


def make_history(hq: Headquarters, tablet: Journalist) -> None:
    """Joins by what was seen and by what was said, a pair for review, a phone of too many, floor records."""
    tablet.push([tablet.note("likes wool", OLD), tablet.note("size 42", NEW)])
    people: list[dict[str, Any]] = [
        {"userId": "c-1", "traits": {"email": "mara@example.com", "phone": "+493012345678"}},
        {"userId": "c-2", "traits": {"email": "noah@example.com", "phone": "+493012345678"}},
        {"userId": "c-3", "traits": {"loyalty_id": NEW, "phone": "+493012345678"}},
        {"traits": {"email": "mara@example.com", "loyalty_id": OLD}, "anonymousId": "browser-1"},
        {"traits": {"phone": "+493012345678"}},
    ]
    messages = [{"type": "identify", "messageId": f"m-{number}", **one} for number, one in enumerate(people)]
    assert take_messages(hq.database, hq.clock, "shop", messages).accepted == len(people)
    link(hq, OLD, NEW, who="Ada", reason="a new card")


def everything(hq: Headquarters) -> dict[str, list[dict[str, Any]]]:
    """All rows of who is who, of profiles and of feeds; the parts of a state are in no order."""
    with hq.database.read() as reader:
        found = {table: reader.rows(table) for table in TABLES}
    found["profile"] = [{**row, "state": json.loads(row["state"])} for row in found["profile"]]
    return found


@pytest.mark.parametrize("stage", ["read", "placed", "assigned", "folded"])
def test_a_rebuild_killed_in_the_middle_loses_nothing(
    hq: Headquarters, tablet: Journalist, database_url: str, tmp_path: Path, stage: str
) -> None:
    """A real process, `kill -9`, at each stage; then a rebuild that comes through: the same rows and documents."""
    make_history(hq, tablet)
    before = everything(hq)
    words = ["-m", "tests.support.killed_rebuild", str(tmp_path), database_url, stage]
    died = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=110, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert everything(hq) == before
    told = rebuild(hq)
    assert (told["identifiers_changed"], told["facts_moved"]) == (0, 0)
    assert everything(hq) == before

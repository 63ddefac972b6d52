"""Publishing the playbook: everything in the feed, a new version for a changed play, one pack a hash."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from shared.errors import Refused
from shared.plays.playbook import Playbook
from shared.plays.settings import SETTING_ID, PlaySettings
from sync_server.services import playbook
from sync_server.services.headquarters import Headquarters
from sync_server.services.playbook import list_plays, publish_playbook, read_playbook, shipped_folder
from tests.support.world import SetClock

TODAY = dt.date(2026, 11, 22)
PLAY = """
id: say-hello
title: Say hello
tags: [welcome]
class: informational
condition: {kind: Group, op: all, items: []}
talking_points: {en: {opener: Hello from Nordhang.}}
"""


def documents_of(hq: Headquarters) -> dict[str, dict[str, object]]:
    """The feed of scope all."""
    with hq.database.read() as reader:
        return {row.id: json.loads(row.body) for row in reader.live_docs("all", "")}


def test_a_tablet_reads_back_the_very_pack_hq_published(hq: Headquarters) -> None:
    """The hash of what the documents say is the hash HQ keeps: replays find their pack."""
    count = publish_playbook(hq)
    documents = documents_of(hq)
    read = Playbook.from_documents(documents, PlaySettings.from_document(documents[SETTING_ID]))
    assert len(read.plays) == count > 20
    assert not read.unread
    with hq.database.read() as reader:
        assert [row["hash"] for row in reader.rows("rule_pack")] == [read.rule_pack]
        assert {play.id for play in read.plays} <= reader.play_ids()
    assert [row["play_id"] for row in list_plays(hq)] == sorted(play.id for play in read.plays)


def test_publishing_again_moves_nothing(hq: Headquarters) -> None:
    """Equal content is one version, and no tablet hears of it."""
    publish_playbook(hq)
    with hq.database.read() as reader:
        before = reader.head("all")
    publish_playbook(hq)
    with hq.database.read() as reader:
        assert reader.head("all") == before


def test_a_changed_play_becomes_the_next_version(hq: Headquarters, tmp_path: Path, monkeypatch) -> None:
    """The old one stays for the outcomes that name it."""
    folder = tmp_path / "files"
    (folder / "playbook").mkdir(parents=True)
    monkeypatch.setattr(playbook, "shipped_folder", lambda: folder)
    for words in ("Say hello", "Say good day", "Say good day"):
        (folder / "playbook" / "one.yaml").write_text(PLAY.replace("Say hello", words))
        publish_playbook(hq)
    with hq.database.read() as reader:
        assert [row["version"] for row in reader.rows("play_version", play_id="say-hello")] == [1, 2]
    assert [(row["title"], row["version"]) for row in list_plays(hq)] == [("Say good day", 2)]


def test_a_new_chain_gets_no_offer_its_tills_do_not_know(hq: Headquarters) -> None:
    """Only what promises nothing: no offer, no calendar, no play that hands one out."""
    publish_playbook(hq, has_offers=False)
    documents = documents_of(hq)
    assert not [name for name in documents if name.startswith(("offer/", "calendar/"))]
    assert {documents[name].get("offer_id") for name in documents if name.startswith("play/")} == {None}
    assert [name for name in documents if name.startswith("consent_wording/personalise_in_store/")]


def test_a_chain_reads_its_own_name_in_the_shipped_texts() -> None:
    """A consent given to another brand would be worth nothing."""
    found = read_playbook(shipped_folder(), TODAY, "Fjellvik")
    told = json.dumps([wording.model_dump(mode="json") for wording in found.wordings], ensure_ascii=False)
    assert "Fjellvik" in told
    assert "Nordhang" not in told


def test_relative_dates_are_fixed_at_publishing_in_the_chains_time_zone(
    hq: Headquarters, tmp_path: Path, monkeypatch
) -> None:
    """At 23:30 UTC it is already tomorrow in Berlin."""
    folder = tmp_path / "files"
    (folder / "playbook").mkdir(parents=True)
    (folder / "playbook" / "one.yaml").write_text(PLAY + "valid_from: today\n")
    monkeypatch.setattr(playbook, "shipped_folder", lambda: folder)
    assert isinstance(hq.clock, SetClock)
    hq.clock.move(hours=13, minutes=30)
    publish_playbook(hq)
    assert list_plays(hq)[0]["valid_from"] == "2026-11-23"


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("id: [", "no readable YAML"),
        ("id: Say Hello", "is not an id"),
        (PLAY.replace("informational", "importent"), "not known here"),
        (PLAY + "colour: red\n", "not known here"),
        (PLAY + "offer_id: nowhere\n", "no offer"),
        ("- 5\n", "no named fields"),
        ("!!python/object/apply:os.system [ls]", "no readable YAML"),
    ],
)
def test_a_wrong_file_is_refused_by_name_and_nothing_is_published(tmp_path: Path, written: str, told: str) -> None:
    """Every problem with its path; a file can run nothing."""
    (tmp_path / "playbook").mkdir()
    (tmp_path / "playbook" / "one.yaml").write_text(written)
    with pytest.raises(Refused, match=told):
        read_playbook(tmp_path, TODAY, "Nordhang")

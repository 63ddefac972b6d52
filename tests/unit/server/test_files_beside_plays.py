"""Segments, campaigns and journeys at HQ: published with the playbook, kept by version, exported as consent allows."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.errors import Refused
from shared.plays.campaigns import Campaign
from shared.plays.journeys import Journey
from shared.plays.refusal import PlaybookRefused
from shared.wire.canonical import canonical
from sync_server.ports import DocWrite
from sync_server.services.campaigns import list_campaigns
from sync_server.services.headquarters import Headquarters
from sync_server.services.journeys import count_journeys, count_published, list_journeys, read_journey, step_rows
from sync_server.services.kept_files import retire_files
from sync_server.services.play_life import check, diff, publish
from sync_server.services.playbook import publish_playbook, published_files
from sync_server.services.segments import export_segment, list_segments
from tests.support.plays import PLAY, ago, event, granted
from tests.support.programs import run_here, run_json_here
from tests.support.world import pass_time

KNITS: dict[str, Any] = {"id": "knits", "title": "Knits", "brief": "Wool.", "owner": "E-mail", "play_ids": ["greet"]}
WAY: dict[str, Any] = {
    "id": "way",
    "title": "Way",
    "within": "10 d",
    "entry": {"kind": "EventCount", "events": ["Product Added"], "cmp": ">=", "n": 1},
    "steps": [{"name": "Came", "condition": {"kind": "EventCount", "events": ["Store Entered"], "cmp": ">=", "n": 1}}],
    "goal": {"kind": "EventCount", "events": ["Order Completed"], "cmp": ">=", "n": 1},
}
BROWSERS: dict[str, Any] = {"id": "browsers", "title": "Browsers", "condition": WAY["entry"]}
BOUGHT: dict[str, Any] = {
    "id": "bought",
    "title": "Bought",
    "condition": {"kind": "Profile", "field": "orders", "op": "gte", "value": 1},
}


def write(folder: Path, kind: str, **content: Any) -> Path:
    """A file beside the plays; its path."""
    (folder / kind).mkdir(parents=True, exist_ok=True)
    path = folder / kind / f"{content['id']}.yaml"
    path.write_text(yaml.safe_dump(content), "utf-8")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A play, its campaign and a journey."""
    made = tmp_path / "files"
    write(made, "playbook", **{**PLAY, "campaign_id": "knits"})
    write(made, "campaigns", **KNITS)
    write(made, "journeys", **WAY)
    return made


def versions(hq: Headquarters) -> list[tuple[str, str, int]]:
    """Kind, id and version of everything kept."""
    with hq.database.read() as reader:
        return [(row["kind"], row["id"], row["version"]) for row in reader.rows("file_version")]


def put(hq: Headquarters, number: int, *consents: str, store: str = "berlin-1", **document: Any) -> None:
    """A shopper in a store's feed."""
    made = {
        "id": f"p{number}",
        "identifiers": [
            {"type": "email", "value": f"m{number}@example.com"},
            {"type": "loyalty_id", "value": f"L{number}"},
            {"type": "phone", "value": f"+4930{number}"},
        ],
        "given_name": "Mara",
        "consent": granted(*consents),
        "recent": [event("Product Added", 100, sku="A")],
        "facts": {"orders": 1, "home_store": "berlin-1"},
        **document,
    }
    with hq.database.write() as tx:
        tx.publish([DocWrite(f"store:{store}", f"profile/p{number}", canonical(made))], hq.now_at())


def sha(text: str) -> str:
    """How a receiver knows an address."""
    return hashlib.sha256(text.encode()).hexdigest()


# publishing -----------------------------------------------------------------------------------------------------------


def test_they_are_published_with_the_playbook_and_an_edit_is_a_version(hq: Headquarters, folder: Path) -> None:
    """diff says what publish does; the same again is nothing; no tablet hears of either."""
    assert [(one.kind, one.id, one.what) for one in diff(hq, folder)] == [
        ("play", "greet", "new"),
        ("campaign", "knits", "new"),
        ("journey", "way", "new"),
    ]
    publish(hq, folder)
    publish(hq, folder)
    assert diff(hq, folder) == []
    assert versions(hq) == [("campaign", "knits", 1), ("journey", "way", 1)]
    write(folder, "journeys", **{**WAY, "within": "12 d"})
    (shown,) = diff(hq, folder)
    assert (shown.kind, shown.what, shown.fields) == ("journey", "changed", ("within",))
    publish(hq, folder)
    assert versions(hq) == [("campaign", "knits", 1), ("journey", "way", 1), ("journey", "way", 2)]
    assert [(one["id"], one["version"], one["within_h"]) for one in list_journeys(hq)] == [("way", 2, 288)]
    with hq.database.read() as reader:
        assert not [row.id for row in reader.live_docs("all", "") if row.id.startswith(("campaign", "journey"))]
        assert published_files(reader).journeys[0].within_h == 288


def test_a_wrong_one_refuses_all_and_nothing_is_kept(hq: Headquarters, folder: Path) -> None:
    """A play nobody defines, by its path; the play beside it is not published either."""
    write(folder, "campaigns", **{**KNITS, "play_ids": ["gret"]})
    with pytest.raises(PlaybookRefused, match=r"knits: play_ids\[0\]: there is no play 'gret'. Did you mean greet"):
        publish(hq, folder)
    write(folder, "campaigns", **KNITS)
    write(folder, "journeys", **{**WAY, "goal": {"kind": "Stage", "in": ["new"]}})
    with pytest.raises(PlaybookRefused, match=r"journeys/way.yaml was not taken.*\n  goal: Stage tells how it is"):
        publish(hq, folder)
    assert versions(hq) == []
    with hq.database.read() as reader:
        assert published_files(reader).plays == ()


def test_what_is_published_may_be_named_and_orphans_are_warned_of(hq: Headquarters, folder: Path) -> None:
    """Two folders, one playbook; a campaign's file that is gone from the folder stays published."""
    publish(hq, folder)
    other = folder.parent / "other"
    write(other, "playbook", **{**PLAY, "id": "lost", "campaign_id": "knit"})
    write(other, "campaigns", **{**KNITS, "id": "second", "play_ids": ["lost-and-found"]})
    with pytest.raises(PlaybookRefused, match="there is no play 'lost-and-found'"):
        check(hq, other)
    write(other, "campaigns", **{**KNITS, "id": "second", "play_ids": []})
    found, warnings = check(hq, other)
    assert [one.id for one in found.campaigns] == ["second"]
    mend = "Write campaigns/knit.yaml, or take its campaign_id out."
    assert [told for told in warnings if "orphan" in told] == [
        f"The play lost is an orphan: there is no campaign knit. Did you mean knits? {mend}"
    ]


def test_what_ends_is_gone_and_may_come_back(hq: Headquarters, folder: Path) -> None:
    """Its tags are free for another; its versions stay, and its file makes the next one."""
    write(folder, "campaigns", **{**KNITS, "utm_campaign": ["wool"]})
    publish(hq, folder)
    other = write(
        folder.parent / "other", "campaigns", **{**KNITS, "id": "socks", "play_ids": [], "utm_campaign": ["wool"]}
    )
    with pytest.raises(PlaybookRefused, match="wool is a tag of the campaign knits already"):
        publish(hq, other.parent.parent)
    retire_files(hq, Campaign, ["knits"])
    publish(hq, other.parent.parent)
    assert [one["id"] for one in list_campaigns(hq)] == ["socks"]
    with pytest.raises(Refused, match="There is no campaign 'knits' published"):
        retire_files(hq, Campaign, ["socks", "knits"])
    assert [one["id"] for one in list_campaigns(hq)] == ["socks"]
    retire_files(hq, Campaign, ["socks"])
    publish(hq, folder)
    assert [(one["id"], one["version"]) for one in list_campaigns(hq)] == [("knits", 3)]
    retire_files(hq, Journey, ["way"])
    assert list_journeys(hq) == []


def test_a_folder_of_campaigns_alone_is_enough(hq: Headquarters, folder: Path) -> None:
    """Marketing may keep them apart from the plays."""
    publish(hq, folder)
    alone = write(folder.parent / "alone", "campaigns", **{**KNITS, "owner": "Stores"}).parent.parent
    publish(hq, alone)
    assert [(one["id"], one["version"], one["owner"]) for one in list_campaigns(hq)] == [("knits", 2, "Stores")]


def test_what_ships_is_published_and_a_new_chain_gets_no_campaign_of_another(hq: Headquarters) -> None:
    """Campaigns go with the offers they hand out; journeys promise nothing."""
    publish_playbook(hq, has_offers=False)
    assert {kind for kind, _, _ in versions(hq)} == {"journey"}
    publish_playbook(hq)
    campaigns = {one["id"]: one for one in list_campaigns(hq)}
    assert len(campaigns) == 8
    assert campaigns["member-weekend"]["budget"] == {"EUR": 1_250_000, "CHF": 300_000}
    assert {one["id"]: one["state"] for one in list_campaigns(hq)}["trade-in"] == "to come"
    pass_time(hq, days=30)
    assert {one["id"]: one["state"] for one in list_campaigns(hq)}["member-weekend"] == "over"
    assert len(list_journeys(hq)) == 5


# segments -------------------------------------------------------------------------------------------------------------


def test_an_export_tells_keys_only_as_consent_lets_out(hq: Headquarters, tmp_path: Path) -> None:
    """Numbers the shop gave out always; an e-mail or phone with its consent; never a name or an event."""
    put(hq, 1, "email", "sms")
    put(hq, 2)
    put(hq, 3, "phone", facts={"orders": 0})
    rows = list(export_segment(hq, write(tmp_path, "segments", **BOUGHT)))
    assert rows == [
        {
            "segment": "bought",
            "profile_id": "p1",
            "home_store": "berlin-1",
            "email_sha256": sha("m1@example.com"),
            "loyalty_id_sha256": sha("L1"),
            "phone_sha256": sha("+49301"),
        },
        {"segment": "bought", "profile_id": "p2", "home_store": "berlin-1", "loyalty_id_sha256": sha("L2")},
    ]
    with hq.database.read() as reader:
        assert ("exported a segment", "bought: 2 shoppers") in {
            (row["did"], row["about"]) for row in reader.rows("audit")
        }


def test_a_segment_of_what_shoppers_do_online_asks_for_profiling(hq: Headquarters, tmp_path: Path) -> None:
    """A preview counts both; only one leaves, and none who takes it back before the row is read."""
    put(hq, 1, "personalise_in_store", "profiling")
    put(hq, 2, "personalise_in_store")
    put(hq, 3, "personalise_in_store", "profiling")
    path = write(tmp_path, "segments", **BROWSERS)
    rows = export_segment(hq, path)
    put(hq, 3, "personalise_in_store")
    assert [row["profile_id"] for row in rows] == ["p1"]
    assert list(export_segment(hq, path, "zurich-1")) == []


def test_a_segments_files_are_listed_and_what_is_none_is_refused(hq: Headquarters, tmp_path: Path) -> None:
    """With what each asks, other segments written out."""
    told = {one["id"]: one for one in list_segments(language="de")}
    assert sorted(told) == ["far", "frequent-returners", "ideal-shopper", "top-value", "urban-near-store"]
    assert told["urban-near-store"]["asks"] == "Wohnt höchstens 3 km von diesem Laden."
    assert "etwas zurückgegeben" in told["ideal-shopper"]["asks"]
    with pytest.raises(Refused, match="is a play's file"):
        export_segment(hq, write(tmp_path, "playbook", **PLAY))
    with pytest.raises(Refused, match="There is no folder"):
        list_segments(tmp_path / "nowhere")


# journeys -------------------------------------------------------------------------------------------------------------

BOTH = ("analytics", "personalise_in_store")


def test_a_journey_counts_who_agreed_once_each_and_says_its_coverage(hq: Headquarters, tmp_path: Path) -> None:
    """Without analytics nobody is counted, nor without what lets the steps be seen; two feeds hold one shopper."""
    came = event("Store Entered", 50, channel="store")
    bought = event("Order Completed", 49, channel="pos", order_id="1")
    cart = event("Product Added", 100, sku="A")
    put(hq, 1, *BOTH, recent=[cart, came, bought])
    put(hq, 1, *BOTH, recent=[cart, came, bought], store="zurich-1")
    put(hq, 2, *BOTH, recent=[cart, came])
    put(hq, 3, *BOTH, recent=[])
    put(hq, 4, "personalise_in_store", recent=[cart, came, bought])
    put(hq, 5, "analytics", recent=[came, bought])
    journey = read_journey(hq, write(tmp_path, "journeys", **WAY))
    hq.clock.move(hours=3, minutes=2)  # type: ignore[attr-defined]
    (told,) = count_journeys(hq, [journey])
    assert (told["shoppers"], told["counted"], told["coverage_ppm"]) == (5, 3, 600_000)
    assert (told["entered"], told["completed"], told["under_way"]) == (2, 1, 1)
    assert [(step["reached"], step["under_way"], step["median_s"]) for step in told["steps"]] == [
        (2, 0, None),
        (2, 1, 50 * 3600),
        (1, 0, 3600),
    ]
    assert count_journeys(hq, [journey], "zurich-1")[0]["shoppers"] == 1
    assert [row["reached"] for row in step_rows([told])] == [2, 2, 1]
    with pytest.raises(Refused, match="There is no store 'x'"):
        count_journeys(hq, [journey], "x")
    with pytest.raises(Refused, match="No journey is published yet"):
        count_published(hq)


def test_the_commands_say_the_same(hq: Headquarters, folder: Path, tmp_path: Path) -> None:
    """Lists, checks and exports, as JSON and as files."""
    put(hq, 1, *BOTH, "profiling", recent=[event("Product Added", 100, sku="A", at=ago(100))])
    here = ("--data-dir", tmp_path / "hq", "--database", hq.settings.database)
    (tmp_path / "hq").mkdir()
    shutil.copytree(tmp_path / "keys", tmp_path / "hq" / "keys")
    counts = run_json_here("sync_server", "play", "check", folder, *here)
    assert (counts["campaigns"], counts["journeys"]) == (1, 1)
    run_json_here("sync_server", "play", "publish", folder, *here)
    assert [one["id"] for one in run_json_here("sync_server", "campaign", "list", *here)] == ["knits"]
    assert [one["id"] for one in run_json_here("sync_server", "journey", "list", *here)] == ["way"]
    told = run_json_here("sync_server", "journey", "check", folder / "journeys" / "way.yaml", *here)
    assert (told["asks"][1][:8], told["shoppers"]) == ("1. Came:", 1)
    steps = tmp_path / "steps.csv"
    assert run_json_here("sync_server", "journey", "export", steps, *here)["steps"] == 3
    assert steps.read_text("utf-8").splitlines()[1].startswith("way,Way,0,Entered,")
    for noun, name in (("campaign", "knits"), ("journey", "way")):
        assert run_json_here("sync_server", noun, "retire", name, *here) == {"retired": [name]}
    segment = write(folder, "segments", **BROWSERS)
    assert [one["id"] for one in run_json_here("sync_server", "segment", "list", folder)] == ["browsers"]
    assert run_json_here("sync_server", "segment", "preview", segment, *here)["count"] == 1
    rows = tmp_path / "rows.jsonl"
    assert run_json_here("sync_server", "segment", "export", segment, rows, "--format", "jsonl", *here)["shoppers"] == 1
    assert json.loads(rows.read_text("utf-8"))["profile_id"] == "p1"
    shown = run_here("sync_server", "segment", "export", segment, *here)
    assert shown.out.splitlines()[0].startswith("segment,profile_id,home_store,email_sha256")

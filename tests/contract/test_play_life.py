"""A playbook's life on both databases: files to versions, holdouts, retiring, managers' changes, proposals, replay."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Refused
from shared.plays.playbook import Play, Playbook
from shared.plays.refusal import PlaybookRefused
from sync_server.ports import CentralReader
from sync_server.services.chain import NewAssociate, add_associates
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.intake import take_push
from sync_server.services.play_changes import decide, list_changes, list_proposals
from sync_server.services.play_life import check, diff, publish, replay
from sync_server.services.playbook import published_files, retire_plays
from tests.support.programs import run_json_here
from tests.support.world import LOYALTY_ID, Journalist, make_journalist, pass_time, verdicts

PLAY = """
id: {id}
title: {title}
tags: [welcome]
class: recommended
condition: {{kind: Group, op: all, items: []}}
talking_points: {{en: {{opener: Hello.}}}}
holdout: {{percent: 10}}
guardrails: {{lever_min: -10, lever_max: 20, may_pause: true}}
"""
OFFER = "id: {id}\ntitle: Ten\nkind: percent\npercent: 10\nterms: Once.\ncodes: [{id}]\n"
ENTRY = "id: {id}\ntitle: Promotion\nkind: promotion\nfrom_on: {first}\nuntil_on: {last}\ntext: Now.\n"
SHOPPER = {"type": "loyalty_id", "value": LOYALTY_ID}


def write(folder: Path, kind: str, name: str, text: str) -> Path:
    """A file of the playbook; the folder that holds them."""
    (folder / kind).mkdir(parents=True, exist_ok=True)
    (folder / kind / f"{name}.yaml").write_text(text, "utf-8")
    return folder


def hello(folder: Path, title: str = "Say hello", more: str = "", id_: str = "say-hello") -> Path:
    """A folder with one play."""
    return write(folder, "playbook", id_, PLAY.format(id=id_, title=title) + more)


def live(hq: Headquarters) -> dict[str, Play]:
    """The plays published now."""
    with hq.database.read() as reader:
        return {play.id: play for play in published_files(reader).plays}


def body_of(reader: CentralReader, document_id: str) -> dict[str, Any]:
    """A document of berlin-1."""
    row = reader.doc("store:berlin-1", document_id)
    assert row is not None
    return dict(json.loads(row.body))


@pytest.fixture
def manager(hq: Headquarters) -> str:
    """Who manages berlin-1."""
    return str(add_associates(hq, [NewAssociate("berlin-1", "Mira", role="manager")])[0]["associate_id"])


def change(tablet: Journalist, who: str, **said: Any) -> dict[str, Any]:
    """A change of the play, recorded."""
    return tablet.record("play_changed", {"play_id": "say-hello", **said}, associate_id=who)


# files ----------------------------------------------------------------------------------------------------------------


def test_an_edit_is_shown_then_a_new_version_that_keeps_its_holdout(hq: Headquarters, tmp_path: Path) -> None:
    """diff says what publish does; the same again is nothing; a new period is drawn when asked, and stays."""
    folder = hello(tmp_path)
    assert [(one.what, one.version) for one in diff(hq, folder)] == [("new", 1)]
    publish(hq, folder)
    assert diff(hq, folder) == []
    hello(tmp_path, "Say good day")
    (shown,) = diff(hq, folder)
    assert (shown.what, shown.version, shown.fields) == ("changed", 2, ("title.en",))
    assert publish(hq, folder)[0] == [shown]
    assert (live(hq)["say-hello"].version, live(hq)["say-hello"].holdout.period) == (2, 1)
    publish(hq, folder, is_new_holdout=True)
    publish(hq, hello(tmp_path, "Say good morning"))
    assert (live(hq)["say-hello"].version, live(hq)["say-hello"].holdout.period) == (4, 2)


def test_an_old_version_and_a_retired_play_finish_their_open_outcomes(
    hq: Headquarters, tablet: Journalist, tmp_path: Path
) -> None:
    """A tablet that was away says what came of version 1; a play nobody ever published is parked as before."""
    publish(hq, hello(tmp_path))
    publish(hq, hello(tmp_path, "Say good day"))
    retire_plays(hq, ["say-hello"])
    assert live(hq) == {}
    told = {"play_version": 1, "outcome": "interested", "arm": "shown", "rule_pack": "0" * 64, "shopper": SHOPPER}
    for play_id in ("say-hello", "never-was"):
        tablet.record("outcome_recorded", {"play_id": play_id, **told})
    assert verdicts(tablet.push()) == ["accepted", "parked:unknown_play"]
    with pytest.raises(Refused, match="no play 'say-hello' published"):
        retire_plays(hq, ["say-hello"])
    assert [one.what for one in diff(hq, tmp_path)] == ["published again"]


def test_what_no_file_names_stays_and_the_pack_is_what_tablets_read(hq: Headquarters, tmp_path: Path) -> None:
    """Two folders, one playbook; its hash is the one kept, after each step."""
    publish(hq, hello(tmp_path / "one"))
    publish(hq, hello(tmp_path / "two", id_="say-bye"))
    assert sorted(live(hq)) == ["say-bye", "say-hello"]
    assert ("play", "say-hello", "not in the files") in [
        (one.kind, one.id, one.what) for one in diff(hq, tmp_path / "two")
    ]
    retire_plays(hq, ["say-bye"])
    with hq.database.read() as reader:
        documents = {row.id: json.loads(row.body) for row in reader.live_docs("all", "")}
        settings = published_files(reader).settings
        assert Playbook.from_documents(documents, settings).rule_pack in {
            row["hash"] for row in reader.rows("rule_pack")
        }


def test_links_must_hold_clashes_and_orphans_are_said(hq: Headquarters, tmp_path: Path) -> None:
    """An offer id nobody defines refuses all; two promotions at once, an early end and an orphan are warnings."""
    folder = hello(tmp_path, more="offer_id: ten\nvalid_until: 2026-12-05\n")
    with pytest.raises(PlaybookRefused, match="there is no offer 'ten'"):
        check(hq, folder)
    for offer in ("ten", "twelve", "lost"):
        write(folder, "offers", offer, OFFER.format(id=offer))
    for entry, offer, first, last in (("a", "ten", "01", "10"), ("b", "twelve", "08", "20"), ("c", "ten", "21", "22")):
        text = ENTRY.format(id=entry, first=f"2026-12-{first}", last=f"2026-12-{last}")
        write(folder, "calendar", entry, f"{text}offer_id: {offer}\nplay_ids: [say-hello]\n")
    _, warnings = check(hq, folder)
    assert warnings[:2] == [
        "Clash from 2026-12-08 to 2026-12-10: a and b hand out different offers, ten and twelve.",
        "Clash from 2026-12-08 to 2026-12-10: a and b are both told by say-hello.",
    ]
    assert "a ends on 2026-12-10, the play say-hello already on 2026-12-05." in warnings
    assert warnings[-1] == "The offer lost is an orphan: no play and no calendar entry hands it out."
    write(
        folder, "calendar", "c", ENTRY.format(id="c", first="2026-12-21", last="2026-12-22") + "play_ids: [say-hullo]\n"
    )
    with pytest.raises(PlaybookRefused, match="Did you mean say-hello"):
        publish(hq, folder)
    assert live(hq) == {}


# managers -------------------------------------------------------------------------------------------------------------


def test_changes_hold_in_their_store_whatever_comes_first(hq: Headquarters, manager: str, tmp_path: Path) -> None:
    """Each part as it was said last, in every order of arrival; the tablet's playbook reads it."""
    said: list[dict[str, Any]] = [
        {"paused": True, "talking_points": {"en": {"opener": "Good day."}}},
        {"lever": 5},
        {"paused": False, "lever": 20},
    ]
    orders = list(permutations(range(3)))
    for place in range(len(orders)):
        hello(tmp_path, id_=f"say-{place}")
    publish(hq, tmp_path)
    tablets = [make_journalist(hq) for _ in said]
    for place, order in enumerate(orders):
        for number in order:
            at = f"2026-11-22T09:{place}{number}:00.000Z"
            body = {"play_id": f"say-{place}", **said[number]}
            op = tablets[number].record("play_changed", body, associate_id=manager, occurred_at=at)
            assert verdicts(tablets[number].push([op])) == ["accepted"]
    rows = list_changes(hq)
    assert [(one["store"], one["paused"], one["lever"], one["words"]) for one in rows] == [
        ("berlin-1", False, 20, ["en"])
    ] * len(orders)
    with hq.database.read() as reader:
        held = body_of(reader, "play_change/say-0")
    playbook = Playbook.from_documents({"play_change/say-0": held})
    (change_read, points) = (playbook.changes["say-0"], playbook.changes["say-0"].talking_points)
    assert (change_read.paused, change_read.lever, points["en"].opener) == (False, 20, "Good day.")


def test_beyond_the_guardrails_and_from_others_nothing_changes_and_hq_hears_why(
    hq: Headquarters, tablet: Journalist, manager: str, tmp_path: Path
) -> None:
    """The lever too far, words too many, somebody who is no manager: proposals with the reason."""
    publish(hq, hello(tmp_path))
    change(tablet, manager, lever=50)
    change(tablet, manager, talking_points={"en": {"opener": "word " * 61}})
    change(tablet, "a0099", paused=True)
    assert set(verdicts(tablet.push())) == {"accepted"}
    assert list_changes(hq) == []
    assert [one["problem"] for one in list_proposals(hq)] == [
        "The lever of this play goes from -10 to 20.",
        "61 words; at most 60 fit beside a conversation.",
        "Only a manager changes plays.",
    ]


def test_a_proposal_waits_is_answered_once_and_its_store_reads_it(
    hq: Headquarters, tablet: Journalist, manager: str, tmp_path: Path
) -> None:
    """Open, then accepted with a word; a second answer is refused; the push again changes nothing."""
    publish(hq, hello(tmp_path))
    op = change(tablet, manager, proposal={"text": "Add the boots as well."})
    tablet.push()
    (waiting,) = list_proposals(hq)
    assert (waiting["id"], waiting["store"], waiting["state"]) == (op["op_id"], "berlin-1", "open")
    decide(hq, op["op_id"], is_accepted=True, why="Good idea")
    take_push(hq.database, hq.keys, hq.clock, hq.chance, tablet.device, tablet.message())
    assert list_proposals(hq) == []
    with hq.database.read() as reader:
        held = body_of(reader, f"play_proposal/{op['op_id']}")
    assert (held["state"], held["answer"]) == ("accepted", "Good idea")
    for named in (op["op_id"], "nothing"):
        with pytest.raises(Refused, match=r"already|no proposal"):
            decide(hq, named, is_accepted=False)


# replay ---------------------------------------------------------------------------------------------------------------


def test_past_cards_say_who_gains_and_who_loses_before_anything_is_published(
    hq: Headquarters, tablet: Journalist, tmp_path: Path
) -> None:
    """A stage that leaves the shopper out takes the play from her; another play comes in its place."""
    publish(hq, hello(tmp_path / "now", more="", id_="say-hello"))
    traits = {"loyalty_id": LOYALTY_ID}
    take_messages(
        hq.database, hq.clock, "web-shop", [{"messageId": "1", "type": "identify", "userId": "c", "traits": traits}]
    )
    shown = [{"play_id": "say-hello", "play_version": 1, "arm": "shown", "rank": 1}]
    tablet.record("impression_recorded", {"shopper": SHOPPER, "shown": shown, "rule_pack": "0" * 64, "profile_s": 0})
    tablet.push()
    pass_time(hq, hours=1)
    folder = hello(tmp_path / "then", more="stages: [win_back]\n")
    hello(folder, id_="say-bye")
    told = replay(hq, folder, 30)
    assert (told["decisions"], told["changed"], told["left_out"]) == (1, 1, 0)
    assert {one["play_id"]: (one["gaining"], one["losing"]) for one in told["plays"]} == {
        "say-hello": ([], [LOYALTY_ID]),
        "say-bye": ([LOYALTY_ID], []),
    }
    assert live(hq)["say-hello"].stages == ()
    assert replay(hq, tmp_path / "now", 30)["changed"] == 0


def test_the_commands_say_the_same(hq: Headquarters, tmp_path: Path) -> None:
    """One JSON value each."""
    here = ("--data-dir", tmp_path / "hq", "--database", hq.settings.database)
    folder = hello(tmp_path / "files")
    (tmp_path / "hq").mkdir()
    (tmp_path / "keys").rename(tmp_path / "hq" / "keys")
    assert run_json_here("sync_server", "play", "check", folder, *here)["plays"] == 1
    assert [one["what"] for one in run_json_here("sync_server", "play", "diff", folder, *here)] == ["new"]
    assert len(run_json_here("sync_server", "play", "publish", folder, *here)["changes"]) == 1
    assert run_json_here("sync_server", "play", "replay", folder, *here)["decisions"] == 0
    assert run_json_here("sync_server", "play", "changes", *here) == []
    assert run_json_here("sync_server", "play", "proposals", *here) == []
    assert run_json_here("sync_server", "play", "retire", "say-hello", *here) == {"retired": ["say-hello"]}

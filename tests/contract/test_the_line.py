"""The whole line by command line only: a shop played from a shell while its server dies and comes back.

The server is a process, and so is the tablet that is killed; other command lines are run here, seconds saved on each.
"""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from segment.analytics.client import Client

from tests.support.programs import ForkedServer, run_here, run_json, run_json_here

SHOPPERS = 300
STORE = "berlin-1"


class Tablet:
    """An `associate-app` with a data folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: object) -> Any:
        return run_json_here("associate_app", *words, "--data-dir", self.folder)

    def as_process(self, *words: object) -> Any:
        """The same as a program of its own."""
        return run_json("associate_app", *words, "--data-dir", self.folder)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedServer]:
    """A demo chain behind a running server."""
    folder = tmp_path_factory.mktemp("hq") / "server"
    said = run_here("sync_server", "demo-data", "--shoppers", SHOPPERS, "--seed", 7, "--data-dir", folder)
    assert said.status == 0, said.err
    server = ForkedServer(folder).start()
    yield server
    server.kill()


def enrolled(server: ForkedServer, folder: Path, store: str = STORE) -> Tablet:
    """A tablet of a store, enrolled by a one-time code and synced."""
    tablet = Tablet(folder)
    code = run_json_here("sync_server", "device", "enrol", "--store", store, "--data-dir", server.data_dir)["code"]
    tablet("enrol", code, "--server", server.url)
    tablet("sync")
    return tablet


def shoppers_of(server: ForkedServer, store: str = STORE, limit: int = 20) -> list[dict[str, Any]]:
    """Some shoppers of a store."""
    words = ("shopper", "list", "--store", store, "--limit", limit, "--data-dir", server.data_dir)
    return list(run_json_here("sync_server", *words))


def card_of(server: ForkedServer, loyalty_id: str) -> str:
    """A signed card for a shopper."""
    return str(run_json_here("sync_server", "card", "issue", loyalty_id, "--data-dir", server.data_dir)["card"])


def sheet_of(server: ForkedServer) -> dict[str, dict[str, Any]]:
    """The demo's cards: shoppers by name, codes to be refused by kind."""
    cards = run_json_here("sync_server", "demo-sheet", "--data-dir", server.data_dir)["cards"]
    return {card["name"] if card["loyalty_id"] else card["kind"]: card for card in cards}


def outcomes_at_hq(server: ForkedServer, loyalty_id: str) -> list[dict[str, Any]]:
    """The outcomes on the profile as HQ holds it in full."""
    return list(run_json_here("sync_server", "profile", "show", loyalty_id, "--data-dir", server.data_dir)["outcomes"])


def test_twelve_cards_and_six_outcomes_with_the_server_dead_reach_hq_once_and_the_second_tablet(
    demo: ForkedServer, tmp_path: Path
) -> None:
    """Server killed; cards open with plays and whys; what was bought is held back at once; later all is at HQ, once."""
    first, second = enrolled(demo, tmp_path / "first"), enrolled(demo, tmp_path / "second")
    shown = [card for card in sheet_of(demo).values() if card["kind"] == "shopper"]
    others = [shopper["loyalty_id"] for shopper in shoppers_of(demo, limit=2)]
    cards = {card["loyalty_id"]: card["text"] for card in shown} | {one: card_of(demo, one) for one in others}
    assert len(cards) == 12
    demo.kill()
    views = {number: first("lookup", card) for number, card in cards.items()}
    assert {view["card"]["status"] for view in views.values()} == {"verified"}
    with_plays = {number: view for number, view in views.items() if view["plays"]}
    assert len(with_plays) >= 7
    assert all(play["why"] for view in with_plays.values() for play in view["plays"])
    recorded = {}
    for number, view in list(with_plays.items())[:6]:
        play_id = view["plays"][0]["play_id"]
        first("record", "--shopper", number, "--play", play_id, "--outcome", "bought")
        recorded[number] = play_id
        after = first("lookup", cards[number])
        assert play_id not in [play["play_id"] for play in after["plays"]]
        [held] = [one for one in after["held_back"] if one["play_id"] == play_id]
        assert held["reason"]
        assert held["until"]
    status = first("status")
    assert status["pending"] == status["recorded"] - status["acked"] > 0
    demo.start()
    first("sync")
    second("sync")
    status = first.as_process("status")
    assert (status["pending"], status["parked"], status["rejected"]) == (0, 0, 0)
    assert status["receipt"]["through_seq"] == status["recorded"]
    for number, play_id in recorded.items():
        bought = [line for line in outcomes_at_hq(demo, number) if line["play_id"] == play_id]
        assert [line["outcome"] for line in bought] == ["bought"]
        seen = second("lookup", cards[number])
        assert play_id in [one["play_id"] for one in seen["held_back"]]


def test_a_kill_between_record_and_sync_loses_nothing_that_was_said_to_be_saved(
    demo: ForkedServer, tmp_path: Path
) -> None:
    """The tablet's process is killed right after each 'saved'; every record is in the journal and reaches HQ."""
    tablet = enrolled(demo, tmp_path / "killed")
    number = next(one["loyalty_id"] for one in shoppers_of(demo) if tablet("lookup", one["loyalty_id"])["plays"])
    play_id = tablet("lookup", number)["plays"][0]["play_id"]
    words = ["record", "--shopper", number, "--play", play_id, "--outcome", "interested", "--json"]
    process = subprocess.Popen(
        [sys.executable, "-m", "associate_app", *words, "--data-dir", str(tablet.folder)], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    assert tablet("status")["pending"] > 0
    tablet("sync")
    assert tablet("status")["pending"] == 0
    assert [line["outcome"] for line in outcomes_at_hq(demo, number) if line["play_id"] == play_id] == ["interested"]


def test_an_unmodified_segment_client_reaches_the_card_unless_consent_forbids(
    demo: ForkedServer, tmp_path: Path
) -> None:
    """`Product Added` by segment-analytics-python is on the card after a sync, or withheld without consent."""
    tablet = enrolled(demo, tmp_path / "segment")
    key = run_json_here("sync_server", "key", "create", "--source", "shop", "--data-dir", demo.data_dir)["write_key"]
    agreeing, refusing = (sheet_of(demo)[name]["loyalty_id"] for name in ("Mara Lindqvist", "Aylin Demir"))
    client = Client(key, host=demo.url)
    for number in (agreeing, refusing):
        properties = {"product_id": "TEST-1", "sku": "TEST-1", "name": "Test lantern", "price": 19.9, "currency": "EUR"}
        client.track(number, "Product Added", properties)
    client.shutdown()
    tablet("sync")
    titles = {
        number: [line.get("title") for line in tablet("lookup", number)["profile"].get("recent", [])]
        for number in (agreeing, refusing)
    }
    assert "Test lantern" in titles[agreeing]
    assert titles[refusing] == []


def test_a_shopper_of_another_store_opens_from_the_card_and_then_comes_through_the_feed(
    demo: ForkedServer, tmp_path: Path
) -> None:
    """Offline the signed card is enough for a usable card; after contact the profile is in this store's slice."""
    tablet = enrolled(demo, tmp_path / "traveller")
    lisbon = next(
        one["code"]
        for one in run_json_here("sync_server", "store", "list", "--data-dir", demo.data_dir)
        if one["code"].startswith("lisbon")
    )
    stranger = next(
        one["loyalty_id"]
        for one in shoppers_of(demo, lisbon, limit=40)
        if not (tablet("lookup", one["loyalty_id"])["profile"] or {}).get("as_of")
    )
    card = card_of(demo, stranger)
    demo.kill()
    view = tablet("lookup", card)
    assert view["card"]["status"] == "verified"
    assert view["plays"], "a usable card has the generic plays"
    tablet("record", "--shopper", card, "--play", view["plays"][0]["play_id"], "--outcome", "interested")
    demo.start()
    tablet("sync")
    view = tablet("lookup", card)
    assert view["profile"]["as_of"]
    assert view["profile"]["identifiers"]


def test_codes_are_told_apart(demo: ForkedServer, tmp_path: Path) -> None:
    """Each kind of code by its own word, its own sentence, and nothing raises."""
    sheet = sheet_of(demo)
    tablet = enrolled(demo, tmp_path / "codes")
    codes = {kind: sheet[kind]["text"] for kind in ("expired", "cancelled", "forged", "unknown_key", "foreign")}
    codes |= {"verified": sheet["Tom Berger"]["text"], "number_only": sheet["Tom Berger"]["loyalty_id"]}
    statuses = {name: tablet("lookup", text)["card"]["status"] for name, text in codes.items()}
    assert statuses == {name: name for name in codes}
    for hostile in ("x" * 10_000, "FS1.", "{not json", "\u202e\u0007", "FS1.AAAA"):
        said = run_here("associate_app", "lookup", hostile, "--json", "--data-dir", tablet.folder)
        assert said.status in (0, 1)
        assert "Traceback" not in said.err + said.out


def test_your_own_chain_in_fifteen_minutes(tmp_path: Path) -> None:
    """The ten lines of the README, run as they stand there, end with a first scan."""
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    [block] = re.findall(r"## Your own chain in 15 minutes.*?```console\n(.*?)```", readme, re.DOTALL)
    server = ForkedServer(tmp_path / "hq")
    said: dict[str, str] = {}
    try:
        for line in filter(None, block.splitlines()):
            _play(line, tmp_path, server, said)
    finally:
        server.kill()
    assert '"status": "verified"' in said["all"]


def _play(line: str, folder: Path, server: ForkedServer, said: dict[str, str]) -> None:
    """One line of the README: programs run here, `serve &` in the background, CODE and CARD from what was printed."""
    text = line.replace("http://127.0.0.1:8321", server.url).replace("CODE", said.get("code", "CODE"))
    text = text.replace("FS1.CARD", said.get("card", "FS1.CARD")).replace("./", f"{folder}/")
    program, *words = shlex.split(text.removesuffix("&"))
    if words[0] == "serve":
        server.start()
        return
    done = run_here({"sync-server": "sync_server", "associate-app": "associate_app"}[Path(program).name], *words)
    assert done.status == 0, f"{line}: {done.err}"
    said["all"] = said.get("all", "") + done.out
    if found := re.search(r'"code": ?"([^"]+)"', done.out):
        said["code"] = found[1]
    if found := re.search(r'"card": ?"(FS1\.[^"]+)"', done.out):
        said["card"] = found[1]

"""The courier in running servers: two of them never send the same, one that fails is asked again, a stop is clean."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import httpx
import pytest

from sync_server.bootstrap import trait_outlet
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.sources import create_key
from sync_server.services.trait_targets import (
    CLAIM_S,
    DELIVERY,
    What,
    add_target,
    remove_target,
    run_targets,
)
from tests.support.postgresql import PostgresServer
from tests.support.programs import run_here
from tests.support.receiver import Receiver, receiver
from tests.support.traffic import loyalty_number
from tests.support.two_servers import two_servers
from tests.support.world import pass_time

SHOPPERS = 60


def test_two_servers_on_one_database_send_each_change_once_and_in_order(
    postgresql: PostgresServer, tmp_path: Path
) -> None:
    """Events go to both in turns, the receiver fails now and then: every place once, none twice, none left out."""
    with receiver() as crm, receiver() as silent, two_servers(postgresql.fresh_url(), tmp_path) as (hq, urls):
        crm.statuses, silent.statuses = [503, 200, 500, 429], [503] * 1000
        for url in (crm.url, silent.url):
            add_target(hq, trait_outlet(hq.settings), url, "suppressions")
        write_key = create_key(hq, "web-shop")
        for number in range(SHOPPERS):
            _tell(urls[number % 2], write_key, number)
        crm.wait_for(lambda: True if len(_shoppers(crm)) == SHOPPERS else None)
    taken = _places_taken(crm)
    assert taken == sorted(set(taken))
    assert [first for first, _ in taken] == [0, *(last for _, last in taken[:-1])], "none left out, none overlapping"
    assert len(silent.got) < len(taken) + 40, "one that fails rests longer each time"


def _tell(url: str, write_key: str, number: int) -> None:
    traits = {"email": f"m{number}@example.org", "loyalty_id": loyalty_number(number)}
    body = {"batch": [{"type": "identify", "userId": f"c-{number}", "messageId": f"m-{number}", "traits": traits}]}
    assert httpx.post(f"{url}/v1/batch", json=body, auth=(write_key, ""), timeout=30).status_code == 200


def _shoppers(crm: Receiver) -> set[str]:
    return {key for one in crm.taken for key in one["keys"].get("customer_id_sha256", ())}


def _places_taken(crm: Receiver) -> list[tuple[int, int]]:
    """(from, to) of every delivery that was answered with a yes, in the order they came: all but the three failures."""
    ids = [headers[DELIVERY.lower()] for headers, _ in crm.got]
    failed = {0, 2, 3}
    places = [one.rpartition(".")[2].split("-") for place, one in enumerate(ids) if place not in failed]
    return [(int(first), int(last)) for first, last in places]


@pytest.mark.parametrize("what", ["traits", "suppressions"])
def test_a_claim_keeps_another_process_away_until_it_runs_out(hq: Headquarters, what: What) -> None:
    """While one sends, another leaves the target alone; a claim of a process that was killed ends by itself."""
    outlet = trait_outlet(hq.settings)
    with receiver() as crm:
        target_id = add_target(hq, outlet, crm.url, what)["target_id"]
        take_messages(hq.database, hq.clock, "web-shop", [{"messageId": "1", "type": "identify", "userId": "c-1"}])
        with hq.database.write() as tx:
            until = f"{hq.now_at()[:17]}59.000Z"
            tx.change_rows("trait_target", {"claim": "another", "claimed_until": until}, target_id=target_id)
        assert run_targets(hq, outlet)[0].batches == 0
        pass_time(hq, seconds=CLAIM_S)
        assert run_targets(hq, outlet)[0].batches == 1
        assert run_targets(hq, outlet)[0].batches == 0
        assert len(crm.got) == 1
        remove_target(hq, outlet, target_id)


def test_suppressions_are_exported_whole_and_since_a_cursor_in_both_forms(hq: Headquarters, tmp_path: Path) -> None:
    """CSV and JSON lines with the same rows; who has none any more is one row that says so."""
    here = ("--data-dir", tmp_path, "--database", hq.settings.database)
    first = {"messageId": "1", "type": "identify", "userId": "c-1", "traits": {"email": "mara@example.org"}}
    take_messages(hq.database, hq.clock, "web-shop", [first])
    files = [tmp_path / f"all.{form}" for form in ("csv", "jsonl")]
    told = [
        run_here("sync_server", "export", "suppressions", file, "--format", file.suffix[1:], "--json", *here).json
        for file in files
    ]
    rows = list(csv.DictReader(files[0].read_text("utf-8").splitlines()))
    lines = [json.loads(line) for line in files[1].read_text("utf-8").splitlines()]
    assert [one["suppressions"] for one in told] == [3, 3]
    assert [row["reason"] for row in rows] == [line["reason"] for line in lines] == ["no_consent"] * 3
    assert {row["channel"] for row in rows} == {"email", "sms", "phone"}
    agreed = {"type": "track", "event": "Segment Consent Preference Updated", "userId": "c-1", "messageId": "2"}
    choices = {"email": True, "sms": True, "phone": True}
    take_messages(
        hq.database, hq.clock, "web-shop", [{**agreed, "context": {"consent": {"categoryPreferences": choices}}}]
    )
    since = ("--since", told[0]["cursor"], "--format", "jsonl", *here)
    said = run_here("sync_server", "export", "suppressions", *since)
    assert [json.loads(line)["reason"] for line in said.out.splitlines()] == ["none"]
    assert "mara@example.org" not in said.out

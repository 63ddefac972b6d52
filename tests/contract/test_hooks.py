"""Webhooks through the real app, on both databases: stored before they are answered, mapped after, in any order."""

from __future__ import annotations

import gzip
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shared.errors import StorageFull
from sync_server.api import hooks
from sync_server.bootstrap import open_headquarters
from sync_server.services.feed import stream_snapshot
from sync_server.services.headquarters import Headquarters
from sync_server.services.hooks.deliveries import map_left_over, replay, store_delivery
from sync_server.services.hooks.registry import Hook, add_hook, disable_hook, list_hooks, show_hook
from sync_server.services.hooks.shipped import find_mapping, shipped_mappings
from sync_server.settings import Settings
from tests.support import webhooks
from tests.support.asking import Asker
from tests.support.programs import ForkedServer, run_json_here
from tests.support.webhooks import SECRET, body_of, shopify_headers

SUCCESS = {"success": True}
KEY = {"Authorization": f"Bearer {SECRET}"}


@pytest.fixture
def asker(hq: Headquarters) -> Asker:
    """The app, with a hook for each mapping that came along."""
    for name in shipped_mappings():
        add_hook(hq, name, name, secret=SECRET.encode())
    return Asker(hq)


def send(asker: Asker, topic: str, value: Any, webhook_id: str = "w-1") -> tuple[int, Any]:
    """Send what Shopify would; (status, answer)."""
    body = body_of(value)
    reply = asker.post("/v1/hooks/shopify", content=body, headers=shopify_headers(topic, body, webhook_id))
    return reply.status_code, reply.json()


def send_ticket(asker: Asker, value: Any) -> int:
    """Send what a till would."""
    return asker.post("/v1/hooks/pos-ticket", value, headers=KEY).status_code


def counts(hq: Headquarters, name: str = "shopify") -> dict[str, int]:
    """A hook's deliveries by what became of them; states without any left out."""
    [row] = [row for row in list_hooks(hq) if row["name"] == name]
    return {state: row[state] for state in ("stored", "mapped", "waiting", "ignored", "failed") if row[state]}


def profiles(hq: Headquarters) -> list[dict[str, Any]]:
    """The profile documents of berlin-1, without their ids of former profiles."""
    lines = [json.loads(line) for line in stream_snapshot(hq.database, hq.keys, "store:berlin-1")][1:-1]
    return [line["doc"] for line in lines if line["id"].startswith("profile/")]


def events(hq: Headquarters) -> list[str]:
    """Names of the events in the ledger, in order of their time."""
    with hq.database.read() as reader:
        rows = reader.facts_of([one.profile_id for one in reader.every_profile()])
        return [json.loads(row.body).get("name", row.kind) for row in sorted(rows, key=lambda row: row.effective_at)]


def mend(hq: Headquarters, name: str, old: str, new: str, folder: Any) -> None:
    """Give a hook its shipped mapping with something changed."""
    text = shipped_mappings()[name]
    assert old in text
    file = folder / "mended.yaml"
    file.write_text(text.replace(old, new))
    add_hook(hq, name, str(file), replace=True)


def test_a_webhook_is_stored_answered_and_mapped(hq: Headquarters, asker: Asker) -> None:
    """Exactly 200 and success; the order is in the ledger; the body is kept as it came, the signature is not."""
    assert send(asker, "orders/create", webhooks.shopify_order()) == (200, SUCCESS)
    assert counts(hq) == {"mapped": 1}
    assert events(hq) == ["Order Completed"]
    with hq.database.read() as reader:
        [row] = reader.rows("hook_delivery")
    assert row["body"].encode() == body_of(webhooks.shopify_order())
    headers = json.loads(row["headers"])
    assert headers["x-shopify-topic"] == "orders/create"
    assert "x-shopify-hmac-sha256" not in headers


def test_the_same_delivery_twice_counts_once(hq: Headquarters, asker: Asker) -> None:
    """A sender repeats what it got no answer to; the same order by its other topic is the same order as well."""
    for _ in range(2):
        assert send(asker, "orders/create", webhooks.shopify_order()) == (200, SUCCESS)
    assert counts(hq) == {"mapped": 1}
    assert send(asker, "orders/paid", webhooks.shopify_order(), "w-2") == (200, SUCCESS)
    assert counts(hq) == {"mapped": 2}
    assert events(hq) == ["Order Completed"]
    for _ in range(2):
        send_ticket(asker, webhooks.ticket())
    assert counts(hq, "pos-ticket") == {"mapped": 1}


def test_another_body_under_the_same_delivery_id_is_not_lost(hq: Headquarters, asker: Asker) -> None:
    """Some senders name their subscription where others name the delivery."""
    send(asker, "orders/create", webhooks.shopify_order())
    send(asker, "orders/create", webhooks.shopify_order(id=5))
    assert events(hq) == ["Order Completed", "Order Completed"]


def test_any_order_of_arrival_gives_the_same_profile(hq: Headquarters, asker: Asker, tmp_path: Any) -> None:
    """A refund before its order, a shopper after both: every permutation ends in the same document."""
    mend(hq, "shopify", "# store: {from: location_id", "store: {from: location_id", tmp_path)
    outcomes = []
    for turn, order in enumerate(itertools.permutations(range(3))):
        for place in order:
            topic, value = _story(turn)[place]
            assert send(asker, topic, value, f"w-{turn}-{place}") == (200, SUCCESS)
        [profile] = [one for one in profiles(hq) if f"mara{turn}@example.org" in json.dumps(one)]
        assert profile["facts"]["net_revenue"] == [{"currency": "EUR", "minor": 12495 - 595 - 1995 - (9900 - 1581)}]
        outcomes.append(_without_turn(profile, turn))
    assert all(one == outcomes[0] for one in outcomes)
    assert counts(hq) == {"mapped": 18}


def _story(turn: int) -> list[tuple[str, Any]]:
    """An order, its refund and its shopper, of another person each turn."""
    who = {"id": 770100 + turn, "email": f"mara{turn}@example.org", "phone": None}
    address = {"zip": "10115", "city": "Berlin", "country_code": "DE"}
    shopper = webhooks.shopify_shopper(**who, default_address=address)
    order = webhooks.shopify_order(
        id=880200 + turn, customer=shopper, email=who["email"], contact_email=who["email"], source_name="pos"
    )
    order["location_id"] = 655441491
    refund = webhooks.shopify_refund(id=990300 + turn, order_id=880200 + turn)
    return [("orders/create", order), ("refunds/create", refund), ("customers/update", shopper)]


def _without_turn(profile: dict[str, Any], turn: int) -> Any:
    text = json.dumps({name: part for name, part in profile.items() if name not in ("id", "profile_id", "redirects")})
    text = text.replace(f"mara{turn}@", "mara@")
    return json.loads(text.replace(f"77010{turn}", "77010").replace(f"88020{turn}", "88020"))


def test_a_ticket_claimed_before_or_after_it_came_is_the_shopper_s(hq: Headquarters, asker: Asker) -> None:
    """The claim says whose it is, whenever; a ticket of nobody waits and is counted as waiting."""
    late = webhooks.ticket(ticket="T-1", loyalty_number=None)
    assert send_ticket(asker, late) == 200
    assert counts(hq, "pos-ticket") == {"waiting": 1}
    assert show_hook(hq, "pos-ticket")["left"][0]["detail"] == "nobody is known by ticket/T-1 yet"
    assert profiles(hq) == []
    send_ticket(asker, webhooks.claim(ticket="T-1"))
    send_ticket(asker, webhooks.claim(ticket="T-2"))
    send_ticket(asker, webhooks.ticket(ticket="T-2", loyalty_number=None))
    assert counts(hq, "pos-ticket") == {"mapped": 4}
    [profile] = profiles(hq)
    assert profile["facts"]["net_revenue"] == [{"currency": "EUR", "minor": 2 * (8990 - 1435)}]


def test_a_kill_between_storing_and_mapping_loses_nothing(hq: Headquarters, asker: Asker, monkeypatch) -> None:
    """What was answered 200 and not mapped is mapped by the next start, or by the next delivery."""

    async def killed(*_: Any) -> None:
        return None

    with monkeypatch.context() as patched:
        patched.setattr(hooks, "_map", killed)
        assert send(asker, "refunds/create", webhooks.shopify_refund(), "w-1") == (200, SUCCESS)
        assert send(asker, "orders/create", webhooks.shopify_order(), "w-2") == (200, SUCCESS)
    assert counts(hq) == {"stored": 2}
    assert events(hq) == []
    map_left_over(hq)
    assert counts(hq) == {"mapped": 2}
    assert events(hq) == ["Order Completed", "Order Refunded"]
    assert not map_left_over(hq)


def test_a_kill_in_the_middle_of_mapping_counts_nothing_twice(hq: Headquarters, asker: Asker) -> None:
    """The messages are in the ledger, but the delivery still says stored: mapped again, all of it is known."""
    send(asker, "orders/create", webhooks.shopify_order())
    with hq.database.write() as tx:
        tx.change_rows("hook_delivery", {"state": "stored"})
    before = profiles(hq)
    map_left_over(hq)
    assert (counts(hq), events(hq), profiles(hq)) == ({"mapped": 1}, ["Order Completed"], before)


def test_a_wrong_mapping_fails_visibly_is_mended_and_replayed(hq: Headquarters, asker: Asker, tmp_path: Any) -> None:
    """The bodies are there: nobody has to ask the sender for them again."""
    mend(hq, "shopify", "order_id: {from: id,", "order_id: {from: number,", tmp_path)
    assert send(asker, "orders/create", webhooks.shopify_order(), "w-1") == (200, SUCCESS)
    assert send(asker, "refunds/create", webhooks.shopify_refund(), "w-2") == (200, SUCCESS)
    assert counts(hq) == {"failed": 1, "waiting": 1}
    [waiting, failed] = sorted(show_hook(hq, "shopify")["left"], key=lambda one: one["state"], reverse=True)
    assert failed["detail"] == "cases[0].properties.order_id: there is nothing at number"
    assert waiting["detail"] == "nobody is known by order/820982911946154508 yet"
    assert replay(hq, "shopify") == {"failed": 1, "waiting": 1}
    add_hook(hq, "shopify", "shopify", replace=True)
    replay(hq, "shopify")
    assert counts(hq) == {"mapped": 2}
    assert events(hq) == ["Order Completed", "Order Refunded"]
    assert replay(hq, "shopify", include_mapped=True) == {"mapped": 2}
    assert replay(hq, "shopify", since="2026-11-23T00:00:00.000Z", include_mapped=True) == {}
    assert events(hq) == ["Order Completed", "Order Refunded"]


def test_what_ingest_cannot_take_is_a_dead_letter_until_it_is_mended(
    hq: Headquarters, asker: Asker, tmp_path: Any
) -> None:
    """A message of nobody: the delivery failed for ingest's reason, and its dead letter is settled by the replay."""
    mend(hq, "pos-ticket", '    key: "ticket/{ticket}"\n    at: {from: at, must: true}', "    at: at", tmp_path)
    send_ticket(asker, webhooks.ticket(loyalty_number=None, email="nonsense"))
    assert counts(hq, "pos-ticket") == {"failed": 1}
    assert "names nobody" in show_hook(hq, "pos-ticket")["left"][0]["detail"]
    assert _open_letters(hq) == ["no_identifier"]
    mend(hq, "pos-ticket", "email: email", "email: mail", tmp_path)
    replay(hq, "pos-ticket")
    assert counts(hq, "pos-ticket") == {"waiting": 1}
    assert _open_letters(hq) == []
    send_ticket(asker, webhooks.claim())
    assert counts(hq, "pos-ticket") == {"mapped": 2}


def _open_letters(hq: Headquarters) -> list[str]:
    with hq.database.read() as reader:
        return [row["code"] for row in reader.rows("dead_letter", replayed_at=None)]


def test_a_bad_element_keeps_none_of_its_neighbours_back(hq: Headquarters, asker: Asker) -> None:
    """Klaviyo sends many at once."""
    body = body_of(
        webhooks.klaviyo_batch(
            webhooks.klaviyo_event("opened_email", 1),
            {"topic": "event:klaviyo.unheard"},
            webhooks.klaviyo_event("unsubscribed_from_email_marketing", 3),
        )
    )
    assert asker.post("/v1/hooks/klaviyo", content=body, headers=webhooks.klaviyo_headers(body)).status_code == 200
    assert counts(hq, "klaviyo") == {"failed": 1}
    assert events(hq) == ["Email Opened", "Email Unsubscribed"]


def test_a_wrong_signature_is_401_and_nothing_is_stored(hq: Headquarters, asker: Asker) -> None:
    """Another body under a good signature, no signature, another secret, half of one."""
    body = body_of(webhooks.shopify_order())
    good = shopify_headers("orders/create", body)
    signature = good["X-Shopify-Hmac-Sha256"]
    for sent, headers in (
        (body + b" ", good),
        (body, {name: value for name, value in good.items() if name != "X-Shopify-Hmac-Sha256"}),
        (body, {**good, "X-Shopify-Hmac-Sha256": signature[:-4]}),
        (body, {**good, "X-Shopify-Hmac-Sha256": ""}),
    ):
        reply = asker.post("/v1/hooks/shopify", content=sent, headers=headers)
        assert (reply.status_code, reply.json()["code"]) == (401, "invalid_signature")
    assert asker.post("/v1/hooks/pos-ticket", webhooks.ticket()).status_code == 401
    assert (
        asker.post("/v1/hooks/pos-ticket", webhooks.ticket(), headers={"Authorization": "Bearer x"}).status_code == 401
    )
    with hq.database.read() as reader:
        assert reader.rows("hook_delivery") == []


@pytest.mark.parametrize("name", ["nobody", "no body", "x" * 300, "a%00b", "..%2f"])
def test_an_unknown_or_disabled_hook_is_404(hq: Headquarters, asker: Asker, name: str) -> None:
    """Nothing of a stranger's is kept, and a sender that is switched off may notice."""
    reply = asker.post(f"/v1/hooks/{name}", {})
    assert reply.status_code == 404
    disable_hook(hq, "pos-ticket")
    assert asker.post("/v1/hooks/pos-ticket", webhooks.ticket(), headers=KEY).json()["code"] == "unknown_hook"
    with hq.database.read() as reader:
        assert reader.rows("hook_delivery") == []


@pytest.mark.parametrize("body", [b"", b"{", b"\xff{}", b'{"a": NaN}', b"[" * 100_000, b"a=b&c=d"])
def test_what_is_no_json_is_400_and_not_stored(hq: Headquarters, asker: Asker, body: bytes) -> None:
    """The sender is known, but no mapping could ever read it."""
    reply = asker.post("/v1/hooks/pos-ticket", content=body, headers=KEY)
    assert (reply.status_code, reply.json()["code"]) == (400, "invalid_json")
    assert counts(hq, "pos-ticket") == {}


@pytest.mark.parametrize("body", [b"5", b"null", b"[]", b'"text"', b'{"a": "\\u0000\\ud800"}'])
def test_json_that_means_nothing_is_stored_and_fails_visibly(hq: Headquarters, asker: Asker, body: bytes) -> None:
    """It is JSON and its sender is known: kept, whatever it is."""
    assert asker.post("/v1/hooks/pos-ticket", content=body, headers=KEY).json() == SUCCESS
    assert counts(hq, "pos-ticket") == {"failed": 1}


def test_a_body_over_the_limit_is_413_packed_or_not(hq: Headquarters, asker: Asker) -> None:
    """The tracking API's own limits; a small bomb stays small."""
    limit = hq.settings.ingest_max_bytes
    for body, packing in ((b"x" * (limit + 1), "identity"), (gzip.compress(b" " * (limit * 50)), "gzip")):
        reply = asker.post("/v1/hooks/pos-ticket", content=body, headers={**KEY, "Content-Encoding": packing})
        assert (reply.status_code, reply.json()["code"]) == (413, "too_large")
    assert counts(hq, "pos-ticket") == {}


def test_a_packed_body_is_read_whichever_bytes_were_signed(hq: Headquarters, asker: Asker) -> None:
    """Signed before it was packed, or after."""
    for number, order in enumerate((webhooks.shopify_order(id=1), webhooks.shopify_order(id=2))):
        plain = body_of(order)
        packed = gzip.compress(plain)
        headers = shopify_headers("orders/create", packed if number else plain, f"w-{number}")
        reply = asker.post("/v1/hooks/shopify", content=packed, headers={**headers, "Content-Encoding": "gzip"})
        assert reply.status_code == 200
    assert counts(hq) == {"mapped": 2}


def test_without_its_secret_a_hook_asks_to_be_sent_again(hq: Headquarters, asker: Asker) -> None:
    """A keys folder that was not copied is HQ's mistake, not the sender's: above 500 they repeat."""
    (hq.settings.keys_dir / "hook-pos-ticket.secret").unlink()
    reply = asker.post("/v1/hooks/pos-ticket", webhooks.ticket(), headers=KEY)
    assert (reply.status_code, reply.json()["code"]) == (503, "secret_missing")


def test_a_full_disk_is_told_as_a_status_that_senders_repeat(asker: Asker, monkeypatch) -> None:
    """Nothing was kept, so nothing is promised."""

    def overflow(*_: Any) -> None:
        raise StorageFull("HQ's disk is full.")

    monkeypatch.setattr(hooks, "store_delivery", overflow)
    assert send(asker, "orders/create", webhooks.shopify_order())[0] == 507


def test_a_server_that_starts_again_maps_what_it_was_killed_over(tmp_path: Path) -> None:
    """As a person sees it: `hook list` says "To map" before the start and "Mapped" after it."""
    folder = tmp_path / "hq"
    where = ("--data-dir", folder)
    chain = ("--chain", "Fjellvik", "--currency", "EUR", "--timezone", "Europe/Berlin")
    run_json_here("sync_server", "init", *chain, *where)
    run_json_here("sync_server", "hook", "add", "till", "--mapping", "pos-ticket", *where)
    with open_headquarters(settings_for(folder)) as hq:
        hook = Hook("till", find_mapping("pos-ticket")[1])
        assert store_delivery(hq, hook, {}, json.dumps(webhooks.ticket()))
    [row] = run_json_here("sync_server", "hook", "list", *where)
    assert (row["received"], row["stored"]) == (1, 1)
    server = ForkedServer(folder).start()
    try:
        with open_headquarters(settings_for(folder)) as hq:
            wait_until(lambda: counts(hq, "till") == {"mapped": 1})
            assert events(hq) == ["Order Completed"]
    finally:
        server.stop()


def settings_for(folder: Path) -> Settings:
    """The settings of a chain in a folder."""
    return Settings(data_dir=folder, database=f"sqlite:///{folder / 'central.db'}")


def wait_until(is_so: Callable[[], bool], seconds: float = 20) -> None:
    """Look again and again, until it is so."""
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not come to be"
        time.sleep(0.05)

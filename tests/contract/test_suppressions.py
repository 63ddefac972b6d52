"""Suppressions out, each reason from its cause to the webhook received: a real server, real HTTP."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.clock import format_at, ms_between
from shared.plays.holdout import is_held_out, play_seed
from sync_server.bootstrap import trait_outlet
from sync_server.services.chain import Chain as ShopChain
from sync_server.services.chain import add_stores, make_chain
from sync_server.services.headquarters import Headquarters
from sync_server.services.playbook import publish_playbook
from sync_server.services.sources import create_key
from sync_server.services.trait_targets import SIGNATURE, add_target, sign
from sync_server.services.upkeep import refresh_profiles
from tests.conftest import RecordFigure
from tests.support.programs import ForkedServer, run_here
from tests.support.receiver import Receiver, receiver
from tests.support.traffic import STORES, loyalty_number, open_chain
from tests.support.world import Journalist, make_journalist

BERLIN = {"country": "DE", "postcode": "10115", "lat_e6": 52_501_000, "lon_e6": 13_400_000}
PROFILING = {"profiling": True, "email": True, "sms": True, "phone": True}
Row = dict[str, Any]


@dataclass(slots=True)
class Chain:
    """A running server with a receiver of suppressions, a source of events and a tablet."""

    folder: Path
    hq: Headquarters
    url: str
    crm: Receiver
    secret: str
    write_key: str
    tablet: Journalist
    took_s: dict[str, float] = field(default_factory=dict)

    def say(self, number: int, *messages: Row) -> None:
        """A batch of events of one shopper, over real HTTP."""
        who = {"userId": f"c-{number}", "context": {"traits": self.traits(number)}}
        sent = [{**who, "messageId": self.hq.make_id(), "timestamp": now_at(), **message} for message in messages]
        reply = httpx.post(f"{self.url}/v1/batch", json={"batch": sent}, auth=(self.write_key, ""), timeout=30)
        assert reply.status_code == 200, reply.text

    def traits(self, number: int) -> Row:
        """Who the shopper is."""
        return {"email": f"mara{number}@example.org", "loyalty_id": loyalty_number(number), "postalCode": "10115"}

    def agree(self, number: int, **choices: bool) -> None:
        """A shopper with an account who agreed to this."""
        asked = {"type": "track", "event": "Segment Consent Preference Updated"}
        context = {"traits": self.traits(number), "consent": {"categoryPreferences": {**PROFILING, **choices}}}
        self.say(number, {"type": "identify", "traits": self.traits(number)}, {**asked, "context": context})
        self.wait(number, lambda rows: rows if not has(rows, "no_consent", choices) else None)

    def push(self, kind: str, body: Row, **envelope: Any) -> Row:
        """A tablet's op, over real HTTP."""
        op = self.tablet.record(kind, body, **envelope)
        headers = {"Authorization": f"Bearer {self.tablet.token}"}
        reply = httpx.post(f"{self.url}/v1/sync/push", json=self.tablet.message([op]), headers=headers, timeout=30)
        assert [one["verdict"] for one in reply.json()["results"]] == ["accepted"], reply.text
        return op

    def outcome(self, number: int, play_id: str, outcome: str) -> Row:
        """An outcome on the floor."""
        told = {"play_id": play_id, "play_version": 1, "outcome": outcome, "arm": "shown", "rule_pack": "0" * 64}
        shopper = {"type": "loyalty_id", "value": loyalty_number(number)}
        return self.push("outcome_recorded", {"shopper": shopper, **told})

    def rows(self, number: int) -> list[Row] | None:
        """What the receiver was told last of a shopper, known by the hash of the loyalty number alone."""
        key = hashlib.sha256(loyalty_number(number).encode()).hexdigest()
        told = [one for one in self.crm.taken if key in one["keys"].get("loyalty_id_sha256", [])]
        return list(told[-1]["suppressions"]) if told else None

    def wait(self, number: int, find: Callable[[list[Row]], Any]) -> Any:
        """What is found in the shopper's rows as soon as they have come."""
        return self.crm.wait_for(lambda: find(rows) if (rows := self.rows(number)) is not None else None)

    def reason(self, number: int, reason: str) -> Row:
        """The first row with a reason; how long it took since the call is kept as a figure."""
        began = time.monotonic()
        row: Row = self.wait(number, lambda rows: next((one for one in rows if one["reason"] == reason), None))
        self.took_s[reason] = time.monotonic() - began
        return row


def now_at(**shift: float) -> str:
    """This moment, or one so far from it."""
    return format_at(datetime.now(UTC) + timedelta(**shift))


def hours(row: Row) -> int:
    """How long a row holds, in whole hours."""
    return round(ms_between(row["from"], row["until"]) / 3_600_000)


def has(rows: list[Row], reason: str, choices: Row) -> bool:
    """Whether a channel that was agreed to is still held."""
    agreed = {name for name, is_in in {**PROFILING, **choices}.items() if is_in}
    return any(one["reason"] == reason and one["channel"] in agreed for one in rows)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """One server for all reasons; each has a shopper of its own."""
    folder = tmp_path_factory.mktemp("chain") / "hq"
    with open_chain(folder) as hq, receiver() as crm:
        make_chain(hq, ShopChain("Nordhang", "EUR", "Europe/Berlin"))
        add_stores(hq, STORES)
        publish_playbook(hq)
        with hq.database.write() as tx:
            tx.put_row("postcode", BERLIN)
        write_key = create_key(hq, "web-shop")
        secret = add_target(hq, trait_outlet(hq.settings), crm.url, "suppressions")["secret"]
        server = ForkedServer(folder).start()
        try:
            yield Chain(folder, hq, server.url, crm, secret, write_key, make_journalist(hq, "store-0"))
        finally:
            server.stop()


def test_a_purchase_on_the_web_holds_selling_for_72_hours(chain: Chain) -> None:
    """On every channel, all of it."""
    chain.agree(1)
    order = {"order_id": "o1", "revenue": 49.9, "currency": "EUR", "products": [{"sku": "PARKA-1", "price": 49.9}]}
    chain.say(1, {"type": "track", "event": "Order Completed", "properties": order})
    row = chain.reason(1, "bought")
    assert (row["channel"], row["what"], hours(row)) == ("all", "all", 72)


def test_an_offline_sale_suppresses_email_as_soon_as_its_op_reaches_hq_and_undo_takes_it_back(chain: Chain) -> None:
    """A claim on the floor is a purchase here; HQ has no order of it yet."""
    chain.agree(2)
    op = chain.outcome(2, "cart-reminder-near", "bought")
    row = chain.reason(2, "bought")
    assert (row["channel"], row["what"], hours(row)) == ("all", "all", 72)
    chain.push("op_withdrawn", {"why": "mistake"}, amends=op["op_id"])
    assert not chain.wait(2, lambda rows: [] if not any(one["reason"] == "bought" for one in rows) else None)


def test_a_chat_with_support_holds_selling_for_48_hours(chain: Chain) -> None:
    """From the moment it began."""
    chain.agree(3)
    began_at = now_at(hours=-1)
    chain.say(3, {"type": "track", "event": "Live Chat Conversation Started", "timestamp": began_at})
    row = chain.reason(3, "support")
    assert (row["channel"], row["what"], row["from"][:19], hours(row)) == ("all", "all", began_at[:19], 48)


def test_an_open_service_issue_of_an_imported_file_holds_until_it_is_closed(chain: Chain, tmp_path: Path) -> None:
    """Another process imports it; the server's courier finds it all the same, and that it was closed."""
    chain.agree(4)
    states = (("open", now_at(days=-7)), ("closed", now_at(hours=-1)))
    for state, at in states:
        file = tmp_path / f"{state}.csv"
        file.write_text(f"case_id,state,at,loyalty_id,title\nS-1,{state},{at},{loyalty_number(4)},Zip\n", "utf-8")
        assert run_here("sync_server", "import", "service", file, "--data-dir", chain.folder).status == 0
        if state == "open":
            row = chain.reason(4, "open_issue")
            assert (row["channel"], row["what"], row["from"][:10], row["until"]) == ("all", "all", at[:10], None)
    assert not chain.wait(4, lambda rows: [] if not any(one["reason"] == "open_issue" for one in rows) else None)


def test_who_clicked_one_offer_is_sent_no_other_for_three_days(chain: Chain) -> None:
    """Campaigns with that offer go on; without consent to a profile nobody is told what was clicked."""
    chain.agree(5)
    chain.agree(6, profiling=False)
    for number in (6, 5):
        clicked = {"promotion_id": "member-weekend", "name": "Member weekend"}
        chain.say(number, {"type": "track", "event": "Promotion Clicked", "properties": clicked})
    row = chain.reason(5, "other_offer")
    held = {one["what"] for one in chain.rows(5) or [] if one["reason"] == "other_offer"}
    assert hours(row) == 72
    assert "campaign:trade-in" in held
    assert "campaign:member-weekend" not in held
    assert all(one["reason"] != "other_offer" for one in chain.rows(6) or [])


def test_a_cart_near_a_store_holds_the_discount_for_having_left_it(chain: Chain) -> None:
    """Three days, while a visit is likely; and not a word of what is in it."""
    chain.agree(7)
    line = {"product_id": "PARKA-1", "sku": "PARKA-1", "price": 49.9, "currency": "EUR"}
    chain.say(7, {"type": "track", "event": "Product Added", "properties": line, "timestamp": now_at(hours=-30)})
    row = chain.reason(7, "cart_near")
    assert (row["channel"], row["what"], hours(row)) == ("all", "tag:abandoned-cart", 72)
    assert not [body for _, body in chain.crm.got if b"PARKA-1" in body]


def test_the_top_value_band_gets_no_discounts(chain: Chain) -> None:
    """As soon as the band is worked out, which the server does at night."""
    chain.agree(8)
    order = {"order_id": "o8", "revenue": 9900, "currency": "EUR", "products": [{"sku": "TENT-1", "price": 9900}]}
    chain.say(8, {"type": "track", "event": "Order Completed", "properties": order, "timestamp": now_at(days=-9)})
    refresh_profiles(chain.hq.database, chain.hq.clock)
    row = chain.reason(8, "top_value")
    assert (row["channel"], row["what"], row["from"], row["until"]) == ("all", "tag:discount", None, None)


def test_a_no_on_the_floor_holds_the_campaign_as_long_as_its_play_rests(chain: Chain) -> None:
    """Thirty days where the play says nothing else."""
    chain.agree(9)
    chain.outcome(9, "cart-reminder-near", "not_interested")
    row = chain.reason(9, "not_interested")
    assert (row["channel"], row["what"], hours(row)) == ("all", "campaign:cart-to-store", 720)


def test_who_is_held_out_of_a_campaign_gets_it_no_other_way(chain: Chain) -> None:
    """By the hash that the tablets draw with."""
    seed = play_seed("cart-reminder-near", 1)
    held = next(number for number in range(20, 999) if is_held_out(seed, loyalty_number(number), 10))
    chain.say(held, {"type": "identify", "traits": chain.traits(held)})
    row = chain.reason(held, "holdout")
    every = {one["what"] for one in chain.rows(held) or [] if one["reason"] == "holdout"}
    assert row["channel"] == "all"
    assert "campaign:cart-to-store" in every


def test_a_channel_without_consent_is_held_from_the_refusal_on(chain: Chain) -> None:
    """Agreed, then taken back on the tablet: e-mail, and nothing else."""
    chain.agree(10)
    assert not [one for one in chain.rows(10) or [] if one["reason"] == "no_consent"]
    shopper = {"type": "loyalty_id", "value": loyalty_number(10)}
    consent = {"purpose": "email", "decision": "denied", "method": "spoken"}
    chain.push("consent_changed", {"shopper": shopper, "consent": consent})
    row = chain.reason(10, "no_consent")
    assert (row["channel"], row["what"], row["until"]) == ("email", "all", None)
    assert row["from"] is not None


def test_an_erased_shopper_is_to_be_forgotten_by_the_hashes_alone(chain: Chain) -> None:
    """Erased by another process; what receivers match stays for 30 days, and nothing in plain words."""
    chain.agree(11)
    erased = run_here("sync_server", "privacy", "erase", "mara11@example.org", "--data-dir", chain.folder)
    assert erased.status == 0, erased.err
    row = chain.reason(11, "erased")
    assert (row["channel"], row["what"], row["until"], len(chain.rows(11) or [])) == ("all", "all", None, 1)
    email = hashlib.sha256(b"mara11@example.org").hexdigest()
    assert any(email in one["keys"].get("email_sha256", ()) for one in chain.crm.taken if one["suppressions"] == [row])


def test_what_went_out_was_signed_holds_no_plain_key_and_came_in_time(
    chain: Chain, record_figure: RecordFigure
) -> None:
    """Runs last: every delivery of the reasons above."""
    for headers, body in chain.crm.got:
        at_s = int(headers[SIGNATURE.lower()].partition(",")[0].removeprefix("t="))
        assert headers[SIGNATURE.lower()] == sign(chain.secret.encode(), at_s, body)
        assert b"@example.org" not in body
        assert loyalty_number(1).encode() not in body
    record_figure(
        "suppressions: from the cause to the webhook, slowest reason", round(max(chain.took_s.values()), 2), "s"
    )
    print(json.dumps(chain.took_s))

"""Hooks by themselves: who is genuine, what the command line says, and how a delivery settles whatever happens."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
import io
import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import Problem, Refused
from sync_server.api import hooks
from sync_server.command_line.app import run as run_command_line
from sync_server.services.headquarters import Headquarters
from sync_server.services.hooks import deliveries
from sync_server.services.hooks.deliveries import kept_headers, map_stored, replay, store_delivery
from sync_server.services.hooks.mapping import Verify
from sync_server.services.hooks.messages import read_delivery
from sync_server.services.hooks.registry import Hook, add_hook, find_hook, list_hooks, show_hook
from sync_server.services.hooks.signature import is_genuine
from tests.support import webhooks
from tests.support.programs import Said
from tests.support.world import pass_time

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
SECRET = b"a secret of the sender"


def checked(body: bytes = b"{}", *, secret: bytes = SECRET, headers: dict[str, str], **verify: Any) -> bool:
    """Whether a request is genuine."""
    return is_genuine(Verify.model_validate(verify), secret, headers, (body,), NOW)


def digest(text: bytes, secret: bytes = SECRET) -> bytes:
    """Its HMAC."""
    return hmac.new(secret, text, hashlib.sha256).digest()


# genuine --------------------------------------------------------------------------------------------------------------


@given(body=st.binary(max_size=60), secret=st.binary(min_size=1, max_size=20), other=st.binary(max_size=60))
def test_only_the_secret_s_own_signature_over_this_body_is_genuine(body: bytes, secret: bytes, other: bytes) -> None:
    """Base64 and hex, with a prefix or without; any other body or secret is a stranger's."""
    for scheme, written in (
        ("hmac-sha256-base64", base64.b64encode(digest(body, secret)).decode()),
        ("hmac-sha256-hex", digest(body, secret).hex()),
    ):
        how: dict[str, Any] = {"scheme": scheme, "header": "X-Sign", "prefix": "sha256=", "secret": secret}
        assert checked(body, headers={"x-sign": f"sha256={written}"}, **how)
        assert not checked(body, headers={"x-sign": written}, **how)
        assert checked(other, headers={"x-sign": f"sha256={written}"}, **how) == (other == body)
        assert not checked(body, headers={"x-sign": f"sha256={written}"}, **{**how, "secret": secret + b"x"})


def test_the_time_in_the_signed_text_counts_and_may_not_be_old() -> None:
    """Klaviyo's way, Stripe's way, and a replayed one."""
    stamp = str(int(NOW.timestamp()))
    how: dict[str, Any] = {"scheme": "hmac-sha256-hex", "header": "S", "timestamp_header": "T", "within_s": 300}
    for form, text in (
        ("{body}{timestamp}", b"{}" + stamp.encode()),
        ("v0:{timestamp}:{body}", f"v0:{stamp}:{{}}".encode()),
    ):
        good = {"s": digest(text).hex(), "t": stamp}
        assert checked(headers=good, **how, signed=form)
        assert not checked(headers={**good, "t": str(int(stamp) + 1)}, **how, signed=form)
    old = str(int(NOW.timestamp()) - 301)
    stale = {"s": digest(b"{}" + old.encode()).hex(), "t": old}
    assert not checked(headers=stale, **how, signed="{body}{timestamp}")
    assert checked(headers=stale, **{**how, "within_s": None}, signed="{body}{timestamp}")
    assert not checked(headers={"s": digest(b"{}").hex(), "t": "soon"}, **how)


def test_the_body_s_own_braces_are_no_places_of_the_signed_text() -> None:
    """A body that holds {timestamp} is signed as it stands."""
    body = b'{"a": "{timestamp}{body}"}'
    how: dict[str, Any] = {"scheme": "hmac-sha256-hex", "header": "S", "timestamp_header": "T"}
    how["signed"] = "{timestamp}.{body}"
    assert checked(body, headers={"s": digest(b"7." + body).hex(), "t": "7"}, **how)


@pytest.mark.parametrize(
    ("verify", "name", "value", "is_good"),
    [
        ({"scheme": "bearer"}, "authorization", "Bearer a secret of the sender", True),
        ({"scheme": "bearer"}, "authorization", "Basic a secret of the sender", False),
        ({"scheme": "bearer"}, "authorization", "Bearer a secret", False),
        ({"scheme": "bearer", "header": "X-Api-Key"}, "x-api-key", "a secret of the sender", True),
        ({"scheme": "bearer", "header": "X-Api-Key"}, "authorization", "Bearer a secret of the sender", False),
        ({"scheme": "basic"}, "authorization", base64.b64encode(b"till:" + SECRET).decode(), False),
        ({"scheme": "basic"}, "authorization", "Basic " + base64.b64encode(b"till:" + SECRET).decode(), True),
        ({"scheme": "basic"}, "authorization", "Basic " + base64.b64encode(SECRET + b":").decode(), True),
        ({"scheme": "basic"}, "authorization", "Basic " + base64.b64encode(b"till:other").decode(), False),
        ({"scheme": "basic"}, "authorization", "Basic %%%", False),
        ({"scheme": "none"}, "x", "", True),
    ],
)
def test_a_key_is_shown_as_the_mapping_says(verify: dict[str, Any], name: str, value: str, is_good: bool) -> None:
    """Bearer, a header of its own, either half of Basic, or nothing at all where that is said in so many words."""
    assert checked(headers={name: value}, **verify) is is_good


@pytest.mark.parametrize("scheme", ["bearer", "basic", "hmac-sha256-hex"])
def test_an_empty_secret_lets_nobody_in(scheme: str) -> None:
    """A signature with an empty key is anybody's."""
    for value in ("", "Bearer ", "Basic Og==", digest(b"{}", b"").hex()):
        assert not checked(secret=b"", headers={"authorization": value}, scheme=scheme, header="Authorization")


def test_credentials_are_not_kept_with_the_delivery(hq: Headquarters) -> None:
    """Everything else is, for a mended mapping may look at any header."""
    add_hook(hq, "shop", "shopify", secret=SECRET)
    hook = hook_of(hq, "shop")
    sent = {"Authorization": "x", "Cookie": "y", "X-Shopify-Hmac-Sha256": "z", "X-Shopify-Topic": "t", "Host": "hq"}
    assert kept_headers(hook.mapping, sent) == {"x-shopify-topic": "t", "host": "hq"}


# deliveries -----------------------------------------------------------------------------------------------------------


def hook_of(hq: Headquarters, name: str = "till") -> Hook:
    """A hook in use."""
    with hq.database.read() as reader:
        found = find_hook(reader, name)
    assert found is not None
    return found


@pytest.fixture
def till(hq: Headquarters) -> Hook:
    """A till's hook."""
    add_hook(hq, "till", "pos-ticket", secret=SECRET)
    return hook_of(hq)


def store(hq: Headquarters, till: Hook, value: Any) -> bool:
    """Store a delivery; whether it was new."""
    return store_delivery(hq, till, {}, json.dumps(value))


def states(hq: Headquarters) -> list[str]:
    """The deliveries' states in order."""
    with hq.database.read() as reader:
        return [one.state for one in reader.deliveries("till", ("stored", "mapped", "waiting", "ignored", "failed"))]


def test_a_delivery_is_known_by_its_body_and_its_id(hq: Headquarters, till: Hook) -> None:
    """Same body without an id, or under the same id: once. Anything else is another."""
    text = json.dumps(webhooks.ticket())
    assert [store_delivery(hq, till, {}, text), store_delivery(hq, till, {"x": "1"}, text)] == [True, False]
    named = {"idempotency-key": "k"}
    assert [store_delivery(hq, till, named, text), store_delivery(hq, till, named, text)] == [True, False]
    assert store_delivery(hq, till, named, text + " ")


def test_a_bug_fails_its_own_delivery_and_not_the_line_behind_it(hq: Headquarters, till: Hook, monkeypatch) -> None:
    """Visible, with what it was, and replayable."""
    store(hq, till, webhooks.ticket(ticket="T-1"))
    pass_time(hq, seconds=1)
    store(hq, till, webhooks.ticket(ticket="T-2"))
    right = read_delivery

    def broken(mapping: Any, body: Any, *more: Any) -> Any:
        if body["ticket"] == "T-1":
            raise ZeroDivisionError("by nought")
        return right(mapping, body, *more)

    with monkeypatch.context() as patched:
        patched.setattr(deliveries, "read_delivery", broken)
        assert map_stored(hq, "till") == {"failed": 1, "mapped": 1}
    assert "ZeroDivisionError: by nought" in show_hook(hq, "till")["left"][0]["detail"]
    assert replay(hq, "till") == {"mapped": 1}


def test_a_busy_database_leaves_the_delivery_stored(hq: Headquarters, till: Hook, monkeypatch) -> None:
    """It is nobody's fault, so it is no failure: the next try maps it."""

    def busy(*_: Any, **__: Any) -> Any:
        raise Problem("busy", "away", status=503, retry_after_s=2)

    store(hq, till, webhooks.ticket())
    with monkeypatch.context() as patched:
        patched.setattr(deliveries, "take_messages", busy)
        with pytest.raises(Problem):
            map_stored(hq, "till")
    assert states(hq) == ["stored"]
    assert map_stored(hq, "till") == {"mapped": 1}


class _FullAtFirst:
    """A queue that has no place for the first askers."""

    def __init__(self, times: int) -> None:
        self.left = times

    async def take(self, read: Any, write: Any) -> Any:
        if self.left:
            self.left -= 1
            raise Problem("busy", "full", status=503, retry_after_s=3)
        return write(read())


def test_mapping_waits_for_its_turn_and_gives_up_without_losing_anything(hq: Headquarters, till: Hook) -> None:
    """A full queue is asked again after a while; at the worst the next delivery maps both."""
    for times, wanted in ((hooks.TRIES_MAX, "stored"), (hooks.TRIES_MAX - 1, "mapped")):
        store(hq, till, webhooks.ticket())
        asyncio.run(hooks._map(replace(hq, queue=_FullAtFirst(times)), "till"))
        assert states(hq) == [wanted]


def test_a_key_taught_while_somebody_looked_wakes_him(hq: Headquarters, till: Hook, monkeypatch) -> None:
    """The claim comes between a ticket's look for its key and its going to wait: it must not wait for ever."""
    store(hq, till, webhooks.ticket(loyalty_number=None))
    settle = deliveries._settle

    def late(hq: Headquarters, delivery: Any, outcome: Any) -> str:
        monkeypatch.undo()
        pass_time(hq, seconds=1)
        store(hq, till, webhooks.claim())
        with hq.database.read() as reader:
            [claimed] = [one for one in reader.deliveries("till", ("stored",)) if "claim" in one.body]
        deliveries._map_one(hq, till, claimed)
        return settle(hq, delivery, outcome)

    monkeypatch.setattr(deliveries, "_settle", late)
    map_stored(hq, "till")
    assert states(hq) == ["mapped", "mapped"]


def test_a_key_belongs_to_the_first_who_is_named_under_it(hq: Headquarters, till: Hook) -> None:
    """A second claim of the same ticket changes nothing."""
    for number in (webhooks.LOYALTY_ID, "2900000000117"):
        store(hq, till, webhooks.claim(loyalty_number=number))
        map_stored(hq, "till")
    with hq.database.read() as reader:
        [row] = reader.rows("hook_key")
    assert json.loads(row["who"]) == {"loyalty_id": webhooks.LOYALTY_ID}


def test_a_hook_that_was_switched_off_still_maps_what_it_took(hq: Headquarters, till: Hook) -> None:
    """What was answered 200 was promised."""
    store(hq, till, webhooks.ticket())
    assert said("hook disable till", hq).status == 0
    assert map_stored(hq, "till") == {"mapped": 1}


def test_many_deliveries_are_mapped_page_by_page(hq: Headquarters, till: Hook) -> None:
    """More than one page, all at the same moment, each once."""
    for number in range(45):
        store(hq, till, webhooks.ticket(ticket=f"T-{number}"))
    assert map_stored(hq, "till") == {"mapped": 45}
    assert replay(hq, "till", include_mapped=True) == {"mapped": 45}


# command line ---------------------------------------------------------------------------------------------------------


def said(line: str, hq: Headquarters) -> Said:
    """Run a command line in this very process, in the chain's folder."""
    out, err = io.StringIO(), io.StringIO()
    words = [*shlex.split(line), "--data-dir", str(hq.settings.data_dir)]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run_command_line(words)
    return Said(status, out.getvalue(), err.getvalue())


def test_a_hook_is_made_with_an_address_and_a_secret_outside_the_database(hq: Headquarters, tmp_path: Path) -> None:
    """The sender's secret from a file, or one drawn and shown once; only this account may read it."""
    given = tmp_path / "secret.txt"
    given.write_bytes(SECRET + b"\n")
    made = said(f"hook add shop --mapping shopify --secret-file '{given}' --json", hq).json
    assert (made["url"], made["secret"]) == ("http://127.0.0.1:8321/v1/hooks/shop", None)
    kept = hq.settings.keys_dir / "hook-shop.secret"
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (SECRET + b"\n", 0o600)
    assert SECRET not in (hq.settings.data_dir / "central.db").read_bytes()
    drawn = said("hook add till --mapping pos-ticket --json", hq).json["secret"]
    assert hq.keys.hook_secret("till") == drawn.encode()
    again = said("hook add till --mapping pos-ticket --replace --json", hq).json
    assert again["secret"] is None
    assert hq.keys.hook_secret("till") == drawn.encode()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("hook add till --mapping pos-ticket", "already. Use --replace"),
        ("hook add '../till' --mapping pos-ticket", "name is letters"),
        ("hook add shop --mapping nothing.yaml", "no file nothing.yaml"),
        ("hook add shop --mapping shopify --secret-file nothing.txt", "cannot be read"),
        ("hook show nobody", "There is no hook 'nobody'"),
        ("hook show till --delivery nothing", "has no delivery"),
        ("hook disable nobody", "There is no hook 'nobody'"),
        ("hook replay nobody", "There is no hook 'nobody'"),
        ("hook replay till --since yesterday", "is no day or time"),
        ("mapping try shopify nothing.json", "cannot be read"),
    ],
)
def test_a_refusal_is_one_sentence(hq: Headquarters, till: Hook, line: str, sentence: str) -> None:
    """On standard error, with status 1."""
    done = said(line, hq)
    assert (done.status, done.out) == (1, "")
    assert sentence in done.err
    assert done.err.count("\n") == 1


def test_an_empty_secret_is_refused(hq: Headquarters) -> None:
    """It would let everybody in."""
    with pytest.raises(Refused, match="empty"):
        add_hook(hq, "shop", "shopify", secret=b" \n")
    assert list_hooks(hq) == []


def test_people_read_what_a_hook_received_and_why_it_failed(hq: Headquarters, till: Hook) -> None:
    """List, show, one delivery in full, replay: for people and as JSON."""
    store(hq, till, webhooks.ticket())
    store(hq, till, {"type": "refund"})
    map_stored(hq, "till")
    [row] = said("hook list --json", hq).json
    assert (row["received"], row["mapped"], row["failed"], row["state"]) == (2, 1, 1, "on")
    shown = said("hook show till --json", hq).json
    assert shown["left"][0]["detail"] == "no case of the mapping fits (type is 'refund')"
    assert "cases:" in shown["mapping"]
    delivery_id = shown["left"][0]["delivery_id"]
    assert said(f"hook show till --delivery {delivery_id} --json", hq).json["body"] == {"type": "refund"}
    for line in ("hook list", "hook show till", f"hook show till --delivery {delivery_id}", "mapping list"):
        done = said(line, hq)
        assert (done.status, done.err) == (0, "")
    assert said("hook replay till --since 2026-11-22 --json", hq).json == {"failed": 1}
    assert said("hook replay till --since 2026-11-23 --every --json", hq).json == {}
    assert said("hook replay till --every", hq).out == "2 deliveries were read again: 1 failed, 1 mapped.\n"


def test_a_mapping_is_tried_without_any_chain(tmp_path: Path, hq: Headquarters) -> None:
    """What would come out, and a status that says whether it fits."""
    payload = tmp_path / "order.json"
    payload.write_text(json.dumps(webhooks.shopify_order()))
    line = f"mapping try shopify '{payload}' --header 'X-Shopify-Topic: orders/create' --json"
    done = said(line, hq)
    assert done.status == 0, done.err
    assert done.json["pieces"][0]["message"]["event"] == "Order Completed"
    done = said(f"mapping try shopify '{payload}' --json", hq)
    assert (done.status, done.json["pieces"][0]["what"]) == (1, "nothing")
    assert "does not fit" in done.err

"""The CRM lens: what a summary says and what it never says, cursors, and webhooks that lose nothing."""

from __future__ import annotations

import hashlib
import hmac
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Refused
from sync_server.adapters.sender import HttpSender
from sync_server.adapters.target_secrets import FileTargetSecrets
from sync_server.services.changes import export_changes
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.privacy import erase
from sync_server.services.table_file import Format, write_rows
from sync_server.services.trait_targets import (
    ATTEMPTS,
    DELIVERY,
    SIGNATURE,
    Outlet,
    add_target,
    list_targets,
    remove_target,
    run_targets,
    sign,
)
from sync_server.services.traits import TRAIT_COLUMNS, TRAITS
from tests.support.receiver import Receiver, receiver
from tests.support.world import LOYALTY_ID, make_journalist, pass_time

SECRET_WORDS = ("prefers wool", "PARKA-1", "Product Viewed", "red boots")


@pytest.fixture
def crm() -> Iterator[Receiver]:
    """The other system."""
    with receiver() as made:
        yield made


@pytest.fixture
def waits() -> list[float]:
    """How long was waited between attempts; nobody sleeps."""
    return []


@pytest.fixture
def outlet(hq: Headquarters, waits: list[float]) -> Outlet:
    """Real HTTP, real secret files."""
    return Outlet(FileTargetSecrets(hq.settings.keys_dir), HttpSender(), waits.append)


def tell(hq: Headquarters, number: int = 1, **consent: bool) -> None:
    """A shopper with an account: who they are, what they bought, what they looked at, what they agreed to."""
    traits = {"email": f"mara{number}@example.org", "phone": "+4915112345678", "loyalty_id": LOYALTY_ID}
    who: dict[str, Any] = {"userId": f"c-{number}", "timestamp": hq.now_at()}
    order = {"order_id": f"o{number}", "revenue": "49.90", "currency": "EUR", "products": [{"sku": "PARKA-1"}]}
    context = {"traits": traits if number == 1 else {"email": traits["email"]}}
    messages: list[dict[str, Any]] = [
        {**who, "type": "identify", "context": context},
        {**who, "type": "track", "event": "Product Viewed", "properties": {"sku": "PARKA-1"}},
        {**who, "type": "track", "event": "Products Searched", "properties": {"query": "red boots"}},
        {**who, "type": "track", "event": "Order Completed", "properties": order},
    ]
    if consent:
        asked = {"type": "track", "event": "Segment Consent Preference Updated"}
        messages.append({**who, **asked, "context": {"consent": {"categoryPreferences": consent}}})
    numbered = [{"messageId": hq.make_id(), **message} for message in messages]
    assert take_messages(hq.database, hq.clock, "web-shop", numbered).accepted == len(messages)


def exported(hq: Headquarters, since: str | None = None) -> tuple[list[dict[str, Any]], str]:
    """Summaries and the next cursor."""
    rows, cursor = export_changes(hq, TRAITS, since)
    return list(rows), cursor


def test_a_summary_holds_traits_and_never_a_log_or_a_note(hq: Headquarters):
    """Numbers, dates and sums; no event, product, search or note, in either form of file."""
    tell(hq, email=True)
    tablet = make_journalist(hq)
    tablet.note("prefers wool")
    tablet.push()
    rows, _ = exported(hq)
    (row,) = rows
    assert set(row) <= set(TRAIT_COLUMNS)
    assert (row["loyalty_id"], row["customer_id"], row["email"]) == (LOYALTY_ID, "c-1", "mara1@example.org")
    assert (row["orders"], row["net_revenue_minor"], row["refunds"]) == (1, {"EUR": 4990}, 0)
    assert (row["consent_email"], row["consent_sms"], row["use_in_analytics"]) == ("granted", "never_asked", False)
    forms: tuple[Format, ...] = ("csv", "jsonl")
    for form in forms:
        stream = io.StringIO()
        write_rows(stream, rows, TRAIT_COLUMNS, form)
        assert not [words for words in SECRET_WORDS if words in stream.getvalue()]


@pytest.mark.parametrize(
    ("consent", "told"),
    [
        ({}, set()),
        ({"email": False, "sms": False}, set()),
        ({"email": True}, {"email"}),
        ({"sms": True}, {"phone"}),
        ({"phone": True}, {"phone"}),
        ({"profiling": True}, {"last_seen_web"}),
    ],
)
def test_a_way_to_reach_somebody_goes_out_only_with_the_consent_for_it(hq: Headquarters, consent: Any, told: set[str]):
    """And when they were online only with the consent to make a profile of it."""
    tell(hq, **consent)
    ((row,), _) = exported(hq)
    assert {name for name in ("email", "phone", "last_seen_web") if name in row} == told


def test_a_cursor_brings_only_what_changed_and_says_who_is_gone(hq: Headquarters):
    """Nothing new: nothing. A withdrawal: that profile. Two that became one: one changed, one gone with its heir."""
    tell(hq, 1, email=True)
    tell(hq, 2)
    rows, cursor = exported(hq)
    assert len(rows) == 2
    assert exported(hq, cursor) == ([], cursor)
    pass_time(hq, minutes=1)
    tell(hq, 1, email=False)
    ((row,), cursor) = exported(hq, cursor)
    assert (row["consent_email"], "email" in row, row["loyalty_id"]) == ("denied", False, LOYALTY_ID)
    pass_time(hq, minutes=1)
    joined = {"userId": "c-1", "previousId": "c-2", "type": "alias"}
    take_messages(hq.database, hq.clock, "web-shop", [{"messageId": "j", **joined}])
    rows, cursor = exported(hq, cursor)
    gone = [row for row in rows if row.get("is_gone")]
    assert [row["now_profile_id"] for row in gone] == [row["profile_id"] for row in rows if not row.get("is_gone")]
    assert len(rows) == 2
    assert not any(row.get("is_gone") for row in exported(hq)[0]), "who begins anew hears of the living only"


def test_a_cursor_of_another_history_begins_anew_and_nonsense_is_refused(hq: Headquarters):
    """After a restore places are given out a second time."""
    tell(hq)
    _, cursor = exported(hq)
    assert len(exported(hq, f"another-epoch.{cursor.rpartition('.')[2]}")[0]) == 1
    for nonsense in ("", "12", "a.b", "."):
        with pytest.raises(Refused, match="no cursor"):
            exported(hq, nonsense)


def test_browsers_nobody_knows_are_no_contacts(hq: Headquarters):
    """Until they are identified."""
    take_messages(hq.database, hq.clock, "web-shop", [{"messageId": "b", "type": "page", "anonymousId": "browser-1"}])
    assert exported(hq)[0] == []


# webhooks -------------------------------------------------------------------------------------------------------------


def test_a_batch_is_signed_so_that_the_receiver_can_prove_it(hq: Headquarters, outlet: Outlet, crm: Receiver):
    """HMAC-SHA256 over time and body under the secret that was told once; another body has another signature."""
    tell(hq, email=True)
    secret = add_target(hq, outlet, crm.url)["secret"]
    (done,) = run_targets(hq, outlet)
    assert (done.taken, done.batches, done.problem) == (1, 1, None)
    ((headers, body),) = crm.got
    stamp, _, digest = headers[SIGNATURE.lower()].partition(",")
    expected = hmac.new(secret.encode(), stamp.removeprefix("t=").encode() + b"." + body, hashlib.sha256).hexdigest()
    assert digest == f"v1={expected}"
    assert stamp == f"t={int(hq.clock.now().timestamp())}"
    assert sign(secret.encode(), 1, body) != sign(secret.encode(), 1, body + b" ")
    assert crm.taken[0]["email"] == "mara1@example.org"


def test_a_receiver_may_ask_for_keys_that_nobody_else_can_make(hq: Headquarters, outlet: Outlet, crm: Receiver):
    """HMAC under its own secret of the hash others get, also for an erased shopper; traits have no such keys."""
    with pytest.raises(Refused, match="plain words"):
        add_target(hq, outlet, crm.url, "traits", "hmac-sha256")
    tell(hq, email=True)
    secret = add_target(hq, outlet, crm.url, "suppressions", "hmac-sha256")["secret"].encode()
    plain = hashlib.sha256(b"mara1@example.org").hexdigest()
    mine = hmac.new(secret, plain.encode(), hashlib.sha256).hexdigest()
    assert run_targets(hq, outlet)[0].taken == 1
    erase(hq, "mara1@example.org", who="Ada")
    assert run_targets(hq, outlet)[0].taken == 1
    assert [one["keys"]["email_hmac_sha256"] for one in crm.taken] == [[mine], [mine]]
    assert all(plain.encode() not in body for _, body in crm.got)


def test_a_receiver_that_fails_first_gets_the_same_batch_again(hq: Headquarters, outlet: Outlet, crm: Receiver, waits):
    """500, 429, then yes: waited longer each time, one delivery id, nothing twice, nothing lost."""
    tell(hq)
    add_target(hq, outlet, crm.url)
    crm.statuses = [500, 429]
    assert run_targets(hq, outlet)[0].problem is None
    assert len({headers[DELIVERY.lower()] for headers, _ in crm.got}) == 1
    assert len({body for _, body in crm.got}) == 1
    assert (len(crm.got), len(crm.taken), len(waits)) == (3, 1, 2)
    assert 0 < waits[0] < waits[1]
    assert run_targets(hq, outlet)[0].batches == 0, "what was taken is not sent again"


def test_what_fails_stays_due_and_the_withdrawal_meanwhile_is_heeded(hq: Headquarters, outlet: Outlet, crm: Receiver):
    """Every attempt fails: the place stays. The next run sends it as it is by then, without the address."""
    tell(hq, email=True)
    add_target(hq, outlet, crm.url)
    crm.statuses = [503] * ATTEMPTS
    assert run_targets(hq, outlet)[0].problem == "the receiver answered 503"
    (row,) = list_targets(hq)
    assert (row["is_due"], row["failures"], row["problem"], crm.taken) == (True, 1, "the receiver answered 503", [])
    pass_time(hq, minutes=5)
    tell(hq, email=False)
    assert run_targets(hq, outlet)[0].taken == 1
    assert "email" not in crm.taken[0]
    assert [(row["is_due"], row["failures"], row["problem"]) for row in list_targets(hq)] == [(False, 0, None)]


def test_a_refusal_for_good_is_not_tried_again_in_the_same_run(hq: Headquarters, outlet: Outlet, crm: Receiver, waits):
    """401 or a redirect: asking four times helps nobody; it stays due all the same."""
    tell(hq)
    add_target(hq, outlet, crm.url)
    for status in (401, 302):
        crm.statuses = [status]
        assert run_targets(hq, outlet)[0].problem == f"the receiver answered {status}"
    assert (len(crm.got), waits, list_targets(hq)[0]["failures"]) == (2, [], 2)


def test_one_that_does_not_answer_keeps_no_other_waiting(hq: Headquarters, outlet: Outlet, crm: Receiver):
    """Nobody listens at one address; the other gets everything."""
    with receiver() as silent:
        pass
    tell(hq)
    for url in (silent.url, crm.url):
        add_target(hq, outlet, url)
    problems = {done.url: done.problem for done in run_targets(hq, outlet)}
    assert problems == {silent.url: "no answer (ConnectError)", crm.url: None}
    assert len(crm.taken) == 1


def test_many_profiles_go_in_batches_and_a_break_goes_on_behind_the_last(
    hq: Headquarters, outlet: Outlet, crm: Receiver, monkeypatch: pytest.MonkeyPatch
):
    """Five profiles by twos; the second batch is refused: the first is not sent again."""
    monkeypatch.setattr("sync_server.services.trait_targets.BATCH", 2)
    for number in range(2, 7):
        tell(hq, number)
    add_target(hq, outlet, crm.url)
    crm.statuses = [200, 400]
    (done,) = run_targets(hq, outlet)
    assert (done.taken, done.problem) == (2, "the receiver answered 400")
    assert run_targets(hq, outlet)[0].taken == 3
    assert sorted(row["customer_id"] for row in crm.taken) == [f"c-{number}" for number in range(2, 7)]


def test_the_secret_lies_in_the_keys_folder_and_never_in_the_database(
    hq: Headquarters, outlet: Outlet, crm: Receiver, tmp_path: Path
):
    """Readable by this account only; removed with the webhook; missing, it is a sentence and the delivery stays due."""
    tell(hq)
    made = add_target(hq, outlet, crm.url)
    (path,) = hq.settings.keys_dir.glob("target-*.secret")
    assert path.stat().st_mode & 0o077 == 0
    with hq.database.read() as reader:
        assert made["secret"] not in json.dumps([reader.rows("trait_target"), reader.rows("audit")])
    path.unlink()
    (done,) = run_targets(hq, outlet)
    assert done.problem is not None
    assert "is missing" in done.problem
    assert list_targets(hq)[0]["is_due"]
    outlet.secrets.make(made["target_id"])
    remove_target(hq, outlet, made["target_id"])
    assert list(hq.settings.keys_dir.glob("target-*.secret")) == []
    assert list_targets(hq) == []
    with pytest.raises(Refused, match="no webhook"):
        remove_target(hq, outlet, crm.url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "crm", "ftp://crm.example.org", "https://", "https://crm.example.org:x/", "https://a b/"),
        *("http://crm.example.org/hook", "https://name:word@crm.example.org/", "http://10.0.0.7/hook"),
    ],
)
def test_an_address_that_cannot_be_or_is_not_private_is_refused(hq: Headquarters, outlet: Outlet, url: str):
    """Before anything is written."""
    with pytest.raises(Refused):
        add_target(hq, outlet, url)
    assert list_targets(hq) == []


def test_the_same_address_twice_is_refused(hq: Headquarters, outlet: Outlet, crm: Receiver):
    """Its secret would change under the receiver's feet."""
    add_target(hq, outlet, crm.url)
    secret = outlet.secrets.read(list_targets(hq)[0]["target_id"])
    with pytest.raises(Refused, match="already"):
        add_target(hq, outlet, crm.url)
    assert outlet.secrets.read(list_targets(hq)[0]["target_id"]) == secret

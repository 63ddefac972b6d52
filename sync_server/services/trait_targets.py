"""Webhooks of the CRM lens: changed summaries to other systems, signed, in order, each until it was taken.

A target's place in the row of changes moves only when its receiver said yes, so a delivery that fails stays due and
none is lost; a receiver may see a batch twice and knows it by `Floorside-Delivery`. Run by a command, not the server.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from shared.clock import parse_at
from shared.errors import FloorsideError, Refused
from sync_server.ports import Sender, TargetSecrets, Unreachable
from sync_server.services.headquarters import Headquarters
from sync_server.services.sessions import EPOCH_NOTE
from sync_server.services.traits import Changes, note_changes, read_changes

SIGNATURE: Final = "Floorside-Signature"
DELIVERY: Final = "Floorside-Delivery"
ATTEMPTS: Final = 4
BATCH: Final = 200
_PASSING: Final = frozenset({408, 425, 429})
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_PATIENCE: Final = wait_exponential_jitter(initial=1, max=20)


class _NotTaken(FloorsideError):
    """The receiver did not take a batch; the text says why. `is_passing`: another try soon may help."""

    def __init__(self, why: str, *, is_passing: bool = True) -> None:
        super().__init__(why)
        self.is_passing = is_passing


@dataclass(frozen=True, slots=True)
class Outlet:
    """What deliveries need beside HQ. `sleep` waits between two attempts, in seconds."""

    secrets: TargetSecrets
    sender: Sender
    sleep: Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one run did for a target: summaries taken, batches, and why it stopped early (None: all taken)."""

    url: str
    taken: int
    batches: int
    problem: str | None = None


def add_target(hq: Headquarters, outlet: Outlet, url: str) -> dict[str, str]:
    """Send changed summaries to an address from now on, beginning with all of them. The secret is told only here.

    Raises Refused for an address that is none, is not private (https, or this machine), or is there already.
    """
    _check(url)
    target_id = _id_of(url)
    with hq.database.write() as tx:
        row = {"target_id": target_id, "url": url, "made_at": hq.now_at(), "sent_n": 0, "failures": 0}
        if not tx.add_row("trait_target", {**row, "sent_at": None, "failed_at": None, "problem": None}):
            raise Refused(f"{url} is a webhook already. Remove it first to give it a new secret.")
        hq.note_audit(tx, "command line", "added a webhook", url)
        secret = outlet.secrets.make(target_id)
    return {"target_id": target_id, "url": url, "secret": secret}


def list_targets(hq: Headquarters) -> list[dict[str, Any]]:
    """All targets, with how many changes each has not taken as of the last run."""
    with hq.database.read() as reader:
        last_n = int(reader.note("traits") or 0)
        return [{**row, "is_due": row["sent_n"] < last_n} for row in reader.rows("trait_target")]


def remove_target(hq: Headquarters, outlet: Outlet, named: str) -> None:
    """Send nothing more to a target, named by address or id, and forget its secret. Raises Refused for an unknown."""
    with hq.database.write() as tx:
        found = [row for row in tx.rows("trait_target") if named in (row["url"], row["target_id"])]
        if not found:
            raise Refused(f"There is no webhook {named!r:.80}. See `sync-server export webhook list`.")
        tx.drop_rows("trait_target", target_id=found[0]["target_id"])
        hq.note_audit(tx, "command line", "removed a webhook", found[0]["url"])
    outlet.secrets.drop(found[0]["target_id"])


def run_targets(hq: Headquarters, outlet: Outlet) -> list[Delivery]:
    """Bring every target up to date; one that does not answer keeps no other waiting and stays due."""
    note_changes(hq)
    with hq.database.read() as reader:
        targets = reader.rows("trait_target")
    return [_bring_up_to_date(hq, outlet, target) for target in targets]


def sign(secret: bytes, at_s: int, body: bytes) -> str:
    """The signature header: `t=<Unix seconds>,v1=<HMAC-SHA256 of "t.body" in hex>`."""
    digest = hmac.new(secret, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


# delivering -----------------------------------------------------------------------------------------------------------


def _bring_up_to_date(hq: Headquarters, outlet: Outlet, target: dict[str, Any]) -> Delivery:
    sent_n, taken, batches = int(target["sent_n"]), 0, 0
    try:
        secret = outlet.secrets.read(target["target_id"])
        while True:
            with hq.database.read() as reader:
                changes, epoch = read_changes(reader, sent_n, BATCH), reader.note(EPOCH_NOTE) or ""
            if changes.n == sent_n:
                return Delivery(target["url"], taken, batches)
            _deliver(hq, outlet, target, secret, f"{target['target_id']}.{epoch}.{sent_n}-{changes.n}", changes)
            sent_n, taken, batches = changes.n, taken + len(changes.rows), batches + 1
            _note(hq, target, sent_n=sent_n, sent_at=hq.now_at(), failures=0, failed_at=None, problem=None)
    except (_NotTaken, Refused) as problem:
        failures = 1 if batches else int(target["failures"]) + 1
        _note(hq, target, failures=failures, failed_at=hq.now_at(), problem=str(problem)[:200])
        return Delivery(target["url"], taken, batches, str(problem))


def _deliver(
    hq: Headquarters, outlet: Outlet, target: dict[str, Any], secret: bytes, delivery_id: str, changes: Changes
) -> None:
    """Send one batch until it is taken. Raises _NotTaken after the last attempt, or at once where trying is no use."""
    body = json.dumps({"delivery": delivery_id, "profiles": changes.rows}, ensure_ascii=False).encode()

    def attempt() -> None:
        at_s = int(parse_at(hq.now_at()).timestamp())
        headers = {SIGNATURE: sign(secret, at_s, body), DELIVERY: delivery_id, "Content-Type": "application/json"}
        try:
            status = outlet.sender.post(target["url"], body, headers)
        except Unreachable as problem:
            raise _NotTaken(str(problem)) from None
        if not 200 <= status < 300:
            raise _NotTaken(f"the receiver answered {status}", is_passing=status >= 500 or status in _PASSING)

    Retrying(
        sleep=outlet.sleep,
        stop=stop_after_attempt(ATTEMPTS),
        wait=_wait,
        retry=retry_if_exception(lambda problem: isinstance(problem, _NotTaken) and problem.is_passing),
        reraise=True,
    )(attempt)


def _wait(state: RetryCallState) -> float:
    return float(_PATIENCE(state))


def _note(hq: Headquarters, target: dict[str, Any], **values: Any) -> None:
    """Write down how far a target is; one removed meanwhile stays removed."""
    with hq.database.write() as tx:
        tx.change_rows("trait_target", values, target_id=target["target_id"])


def _id_of(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def _check(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, is_sound = parts.hostname, parts.scheme in ("http", "https") and (parts.port or 1) > 0
    except ValueError:
        host, is_sound = None, False
    if not is_sound or not host or not url.isprintable() or " " in url:
        raise Refused(f"{url!r:.80} is no address. Give one such as https://crm.example.org/floorside.")
    if parts.username or parts.password:
        raise Refused(
            "The address holds a name or password, which would lie in the database. Leave them out: what "
            "is sent is signed."
        )
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise Refused("Personal words travel under https only, except on this machine. Give an https address.")

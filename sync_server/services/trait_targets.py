"""Webhooks to other systems: changed summaries or suppressions, signed, in order, each until it was taken.

A target's place in the row of changes moves only when its receiver said yes, so a delivery that fails stays due and
none is lost; a receiver may see a batch twice and knows it by `Floorside-Delivery`. Of several processes one at a time
sends to a target: it claims it, for a minute that every attempt renews. The server runs this (`courier.py`), or a
command.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    stop_when_event_set,
    wait_exponential_jitter,
)

from shared.clock import parse_at, shift_at
from shared.errors import FloorsideError, Refused
from sync_server.ports import CentralReader, Sender, TargetSecrets, Unreachable
from sync_server.services.changes import Changes, Lens, last_place, note_changes, read_changes
from sync_server.services.headquarters import Headquarters
from sync_server.services.sessions import EPOCH_NOTE
from sync_server.services.suppression_list import SUPPRESSIONS, keyed
from sync_server.services.traits import TRAITS

SIGNATURE: Final = "Floorside-Signature"
DELIVERY: Final = "Floorside-Delivery"
ATTEMPTS: Final = 4
BATCH: Final = 200
CLAIM_S: Final = 60
"""Longer than one attempt and the longest wait before it."""
LENSES: Final[dict[str, Lens]] = {lens.name: lens for lens in (TRAITS, SUPPRESSIONS)}
What = Literal["traits", "suppressions"]
Keys = Literal["sha256", "hmac-sha256"]
"""How suppressions name a shopper: as every sender matches them, or so that this receiver alone can."""
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
    """What deliveries need beside HQ. `sleep` waits between two attempts, in seconds; none begins after `stopped`."""

    secrets: TargetSecrets
    sender: Sender
    sleep: Callable[[float], None]
    attempts: int = ATTEMPTS
    stopped: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one run did for a target: summaries taken, batches, and why it stopped early (None: all taken)."""

    url: str
    taken: int
    batches: int
    problem: str | None = None


def add_target(
    hq: Headquarters, outlet: Outlet, url: str, what: What = "traits", keys: Keys = "sha256"
) -> dict[str, str]:
    """Send what changes to an address from now on, beginning with all of it. The secret is told only here.

    Raises Refused for an address that is none, is not private (https, or this machine), or is there already, and for
    keys of traits, which name a shopper in plain words.
    """
    _check(url)
    if what == "traits" and keys != "sha256":
        raise Refused("Traits name their shopper in plain words. Leave --keys out, or add --what suppressions.")
    target_id = _id_of(url, what)
    with hq.database.write() as tx:
        row = {
            "target_id": target_id,
            "url": url,
            "what": what,
            "keys": keys,
            "made_at": hq.now_at(),
            "sent_n": 0,
            "failures": 0,
        }
        row |= dict.fromkeys(("sent_at", "failed_at", "problem", "claim", "claimed_until"))
        if not tx.add_row("trait_target", row):
            raise Refused(f"{url} is a webhook already. Remove it first to give it a new secret.")
        hq.note_audit(tx, "command line", "added a webhook", url)
        secret = outlet.secrets.make(target_id)
    return {"target_id": target_id, "url": url, "what": what, "keys": keys, "secret": secret}


def list_targets(hq: Headquarters) -> list[dict[str, Any]]:
    """All targets, with how many changes each has not taken as of the last run."""
    with hq.database.read() as reader:
        return [{**row, "is_due": is_due(reader, row)} for row in reader.rows("trait_target")]


def is_due(reader: CentralReader, target: Mapping[str, Any]) -> bool:
    """Whether there are changes that a target has not taken."""
    return bool(target["sent_n"] < last_place(reader, LENSES[target["what"]]))


def remove_target(hq: Headquarters, outlet: Outlet, named: str) -> None:
    """Send nothing more to a target, named by address or id, and forget its secret. Raises Refused for an unknown."""
    with hq.database.write() as tx:
        found = [row for row in tx.rows("trait_target") if named in (row["url"], row["target_id"])]
        if not found:
            raise Refused(f"There is no webhook {named!r:.80}. See `sync-server export webhook list`.")
        for row in found:
            tx.drop_rows("trait_target", target_id=row["target_id"])
        hq.note_audit(tx, "command line", "removed a webhook", found[0]["url"])
    for row in found:
        outlet.secrets.drop(row["target_id"])


def run_targets(hq: Headquarters, outlet: Outlet) -> list[Delivery]:
    """Bring every target up to date; one that does not answer keeps no other waiting and stays due."""
    with hq.database.read() as reader:
        targets = reader.rows("trait_target")
    for lens in lenses_of(targets):
        note_changes(hq, lens)
    return [bring_up_to_date(hq, outlet, target) for target in targets]


def lenses_of(targets: Iterable[Mapping[str, Any]]) -> list[Lens]:
    """What these are told, each once."""
    return [LENSES[name] for name in sorted({target["what"] for target in targets})]


def sign(secret: bytes, at_s: int, body: bytes) -> str:
    """The signature header: `t=<Unix seconds>,v1=<HMAC-SHA256 of "t.body" in hex>`."""
    digest = hmac.new(secret, f"{at_s}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_s},v1={digest}"


# delivering -----------------------------------------------------------------------------------------------------------


def bring_up_to_date(hq: Headquarters, outlet: Outlet, target: Mapping[str, Any]) -> Delivery:
    """Send a target all it has not taken, unless another process is at it."""
    round_ = _Round(hq, outlet, target)
    if not round_.claim():
        return Delivery(target["url"], 0, 0)
    try:
        return round_.run()
    finally:
        round_.release()


class _Round:
    """One target's turn, under a claim of its own."""

    def __init__(self, hq: Headquarters, outlet: Outlet, target: Mapping[str, Any]) -> None:
        self._hq = hq
        self._outlet = outlet
        self._target = target
        self._lens = LENSES[target["what"]]
        self._claim = hq.make_id()

    def claim(self) -> bool:
        """Take the target, unless somebody has it; a claim that has run out is nobody's."""
        with self._hq.database.write() as tx:
            rows = tx.rows("trait_target", target_id=self._target["target_id"])
            if not rows or (rows[0]["claim"] and rows[0]["claimed_until"] > self._hq.now_at()):
                return False
            self._target = rows[0]
            held = {"target_id": rows[0]["target_id"], "claim": rows[0]["claim"]}
            return tx.change_rows("trait_target", {"claim": self._claim, "claimed_until": self._until()}, **held) == 1

    def _until(self) -> str:
        return shift_at(self._hq.now_at(), seconds=CLAIM_S)

    def release(self) -> None:
        """Let others have it."""
        self._note(claim=None, claimed_until=None)

    def _note(self, **values: Any) -> bool:
        """Write down how it stands; False for a target that was removed, or claimed by another, meanwhile."""
        with self._hq.database.write() as tx:
            held = {"target_id": self._target["target_id"], "claim": self._claim}
            return tx.change_rows("trait_target", values, **held) == 1

    def run(self) -> Delivery:
        """Batch after batch until nothing is left, or one is not taken."""
        hq, url, sent_n, taken, batches = self._hq, self._target["url"], int(self._target["sent_n"]), 0, 0
        try:
            secret = self._outlet.secrets.read(self._target["target_id"])
            while not self._outlet.stopped.is_set():
                with hq.database.read() as reader:
                    changes = read_changes(reader, self._lens, hq.now_at(), sent_n, BATCH)
                    epoch = reader.note(EPOCH_NOTE) or ""
                if changes.n == sent_n:
                    break
                self._deliver(secret, f"{self._target['target_id']}.{epoch}.{sent_n}-{changes.n}", changes)
                sent_n, taken, batches = changes.n, taken + len(changes.rows), batches + 1
                if not self._note(sent_n=sent_n, sent_at=hq.now_at(), failures=0, failed_at=None, problem=None):
                    break
        except (_NotTaken, Refused) as problem:
            failures = 1 if batches else int(self._target["failures"]) + 1
            self._note(failures=failures, failed_at=hq.now_at(), problem=str(problem)[:200])
            return Delivery(url, taken, batches, str(problem))
        return Delivery(url, taken, batches)

    def _deliver(self, secret: bytes, delivery_id: str, changes: Changes) -> None:
        """Send one batch until it is taken. Raises _NotTaken after the last attempt, or at once where trying is no
        use."""
        rows = [keyed(row, secret) for row in changes.rows] if self._target["keys"] == "hmac-sha256" else changes.rows
        body = json.dumps({"delivery": delivery_id, "profiles": rows}, ensure_ascii=False).encode()
        Retrying(
            sleep=self._outlet.sleep,
            stop=stop_after_attempt(self._outlet.attempts) | stop_when_event_set(self._outlet.stopped),
            wait=_wait,
            retry=retry_if_exception(lambda problem: isinstance(problem, _NotTaken) and problem.is_passing),
            reraise=True,
        )(self._attempt, secret, delivery_id, body)

    def _attempt(self, secret: bytes, delivery_id: str, body: bytes) -> None:
        if not self._note(claimed_until=self._until()):
            raise _NotTaken("another process sends to it, or it was removed", is_passing=False)
        at_s = int(parse_at(self._hq.now_at()).timestamp())
        headers = {SIGNATURE: sign(secret, at_s, body), DELIVERY: delivery_id, "Content-Type": "application/json"}
        try:
            status = self._outlet.sender.post(self._target["url"], body, headers)
        except Unreachable as problem:
            raise _NotTaken(str(problem)) from None
        if not 200 <= status < 300:
            raise _NotTaken(f"the receiver answered {status}", is_passing=status >= 500 or status in _PASSING)


def _wait(state: RetryCallState) -> float:
    return float(_PATIENCE(state))


def _id_of(url: str, what: What) -> str:
    return hashlib.sha256((url if what == "traits" else f"{what} {url}").encode()).hexdigest()[:12]


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

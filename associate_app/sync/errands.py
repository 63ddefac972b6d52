"""Carries out the actions of the sync engine: one request to HQ or one transaction on the tablet each. Steps 6 and 8.

`Errands.carry_out` takes an action and gives the event that tells what came of it; what can go wrong comes back as an
event too. It decides nothing and keeps nothing but the open snapshot stream and what the status tells of the past.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from associate_app.absence import AbsenceMeter
from associate_app.ports import (
    CARD_STOCK_NOTE,
    CLOCK_OFFSET_NOTE,
    EPOCH_NOTE,
    LAST_COMPLETE_SYNC_NOTE,
    LAST_CONTACT_NOTE,
    SLICE_WIPED_NOTE,
    Chance,
    Clock,
    NoTrust,
    PictureShelf,
    SyncEndpoint,
    TabletDatabase,
)
from associate_app.sync import steps
from associate_app.sync.status import Memory, SnapshotProgress
from shared.clock import format_at, is_at, ms_between, shift_at
from shared.errors import Problem, Refused, StorageFull, Weather
from shared.ids import Uuid7, derived_id
from shared.wire.messages import PROTO, HelloRequest, SnapshotEnd, SnapshotHeader, SnapshotLine, StockCard, store_of
from shared.wire.ops import ERASED, WITHHELD, Op

RECOMPUTED_NOTE: Final = "sums_recomputed_at"
UNTIDY_NOTE: Final = "sync_under_way"
"""Set while a round runs: found at a start, the worker before this one crashed."""
LINES_A_STEP: Final = 2000
RECOMPUTE_S: Final = 86_400
_STAND_INS: Final = frozenset({WITHHELD, ERASED})
_MAY_GO_UNANSWERED: Final = (
    steps.SayHello,
    steps.PushOps,
    steps.PullPage,
    steps.OpenSnapshot,
    steps.LoadLines,
    steps.SwapSnapshot,
)

_log: Final = logging.getLogger(__name__)


@dataclass(slots=True)
class _OpenSnapshot:
    """A snapshot being streamed: its lines still to come, and how many documents are here."""

    header: SnapshotHeader
    lines: Iterator[SnapshotHeader | SnapshotLine | SnapshotEnd]
    count: int
    total: int
    broken: Weather | None = None
    """How the stream ended early, after lines that were still stored."""


class Errands:
    """Runs between the tablet's database and HQ; of one thread."""

    def __init__(
        self,
        database: TabletDatabase,
        endpoint: SyncEndpoint,
        clock: Clock,
        chance: Chance,
        *,
        app_version: str,
        owner: str,
        wipe_after_days: int,
        pictures: PictureShelf | None = None,
    ) -> None:
        self._database = database
        self._endpoint = endpoint
        self._clock = clock
        self._chance = chance
        self._app_version = app_version
        self._owner = owner
        self._wipe_after_days = wipe_after_days
        self._pictures = pictures
        self._absence = AbsenceMeter(clock)
        self._has_looked = False
        self._batch: steps.Batch | None = None
        self._hq_heard: tuple[str, float] | None = None
        self._receipt_keys: Mapping[str, str] = {}
        self._scopes: Sequence[str] = ()
        self._stream: _OpenSnapshot | None = None
        self.memory = Memory()
        self._errand_of: dict[type[steps.Action], Callable[[Any], steps.Event]] = {
            steps.Look: self._look,
            steps.WipeSlice: self._wipe,
            steps.SayHello: self._say_hello,
            steps.Adopt: self._adopt,
            steps.TakeNewInstall: self._take_new_install,
            steps.PurgeScope: self._purge,
            steps.PushOps: self._push,
            steps.Settle: self._settle,
            steps.Withhold: self._withhold,
            steps.Recompute: self._recompute,
            steps.PullPage: self._pull,
            steps.ApplyPage: self._apply,
            steps.OpenSnapshot: self._open_snapshot,
            steps.LoadLines: self._load_lines,
            steps.SwapSnapshot: self._swap,
            steps.FinishRound: self._finish,
        }

    def carry_out(self, action: steps.Action) -> steps.Event:
        """Carry out an action, and turn what can go wrong into an event."""
        self._batch = None
        try:
            return self._errand_of[type(action)](action)
        except Weather as weather:
            return self._no_answer(action, weather)
        except Problem as problem:
            _log.info("HQ answered %s %s: %s", problem.status, problem.code, problem.detail)
            return steps.ProblemCame(self.moment(), problem.code, problem.status, problem.retry_after_s, self._batch)
        except StorageFull:
            return steps.DiskFull(self.moment())
        except Refused as refusal:
            _log.warning("Sync had to stop: %s", refusal)
            return steps.Broke(self.moment(), str(refusal))
        except Exception:  # noqa: BLE001 - a bug stops its lane, never the loop; logged with its traceback
            _log.exception("Sync step %s failed.", type(action).__name__)
            return steps.Broke(self.moment())

    def _no_answer(self, action: steps.Action, weather: Weather) -> steps.Event:
        _log.info("No usable answer: %s", weather)
        if not isinstance(action, _MAY_GO_UNANSWERED):
            return steps.Broke(self.moment())
        if isinstance(weather, NoTrust):
            return steps.NoAnswer(self.moment(), "certificate", weather.hq_at, self._batch)
        return steps.NoAnswer(self.moment(), batch=self._batch)

    def moment(self) -> steps.Moment:
        """Now, a fresh draw, and whether ops wait to be sent."""
        has_pending = self._database.head()[0] > self._database.acked()[0]
        return steps.Moment(self._clock.monotonic_s(), self._chance.uniform(0.0, 1.0), has_pending)

    def close_stream(self) -> None:
        """Drop an open snapshot; what came of it stays, to go on from there."""
        stream, self._stream = self._stream, None
        close = getattr(stream.lines, "close", None) if stream else None
        if close is not None:
            close()

    def _now_at(self) -> str:
        return format_at(self._clock.now())

    def _remember_more(self, **changes: Any) -> None:
        self.memory = replace(self.memory, **changes)

    def _count(self, **changes: Any) -> None:
        self._remember_more(tally=replace(self.memory.tally, **changes))

    def _count_request(self) -> None:
        self._count(requests=self.memory.tally.requests + 1)

    # the actions: how this tablet stands

    def _look(self, _action: steps.Look) -> steps.Event:
        device, held = self._database.device(), self._database.states()
        heads = {state.scope: state.at for state in held if state.cursor is not None}
        self._remember_more(heads=heads, is_enrolled=device is not None)
        was_untidy = self._note_round()
        return steps.Looked(
            self.moment(),
            device.device_id if device else None,
            scopes_held=tuple(state.scope for state in held),
            idle_s=self._seconds_since(LAST_CONTACT_NOTE),
            is_recompute_due=bool(held) and (was_untidy or self._is_past(RECOMPUTED_NOTE, RECOMPUTE_S)),
            is_wipe_due=self._is_wipe_due(),
        )

    def _note_round(self) -> bool:
        """Mark that a round is under way; says whether an earlier worker's mark was still there."""
        is_marked = self._database.read_note(UNTIDY_NOTE) is not None
        was_untidy = is_marked and not self._has_looked
        if not self._has_looked:
            self._remember()
        if not is_marked:
            self._database.write_note(UNTIDY_NOTE, self._owner)
        self._has_looked = True
        return was_untidy

    def _remember(self) -> None:
        """What the status tells from before this start."""
        offset = self._database.read_note(CLOCK_OFFSET_NOTE) or ""
        self._remember_more(
            last_complete_sync_at=self._database.read_note(LAST_COMPLETE_SYNC_NOTE),
            clock_offset_ms=int(offset) if offset.lstrip("-").isdigit() else None,
        )

    def _seconds_since(self, note: str) -> float | None:
        """Seconds since a noted time, by this tablet's clock; 0 for one in the future, None where there is none."""
        noted = self._database.read_note(note)
        return max(0.0, ms_between(noted, self._now_at()) / 1000) if is_at(noted) and noted is not None else None

    def _is_past(self, note: str, seconds: float) -> bool:
        since_s = self._seconds_since(note)
        return since_s is None or since_s >= seconds

    def _is_wipe_due(self) -> bool:
        """A tablet without HQ for too long may be lost: it deletes its shoppers once."""
        away_s = self._absence.add_up(self._database)
        is_wiped = self._database.read_note(SLICE_WIPED_NOTE) is not None
        return away_s is not None and not is_wiped and away_s >= self._wipe_after_days * 86_400

    def _wipe(self, _action: steps.WipeSlice) -> steps.Event:
        self._database.wipe_shoppers()
        if self._pictures is not None:
            self._pictures.clear()
        self._database.write_note(SLICE_WIPED_NOTE, self._now_at())
        return steps.Wiped(self.moment())

    # the actions: hello

    def _say_hello(self, _action: steps.SayHello) -> steps.Event:
        database = self._database
        device = database.device()
        if device is None:
            raise Refused("This tablet is not connected to HQ. Connect it with an enrolment code.")
        epoch, (acked_seq, chain) = database.read_note(EPOCH_NOTE), database.acked()
        request = HelloRequest(
            proto=PROTO,
            device_id=device.device_id,
            install_id=database.install_id(),
            app=self._app_version,
            epoch=epoch,
            device_now=self._now_at(),
            head_seq=database.head()[0],
            acked_seq=acked_seq,
            chain=chain,
        )
        self._count_request()
        reply = self._endpoint.hello(request)
        self._hq_heard = (reply.server_now, self._clock.monotonic_s())
        self._receipt_keys, self._scopes = reply.receipt_keys, reply.scopes
        own = steps.OwnJournal(
            install_id=request.install_id,
            head_seq=request.head_seq,
            acked_seq=acked_seq,
            chain_there=database.chain_at(reply.acked_seq),
        )
        held = tuple(state.scope for state in database.states())
        return steps.Greeted(self.moment(), reply, device.device_id, own, epoch, held)

    def _adopt(self, action: steps.Adopt) -> steps.Event:
        """Token and card stock count whatever the journal still needs; the epoch only once the journal has followed."""
        self._remember_more(clock_offset_ms=action.offset_ms)
        with self._database.atomic():
            self._keep_place(action.device_id, action.token)
            self._keep_cards(action.card_stock)
            self._note_contact()
            self._database.write_note(SLICE_WIPED_NOTE, None)
            self._database.write_note(CLOCK_OFFSET_NOTE, str(action.offset_ms))
            if action.resend_from is not None and not self._database.resend_from(action.resend_from):
                return steps.Adopted(self.moment(), is_resendable=False)
            if action.must_requeue:
                self._database.requeue_earlier_installs()
            self._database.write_note(EPOCH_NOTE, action.epoch)
        return steps.Adopted(self.moment())

    def _note_contact(self) -> None:
        self._database.write_note(LAST_CONTACT_NOTE, self._now_at())
        self._absence.restart()

    def _keep_place(self, device_id: str, token: str | None) -> None:
        """A rotated token and the store this tablet was given to, unless it was connected anew while hello was on its
        way. Ops recorded so far keep their scope."""
        device = self._database.device()
        if device is None or device.device_id != device_id:
            return
        stores = [store for scope in self._scopes if (store := store_of(scope))]
        told = replace(device, token=token or device.token, store=stores[0] if len(stores) == 1 else device.store)
        if told != device:
            self._database.save_device(told)

    def _keep_cards(self, cards: tuple[StockCard, ...]) -> None:
        """HQ sends the install's whole stock each time; who hands one out knows which were used since."""
        if cards:
            stock = {"install_id": self._database.install_id(), "cards": [card.model_dump() for card in cards]}
            self._database.write_note(CARD_STOCK_NOTE, json.dumps(stock))

    def _take_new_install(self, action: steps.TakeNewInstall) -> steps.Event:
        fresh_id = Uuid7(self._clock.now, self._chance.bits)()
        _log.warning("HQ holds another journal under this install; it goes on as a new one.")
        self._database.restart_install(fresh_id, include_acked=action.include_acked)
        return steps.Restarted(self.moment())

    def _purge(self, action: steps.PurgeScope) -> steps.Event:
        self._database.purge_scope(action.scope)
        self._remember_more(heads={scope: at for scope, at in self.memory.heads.items() if scope != action.scope})
        return steps.Purged(self.moment())

    # the actions: push

    def _push(self, action: steps.PushOps) -> steps.Event:
        database, device = self._database, self._database.device()
        ops = database.next_batch(after_seq=database.acked()[0], max_ops=action.max_ops, max_bytes=action.max_bytes)
        if not ops or device is None:
            return steps.NothingToSend(self.moment())
        install_id = database.install_id()
        self._batch = batch = batch_of(install_id, ops)
        message = {
            "epoch": action.epoch,
            "device_id": device.device_id,
            "install_id": install_id,
            "batch_id": batch.batch_id,
            "first_seq": batch.first_seq,
            "device_now": self._now_at(),
            "ops": [wire_op(op) for op in ops],
        }
        self._count_request()
        reply = self._endpoint.push(message)
        key, is_listed = self._receipt_key(reply.receipt.kid, device.receipt_key)
        own_chain = database.chain_at(reply.receipt.through_seq)
        return steps.Pushed(self.moment(), batch, reply, install_id, own_chain, key, is_listed)

    def _receipt_key(self, kid: str, enrolled_key: str) -> tuple[bytes, bool]:
        """The public key a receipt must be signed with, and whether HQ lists it: in its documents, or in this session's
        hello, which also a tablet hears that may receive no documents."""
        document = self._database.document(f"receipt_key/{kid}")
        listed = document.body.get("public_key") if document else self._receipt_keys.get(kid)
        key = enrolled_key if listed is None else listed
        try:
            return base64.b64decode(str(key), validate=True), listed is not None
        except ValueError:
            return b"", listed is not None

    def _settle(self, action: steps.Settle) -> steps.Event:
        self._database.settle(action.reply, at=action.reply.receipt.issued_at)
        answered = dict(self.memory.tally.answered)
        for result in action.reply.results:
            answered[result.verdict] = answered.get(result.verdict, 0) + 1
        self._count(answered=answered)
        return steps.Settled(self.moment(), self._database.acked()[0])

    def _withhold(self, action: steps.Withhold) -> steps.Event:
        _log.error("HQ cannot take the op at seq %s; it is withheld on this tablet.", action.seq)
        self._database.withhold(action.seq)
        return steps.Withheld(self.moment())

    # the actions: pull

    def _recompute(self, action: steps.Recompute) -> steps.Event:
        self._database.recompute(action.scope)
        return steps.Recomputed(self.moment())

    def _pull(self, action: steps.PullPage) -> steps.Event:
        held = self._database.state(action.scope)
        if held is None or held.cursor is None:
            return steps.NoCursor(self.moment())
        self._count_request()
        page = self._endpoint.pull(action.scope, held.cursor)
        return steps.Paged(self.moment(), held.cursor, page)

    def _apply(self, action: steps.ApplyPage) -> steps.Event:
        replica = self._database.apply_page(action.page)
        self._remember_more(heads={**self.memory.heads, action.scope: replica.at})
        self._count(documents_received=self.memory.tally.documents_received + len(action.page.changes))
        return steps.Applied(self.moment(), action.page, replica)

    def _open_snapshot(self, action: steps.OpenSnapshot) -> steps.Event:
        if action.is_fresh:
            self._database.drop_shadow(action.scope)
        header, after, held = self._database.shadow_progress(action.scope) or (None, None, 0)
        self._count_request()
        if header is None or after is None:
            lines, as_of = self._endpoint.snapshot(action.scope), None
        else:
            as_of = header.as_of
            lines = self._endpoint.snapshot(action.scope, after=after, as_of=as_of, epoch=header.epoch)
        first = next(lines, None)
        if not isinstance(first, SnapshotHeader):
            raise Weather("the snapshot has no header")
        self._stream = _OpenSnapshot(first, lines, held, held + first.count)
        self._remember_more(snapshot=SnapshotProgress(held, held + first.count))
        return steps.SnapshotOpened(self.moment(), first, held, as_of)

    def _load_lines(self, _action: steps.LoadLines) -> steps.Event:
        stream = self._stream
        if stream is None:
            raise Weather("the snapshot's stream is gone")
        if stream.broken is not None:
            raise stream.broken
        lines, end = _read_lines(stream)
        self._database.load_snapshot(stream.header, lines)
        stream.count += len(lines)
        self._remember_more(snapshot=SnapshotProgress(stream.count, stream.total))
        self._count(documents_received=self.memory.tally.documents_received + len(lines))
        return steps.LinesLoaded(self.moment(), stream.count, end)

    def _swap(self, action: steps.SwapSnapshot) -> steps.Event:
        replica = self._database.swap_snapshot(action.scope, action.end)
        self._remember_more(heads={**self.memory.heads, action.scope: replica.at}, snapshot=None)
        self._count(snapshots=self.memory.tally.snapshots + 1)
        return steps.Swapped(self.moment(), replica)

    def _finish(self, action: steps.FinishRound) -> steps.Event:
        now_at = self._now_at()
        with self._database.atomic():
            self._database.write_note(LAST_COMPLETE_SYNC_NOTE, now_at)
            self._note_contact()
            self._database.write_note(UNTIDY_NOTE, None)
            if action.has_recomputed:
                self._database.write_note(RECOMPUTED_NOTE, now_at)
            self._forget_acked(action.retain_acked_days)
        self._remember_more(last_complete_sync_at=now_at)
        return steps.Finished(self.moment())

    def _forget_acked(self, retain_days: int) -> None:
        """By HQ's time, never this tablet's: a clock years ahead must not drop what a restored HQ needs."""
        if self._hq_heard is None or not is_at(self._hq_heard[0]):
            return
        hq_at, heard_s = self._hq_heard
        since_ms = int((self._clock.monotonic_s() - heard_s) * 1000)
        self._database.forget_acked(shift_at(hq_at, ms=since_ms, days=-retain_days))


def _read_lines(stream: _OpenSnapshot) -> tuple[list[SnapshotLine], SnapshotEnd | None]:
    """A step's lines and, with the last of them, the end. A stream that breaks after some lines still gives those."""
    lines: list[SnapshotLine] = []
    try:
        for line in islice(stream.lines, LINES_A_STEP):
            if isinstance(line, SnapshotEnd):
                return lines, line
            if isinstance(line, SnapshotLine):
                lines.append(line)
    except Weather as weather:
        stream.broken = weather
    if not lines:
        raise stream.broken or Weather("the snapshot stopped before its end")
    return lines, None


def batch_of(install_id: str, ops: Sequence[Op]) -> steps.Batch:
    """The identity of a push: the same ops in the same form always go under the same id, also after a restart."""
    parts = (f"{op.seq}:{op.op_id}:{op.kind if op.kind in _STAND_INS else ''}" for op in ops)
    return steps.Batch(derived_id(install_id, *parts), ops[0].seq, ops[-1].seq)


def wire_op(op: Op) -> dict[str, Any]:
    """An op as push sends it; of a stand-in only what HQ needs to chain it."""
    if op.kind not in _STAND_INS:
        return op.as_wire()
    stand_in = {"seq": op.seq, "op_id": op.op_id, "kind": op.kind, "sha": op.sha}
    return {**stand_in, **op.body}

"""The sync engine: a pure state machine that decides what a tablet does next with HQ.

THEORY OF OPERATION

The engine never touches anything. `advance(state, event)` takes what just happened and gives the new state and the one
action to carry out next; the driver carries it out (one request or one transaction) and comes back with one event. The
time, a random number and "is anything unsent?" come with every event (`Moment`), so that a thousand tablets can run in
one process under one seed, and any history can be replayed.

Two one-way streams meet here and never mix: the journal goes up (push), the feed comes down (pull). Nothing is merged.

A ROUND

    rest -> look -> [hello -> adopt] -> push until empty -> pull each scope until `more` is false, check -> finish

`_choose` is the heart: after every step that went well it picks the first thing that is due, in this order, so that
push always goes before pull, and an op recorded in the middle of a long snapshot goes up before its next lines:

    1. delete scopes that hello no longer lists        (nothing forbidden stays a moment longer than needed)
    2. rest, if HQ is closed to us for now
    3. hello, if there is no session                   (at the start, after every 409 and 410, every quarter of an hour)
    4. push, if ops wait and the push lane is open
    5. go on with the open snapshot
    6. pull the next scope of this round whose lane is open: recompute its sum if due, take a snapshot, or a page
    7. finish, if all of it was sent, received and checked; rest in any case

LANES

Requests go out on lanes: `hq` (hello, and everything with it), `push`, and one for each scope. A lane that failed is
closed until a time, so that a poison op or a broken scope delays nobody else. A lane closes

    - for `uniform(0, min(300 s, 1 s * 2^n))`, n failures in a row: no answer, 5xx, a reply that does not fit;
    - for Retry-After, never shorter, when HQ says so;
    - when it was asked 3 times in a row without progress: the fourth request waits.

Progress on a lane is a settled batch, an applied page that moved the cursor, lines of a snapshot. Only progress resets
the counts; a hello is none. After REQUESTS_A_ROUND_MAX requests the engine rests in any case: no loop here is endless.
After 10 minutes without HQ the first request waits `uniform(0, 30 s)`, at the start and when the doorbell finds HQ
back, so that a chain's tablets do not all come at once. A person who asks opens every lane not closed by Retry-After.

WHAT ACKNOWLEDGES AN OP

Only a push reply that is whole (a verdict for each op, this batch's id), of this epoch and install, with a receipt
signed by HQ's key whose chain is the journal's own chain at `through_seq`. Everything else settles nothing: the same
ops go again under the same batch id. A key not known yet closes the push lane until `receipt_key/<kid>` has come by the
feed. HQ ahead of us is a lost answer: the ops go again and come back as duplicates. HQ behind us is a restored backup:
kept ops go again, and if they are no longer all kept, what is kept goes under a new install id. Another chain is a
fork: a new install id, with everything HQ has not acknowledged; if HQ's history changed too, with everything kept.

POISON

A batch accused three times in a row by a 5xx, each time with a hello that worked after it, or once by a 413 or 422, is
halved; batches stay small until the accused range is through. A single op that fails 8 times over an hour is withheld:
its stand-in goes, its body stays on the tablet. Busy and full servers accuse nobody.

ONE REPAIR PATH

A 410, a failed check, an unsound snapshot, a scope without cursor: all take a snapshot. A second failed check in a row
closes that scope's lane for a minute at least, doubling, because a copy that cannot be repaired must not load HQ.

WHAT NEVER HAPPENS

The outbox is never deleted here; 401 and 403 only stop the sending. A cursor never moves without its page. A sum is
never copied from HQ. 426 stops pulling only. `TRANSITIONS` is the whole machine as data: a pair of phase and event that
is not in it is a bug and raises; `draw_transitions()` prints it for shared/PROTOCOL.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from associate_app.sync.judge import is_check_met, judge_header, judge_hello, judge_page, judge_push
from associate_app.sync.state import (
    BATCH_STRIKES_MAX,
    BREATHER_S,
    FORK,
    HQ,
    LONG_OFFLINE_S,
    OP_FAILING_S_MIN,
    OP_FAILURES_MAX,
    POLL_S_MAX,
    POLL_S_MIN,
    PUSH,
    REPAIR_S_MAX,
    REPAIR_S_MIN,
    REQUESTS_A_ROUND_MAX,
    RETURN_SPREAD_S,
    REVOKED_S_MIN,
    SESSION_S,
    TRIES_MAX,
    UNENROLLED_S,
    Closed,
    EngineState,
    Lane,
    Phase,
    Poison,
    Session,
    Trouble,
    close,
    end_session,
    forget,
    heard,
    is_closed,
    lane_of,
    progress,
    without,
)
from associate_app.sync.steps import (
    Action,
    Adopt,
    Adopted,
    Applied,
    ApplyPage,
    Batch,
    Broke,
    DiskFull,
    Event,
    Finished,
    FinishRound,
    Greeted,
    LinesLoaded,
    LoadLines,
    Look,
    Looked,
    Moment,
    NoAnswer,
    NoCursor,
    NothingToSend,
    OpenSnapshot,
    Paged,
    ProblemCame,
    PullPage,
    Purged,
    PurgeScope,
    Pushed,
    PushOps,
    Recompute,
    Recomputed,
    Restarted,
    SayHello,
    Settle,
    Settled,
    Sleep,
    SnapshotOpened,
    Swapped,
    SwapSnapshot,
    TakeNewInstall,
    Wiped,
    WipeSlice,
    Withheld,
    Withhold,
    Woke,
)


class EngineMisused(Exception):
    """An event came that the phase cannot bring: a bug of the driver, never of the network."""


Step = tuple[EngineState, Action]
Rule = Callable[[EngineState, Any], Step]


def begin(app_version: str) -> Step:
    """The state of a driver that has just started, and its first action."""
    return EngineState(app_version=app_version), Sleep(0.0)


def advance(state: EngineState, event: Event) -> Step:
    """What happened -> what to do next. Raises EngineMisused for an event the phase cannot bring."""
    transition = TRANSITIONS.get((state.phase, type(event)))
    if transition is None:
        raise EngineMisused(f"{type(event).__name__} cannot happen in phase {state.phase}")
    after, action = transition.rule(state, event)
    assert after.phase in transition.then, f"{state.phase}, {type(event).__name__} -> {after.phase} is not in the table"
    return after, action


_PHASE_OF: Final[dict[type[Action], Phase]] = {
    Sleep: "rest",
    Look: "look",
    WipeSlice: "wipe",
    SayHello: "hello",
    Adopt: "adopt",
    TakeNewInstall: "fork",
    PurgeScope: "purge",
    PushOps: "push",
    Settle: "settle",
    Withhold: "withhold",
    Recompute: "recompute",
    PullPage: "pull",
    ApplyPage: "apply",
    OpenSnapshot: "open",
    LoadLines: "load",
    SwapSnapshot: "swap",
    FinishRound: "finish",
}


def _do(state: EngineState, action: Action) -> Step:
    scope = getattr(action, "scope", None)
    return replace(state, phase=_PHASE_OF[type(action)], scope=scope), action


# choosing


def _choose(state: EngineState, moment: Moment) -> Step:
    """The first thing that is due; the order is the theory's."""
    if state.to_purge:
        return _do(state, PurgeScope(state.to_purge[0]))
    if is_closed(state, HQ, moment):
        return _rest(state, moment)
    session = state.session
    if session is None or (moment.now_s >= session.until_s and state.loading is None):
        return _ask(state, moment, HQ, SayHello())
    if moment.has_pending and not is_closed(state, PUSH, moment):
        return _choose_push(state, moment, session)
    if state.loading is not None:
        return _do(state, LoadLines(state.loading))
    return _choose_scope(state, moment, session)


def _choose_push(state: EngineState, moment: Moment, session: Session) -> Step:
    poison = state.poison
    if poison is not None and _must_withhold(poison, moment):
        return _do(state, Withhold(poison.first_seq))
    return _ask(state, moment, PUSH, PushOps(_width(state, session), session.limits.max_bytes, session.epoch))


def _width(state: EngineState, session: Session) -> int:
    """How many ops a push may hold: those that went before, and fewer while a poison op is looked for."""
    widths = [session.limits.max_ops]
    if state.unsettled is not None:
        widths.append(state.unsettled.count)
    if state.poison is not None and state.poison.width is not None:
        widths.append(state.poison.width)
    return max(1, min(widths))


def _choose_scope(state: EngineState, moment: Moment, session: Session) -> Step:
    open_scopes = [scope for scope in state.to_pull if not is_closed(state, scope, moment)]
    if not open_scopes or not session.may_pull:
        return _finish(state, moment, session)
    scope = open_scopes[0]
    if scope in state.to_recompute:
        return _do(state, Recompute(scope))
    if scope in state.to_snapshot:
        return _ask(state, moment, scope, OpenSnapshot(scope, is_fresh=state.to_snapshot[scope]))
    return _ask(state, moment, scope, PullPage(scope))


def _ask(state: EngineState, moment: Moment, lane: Lane, action: Action) -> Step:
    """Send a request, unless this round or this lane had too many already."""
    if state.requests >= REQUESTS_A_ROUND_MAX:
        breather = Closed(moment.now_s + max(POLL_S_MIN, moment.draw * BREATHER_S))
        return _rest(replace(state, closed={**state.closed, HQ: breather}), moment)
    tries = state.tries.get(lane, 0)
    if tries >= TRIES_MAX:
        return _choose(close(state, lane, moment, state.troubles.get(lane) or Trouble("no_progress")), moment)
    return _do(replace(state, requests=state.requests + 1, tries={**state.tries, lane: tries + 1}), action)


def _finish(state: EngineState, moment: Moment, session: Session) -> Step:
    if state.to_pull or moment.has_pending or not session.may_pull:
        return _rest(replace(state, is_complete=False), moment)
    return _do(state, FinishRound(session.retain_acked_days, state.has_recomputed))


def _rest(state: EngineState, moment: Moment) -> Step:
    """Sleep until the poll is due or a closed lane opens, whichever is first."""
    state = replace(state, loading=None)
    if is_closed(state, HQ, moment):
        return _do(replace(state, is_complete=False), Sleep(state.closed[HQ].until_s - moment.now_s))
    poll_s = min(max(float(state.session.next_poll_s), POLL_S_MIN), POLL_S_MAX) if state.session else POLL_S_MIN
    waits = [
        closed.until_s - moment.now_s for lane, closed in state.closed.items() if _is_due_later(state, lane, moment)
    ]
    return _do(replace(state, failures=without(state.failures, {HQ})), Sleep(min([poll_s, *waits])))


def _is_due_later(state: EngineState, lane: Lane, moment: Moment) -> bool:
    """Whether something waits for this closed lane: no use waking up for another."""
    is_wanted = moment.has_pending if lane == PUSH else lane in state.to_pull
    return is_wanted and is_closed(state, lane, moment)


# rest and look


def _on_woke(state: EngineState, event: Woke) -> Step:
    if event.ring == "asked":
        state = _open_lanes(end_session(state))
    elif event.ring == "doorbell":
        state = _cut_short(state, event.moment)
    return _do(replace(state, is_asked=event.ring == "asked"), Look())


def _open_lanes(state: EngineState) -> EngineState:
    """A person asked: try everything now, except what HQ asked to be spared."""
    return replace(state, closed={lane: closed for lane, closed in state.closed.items() if closed.is_owed})


def _cut_short(state: EngineState, moment: Moment) -> EngineState:
    """The doorbell found HQ back while this tablet waits: come soon, but not all at once."""
    closed = state.closed.get(HQ)
    if closed is None or closed.is_owed or state.is_cut_short or state.offline_since_s is None:
        return state
    is_long = moment.now_s - state.offline_since_s >= LONG_OFFLINE_S
    until_s = min(closed.until_s, moment.now_s + moment.draw * (RETURN_SPREAD_S if is_long else 1.0))
    return replace(state, closed={**state.closed, HQ: Closed(until_s)}, is_cut_short=True)


def _on_looked(state: EngineState, event: Looked) -> Step:
    if event.is_wipe_due:
        return _do(state, WipeSlice())
    if event.device_id is None:
        return _do(replace(end_session(state), is_complete=False), Sleep(UNENROLLED_S))
    if state.session is not None and state.session.device_id != event.device_id:
        state = EngineState(app_version=state.app_version, has_started=True)
    return _choose(_begin_round(_spread(state, event), event), event.moment)


def _spread(state: EngineState, event: Looked) -> EngineState:
    """A start after a long time without HQ waits a little, so that a chain's tablets do not all come at once."""
    is_long = event.idle_s is not None and event.idle_s >= LONG_OFFLINE_S
    if state.has_started or state.is_asked or not is_long:
        return state
    until_s = event.moment.now_s + event.moment.draw * RETURN_SPREAD_S
    return replace(state, closed={**state.closed, HQ: Closed(until_s)})


def _begin_round(state: EngineState, event: Looked) -> EngineState:
    return replace(
        state,
        to_pull=state.session.scopes if state.session else (),
        to_recompute=frozenset(event.scopes_held) if event.is_recompute_due else state.to_recompute,
        has_recomputed=False,
        has_started=True,
        is_asked=False,
        requests=0,
        tries={},
    )


def _on_wiped(state: EngineState, event: Wiped) -> Step:
    state = replace(state, is_wiped=True)
    return _rest(state, event.moment) if state.is_revoked else _do(state, Look())


# hello


def _on_greeted(state: EngineState, event: Greeted) -> Step:
    state = _vouch(heard(state), event.moment)
    has_other_epoch = event.stored_epoch not in (None, event.reply.epoch)
    judgement = judge_hello(event.reply, event.own)
    if judgement == "forked":
        return _fork(state, event.moment, include_acked=has_other_epoch)
    resend_from = event.reply.acked_seq if judgement == "behind" else None
    return _do(
        _admit(state, event, is_behind=judgement == "behind"),
        Adopt(
            device_id=event.device_id,
            epoch=event.reply.epoch,
            token=event.reply.token,
            offset_ms=event.reply.offset_ms,
            card_stock=tuple(event.reply.card_stock),
            resend_from=resend_from,
            must_requeue=has_other_epoch,
        ),
    )


def _vouch(state: EngineState, moment: Moment) -> EngineState:
    """Hello works, so the batch that drew a 5xx is itself to blame: one strike more against it."""
    return replace(_strike(state, state.accused, moment), accused=None) if state.accused else state


def _admit(state: EngineState, event: Greeted, *, is_behind: bool) -> EngineState:
    """The session hello granted, and the round that goes with it."""
    session = _session(event, state.app_version)
    scopes = frozenset(session.scopes)
    troubles = without(state.troubles, {"upgrade"})
    return replace(
        state,
        session=session,
        to_purge=tuple(scope for scope in event.scopes_held if scope not in scopes),
        to_pull=session.scopes,
        to_snapshot={scope: is_fresh for scope, is_fresh in state.to_snapshot.items() if scope in scopes},
        to_recompute=state.to_recompute & scopes,
        is_revoked=False,
        is_wiped=False,
        unsettled=None if is_behind else state.unsettled,
        troubles=troubles if session.may_pull else {**troubles, "upgrade": Trouble("upgrade")},
    )


def _session(event: Greeted, app_version: str) -> Session:
    reply = event.reply
    return Session(
        epoch=reply.epoch,
        device_id=event.device_id,
        scopes=tuple(reply.scopes),
        limits=reply.limits,
        retain_acked_days=reply.retain_acked_days,
        next_poll_s=reply.next_poll_s,
        may_pull=not is_older(app_version, reply.min_app),
        notice=reply.notice,
        until_s=event.moment.now_s + SESSION_S,
    )


def is_older(version: str, least: str) -> bool:
    """Compare dotted versions by their whole numbers; a part that is none counts as 0."""
    return _parts(version) < _parts(least)


def _parts(version: str) -> list[int]:
    parts = [int(part) if part.isascii() and part.isdigit() else 0 for part in version.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    return parts


def _on_adopted(state: EngineState, event: Adopted) -> Step:
    if not event.is_resendable:
        return _fork(state, event.moment, include_acked=True)
    return _choose(replace(state, troubles=without(state.troubles, {HQ})), event.moment)


def _fork(state: EngineState, moment: Moment, *, include_acked: bool) -> Step:
    """Another journal stands under this install: a new install id. One that forks again and again must not spin."""
    state = replace(end_session(state), poison=None, accused=None, unsettled=None)
    tries = state.tries.get(FORK, 0)
    if tries >= TRIES_MAX:
        return _rest(close(state, HQ, moment, Trouble("no_progress")), moment)
    return _do(replace(state, tries={**state.tries, FORK: tries + 1}), TakeNewInstall(include_acked))


def _on_purged(state: EngineState, event: Purged) -> Step:
    gone = {state.scope or ""}
    state = replace(
        forget(state, gone),
        to_purge=tuple(scope for scope in state.to_purge if scope not in gone),
        to_pull=tuple(scope for scope in state.to_pull if scope not in gone),
        to_snapshot=without(state.to_snapshot, gone),
        to_recompute=state.to_recompute - gone,
        snapshots=without(state.snapshots, gone),
    )
    return _choose(state, event.moment)


# push


def _on_pushed(state: EngineState, event: Pushed) -> Step:
    state = replace(heard(state), unsettled=event.batch)
    session, moment = state.session, event.moment
    assert session is not None
    judgement = judge_push(event, session.epoch)
    if judgement == "sound":
        return _do(replace(state, session=replace(session, next_poll_s=event.reply.next_poll_s)), Settle(event.reply))
    if judgement == "other_epoch":
        return _choose(end_session(state), moment)
    if judgement == "forked":
        return _fork(state, moment, include_acked=False)
    return _choose(close(state, PUSH, moment, _UNSETTLED[judgement]), moment)


_UNSETTLED: Final = {
    "not_final": Trouble("not_final"),
    "unknown_key": Trouble("receipt_key"),
    "unsound": Trouble("receipt_unsound"),
}


def _on_settled(state: EngineState, event: Settled) -> Step:
    """Batches stay small until everything a poison op was suspected in is through."""
    poison = state.poison
    if poison is not None:
        is_through = event.acked_seq >= poison.suspect_through
        poison = None if is_through else replace(_EASED, width=poison.width, suspect_through=poison.suspect_through)
    return _choose(progress(replace(state, poison=poison, unsettled=None), PUSH), event.moment)


def _on_withheld(state: EngineState, event: Withheld) -> Step:
    through = state.poison.suspect_through if state.poison else 0
    eased = replace(_EASED, width=1, suspect_through=through)
    return _choose(replace(state, poison=eased, unsettled=None), event.moment)


_EASED: Final = Poison(first_seq=0, last_seq=0)
"""Nobody stands accused, but batches are kept small."""


def _strike(state: EngineState, batch: Batch, moment: Moment, *, is_plain: bool = False) -> EngineState:
    """HQ works and could not take this batch. Three strikes halve it; one that is plain (413, 422) at once."""
    poison = _accuse(state.poison, batch, moment)
    if poison.is_single or not (is_plain or poison.strikes >= BATCH_STRIKES_MAX):
        return replace(state, poison=poison)
    halved = replace(poison, strikes=0, width=max(1, batch.count // 2))
    return replace(state, poison=halved, failures=without(state.failures, {PUSH}))


def _accuse(known: Poison | None, batch: Batch, moment: Moment) -> Poison:
    """The record of this batch with one strike more; a single op also counts its failures over time."""
    span = (batch.first_seq, batch.last_seq)
    if known is None or (known.first_seq, known.last_seq) != span:
        known = Poison(*span, width=known.width if known else None, op_failing_since_s=moment.now_s)
    failures = known.op_failures + 1 if known.is_single else 0
    return replace(known, strikes=known.strikes + 1, op_failures=failures, suspect_through=batch.last_seq)


def _must_withhold(poison: Poison, moment: Moment) -> bool:
    """One op alone failed often enough, for long enough, while HQ worked."""
    is_enough = poison.op_failures >= OP_FAILURES_MAX
    return poison.is_single and is_enough and moment.now_s - poison.op_failing_since_s >= OP_FAILING_S_MIN


# pull


def _on_recomputed(state: EngineState, event: Recomputed) -> Step:
    """The next check finds out whether the recomputed sum is the right one."""
    gone = {state.scope or ""}
    return _choose(replace(state, to_recompute=state.to_recompute - gone, has_recomputed=True), event.moment)


def _on_no_cursor(state: EngineState, event: NoCursor) -> Step:
    scope = state.scope or ""
    return _choose(replace(state, to_snapshot={**state.to_snapshot, scope: False}), event.moment)


def _on_paged(state: EngineState, event: Paged) -> Step:
    state, scope = heard(state), state.scope or ""
    session = state.session
    assert session is not None
    judgement = judge_page(event.page, scope, session.epoch)
    if judgement == "other_epoch":
        return _choose(end_session(state), event.moment)
    is_stuck = event.page.more and event.page.next == event.cursor
    if judgement == "not_final" or is_stuck:
        return _choose(close(state, scope, event.moment, Trouble("not_final")), event.moment)
    return _do(state, ApplyPage(scope, event.page))


def _on_applied(state: EngineState, event: Applied) -> Step:
    scope, check = state.scope or "", event.page.check
    if event.page.more or check is None:
        return _choose(progress(state, scope), event.moment)
    if not is_check_met(check, event.replica):
        return _choose(_repair(state, scope, event.moment), event.moment)
    state = replace(
        progress(state, scope),
        to_pull=tuple(other for other in state.to_pull if other != scope),
        snapshots=without(state.snapshots, {scope}),
    )
    return _choose(state, event.moment)


def _repair(state: EngineState, scope: str, moment: Moment) -> EngineState:
    """A copy that is not what HQ has takes a snapshot; one that a snapshot did not repair waits, longer each time."""
    state = replace(state, to_snapshot={**state.to_snapshot, scope: True})
    taken = state.snapshots.get(scope, 0)
    if taken == 0:
        return state
    least_s = min(REPAIR_S_MAX, REPAIR_S_MIN * 2.0 ** min(taken - 1, 10))
    return close(state, scope, moment, Trouble("copy_unsound"), least_s=least_s)


def _on_snapshot_opened(state: EngineState, event: SnapshotOpened) -> Step:
    state, scope = heard(state), state.scope or ""
    session = state.session
    assert session is not None
    judgement = judge_header(event, scope, session.epoch)
    if judgement == "other_epoch":
        return _choose(end_session(state), event.moment)
    if judgement == "not_final":
        state = replace(state, to_snapshot={**state.to_snapshot, scope: True})
        return _choose(close(state, scope, event.moment, Trouble("not_final")), event.moment)
    state = replace(
        state,
        loading=scope,
        loading_count_max=event.held + event.header.count,
        to_snapshot={**state.to_snapshot, scope: False},
    )
    return _choose(state, event.moment)


def _on_lines_loaded(state: EngineState, event: LinesLoaded) -> Step:
    scope = state.scope or ""
    if event.count > state.loading_count_max:
        return _on_snapshot_unsound(state, event)
    state = progress(state, scope)
    if event.end is None:
        return _choose(state, event.moment)
    return _do(replace(state, loading=None), SwapSnapshot(scope, event.end))


def _on_snapshot_unsound(state: EngineState, event: Event) -> Step:
    """It is not what its own first or last line says: from the beginning, and not at once."""
    scope = state.scope or ""
    state = replace(_count_snapshot(state, scope), loading=None)
    return _choose(_repair(state, scope, event.moment), event.moment)


def _count_snapshot(state: EngineState, scope: str) -> EngineState:
    return replace(state, snapshots={**state.snapshots, scope: state.snapshots.get(scope, 0) + 1})


def _on_swapped(state: EngineState, event: Swapped) -> Step:
    scope = state.scope or ""
    state = replace(_count_snapshot(state, scope), to_snapshot=without(state.to_snapshot, {scope}))
    return _choose(progress(state, scope), event.moment)


def _on_finished(state: EngineState, event: Finished) -> Step:
    state = replace(state, is_complete=True)
    return _choose(state, event.moment) if event.moment.has_pending else _rest(state, event.moment)


# what goes wrong


def _on_no_answer(state: EngineState, event: NoAnswer) -> Step:
    """Weather. The session and the batch stay as they are: the same ops go again under the same id."""
    since_s = event.moment.now_s if state.offline_since_s is None else state.offline_since_s
    trouble = Trouble("certificate" if event.silence == "certificate" else "offline", event.hq_at)
    state = replace(state, offline_since_s=since_s, unsettled=event.batch or state.unsettled)
    return _rest(close(state, HQ, event.moment, trouble), event.moment)


def _on_disk_full(state: EngineState, event: DiskFull) -> Step:
    return _rest(close(end_session(state), HQ, event.moment, Trouble("storage_full")), event.moment)


def _on_broke(state: EngineState, event: Broke) -> Step:
    """A bug, or a damaged file: the lane it happened on waits, the others go on."""
    lane = lane_of(state)
    trouble = Trouble("broken", words=event.words)
    if lane == HQ:
        return _rest(close(end_session(state), HQ, event.moment, trouble), event.moment)
    return _choose(close(replace(state, loading=None), lane, event.moment, trouble), event.moment)


def _on_problem(state: EngineState, event: ProblemCame) -> Step:
    state = replace(heard(state), unsettled=event.batch or state.unsettled)
    rule = PROBLEM_RULES.get(event.code)
    if rule is not None:
        return rule.rule(state, event)
    return _hq_failed(state, event) if event.status >= 500 else _not_hq(state, event)


def _say_hello_again(state: EngineState, event: ProblemCame) -> Step:
    return _choose(end_session(state), event.moment)


def _forked_by_hq(state: EngineState, event: ProblemCame) -> Step:
    return _fork(state, event.moment, include_acked=False)


def _must_resync(state: EngineState, event: ProblemCame) -> Step:
    lane = lane_of(state)
    if lane in (HQ, PUSH):
        return _not_hq(state, event)
    return _choose(_repair(end_session(state), lane, event.moment), event.moment)


def _needs_connect(state: EngineState, event: ProblemCame) -> Step:
    """HQ does not know the token. The outbox stays; a restored HQ may know it again."""
    return _rest(close(end_session(state), HQ, event.moment, Trouble("needs_connect")), event.moment)


def _revoked(state: EngineState, event: ProblemCame) -> Step:
    """The shoppers go, the outbox stays."""
    state = replace(end_session(state), is_revoked=True)
    state = close(state, HQ, event.moment, Trouble("revoked"), least_s=REVOKED_S_MIN)
    return _rest(state, event.moment) if state.is_wiped else _do(state, WipeSlice())


def _scope_revoked(state: EngineState, event: ProblemCame) -> Step:
    lane = lane_of(state)
    session = state.session
    if lane in (HQ, PUSH) or session is None:
        return _not_hq(state, event)
    scopes = tuple(scope for scope in session.scopes if scope != lane)
    state = replace(state, session=replace(session, scopes=scopes), to_purge=(lane,))
    return _choose(state, event.moment)


def _must_upgrade(state: EngineState, event: ProblemCame) -> Step:
    """Receiving stops until a hello says otherwise; sending goes on."""
    session = state.session
    if session is None or lane_of(state) in (HQ, PUSH):
        return _not_hq(state, event)
    troubles = {**state.troubles, "upgrade": Trouble("upgrade")}
    return _choose(replace(state, session=replace(session, may_pull=False), troubles=troubles), event.moment)


def _busy(state: EngineState, event: ProblemCame) -> Step:
    """Overload. Snapshots are admitted apart from the rest, so their wait is the scope's alone."""
    lane = lane_of(state) if state.phase == "open" else HQ
    trouble = Trouble("hq_full" if event.code == "storage_full" else "busy")
    return _choose(close(state, lane, event.moment, trouble, retry_after_s=event.retry_after_s), event.moment)


def _batch_refused(state: EngineState, event: ProblemCame) -> Step:
    """413 or 422 of a push: HQ works, and these ops together are not for it."""
    if event.batch is None or state.phase != "push":
        return _not_hq(state, event)
    state = _strike(state, event.batch, event.moment, is_plain=True)
    if event.batch.count > 1:
        return _choose(state, event.moment)
    return _choose(close(state, PUSH, event.moment, Trouble("poison")), event.moment)


def _hq_failed(state: EngineState, event: ProblemCame) -> Step:
    """5xx. Of a push, a hello must tell whether HQ or the batch is to blame."""
    lane, trouble = lane_of(state), Trouble("hq_error")
    if lane == PUSH:
        state = replace(end_session(state), accused=event.batch)
    state = close(state, lane, event.moment, trouble, retry_after_s=event.retry_after_s)
    return _choose(state, event.moment)


def _not_hq(state: EngineState, event: ProblemCame) -> Step:
    """An answer HQ would not give here."""
    state = close(state, lane_of(state), event.moment, Trouble("not_hq"), retry_after_s=event.retry_after_s)
    return _choose(state, event.moment)


@dataclass(frozen=True, slots=True)
class ProblemRule:
    """What a problem code makes the tablet do."""

    rule: Rule
    says: str


PROBLEM_RULES: Final[Mapping[str, ProblemRule]] = {
    "token_unknown": ProblemRule(_needs_connect, "the outbox stays, the tablet asks to be connected again; back off"),
    "device_revoked": ProblemRule(_revoked, "the shoppers on the tablet are deleted, the outbox stays; back off"),
    "upgrade_required": ProblemRule(_must_upgrade, "receiving stops until a later hello, sending goes on"),
    "scope_revoked": ProblemRule(_scope_revoked, "the scope is purged"),
    "epoch": ProblemRule(_say_hello_again, "hello"),
    "gap": ProblemRule(_say_hello_again, "hello; HQ is behind, kept ops go again"),
    "install_forked": ProblemRule(_forked_by_hq, "a new install id, then hello"),
    "resync": ProblemRule(_must_resync, "hello, then a snapshot of the scope"),
    "slow_down": ProblemRule(_busy, "wait Retry-After"),
    "busy": ProblemRule(_busy, "wait Retry-After; a snapshot's wait is its scope's alone"),
    "storage_full": ProblemRule(_busy, "wait"),
    "too_large": ProblemRule(_batch_refused, "halve the batch; a single op is tried again, then withheld"),
    "malformed_request": ProblemRule(_batch_refused, "halve the batch; a single op is tried again, then withheld"),
    "internal": ProblemRule(_hq_failed, "close the lane; of a push, a hello tells whether the batch is to blame"),
}


# the machine as a table


@dataclass(frozen=True, slots=True)
class Transition:
    """A row of the machine: the rule for an event in a phase, the phases it may lead to, and what it means."""

    rule: Rule
    then: frozenset[Phase]
    says: str


NEXT_DUE: Final[frozenset[Phase]] = frozenset(
    {"purge", "rest", "hello", "push", "withhold", "load", "recompute", "open", "pull", "finish"}
)
"""Where `_choose` can lead."""


def _row(rule: Rule, says: str, *then: Phase, or_next_due: bool = False) -> Transition:
    return Transition(rule, frozenset(then) | NEXT_DUE if or_next_due else frozenset(then), says)


def _go_on(state: EngineState, event: Event) -> Step:
    return _choose(state, event.moment)


_REQUESTS: Final[tuple[Phase, ...]] = ("hello", "push", "pull", "open")
_AWAKE: Final[tuple[Phase, ...]] = tuple(phase for phase in _PHASE_OF.values() if phase != "rest")

TRANSITIONS: Final[Mapping[tuple[Phase, type[Event]], Transition]] = {
    ("rest", Woke): _row(_on_woke, "time is up, or somebody rang", "look"),
    ("look", Looked): _row(_on_looked, "a new round, or not connected yet", "wipe", or_next_due=True),
    ("wipe", Wiped): _row(_on_wiped, "no shopper is left here", "rest", "look"),
    ("hello", Greeted): _row(_on_greeted, "compare journals: adopt the terms, or fork", "adopt", "fork", "rest"),
    ("adopt", Adopted): _row(_on_adopted, "the session stands", "fork", or_next_due=True),
    ("fork", Restarted): _row(_go_on, "a new install id", or_next_due=True),
    ("purge", Purged): _row(_on_purged, "the scope is gone", or_next_due=True),
    ("push", Pushed): _row(_on_pushed, "check the reply before believing it", "settle", "fork", or_next_due=True),
    ("push", NothingToSend): _row(_go_on, "the outbox was empty after all", or_next_due=True),
    ("settle", Settled): _row(_on_settled, "the batch is acknowledged", or_next_due=True),
    ("withhold", Withheld): _row(_on_withheld, "the op's stand-in goes from now on", or_next_due=True),
    ("recompute", Recomputed): _row(_on_recomputed, "count and sum are what is stored", or_next_due=True),
    ("pull", NoCursor): _row(_on_no_cursor, "never received: a snapshot", or_next_due=True),
    ("pull", Paged): _row(_on_paged, "check the page before storing it", "apply", or_next_due=True),
    ("apply", Applied): _row(_on_applied, "compare with HQ's check; unequal: a snapshot", or_next_due=True),
    ("open", SnapshotOpened): _row(_on_snapshot_opened, "check the header", or_next_due=True),
    ("load", LinesLoaded): _row(_on_lines_loaded, "more lines; ops go up in between", "swap", or_next_due=True),
    ("swap", Swapped): _row(_on_swapped, "the snapshot is live", or_next_due=True),
    ("swap", NoAnswer): _row(_on_snapshot_unsound, "not whole: again, from the beginning", or_next_due=True),
    ("finish", Finished): _row(_on_finished, "all sent, received and checked", or_next_due=True),
    **{(phase, NoAnswer): _row(_on_no_answer, "weather: back off", "rest") for phase in (*_REQUESTS, "load")},
    **{
        (phase, ProblemCame): _row(_on_problem, "by its code, see below", "fork", "wipe", or_next_due=True)
        for phase in _REQUESTS
    },
    **{(phase, DiskFull): _row(_on_disk_full, "nothing was half-written: back off", "rest") for phase in _AWAKE},
    **{(phase, Broke): _row(_on_broke, "a bug: its lane backs off", or_next_due=True) for phase in _AWAKE},
}


def draw_transitions() -> str:
    """The machine as Markdown, for shared/PROTOCOL.md: its rows, phases alike on one line, and the problems."""
    phases: dict[tuple[str, str, str], list[Phase]] = {}
    for (phase, event), row in TRANSITIONS.items():
        phases.setdefault((event.__name__, _spell_then(row.then), row.says), []).append(phase)
    lines = ["| phase | event | leads to | meaning |", "|---|---|---|---|"]
    lines += [f"| {', '.join(among)} | {event} | {then} | {says} |" for (event, then, says), among in phases.items()]
    lines += ["", f"*next due*: {', '.join(sorted(NEXT_DUE))}.", "", "| problem | then |", "|---|---|"]
    lines += [f"| `{code}` | {rule.says} |" for code, rule in PROBLEM_RULES.items()]
    return "\n".join(lines) + "\n"


def _spell_then(then: frozenset[Phase]) -> str:
    return ", ".join([*sorted(then - NEXT_DUE), "*next due*"] if then >= NEXT_DUE else sorted(then))

"""Recording what happened on the floor: one use case, one function, one transaction. Flow step 5.

Each function writes its op (or ops) to the journal, has committed when it returns, and then rings the sync worker. A
floor record keeps the shopper's identifier as it was scanned or typed. Corrections and undos are new ops that name the
first one; nothing is edited. Raises Refused with a plain sentence for what a rule forbids, StorageFull on a full disk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from associate_app.ports import Clock, JournalEntry, NewOp, TabletDatabase
from associate_app.services.lookup import CardView, ShopperKey, has_consent
from associate_app.services.store_book import StoreBook
from shared.clock import format_at, parse_at
from shared.errors import Malformed, Refused
from shared.identity import Identifier, IdentifierType, profile_id_for
from shared.plays.playbook import Play
from shared.plays.rank import Recommendation, WouldShow
from shared.plays.refusal import nearest
from shared.plays.sent_inputs import inputs_of, is_chosen
from shared.promises import Promise
from shared.wire.canonical import TEXT_POINTS_MAX
from shared.wire.messages import store_scope
from shared.wire.ops import OUTCOMES, SCHEMA, read_body

REOPENING: Final = timedelta(minutes=30)
"""A card opened again this soon on the same tablet is the same visit: no new opening, no new impression (plays.md)."""
_SHOWN_MAX: Final = 50
_CHANNELS: Final = {"email": "e-mail", "sms": "text message", "phone": "phone"}


@dataclass(frozen=True, slots=True)
class Recorder:
    """Who records, and with what: `make_id` gives op ids in rising order, `ring` wakes the sync worker after a commit.

    One of a thread; `associate_id` is stamped into each op and never follows a later sign-in.
    """

    database: TabletDatabase
    clock: Clock
    make_id: Callable[[], str]
    ring: Callable[[], None]
    associate_id: str | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A committed record: the op to undo or amend, when it was recorded (wire time), and all ops written with it."""

    op_id: str
    at: str
    op_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offered:
    """A play for outreach that was shown in a list and taken up; the rule pack and the profile it was ranked by."""

    play: Recommendation
    rule_pack: str
    profile_s: int


@dataclass(frozen=True, slots=True)
class ConsentAnswer:
    """A shopper's answer for one purpose, with the wording they saw.

    `method`: shopper_tapped | paper for a grant; an associate alone records only `spoken` withdrawals.
    """

    purpose: str
    is_granted: bool
    method: str
    wording_version: str | None = None
    language: str | None = None
    wording_sha: str | None = None

    def as_body(self) -> dict[str, Any]:
        """As the wire writes it. Raises Refused for a grant that was only said."""
        if self.is_granted and self.method not in ("shopper_tapped", "paper"):
            raise Refused("A yes needs the shopper's own tap or a signed paper. Hand them the tablet.")
        return _without_none(
            {
                "purpose": self.purpose,
                "decision": "granted" if self.is_granted else "denied",
                "method": self.method,
                "wording_version": self.wording_version,
                "language": self.language,
                "wording_sha": self.wording_sha,
            }
        )


@dataclass(frozen=True, slots=True)
class _Draft:
    """An op before it has its id and time."""

    kind: str
    body: Mapping[str, Any]
    about: ShopperKey | None = None
    amends: str | None = None
    op_id: str | None = None
    view: CardView | None = None
    """The card of an impression: one in so many carries what the evaluator looked at, for HQ to run again."""


# the card ------------------------------------------------------------------------------------------------------------


def open_card(recorder: Recorder, view: CardView) -> Saved | None:
    """Record that a card was opened here and which plays it showed; None when it is the same visit.

    One op asks HQ for the shopper's profile (protocol.md, Slice), one says what was shown at first paint.
    """
    shopper = _shopper_of(view)
    drafts = []
    opened = _recent(recorder, "shopper_opened", shopper)
    if opened is None or (view.card.text and not opened.op.body.get("card")):
        drafts.append(_opened(view, shopper))
    impression = _impression(view, shopper)
    if impression is not None and _recent(recorder, "impression_recorded", shopper) is None:
        drafts.append(impression)
    return _record(recorder, drafts) if drafts else None


def note_trigger_seen(recorder: Recorder, view: CardView, play_id: str) -> Saved:
    """The lines that triggered a held-out play were opened: HQ shows it as contamination beside the play's result."""
    shopper = _shopper_of(view)
    return _record(recorder, [_Draft("trigger_seen", {**_about(shopper), "play_id": play_id}, shopper)])


def record_outcome(
    recorder: Recorder,
    book: StoreBook,
    view: CardView,
    play_id: str,
    outcome: str,
    *,
    reason: str | None = None,
    sku: str | None = None,
    variant: str | None = None,
    receipt_no: str | None = None,
) -> Saved:
    """What came of a play, with its impression in the same transaction where none was recorded in this visit."""
    if outcome not in OUTCOMES:
        raise Refused(f"{outcome!r:.40} is no outcome. There are: {', '.join(OUTCOMES)}.")
    shopper, play = _shopper_of(view), play_of(book, play_id)
    shown_as = view.play(play_id)
    impression = _impression_of_visit(recorder, shopper, play_id)
    drafts = []
    if impression is None and (draft := _impression(view, shopper, also=play)):
        impression = recorder.make_id()
        drafts.append(replace(draft, op_id=impression))
    body = {
        **_about(shopper),
        "play_id": play.id,
        "play_version": play.version,
        "outcome": outcome,
        "reason": reason,
        "offer_id": play.offer_id,
        "arm": "shown",
        "rule_pack": view.rule_pack,
        "receipt_no": receipt_no,
        "sku": sku or (shown_as.sku if shown_as else None),
        "variant": variant,
        "impression_op_id": impression,
    }
    drafts.append(_Draft("outcome_recorded", body, shopper))
    return _record(recorder, drafts)


def amend_outcome(
    recorder: Recorder, op_id: str, *, outcome: str | None = None, reason: str | None = None, sku: str | None = None
) -> Saved:
    """Correct an outcome or add its reason: a new op of the same kind that names the first."""
    first = _first_of(recorder, op_id, "outcome_recorded")
    changes = _without_none({"outcome": outcome, "reason": reason, "sku": sku})
    return _record(
        recorder, [_Draft(first.op.kind, {**_newest_body(recorder, first), **changes}, amends=first.op.op_id)]
    )


def withdraw(recorder: Recorder, op_id: str, *, why: str = "undo") -> Saved:
    """Take a record back for good; both it and its undo reach HQ."""
    first = _first_of(recorder, op_id)
    return _record(recorder, [_Draft("op_withdrawn", {"why": _text(why, "A reason")}, amends=first.op.op_id)])


# about a shopper -----------------------------------------------------------------------------------------------------


def add_note(recorder: Recorder, shopper: ShopperKey, text: str) -> Saved:
    """A note for the next colleague."""
    return _record_about(recorder, "note_added", shopper, text=_text(text, "A note"))


def set_preference(recorder: Recorder, shopper: ShopperKey, name: str, value: str) -> Saved:
    """A size or preference by name."""
    return _record_about(recorder, "preference_set", shopper, name=_text(name, "A name"), value=_text(value, "A value"))


def pin_shopper(recorder: Recorder, shopper: ShopperKey, *, is_pinned: bool) -> Saved:
    """Keep a shopper among one's own, on every tablet of the store, or no more."""
    return _record_about(recorder, "shopper_pinned", shopper, pinned=is_pinned)


def change_consent(recorder: Recorder, shopper: ShopperKey, answer: ConsentAnswer) -> Saved:
    """A decision taken here; a withdrawal takes effect on this tablet at once."""
    return _record_about(recorder, "consent_changed", shopper, consent=answer.as_body())


def add_identifier(recorder: Recorder, shopper: ShopperKey, type_: str, value: str) -> Saved:
    """The shopper named a further identifier (email, phone, customer_id, loyalty_id)."""
    identifier = {"type": type_, "value": _text(value, "An identifier")}
    return _record_about(recorder, "identifier_added", shopper, identifier=identifier)


def correct_profile(recorder: Recorder, shopper: ShopperKey, field_name: str, value: str) -> Saved:
    """A field is wrong and the shopper said what is right; HQ's rule decides."""
    return _record_about(recorder, "profile_corrected", shopper, field=field_name, value=_text(value, "A value"))


def flag_wrong(recorder: Recorder, shopper: ShopperKey, field_name: str, text: str) -> Saved:
    """A field is wrong; nobody here knows what is right."""
    return _record_about(recorder, "data_flagged", shopper, field=field_name, text=_text(text, "A remark"))


def request_follow_up(
    recorder: Recorder,
    shopper: ShopperKey,
    *,
    what: str,
    due: datetime,
    channel: str = "none",
    assignee: str = "me",
    text: str | None = None,
    template_id: str | None = None,
    sku: str | None = None,
    offer_id: str | None = None,
    offered: Offered | None = None,
) -> Saved:
    """Something promised: what = message | call | visit | reminder, channel = email | sms | phone | none.

    With `offered` the showing of that play is recorded in the same transaction. Raises Refused for a channel the
    shopper has not agreed to.
    """
    if channel != "none" and not has_consent(recorder.database, shopper, channel):
        raise Refused(f"They have not agreed to be reached by {_CHANNELS.get(channel, channel)}. Choose another way.")
    details = {"text": text, "template_id": template_id, "sku": sku, "offer_id": offer_id}
    promise = {"what": what, "due_at": format_at(due), "channel": channel, "assignee": assignee, **details}
    drafts = [_Draft("follow_up_requested", {**_about(shopper), **promise}, shopper)]
    if offered is not None:
        shown = {"shown": [_shown(offered.play, "shown")], "rule_pack": offered.rule_pack}
        body = {**_about(shopper), **shown, "profile_s": offered.profile_s}
        drafts.insert(0, _Draft("impression_recorded", body, shopper))
    return _record(recorder, drafts)


def book_appointment(
    recorder: Recorder,
    shopper: ShopperKey,
    *,
    starts: datetime,
    minutes: int,
    topic: str,
    with_associate: str | None = None,
) -> Saved:
    """A time kept for a shopper."""
    kept = {"starts_at": format_at(starts), "minutes": minutes, "topic": _text(topic, "A topic")}
    return _record_about(recorder, "appointment_booked", shopper, **kept, **_without_none({"with": with_associate}))


def hold_product(recorder: Recorder, shopper: ShopperKey, *, sku: str, quantity: int, until: date) -> Saved:
    """An item kept for a shopper through a day."""
    kept = {"sku": sku, "quantity": quantity, "until_on": until.isoformat()}
    return _record_about(recorder, "hold_requested", shopper, **kept)


def record_product(recorder: Recorder, shopper: ShopperKey, sku: str, what: str) -> Saved:
    """What came of a product without a play: what = bought | wished."""
    return _record_about(recorder, "product_recorded", shopper, sku=sku, what=what)


def change_promise(recorder: Recorder, promise: Promise, **change: str | None) -> Saved:
    """Change a follow-up, hold or appointment, also one that another tablet made: `state`, `due`, `assignee`, `reason`.
    Whether that may be done is asked before, by whose it is."""
    body = {"id": promise.op_id, **change}
    return _record(recorder, [_Draft(f"{promise.kind}_changed", body, _whose(recorder, promise))])


def enrol_shopper(
    recorder: Recorder,
    loyalty_id: str,
    consents: Sequence[ConsentAnswer],
    *,
    given_name: str | None = None,
    family_name: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    postcode: str | None = None,
) -> Saved:
    """A new shopper with a card of this tablet's stock; works without a network."""
    told = {"given_name": given_name, "family_name": family_name, "email": email, "phone": phone, "postcode": postcode}
    body = {"loyalty_id": loyalty_id, **told, "consents": [answer.as_body() for answer in consents]}
    profile_id = profile_id_for(Identifier(IdentifierType.LOYALTY_ID, loyalty_id))
    return _record(recorder, [_Draft("shopper_enrolled", body, ShopperKey("loyalty_id", loyalty_id, profile_id))])


# without a shopper ---------------------------------------------------------------------------------------------------


def give_feedback(
    recorder: Recorder, about: str, text: str, *, play_id: str | None = None, campaign_id: str | None = None
) -> Saved:
    """What the floor tells HQ, from a play or without one."""
    body = {"about": about, "text": _text(text, "Feedback", may_be_empty=True), "play_id": play_id}
    return _record(recorder, [_Draft("feedback_given", {**body, "campaign_id": campaign_id})])


def mark_play_read(recorder: Recorder, play: Play) -> Saved:
    """An associate has read a play."""
    return _record(recorder, [_Draft("play_read", {"play_id": play.id, "play_version": play.version})])


def tick_task(recorder: Recorder, entry_id: str, task: str, *, is_done: bool = True, note: str | None = None) -> Saved:
    """A store task of a calendar entry."""
    return _record(recorder, [_Draft("task_done", {"entry_id": entry_id, "task": task, "done": is_done, "note": note})])


def record_one(recorder: Recorder, kind: str, body: Mapping[str, Any], about: ShopperKey | None = None) -> Saved:
    """One op of a use case with rules of its own: `override.py`, `play_change.py`."""
    return _record(recorder, [_Draft(kind, {**(_about(about) if about else {}), **body}, about)])


# how a record is written ---------------------------------------------------------------------------------------------


def _record_about(recorder: Recorder, kind: str, shopper: ShopperKey, **body: Any) -> Saved:
    return _record(recorder, [_Draft(kind, {**_about(shopper), **body}, shopper)])


def _record(recorder: Recorder, drafts: Sequence[_Draft]) -> Saved:
    """Write drafts in one transaction, then ring. The last one is what an undo takes back."""
    scope, at = _scope(recorder), format_at(recorder.clock.now())
    ops = []
    for draft in drafts:
        op_id = draft.op_id or recorder.make_id()
        op = NewOp(
            op_id=op_id,
            kind=draft.kind,
            scope=scope,
            associate_id=recorder.associate_id,
            occurred_at=at,
            body=_checked(draft, op_id),
            amends=draft.amends,
            profile_id=draft.about.profile_id if draft.about else None,
        )
        ops.append(op)
    made = recorder.database.record(ops)
    recorder.ring()
    return Saved(made[-1].op_id, at, tuple(op.op_id for op in made))


def _checked(draft: _Draft, op_id: str) -> dict[str, Any]:
    """The body as HQ will read it. What HQ could not read is refused before it is saved, not parked afterwards."""
    body = _without_none(draft.body)
    view = draft.view
    if view is not None and view.looked is not None and is_chosen(op_id, view.inputs_one_in):
        body["inputs"] = inputs_of(view.looked)
    try:
        read_body(draft.kind, SCHEMA, body)
    except Malformed as problem:
        raise Refused(f"This cannot be saved as it is ({problem}). Change it and save again.") from problem
    return body


def _scope(recorder: Recorder) -> str:
    device = recorder.database.device()
    if device is None:
        raise Refused("This tablet is not connected to a store yet. Connect it with an enrolment code first.")
    return store_scope(device.store)


def _shopper_of(view: CardView) -> ShopperKey:
    if view.shopper is None:
        raise Refused(view.card.sentence or "There is no shopper on this card. Scan a loyalty card first.")
    return view.shopper


def _about(shopper: ShopperKey) -> dict[str, Any]:
    return {"shopper": {"type": shopper.type, "value": shopper.value}}


def _whose(recorder: Recorder, promise: Promise) -> ShopperKey | None:
    """Whom a promise was made to, so that a change of it shows on their card and is forgotten with them."""
    made_here = recorder.database.entry(promise.op_id)
    told, profile_id = promise.body.get("shopper"), promise.profile_id or (made_here and made_here.profile_id)
    return ShopperKey(told["type"], told["value"], profile_id) if told and profile_id else None


def play_of(book: StoreBook, play_id: str) -> Play:
    """A play of the store's playbook. Raises Refused with the one that was meant."""
    found = next((play for play in book.playbook.plays if play.id == play_id), None)
    if found is None:
        meant = nearest(play_id, [play.id for play in book.playbook.plays])
        raise Refused(
            f"There is no play {play_id!r:.60} in this store's playbook. {meant}Look the shopper up to see theirs."
        )
    return found


def _opened(view: CardView, shopper: ShopperKey) -> _Draft:
    how = "card" if view.card.text else "typed"
    return _Draft("shopper_opened", {**_about(shopper), "how": how, "card": view.card.text}, shopper)


def _impression(view: CardView, shopper: ShopperKey, *, also: Play | None = None) -> _Draft | None:
    """What the card showed and what a holdout kept from it; `also` is a play used though it was not on the card."""
    shown = [_shown(play, "shown") for play in view.plays] + [_shown(play, "would_show") for play in view.would_show]
    if also is not None and view.play(also.id) is None:
        used = _line(also.id, also.version, "shown", len(view.plays) + 1, also.holdout.period)
        shown = [*(one for one in shown if one["play_id"] != also.id), used]
    if not shown:
        return None
    body = {**_about(shopper), "shown": shown[:_SHOWN_MAX], "rule_pack": view.rule_pack, "profile_s": view.profile_s}
    return _Draft("impression_recorded", body, shopper, view=view)


def _shown(play: Recommendation | WouldShow, arm: str) -> dict[str, Any]:
    return _line(play.play_id, play.play_version, arm, play.rank, play.period)


def _line(play_id: str, version: int, arm: str, rank: int, period: int) -> dict[str, Any]:
    line = {"play_id": play_id, "play_version": version, "arm": arm, "rank": rank}
    return line | ({"period": period} if period > 1 else {})


def _recent(recorder: Recorder, kind: str, shopper: ShopperKey) -> JournalEntry | None:
    """The newest own op of a kind about a shopper in this visit. A clock set back makes a new visit."""
    newest = recorder.database.newest_about(kind, shopper.profile_id, [(shopper.type, shopper.value)])
    if newest is None:
        return None
    age = recorder.clock.now() - parse_at(newest.op.occurred_at)
    return newest if timedelta(0) <= age < REOPENING else None


def _impression_of_visit(recorder: Recorder, shopper: ShopperKey, play_id: str) -> str | None:
    """The op_id of the impression that showed this play in this visit."""
    newest = _recent(recorder, "impression_recorded", shopper)
    shown = newest.op.body.get("shown", ()) if newest else ()
    is_there = any(one["play_id"] == play_id and one["arm"] == "shown" for one in shown)
    return newest.op.op_id if newest and is_there else None


def _first_of(recorder: Recorder, op_id: str, kind: str | None = None) -> JournalEntry:
    """The first op of a record, also when a correction of it is named: corrections never amend corrections."""
    found = recorder.database.entry(op_id)
    if found is not None and found.op.amends is not None and found.op.kind != "op_withdrawn":
        found = recorder.database.entry(found.op.amends)
    if found is None or not found.op.body or (kind is not None and found.op.kind != kind):
        raise Refused("This record is no longer on this tablet, so it cannot be changed here. Tell HQ what is wrong.")
    return found


def _newest_body(recorder: Recorder, first: JournalEntry) -> Mapping[str, Any]:
    corrections = recorder.database.corrections_of(first.op.op_id)
    return corrections[-1].body if corrections else first.op.body


def _text(text: str, what: str, *, may_be_empty: bool = False) -> str:
    """A text as it is kept: trimmed, within the wire's length, without what no screen can show."""
    kept = "".join(sign for sign in text.strip() if sign.isprintable() or sign in "\n\t")
    if not kept and not may_be_empty:
        raise Refused(f"{what} cannot be empty. Write a word or two, or leave it.")
    if len(kept) > TEXT_POINTS_MAX:
        raise Refused(f"{what} takes at most {TEXT_POINTS_MAX} characters; this has {len(kept)}. Shorten it.")
    return kept


def _without_none(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}

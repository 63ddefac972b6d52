"""What holds a play back for now, how long and why. Step 3 of the engine; nothing is stored, all follows from inputs.

Sources the profile shows: what was said on the floor (cooldowns), purchases, talks with support, an open service issue,
a click on another offer, the value band, the play's own `suppress` rules, and frequency caps. A claim *bought* counts
as a purchase here at once, on this tablet and after sync everywhere. The hold that ends last is the one shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from shared.clock import seconds_of
from shared.event_catalogue import DIGITAL_CHANNELS
from shared.plays.catalogue import EVENTS, HOUR_S, ORDER_COMPLETED
from shared.plays.condition import Condition, EventCount, Group, Recency
from shared.plays.evaluate import Trace, evaluate
from shared.plays.inputs import EvaluationInputs, TimedOutcome
from shared.plays.playbook import Play, Playbook
from shared.plays.settings import Cap
from shared.redaction import is_floor_event

HoldReason = Literal[
    "outcome",
    "purchase",
    "support",
    "open_issue",
    "other_offer",
    "high_value",
    "rule",
    "cap_play",
    "cap_tag",
    "cap_all",
]
_PROMOTION_CLICKED: Final = ("Promotion Clicked",)
_FOR_EVER: Final = 2**53


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason to hold a play back. Times in UTC seconds; `until_s` None: until the cause is gone.

    `detail` is the outcome, the event or the number of showings behind it.
    """

    reason: HoldReason
    detail: str = ""
    since_s: int | None = None
    until_s: int | None = None


@dataclass(frozen=True, slots=True)
class HoldCauses:
    """What a profile shows against plays, found once for all of them."""

    inputs: EvaluationInputs
    """What rules that hold back may look at."""
    by_play: Mapping[str, tuple[TimedOutcome, ...]]
    purchase_s: int | None
    support_s: int | None
    clicked: tuple[tuple[int, str], ...]
    has_open_issue: bool
    shown: Mapping[str, tuple[int, ...]]


def find_causes(inputs: EvaluationInputs) -> HoldCauses:
    """Gather the causes: newest first, nothing later than now. Without `profiling` browsing holds nothing back."""
    if not inputs.profile.has_consent("profiling"):
        inputs = _without_browsing(inputs)
    view, holds = inputs.view, inputs.settings.holds
    by_play: dict[str, list[TimedOutcome]] = {}
    for timed in view.outcomes:
        by_play.setdefault(timed[1].play_id, []).append(timed)
    support = [at_s for name in holds.support_events if (at_s := view.last_known(name)) is not None]
    clicks = [(at_s, line.offer_id) for at_s, line in view.lines(_PROMOTION_CLICKED) if line.offer_id]
    return HoldCauses(
        inputs=inputs,
        by_play={play_id: tuple(outcomes) for play_id, outcomes in by_play.items()},
        purchase_s=view.last_known(ORDER_COMPLETED, counts_claims=True),
        support_s=max(support, default=None),
        clicked=tuple(clicks),
        has_open_issue=inputs.profile.open_issue is not None,
        shown=_shown_times(inputs),
    )


def _without_browsing(inputs: EvaluationInputs) -> EvaluationInputs:
    """The same inputs without what a shopper did online, orders aside."""
    profile = inputs.profile
    left = {
        "recent": [line for line in profile.recent if not _is_browsing(line.event, line.channel)],
        "seen": {name: count for name, count in profile.seen.items() if not _is_browsing(name)},
        "cart": [],
        "wishlist": [],
    }
    return replace(inputs, profile=profile.model_copy(update=left))


def _is_browsing(event: str, channel: str | None = None) -> bool:
    """Whether this is behaviour of the web, app or mail; a count without a channel is where the event usually is."""
    known = EVENTS.get(event)
    if known is not None and known.purpose is None:
        return False
    return channel in DIGITAL_CHANNELS if channel else not is_floor_event(event)


def _shown_times(inputs: EvaluationInputs) -> dict[str, tuple[int, ...]]:
    """Showings before this visit, newest first, by play."""
    visit_s = inputs.now_s - inputs.settings.caps.same_visit_minutes * 60
    times: dict[str, tuple[int, ...]] = {}
    for play_id, state in inputs.profile.plays_state.items():
        known = [at_s for at in state.shown_at if (at_s := seconds_of(at)) is not None and at_s <= visit_s]
        times[play_id] = tuple(sorted(known, reverse=True))
    return times


def strongest(holds: Iterable[Hold]) -> Hold | None:
    """The hold that ends last; of equal ones the first found."""
    return max(holds, key=lambda hold: _FOR_EVER if hold.until_s is None else hold.until_s, default=None)


def holds_on(play: Play, playbook: Playbook, inputs: EvaluationInputs, causes: HoldCauses) -> Iterator[Hold]:
    """Every hold in force on a play, in the order of this module's head."""
    yield from _after_outcomes(play, inputs, causes)
    if play.is_selling:
        yield from _on_selling(play, playbook, inputs, causes)
    yield from _by_own_rules(play, playbook, causes.inputs)
    yield from _by_caps(play, playbook, inputs, causes)


def _after_outcomes(play: Play, inputs: EvaluationInputs, causes: HoldCauses) -> Iterator[Hold]:
    for at_s, line in causes.by_play.get(play.id, ()):
        until_s = at_s + play.rest_hours(line.outcome) * HOUR_S
        if until_s > inputs.now_s:
            yield Hold("outcome", line.outcome, at_s, until_s)


def _on_selling(play: Play, playbook: Playbook, inputs: EvaluationInputs, causes: HoldCauses) -> Iterator[Hold]:
    holds = inputs.settings.holds
    if play.campaign_id is not None:
        yield from _since("purchase", causes.purchase_s, holds.after_purchase_h, inputs.now_s)
    yield from _since("support", causes.support_s, holds.after_support_h, inputs.now_s)
    if causes.has_open_issue and holds.is_selling_held_while_issue_open:
        yield Hold("open_issue")
    offer = playbook.offers.get(play.offer_id) if play.offer_id is not None else None
    if offer is None:
        return
    yield from _on_other_offers(offer.id, inputs, causes)
    if offer.is_discount and inputs.profile.value_band in holds.bands_without_discounts:
        yield Hold("high_value")


def _since(reason: HoldReason, at_s: int | None, hours: int, now_s: int, detail: str = "") -> Iterator[Hold]:
    if at_s is not None and at_s + hours * HOUR_S > now_s:
        yield Hold(reason, detail, at_s, at_s + hours * HOUR_S)


def _on_other_offers(offer_id: str, inputs: EvaluationInputs, causes: HoldCauses) -> Iterator[Hold]:
    """Who clicked offer X is told of X: every other offer waits. An offer clicked as well in that time does not."""
    hours = inputs.settings.holds.after_other_offer_click_h
    recent = [(at_s, clicked) for at_s, clicked in causes.clicked if at_s + hours * HOUR_S > inputs.now_s]
    if recent and all(clicked != offer_id for _, clicked in recent):
        yield from _since("other_offer", recent[0][0], hours, inputs.now_s, recent[0][1])


def _by_own_rules(play: Play, playbook: Playbook, inputs: EvaluationInputs) -> Iterator[Hold]:
    for rule in play.suppress:
        answer = evaluate(rule, inputs, play_tags=playbook.play_tags, counts_claims=True)
        if answer.is_met:
            event = _event_behind(rule)
            reason: HoldReason = "purchase" if event == ORDER_COMPLETED else "rule"
            yield Hold(reason, event, answer.trace.at_s, ends_at(answer.trace))


def _event_behind(rule: Condition) -> str:
    return rule.events[0] if isinstance(rule, EventCount | Recency) else ""


def ends_at(trace: Trace) -> int | None:
    """When a met rule stops holding by time alone, in UTC seconds; None when time alone may not end it."""
    part = trace.part
    if isinstance(part, Recency) and part.cmp == "newer_than" and trace.at_s is not None and part.hours is not None:
        return trace.at_s + part.hours * HOUR_S
    if isinstance(part, EventCount) and part.cmp == ">=" and 0 < part.n <= len(trace.witnesses):
        nth_s = trace.witnesses[part.n - 1].at_s
        return None if nth_s is None else nth_s + part.window.from_h * HOUR_S
    if isinstance(part, Group) and part.op != "none":
        return _group_ends_at(trace)
    return None


def _group_ends_at(trace: Trace) -> int | None:
    """`all` ends with its first part to end, `any` with its last."""
    part = trace.part
    assert isinstance(part, Group)
    ends = [ends_at(child) for child in trace.parts if child.is_met]
    known = [end_s for end_s in ends if end_s is not None]
    if part.op == "all":
        return min(known, default=None)
    return max(known) if known and len(known) == len(ends) else None


def _by_caps(play: Play, playbook: Playbook, inputs: EvaluationInputs, causes: HoldCauses) -> Iterator[Hold]:
    caps = inputs.settings.caps
    yield from _over("cap_play", causes.shown.get(play.id, ()), play.caps, inputs.now_s)
    for tag in play.tags:
        if (cap := caps.per_tag.get(tag)) is not None:
            yield from _over("cap_tag", _merged(causes, playbook, tag), (cap,), inputs.now_s)
    if caps.over_all is not None:
        yield from _over("cap_all", _merged(causes, playbook, None), (caps.over_all,), inputs.now_s)


def _merged(causes: HoldCauses, playbook: Playbook, tag: str | None) -> tuple[int, ...]:
    times = [
        at_s
        for play_id, shown in causes.shown.items()
        if tag is None or tag in playbook.play_tags.get(play_id, ())
        for at_s in shown
    ]
    return tuple(sorted(times, reverse=True))


def _over(reason: HoldReason, shown: tuple[int, ...], caps: tuple[Cap, ...], now_s: int) -> Iterator[Hold]:
    for cap in caps:
        if len(shown) >= cap.shown:
            until_s = shown[cap.shown - 1] + cap.hours * HOUR_S
            if until_s > now_s:
                yield Hold(reason, str(cap.shown), shown[0], until_s)

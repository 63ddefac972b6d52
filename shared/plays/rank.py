"""The engine: profile + playbook + now -> the plays for a card, what is held back, and a verdict for every play.

The eight steps of plays.md, in this order: consent, eligibility, suppression and caps, condition, holdouts, score,
sort, the best few with at most one per first tag. Pure and exact: the same inputs give the same card, whatever the
order of the plays, and a showing of this same visit changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from shared.clock import seconds_at
from shared.plays.evaluate import Trace, evaluate
from shared.plays.explain import Why, WhyFact, explain, met_leaves, placeholder_values
from shared.plays.files import in_language, is_day_between
from shared.plays.held_back import held_back_sentence
from shared.plays.holdout import held_out_by
from shared.plays.inputs import EvaluationInputs
from shared.plays.placeholders import fill_each, fill_surely
from shared.plays.playbook import Place, Play, Playbook, PlayClass, TalkingPoints
from shared.plays.suppression import Hold, HoldCauses, find_causes, holds_on, strongest

ReasonCode = Literal[
    "shown",
    "no_consent",
    "other_place",
    "paused_here",
    "not_yet_valid",
    "expired",
    "other_store",
    "other_stage",
    "offer_unknown",
    "offer_not_live",
    "offer_not_in_stock",
    "held_back",
    "condition_not_met",
    "holdout_chain",
    "holdout_play",
    "same_tag_ranked_higher",
    "ranked_lower",
    "needs_newer_app",
]

REASONS: Final[dict[ReasonCode, str]] = {
    "shown": "On the card.",
    "no_consent": "The shopper has not agreed to what this play reads.",
    "other_place": "This play is meant for another place than this list.",
    "paused_here": "Paused in this store.",
    "not_yet_valid": "Its first day has not come yet.",
    "expired": "Its last day has passed.",
    "other_store": "It runs in other stores.",
    "other_stage": "It is meant for other lifecycle stages.",
    "offer_unknown": "Its offer is not known here.",
    "offer_not_live": "Its offer does not run here today.",
    "offer_not_in_stock": "Nothing its offer is for is in this store.",
    "held_back": "Held back for now.",
    "condition_not_met": "Its condition is not met.",
    "holdout_chain": "Held out by the chain's holdout, so that lift can be measured.",
    "holdout_play": "Held out, so that the play's lift can be measured.",
    "same_tag_ranked_higher": "A play of the same kind ranks higher.",
    "ranked_lower": "Other plays rank higher.",
    "needs_newer_app": "It needs a newer version of the app.",
}
"""Every verdict's code with its sentence for managers."""

_CLASS_ORDER: Final[dict[PlayClass, int]] = {"mandatory": 0, "recommended": 1, "informational": 2}


@dataclass(frozen=True, slots=True)
class Score:
    """The three factors managers see; whole numbers, compared exactly."""

    p_ppm: int
    value_minor: int
    lever: int

    @property
    def total(self) -> int:
        """p x value x (100 + lever)."""
        return self.p_ppm * self.value_minor * (100 + self.lever)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A play on the card: why, the words with placeholders filled, and what it is about. `rank` counts from 1."""

    play_id: str
    play_version: int
    title: str
    play_class: PlayClass
    rank: int
    why: str
    why_facts: tuple[WhyFact, ...]
    score: int
    factors: Score
    talking_points: TalkingPoints
    offer_id: str | None
    campaign_id: str | None
    sku: str | None
    tags: tuple[str, ...]
    period: int = 1
    """Of its holdout."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A play that rests: reason code, sentence in the store's time zone, and until when (wire time, None: no end)."""

    play_id: str
    title: str
    reason: str
    sentence: str
    until: str | None


@dataclass(frozen=True, slots=True)
class WouldShow:
    """A play this card would show were the shopper not held out, at the `rank` it would have.

    What triggered it (`trigger_skus`, `trigger_events`) stays out of reasons, headline and the five visible lines.
    """

    play_id: str
    play_version: int
    rank: int
    reason: Literal["holdout_chain", "holdout_play"]
    trigger_skus: tuple[str, ...]
    trigger_events: tuple[str, ...]
    period: int = 1


@dataclass(frozen=True, slots=True)
class PlayVerdict:
    """What the engine decided of one play. `trace` is None only for a play this version cannot read."""

    play_id: str
    play_version: int
    reason: ReasonCode
    rank: int | None = None
    hold: Hold | None = None
    factors: Score | None = None
    trace: Trace | None = None


@dataclass(frozen=True, slots=True)
class Recommendations:
    """The engine's answer. `verdicts` holds every play of the playbook, in order of id."""

    plays: tuple[Recommendation, ...]
    held_back: tuple[HeldBack, ...]
    would_show: tuple[WouldShow, ...]
    verdicts: tuple[PlayVerdict, ...]
    rule_pack: str


class _Engine(NamedTuple):
    """One run: what all plays are judged by."""

    inputs: EvaluationInputs
    playbook: Playbook
    causes: HoldCauses
    anchor: str
    language: str
    where: Place
    today: str


def recommend(
    inputs: EvaluationInputs,
    playbook: Playbook,
    *,
    loyalty_anchor: str,
    language: str = "en",
    where: Place = "card",
) -> Recommendations:
    """Rank a playbook for one shopper. `loyalty_anchor` is the unit of the holdouts; `language` that of the words.

    `where` outreach ranks the plays of *Worth a word today* instead of the card's.
    """
    today = inputs.view.local_day(inputs.now_s).isoformat()
    engine = _Engine(inputs, playbook, find_causes(inputs), loyalty_anchor, language, where, today)
    verdicts = {play.id: _judge(play, engine) for play in playbook.plays}
    would_show = tuple(_held_out_of_the_card(verdicts, engine))
    verdicts |= _place(verdicts, engine)
    unread = {one.play_id: PlayVerdict(one.play_id, 0, "needs_newer_app") for one in playbook.unread}
    return Recommendations(
        plays=tuple(_recommended(verdicts, engine)),
        held_back=tuple(_held_back(verdicts, engine)),
        would_show=would_show,
        verdicts=tuple((verdicts | unread)[play_id] for play_id in sorted(verdicts | unread)),
        rule_pack=playbook.rule_pack,
    )


# steps 1 to 6: one play ----------------------------------------------------------------------------------------------


def _judge(play: Play, engine: _Engine) -> PlayVerdict:
    """Steps 1 to 6. The condition is evaluated in any case, so that every verdict has its trace."""
    inputs = engine.inputs
    trace = evaluate(play.condition, inputs, play_tags=engine.playbook.play_tags).trace
    verdict = PlayVerdict(play.id, play.version, "shown", trace=trace)
    if reason := _barred(play, engine):
        return replace(verdict, reason=reason)
    hold = strongest(holds_on(play, engine.playbook, inputs, engine.causes))
    if hold is not None:
        return replace(verdict, reason="held_back", hold=hold)
    if not trace.is_met:
        return replace(verdict, reason="condition_not_met")
    factors = _factors(play, engine)
    return replace(verdict, reason=_held_out(play, engine) or "shown", factors=factors)


def _barred(play: Play, engine: _Engine) -> ReasonCode | None:
    """Steps 1 and 2: consent, then eligibility."""
    inputs = engine.inputs
    if not all(inputs.profile.has_consent(purpose) for purpose in play.consents):
        return "no_consent"
    if engine.where not in play.where:
        return "other_place"
    if engine.playbook.change_of(play).paused:
        return "paused_here"
    if not play.is_valid_on(engine.today):
        return "not_yet_valid" if play.valid_from is not None and engine.today < play.valid_from else "expired"
    if not play.is_for(inputs.store.code, inputs.store.region):
        return "other_store"
    if play.stages and inputs.view.stage.stage not in play.stages:
        return "other_stage"
    return _offer_bars(play, engine) if play.offer_id is not None else None


def _offer_bars(play: Play, engine: _Engine) -> ReasonCode | None:
    offer, inputs = engine.playbook.offer_of(play), engine.inputs
    if offer is None:
        return "offer_unknown"
    is_live = is_day_between(engine.today, offer.valid_from, offer.valid_until)
    is_here = (not offer.stores or inputs.store.code in offer.stores) and "store" in offer.channels
    has_worth = offer.kind != "amount" or any(row.currency == inputs.store.currency for row in offer.amounts)
    if not (is_live and is_here and has_worth):
        return "offer_not_live"
    levels = (inputs.stock.get(sku) for sku in offer.skus)
    is_there = not offer.skus or any(level is not None and level.quantity > 0 for level in levels)
    return None if is_there else "offer_not_in_stock"


def _factors(play: Play, engine: _Engine) -> Score:
    stage = engine.inputs.view.stage.stage
    p_ppm = engine.playbook.estimates.get((play.id, stage), play.p0_ppm)
    return Score(p_ppm, play.value_minor, engine.playbook.change_of(play).lever)


def _held_out(play: Play, engine: _Engine) -> Literal["holdout_chain", "holdout_play"] | None:
    """Step 5. The service part of a card is never held out."""
    if not play.is_selling:
        return None
    state = engine.inputs.profile.plays_state.get(play.id)
    first_arm = state.arm if state is not None and state.period == play.holdout.period else None
    chain = engine.inputs.settings.holdout
    return held_out_by(play.id, play.holdout.percent, play.holdout.period, engine.anchor, chain, first_arm)


# steps 7 and 8: the card ----------------------------------------------------------------------------------------------


class _Candidate(NamedTuple):
    """A play that may be placed, with its key of step 7."""

    key: tuple[int, int, str]
    play: Play


def _candidate(play: Play, verdict: PlayVerdict) -> _Candidate:
    total = verdict.factors.total if verdict.factors is not None else 0
    return _Candidate((_CLASS_ORDER[play.play_class], -total, play.id), play)


def _candidates(verdicts: dict[str, PlayVerdict], engine: _Engine) -> list[_Candidate]:
    plays = engine.playbook.plays
    return [_candidate(play, verdicts[play.id]) for play in plays if verdicts[play.id].reason == "shown"]


def _best(candidates: Iterable[_Candidate], most: int) -> dict[str, int]:
    """Step 8: play id -> rank of those placed."""
    placed: dict[str, int] = {}
    tags: set[str] = set()
    for candidate in sorted(candidates):
        tag = candidate.play.tags[0]
        if len(placed) < most and tag not in tags:
            tags.add(tag)
            placed[candidate.play.id] = len(placed) + 1
    return placed


def _place(verdicts: dict[str, PlayVerdict], engine: _Engine) -> dict[str, PlayVerdict]:
    candidates = _candidates(verdicts, engine)
    placed = _best(candidates, engine.inputs.settings.plays_max)
    tags = {candidate.play.tags[0] for candidate in candidates if candidate.play.id in placed}
    changed: dict[str, PlayVerdict] = {}
    for _, play in candidates:
        if play.id in placed:
            changed[play.id] = replace(verdicts[play.id], rank=placed[play.id])
        else:
            lost: ReasonCode = "same_tag_ranked_higher" if play.tags[0] in tags else "ranked_lower"
            changed[play.id] = replace(verdicts[play.id], reason=lost)
    return changed


def _held_out_of_the_card(verdicts: dict[str, PlayVerdict], engine: _Engine) -> Iterator[WouldShow]:
    """Held-out plays that this very card would show: each put alone among those that may be shown.

    So a shopper counts in the holdout exactly when the same shopper in the other arm would have seen the play.
    """
    shown = _candidates(verdicts, engine)
    for play in engine.playbook.plays:
        verdict = verdicts[play.id]
        if verdict.reason not in {"holdout_chain", "holdout_play"} or verdict.trace is None:
            continue
        rank = _best([*shown, _candidate(play, verdict)], engine.inputs.settings.plays_max).get(play.id)
        if rank is not None:
            skus, events = _triggers(verdict.trace)
            reason: Literal["holdout_chain", "holdout_play"] = (
                "holdout_chain" if verdict.reason == "holdout_chain" else "holdout_play"
            )
            yield WouldShow(play.id, play.version, rank, reason, skus, events, play.holdout.period)


def _triggers(trace: Trace) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = [witness for leaf in met_leaves(trace) for witness in leaf.witnesses]
    skus = sorted({witness.sku for witness in found if witness.sku})
    events = sorted({witness.event for witness in found if witness.event})
    return tuple(skus), tuple(events)


# the words ------------------------------------------------------------------------------------------------------------


def _recommended(verdicts: dict[str, PlayVerdict], engine: _Engine) -> Iterator[Recommendation]:
    plays = {play.id: play for play in engine.playbook.plays}
    placed = sorted((verdict.rank, play_id) for play_id, verdict in verdicts.items() if verdict.rank is not None)
    for _, play_id in placed:
        yield _recommendation(plays[play_id], verdicts[play_id], engine)


def _recommendation(play: Play, verdict: PlayVerdict, engine: _Engine) -> Recommendation:
    assert verdict.trace is not None
    assert verdict.factors is not None
    assert verdict.rank is not None
    why = explain(verdict.trace, engine.inputs, engine.language)
    return Recommendation(
        play_id=play.id,
        play_version=play.version,
        title=in_language(play.title, engine.language),
        play_class=play.play_class,
        rank=verdict.rank,
        why=why.sentence,
        why_facts=why.facts,
        score=verdict.factors.total,
        factors=verdict.factors,
        talking_points=_spoken_points(play, why, verdict.trace, engine),
        offer_id=play.offer_id,
        campaign_id=play.campaign_id,
        sku=why.subject.sku if why.subject is not None else None,
        tags=play.tags,
        period=play.holdout.period,
    )


def _spoken_points(play: Play, why: Why, trace: Trace, engine: _Engine) -> TalkingPoints:
    """The words of the language, the store's own before the chain's, with placeholders filled."""
    language, points = engine.playbook.points_of(play, engine.language)
    values = placeholder_values(why, trace, engine.inputs, language)
    if (offer := engine.playbook.offer_of(play)) is not None:
        values["offer"] = in_language(offer.title, language)
    rest = (points.objection, points.do_not_mention)
    objection, do_not_mention = (next(fill_each((text,), values), None) if text else None for text in rest)
    return TalkingPoints(
        opener=fill_surely(points.opener, values, language),
        bullets=tuple(fill_each(points.bullets, values)),
        objection=objection,
        do_not_mention=do_not_mention,
    )


def _held_back(verdicts: dict[str, PlayVerdict], engine: _Engine) -> Iterator[HeldBack]:
    """Plays worth telling of: those that would be met but for the hold, and those that rest for what was said."""
    for play in engine.playbook.plays:
        verdict = verdicts[play.id]
        hold = verdict.hold
        if hold is None or not (hold.reason == "outcome" or (verdict.trace is not None and verdict.trace.is_met)):
            continue
        yield HeldBack(
            play_id=play.id,
            title=in_language(play.title, engine.language),
            reason=f"outcome_{hold.detail}" if hold.reason == "outcome" else hold.reason,
            sentence=held_back_sentence(hold, engine.inputs, engine.language),
            until=seconds_at(hold.until_s) if hold.until_s is not None else None,
        )

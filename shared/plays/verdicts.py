"""Every play's verdict and trace in plain words, English and German: what a store manager and HQ read to know why.

Made from the engine's answer; nothing is evaluated here. The first line of a verdict says what was decided, the lines
of its trace what each part of the condition asks and whether it is met.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.plays.condition import Condition, Group
from shared.plays.evaluate import Trace
from shared.plays.explain import explain
from shared.plays.files import in_language
from shared.plays.held_back import held_back_sentence
from shared.plays.inputs import EvaluationInputs
from shared.plays.playbook import Play
from shared.plays.rank import REASONS, PlayVerdict, ReasonCode, Score
from shared.plays.sent_inputs import Looked, parts_of
from shared.plays.sentences import describe
from shared.plays.speech import ENGLISH, GERMAN, ago, spoken

GERMAN_REASONS: Final[dict[ReasonCode, str]] = {
    "shown": "Auf der Karte.",
    "no_consent": "Die Einwilligung für das, was dieses Play liest, fehlt.",
    "other_place": "Dieses Play gehört an eine andere Stelle als auf die Karte.",
    "paused_here": "In diesem Laden pausiert.",
    "not_yet_valid": "Der erste Tag ist noch nicht gekommen.",
    "expired": "Der letzte Tag ist vorbei.",
    "other_store": "Es läuft in anderen Läden.",
    "other_stage": "Es ist für andere Phasen gedacht.",
    "offer_unknown": "Das Angebot ist hier nicht bekannt.",
    "offer_not_live": "Das Angebot läuft hier heute nicht.",
    "offer_not_in_stock": "Nichts, wofür das Angebot gilt, ist in diesem Laden.",
    "held_back": "Vorerst zurückgestellt.",
    "condition_not_met": "Die Bedingung ist nicht erfüllt.",
    "holdout_chain": "In der Vergleichsgruppe der Kette, damit sich die Wirkung messen lässt.",
    "holdout_play": "In der Vergleichsgruppe, damit sich die Wirkung des Plays messen lässt.",
    "same_tag_ranked_higher": "Ein Play derselben Art steht höher.",
    "ranked_lower": "Andere Plays stehen höher.",
    "needs_newer_app": "Es braucht eine neuere Version der App.",
}
REASON_WORDS: Final[dict[str, Mapping[ReasonCode, str]]] = {ENGLISH: REASONS, GERMAN: GERMAN_REASONS}
_GROUPS: Final = {
    ENGLISH: {"all": "All of this:", "any": "At least one of this:", "none": "None of this:"},
    GERMAN: {"all": "Alles davon:", "any": "Mindestens eins davon:", "none": "Nichts davon:"},
}
_FOUND: Final = {
    ENGLISH: {"n": "found {n}", "at": "last {ago}", "rank": "Place {n} on the card: {why}"},
    GERMAN: {"n": "gefunden {n}", "at": "zuletzt {ago}", "rank": "Platz {n} auf der Karte: {why}"},
}


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One part of a condition: how deep it lies, whether it is met, what it asks, and what was found."""

    depth: int
    is_met: bool
    rule: str
    found: str = ""


@dataclass(frozen=True, slots=True)
class ToldVerdict:
    """What was decided of one play, for people. `factors` None where it came to no score."""

    play_id: str
    play_version: int
    title: str
    reason: ReasonCode
    sentence: str
    rank: int | None
    factors: Score | None
    trace: tuple[TraceLine, ...]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        factors = self.factors
        return {
            "play_id": self.play_id,
            "play_version": self.play_version,
            "title": self.title,
            "reason": self.reason,
            "sentence": self.sentence,
            "rank": self.rank,
            "factors": None
            if factors is None
            else {
                "p_ppm": factors.p_ppm,
                "value_minor": factors.value_minor,
                "lever": factors.lever,
                "score": factors.total,
            },
            "trace": [
                {"depth": line.depth, "is_met": line.is_met, "rule": line.rule, "found": line.found}
                for line in self.trace
            ],
        }


def tell_verdicts(looked: Looked, language: str = ENGLISH) -> tuple[ToldVerdict, ...]:
    """Every play of the playbook: those on the card first, in their order, then the others by id."""
    plays = {play.id: play for play in looked.playbook.plays}
    told = [_told(one, plays.get(one.play_id), looked, spoken(language)) for one in looked.ranked.verdicts]
    return tuple(sorted(told, key=lambda one: (one.rank is None, one.rank or 0, one.play_id)))


def _told(one: PlayVerdict, play: Play | None, looked: Looked, tongue: str) -> ToldVerdict:
    return ToldVerdict(
        play_id=one.play_id,
        play_version=one.play_version,
        title=in_language(play.title, tongue) if play is not None else one.play_id,
        reason=one.reason,
        sentence=_sentence(one, looked.inputs, tongue),
        rank=one.rank,
        factors=one.factors,
        trace=trace_lines(one.trace, looked.inputs, tongue) if one.trace is not None else (),
    )


def _sentence(one: PlayVerdict, inputs: EvaluationInputs, tongue: str) -> str:
    if one.hold is not None:
        return f"{held_back_sentence(one.hold, inputs, tongue)}."
    if one.rank is not None and one.trace is not None:
        why = explain(one.trace, inputs, tongue).sentence
        return _FOUND[tongue]["rank"].format(n=one.rank, why=why).rstrip(".") + "."
    return REASON_WORDS[tongue][one.reason]


def trace_lines(trace: Trace, inputs: EvaluationInputs, tongue: str) -> tuple[TraceLine, ...]:
    """A trace as lines, a group before its parts."""
    return tuple(
        TraceLine(depth, part.is_met, rule_words(part, tongue), _found(part, inputs, tongue))
        for depth, part in parts_of(trace)
    )


def condition_lines(part: Condition, tongue: str = ENGLISH, depth: int = 0) -> Iterator[tuple[int, str]]:
    """When a play fires, line by line with how deep each lies: a group before its parts, as in a trace."""
    if not isinstance(part, Group) or not part.parts:
        yield depth, describe(part, tongue)
        return
    yield depth, _GROUPS[spoken(tongue)][part.op]
    for inner in part.parts:
        yield from condition_lines(inner, tongue, depth + 1)


def rule_words(trace: Trace, tongue: str = ENGLISH) -> str:
    """What one part asks; of a group with parts only how they are joined, for they follow on lines of their own."""
    part = trace.part
    return _GROUPS[tongue][part.op] if isinstance(part, Group) and trace.parts else describe(part, tongue)


def _found(trace: Trace, inputs: EvaluationInputs, tongue: str) -> str:
    words = _FOUND[tongue]
    told = [words["n"].format(n=trace.n)] if trace.n is not None else []
    if trace.at_s is not None:
        told.append(words["at"].format(ago=ago(trace.at_s, inputs.now_s, tongue)))
    return ", ".join(told)

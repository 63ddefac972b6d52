"""What a store manager may change about a play, and how changes add up. Pure, and the same on the tablet and at HQ.

A body of `play_changed` says parts: paused, lever, words of their own; each holds as it was said last. What lies beyond
the play's guardrails has no effect: the tablet refuses it, HQ makes a proposal of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError

from shared.plays.placeholders import placeholder_problem
from shared.plays.playbook import WORDS_MAX, Play, TalkingPoints
from shared.plays.speech import ENGLISH, GERMAN, spoken
from shared.wire.ops import Op

ONLY_MANAGERS: Final = "Only a manager changes plays."
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "pause": "This play cannot be paused in a store.",
        "lever": "The lever of this play goes from {least} to {most}.",
        "words": "The words of this play stay as HQ wrote them.",
        "unsound": "A play has one thing to say first and at most three points, each of 1 to 2000 characters.",
        "long": "{count} words; at most {most} fit beside a conversation.",
        "opener": "What to say first",
        "bullets": "Points",
        "objection": "Objection",
        "do_not_mention": "Do not mention",
    },
    GERMAN: {
        "pause": "Dieses Play lässt sich in einem Laden nicht pausieren.",
        "lever": "Der Hebel dieses Plays geht von {least} bis {most}.",
        "words": "Die Worte dieses Plays bleiben, wie die Zentrale sie schrieb.",
        "unsound": "Ein Play hat einen ersten Satz und höchstens drei Punkte, jeder mit 1 bis 2000 Zeichen.",
        "long": "{count} Wörter; höchstens {most} passen neben ein Gespräch.",
        "opener": "Der erste Satz",
        "bullets": "Punkte",
        "objection": "Einwand",
        "do_not_mention": "Nicht erwähnen",
    },
}
_PARTS: Final = ("paused", "lever", "talking_points")


def parts_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The parts a body says."""
    return {name: body[name] for name in _PARTS if body.get(name) is not None}


def change_problem(play: Play, said: Mapping[str, Any], language: str = ENGLISH) -> str | None:
    """Why these parts lie beyond the play's guardrails, as a sentence; None where they do not."""
    return next(_problems(play, said, language), None)


def _problems(play: Play, said: Mapping[str, Any], told_in: str) -> Iterator[str]:
    rails, told = play.guardrails, _WORDS[spoken(told_in)]
    if said.get("paused") and not rails.may_pause:
        yield told["pause"]
    if not rails.lever_min <= said.get("lever", rails.lever_min) <= rails.lever_max:
        yield told["lever"].format(least=rails.lever_min, most=rails.lever_max)
    words = said.get("talking_points") or {}
    if words and not rails.may_edit_talking_points:
        yield told["words"]
    for points in words.values():
        yield from _word_problems(play, points, told_in)


def words_problem(play: Play, points: Mapping[str, Any], told_in: str = ENGLISH) -> str | None:
    """Why a play cannot have these words at all, whoever writes them; None where it can."""
    return next(_word_problems(play, points, told_in), None)


def _word_problems(play: Play, points: Any, told_in: str) -> Iterator[str]:
    told, has_offer = _WORDS[spoken(told_in)], play.offer_id is not None
    try:
        read = TalkingPoints.model_validate(points)
    except ValidationError:
        yield told["unsound"]
        return
    if (count := read.count_words()) > WORDS_MAX:
        yield told["long"].format(count=count, most=WORDS_MAX)
    for where, text in read.texts():
        if problem := placeholder_problem(text, play.condition, has_offer=has_offer, language=told_in):
            yield f"{told[where.partition('[')[0]]}: {problem}"


def with_parts(held: Mapping[str, Any], said: Mapping[str, Any], mine: tuple[str, str, str | None]) -> dict[str, Any]:
    """`play_change/<play id>` after a change; `mine` says (when, which op, who). The later word wins, part by part: an
    op that comes late changes only what nobody said since."""
    document, said_at = dict(held), dict(held.get("said_at") or {})
    for name, value in said.items():
        if list(mine[:2]) > (said_at.get(name) or ["", ""])[:2]:
            document[name], said_at[name] = value, list(mine)
    return {**document, "said_at": said_at}


def overlay_changes(documents: Mapping[str, Mapping[str, Any]], ops: Iterable[Op]) -> dict[str, Mapping[str, Any]]:
    """A store's documents with a tablet's own unsettled `play_changed` ops (oldest first) laid over: in force at once,
    whatever HQ heard meanwhile; what lies beyond the guardrails is not."""
    result = dict(documents)
    for op in ops:
        play_id, said = op.body.get("play_id"), parts_of(op.body)
        try:
            play = Play.from_document(result[f"play/{play_id}"])
        except (KeyError, ValidationError):
            continue
        if said and change_problem(play, said) is None:
            change_id = f"play_change/{play_id}"
            result[change_id] = {**result.get(change_id, {}), **said}
    return result

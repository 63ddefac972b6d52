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
        "unsound": "The words in {language!r:.10} cannot be used: {why}.",
        "long": "{count} words; at most {most} fit beside a conversation.",
    },
    GERMAN: {
        "pause": "Dieses Play lässt sich in einem Laden nicht pausieren.",
        "lever": "Der Hebel dieses Plays geht von {least} bis {most}.",
        "words": "Die Worte dieses Plays bleiben, wie die Zentrale sie schrieb.",
        "unsound": "Die Worte in {language!r:.10} gehen so nicht: {why}.",
        "long": "{count} Wörter; höchstens {most} passen neben ein Gespräch.",
    },
}
_PARTS: Final = ("paused", "lever", "talking_points")


def parts_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The parts a body says."""
    return {name: body[name] for name in _PARTS if body.get(name) is not None}


def change_problem(play: Play, said: Mapping[str, Any], language: str = ENGLISH) -> str | None:
    """Why these parts lie beyond the play's guardrails, as a sentence; None where they do not."""
    return next(_problems(play, said, _WORDS[spoken(language)]), None)


def _problems(play: Play, said: Mapping[str, Any], told: Mapping[str, str]) -> Iterator[str]:
    rails = play.guardrails
    if said.get("paused") and not rails.may_pause:
        yield told["pause"]
    if not rails.lever_min <= said.get("lever", rails.lever_min) <= rails.lever_max:
        yield told["lever"].format(least=rails.lever_min, most=rails.lever_max)
    words = said.get("talking_points") or {}
    if words and not rails.may_edit_talking_points:
        yield told["words"]
    for language, points in words.items():
        yield from _word_problems(play, language, points, told)


def words_problem(play: Play, language: str, points: Mapping[str, Any], told_in: str = ENGLISH) -> str | None:
    """Why a play cannot have these words in a language at all, whoever writes them; None where it can."""
    return next(_word_problems(play, language, points, _WORDS[spoken(told_in)]), None)


def _word_problems(play: Play, language: str, points: Any, told: Mapping[str, str]) -> Iterator[str]:
    try:
        read = TalkingPoints.model_validate(points)
    except ValidationError as problem:
        yield told["unsound"].format(language=language, why=problem.errors(include_url=False)[0]["msg"])
        return
    if (count := read.count_words()) > WORDS_MAX:
        yield told["long"].format(count=count, most=WORDS_MAX)
    for where, text in read.texts():
        if problem_there := placeholder_problem(text, play.condition, has_offer=play.offer_id is not None):
            yield f"{where}: {problem_there}"


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

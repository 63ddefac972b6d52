"""How far a shopper came on a journey, and many shoppers counted. Flow: journey + inputs -> walk -> counts. Pure.

The way is looked at as it went. A condition is looked at whenever something it names happens: the entry with all that
was known then, a step with what happened from the step before on, that moment included; one moment may reach several
steps. Every entry begins an attempt that lasts `within`. Documents hold 90 days of events: what is older is not seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import median_low
from typing import Any, Literal

from shared.plays.catalogue import HOUR_S, spelled_out
from shared.plays.condition import Condition, EventCount, NotFollowed, Recency, walk
from shared.plays.evaluate import evaluate
from shared.plays.inputs import EvaluationInputs, TimedEvent
from shared.plays.journeys import Journey

State = Literal["completed", "under_way", "stopped"]


@dataclass(frozen=True, slots=True)
class Walk:
    """An attempt: when it began and when each step was reached (the goal last), in UTC seconds.

    `channels`: where something happened from the entry to the last step reached, sorted.
    """

    entered_s: int
    reached_s: tuple[int, ...]
    state: State
    channels: tuple[str, ...]


def walk_journey(journey: Journey, inputs: EvaluationInputs) -> Walk | None:
    """The attempt of a shopper that came furthest; of equals one that is still open, then the one that began first.

    None for somebody who never entered.
    """
    lines = sorted((pair for found in inputs.view.events.values() for pair in found), key=_at)
    best: Walk | None = None
    for at_s in _moments(journey.entry, lines):
        if _is_met_at(journey.entry, inputs, at_s):
            found = _attempt(journey, inputs, lines, at_s)
            best = found if best is None else max(best, found, key=_worth)
            if best.state == "completed":
                break
    return best


def _at(pair: TimedEvent) -> int:
    return pair[0]


def _worth(one: Walk) -> tuple[int, bool, int]:
    return len(one.reached_s), one.state == "under_way", -one.entered_s


def _moments(condition: Condition, lines: Sequence[TimedEvent]) -> list[int]:
    """When something happened that a condition names, rising, each once."""
    names = {name for _, _, part in walk(condition) for name in spelled_out(_named(part))}
    return list(dict.fromkeys(at_s for at_s, line in lines if line.event in names))


def _named(part: Condition) -> tuple[str, ...]:
    if isinstance(part, EventCount | Recency):
        return part.events
    return (part.first, *part.then) if isinstance(part, NotFollowed) else ()


def _is_met_at(condition: Condition, inputs: EvaluationInputs, at_s: int) -> bool:
    return evaluate(condition, replace(inputs, now_s=at_s)).is_met


def _attempt(journey: Journey, inputs: EvaluationInputs, lines: Sequence[TimedEvent], entered_s: int) -> Walk:
    until_s = entered_s + journey.within_h * HOUR_S
    from_s, reached = entered_s, list[int]()
    for condition in journey.way:
        ahead = [pair for pair in lines if from_s <= pair[0] <= until_s]
        at_s = _reached(condition, inputs, ahead)
        if at_s is None:
            break
        reached.append(at_s)
        from_s = at_s
    is_done, is_over = len(reached) == len(journey.way), inputs.now_s > until_s
    state: State = "completed" if is_done else "stopped" if is_over else "under_way"
    channels = {line.channel for at_s, line in lines if entered_s <= at_s <= from_s}
    return Walk(entered_s, tuple(reached), state, tuple(sorted(channels)))


def _reached(condition: Condition, inputs: EvaluationInputs, ahead: Sequence[TimedEvent]) -> int | None:
    """The first moment at which a step is met by what lies ahead alone."""
    moments = _moments(condition, ahead)
    if not moments:
        return None
    facts = inputs.profile.facts.model_copy(update={"first_order_at": None, "last_order_at": None})
    told = {"recent": [line for _, line in ahead], "seen": {}, "facts": facts, "outcomes": []}
    since = replace(inputs, profile=inputs.profile.model_copy(update=told))
    return next((at_s for at_s in moments if _is_met_at(condition, since, at_s)), None)


# counting -------------------------------------------------------------------------------------------------------------


def count_walks(journey: Journey, walks: Iterable[Walk], language: str = "en") -> dict[str, Any]:
    """Entered, completed, still under way, channels, and for each step: reached, stopped there, median time from the
    step before. A shopper counts once."""
    known = list(walks)
    states = Counter(one.state for one in known)
    channels = Counter(channel for one in known for channel in one.channels)
    return {
        "entered": len(known),
        "completed": states["completed"],
        "under_way": states["under_way"],
        "channels": dict(sorted(channels.items())),
        "steps": [_told(number, name, known) for number, name in enumerate(journey.names(language))],
    }


def _told(number: int, name: str, walks: Sequence[Walk]) -> dict[str, Any]:
    """Step 0 is the entry."""
    here = [one for one in walks if len(one.reached_s) >= number]
    ended = [one for one in here if len(one.reached_s) == number]
    times = [(one.entered_s, *one.reached_s) for one in here]
    spans = [way[number] - way[number - 1] for way in times] if number else []
    return {
        "step": number,
        "name": name,
        "reached": len(here),
        "share_ppm": len(here) * 1_000_000 // len(walks) if walks else 0,
        "stopped": sum(one.state == "stopped" for one in ended),
        "under_way": sum(one.state == "under_way" for one in ended),
        "median_s": median_low(spans) if spans else None,
    }

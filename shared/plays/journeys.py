"""Journeys: a named row of steps through all channels, as `journeys/*.yaml` writes it. Flow: file -> here -> the walk.

A journey is looked at as it went, so its conditions ask only about what happened, never about how things are today.
How far a shopper came is said by `journey_walk.py`; nothing is evaluated here but whether a step asks for anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Annotated, Any, Final

from pydantic import Field

from shared.plays.catalogue import PURPOSES, WINDOW_HOURS_MAX
from shared.plays.condition import (
    KINDS,
    Condition,
    EventCount,
    Group,
    NotFollowed,
    Recency,
    problems_in,
    purposes_of,
    walk,
)
from shared.plays.evaluate import evaluate
from shared.plays.files import FilePart, Slug, Words, in_language
from shared.plays.inputs import EvaluationInputs, StoreFacts
from shared.plays.playbook import Hours
from shared.plays.refusal import FileProblem, PlaybookRefused, listed, read_file
from shared.plays.sentences import describe
from shared.plays.settings import PlaySettings
from shared.plays.speech import ENGLISH, GERMAN, hours_span, spoken
from shared.profile import Profile

ASKS_WHAT_HAPPENED: Final = ("EventCount", "NotFollowed", "Recency")
ANALYTICS: Final = "analytics"


class JourneyStep(FilePart):
    """A step and what must happen for it, from the step before on."""

    name: Words
    condition: Condition


class Journey(FilePart):
    """A journey's file. `within` is how long a shopper may take from the entry to the goal."""

    id: Slug
    title: Words
    within_h: Annotated[Hours, Field(alias="within", ge=1)]
    entry: Condition
    steps: Annotated[tuple[JourneyStep, ...], Field(min_length=1, max_length=12)]
    goal: Condition

    def conditions(self) -> Iterator[tuple[str, Condition]]:
        """Every condition with its path, in the order of the way."""
        yield "entry", self.entry
        yield from ((f"steps[{index}].condition", step.condition) for index, step in enumerate(self.steps))
        yield "goal", self.goal

    @property
    def way(self) -> tuple[Condition, ...]:
        """What comes after the entry, in order: the steps, then the goal."""
        return (*(step.condition for step in self.steps), self.goal)

    def names(self, language: str = ENGLISH) -> tuple[str, ...]:
        """What the entry, each step and the goal are called."""
        first, last = _ENDS[spoken(language)]
        return (first, *(in_language(step.name, language) for step in self.steps), last)

    @property
    def purposes(self) -> frozenset[str]:
        """Consents without which a shopper is not counted: that to be counted at all, and what the steps look at."""
        leaves = (part for path, one in self.conditions() for _, _, part in walk(one, path))
        return frozenset({ANALYTICS}).union(*(purposes_of(leaf) for leaf in leaves))


_ENDS: Final = {ENGLISH: ("Entered", "Goal"), GERMAN: ("Begonnen", "Ziel")}


def parse_journey(mapping: Any, file_name: str) -> Journey:
    """Read a journey's file. Raises PlaybookRefused with every problem: path and how to mend it."""
    journey = read_file(Journey, mapping, file_name, KINDS)
    problems = list(_window_problems(journey))
    for path, condition in journey.conditions():
        problems += _problems_of(condition, path)
    if problems:
        raise PlaybookRefused(file_name, problems)
    return journey


def journey_problems(journeys: Sequence[Journey]) -> list[FileProblem]:
    """What is wrong between files: two journeys of one id."""
    ids = Counter(one.id for one in journeys)
    sentence = "two files carry this id; every journey needs its own."
    return [FileProblem("id", sentence, id_) for id_, count in ids.items() if count > 1]


def _window_problems(journey: Journey) -> Iterator[FileProblem]:
    if journey.within_h > WINDOW_HOURS_MAX:
        sentence = f"{journey.within_h} hours is more than the 90 days of events that are kept; ask for at most 90 d."
        yield FileProblem("within", sentence)


def _problems_of(condition: Condition, path: str) -> list[FileProblem]:
    parts = list(walk(condition, path))
    todays = [(where, part) for _, where, part in parts if part.kind not in (*ASKS_WHAT_HAPPENED, "Group")]
    problems = [FileProblem(where, _TODAY.format(kind=part.kind)) for where, part in todays]
    known = {where for where, _ in todays}
    problems += [
        problem for problem in problems_in(condition, frozenset(PURPOSES), path) if _holder(problem, known) is None
    ]
    if not problems and not _asks_for_something(condition):
        problems.append(FileProblem(path, _NOTHING_HAPPENS))
    return problems


_TODAY: Final = (
    "{kind} tells how it is today, not what happened on the way. "
    f"Allowed in a journey: {listed(ASKS_WHAT_HAPPENED)}, and Group of these."
)
_NOTHING_HAPPENS: Final = (
    "this is met without anything happening, or can only wait; ask for something that happens: "
    "EventCount with cmp: '>=' and n: 1, NotFollowed, or Recency newer_than."
)


def _holder(problem: FileProblem, paths: set[str]) -> str | None:
    """The leaf a problem lies in, of those that are refused as a whole."""
    return next((path for path in paths if problem.path == path or problem.path.startswith(f"{path}.")), None)


def _asks_for_something(condition: Condition) -> bool:
    return _may_happen(condition) and not evaluate(condition, _nobody()).is_met


def _may_happen(part: Condition) -> bool:
    """Whether something that happens is asked for, not only that time passes or nothing happened."""
    if isinstance(part, Group):
        return part.op != "none" and any(_may_happen(one) for one in part.parts)
    if isinstance(part, EventCount):
        return part.cmp != "<=" and part.n > 0
    return isinstance(part, NotFollowed) or (isinstance(part, Recency) and part.cmp == "newer_than")


@cache
def _nobody() -> EvaluationInputs:
    """Somebody of whom nothing is known."""
    return EvaluationInputs(Profile(id=""), {}, {}, StoreFacts("", "UTC", ""), 0, PlaySettings())


def describe_journey(journey: Journey, language: str = ENGLISH) -> list[str]:
    """The journey as plain sentences: what begins it, each step, the goal, and the time there is for it."""
    tongue = spoken(language)
    names, span = journey.names(language), hours_span(journey.within_h, tongue)
    told = [f"{name}: {describe(one, tongue)}" for name, one in zip(names, (journey.entry, *journey.way), strict=True)]
    told[1:-1] = [f"{number}. {line}" for number, line in enumerate(told[1:-1], start=1)]
    return [*told, _WITHIN[tongue].format(span=span)]


_WITHIN: Final = {
    ENGLISH: "All of it within {span} of the entry; for each step counts what happened from the one before on.",
    GERMAN: "Alles binnen {span} nach dem Beginn; bei jedem Schritt zählt, was ab dem vorigen geschah.",
}

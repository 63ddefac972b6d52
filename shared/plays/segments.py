"""Segments: conditions with a name, and how a rule that names one is written out. Flow: files -> here -> documents.

A document never names a segment: it holds what the segment says on the day it is published, so a rule pack says
everything, and a segment that is edited makes a new version of every play that names it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from shared.plays.catalogue import PURPOSES
from shared.plays.condition import (
    KINDS,
    WRITTEN_OUT_DEPTH_MAX,
    Condition,
    Group,
    Segment,
    Stage,
    consents_asked,
    problems_in,
    walk,
)
from shared.plays.files import FilePart, Slug, Words
from shared.plays.refusal import FileProblem, PlaybookRefused, listed, nearest, read_file


class SegmentFile(FilePart):
    """A condition with a name, as `segments/*.yaml` writes it."""

    id: Slug
    title: Words
    condition: Condition


def parse_segment(mapping: Any, file_name: str) -> SegmentFile:
    """Read a segment's file; what it names is not looked at yet. Raises PlaybookRefused with every problem."""
    return read_file(SegmentFile, mapping, file_name, KINDS)


def parse_segments(mappings: Iterable[tuple[str, Any]]) -> dict[str, Condition]:
    """(file name, loaded mapping) of all segments, to segment id -> its condition, written out.

    Raises PlaybookRefused with every problem of the first file that has one; a segment in a circle is one.
    """
    read = [(file_name, parse_segment(mapping, file_name)) for file_name, mapping in mappings]
    named = {segment.id: segment.condition for _, segment in read}
    for file_name, segment in read:
        problems = write_out(segment.condition, frozenset(PURPOSES), named)[1]
        if sum(other.id == segment.id for _, other in read) > 1:
            problems.append(FileProblem("id", "two files carry this id; every segment needs its own."))
        if problems:
            raise PlaybookRefused(file_name, problems)
    return {name: write_out(condition, frozenset(PURPOSES), named)[0] for name, condition in named.items()}


def write_out(
    condition: Condition, granted: frozenset[str], segments: Mapping[str, Condition], path: str = "condition"
) -> tuple[Condition, list[FileProblem]]:
    """A condition with the segments it names written out, and what is wrong with it, at the paths of its own file."""
    places = {where: part for _, where, part in walk(condition, path) if isinstance(part, Segment)}
    if not places:
        return condition, problems_in(condition, granted, path)
    unwritten = [problem for where, part in places.items() for problem in _naming_problems(part, where, segments)]
    whole = condition if unwritten else _written(condition, segments)
    agreed = granted | consents_asked(whole)
    problems = unwritten + problems_in(_without_segments(condition), agreed, path)
    for problem in [] if unwritten else problems_in(whole, granted, path, WRITTEN_OUT_DEPTH_MAX):
        placed = _at_its_place(problem, places)
        if placed is not problem or placed.path == path:
            problems.append(placed)
    return whole, list(dict.fromkeys(problems))


def _naming_problems(part: Segment, path: str, segments: Mapping[str, Condition]) -> list[FileProblem]:
    problems = []
    for index, name in enumerate(part.names):
        where = f"{path}.in[{index}]"
        if name not in segments:
            known = f"Allowed: {listed(segments)}." if segments else "There is none yet: write segments/NAME.yaml."
            problems.append(FileProblem(where, f"there is no segment {name!r}. {nearest(name, segments)}{known}"))
        elif (circle := _circle(name, segments, ())) is not None:
            problems.append(FileProblem(where, f"the segments {' -> '.join(circle)} name each other in a circle."))
    return problems


def _circle(name: str, segments: Mapping[str, Condition], above: tuple[str, ...]) -> tuple[str, ...] | None:
    """The names on the way from a segment back to one that was on it already."""
    if name in above:
        return (*above[above.index(name) :], name)
    named = (
        inner for _, _, part in walk(segments.get(name, _NOTHING)) if isinstance(part, Segment) for inner in part.names
    )
    return next((found for inner in named if (found := _circle(inner, segments, (*above, name))) is not None), None)


_NOTHING: Final = Group.model_validate({"kind": "Group", "op": "all", "items": ()})
_NO_LEAF: Final = Stage.model_validate({"kind": "Stage", "in": ()})


def _written(part: Condition, segments: Mapping[str, Condition]) -> Condition:
    if isinstance(part, Group):
        return part.model_copy(update={"parts": tuple(_written(one, segments) for one in part.parts)})
    if not isinstance(part, Segment):
        return part
    named = tuple(_written(segments[name], segments) for name in part.names)
    return named[0] if len(named) == 1 else _NOTHING.model_copy(update={"op": "any", "parts": named})


def _without_segments(part: Condition) -> Condition:
    """The same tree with nothing where a segment is named: what its own file can be blamed for."""
    if isinstance(part, Group):
        return part.model_copy(update={"parts": tuple(_without_segments(one) for one in part.parts)})
    return _NO_LEAF if isinstance(part, Segment) else part


def _at_its_place(problem: FileProblem, places: Mapping[str, Segment]) -> FileProblem:
    """A problem inside a segment is shown where the file names the segment."""
    for where, part in places.items():
        if problem.path == where or problem.path.startswith((f"{where}.", f"{where}[")):
            return FileProblem(where, f"in the segment {' or '.join(part.names)}: {problem.sentence}")
    return problem

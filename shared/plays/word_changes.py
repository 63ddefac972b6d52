"""What a proposal would change about a play's words, line by line: for a store manager's screen and for HQ. Pure.

A line that stays is said once; one that goes or comes is marked by a sign and by a word, never by a colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, Literal

Mark = Literal["same", "gone", "new"]
SIGNS: Final[Mapping[Mark, str]] = {"same": " ", "gone": "-", "new": "+"}


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """A line of the words: it stays, it would go, or it would be new."""

    mark: Mark
    text: str


def changed_lines(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[ChangedLine, ...]:
    """The opener, then the points, old and new of a place together. Words of a newer form tell what of them is text."""
    return (*_changed(_opener(before), _opener(after)), *_changed(_bullets(before), _bullets(after)))


def proposed_lines(proposal: Mapping[str, Any]) -> tuple[ChangedLine, ...]:
    """The changed lines of a proposal; none for one that proposes no words."""
    before, after = proposal.get("before"), proposal.get("after")
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return ()
    return changed_lines(before, after)


def _opener(words: Mapping[str, Any]) -> list[str]:
    opener = words.get("opener")
    return [opener] if isinstance(opener, str) and opener else []


def _bullets(words: Mapping[str, Any]) -> list[str]:
    bullets = words.get("bullets")
    return [line for line in bullets if isinstance(line, str) and line] if isinstance(bullets, Sequence) else []


def _changed(old: list[str], new: list[str]) -> Iterator[ChangedLine]:
    for what, from_, until, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            yield from (ChangedLine("same", text) for text in old[from_:until])
            continue
        yield from (ChangedLine("gone", text) for text in old[from_:until])
        yield from (ChangedLine("new", text) for text in new[start:end])

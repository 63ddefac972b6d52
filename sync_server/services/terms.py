"""The terms a chain sets for all its tablets, with `sync-server setting`: told in hello, in force at once.

They lie in the database and not in a server's settings, so that every process of a chain keeps the same ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from shared.clashes import AT_ONCE
from shared.documents import LOCK_AFTER_MIN
from shared.errors import Refused
from shared.feedback import ANSWER_DAYS
from shared.plays.estimates import STRENGTH
from shared.plays.sent_inputs import ONE_IN
from shared.promises import HOLDS_END_H
from sync_server.ports import CentralReader

MIN_APP: Final = "min_app"
NOTICE: Final = "notice"
INPUTS_ONE_IN: Final = "inputs_one_in"
ESTIMATE_K: Final = "estimate_k"
HOLDS_END: Final = "holds_end_h"
AT_ONCE_TERM: Final = "appointments_at_once"
FEEDBACK_DAYS: Final = "feedback_days"
LOCK_AFTER: Final = "lock_after_min"
ON_TABLETS: Final = (INPUTS_ONE_IN, HOLDS_END, AT_ONCE_TERM, LOCK_AFTER)
"""Terms that are part of `setting/tablet`."""
_NOTE: Final = "setting/{}"


@dataclass(frozen=True, slots=True)
class TermKind:
    """A row of the table: the name, its default, what a value looks like, and what it means."""

    name: str
    default: str
    pattern: str
    rule: str
    meaning: str


TERMS: Final = {
    kind.name: kind
    for kind in (
        TermKind(
            MIN_APP,
            "0",
            r"[0-9]{1,9}(\.[0-9]{1,9}){0,5}\Z",
            "a version such as 1.4.0",
            "Oldest app that may receive; older ones go on sending for ever.",
        ),
        TermKind(NOTICE, "", r".{0,200}\Z", "at most 200 characters on one line", "A sentence shown on every tablet."),
        TermKind(
            INPUTS_ONE_IN,
            str(ONE_IN),
            r"[0-9]{1,6}\Z",
            "a whole number such as 20; 0 for none",
            "Of so many impressions one carries what its evaluator looked at, and is run again here.",
        ),
        TermKind(
            ESTIMATE_K,
            str(STRENGTH),
            r"[1-9][0-9]{0,5}\Z",
            "a whole number from 1, such as 200",
            "How many showings a play's expected success is worth beside what was counted.",
        ),
        TermKind(
            HOLDS_END,
            str(HOLDS_END_H),
            r"([1-9]|1[0-9]|2[0-4])\Z",
            "an hour of the day from 1 to 24, such as 20",
            "The hour of the store's day at which the holds of that day are gone.",
        ),
        TermKind(
            AT_ONCE_TERM,
            str(AT_ONCE),
            r"[1-9][0-9]?\Z",
            "a whole number from 1 to 99, such as 3",
            "How many appointments a store keeps at one time; more, or two of one associate, are told as a clash.",
        ),
        TermKind(
            FEEDBACK_DAYS,
            str(ANSWER_DAYS),
            r"([1-9]|[1-8][0-9]|90)\Z",
            "a number of days from 1 to 90, such as 3",
            "Within how many days HQ answers what a store tells it; holds for what is told from now on.",
        ),
        TermKind(
            LOCK_AFTER,
            str(LOCK_AFTER_MIN),
            r"([1-9]|[1-5][0-9]|60)\Z",
            "a number of minutes from 1 to 60, such as 2",
            "Minutes without a touch after which a tablet's screen is locked and asks for the PIN.",
        ),
    )
}


def read_term(reader: CentralReader, name: str) -> str:
    """The value in force."""
    told = reader.note(_NOTE.format(name))
    return TERMS[name].default if told is None else told


def note_of(name: str, value: str) -> str:
    """The note a term is kept under. Raises Refused for an unknown term or a value it cannot have."""
    kind = TERMS.get(name)
    if kind is None:
        raise Refused(f"There is no setting {name!r:.40}. There are: {', '.join(TERMS)}.")
    if not re.match(kind.pattern, value) or not value.isprintable():
        raise Refused(f"The setting {name} is {kind.rule}, not {value!r:.60}.")
    return _NOTE.format(name)


def version_of(text: str) -> tuple[int, ...]:
    """`1.10.0` -> (1, 10): dotted integers; what is none ends the reading."""
    numbers: list[int] = []
    for part in text.split("."):
        if not (part.isascii() and part.isdigit()) or len(part) > 9:
            break
        numbers.append(int(part))
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)

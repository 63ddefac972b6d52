"""An associate's first minutes: the practice card offered once, and three tips that never stand in the way.

How far somebody is lies in the tablet's notebook by associate, so that a tip read is read on this tablet for good. A
tip is also done by doing what it says. Holds no screen; `parts/tips.py` draws them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Final

import flet as ft

from associate_app.ports import TabletDatabase

SCAN_TIP: Final = 1
WORDS_TIP: Final = 2
OUTCOME_TIP: Final = 3
_DONE: Final = 4
_NOTE: Final = "first_steps/"


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """Whether the practice card is still to be offered, and which tip comes next (above the last: none)."""

    is_offered: bool = True
    tip: int = SCAN_TIP

    @property
    def is_done(self) -> bool:
        """Whether no tip is left."""
        return self.tip >= _DONE


WELL_KNOWN: Final = FirstSteps(is_offered=False, tip=_DONE)


def read_first_steps(database: TabletDatabase, associate_id: str) -> FirstSteps:
    """How far somebody is on this tablet; a note that cannot be read is somebody new."""
    try:
        noted = json.loads(database.read_note(_NOTE + associate_id) or "{}")
        return FirstSteps(bool(noted["is_offered"]), int(noted["tip"]))
    except (ValueError, KeyError, TypeError):
        return FirstSteps()


def write_first_steps(database: TabletDatabase, associate_id: str, steps: FirstSteps) -> None:
    """Remember it."""
    database.write_note(_NOTE + associate_id, json.dumps(asdict(steps)))


@ft.observable
@dataclass
class Coach:
    """The tips of one session, the same in the practice store and outside it; nothing is shown until it was read."""

    steps: FirstSteps = WELL_KNOWN
    _keep: Callable[[FirstSteps], None] = field(default=lambda _: None)

    def begin(self, steps: FirstSteps, keep: Callable[[FirstSteps], None]) -> None:
        """Go on where the associate was; `keep` remembers each step."""
        self.steps, self._keep = steps, keep

    def did(self, tip: int) -> None:
        """The next tip, if it is this one's turn; what it says was done or read."""
        if self.steps.tip <= tip < _DONE:
            self._go(replace(self.steps, tip=tip + 1))

    def skip(self) -> None:
        """No tips any more."""
        self._go(replace(self.steps, tip=_DONE))

    def answer_offer(self) -> None:
        """The practice card was taken or declined."""
        if self.steps.is_offered:
            self._go(replace(self.steps, is_offered=False))

    def again(self) -> None:
        """All three once more."""
        self._go(replace(self.steps, tip=SCAN_TIP))

    def _go(self, steps: FirstSteps) -> None:
        self.steps = steps
        self._keep(steps)

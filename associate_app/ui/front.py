"""What a session shows in front: the desk of the shift, or the practice store's; and whether it is locked.

A desk is one shift's: another associate, or the practice store, gets a new one, so that nothing of the one before can
be seen in it and no tap begun on one ends on another's floor. `tell_touches` tells a person's doings from everything
else that a page reports.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import flet as ft

from associate_app.ui.state import Desk

_HUMAN: Final = frozenset({"click", "tap", "change", "submit", "focus", "select", "pan_down", "keyboard_event"})


@ft.observable
@dataclass
class Front:
    """`desk` is the shift's; `practice` stands before it while somebody practises. `number` is another one for each
    desk that was put in front."""

    desk: Desk
    practice: Desk | None = None
    number: int = 0
    is_locked: bool = False

    @property
    def shown(self) -> Desk:
        """The desk in front."""
        return self.practice or self.desk

    def put(self, desk: Desk) -> None:
        """Begin a new shift's desk; the practice store is left."""
        self.practice = None
        self.desk = desk
        self.number += 1

    def practise(self, desk: Desk | None) -> None:
        """Put the practice store in front, or take it away."""
        self.practice = desk
        self.number += 1


def tell_touches(page: ft.Page, touched: Callable[[], None]) -> None:
    """Call `touched` for everything a person does on a page: a finger anywhere, a key, a change in a field."""
    session = page.session
    dispatch = session.dispatch_event

    async def watched(control_id: int, event_name: str, told: Any) -> None:
        if event_name in _HUMAN:
            touched()
        await dispatch(control_id, event_name, told)

    session.dispatch_event = watched  # type: ignore[assignment, method-assign]

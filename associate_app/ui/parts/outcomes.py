"""What came of a play, on an open card: saved by one tap, ten seconds to take it back, a reason where one is due.

*Saved* is said only after the commit; the card re-reads by itself, so the plays re-rank without anyone touching them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from associate_app.ui.first_steps import OUTCOME_TIP
from associate_app.ui.hooks import use_task, use_value
from associate_app.ui.parts.saved_bar import REASONED, UNDO_S
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import Saved, use_desk
from shared.errors import Refused

Choose = Callable[[str, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class OutcomeKeeper:
    """What the foot of a card shows and does."""

    saved: Saved | None
    asks_reason: bool
    told: str
    choose: Choose
    undo: Callable[[], Awaitable[None]]
    give_reason: Callable[[str], Awaitable[None]]
    skip_reason: Callable[[], None]
    show: Callable[[Saved], None]
    """Tell of something else that was saved, with its undo."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """One state for what belongs together; an op id makes each outcome a new one."""

    saved: Saved | None = None
    asks_reason: bool = False
    told: str = ""


_NOTHING = _Kept()


def use_outcomes(token: str) -> OutcomeKeeper:
    """Keep what is saved on one open card, or on a list."""
    desk = use_desk()
    kept, keep = use_value(_NOTHING)

    async def choose(play_id: str, outcome: str) -> None:
        try:
            saved = await desk.commit(desk.floor.record_outcome, token, play_id, outcome, desk.associate_id)
        except Refused as no:
            keep(_Kept(told=desk.speaker("saved.failed", why=no_of(no, desk.speaker))))
            return
        keep(_Kept(saved, asks_reason=outcome in REASONED))
        desk.coach.did(OUTCOME_TIP)

    async def undo() -> None:
        if kept.saved is not None:
            await desk.commit(desk.floor.undo, kept.saved, desk.associate_id)
            keep(_Kept(told=desk.speaker("saved.undone")))

    async def give_reason(reason: str) -> None:
        if kept.saved is not None:
            await desk.commit(desk.floor.add_reason, kept.saved, reason, desk.associate_id)
            keep(_Kept(kept.saved))

    async def forget() -> None:
        if kept != _NOTHING and not kept.asks_reason:
            await asyncio.sleep(UNDO_S)
            keep(_NOTHING)

    use_task(forget, [kept])
    return OutcomeKeeper(
        kept.saved,
        kept.asks_reason,
        kept.told,
        choose,
        undo,
        give_reason,
        skip_reason=lambda: keep(_Kept(kept.saved)),
        show=lambda saved: keep(_Kept(saved) if saved.op_id else _Kept(told=saved.title)),
    )

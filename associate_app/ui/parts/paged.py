"""A list of any length that stays calm: its first lines, and behind *more*, which says how many are left, page by page.

A line is drawn anew only when its record, or what all lines depend on, has changed: otherwise the very control of
before stands again, which Flet neither compares nor sends. So a page more costs that page, however much stands above.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeVar, cast

import flet as ft

from associate_app.ui.hooks import use_cell, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import Press, quiet_button, said_as
from associate_app.ui.state import Desk, DeskContext, use_desk
from associate_app.ui.text_scale import text_scale

PAGE: Final = 50


class Line(Protocol):
    """What a list is made of: a face whose key is its record's."""

    @property
    def key(self) -> str: ...


L = TypeVar("L", bound=Line)
Draw = Callable[[Desk, L], ft.Control]
Turned = Callable[[int, int], Awaitable[None]]


@part
def paged(
    title: str,
    lines: Sequence[L],
    draw: Draw[L],
    first: int = PAGE,
    spacing: int = 0,
    count: int = 0,
    turned: Turned | None = None,
) -> ft.Control:
    """The `first` lines as `draw` draws them, and pages on demand; `title` names the list to whoever only hears *more*.

    A `draw` that is another one each time, as one made of what its screen knows is, has all lines drawn anew.
    `count` is how many there are where not all are in `lines`; `turned(start, end)` is told which lines are wanted now.
    """
    desk = use_desk()
    words = desk.speaker
    pages, turn_to = use_value(0)
    kept = use_cell(_Kept).value
    end = first + pages * PAGE
    drawn = kept.drawn(desk, lines[:end], draw)
    left = max(count, len(lines)) - len(drawn)

    async def turn(to: int) -> None:
        turn_to(to)
        if turned is not None:
            await turned(end if to else 0, first + to * PAGE)

    ways: list[ft.Control] = []
    if left > 0:
        ways.append(_way(title, words("list.more", n=words.number(left)), partial(turn, pages + 1)))
    if pages and len(drawn) > first:
        ways.append(_way(title, words("list.fewer"), partial(turn, 0)))
    return ft.Column([*drawn, *([ft.Row(ways, spacing=0, wrap=True)] if ways else [])], spacing=spacing)


def _way(title: str, told: str, press: Press) -> ft.Control:
    return said_as(f"{title}: {told}", quiet_button(told, press, horizontal=8))


class _Kept:
    """The lines that stand on the screen, each with what it was drawn of."""

    def __init__(self) -> None:
        self._stand: dict[str, tuple[object, ft.Control]] = {}

    def drawn(self, desk: Desk, lines: Sequence[L], draw: Draw[L]) -> list[ft.Control]:
        """The lines, as many as possible as they stood."""
        around = (draw, desk.whereabouts.frame, text_scale(), desk.speaker.language)
        before = self._stand
        self._stand = {}
        for key, line in _named(lines):
            of = (line, around)
            drawn_of, control = before.get(key, (None, None))
            if control is None or drawn_of != of:
                control = ft.Container(_within(desk, partial(draw, desk, line)), key=key)
            self._stand[key] = (of, control)
        return [control for _, control in self._stand.values()]


def _named(lines: Iterable[L]) -> Iterator[tuple[str, L]]:
    """Each line under its own name: of two with one key, the one would be taken for the other."""
    met = Counter[str]()
    for line in lines:
        met[line.key] += 1
        yield (line.key if met[line.key] == 1 else f"{line.key}:{met[line.key]}"), line


def _within(desk: Desk, draw: Callable[[], ft.Control]) -> ft.Control:
    # A component in a line that stays outlives the list that it was drawn in, and would look there in vain.
    return cast("ft.Control", cast(Any, DeskContext)(desk, draw))

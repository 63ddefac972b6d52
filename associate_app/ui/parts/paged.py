"""A list of any length that stays calm: its first lines, and behind *more*, which says how many are left, page by page.

A line is a component under its record's key and is drawn anew only when its record, or what all lines depend on, has
changed: what stands above a new page is left alone, however much it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeVar

import flet as ft

from associate_app.ui.hooks import keyed, memoised, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import Press, quiet_button, said_as
from associate_app.ui.state import DeskContext, use_desk
from associate_app.ui.text_scale import text_scale

PAGE: Final = 50


class Line(Protocol):
    """What a list is made of: a face whose key is its record's."""

    @property
    def key(self) -> str: ...


L = TypeVar("L", bound=Line)
Turned = Callable[[int, int], Awaitable[None]]


@part
def paged(
    title: str,
    lines: Sequence[L],
    draw: Callable[[L], ft.Control],
    first: int = PAGE,
    spacing: int = 0,
    count: int = 0,
    turned: Turned | None = None,
) -> ft.Control:
    """The `first` lines as `draw` draws them, and pages on demand; `title` names the list to whoever only hears *more*.

    `count` is how many there are where not all are in `lines`; `turned(start, end)` is told which lines are wanted now.
    """
    desk = use_desk()
    words = desk.speaker
    pages, turn_to = use_value(0)
    end = first + pages * PAGE
    around = (desk.whereabouts.frame, text_scale(), words.language)
    # A line that stays outlives the list it was first drawn in, and would look for the desk there in vain.
    drawn = DeskContext(desk, lambda: [keyed(line.key, _still, line, draw, around) for line in lines[:end]])
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


@part
def _line(line: Any, draw: Callable[[Any], ft.Control], _around: object) -> ft.Control:
    return draw(line)


_still = memoised(_line)

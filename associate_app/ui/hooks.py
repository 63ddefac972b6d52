"""Flet's hooks with types: the one place where what Flet leaves untyped is given its type."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar, cast

import flet as ft

T = TypeVar("T")
P = ParamSpec("P")


@dataclass(slots=True)
class Cell(Generic[T]):
    """A value that lives as long as its component and redraws nothing when it changes."""

    value: T


def use_value(first: T) -> tuple[T, Callable[[T], None]]:
    """A value of a component and its setter; setting an equal one redraws nothing. Never a function."""
    held: Any = ft.use_state(cast("Callable[[], Any]", lambda: first))
    return cast("tuple[T, Callable[[T], None]]", held)


class Live(Generic[T]):
    """A value of a component that several handlers change: each sees what the one before it put, drawn or not."""

    def __init__(self, first: T) -> None:
        self.value = first
        self._draw: Callable[[T], None] = lambda _: None

    def put(self, value: T) -> None:
        """Change it and let the component draw itself again."""
        self.value = value
        self._draw(value)

    def drawn_by(self, draw: Callable[[T], None]) -> None:
        """Take the component's setter; each drawing gives a new one."""
        self._draw = draw


def use_live(first: Callable[[], T]) -> Live[T]:
    """A live value; made once for the life of the component."""
    live = use_cell(lambda: Live(first())).value
    _, draw = use_value(live.value)
    live.drawn_by(draw)
    return live


def use_cell(make: Callable[[], T]) -> Cell[T]:
    """A cell made once for the life of a component."""
    held: Any = ft.use_ref(lambda: Cell(make()))
    return cast("Cell[T]", held.current)


def use_observed(watched: T) -> T:
    """Redraw this component when an observable changes."""
    ft.use_state(cast("Callable[[], Any]", lambda: watched))
    return watched


def redraw(watched: object) -> None:
    """Let everything that watches an observable draw itself again, changed or not."""
    cast(Any, watched).notify()


def use_task(work: Callable[[], Awaitable[None]], keys: Iterable[object]) -> None:
    """Run a coroutine after mounting and when `keys` change; it is cancelled before the next and on unmounting."""
    ft.use_effect(work, list(keys), lambda: None)


def use_listening(listen: Callable[[], Callable[[], None]]) -> None:
    """Listen while the component is on the screen; `listen` returns what ends it.

    Kept in a cell: Flet forgets what a setup returned as soon as the component is drawn again.
    """
    ends = use_cell(list[Callable[[], None]]).value

    def begin() -> None:
        ends.append(listen())

    def end() -> None:
        while ends:
            ends.pop()()

    ft.use_effect(begin, [], end)


def memoised(draw: Callable[P, ft.Control]) -> Callable[P, ft.Control]:
    """A component that is not drawn again while its arguments are the same."""
    return cast("Callable[P, ft.Control]", cast(Any, ft.memo)(draw))


def keyed(key: str, draw: Callable[P, ft.Control], *args: P.args, **kwargs: P.kwargs) -> ft.Control:
    """A component under a key: the same key keeps its state, another one starts afresh."""
    return cast("ft.Control", cast(Any, draw)(*args, key=key, **kwargs))

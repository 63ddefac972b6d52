"""What every screen owes whoever cannot see it or tap it: names, roles, large targets, keys of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import flet as ft
import pytest
from flet.controls.base_control import BaseControl

from associate_app.ui import theme
from associate_app.ui.state import SCREENS
from associate_app.ui.text_scale import SCALE_MAX, scale_of
from tests.support.flet_harness import Screen
from tests.support.replica import card_for
from tests.unit.ui.conftest import Store, played, scan, sign_in
from tests.unit.ui.test_theme import contrast

BUTTONS = (ft.FilledButton, ft.OutlinedButton, ft.TextButton)
PRESSED = (*BUTTONS, ft.IconButton)
FIELDS = (ft.TextField, ft.Switch, ft.Checkbox)


def tree(node: Any, above: tuple[BaseControl, ...] = ()) -> Iterator[tuple[BaseControl, tuple[BaseControl, ...]]]:
    """Every control that is drawn, with what it stands in."""
    if isinstance(node, list | tuple):
        for one in node:
            yield from tree(one, above)
    elif isinstance(node, BaseControl):
        yield node, above
        for field in fields(node):
            if not field.metadata.get("skip") and field.name not in ("_parent", "page"):
                yield from tree(getattr(node, field.name, None), (*above, node))


def spoken(node: BaseControl) -> str:
    """What a control and all in it say."""
    names = ("value", "label", "content", "semantics_label")
    told = [
        said
        for one, _ in tree(node)
        for name in names
        if isinstance(said := getattr(one, name, None), str) and said.strip()
    ]
    return " ".join(told)


def is_pressable(one: BaseControl) -> bool:
    """Whether it is a button with something drawn in it and a name for that."""
    return isinstance(one, BUTTONS) and isinstance(one.content, ft.Semantics)


def unnamed(one: BaseControl) -> Iterator[str]:
    """What has no name, or is too low for a finger."""
    if isinstance(one, BUTTONS):
        pad = one.style.padding if one.style else None
        line = theme.LABEL.size * theme.LABEL.line
        if is_pressable(one):
            if not (isinstance(one.content, ft.Semantics) and one.content.label):
                yield f"no name: {spoken(one)}"
        elif not isinstance(pad, ft.Padding) or pad.top + pad.bottom + line < theme.TARGET - 0.01:
            yield f"too low: {spoken(one)}"
    if isinstance(one, (*BUTTONS, *FIELDS)) and not spoken(one):
        yield f"no name: {one}"
    if isinstance(one, ft.IconButton) and not one.tooltip:
        yield f"no name: {one.icon}"


def unreachable(one: BaseControl, above: tuple[BaseControl, ...]) -> Iterator[str]:
    """Where the keyboard does not come, or its focus is not seen or is not told to a screen reader."""
    if isinstance(one, PRESSED):
        side = one.style.side if one.style else None
        if not isinstance(side, dict) or side.get(ft.ControlState.FOCUSED) is None:
            yield f"no ring when it has the focus: {spoken(one)}"
        if (is_pressable(one) or isinstance(one, ft.IconButton)) and not isinstance(above[-1], ft.MergeSemantics):
            yield f"two nodes for one button: {spoken(one)}"
    hides = any(isinstance(around, ft.Semantics) and around.exclude_semantics for around in above)
    if hides and isinstance(one, (*PRESSED, *FIELDS)):
        yield f"hidden from the keyboard: {spoken(one)}"
    if (isinstance(one, ft.Container) and one.on_click) or (isinstance(one, ft.Semantics) and one.on_tap):
        yield f"to be pressed, and no button: {spoken(one)}"
    if isinstance(one, ft.GestureDetector) and not one.exclude_from_semantics:
        yield f"a gesture is spoken as something: {spoken(one)}"


def faults(screen: Screen) -> list[str]:
    """All faults of a screen, and keys that siblings share."""
    found = []
    for one, above in tree(screen.page.views):
        found += [*unnamed(one), *unreachable(one, above)]
        for name in ("controls", "actions"):
            keys = [part.key for part in getattr(one, name, None) or () if getattr(part, "key", None) is not None]
            found += [f"siblings share the key {key}" for key in set(keys) if keys.count(key) > 1]
    return found


def role_of(colour: object) -> str | None:
    """A colour's role as the palettes name it; None for what is no role."""
    name = colour.name.lower() if isinstance(colour, ft.Colors) else ""
    return name if name in theme.LIGHT else None


def ground_under(above: tuple[BaseControl, ...]) -> str:
    """The role of the surface that something stands on."""
    for one in reversed(above):
        fill: Any = getattr(one, "bgcolor", None)
        if isinstance(one, BUTTONS) and one.style:
            held = one.style.bgcolor
            fill = held[ft.ControlState.DEFAULT] if isinstance(held, dict) else held
        if role := role_of(fill):
            return role
    return "surface"


def pairs(screen: Screen) -> set[tuple[str, str, float]]:
    """Which ink stands on which ground, and the contrast it needs (WCAG 2.2 AA: large text and signs 3, text 4.5)."""
    found = set()
    for one, above in tree(screen.page.views):
        ink = role_of(getattr(one, "color", None))
        if isinstance(one, ft.Text) and ink:
            size = (one.style.size if one.style else None) or 0
            weight = one.style.weight if one.style else None
            is_large = size >= 24 or (size >= 18.66 and weight is ft.FontWeight.W_700)
            found.add((ink, ground_under(above), 3.0 if is_large else 4.5))
        elif isinstance(one, ft.Icon) and ink:
            found.add((ink, ground_under(above), 3.0))
        elif isinstance(one, BUTTONS) and not one.disabled and one.style and isinstance(one.style.color, dict):
            role = role_of(one.style.color[ft.ControlState.DEFAULT])
            if role:
                found.add((role, ground_under((*above, one)), 4.5))
    return found


def pale(found: set[tuple[str, str, float]]) -> list[str]:
    """The pairs that are too pale in one of the themes."""
    return sorted(
        f"{ink} on {ground}: {contrast(palette[ink], palette[ground]):.2f}"
        for ink, ground, needed in found
        for palette in (theme.LIGHT, theme.DARK)
        if contrast(palette[ink], palette[ground]) < needed
    )


@pytest.mark.parametrize("width", [1180, 390])
def test_everything_to_tap_on_every_screen_has_a_name_a_role_and_room_for_a_finger(store: Store, width: int) -> None:
    """All rooms, the card with its sheets open, a follow-up with its choices; each text readable in both themes."""

    used: set[tuple[str, str, float]] = set()

    async def play() -> None:
        async with store.open(width=width) as screen:
            await screen.see("Who’s working?")
            assert faults(screen) == []
            await sign_in(screen)
            for name in SCREENS:
                if name != "shopper":
                    screen.page.navigate("/" if name == "today" else f"/{name}")
                    await screen.settle(60)
                    assert faults(screen) == [], name
                    used.update(pairs(screen))
            screen.page.navigate("/")
            await screen.settle()
            await scan(screen, card_for(), "Plays for now")
            for told in (
                "Honour an offer beyond its terms",
                "Hold an item",
                "Appointment",
                "Note",
                "Correct",
                "Follow-up",
            ):
                await screen.press(told)
                await screen.settle(60)
                assert faults(screen) == [], told
                used.update(pairs(screen))
            await screen.press("Not today")
            await screen.see("Why not today?")
            assert faults(screen) == []
            used.update(pairs(screen))
            await screen.see("Save follow-up")
            await screen.press("Save follow-up")
            await screen.see("Saved: ")
            screen.page.navigate("/find")
            await screen.see("Seen this shift")
            screen.page.navigate("/follow_ups")
            await screen.see("Mine (1)")
            row = next(one for one in screen.walk() if isinstance(one, ft.Semantics) and "Mara" in (one.label or ""))
            await screen.press(row.label or "")
            await screen.see("Hand over")
            assert faults(screen) == []
            assert pale(used | pairs(screen)) == []
            assert len(used) > 10

    played(play)


def test_twice_the_text_has_half_the_room(store: Store) -> None:
    """The rail of a tablet gives way to the bar of a phone, and comes back."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            probe = next(one for one in screen.walk() if isinstance(one, ft.Text) and one.on_size_change)
            await screen.event(probe, "size_change", {"w": 24, "h": 40})
            assert screen.find(ft.NavigationBar) is not None
            probe = next(one for one in screen.walk() if isinstance(one, ft.Text) and one.on_size_change)
            await screen.event(probe, "size_change", {"w": 12, "h": 20})
            with pytest.raises(LookupError):
                screen.find(ft.NavigationBar)

    played(play)


def test_the_scale_is_kept_within_reason() -> None:
    """Small text is not made smaller, and no setting makes a screen of one word."""
    assert [scale_of(height) for height in (10, 20, 26, 40, 900)] == [1.0, 1.0, 1.3, 2.0, SCALE_MAX]

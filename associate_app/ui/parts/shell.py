"""The frame around every screen: rail or bar, the head with the sync pill, the content under it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import AssociateFace
from associate_app.ui.parts.avatar import avatar
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.in_order import in_order
from associate_app.ui.parts.pill import sync_pill
from associate_app.ui.parts.pressable import Look, Spoken, pressable
from associate_app.ui.parts.text import heading, say
from associate_app.ui.state import MANAGERS_SCREENS, Frame, Place, SyncLight, use_desk
from associate_app.ui.text_scale import is_text_large, scaled
from associate_app.ui.theme import Ink, Type

_ROOMS: Final = (
    ("scan", ft.Icons.QR_CODE_SCANNER, ft.Icons.QR_CODE_SCANNER),
    ("find", ft.Icons.SEARCH, ft.Icons.SEARCH),
    ("today", ft.Icons.WB_SUNNY_OUTLINED, ft.Icons.WB_SUNNY),
    ("plays", ft.Icons.AUTO_STORIES_OUTLINED, ft.Icons.AUTO_STORIES),
    ("tell", ft.Icons.CAMPAIGN_OUTLINED, ft.Icons.CAMPAIGN),
    ("sync", ft.Icons.CLOUD_OUTLINED, ft.Icons.CLOUD),
)
_PHONE_ROOMS: Final = ("scan", "find", "today", "plays", "sync", "store")
_MANAGERS_ROOM: Final = ("store", ft.Icons.STOREFRONT_OUTLINED, ft.Icons.STOREFRONT)
_BEHIND: Final = {
    **dict.fromkeys(("product", "offer"), "scan"),
    **dict.fromkeys(("follow_ups", "holds", "appointments", "new"), "today"),
    "library": "plays",
    "feedback": "store",
}
"""Screens that are no room of their own, and the room they are entered from."""


def _rooms_of(associate: AssociateFace) -> tuple[tuple[str, ft.IconData, ft.IconData], ...]:
    return (*_ROOMS, _MANAGERS_ROOM) if associate.is_manager else _ROOMS


def _room_of(screen: str) -> str:
    """The room a screen lies behind."""
    return _MANAGERS_ROOM[0] if screen in MANAGERS_SCREENS else _BEHIND.get(screen, screen)


def rail(screen: str, associate: AssociateFace, go: Callable[[str], None], switch: Callable[[], None]) -> ft.Control:
    """The column of rooms on the left, and who is working at its foot."""
    here = _room_of(screen)
    rooms = [_room(name, hollow, full, name == here, go) for name, hollow, full in _rooms_of(associate)]
    column = ft.Column(
        [
            ft.Column(rooms, spacing=theme.XS, horizontal_alignment=ft.CrossAxisAlignment.CENTER),
            _who(associate, switch),
        ],
        alignment=ft.MainAxisAlignment.SPACE_BETWEEN,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
    )
    return ft.Container(
        in_order(column),
        width=scaled(theme.RAIL_WIDTH),
        padding=ft.Padding.symmetric(vertical=theme.L),
        bgcolor=ft.Colors.SURFACE_CONTAINER_LOW,
    )


def _room(name: str, hollow: ft.IconData, full: ft.IconData, is_here: bool, go: Callable[[str], None]) -> ft.Control:
    words = use_desk().speaker
    told = words(f"nav.{name}")
    icon = ft.Container(
        ft.Icon(full if is_here else hollow, size=24, color=_ink(is_here)),
        width=scaled(60),
        height=scaled(34),
        alignment=ft.Alignment.CENTER,
        border_radius=theme.PILL,
        bgcolor=ft.Colors.PRIMARY_CONTAINER if is_here else None,
    )
    label = ft.Text(told, style=theme.style(theme.SECTION), color=_ink(is_here))
    drawn = ft.Column([icon, label], spacing=3, horizontal_alignment=ft.CrossAxisAlignment.CENTER, tight=True)
    look = Look(width=scaled(theme.RAIL_WIDTH) - 16, height=scaled(36) + 34, is_centred=True)
    return pressable(told, partial(go, name), drawn, look, Spoken(selected=is_here))


def _ink(is_here: bool) -> ft.Colors:
    return ft.Colors.ON_PRIMARY_CONTAINER if is_here else ft.Colors.ON_SURFACE_VARIANT


def _who(associate: AssociateFace, switch: Callable[[], None]) -> ft.Control:
    words = use_desk().speaker
    drawn = ft.Column(
        [
            avatar(associate.initials, 44),
            say(associate.name.split()[0], theme.TINY, Ink.QUIET, lines=1, align=ft.TextAlign.CENTER),
        ],
        spacing=theme.XS,
        tight=True,
        horizontal_alignment=ft.CrossAxisAlignment.CENTER,
    )
    look = Look(ft.Padding.symmetric(vertical=theme.S), width=scaled(theme.RAIL_WIDTH) - 16, is_centred=True)
    return pressable(words("nav.switch", name=associate.name), switch, drawn, look)


def bottom_bar(screen: str, associate: AssociateFace, go: Callable[[str], None]) -> ft.NavigationBar:
    """The rooms at the foot of a phone."""
    words = use_desk().speaker
    rooms = [room for room in _rooms_of(associate) if room[0] in _PHONE_ROOMS]
    names, here = [name for name, *_ in rooms], _room_of(screen)
    here = "plays" if here == "tell" else here  # which is where a phone leads to it from
    return ft.NavigationBar(
        destinations=[
            ft.NavigationBarDestination(icon=_still(hollow), selected_icon=_still(full), label=words(f"nav.{name}"))
            for name, hollow, full in rooms
        ],
        selected_index=names.index(here) if here in names else names.index("today"),
        on_change=lambda e: go(names[int(e.control.selected_index or 0)]),
        bgcolor=ft.Colors.SURFACE_CONTAINER_LOW,
        height=72,
    )


@part
def pill_of_session(light: SyncLight) -> ft.Control:
    """The pill, redrawn alone when sync ticks."""
    desk = use_desk()
    return sync_pill(
        light.face,
        desk.speaker("pill.spoken", text=light.face.text),
        lambda: desk.go(Place("sync")),
    )


def _still(icon: ft.IconData) -> ft.Icon:
    """An icon of the bar at the foot: its room is Flutter's and does not grow with the text."""
    return ft.Icon(icon, apply_text_scaling=False)


def page_of(
    title: str,
    content: ft.Control,
    *,
    lead: str | None = None,
    is_scrolling: bool = True,
    has_width_limit: bool = False,
    has_pill: bool = True,
) -> ft.Control:
    """A screen with its title left, the pill right, and the content under it."""
    desk = use_desk()
    edge = edge_of(desk.whereabouts.frame)
    told: list[ft.Control] = [heading(title, _step(desk.whereabouts.frame))]
    if lead:
        told.append(say(lead, theme.BODY, Ink.QUIET))
    is_narrowed = has_width_limit and desk.whereabouts.frame is not Frame.PHONE
    held = ft.Container(content, width=theme.READING_WIDTH_MAX) if is_narrowed else content
    body = ft.Column(
        [head(ft.Column(told, spacing=2, tight=True)) if has_pill else ft.Column(told, spacing=2, tight=True), held],
        spacing=theme.XL,
        scroll=ft.ScrollMode.AUTO if is_scrolling else None,
        expand=True,
        horizontal_alignment=ft.CrossAxisAlignment.STRETCH if not has_width_limit else ft.CrossAxisAlignment.START,
    )
    return ft.Container(body, padding=ft.Padding.only(left=edge, right=edge, top=edge), expand=True)


def _step(frame: Frame) -> Type:
    """A title on a phone is smaller, and with large text again: one long word must fit a line."""
    if frame is not Frame.PHONE:
        return theme.HERO
    return theme.TITLE if is_text_large() else theme.NAME


def head(told: ft.Control) -> ft.Control:
    """The first line of a screen: what it is on the left, the sync pill on the right (under it on a phone)."""
    desk = use_desk()
    pill = pill_of_session(desk.light)
    if desk.whereabouts.frame is Frame.PHONE:
        return ft.Column([to_the_right(pill), told], spacing=theme.S)
    told.expand = True
    return ft.Row([told, pill], vertical_alignment=ft.CrossAxisAlignment.START, spacing=theme.L)


def to_the_right(pill: ft.Control) -> ft.Control:
    """The pill at the right edge, in no more room than there is."""
    return ft.Row([ft.Container(pill, expand=True, alignment=ft.Alignment.CENTER_RIGHT)])


def edge_of(frame: Frame) -> int:
    """The margin around a screen."""
    return theme.L if frame is Frame.PHONE else theme.XXL

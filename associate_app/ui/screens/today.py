"""Today: the big way in (scan), the two other ways, and what matters this shift."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import TodayFace
from associate_app.ui.first_steps import SCAN_TIP
from associate_app.ui.hooks import keyed, use_observed, use_value
from associate_app.ui.parts.appointments_way import appointments_way
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.buttons import quiet_button
from associate_app.ui.parts.follow_up_row import follow_up_line
from associate_app.ui.parts.helped import helped_block
from associate_app.ui.parts.in_order import in_order
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.outcomes import OutcomeKeeper, use_outcomes
from associate_app.ui.parts.paged import paged
from associate_app.ui.parts.practice_cards import practice_cards
from associate_app.ui.parts.pressable import Look, Spoken, pressable
from associate_app.ui.parts.rows import news_row, shopper_way
from associate_app.ui.parts.said_row import answers_line
from associate_app.ui.parts.saved_bar import saved_line, told_line
from associate_app.ui.parts.shell import edge_of, page_of
from associate_app.ui.parts.text import say, section
from associate_app.ui.parts.tips import practice_offer, tip
from associate_app.ui.parts.today_lists import TakeUp, here_block, mine_block, words_block
from associate_app.ui.parts.week_block import week_block
from associate_app.ui.state import Desk, Frame, Place, use_desk, use_reading
from associate_app.ui.text_scale import scaled
from associate_app.ui.theme import Ink
from associate_app.ui.today_faces import TodayLists
from shared.errors import Refused

_SEEN_SHOWN: Final = 3
_FOOT_HEIGHT: Final = 72
_TILES_HEIGHT: Final = 224
"""So that what is due, and who is here, begin above the fold of a tablet in landscape."""
_NO_LISTS: Final = TodayLists((), (), (), is_looking=True)


@screen
def today_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    use_observed(desk.coach)
    associate = desk.shift.associate
    face, _ = use_reading(lambda: desk.floor.today(associate) if associate else None, [associate])
    lists, _ = use_reading(lambda: desk.floor.today_lists(associate.associate_id) if associate else None, [associate])
    kept, (no, say_no) = use_outcomes(""), use_value("")

    async def take_up(key: str) -> None:
        try:
            saved = await desk.commit(desk.floor.take_up, key, desk.associate_id)
        except Refused:
            say_no(desk.speaker("today.word_gone"))
            return
        say_no("")
        kept.show(saved)

    if face is None:
        return ft.Container(expand=True)
    first = [*practice_offer(desk), *tip(desk, SCAN_TIP)]
    if desk.is_practice:
        first.append(keyed("cards", practice_cards))
    below = ft.Column([keyed("answers", answers_line), _below(desk, face, lists or _NO_LISTS, take_up)], spacing=0)
    blocks = [*first, _ways_in(desk), below, ft.Container(height=_FOOT_HEIGHT)]
    body = ft.Column(blocks, spacing=theme.XXL)
    return ft.Stack([page_of(face.greeting, body, lead=face.place), _foot(desk, kept, no)], expand=True)


def _foot(desk: Desk, kept: OutcomeKeeper, no: str) -> ft.Control:
    """What was just saved, over the foot of the screen: it is seen wherever the list was tapped."""
    line: ft.Control | None = None
    if kept.saved is not None:
        line = saved_line(kept.saved, desk.speaker, kept.undo)
    elif kept.told or no:
        line = told_line(kept.told or no)
    edge = edge_of(desk.whereabouts.frame)
    return ft.Container(line, left=edge, right=edge, bottom=theme.L, visible=line is not None)


def _ways_in(desk: Desk) -> ft.Control:
    words = desk.speaker
    scan = _tile(
        words("today.scan"),
        words("today.scan_hint"),
        ft.Icons.QR_CODE_SCANNER,
        lambda: desk.go(Place("scan")),
        is_main=True,
    )
    is_phone = desk.whereabouts.frame is Frame.PHONE
    search = _tile(
        words("today.search"),
        words("today.search_hint"),
        ft.Icons.SEARCH,
        lambda: desk.go(Place("find")),
        is_narrow=is_phone,
    )
    new = _tile(
        words("today.new"),
        words("today.new_hint"),
        ft.Icons.PERSON_ADD_ALT,
        lambda: desk.go(Place("new")),
        is_narrow=is_phone,
    )
    if is_phone:
        ways: list[ft.Control] = [scan, ft.Row([search, new], spacing=theme.M)]
        return ft.Column(ways, spacing=theme.M, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    side = ft.Column([search, new], spacing=theme.L, expand=4)
    scan.expand = 5
    return ft.Row(
        [scan, side], spacing=theme.L, vertical_alignment=ft.CrossAxisAlignment.STRETCH, height=scaled(_TILES_HEIGHT)
    )


def _tile(
    told: str,
    hint: str,
    icon: ft.IconData,
    press: Callable[[], None],
    *,
    is_main: bool = False,
    is_narrow: bool = False,
) -> ft.Control:
    """A large button; its name is its title alone."""
    ink, quiet = (Ink.ON_BRAND, Ink.ON_BRAND) if is_main else (Ink.NORMAL, Ink.QUIET)
    drawn = ft.Icon(icon, size=64 if is_main else 28, color=ft.Colors.ON_PRIMARY if is_main else ft.Colors.PRIMARY)
    step = theme.NAME if is_main else theme.HEADING if is_narrow else theme.TITLE
    words = ft.Column(
        [say(told, step, ink), say(hint, theme.TINY if is_narrow else theme.SMALL, quiet)],
        spacing=2,
        tight=True,
    )
    content = (
        ft.Column([drawn, words], alignment=ft.MainAxisAlignment.SPACE_BETWEEN, spacing=theme.M)
        if is_main or is_narrow
        else ft.Row([drawn, words], spacing=theme.L, vertical_alignment=ft.CrossAxisAlignment.CENTER)
    )
    look = Look(
        theme.L if is_narrow else theme.XL,
        theme.ROUND_L,
        fill=ft.Colors.PRIMARY if is_main else None,
        line=None if is_main else ft.Colors.OUTLINE_VARIANT,
    )
    return pressable(told, press, content, look, Spoken(hint=hint), expand=True)


def _below(desk: Desk, face: TodayFace, lists: TodayLists, take_up: TakeUp) -> ft.Control:
    """Who needs somebody on the left, what is on in the store on the right; else one under the other."""
    follow_ups, here = _follow_ups(desk, face), here_block(desk, lists)
    words, mine, seen = words_block(desk, lists, take_up), mine_block(desk, lists), _seen(desk, face)
    week, helped = keyed("week", week_block), keyed("helped", helped_block)
    plays = _plays(desk, face)
    if desk.whereabouts.frame is not Frame.LANDSCAPE:
        blocks = [*here, follow_ups, words, mine, *seen, week, *plays, helped]
        return ft.Column(blocks, spacing=theme.XL)
    columns: list[ft.Control] = [
        in_order(ft.Column([follow_ups, words, week], spacing=theme.XL), expand=6),
        in_order(ft.Column([*here, mine, *seen, *plays, helped], spacing=theme.XL), expand=5),
    ]
    return ft.Row(columns, spacing=theme.XXXL, vertical_alignment=ft.CrossAxisAlignment.START)


def _follow_ups(desk: Desk, face: TodayFace) -> ft.Column:
    words = desk.speaker
    counted = zip(("today.overdue", "today.due", "today.upcoming"), face.due_counts, strict=True)
    numbers: list[ft.Control] = [_number(words(key), n) for key, n in counted]
    go = partial(desk.go, Place("follow_ups"))
    rows: list[ft.Control] = [follow_up_line(row, go) for row in face.due]
    told = rows or [empty(words("today.no_follow_ups"))]
    shown = [ft.Row(numbers, spacing=theme.XL, run_spacing=theme.XS, wrap=True)] if any(face.due_counts) else []
    ways: list[ft.Control] = [quiet_button(words("follow_ups.all"), go, horizontal=8)]
    if face.on_hold:
        ways.append(quiet_button(words("holds.all", n=face.on_hold), partial(desk.go, Place("holds")), horizontal=8))
    blocks = [section(words("today.follow_ups")), *shown, *told, keyed("appointments", appointments_way, ways)]
    return ft.Column(blocks, spacing=theme.S)


def _number(told: str, n: int) -> ft.Control:
    ink = Ink.NORMAL if n else Ink.QUIET
    return ft.Row(
        [say(str(n), theme.TITLE, ink), say(told, theme.SMALL, Ink.QUIET)],
        spacing=6,
        tight=True,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )


def _seen(desk: Desk, face: TodayFace) -> list[ft.Control]:
    title, nothing = desk.speaker("today.seen"), empty(desk.speaker("today.seen_none"))
    told = keyed("seen", paged, title, face.seen, shopper_way, _SEEN_SHOWN) if face.seen else nothing
    return [ft.Column([section(title), told], spacing=theme.XS)]


def _plays(desk: Desk, face: TodayFace) -> list[ft.Control]:
    """New plays are told where there are any."""
    words = desk.speaker
    rows: list[ft.Control] = [news_row(row, ft.Icons.AUTO_STORIES_OUTLINED) for row in face.plays]
    go = quiet_button(words("today.all_plays"), lambda: desk.go(Place("plays")), horizontal=8)
    told = [ft.Column(rows, spacing=0), ft.Row([go])] if rows else [empty(words("today.no_new_plays")), ft.Row([go])]
    return [ft.Column([section(words("today.new_plays")), *told], spacing=0)]

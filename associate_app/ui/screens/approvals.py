"""Approvals, for store managers: what needs a look, what was given beyond its terms with an undo, what HQ was asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.manager_faces import ApprovalsFace, GivenFace
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.buttons import line_button, quiet_button
from associate_app.ui.parts.manager_page import block, not_here, two_sides, use_managers, way_back
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.paged import paged
from associate_app.ui.parts.saved_bar import told_line
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say
from associate_app.ui.parts.word_diff import proposal_card
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import Desk, use_desk
from associate_app.ui.theme import Ink
from shared.errors import Refused


@screen
def approvals_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    words = desk.speaker
    told, tell = use_value("")
    face, is_in = use_managers(desk.floor.office.approvals)

    async def take_back(key: str) -> None:
        try:
            tell(await desk.commit(desk.floor.office.take_back, key, desk.associate_id))
        except Refused as no:
            tell(no_of(no, words))

    if face is None:
        return not_here(words("approvals.title"), is_in)

    def rows(key: str, given: Sequence[GivenFace], nothing: str = "") -> list[ft.Control]:
        line = partial(_given, take_back)
        told = keyed(key, paged, words(f"approvals.{key}"), given, line, spacing=theme.S)
        return [told if given else empty(nothing)]

    looks = [block(words("approvals.look"), rows("look", face.waiting))] if face.waiting else []
    given = block(words("approvals.given"), [*_left(face), *rows("given", face.given, words("approvals.none"))])
    cards: list[ft.Control] = [proposal_card(one, words, has_title=True) for one in face.proposals]
    asked = block(words("review.proposals"), cards or [empty(words("approvals.no_proposals"))])
    body: list[ft.Control] = [way_back("store", words("store.title")), *([told_line(told)] if told else [])]
    column = ft.Column([*body, two_sides([*looks, given], [asked])], spacing=theme.L)
    column.horizontal_alignment = ft.CrossAxisAlignment.STRETCH
    return page_of(words("approvals.title"), column, lead=face.lead)


def _left(face: ApprovalsFace) -> list[ft.Control]:
    return [say(told, theme.TINY, Ink.QUIET) for told in face.left]


def _given(take_back: Callable[[str], Awaitable[None]], desk: Desk, one: GivenFace) -> ft.Control:
    """What was given; taken back on this tablet on the same day."""
    words = desk.speaker
    ink = Ink.LOOK if one.is_amber else Ink.BRAND
    told: list[ft.Control] = [say(one.title, theme.LABEL), say(one.hint, theme.TINY, Ink.QUIET)]
    told.append(say(one.state, theme.SMALL, ink))
    buttons: list[ft.Control] = []
    if one.may_undo:
        buttons.append(line_button(words("approvals.undo"), partial(take_back, one.key), icon=ft.Icons.UNDO))
    elif one.why_not:
        told.append(say(one.why_not, theme.TINY, Ink.QUIET))
    if one.shopper is not None:
        buttons.append(quiet_button(words("follow_ups.open"), partial(desk.open_row, one.shopper)))
    if buttons:
        told.append(ft.Row(buttons, wrap=True, spacing=theme.S, run_spacing=theme.S))
    return ft.Container(ft.Column(told, spacing=theme.XS), key=one.key, padding=ft.Padding.symmetric(vertical=6))

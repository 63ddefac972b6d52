"""Plays review, for store managers: every play that runs here or will, how it stands, its results, whom it meets."""

from __future__ import annotations

from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.manager_faces import MatchFace, ReviewFace, ReviewsFace
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.chips import chip
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.manager_page import not_here, use_managers, way_back
from associate_app.ui.parts.matches import look_line, matches_of, use_matches
from associate_app.ui.parts.notice import banner, empty
from associate_app.ui.parts.pressable import Look, pressable
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say
from associate_app.ui.state import Frame, Place, use_desk
from associate_app.ui.theme import Ink
from associate_app.ui.words import mentions


@screen
def reviews_screen() -> ft.Control:
    """The screen."""
    desk = use_desk()
    words = desk.speaker
    wanted, set_wanted = use_value("")
    face, is_in = use_managers(desk.floor.office.reviews)
    matches, again = use_matches(_paused(face))
    search = text_field("reviews", Field(words("book.field"), icon=ft.Icons.SEARCH), set_wanted)
    if face is None:
        return not_here(words("reviews.title"), is_in)
    found = [one for one in face.plays if _mentions(one, wanted)]
    rows: list[ft.Control] = [
        keyed(one.play.play_id, _row, one, matches_of(one.play.play_id, matches)) for one in found
    ]
    nothing = words("book.nothing", text=wanted) if face.plays else words("book.none")
    unread = [say(face.unread, theme.TINY, Ink.QUIET)] if face.unread else []
    body: list[ft.Control] = [
        way_back("store", words("store.title")),
        source_line(face),
        *([search] if face.plays else []),
    ]
    body += [look_line(matches, again), *(rows or [empty(nothing)]), *unread]
    column = ft.Column(body, spacing=theme.M, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    return page_of(words("reviews.title"), column, lead=words("reviews.lead"), has_width_limit=True)


def _paused(face: ReviewsFace | None) -> tuple[str, ...]:
    """What makes a look begin anew: pauses and levers move other plays up and down."""
    plays = face.plays if face else ()
    return tuple(f"{one.play.play_id} {one.change.is_paused} {one.change.lever}" for one in plays)


def source_line(face: ReviewsFace) -> ft.Control:
    """From where the results are, before any number."""
    if face.is_stale:
        return banner(face.source, ft.Icons.HISTORY, is_amber=True)
    return say(face.source, theme.SMALL, Ink.QUIET)


def _mentions(one: ReviewFace, wanted: str) -> bool:
    return mentions((one.play.title, one.play.opener, *one.play.bullets, *one.marks), wanted)


@part
def _row(one: ReviewFace, match: MatchFace | None) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    open_it = partial(desk.go, Place("review", one.play.play_id))
    met = match.line if match else words("match.looking")
    marks: list[ft.Control] = [chip(mark, is_strong=True) for mark in one.marks]
    title = say(one.play.title, theme.HEADING, lines=2)
    head: list[ft.Control] = [ft.Container(title, expand=True), *marks]
    told: list[ft.Control] = [ft.Row(head, spacing=theme.S)]
    if desk.whereabouts.frame is Frame.PHONE:
        told = [title, *([ft.Row(marks, wrap=True, spacing=theme.S, run_spacing=theme.XS)] if marks else [])]
    told += [say(met, theme.SMALL), say(one.result.told, theme.TINY, Ink.QUIET)]
    spoken = ". ".join([one.play.title, one.stands.rstrip("."), *one.marks, met, one.result.told])
    inside = ft.Column(told, spacing=theme.XS, horizontal_alignment=ft.CrossAxisAlignment.STRETCH, expand=True)
    arrow = ft.Icon(ft.Icons.CHEVRON_RIGHT, color=ft.Colors.ON_SURFACE_VARIANT)
    look = Look(ft.Padding.symmetric(vertical=theme.M, horizontal=theme.L), line=ft.Colors.OUTLINE_VARIANT)
    return pressable(spoken, open_it, ft.Row([inside, arrow], spacing=theme.M), look)

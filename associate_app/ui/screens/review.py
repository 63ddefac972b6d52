"""A play as its store manager reviews it: words, situation, whom it would meet now, results, changes, proposals."""

from __future__ import annotations

import flet as ft

from associate_app.ui import theme
from associate_app.ui.hooks import keyed
from associate_app.ui.manager_faces import MatchesFace, ReviewFace, ReviewsFace
from associate_app.ui.parts.boundary import screen
from associate_app.ui.parts.figures import legend, play_bar
from associate_app.ui.parts.manager_page import block, not_here, two_sides, use_managers, way_back
from associate_app.ui.parts.matches import look_line, match_list, matches_of, use_matches
from associate_app.ui.parts.notice import banner, empty
from associate_app.ui.parts.play_card import talking_points
from associate_app.ui.parts.play_change import play_changes
from associate_app.ui.parts.shell import page_of
from associate_app.ui.parts.text import say
from associate_app.ui.parts.word_diff import proposal_card
from associate_app.ui.screens.reviews import source_line
from associate_app.ui.state import Desk, use_desk
from associate_app.ui.theme import Ink


@screen
def review_screen(play_id: str) -> ft.Control:
    """The screen."""
    desk = use_desk()
    words = desk.speaker
    face, is_in = use_managers(desk.floor.office.reviews)
    one = next((found for found in face.plays if found.play.play_id == play_id), None) if face else None
    matches, again = use_matches((one.change.is_paused, one.change.lever) if one else None)
    if face is None:
        return not_here(words("reviews.title"), is_in)
    back = way_back("reviews", words("reviews.title"))
    if one is None:
        return page_of(words("reviews.title"), ft.Column([back, empty(words("review.gone"))], spacing=theme.M))
    changes = ft.Column([_stands(one), keyed("change", play_changes, one.change)], spacing=theme.M)
    sides = two_sides(
        (_says(desk, one), _fires(desk, one), _proposals(desk, one)),
        (_meets(desk, one, matches, look_line(matches, again)), _results(desk, one, face)),
    )
    body = ft.Column([back, changes, sides], spacing=theme.XL, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    return page_of(one.play.title, body)


def _stands(one: ReviewFace) -> ft.Control:
    """How it stands here; a pause is nothing to worry about, but must be seen."""
    if one.change.is_paused:
        return banner(one.stands, ft.Icons.PAUSE_CIRCLE_OUTLINE)
    return say(one.stands, theme.BODY, Ink.QUIET)


def _says(desk: Desk, one: ReviewFace) -> ft.Control:
    play, words = one.play, desk.speaker
    own = [say(words("review.own"), theme.TINY, Ink.QUIET)] if one.change.is_own else []
    points = talking_points(play.opener, play.bullets, play.objection, play.avoid, words)
    return block(words("review.says"), [points, *own])


def _fires(desk: Desk, one: ReviewFace) -> ft.Control:
    """The situation as a person would say it, its parts set in under what joins them."""
    lines: list[ft.Control] = [_rule(depth, told) for depth, told in one.fires]
    lines += [say(told, theme.SMALL, Ink.QUIET) for told in one.besides]
    return block(desk.speaker("review.fires"), lines, spacing=theme.XS)


def _rule(depth: int, told: str) -> ft.Control:
    return ft.Container(say(told, theme.BODY), padding=ft.Padding.only(left=depth * theme.XL))


def _proposals(desk: Desk, one: ReviewFace) -> ft.Control:
    words = desk.speaker
    cards: list[ft.Control] = [proposal_card(face, words) for face in one.proposals]
    return block(words("review.proposals"), cards or [empty(words("review.proposals.none"))])


def _meets(desk: Desk, one: ReviewFace, matches: MatchesFace | None, line: ft.Control) -> ft.Control:
    told = match_list(matches_of(one.play.play_id, matches))
    return block(desk.speaker("review.meets"), [line, *told])


def _results(desk: Desk, one: ReviewFace, face: ReviewsFace) -> ft.Control:
    told = [source_line(face), say(face.window, theme.TINY, Ink.QUIET), legend()]
    lift = say(one.result.lift, theme.SMALL)
    return block(desk.speaker("review.results"), [*told, keyed("bar", play_bar, one.result), lift])

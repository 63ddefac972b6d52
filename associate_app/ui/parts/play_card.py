"""A recommended play: the words to say, why it is here, its offer, and the row that records what came of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import HeldFace, OfferFace, PlayFace
from associate_app.ui.parts.buttons import line_button, main_button, quiet_button, soft_button, tapped
from associate_app.ui.parts.pressable import Look, Spoken, pressable
from associate_app.ui.parts.text import say
from associate_app.ui.state import Place, use_desk
from associate_app.ui.text_scale import scaled
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker
from shared.wire.ops import OUTCOMES

_ONE_LINE_LETTERS_MAX: Final = 34
"""Title and offer side by side, in the narrower of the card's two columns; more would cut the title."""


def play_card(
    play: PlayFace,
    words: Speaker,
    *,
    is_open: bool,
    is_narrow: bool,
    toggle: Callable[[], None],
    choose: Callable[[str], Awaitable[None]],
    show_offer: Callable[[OfferFace], None],
) -> ft.Control:
    """A play; open it shows the words and the outcome row, folded its title and why."""
    head = _head(play, is_open, toggle)
    inside: list[ft.Control] = [head]
    offer = _offer(play.offer, words, show_offer)
    if is_narrow or (play.offer and len(play.title) + len(play.offer.title) > _ONE_LINE_LETTERS_MAX):
        inside += [ft.Row([offer])] if play.offer else []
    else:
        head.controls.append(offer)
    if is_open:
        inside.append(talking_points(play.opener, play.bullets, play.objection, play.avoid, words))
        inside += [_why(play, words), outcome_row(words, choose), ft.Row([_tell(play, words)])]
    else:
        inside.append(_why(play, words))
    drawn = ft.Container(
        ft.Column(inside, spacing=theme.M),
        padding=ft.Padding.all(theme.L + 2),
        border_radius=theme.ROUND_L,
        border=ft.Border.all(1.5 if is_open else 1, ft.Colors.PRIMARY if is_open else ft.Colors.OUTLINE_VARIANT),
    )
    if is_open:
        drawn.key = play.play_id
        return drawn
    # A finger may tap the folded card anywhere; keys and screen readers press its title.
    return ft.GestureDetector(drawn, key=play.play_id, on_tap=tapped(toggle), exclude_from_semantics=True)


def _head(play: PlayFace, is_open: bool, toggle: Callable[[], None]) -> ft.Row:
    rank = ft.Container(
        say(str(play.rank), theme.SMALL_STRONG, Ink.ON_BRAND if is_open else Ink.ON_BRAND_SOFT),
        width=scaled(26),
        height=scaled(26),
        alignment=ft.Alignment.CENTER,
        border_radius=theme.PILL,
        bgcolor=ft.Colors.PRIMARY if is_open else ft.Colors.PRIMARY_CONTAINER,
    )
    title: ft.Control = say(play.title, theme.TITLE if is_open else theme.HEADING, lines=2, expand=True)
    if not is_open:
        look = Look(ft.Padding.symmetric(vertical=theme.S), theme.ROUND_S)
        title = pressable(play.title, toggle, title, look, Spoken(expanded=False), expand=True)
    return ft.Row([rank, title], spacing=theme.M, vertical_alignment=ft.CrossAxisAlignment.CENTER)


def _offer(offer: OfferFace | None, words: Speaker, show_offer: Callable[[OfferFace], None]) -> ft.Control:
    if offer is None:
        return say(words("plays.no_offer"), theme.TINY, Ink.QUIET)
    icon = ft.Icons.QR_CODE_2 if offer.code else ft.Icons.LOCAL_OFFER_OUTLINED
    return line_button(offer.title, lambda: show_offer(offer), icon=icon, horizontal=14)


def talking_points(
    opener: str, bullets: tuple[str, ...], objection: str | None, avoid: str | None, words: Speaker
) -> ft.Control:
    """Opener in quotation marks, at most three bullets, the answer to an objection, and what not to mention."""
    lines: list[ft.Control] = []
    if opener:
        lines.append(say(words("plays.said", text=opener), theme.SAID))
    lines += [_point(bullet, ft.Icons.FIBER_MANUAL_RECORD, 7, ft.Colors.PRIMARY) for bullet in bullets]
    if objection:
        lines.append(_point(objection, ft.Icons.FORUM_OUTLINED, 17, ft.Colors.PRIMARY))
    if avoid:
        lines.append(
            _point(f"{words('plays.avoid')}: {avoid}", ft.Icons.DO_NOT_DISTURB_ON_OUTLINED, 17, ft.Colors.OUTLINE)
        )
    return ft.Column(lines, spacing=theme.S)


def _point(told: str, icon: ft.IconData, size: int, colour: ft.Colors) -> ft.Control:
    mark = ft.Container(
        ft.Icon(icon, size=size, color=colour), width=scaled(18), height=scaled(23), alignment=ft.Alignment.CENTER
    )
    return ft.Row([mark, say(told, expand=True)], spacing=theme.S, vertical_alignment=ft.CrossAxisAlignment.START)


def _why(play: PlayFace, words: Speaker) -> ft.Control:
    return ft.Text(
        spans=[
            ft.TextSpan(f"{words('plays.why')}: ", theme.style(theme.SMALL_STRONG, Ink.QUIET)),
            ft.TextSpan(play.why, theme.style(theme.SMALL, Ink.QUIET)),
        ]
    )


def _tell(play: PlayFace, words: Speaker) -> ft.Control:
    """The way to HQ about this play: there one more tap saves what it is about."""
    desk = use_desk()
    go = partial(desk.go, Place("tell", play.play_id))
    return quiet_button(words("tell.about_play"), go, icon=ft.Icons.CAMPAIGN_OUTLINED, horizontal=8)


def outcome_row(words: Speaker, choose: Callable[[str], Awaitable[None]]) -> ft.Control:
    """The seven outcomes; one tap saves."""
    return ft.Row(
        [_outcome(name, words, choose) for name in OUTCOMES],
        wrap=True,
        spacing=theme.S,
        run_spacing=theme.S,
    )


def _outcome(name: str, words: Speaker, choose: Callable[[str], Awaitable[None]]) -> ft.Control:
    told = words(f"outcome.{name}")
    if name == "bought":
        return main_button(told, lambda: choose(name), height=theme.TARGET)
    if name == "interested":
        return soft_button(told, lambda: choose(name))
    return line_button(told, lambda: choose(name), horizontal=16)


def held_list(held: tuple[HeldFace, ...], words: Speaker, *, is_open: bool, toggle: Callable[[], None]) -> ft.Control:
    """The folded *Held back (2)*: which plays are suppressed, why and until when."""
    head = quiet_button(
        words.count("plays.held", len(held)),
        toggle,
        icon=ft.Icons.EXPAND_LESS if is_open else ft.Icons.EXPAND_MORE,
        ink=ft.Colors.ON_SURFACE_VARIANT,
        horizontal=8,
    )
    lines = [_held(play) for play in held] if is_open else []
    return ft.Column([head, *lines], spacing=theme.S)


def _held(play: HeldFace) -> ft.Control:
    return ft.Container(
        ft.Column([say(play.title, theme.LABEL, Ink.QUIET), say(play.why, theme.TINY, Ink.QUIET)], spacing=0),
        key=play.play_id,
        padding=ft.Padding.only(left=theme.L),
    )

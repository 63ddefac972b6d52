"""A proposal and what it would change, line by line in plain sight: old words struck and marked -, new ones marked +.

Signs, a strike and spoken words carry the difference; colour only helps.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.manager_faces import ProposalFace, WordLine
from associate_app.ui.parts.chips import chip
from associate_app.ui.parts.text import say
from associate_app.ui.text_scale import scaled
from associate_app.ui.theme import Ink
from associate_app.ui.words import Speaker

_SIGNS: Final = {"same": " ", "gone": "−", "new": "+"}
_FILLS: Final = {"gone": ft.Colors.SURFACE_CONTAINER, "new": ft.Colors.PRIMARY_CONTAINER}


def word_diff(lines: Sequence[WordLine], words: Speaker) -> ft.Control:
    """The lines, old before new where they differ."""
    return ft.Column(
        [_line(one, words) for one in lines], spacing=2, horizontal_alignment=ft.CrossAxisAlignment.STRETCH
    )


def _line(one: WordLine, words: Speaker) -> ft.Control:
    ink = Ink.ON_BRAND_SOFT if one.mark == "new" else Ink.QUIET if one.mark == "gone" else Ink.NORMAL
    text = say(one.text, theme.SMALL, ink, expand=True)
    if one.mark == "gone" and text.style is not None:
        text.style = text.style.copy(decoration=ft.TextDecoration.LINE_THROUGH)
    return ft.Semantics(
        label=words(f"diff.{one.mark}", text=one.text),
        container=True,
        exclude_semantics=True,
        content=ft.Container(
            ft.Row(
                [ft.Container(say(_SIGNS[one.mark], theme.STRONG, ink), width=scaled(18)), text],
                spacing=theme.S,
                vertical_alignment=ft.CrossAxisAlignment.START,
            ),
            padding=ft.Padding.symmetric(vertical=theme.XS, horizontal=theme.S),
            border_radius=theme.ROUND_S,
            bgcolor=_FILLS.get(one.mark),
        ),
    )


def proposal_card(face: ProposalFace, words: Speaker, *, has_title: bool = False) -> ft.Control:
    """One proposal: whose, what it says, its lines, how it stands, HQ's answer."""
    head: list[ft.Control] = [say(face.by, theme.TINY, Ink.QUIET, expand=True)]
    head.append(chip(face.state, is_strong=not face.is_open and not face.is_declined, is_amber=face.is_declined))
    told: list[ft.Control] = [say(face.title, theme.LABEL)] if has_title else []
    told.append(ft.Row(head, wrap=False, vertical_alignment=ft.CrossAxisAlignment.CENTER))
    if face.text:
        told.append(say(face.text, theme.BODY))
    if face.lines:
        told.append(word_diff(face.lines, words))
    if face.answer:
        told.append(say(face.answer, theme.SMALL, Ink.LOOK if face.is_declined else Ink.BRAND))
    return ft.Container(
        ft.Column(told, spacing=theme.S, horizontal_alignment=ft.CrossAxisAlignment.STRETCH),
        key=face.key,
        padding=ft.Padding.symmetric(vertical=theme.M, horizontal=theme.L),
        border_radius=theme.ROUND_M,
        border=ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
    )

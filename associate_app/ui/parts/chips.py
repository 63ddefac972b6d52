"""Small marks: tier, lifecycle stage, consent, *new*. Each says in full what it means."""

from __future__ import annotations

from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import ConsentFace
from associate_app.ui.parts.text import say
from associate_app.ui.text_scale import scaled
from associate_app.ui.theme import Ink

_CONSENT_ICONS: Final[dict[str, tuple[ft.IconData, ft.IconData]]] = {
    "email": (ft.Icons.MAIL, ft.Icons.MAIL_OUTLINE),
    "sms": (ft.Icons.SMS, ft.Icons.SMS_OUTLINED),
    "phone": (ft.Icons.PHONE, ft.Icons.PHONE_OUTLINED),
    "personalise_in_store": (ft.Icons.AUTO_AWESOME, ft.Icons.AUTO_AWESOME_OUTLINED),
}


def chip(words: str, *, is_strong: bool = False, is_amber: bool = False) -> ft.Container:
    """A rounded mark with a few words; strong ones are filled, amber ones ask for a look."""
    filled = ft.Colors.TERTIARY_CONTAINER if is_amber else ft.Colors.PRIMARY_CONTAINER if is_strong else None
    ink = Ink.ON_LOOK if is_amber else Ink.ON_BRAND_SOFT if is_strong else Ink.QUIET
    return ft.Container(
        say(words, theme.SMALL, ink, lines=1),
        padding=ft.Padding.symmetric(vertical=4, horizontal=12),
        border_radius=theme.PILL,
        bgcolor=filled,
        border=None if filled else ft.Border.all(1, ft.Colors.OUTLINE_VARIANT),
    )


def new_mark(words: str) -> ft.Container:
    """The small *new* beside a line that came while the card was open."""
    return ft.Container(
        say(words, theme.SECTION, Ink.ON_BRAND),
        padding=ft.Padding.symmetric(vertical=1, horizontal=8),
        border_radius=theme.PILL,
        bgcolor=ft.Colors.PRIMARY,
    )


def consent_marks(consents: tuple[ConsentFace, ...], spoken: str) -> ft.Semantics:
    """The consent icons: filled for granted, struck through for denied, spoken as one sentence."""
    return ft.Semantics(
        label=spoken,
        container=True,
        exclude_semantics=True,
        content=ft.Row([_mark(consent) for consent in consents], spacing=theme.S, tight=True),
    )


def _mark(consent: ConsentFace) -> ft.Control:
    filled, hollow = _CONSENT_ICONS[consent.purpose]
    if consent.is_granted:
        return ft.Icon(filled, size=19, color=ft.Colors.PRIMARY, tooltip=consent.spoken)
    side = scaled(24)
    strike = ft.Container(
        width=side, height=1.6, bgcolor=ft.Colors.ON_SURFACE_VARIANT, rotate=ft.Rotate(angle=-0.78), border_radius=1
    )
    return ft.Stack(
        [ft.Icon(hollow, size=19, color=ft.Colors.OUTLINE), strike],
        width=side,
        height=side,
        alignment=ft.Alignment.CENTER,
    )

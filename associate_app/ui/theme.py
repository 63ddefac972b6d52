"""Design tokens: colours of both themes, type scale, spacing, radii, and how a page is dressed in them.

Every screen and part takes its sizes and colours from here. One brand colour (deep green), white or near-black
surfaces, amber (`tertiary`) only for *needs a look*. Colours are spelled out for every role, not left to a generator,
so that contrast can be measured without drawing anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

import flet as ft

SEED: Final = "#1F6F5C"
FONT: Final = "Inter"
FONT_FILES: Final = {FONT: "fonts/Inter.ttf"}

# Distances in logical pixels.
XS: Final = 4
S: Final = 8
M: Final = 12
L: Final = 16
XL: Final = 24
XXL: Final = 32
XXXL: Final = 48

# Corners.
ROUND_S: Final = 10
ROUND_M: Final = 16
ROUND_L: Final = 24
PILL: Final = 999

TARGET: Final = 48
"""Smallest side of anything a finger hits, in logical pixels."""

RAIL_WIDTH: Final = 96
PHONE_WIDTH_MAX: Final = 700
"""Below this the rail becomes a bar at the bottom."""
TWO_COLUMN_WIDTH_MIN: Final = 1000
"""From here on the shopper card has two columns."""
READING_WIDTH_MAX: Final = 760
"""Lines longer than this tire the eye."""

MOTION_MS: Final = 160
_RING_WIDTH: Final = 3

# What each M3 role looks like. The names are Flet's ColorScheme fields.
LIGHT: Final[dict[str, str]] = {
    "primary": "#1F6F5C",
    "on_primary": "#FFFFFF",
    "primary_container": "#D3EDE3",
    "on_primary_container": "#0C3B2F",
    "secondary": "#48635A",
    "on_secondary": "#FFFFFF",
    "secondary_container": "#E3EEE9",
    "on_secondary_container": "#1D3029",
    "tertiary": "#845400",
    "on_tertiary": "#FFFFFF",
    "tertiary_container": "#FFE7BF",
    "on_tertiary_container": "#4A2F00",
    "error": "#A8281F",
    "on_error": "#FFFFFF",
    "error_container": "#FBE3E0",
    "on_error_container": "#5B120C",
    "surface": "#FFFFFF",
    "on_surface": "#15201B",
    "on_surface_variant": "#52615A",
    "outline": "#7B8A83",
    "outline_variant": "#DFE6E2",
    "shadow": "#0C1F18",
    "scrim": "#0A1410",
    "inverse_surface": "#20302A",
    "on_inverse_surface": "#F1F6F3",
    "inverse_primary": "#93D6BE",
    "surface_tint": "#FFFFFF",
    "surface_bright": "#FFFFFF",
    "surface_dim": "#E9EEEB",
    "surface_container_lowest": "#FFFFFF",
    "surface_container_low": "#F8FAF9",
    "surface_container": "#F3F7F5",
    "surface_container_high": "#EDF2EF",
    "surface_container_highest": "#E6ECE9",
}
DARK: Final[dict[str, str]] = {
    "primary": "#84D2B8",
    "on_primary": "#00382B",
    "primary_container": "#1A4A3D",
    "on_primary_container": "#C3EFDF",
    "secondary": "#AFCCC0",
    "on_secondary": "#1B352C",
    "secondary_container": "#26362F",
    "on_secondary_container": "#D5E8DF",
    "tertiary": "#F2BD69",
    "on_tertiary": "#432C00",
    "tertiary_container": "#4B360B",
    "on_tertiary_container": "#FFE2B1",
    "error": "#FFB4A9",
    "on_error": "#690003",
    "error_container": "#5A201A",
    "on_error_container": "#FFDAD4",
    "surface": "#0F1412",
    "on_surface": "#E6ECE9",
    "on_surface_variant": "#A5B3AC",
    "outline": "#77867F",
    "outline_variant": "#29332E",
    "shadow": "#000000",
    "scrim": "#000000",
    "inverse_surface": "#DDE6E1",
    "on_inverse_surface": "#16211C",
    "inverse_primary": "#1F6F5C",
    "surface_tint": "#0F1412",
    "surface_bright": "#29322D",
    "surface_dim": "#0B0F0D",
    "surface_container_lowest": "#0B100E",
    "surface_container_low": "#141A17",
    "surface_container": "#181F1B",
    "surface_container_high": "#1F2723",
    "surface_container_highest": "#28312C",
}


@dataclass(frozen=True, slots=True)
class Type:
    """One step of the type scale: size and line height in logical pixels, weight, tracking."""

    size: float
    weight: ft.FontWeight = ft.FontWeight.W_400
    line: float = 1.4
    tracking: float = 0.0


HERO: Final = Type(34, ft.FontWeight.W_600, 1.15, -0.4)
NAME: Final = Type(28, ft.FontWeight.W_600, 1.2, -0.3)
TITLE: Final = Type(21, ft.FontWeight.W_600, 1.25, -0.1)
HEADING: Final = Type(17, ft.FontWeight.W_600, 1.3)
BODY: Final = Type(16, ft.FontWeight.W_400, 1.45)
STRONG: Final = Type(16, ft.FontWeight.W_600, 1.4)
SAID: Final = Type(19, ft.FontWeight.W_400, 1.4)
"""The words to say: bigger than body, because they are read at arm's length while talking."""
LABEL: Final = Type(15, ft.FontWeight.W_500, 1.3)
SMALL: Final = Type(14, ft.FontWeight.W_400, 1.4)
SMALL_STRONG: Final = Type(14, ft.FontWeight.W_600, 1.4)
TINY: Final = Type(13, ft.FontWeight.W_400, 1.35)
SECTION: Final = Type(13, ft.FontWeight.W_600, 1.3, 0.5)


class Ink(Enum):
    """Colours text may take; each is readable on the surfaces it is used on (measured in a test)."""

    NORMAL = ft.Colors.ON_SURFACE
    QUIET = ft.Colors.ON_SURFACE_VARIANT
    BRAND = ft.Colors.PRIMARY
    ON_BRAND = ft.Colors.ON_PRIMARY
    ON_BRAND_SOFT = ft.Colors.ON_PRIMARY_CONTAINER
    LOOK = ft.Colors.TERTIARY
    ON_LOOK = ft.Colors.ON_TERTIARY_CONTAINER
    ON_DARK = ft.Colors.ON_INVERSE_SURFACE
    ERROR = ft.Colors.ERROR


def style(step: Type, ink: Ink | None = None) -> ft.TextStyle:
    """The Flet text style of a step of the scale."""
    return ft.TextStyle(
        size=step.size,
        weight=step.weight,
        height=step.line,
        letter_spacing=step.tracking,
        color=ink.value if ink else None,
    )


def ring(ink: str) -> ft.BorderSide:
    """The ring around what has the focus; its ink stands out from the ground."""
    return ft.BorderSide(_RING_WIDTH, ink)


def button_style(
    ink: str, fill: str | None = None, line: str | None = None, *, height: int = TARGET, horizontal: int = 20
) -> ft.ButtonStyle:
    """A flat, touch-sized button: text colour, fill and outline; greyed the same way everywhere when disabled.

    `height` is reached with text of normal size and grows with larger text: a fixed one would cut it.
    """
    vertical = (height - LABEL.size * LABEL.line) / 2
    no_line = ft.BorderSide(0, ft.Colors.TRANSPARENT)
    shown_line = ft.BorderSide(1, line) if line else no_line
    return ft.ButtonStyle(
        color={ft.ControlState.DEFAULT: ink, ft.ControlState.DISABLED: ft.Colors.OUTLINE},
        icon_color={ft.ControlState.DEFAULT: ink, ft.ControlState.DISABLED: ft.Colors.OUTLINE},
        bgcolor={
            ft.ControlState.DEFAULT: fill or ft.Colors.TRANSPARENT,
            ft.ControlState.DISABLED: ft.Colors.SURFACE_CONTAINER_HIGH if fill else ft.Colors.TRANSPARENT,
        },
        side={
            ft.ControlState.DISABLED: no_line,
            ft.ControlState.FOCUSED: ring(ft.Colors.ON_SURFACE if fill == ft.Colors.PRIMARY else ink),
            ft.ControlState.DEFAULT: shown_line,
        },
        padding=ft.Padding.symmetric(vertical=vertical, horizontal=horizontal),
        shape=ft.RoundedRectangleBorder(radius=PILL),
        text_style=style(LABEL),
        elevation=0,
        shadow_color=ft.Colors.TRANSPARENT,
        visual_density=ft.VisualDensity.STANDARD,
    )


def build_theme(colours: dict[str, str]) -> ft.Theme:
    """A Flet theme of one palette, with touch-sized buttons and calm edges."""
    hairline = ft.BorderSide(1, colours["outline_variant"])
    return ft.Theme(
        color_scheme=ft.ColorScheme(**colours),
        visual_density=ft.VisualDensity.STANDARD,
        scaffold_bgcolor=colours["surface"],
        font_family=FONT,
        icon_theme=ft.IconTheme(apply_text_scaling=True),
        icon_button_theme=ft.IconButtonTheme(style=ft.ButtonStyle(padding=ft.Padding.all(12))),
        divider_theme=ft.DividerTheme(color=colours["outline_variant"], thickness=1, space=1),
        bottom_sheet_theme=ft.BottomSheetTheme(bgcolor=colours["surface"]),
        dialog_theme=ft.DialogTheme(bgcolor=colours["surface"]),
        chip_theme=ft.ChipTheme(border_side=hairline, label_text_style=style(SMALL)),
        page_transitions=_STILL,
    )


_STILL: Final = ft.PageTransitionsTheme(
    android=ft.PageTransitionTheme.NONE,
    ios=ft.PageTransitionTheme.NONE,
    linux=ft.PageTransitionTheme.NONE,
    macos=ft.PageTransitionTheme.NONE,
    windows=ft.PageTransitionTheme.NONE,
)


def dress(page: ft.Page) -> None:
    """Give a page both themes; which one shows follows the device. A hub's page brings the font with its first byte."""
    if not page.web:
        page.fonts = dict(FONT_FILES)
    page.theme = build_theme(LIGHT)
    page.dark_theme = build_theme(DARK)
    page.theme_mode = ft.ThemeMode.SYSTEM
    page.padding = 0
    page.bgcolor = ft.Colors.SURFACE

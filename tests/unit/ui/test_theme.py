"""The two palettes: every colour a text takes is readable on every surface it stands on (WCAG 2.2, AA)."""

from __future__ import annotations

import dataclasses

import flet as ft
import pytest

from associate_app.ui import theme

TEXT_RATIO_MIN = 4.5
ON_SURFACES = ("surface", "surface_container_low", "surface_container")
PAIRS = [
    *[(ink, surface) for ink in ("on_surface", "on_surface_variant", "primary", "tertiary") for surface in ON_SURFACES],
    ("on_primary", "primary"),
    ("on_primary_container", "primary_container"),
    ("on_primary_container", "secondary_container"),
    ("on_secondary_container", "surface_container"),
    ("on_tertiary_container", "tertiary_container"),
    ("on_inverse_surface", "inverse_surface"),
    ("inverse_primary", "inverse_surface"),
    ("error", "surface"),
]


def luminance(colour: str) -> float:
    """Relative luminance of `#RRGGBB` (WCAG 2.2)."""
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [theme.LIGHT, theme.DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_is_readable_in_both_themes(palette: dict[str, str], ink: str, ground: str) -> None:
    """At least 4.5 : 1."""
    assert contrast(palette[ink], palette[ground]) >= TEXT_RATIO_MIN


def test_the_measure_itself_is_right() -> None:
    """Black on white is 21, a colour on itself 1."""
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#1F6F5C", "#1F6F5C") == pytest.approx(1)


def test_both_palettes_name_every_role_and_roles_flet_knows() -> None:
    """A role that is missing would be guessed by the client, and measured by nobody."""
    known = {field.name for field in dataclasses.fields(ft.ColorScheme)}
    assert theme.LIGHT.keys() == theme.DARK.keys()
    assert theme.LIGHT.keys() <= known
    assert theme.LIGHT["primary"] == theme.SEED


def test_what_a_finger_hits_is_large_enough() -> None:
    """48 logical pixels."""
    assert theme.TARGET >= 48

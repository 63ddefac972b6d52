"""Product pictures as drawings: `assets/products/drawings.yaml` (paths and palettes) -> one SVG text a picture.

Used when pictures are authored (`tests/unit/demo/render_pictures.py` writes the WebP files); nothing is drawn at run
time. Every picture stands on the same ground, casts the same shadow and is lit from the top left: the light is one
gradient in the picture's own coordinates, so shapes are mirrored and turned point by point, never by an SVG transform.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

SIZE_PX: Final = 320

_CENTRE: Final = SIZE_PX / 2
_TOKEN: Final = re.compile(r"[MLCQZ]|-?\d+(?:\.\d+)?")
_PAIRS: Final = {"M": 1, "L": 1, "C": 3, "Q": 2, "Z": 0}
_CIRCLE: Final = 0.5523  # control distance of a quarter circle drawn as a cubic curve
_STEPS: Final = {"++": 0.34, "+": 0.16, "": 0.0, "-": -0.15, "--": -0.32, "---": -0.5}

Point = tuple[float, float]
Segment = tuple[str, tuple[Point, ...]]
Move = Callable[[Point], Point]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to draw: a category in one of its colourways."""

    category: str
    colourway: str

    @property
    def file_name(self) -> str:
        """The name products carry, such as `knitwear-sand.webp`."""
        return f"{self.category}-{self.colourway}.webp"


@cache
def read_drawings() -> dict[str, Any]:
    """Read colours, palettes and paths."""
    drawings: dict[str, Any] = yaml.safe_load((files("assets") / "products" / "drawings.yaml").read_text("utf-8"))
    return drawings


def list_pictures() -> tuple[Picture, ...]:
    """Every picture of the catalogue, by category and colourway."""
    drawn = read_drawings()["categories"]
    return tuple(Picture(category, name) for category in drawn for name in drawn[category]["colourways"])


def draw_picture(picture: Picture) -> str:
    """SVG of one picture, 320 x 320. Raises KeyError for an unknown category or colourway."""
    drawing = read_drawings()["categories"][picture.category]
    main, accent = drawing["colourways"][picture.colourway]
    inks = _Inks(read_drawings()["colours"], {"main": main, "accent": accent})
    moves = [_move(*copy) for copy in drawing.get("copies", [[0, 0, 1, 0]])]
    copies = "".join(_cast(_draw_layer(drawing["parts"], move, inks)) for move in moves)
    glow, under, halo = (_draw_layer(drawing.get(layer, ()), _stay, inks) for layer in ("glow", "under", "halo"))
    return _frame(inks.defs() + _GROUND, glow + _cast(under) + copies + halo)


def _cast(shapes: str) -> str:
    return f'<g filter="url(#cast)">{shapes}</g>' if shapes else ""


def _draw_layer(parts: Iterable[dict[str, Any]], move: Move, inks: _Inks) -> str:
    return "".join(_draw_part(part, move, inks) for part in parts)


def _frame(defs: str, shapes: str) -> str:
    box = f'width="{SIZE_PX}" height="{SIZE_PX}" viewBox="0 0 {SIZE_PX} {SIZE_PX}"'
    ground = f'<rect width="{SIZE_PX}" height="{SIZE_PX}" fill="url(#ground)"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}><defs>{defs}</defs>{ground}{shapes}</svg>'


_GROUND: Final = (
    '<radialGradient id="ground" gradientUnits="userSpaceOnUse" cx="120" cy="96" r="270">'
    '<stop offset="0" stop-color="#FBF9F5"/><stop offset="1" stop-color="#EAE6DD"/></radialGradient>'
    '<radialGradient id="glow"><stop offset="0" stop-color="#FFCF70" stop-opacity="0.62"/>'
    '<stop offset="0.45" stop-color="#FFD98C" stop-opacity="0.26"/>'
    '<stop offset="1" stop-color="#FFE3A8" stop-opacity="0"/></radialGradient>'
    '<filter id="cast" x="-20%" y="-20%" width="150%" height="150%">'
    '<feDropShadow dx="6" dy="10" stdDeviation="7" flood-color="#3B3527" flood-opacity="0.30"/></filter>'
)


class _Inks:
    """Turns ink names (`main-`, `shade`, `steel+`) into paints and remembers the gradients they need."""

    def __init__(self, colours: dict[str, str], roles: dict[str, str]) -> None:
        self._colours = colours
        self._roles = roles
        self._used: dict[str, str] = {}

    def paint(self, ink: str) -> str:
        """Paint for an ink name; `shade`, `light` and `glow` are see-through and the same everywhere."""
        if ink in _VEILS:
            return _VEILS[ink]
        name = ink.rstrip("+-")
        base = self._colours[self._roles.get(name, name)]
        key = "g" + ink.replace("+", "p").replace("-", "m")
        self._used[key] = _tone(base, _STEPS[ink[len(name) :]])
        return f"url(#{key})"

    def defs(self) -> str:
        """The gradients of all inks used so far: lighter at the top left, darker at the bottom right."""
        return "".join(_gradient(key, colour) for key, colour in self._used.items())


_VEILS: Final = {
    "shade": "rgba(20,18,10,0.16)",
    "shade-": "rgba(20,18,10,0.30)",
    "light": "rgba(255,255,255,0.24)",
    "light+": "rgba(255,255,255,0.48)",
    "glow": "url(#glow)",
}


def _gradient(key: str, colour: str) -> str:
    ends = ((0, _tone(colour, 0.14)), (0.5, colour), (1, _tone(colour, -0.13)))
    stops = "".join(f'<stop offset="{at}" stop-color="{tone}"/>' for at, tone in ends)
    line = 'gradientUnits="userSpaceOnUse" x1="70" y1="40" x2="250" y2="290"'
    return f'<linearGradient id="{key}" {line}>{stops}</linearGradient>'


def _tone(colour: str, step: float) -> str:
    """Move a #RRGGBB colour towards white (step > 0) or towards a warm black."""
    goal = (255, 253, 247) if step > 0 else (22, 20, 24)
    mixed = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "#" + "".join(f"{round(c + (g - c) * abs(step)):02X}" for c, g in zip(mixed, goal, strict=True))


def _draw_part(part: dict[str, Any], move: Move, inks: _Inks) -> str:
    shapes = " ".join(_spell(tuple((op, tuple(map(move, pts))) for op, pts in path)) for path in _paths(part))
    if "s" in part:
        stroke = f'fill="none" stroke="{inks.paint(part["s"])}" stroke-width="{part["w"]}"'
        return f'<path d="{shapes}" {stroke} stroke-linecap="{part.get("cap", "round")}" stroke-linejoin="round"/>'
    return f'<path d="{shapes}" fill="{inks.paint(part["f"])}"/>'


def _paths(part: dict[str, Any]) -> Iterator[tuple[Segment, ...]]:
    """The part's outlines: `d` as written, `two` with its mirror image, `sym` half an outline, `e` an ellipse."""
    if "d" in part:
        yield _parse(part["d"])
    if "two" in part:
        yield _parse(part["two"])
        yield _mirror(_parse(part["two"]))
    if "sym" in part:
        yield _close(_parse(part["sym"]))
    for ellipse in part.get("e", ()):
        yield _ellipse(*ellipse)


def _parse(text: str) -> tuple[Segment, ...]:
    tokens = iter(_TOKEN.findall(text))
    return tuple((op, tuple((float(next(tokens)), float(next(tokens))) for _ in range(_PAIRS[op]))) for op in tokens)


def _mirror(path: tuple[Segment, ...]) -> tuple[Segment, ...]:
    return tuple((op, tuple((SIZE_PX - x, y) for x, y in points)) for op, points in path)


def _close(half: tuple[Segment, ...]) -> tuple[Segment, ...]:
    """Half an outline, from the middle line down to the middle line, joined with its mirror image walked back."""
    ends = [points[-1] for _, points in half]
    back = [(op, (*reversed(points[:-1]), start)) for (op, points), start in zip(half[1:], ends, strict=False)]
    return (*half, *_mirror(tuple(reversed(back))), ("Z", ()))


def _ellipse(x: float, y: float, wide: float, high: float) -> tuple[Segment, ...]:
    kx, ky = wide * _CIRCLE, high * _CIRCLE
    return (
        ("M", ((x - wide, y),)),
        ("C", ((x - wide, y - ky), (x - kx, y - high), (x, y - high))),
        ("C", ((x + kx, y - high), (x + wide, y - ky), (x + wide, y))),
        ("C", ((x + wide, y + ky), (x + kx, y + high), (x, y + high))),
        ("C", ((x - kx, y + high), (x - wide, y + ky), (x - wide, y))),
        ("Z", ()),
    )


def _spell(path: tuple[Segment, ...]) -> str:
    return "".join(op + " ".join(f"{x:.1f} {y:.1f}" for x, y in points) for op, points in path)


def _stay(point: Point) -> Point:
    return point


def _move(right: float, down: float, scale: float, turn: float, mirror: bool = False) -> Move:
    """Shift, scale and turn (degrees, clockwise) a point about the centre; `mirror` flips it left to right first."""
    angle = math.radians(turn)
    cos, sin = math.cos(angle) * scale, math.sin(angle) * scale

    def moved(point: Point) -> Point:
        x, y = point[0] - _CENTRE, point[1] - _CENTRE
        x = -x if mirror else x
        return _CENTRE + right + x * cos - y * sin, _CENTRE + down + x * sin + y * cos

    return moved

"""A QR code as something to draw: its modules, their outline as one path, and the code alone as SVG or PNG.

For cards on paper and on screens; error correction M as protocol.md asks. Modules that touch share one outline: drawn
as rows of rectangles, a screen or a printer shows hairlines between them.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import qrcode

QUIET_MODULES: Final = 4
"""The quiet zone of ISO/IEC 18004, on every side."""
_PNG_MODULE_PIXELS: Final = 16

Modules = Sequence[Sequence[bool]]
Point = tuple[int, int]
Loop = tuple[Point, ...]
_Edges = dict[tuple[Point, Point], None]
_SIDES: Final = (
    ((0, 0), (1, 0), (0, -1)),
    ((1, 0), (0, 1), (1, 0)),
    ((1, 1), (-1, 0), (0, 1)),
    ((0, 1), (0, -1), (-1, 0)),
)
"""The sides of a module, clockwise: its corner, the direction from there, the neighbour beyond."""
_TURNS: Final = {(1, 0): (0, 1), (0, 1): (-1, 0), (-1, 0): (0, -1), (0, -1): (1, 0)}


def code_modules(text: str) -> list[list[bool]]:
    """The code's modules in rows, True for dark, without a quiet zone."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=0)
    code.add_data(text)
    return [[bool(module) for module in row] for row in code.get_matrix()]


@lru_cache(maxsize=64)
def code_outline(text: str) -> tuple[int, tuple[Loop, ...]]:
    """(modules a side, closed loops around the dark ones): x to the right, y down, holes wind the other way."""
    modules = code_modules(text)
    return len(modules), outline_of(modules)


def outline_of(modules: Modules) -> tuple[Loop, ...]:
    """Closed loops around the dark modules, corners only. Where two touch by a corner alone, they stay apart."""
    edges = _edges(modules)
    loops: list[Loop] = []
    while edges:
        (start, heading) = next(iter(edges))
        loops.append(_walk(edges, start, heading))
    return tuple(loops)


def _edges(modules: Modules) -> _Edges:
    """Every side between dark and light as (from, direction), with the dark module to its right."""
    dark = {(x, y) for y, row in enumerate(modules) for x, is_dark in enumerate(row) if is_dark}
    found: _Edges = {}
    for x, y in sorted(dark, key=lambda place: (place[1], place[0])):
        for (start_x, start_y), heading, (beyond_x, beyond_y) in _SIDES:
            if (x + beyond_x, y + beyond_y) not in dark:
                found[((x + start_x, y + start_y), heading)] = None
    return found


def _walk(edges: _Edges, start: Point, heading: Point) -> Loop:
    """One loop, its edges taken out: at a corner it turns right first, so that it never leaves its own modules."""
    corners: list[Point] = []
    point, direction, came = start, heading, (0, 0)
    while (point, direction) in edges:
        del edges[(point, direction)]
        if direction != came:
            corners.append(point)
        came, point = direction, (point[0] + direction[0], point[1] + direction[1])
        right = _TURNS[came]
        ways = (right, came, (-right[0], -right[1]))
        direction = next((way for way in ways if (point, way) in edges), heading)
    return tuple(corners[1:] if came == heading else corners)


def path_of(loops: Sequence[Loop]) -> str:
    """The loops as the `d` of an SVG path, one unit a module."""
    return "".join(map(_loop_path, loops))


def _loop_path(loop: Loop) -> str:
    x, y = loop[0]
    return f"M{x} {y}" + "".join(_step(loop, place) for place in range(1, len(loop))) + "z"


def _step(loop: Loop, place: int) -> str:
    (before_x, before_y), (x, y) = loop[place - 1], loop[place]
    return f"h{x - before_x}" if y == before_y else f"v{y - before_y}"


def code_svg(text: str) -> str:
    """The code alone as an SVG picture with its quiet zone; it takes the size of where it stands."""
    side, loops = code_outline(text)
    whole = side + 2 * QUIET_MODULES
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{-QUIET_MODULES} {-QUIET_MODULES} {whole} {whole}" '
        f'shape-rendering="crispEdges"><path fill="#fff" d="M{-QUIET_MODULES} {-QUIET_MODULES}h{whole}v{whole}'
        f'h{-whole}z"/><path fill="#000" d="{path_of(loops)}"/></svg>'
    )


def code_png(text: str) -> bytes:
    """The code alone as a PNG picture with its quiet zone, sharp enough for print."""
    from PIL import Image

    modules = code_modules(text)
    whole = len(modules) + 2 * QUIET_MODULES
    small = Image.new("1", (whole, whole), 1)
    for y, row in enumerate(modules):
        for x, is_dark in enumerate(row):
            if is_dark:
                small.putpixel((x + QUIET_MODULES, y + QUIET_MODULES), 0)
    side = whole * _PNG_MODULE_PIXELS
    drawn = io.BytesIO()
    small.resize((side, side), Image.Resampling.NEAREST).save(drawn, "PNG", optimize=True)
    return drawn.getvalue()

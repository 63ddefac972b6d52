"""Draws the pages of `sheet_layout.py`: all of them as one PDF, or each as an SVG picture. Bytes out, nothing written.

The type is the project's own Inter in two weights; the PDF carries the letters it uses. An SVG names the font and falls
back to the reader's own, so its words are measured with room to spare.
"""

from __future__ import annotations

import html
import io
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from sync_server.services.code_drawing import path_of
from sync_server.services.sheet_layout import PAGE_MM, Bar, Code, Mark, Page, Stroke, Weight, Words

if TYPE_CHECKING:
    from fpdf import FPDF

_POINTS_PER_MM: Final = 72 / 25.4
_FAMILY: Final = "Inter"
_AXIS: Final[dict[Weight, int]] = {"regular": 400, "bold": 600}
_STYLE: Final[dict[Weight, Any]] = {"regular": "", "bold": "B"}
_MEASURED_AT: Final = 200


# measuring ------------------------------------------------------------------------------------------------------------


@cache
def _measured(weight: Weight) -> Any:
    from PIL import ImageFont

    written = (files("assets") / "fonts" / "Inter.ttf").read_bytes()
    font = ImageFont.truetype(io.BytesIO(written), _MEASURED_AT)
    font.set_variation_by_axes([_AXIS[weight]])
    return font


def width_of(text: str, size: float, weight: Weight) -> float:
    """How wide a text is, in the unit of its size."""
    return float(_measured(weight).getlength(text)) * size / _MEASURED_AT


# PDF ------------------------------------------------------------------------------------------------------------------


def draw_pdf(pages: Iterable[Page], title: str) -> bytes:
    """One document of all pages."""
    from fpdf import FPDF

    shown = list(pages)
    pdf = FPDF(unit="mm", format=PAGE_MM)
    pdf.set_title(title)
    pdf.set_creator("Floorside")
    pdf.set_auto_page_break(auto=False)
    pdf.set_margin(0)
    with TemporaryDirectory(prefix="floorside-sheet-") as folder:
        for weight in _AXIS:
            path = Path(folder) / f"{weight}.ttf"
            path.write_bytes(_font_of(weight, _letters(shown, weight)))
            pdf.add_font(_FAMILY, _STYLE[weight], path)
        for page in shown:
            pdf.add_page()
            for mark in page.marks:
                _draw(pdf, mark)
        return bytes(pdf.output())


def _letters(pages: Iterable[Page], weight: Weight) -> str:
    said = (mark.text for page in pages for mark in page.marks if isinstance(mark, Words) and mark.weight == weight)
    return "".join(sorted(set("".join(said))))


def _font_of(weight: Weight, letters: str) -> bytes:
    """Inter in one weight with these letters alone: a whole font takes seconds to fix at a weight, this a blink."""
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    font = TTFont(io.BytesIO((files("assets") / "fonts" / "Inter.ttf").read_bytes()))
    subsetter = Subsetter(Options(layout_features=[], notdef_outline=True))
    subsetter.populate(text=letters or " ")
    subsetter.subset(font)
    instantiateVariableFont(font, {"wght": _AXIS[weight]}, inplace=True)
    written = io.BytesIO()
    font.save(written)
    return written.getvalue()


def _draw(pdf: FPDF, mark: Mark) -> None:
    match mark:
        case Bar():
            pdf.set_fill_color(mark.colour)
            pdf.rect(mark.x, mark.y, mark.width, mark.height, "F")
        case Stroke():
            pdf.set_line_width(mark.width)
            pdf.line(mark.x1, mark.y1, mark.x2, mark.y2)
        case Words():
            pdf.set_font(_FAMILY, _STYLE[mark.weight], mark.size * _POINTS_PER_MM)
            pdf.set_text_color(mark.colour)
            pdf.text(mark.x, mark.y, mark.text)
        case Code():
            _draw_code(pdf, mark)


def _draw_code(pdf: FPDF, code: Code) -> None:
    """All loops in one path: the holes wind the other way, so the nonzero rule leaves them white."""
    from fpdf.enums import PathPaintRule

    scale = code.side / code.modules
    with pdf.new_path() as path:
        path.style.fill_color = "#000000"
        path.style.stroke_color = None
        path.style.paint_rule = PathPaintRule.FILL_NONZERO
        for loop in code.loops:
            points = [(code.x + x * scale, code.y + y * scale) for x, y in loop]
            path.move_to(*points[0])
            for point in points[1:]:
                path.line_to(*point)
            path.close()


# SVG ------------------------------------------------------------------------------------------------------------------


def draw_svg(page: Page) -> str:
    """One page as a picture of its own, sized in millimetres."""
    width, height = PAGE_MM
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}mm" height="{height:g}mm" '
        f'viewBox="0 0 {width:g} {height:g}" font-family="Inter, Helvetica, Arial, sans-serif">'
        f'<path fill="#fff" d="M0 0h{width:g}v{height:g}h-{width:g}z"/>{"".join(map(_svg_of, page.marks))}</svg>\n'
    )


def _svg_of(mark: Mark) -> str:
    match mark:
        case Bar():
            place = f'x="{mark.x:.3f}" y="{mark.y:.3f}" width="{mark.width:g}" height="{mark.height:g}"'
            return f'<rect {place} fill="{mark.colour}"/>'
        case Stroke():
            ends = f'x1="{mark.x1:.3f}" y1="{mark.y1:.3f}" x2="{mark.x2:.3f}" y2="{mark.y2:.3f}"'
            return f'<line {ends} stroke="#000" stroke-width="{mark.width:g}"/>'
        case Words():
            place = f'x="{mark.x:.3f}" y="{mark.y:.3f}" font-size="{mark.size:g}" fill="{mark.colour}"'
            return f'<text {place} font-weight="{_AXIS[mark.weight]}">{html.escape(mark.text)}</text>'
        case Code():
            moved = f"translate({mark.x:.3f} {mark.y:.3f}) scale({mark.side / mark.modules:.6f})"
            return f'<path transform="{moved}" d="{path_of(mark.loops)}"/>'

"""Sheets of cards: ten a page, every code readable as printed, nothing near a cut, all words in their place."""

from __future__ import annotations

import io
import itertools
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
import resvg_py
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from shared.cards import in_groups
from shared.errors import Refused
from sync_server.command_line.card_files import check_sheet, write_picture, write_sheet
from sync_server.services.cards import IssuedCard, issue_cards, issue_stock
from sync_server.services.code_drawing import (
    QUIET_MODULES,
    code_modules,
    code_outline,
    code_png,
    code_svg,
    outline_of,
)
from sync_server.services.headquarters import Headquarters
from sync_server.services.sheet_drawing import draw_pdf, draw_svg, width_of
from sync_server.services.sheet_layout import (
    CARD_MM,
    COLUMNS,
    EDGE_MM,
    LEFT_MM,
    PAGE_MM,
    ROWS,
    TOP_MM,
    Bar,
    Code,
    Page,
    Stroke,
    Words,
    lay_out,
)

DOTS_A_MM = 12
FONT = str(files("assets") / "fonts" / "Inter.ttf")
LONG = "Gesellschaft für außerordentlich wetterfeste Bekleidung und Zubehör, gegründet in Kungälv"


@pytest.fixture
def cards(hq: Headquarters) -> list[IssuedCard]:
    """Thirteen cards: a full page and three more."""
    return issue_stock(hq, 13)


def pages_of(cards: Sequence[IssuedCard], chain_name: str = "Nordhang", line: str = "") -> list[Page]:
    """The pages as they are printed."""
    return list(lay_out(cards, chain_name, line, width_of))


def rendered(page: Page) -> Image.Image:
    """An SVG page as a printer of some 300 dpi puts it on paper."""
    return opened(bytes(resvg_py.svg_to_bytes(svg_string=draw_svg(page), dpi=DOTS_A_MM * 25.4, font_files=[FONT])))


def opened(picture: bytes) -> Image.Image:
    """A picture's bytes in grey."""
    return Image.open(io.BytesIO(picture)).convert("L")


def codes_in(picture: Image.Image) -> list[str]:
    """Everything that can be read, in order."""
    return sorted(found.text for found in zxingcpp.read_barcodes(picture))


def card_boxes(picture: Image.Image) -> list[Image.Image]:
    """The ten cards as they are cut out."""
    boxes = []
    for place in range(COLUMNS * ROWS):
        left, top = LEFT_MM + place % COLUMNS * CARD_MM[0], TOP_MM + place // COLUMNS * CARD_MM[1]
        first_x, first_y = round(left * DOTS_A_MM), round(top * DOTS_A_MM)
        last_x, last_y = round((left + CARD_MM[0]) * DOTS_A_MM), round((top + CARD_MM[1]) * DOTS_A_MM)
        boxes.append(picture.crop((first_x, first_y, last_x, last_y)))
    return boxes


# what can be read -----------------------------------------------------------------------------------------------------


def test_every_code_of_a_printed_page_reads_as_its_card(cards: list[IssuedCard]) -> None:
    """Ten on the first page, three on the second, each within its own card after cutting."""
    first, second = pages_of(cards)
    assert codes_in(rendered(second)) == sorted(card.text for card in cards[10:])
    cut_out = [codes_in(card) for card in card_boxes(rendered(first))]
    assert cut_out == [[card.text] for card in cards[:10]]


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="NO PDF RENDERER: Debian's package `poppler-utils` has it")
def test_every_code_of_the_pdf_reads_as_its_card(cards: list[IssuedCard], tmp_path: Path) -> None:
    """The PDF is rendered by a reader that is not ours."""
    path = tmp_path / "sheet.pdf"
    assert write_sheet(path, cards, "Nordhang", "Welcome", lambda _: None) == 2
    subprocess.run(["pdftoppm", "-r", "200", "-gray", "-png", path, tmp_path / "page"], check=True, timeout=50)
    found = [text for page in sorted(tmp_path.glob("page-*.png")) for text in codes_in(opened(page.read_bytes()))]
    assert sorted(found) == sorted(card.text for card in cards)


def test_the_pdf_holds_a4_pages_with_our_own_letters(cards: list[IssuedCard]) -> None:
    """Two pages of 210 x 297 mm; no font is left to the printer."""
    written = draw_pdf(pages_of(cards), "Nordhang")
    assert written.startswith(b"%PDF-")
    boxes = {tuple(map(float, box)) for box in re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", written)}
    assert [(round(width / 72 * 25.4), round(height / 72 * 25.4)) for width, height in boxes] == [(210, 297)]
    assert written.count(b"/FontFile2") == 2


def test_a_single_code_reads_as_png_and_as_svg(hq: Headquarters, tmp_path: Path) -> None:
    """With its quiet zone: on black, as an e-mail in the dark shows it."""
    [card] = issue_cards(hq, ["2900000000018"])
    write_picture(tmp_path / "a.png", card.text)
    drawn = opened(bytes(resvg_py.svg_to_bytes(svg_string=code_svg(card.text), width=600)))
    for picture in (opened((tmp_path / "a.png").read_bytes()), opened(code_png(card.text)), drawn):
        dark = Image.new("L", (picture.width + 200, picture.height + 200), 0)
        dark.paste(picture, (100, 100))
        assert codes_in(dark) == [card.text]


# where it stands ------------------------------------------------------------------------------------------------------


def extent(mark: Bar | Code | Words) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a mark, letters with their ascent and descent."""
    match mark:
        case Bar():
            return mark.x, mark.y, mark.x + mark.width, mark.y + mark.height
        case Code():
            return mark.x, mark.y, mark.x + mark.side, mark.y + mark.side
        case Words():
            width = width_of(mark.text, mark.size, mark.weight)
            return mark.x, mark.y - mark.size * 0.76, mark.x + width, mark.y + mark.size * 0.24


def marks_by_card(page: Page) -> list[list[Bar | Code | Words]]:
    """The marks of each card, by the card in which they begin."""
    found: list[list[Bar | Code | Words]] = [[] for _ in range(COLUMNS * ROWS)]
    for mark in page.marks:
        if isinstance(mark, Stroke) or extent(mark)[1] > TOP_MM + ROWS * CARD_MM[1]:
            continue
        column, row = int((mark.x - LEFT_MM) // CARD_MM[0]), int((extent(mark)[1] - TOP_MM) // CARD_MM[1])
        found[row * COLUMNS + column].append(mark)
    return found


WORDS = st.text(st.characters(categories=("L", "N", "Zs", "P"), max_codepoint=0x17F), max_size=90)
NUMBERS = st.text("0123456789ABCW", min_size=1, max_size=17)


@settings(max_examples=40, deadline=None)
@given(name=WORDS.filter(str.strip), line=WORDS, number=NUMBERS)
def test_whatever_the_words_they_stay_on_their_card_and_off_the_code(name: str, line: str, number: str) -> None:
    """Law: within the safe edge of the card, and the code with its quiet zone is touched by nothing."""
    card = IssuedCard(number, "0" * 16, "FS1." + "A" * 150, "2026-11-22T10:00:00.000Z", None)
    [page] = pages_of([card], name, line)
    marks = marks_by_card(page)[0]
    [code] = [mark for mark in marks if isinstance(mark, Code)]
    quiet = code.side / code.modules * QUIET_MODULES
    for mark in marks:
        left, top, right, bottom = extent(mark)
        assert left >= LEFT_MM + EDGE_MM - 0.01
        assert top >= TOP_MM + EDGE_MM
        assert bottom <= TOP_MM + CARD_MM[1] - EDGE_MM
        if mark is not code:
            assert right <= code.x - quiet
    assert min(code.y - TOP_MM, TOP_MM + CARD_MM[1] - code.y - code.side) >= quiet
    assert LEFT_MM + CARD_MM[0] - code.x - code.side >= quiet
    words = [extent(mark) for mark in marks if isinstance(mark, Words)]
    for upper, lower in itertools.pairwise(words):
        assert upper[3] <= lower[1] + 0.05, "lines do not overlap"


def test_a_code_is_at_least_25_mm_and_a_card_is_a_credit_card(cards: list[IssuedCard]) -> None:
    """On paper, measured: 85.6 x 54 mm, ten a page, the marks exactly at the edges."""
    page = pages_of(cards)[0]
    assert {mark.side for mark in page.marks if isinstance(mark, Code)} == {34.0}
    strokes = [mark for mark in page.marks if isinstance(mark, Stroke)]
    upright = sorted({round(mark.x1, 2) for mark in strokes if mark.x1 == mark.x2})
    level = sorted({round(mark.y1, 2) for mark in strokes if mark.y1 == mark.y2})
    assert [round(right - left, 2) for left, right in itertools.pairwise(upright)] == [85.6, 85.6]
    assert [round(low - high, 2) for high, low in itertools.pairwise(level)] == [54.0] * 5
    for mark in strokes:
        is_in_margin_x = max(mark.x1, mark.x2) < LEFT_MM or min(mark.x1, mark.x2) > PAGE_MM[0] - LEFT_MM
        is_in_margin_y = max(mark.y1, mark.y2) < TOP_MM or min(mark.y1, mark.y2) > PAGE_MM[1] - TOP_MM
        assert is_in_margin_x or is_in_margin_y, "no mark is left on a card"


def test_cards_of_a_page_look_alike(cards: list[IssuedCard]) -> None:
    """Each mark at the same place of every card, and one is drawn like the other to a dot."""
    same = [replace(cards[0], card_id=f"{place:016x}") for place in range(10)]
    first, *others = card_boxes(rendered(pages_of(same)[0]))
    for other in others:
        assert abs(other.width - first.width) <= 1
        [mean] = ImageStat.Stat(ImageChops.difference(first, other.resize(first.size))).mean
        assert mean < 12, "no more than what a shift of less than a dot makes"


def test_a_long_name_is_cut_off_and_a_long_line_wrapped(cards: list[IssuedCard]) -> None:
    """Never over the code, never off the card, and said to be cut off."""
    said = [mark.text for mark in pages_of(cards[:1], LONG, LONG)[0].marks if isinstance(mark, Words)]
    assert said[1].endswith("…")
    assert len(said) == 6
    assert said[-2].endswith("…")
    assert said[-1] == in_groups(cards[0].loyalty_id)


# the outline ----------------------------------------------------------------------------------------------------------


@given(
    st.integers(1, 9).flatmap(
        lambda side: st.lists(st.lists(st.booleans(), min_size=side, max_size=side), min_size=side, max_size=side)
    )
)
def test_an_outline_encloses_the_dark_modules_and_no_others(modules: list[list[bool]]) -> None:
    """Law: a module is dark exactly where the loops wind around it once."""
    loops = outline_of(modules)
    for y, row in enumerate(modules):
        for x, is_dark in enumerate(row):
            assert winding(loops, x + 0.5, y + 0.5) == int(is_dark)


def winding(loops: Sequence[Sequence[tuple[int, int]]], x: float, y: float) -> int:
    """How often the loops wind around a point: upright edges to its right, counted by direction."""
    count = 0
    for loop in loops:
        for (x1, y1), (x2, y2) in zip(loop, [*loop[1:], loop[0]], strict=True):
            assert (x1 == x2) != (y1 == y2), "corners only, and each a corner"
            if x1 == x2 > x and min(y1, y2) < y < max(y1, y2):
                count += 1 if y2 > y1 else -1
    return count


def test_the_outline_of_a_card_is_that_of_its_modules(hq: Headquarters) -> None:
    """A number of the usual length makes a code of 41 modules, as the protocol promises."""
    [card] = issue_cards(hq, ["2900000000018"])
    side, loops = code_outline(card.text)
    assert (side, loops) == (41, outline_of(code_modules(card.text)))


# places ---------------------------------------------------------------------------------------------------------------


def test_svg_pages_go_into_a_folder_and_one_page_into_a_file(cards: list[IssuedCard], tmp_path: Path) -> None:
    """Numbered, so that they sort; a single SVG holds a single page."""
    told: list[int] = []
    assert write_sheet(tmp_path / "sheets", cards, "Nordhang", "", told.append) == 2
    assert sorted(path.name for path in (tmp_path / "sheets").iterdir()) == ["page-001.svg", "page-002.svg"]
    assert told == [1, 2]
    assert write_sheet(tmp_path / "one.svg", cards[:10], "Nordhang", "", told.append) == 1
    assert "page 1 of 1" in (tmp_path / "one.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "count", "sentence"),
    [("x.png", 1, "A sheet is a FILE.pdf"), ("x.svg", 11, "fill 2 pages"), ("taken/x.pdf", 1, "cannot be written")],
)
def test_a_place_that_cannot_take_the_sheet_is_refused_before_anything_is_issued(
    tmp_path: Path, name: str, count: int, sentence: str
) -> None:
    """One sentence, with what to give instead."""
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(Refused, match=sentence):
        check_sheet(tmp_path / name, count)

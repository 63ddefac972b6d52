"""Sheets of loyalty cards as marks on A4 pages, in millimetres from the top left corner; nothing is drawn here.

Ten cards of credit-card size a page, edge to edge, so that ten cuts along the marks in the margin part them. Nothing of
a card comes within its safe edge: a cut that is a millimetre off spoils none. `sheet_drawing.py` draws the marks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.cards import in_groups
from sync_server.services.cards import IssuedCard
from sync_server.services.code_drawing import Loop, code_outline

PAGE_MM: Final = (210.0, 297.0)
CARD_MM: Final = (85.6, 54.0)
COLUMNS: Final = 2
ROWS: Final = 5
CODE_MM: Final = 34.0
"""Side of the code without its quiet zone: 0.8 mm a module, read at arm's length by a tablet's camera."""
EDGE_MM: Final = 6.0
LEFT_MM: Final = (PAGE_MM[0] - COLUMNS * CARD_MM[0]) / 2
TOP_MM: Final = (PAGE_MM[1] - ROWS * CARD_MM[1]) / 2

BRAND: Final = "#1F6F5C"
INK: Final = "#17211D"
QUIET: Final = "#5B6661"
BLACK: Final = "#000000"

_MARK_GAP_MM: Final = 2.0
_MARK_MM: Final = 5.0
_MARK_WIDTH_MM: Final = 0.15
_CODE_LEFT_MM: Final = CARD_MM[0] - EDGE_MM - CODE_MM
_WORDS_MM: Final = _CODE_LEFT_MM - EDGE_MM - 4.2
_BAR_MM: Final = (10.0, 1.4)
_NAME_SIZES_MM: Final = (5.2, 4.6, 4.0, 3.4)
_LINE_MM: Final = 2.75
_LINE_STEP_MM: Final = 3.9
_NUMBER_SIZES_MM: Final = (4.1, 3.7, 3.3, 2.9, 2.5)
_FOOT_MM: Final = 2.2
_FOOT_UP_MM: Final = 8.2
_LINES_MAX: Final = 3

Weight = Literal["regular", "bold"]
Measure = Callable[[str, float, Weight], float]
"""(text, size, weight) -> its width; all in millimetres."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A filled bar."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Stroke:
    """A thin straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: float = _MARK_WIDTH_MM


@dataclass(frozen=True, slots=True)
class Words:
    """A line of text; `y` is its baseline, `size` the height of its em."""

    x: float
    y: float
    text: str
    size: float
    weight: Weight
    colour: str


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code of one side's length, its modules' outline given; the paper around it stays white."""

    x: float
    y: float
    side: float
    modules: int
    loops: tuple[Loop, ...]


Mark = Bar | Stroke | Words | Code


@dataclass(frozen=True, slots=True)
class Page:
    """What stands on one page."""

    number: int
    marks: tuple[Mark, ...]


def lay_out(cards: Sequence[IssuedCard], chain_name: str, line: str, measure: Measure) -> Iterator[Page]:
    """The pages of these cards, in their order. `line` is the text under the chain's name, or empty."""
    a_page = COLUMNS * ROWS
    count = -(-len(cards) // a_page)
    for number in range(count):
        shown = cards[number * a_page : (number + 1) * a_page]
        marks: list[Mark] = [*_cut_marks(), _foot(chain_name, number + 1, count)]
        for place, card in enumerate(shown):
            x, y = LEFT_MM + place % COLUMNS * CARD_MM[0], TOP_MM + place // COLUMNS * CARD_MM[1]
            marks += _card(card, x, y, chain_name, line, measure)
        yield Page(number + 1, tuple(marks))


def count_pages(cards: int) -> int:
    """How many pages so many cards fill."""
    return -(-cards // (COLUMNS * ROWS))


def _card(card: IssuedCard, x: float, y: float, chain_name: str, line: str, measure: Measure) -> Iterator[Mark]:
    left, foot = x + EDGE_MM, y + (CARD_MM[1] + CODE_MM) / 2
    top = y + (CARD_MM[1] - CODE_MM) / 2
    modules, loops = code_outline(card.text)
    yield Code(x + _CODE_LEFT_MM, top, CODE_MM, modules, loops)
    yield Bar(left, top, *_BAR_MM, BRAND)
    name, size = _fitted(chain_name, _NAME_SIZES_MM, measure)
    baseline = top + _BAR_MM[1] + 2.6 + size * 0.73
    yield Words(left, baseline, name, size, "bold", INK)
    for place, words in enumerate(_wrapped(line, measure)):
        yield Words(left, baseline + 5.0 + place * _LINE_STEP_MM, words, _LINE_MM, "regular", QUIET)
    number, size = _fitted(in_groups(card.loyalty_id), _NUMBER_SIZES_MM, measure)
    yield Words(left, foot, number, size, "bold", INK)


def _fitted(text: str, sizes: Sequence[float], measure: Measure) -> tuple[str, float]:
    """The text at the largest size it fits in, cut off with an ellipsis where even the smallest is too large."""
    fitting = next((size for size in sizes if measure(text, size, "bold") <= _WORDS_MM), None)
    return (text, fitting) if fitting else (_cut(text, sizes[-1], "bold", measure), sizes[-1])


def _cut(text: str, size: float, weight: Weight, measure: Measure) -> str:
    if measure(text, size, weight) <= _WORDS_MM:
        return text
    kept = text
    while kept and measure(kept.rstrip() + "…", size, weight) > _WORDS_MM:
        kept = kept[:-1]
    return kept.rstrip() + "…"


def _wrapped(text: str, measure: Measure) -> list[str]:
    """The text in at most three lines, broken between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and (len(lines) == _LINES_MAX or measure(longer, _LINE_MM, "regular") <= _WORDS_MM):
            lines[-1] = longer
        else:
            lines.append(word)
    return [_cut(words, _LINE_MM, "regular", measure) for words in lines]


def _cut_marks() -> Iterator[Stroke]:
    """In the margins only, so that nothing is left on a card that was cut a hair off."""
    right, bottom = PAGE_MM[0] - LEFT_MM, PAGE_MM[1] - TOP_MM
    for column in range(COLUMNS + 1):
        x = LEFT_MM + column * CARD_MM[0]
        yield Stroke(x, TOP_MM - _MARK_GAP_MM - _MARK_MM, x, TOP_MM - _MARK_GAP_MM)
        yield Stroke(x, bottom + _MARK_GAP_MM, x, bottom + _MARK_GAP_MM + _MARK_MM)
    for row in range(ROWS + 1):
        y = TOP_MM + row * CARD_MM[1]
        yield Stroke(LEFT_MM - _MARK_GAP_MM - _MARK_MM, y, LEFT_MM - _MARK_GAP_MM, y)
        yield Stroke(right + _MARK_GAP_MM, y, right + _MARK_GAP_MM + _MARK_MM, y)


def _foot(chain_name: str, number: int, count: int) -> Words:
    said = f"{chain_name}  ·  page {number} of {count}  ·  print at 100 % on A4, cut along the marks"
    return Words(LEFT_MM + EDGE_MM, PAGE_MM[1] - _FOOT_UP_MM, said, _FOOT_MM, "regular", QUIET)

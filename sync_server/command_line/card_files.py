"""Where cards go as files: a table, a folder of pictures, one picture, a sheet. Says early where a place cannot be
written, so that no card is issued that nobody gets; a half-written table never stands under its name."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from shared.errors import Refused
from sync_server.services.cards import IssuedCard
from sync_server.services.code_drawing import code_png, code_svg
from sync_server.services.sheet_drawing import draw_pdf, draw_svg, width_of
from sync_server.services.sheet_layout import Page, count_pages, lay_out

COLUMNS: Final = ("loyalty_id", "card_id", "card", "issued_at", "expires_on")
TABLE: Final = "cards.csv"
Keep = Callable[[Sequence[IssuedCard]], None]


def picture_kind(path: Path) -> str:
    """`.png` or `.svg`, in small letters. Raises Refused for any other end, or a place that cannot be written."""
    kind = path.suffix.lower()
    if kind not in (".png", ".svg"):
        raise Refused(f"A card's picture is a file.png or a file.svg, not {path.name!r:.60}.")
    _make_folder(path.parent)
    return kind


def write_picture(path: Path, text: str) -> None:
    """The code of a card as the picture its name's end asks for."""
    is_png = path.suffix.lower() == ".png"
    write(path, code_png(text) if is_png else code_svg(text).encode())


def bad_numbers_beside(out: Path) -> Path:
    """Where the numbers go that can have no card: beside what is written for the others."""
    return out.with_name(f"{out.stem}.bad.csv") if out.suffix else out / "bad.csv"


@contextmanager
def open_table(out: Path) -> Iterator[Keep]:
    """Takes cards into a table, a `FILE.csv`; or into a folder, with the code of each as a PNG picture beside it."""
    if out.suffix and out.suffix.lower() != ".csv" and not out.is_dir():
        raise Refused(f"Cards for a file of numbers go into a folder or a FILE.csv, not {out.name!r:.60}.")
    is_table = out.suffix.lower() == ".csv" and not out.is_dir()
    path = out if is_table else out / TABLE
    _make_folder(path.parent)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(COLUMNS)

            def keep(cards: Sequence[IssuedCard]) -> None:
                for card in cards:
                    table.writerow(getattr(card, "text" if name == "card" else name) for name in COLUMNS)
                    if not is_table:
                        write_picture(out / f"{quote(card.loyalty_id, safe='')}.png", card.text)

            yield keep
        part.replace(path)
    except OSError as problem:
        raise _unwritable(path, problem) from None
    finally:
        part.unlink(missing_ok=True)


def check_sheet(out: Path, cards: int) -> None:
    """See that a sheet of so many cards can go there. Raises Refused."""
    kind, pages = out.suffix.lower(), count_pages(cards)
    if kind not in ("", ".pdf", ".svg") and not out.is_dir():
        raise Refused(f"A sheet is a FILE.pdf, a FILE.svg or a folder of SVG pages, not {out.name!r:.60}.")
    if kind == ".svg" and pages > 1:
        raise Refused(f"These cards fill {pages} pages, and an SVG holds one: give a FILE.pdf or a folder.")
    _make_folder(out.parent if kind else out)


def write_sheet(
    out: Path, cards: Sequence[IssuedCard], chain_name: str, line: str, drawn: Callable[[int], object]
) -> int:
    """Draw the sheets; `drawn` is told the pages done. Returns how many. Raises Refused where they cannot go."""
    check_sheet(out, len(cards))
    count, kind = count_pages(len(cards)), out.suffix.lower()
    pages = _told(lay_out(cards, chain_name, line, width_of), drawn)
    if kind == ".pdf":
        write(out, draw_pdf(pages, chain_name))
        return count
    for page in pages:
        write(out if kind else out / f"page-{page.number:03d}.svg", draw_svg(page).encode())
    return count


def write(path: Path, content: bytes) -> None:
    """Write a file. Raises Refused where it cannot be."""
    try:
        path.write_bytes(content)
    except OSError as problem:
        raise _unwritable(path, problem) from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise _unwritable(folder, problem) from None


def _unwritable(path: Path, problem: OSError) -> Refused:
    return Refused(f"{path} cannot be written ({problem.strerror}). Give another --out.")


def _told(pages: Iterator[Page], drawn: Callable[[int], object]) -> Iterator[Page]:
    for count, page in enumerate(pages, start=1):
        yield page
        drawn(count)

"""Commands for loyalty cards: issue, replace, cancel, sheets to print, and the page for a shopper's phone."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import qrcode
from cyclopts import CycloptsError, Parameter
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shared.errors import Refused
from sync_server.command_line.card_files import (
    bad_numbers_beside,
    check_sheet,
    open_table,
    picture_kind,
    write_picture,
    write_sheet,
)
from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say, say_json
from sync_server.services.card_batch import BatchReport, issue_for_file
from sync_server.services.card_pages import make_page, withdraw_pages
from sync_server.services.cards import IssuedCard, cancel_card, issue_cards, issue_stock, replace_card
from sync_server.services.chain import read_chain
from sync_server.services.headquarters import Headquarters
from sync_server.services.sheet_layout import count_pages

New = Annotated[bool, Parameter(help="Issue new cards, also for numbers that have one.", negative="")]
_STOCK_PAGE: Final = 10


def card_issue(
    loyalty_id: str | None = None,
    *,
    file: Path | None = None,
    out: Path | None = None,
    expires_on: str | None = None,
    new: New = False,
    common: Common = DEFAULT,
) -> None:
    """Issue signed cards: for one loyalty number, or for a file of them. A number that has one gets the same again.

    Parameters
    ----------
    loyalty_id
        The shopper's loyalty number, which need not be known yet.
    file
        CSV with a column loyalty_id; numbers that cannot have a card are kept beside the others, with the reason.
    out
        One card: a file.png or file.svg. A file of numbers: a FILE.csv, or a folder for the table and PNG pictures.
    expires_on
        Last day it counts, such as 2028-12-31; default is never.
    """
    if (loyalty_id is None) == (file is None) or (file is not None and out is None):
        raise CycloptsError(msg="Give one LOYALTY_ID, or --file NUMBERS.csv with --out FOLDER or --out FILE.csv.")
    if loyalty_id is not None:
        _issue_one(common, loyalty_id, out, _day(expires_on), is_new=new)
    elif file is not None and out is not None:
        _issue_file(common, file, out, _day(expires_on), is_new=new)


def _issue_one(common: Common, loyalty_id: str, out: Path | None, expires_on: date | None, *, is_new: bool) -> None:
    if out is not None:
        picture_kind(out)
    with headquarters(common) as hq:
        [card] = issue_cards(hq, [loyalty_id], expires_on=expires_on, is_new=is_new)
    if out is not None:
        write_picture(out, card.text)
    _show(common, card, {} if out is None else {"out": str(out)})


def _show(common: Common, card: IssuedCard, more: dict[str, Any]) -> None:
    """A card as JSON, or as a code in the terminal with its text below."""
    if common.json:
        say_json({**_told(card), **more})
        return
    code = qrcode.QRCode(border=2)
    code.add_data(card.text)
    code.print_ascii(out=sys.stdout, invert=sys.stdout.isatty())
    people().print(card.text, soft_wrap=True)


def _told(card: IssuedCard) -> dict[str, Any]:
    told = asdict(card)
    return {"card": told.pop("text"), **told}


def _issue_file(common: Common, file: Path, out: Path, expires_on: date | None, *, is_new: bool) -> None:
    with headquarters(common) as hq, _reading() as bar, open_table(out) as keep:
        task = bar.add_task(file.name, total=_size(file))
        report = issue_for_file(
            hq,
            file,
            keep,
            bad_numbers=bad_numbers_beside(out),
            expires_on=expires_on,
            is_new=is_new,
            heard=lambda read: bar.update(task, completed=read),
        )
    say(common, {**report.as_json(), "out": str(out)}, _report(report, out))


def _report(report: BatchReport, out: Path) -> str:
    """What came of a file, for people."""
    lines = [f"{report.lines} lines read; {report.issued} cards issued, {report.known} numbers had theirs already."]
    if report.issued + report.known:
        lines.append(f"All {report.issued + report.known} cards are in {out}.")
    if report.repeated:
        lines.append(f"{report.repeated} numbers stood there again.")
    if report.left_out:
        lines.append(f"{sum(report.left_out.values())} numbers have no card; each is in {report.bad_numbers}:")
        lines += [f"  {count} x {why}" for why, count in report.left_out.most_common()]
    return "\n".join(lines)


def _reasons(report: BatchReport) -> str:
    return ", ".join(f"{count} x {why}" for why, count in report.left_out.most_common()) or "it holds none"


def card_replace(card: str, *, expires_on: str | None = None, common: Common = DEFAULT) -> None:
    """Cancel every card of a loyalty number and issue a new one; the number stays.

    Parameters
    ----------
    card
        A loyalty number, or the text or id of one of its cards.
    expires_on
        Last day the new card counts, such as 2028-12-31; default is never.
    """
    with headquarters(common) as hq:
        done = replace_card(hq, card, expires_on=_day(expires_on))
    _show(common, done.card, {"cancelled": list(done.cancelled)})
    if not common.json:
        was = f"Cancelled: {', '.join(done.cancelled)}." if done.cancelled else "There was no other card to cancel."
        words = f"The new card of {done.card.loyalty_id}. {was} Tablets know at their next contact."
        people().print(words, soft_wrap=True)


def card_cancel(card: str, *, common: Common = DEFAULT) -> None:
    """Cancel a card, by its text or its id."""
    with headquarters(common) as hq:
        shown = cancel_card(hq, card)
    say(common, shown, f"The card of {shown['loyalty_id']} counts no more, on each tablet from its next contact on.")


def card_sheet(
    *,
    out: Path,
    file: Path | None = None,
    stock: int | None = None,
    line: str = "",
    expires_on: str | None = None,
    common: Common = DEFAULT,
) -> None:
    """Draw sheets of cards, ready to print and cut: A4, ten cards of credit-card size a page, with cut marks.

    Parameters
    ----------
    out
        FILE.pdf, FILE.svg for a single page, or a folder for SVG pages.
    file
        CSV with a column loyalty_id: the cards of these numbers, issued where there are none.
    stock
        So many new cards with fresh numbers, to hand out in the shop; default is one page of ten.
    line
        A line of text under the chain's name.
    expires_on
        Last day the cards count, such as 2028-12-31; default is never.
    """
    if file is not None and stock is not None:
        raise CycloptsError(msg="Give --file NUMBERS.csv or --stock COUNT, not both.")
    count = _STOCK_PAGE if stock is None else stock
    more: dict[str, Any] = {}
    check_sheet(out, 0 if file else count)
    with headquarters(common) as hq:
        if file is None:
            cards = issue_stock(hq, count, expires_on=_day(expires_on))
        else:
            cards, more = _cards_of_file(hq, file, out, _day(expires_on))
        with hq.database.read() as reader:
            name = read_chain(reader).name
    with _drawing() as bar:
        task = bar.add_task("pages", total=count_pages(len(cards)))
        pages = write_sheet(out, cards, name, line, lambda drawn: bar.update(task, completed=drawn))
    _say_sheet(common, {"cards": len(cards), "pages": pages, "out": str(out), **more})


def _cards_of_file(
    hq: Headquarters, file: Path, out: Path, expires_on: date | None
) -> tuple[list[IssuedCard], dict[str, Any]]:
    cards: list[IssuedCard] = []

    def keep(batch: Sequence[IssuedCard]) -> None:
        cards.extend(batch)

    with _reading() as bar:
        task = bar.add_task(file.name, total=_size(file))
        report = issue_for_file(
            hq,
            file,
            keep,
            bad_numbers=bad_numbers_beside(out),
            expires_on=expires_on,
            heard=lambda read: bar.update(task, completed=read),
        )
    if not cards:
        raise Refused(f"No number of {file.name} can have a card: {_reasons(report)}.")
    return cards, report.as_json()


def _say_sheet(common: Common, told: dict[str, Any]) -> None:
    left_out = sum(told.get("left_out", {}).values())
    more = f" {left_out} numbers have no card; each is in {told['bad_numbers']} with the reason." if left_out else ""
    pages = "1 page" if told["pages"] == 1 else f"{told['pages']} pages"
    sentence = f"{told['cards']} cards on {pages} are in {told['out']}: print at 100 %, on A4.{more}"
    say(common, told, sentence)


def card_page(
    loyalty_id: str,
    *,
    withdraw: Annotated[bool, Parameter(help="Withdraw every page of this number.", negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Make the page that shows a shopper's card on her own phone; she must agree to e-mail. Its address is said once.

    Parameters
    ----------
    loyalty_id
        The shopper's loyalty number.
    """
    with headquarters(common) as hq:
        if withdraw:
            count = withdraw_pages(hq, loyalty_id)
            say(common, {"withdrawn": count}, f"Withdrawn; {count} addresses of {loyalty_id} show no card any more.")
            return
        made = make_page(hq, loyalty_id)
    say(common, made, made["url"])


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Refused(f"A day is written like 2028-12-31, not {text!r:.40}.") from None


def _size(file: Path) -> int:
    return file.stat().st_size if file.is_file() else 0


def _reading() -> Progress:
    """A bar over the bytes of a file, on standard error, shown only where a person looks."""
    return _bar(DownloadColumn(), TimeRemainingColumn())


def _drawing() -> Progress:
    return _bar(MofNCompleteColumn())


def _bar(*counts: Any) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), *counts)
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)

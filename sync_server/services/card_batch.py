"""Cards for a file of loyalty numbers: thousands at once, a batch a transaction, bad numbers kept with their reason.

Each batch is handed on (to a table, a folder, a sheet) once it is committed. The same file again gives the same cards.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

from shared.cards import LOYALTY_ID_LENGTH_MAX, check_loyalty_id
from shared.code_patterns import CodePattern, Fit, best_fit
from shared.errors import Refused
from sync_server.services.cards import IssuedCard, issue_cards
from sync_server.services.chain import read_chain
from sync_server.services.headquarters import Headquarters
from sync_server.services.imports.rows import Row, columns_of, read_rows

BATCH: Final = 500
_COLUMNS: Final = frozenset({"loyaltyid", "loyaltynumber", "cardnumber", "memberid", "membernumber", "number"})
_SHORTENED: Final = re.compile(r"\d+([.,]\d+)?E\+?\d+\Z", re.IGNORECASE)
_BAD_HEADER: Final = ("line", "loyalty_id", "why")

NO_NUMBER: Final = "there is no number in this line"
SHORTENED: Final = "a spreadsheet has shortened the number: save its column as text"
NOT_FOR_A_CARD: Final = f"a card takes 1 to {LOYALTY_ID_LENGTH_MAX} letters, digits and signs without spaces"
WRONG_CHECK_DIGIT: Final = "its check digit is wrong"


@dataclass(slots=True)
class BatchReport:
    """What came of a file: lines read, cards issued, numbers that had theirs already, numbers that stand there twice,
    and lines left out, with why."""

    lines: int = 0
    issued: int = 0
    known: int = 0
    repeated: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    bad_numbers: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        counts = {"lines": self.lines, "issued": self.issued, "known": self.known, "repeated": self.repeated}
        bad = None if self.bad_numbers is None else str(self.bad_numbers)
        return {**counts, "left_out": dict(sorted(self.left_out.items())), "bad_numbers": bad}


def issue_for_file(
    hq: Headquarters,
    path: Path,
    keep: Callable[[Sequence[IssuedCard]], object],
    *,
    bad_numbers: Path,
    expires_on: date | None = None,
    is_new: bool = False,
    heard: Callable[[int], object] = lambda _: None,
) -> BatchReport:
    """A card for each number of a CSV or JSON-lines file.

    `keep` is given each batch after its commit, `heard` the bytes read. Lines that cannot have a card are written to
    `bad_numbers` with the reason. Raises Refused for a file that is none or empty, or has no column of loyalty numbers.
    """
    if not path.is_file():
        raise Refused(f"There is no file {path}.")
    column = _number_column(path)
    with hq.database.read() as reader:
        patterns = read_chain(reader).loyalty_numbers
    report = BatchReport()
    bad_numbers.unlink(missing_ok=True)
    numbers = _sound(read_rows(path, heard), column, patterns, report, bad_numbers)
    for batch in _batches(numbers):
        cards = issue_cards(hq, batch, expires_on=expires_on, is_new=is_new)
        fresh = sum(card.is_new for card in cards)
        report.issued += fresh
        report.known += len(cards) - fresh
        keep(cards)
    if not report.lines:
        raise Refused(f"{path.name} holds no rows: below the line that names the columns there is no number.")
    return report


def fault_of(number: str, patterns: Sequence[CodePattern]) -> str | None:
    """Why a number cannot have a card; None for one that can. It need not be known, nor of the chain's shape."""
    if not number:
        return NO_NUMBER
    if _SHORTENED.match(number):
        return SHORTENED
    try:
        check_loyalty_id(number)
    except Refused:
        return NOT_FOR_A_CARD
    return WRONG_CHECK_DIGIT if best_fit(number, patterns) is Fit.WRONG_CHECK_DIGIT else None


def _number_column(path: Path) -> str:
    """The column that holds the numbers: by its name, or the only one there is."""
    columns = columns_of(path)
    named = [column for column in columns if re.sub(r"[^a-z]", "", column.lower()) in _COLUMNS]
    if named or (len(columns) == 1 and not any(sign.isdigit() for sign in columns[0])):
        return [*named, *columns][0]
    raise Refused(
        f"{path.name} has no column of loyalty numbers: its first line names the columns, one of them loyalty_id."
    )


def _sound(
    rows: Iterator[Row], column: str, patterns: Sequence[CodePattern], report: BatchReport, bad_numbers: Path
) -> Iterator[str]:
    """Each number that can have a card, once."""
    seen: set[str] = set()
    for row in rows:
        report.lines += 1
        number = str(row.values.get(column) or "").strip()
        fault = row.fault or fault_of(number, patterns)
        if fault is not None:
            report.left_out[fault] += 1
            report.bad_numbers = bad_numbers
            _keep_bad(bad_numbers, (str(row.number), number, fault))
        elif number in seen:
            report.repeated += 1
        else:
            seen.add(number)
            yield number


def _keep_bad(path: Path, row: tuple[str, str, str]) -> None:
    is_first = not path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerows([_BAD_HEADER, row] if is_first else [row])


def _batches(numbers: Iterator[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for number in numbers:
        batch.append(number)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch

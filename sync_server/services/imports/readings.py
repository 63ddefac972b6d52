"""A row's texts as values: times, days, amounts, whole numbers. Raises Malformed with a sentence for the bad rows.

A number that could mean two things is refused rather than guessed: `12,50` read as 1250 would be a till's hundredfold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.clock import format_at
from shared.errors import Malformed
from shared.money import whole_number
from shared.segment_parts import truth_of
from sync_server.services.imports.kinds import ImportMapping

_NUMBER: Final = {
    ".": re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)?(\.\d*)?", re.ASCII),
    ",": re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d*)?", re.ASCII),
}
_KEPT_AS_TEXT: Final = re.compile(r"'[+\d]")
"""How exports keep spreadsheets from reading a number or a phone: an apostrophe before it."""


class Reading:
    """One row by our names of fields. `shared` are texts of fields that the row leaves to its fellows."""

    def __init__(
        self, values: Mapping[str, Any], mapping: ImportMapping, timezone: str, shared: Mapping[str, str] | None = None
    ) -> None:
        self._values = values
        self._mapping = mapping
        self._timezone = ZoneInfo(mapping.timezone or timezone)
        self._shared = shared or {}

    def called(self, field: str) -> str:
        """What the file calls a field."""
        return self._mapping.columns.get(field, field)

    def text(self, field: str) -> str | None:
        """A text, None where the row has nothing there."""
        found = self._own(field)
        return self._shared.get(field, self._mapping.constant(field)) if found is None else found

    def _own(self, field: str) -> str | None:
        column = self._mapping.columns.get(field)
        value = self._values.get(column) if column is not None else None
        if isinstance(value, str):
            value = value.strip()
            value = value[1:] if _KEPT_AS_TEXT.match(value) else value
        return None if value is None or value in self._mapping.empty else str(value)

    def must(self, field: str) -> str:
        """A text that has to be there."""
        found = self.text(field)
        if found is None:
            raise Malformed(f"{self.called(field)} is empty")
        return found

    def number(self, field: str) -> str | None:
        """A decimal number as text with a point."""
        said = self.text(field)
        if said is None:
            return None
        plain, mark = re.sub(r"[ \u00a0\u202f]", "", said), self._mapping.decimal
        if not _NUMBER[mark].fullmatch(plain) or not any(letter.isdigit() for letter in plain):
            hint = "; a decimal comma is declared by decimal: ','" if mark == "." and "," in plain else ""
            raise Malformed(f"{self.called(field)} is no number: {said!r:.40}{hint}")
        return plain.replace("," if mark == "." else ".", "").replace(",", ".")

    def decimal(self, field: str) -> Decimal | None:
        """The same, exact."""
        said = self.number(field)
        return None if said is None else Decimal(said)

    def whole(self, field: str) -> int | None:
        """A whole number."""
        said = self.number(field)
        found = whole_number(said)
        if said is not None and found is None:
            raise Malformed(f"{self.called(field)} is no whole number: {said!r:.40}")
        return found

    def flag(self, field: str) -> bool | None:
        """Yes or no."""
        said = self.text(field)
        found = truth_of(said)
        if said is not None and found is None:
            raise Malformed(f"{self.called(field)} is neither yes nor no: {said!r:.40}")
        return found

    def time(self, field: str) -> datetime | None:
        """A time as the row says it: without a zone where the row names none."""
        said = self.text(field)
        if said is None:
            return None
        found = _iso(said) or next(filter(None, (_formed(said, form) for form in self._mapping.dates)), None)
        if found is None:
            forms = ", ".join(self._mapping.dates) or "none declared"
            raise Malformed(f"{self.called(field)} is no time: {said!r:.40} (ISO 8601, or dates: {forms})")
        return found

    def moment(self, field: str) -> str | None:
        """A time on the wire."""
        found = self.time(field)
        if found is None:
            return None
        try:
            return format_at(found if found.tzinfo else found.replace(tzinfo=self._timezone))
        except OverflowError:
            raise Malformed(f"{self.called(field)} is no time: the year is none of ours") from None

    def day(self, field: str) -> date:
        """A day that has to be there."""
        self.must(field)
        found = self.time(field)
        assert found is not None, "must has seen it"
        return found.date()

    def texts(self, fields: Iterable[str]) -> dict[str, str]:
        """Those of these fields that the row says."""
        return {field: said for field in fields if (said := self.text(field)) is not None}


def _iso(said: str) -> datetime | None:
    try:
        return datetime.fromisoformat(said)
    except ValueError:
        return None


def _formed(said: str, form: str) -> datetime | None:
    try:
        return datetime.strptime(said, form)  # noqa: DTZ007 - the mapping's time zone is put on it by the caller
    except ValueError:
        return None

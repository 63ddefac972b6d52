"""A row's texts as values: times, amounts, whole numbers. Raises Malformed with a sentence for the file of bad rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from shared.clock import format_at
from shared.errors import Malformed
from sync_server.services.imports.mapping import ImportMapping


class Reading:
    """One row by our names of fields."""

    def __init__(self, values: Mapping[str, Any], mapping: ImportMapping, timezone: str) -> None:
        self._values = values
        self._mapping = mapping
        self._timezone = ZoneInfo(mapping.timezone or timezone)

    def text(self, field: str) -> str | None:
        """A text, None where the row has nothing there."""
        column = self._mapping.columns.get(field)
        value = self._values.get(column) if column is not None else None
        if isinstance(value, str):
            value = value.strip()
        return None if value is None or value in self._mapping.empty else str(value)

    def must(self, field: str) -> str:
        """A text that has to be there."""
        found = self.text(field)
        if found is None:
            raise Malformed(f"{self._mapping.columns.get(field, field)} is empty")
        return found

    def number(self, field: str) -> str | None:
        """A decimal number as text with a point."""
        said = self.text(field)
        if said is None:
            return None
        plain = said.replace(" ", "").replace("\u00a0", "")
        plain = plain.replace(".", "").replace(",", ".") if self._mapping.decimal == "," else plain.replace(",", "")
        if not plain.lstrip("+-").replace(".", "", 1).isdigit():
            raise Malformed(f"{self._mapping.columns[field]} is no number: {said!r:.40}")
        return plain

    def whole(self, field: str) -> int | None:
        """A whole number."""
        said = self.number(field)
        if said is None:
            return None
        if float(said) != int(float(said)):
            raise Malformed(f"{self._mapping.columns[field]} is no whole number: {said!r:.40}")
        return int(float(said))

    def moment(self, field: str) -> str | None:
        """A time on the wire."""
        said = self.text(field)
        if said is None:
            return None
        found = _iso(said) or next(filter(None, (_formed(said, form) for form in self._mapping.dates)), None)
        if found is None:
            forms = ", ".join(self._mapping.dates) or "none declared"
            raise Malformed(f"{self._mapping.columns[field]} is no time: {said!r:.40} (ISO 8601, or dates: {forms})")
        return format_at(found if found.tzinfo else found.replace(tzinfo=self._timezone))


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

"""Rows to a file or a stream, one by one and never held: JSON lines, or CSV no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, TextIO

from shared.errors import Refused

Format = Literal["csv", "jsonl"]
_FORMULA: Final = ("=", "@", "\t", "\r")
_SIGNED: Final = ("+", "-")


def write_rows(stream: TextIO, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], form: Format) -> int:
    """Write rows as they come; how many. CSV has a header with these columns, absent values are empty there."""
    if form == "jsonl":
        return sum(bool(stream.write(json.dumps(dict(row), ensure_ascii=False) + "\n")) for row in rows)
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    count = 0
    for row in rows:
        writer.writerow([cell_of(row.get(name)) for name in columns])
        count += 1
    return count


def write_file(path: Path, rows: Iterable[Mapping[str, Any]], columns: Sequence[str], form: Format) -> int:
    """Write a file for this account alone; it gets its name when it is whole. Raises Refused where it cannot be."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        with part.open("w", encoding="utf-8", newline="") as stream:
            count = write_rows(stream, rows, columns, form)
        part.replace(path)
    except OSError as problem:
        raise Refused(f"The file {path} cannot be written ({problem.strerror}). Give another place.") from None
    finally:
        part.unlink(missing_ok=True)
    return count


def cell_of(value: Any) -> str:
    """A CSV cell: flags as yes and no, amounts as `EUR=1200;CHF=300`, text that cannot start a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ";".join(f"{name}={part}" for name, part in sorted(value.items()))
    if not isinstance(value, str):
        return str(value)
    is_formula = value.startswith(_FORMULA) or (value.startswith(_SIGNED) and not value[1:].isdigit())
    return f"'{value}" if is_formula else value

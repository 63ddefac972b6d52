"""Rows of a file, one after the other: CSV of whatever separator and encoding, or JSON lines. Memory stays flat.

A row that cannot be read is a row too: it comes with its reason, so that nothing of a file is dropped silently.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.errors import Refused

_LOOK_BYTES: Final = 65_536
_SEPARATORS: Final = ",;\t|"
_FIELD_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its line number for people (the header is line 1), its values by column, or why there are none."""

    number: int
    values: Mapping[str, Any]
    fault: str | None = None


def read_rows(path: Path, heard: Callable[[int], object] = lambda _: None) -> Iterator[Row]:
    """The rows of a file; `heard` is told the bytes read so far. Raises Refused for a file that is none."""
    try:
        with path.open("rb") as file:
            lines = _counted(file, heard)
            yield from _json_rows(lines) if _is_json_lines(path) else _csv_rows(path, lines)
    except OSError as problem:
        raise Refused(f"The file {path} cannot be read ({problem.strerror}).") from None


def columns_of(path: Path) -> tuple[str, ...]:
    """The columns of a file: its header, or the names of its first JSON object."""
    first = next(read_rows(path), None)
    if first is None or first.fault:
        raise Refused(f"{path.name} holds no rows. The first line names the columns; JSON lines hold an object each.")
    return tuple(first.values)


def _is_json_lines(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_LOOK_BYTES).lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")


def _counted(file: io.BufferedReader, heard: Callable[[int], object]) -> Iterator[str]:
    read = 0
    for raw in file:
        read += len(raw)
        heard(read)
        yield decoded(raw)


def decoded(raw: bytes) -> str:
    """A line as text: UTF-8, with or without its mark, or else as Windows writes Western languages."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def _json_rows(lines: Iterator[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        except ValueError as problem:
            yield Row(number, {"line": line.rstrip("\r\n")}, f"the line is no JSON ({problem})")
            continue
        is_object = isinstance(values, dict)
        yield Row(number, values) if is_object else Row(number, {"line": line}, "the line is no JSON object")


def _csv_rows(path: Path, lines: Iterator[str]) -> Iterator[Row]:
    csv.field_size_limit(_FIELD_MAX)
    reader = csv.reader(lines, delimiter=_separator(path))
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise Refused(f"{path.name} is empty. Its first line names the columns.")
    for values in _guarded(reader):
        if isinstance(values, str):
            yield Row(reader.line_num, {}, values)
        elif any(value.strip() for value in values):
            fault = None if len(values) == len(header) else f"{len(values)} values for {len(header)} columns"
            yield Row(reader.line_num, dict(zip(header, values, strict=False)), fault)


def _guarded(reader: Any) -> Iterator[list[str] | str]:
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield f"the line is no CSV ({problem})"


def _separator(path: Path) -> str:
    """The separator that its header has most of."""
    with path.open("rb") as file:
        header = decoded(file.readline(_LOOK_BYTES))
    return max(_SEPARATORS, key=header.count)

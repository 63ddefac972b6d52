"""Rows of a file, one after the other: CSV of whatever separator and encoding, or JSON lines, packed or not.

Memory stays flat: a line and a field have a longest length, and nothing is kept. A row that cannot be read is a row
too: it comes with its reason, so that nothing of a file is dropped silently.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from shared.errors import Refused

_LOOK_BYTES: Final = 65_536
_SEPARATORS: Final = ",;\t|"
_FIELD_MAX: Final = 1_000_000
_LINE_MAX: Final = 4_000_000
_OBJECTS_LOOKED_AT: Final = 100
_Lines = BinaryIO | gzip.GzipFile
_GZIP: Final = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its line number for people (the header is line 1), its values by column, or why there are none."""

    number: int
    values: Mapping[str, Any]
    fault: str | None = None


def read_rows(path: Path, heard: Callable[[int], object] = lambda _: None) -> Iterator[Row]:
    """The rows of a file; `heard` is told the bytes of it read so far. Raises Refused for a file that is none."""
    with _opened(path) as (file, read_so_far):
        lines = _lines(path, file, lambda: heard(read_so_far()))
        yield from _json_rows(lines) if _is_json_lines(path) else _csv_rows(path, lines)


def columns_of(path: Path) -> tuple[str, ...]:
    """The columns of a file: its header, or the names in its first JSON objects; none for JSON lines without a line.

    Raises Refused for a file that has neither.
    """
    if _is_json_lines(path):
        objects = [row.values for row in islice(read_rows(path), _OBJECTS_LOOKED_AT) if row.fault is None]
        if not objects and _head(path).strip():
            raise Refused(f"{path.name} holds no rows: JSON lines hold an object each.")
        return tuple(dict.fromkeys(name for one in objects for name in one))
    with _opened(path) as (file, _):
        return _header(path, csv.reader(_lines(path, file), delimiter=_separator(path)))


def check_whole(path: Path) -> None:
    """Unpack a packed file once to its end, so that a torn one is refused before any of it is taken. Raises Refused."""
    if _is_packed(path):
        with _opened(path) as (file, _):
            while file.read(_LINE_MAX):
                pass


@contextmanager
def _opened(path: Path) -> Iterator[tuple[_Lines, Callable[[], int]]]:
    """The file unpacked, and how far it has been read in its own bytes."""
    try:
        with path.open("rb") as raw:
            if _is_packed(path):
                with gzip.GzipFile(fileobj=raw) as file:
                    yield file, raw.tell
            else:
                yield raw, raw.tell
    except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
        raise Refused(f"{path.name} cannot be unpacked ({problem}): it is torn or damaged. Send it again.") from None
    except OSError as problem:
        raise Refused(f"The file {path} cannot be read ({problem.strerror}).") from None


def _is_packed(path: Path) -> bool:
    try:
        with path.open("rb") as raw:
            return raw.read(len(_GZIP)) == _GZIP
    except OSError as problem:
        raise Refused(f"The file {path} cannot be read ({problem.strerror}).") from None


def _head(path: Path) -> bytes:
    with _opened(path) as (file, _):
        return file.read(_LOOK_BYTES).removeprefix(b"\xef\xbb\xbf")


def _is_json_lines(path: Path) -> bool:
    """By what it holds; one that holds nothing, by its name."""
    begins = _head(path).lstrip()
    return begins.startswith(b"{") if begins else ".jsonl" in [suffix.lower() for suffix in path.suffixes]


def _lines(path: Path, file: _Lines, heard: Callable[[], object] = lambda: None) -> Iterator[str]:
    for raw in iter(lambda: file.readline(_LINE_MAX + 1), b""):
        if len(raw) > _LINE_MAX:
            raise Refused(f"{path.name} has a line of more than {_LINE_MAX} bytes: it is neither CSV nor JSON lines.")
        heard()
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
        except (ValueError, RecursionError) as problem:
            yield Row(number, {"line": line.rstrip("\r\n")}, f"the line is no JSON: {problem}")
            continue
        is_object = isinstance(values, dict)
        yield Row(number, values) if is_object else Row(number, {"line": line}, "the line is no JSON object")


def _csv_rows(path: Path, lines: Iterator[str]) -> Iterator[Row]:
    csv.field_size_limit(_FIELD_MAX)
    reader = csv.reader(lines, delimiter=_separator(path))
    header = _header(path, reader)
    for values in _guarded(reader):
        if isinstance(values, str):
            yield Row(reader.line_num, {}, values)
        elif any(value.strip() for value in values):
            fault = None if len(values) == len(header) else f"{len(values)} values for {len(header)} columns"
            yield Row(reader.line_num, dict(zip(header, values, strict=False)), fault)


def _header(path: Path, reader: Iterator[list[str]]) -> tuple[str, ...]:
    try:
        header = tuple(name.strip() for name in next(reader, []))
    except csv.Error as problem:
        raise Refused(f"The first line of {path.name} is no header of a CSV file ({problem}).") from None
    if not any(header):
        raise Refused(f"{path.name} is empty. Its first line names the columns.")
    return header


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
    header = decoded(_head(path).partition(b"\n")[0])
    return max(_SEPARATORS, key=header.count)

"""Files larger than memory, packed files and torn ones: rows stream through, and a torn file is refused whole."""

from __future__ import annotations

import gzip
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Refused
from sync_server.services.headquarters import Headquarters
from sync_server.services.imports import rows as reading
from sync_server.services.imports import run as running
from sync_server.services.imports import staging
from sync_server.services.imports.run import BATCH, run_import

FEW, MANY = 20_000, 60_000
GROWTH_BYTES_MAX = 200_000
"""40,000 more rows held would be some 20 MB."""

HEADERS = {
    "orders": "order_id,at,email,sku,quantity,price\n",
    "traffic": "store,at,visitors\n",
    "postcodes": "country,postcode,lat,lon\n",
    "shoppers": "loyalty_id,email,at\n",
}
LINES: dict[str, Callable[[int], str]] = {
    "orders": lambda n: f"R-{n},2026-11-20 10:00,s{n}@example.org,SKU-{n % 50},1,12.50\n",
    "traffic": lambda n: (
        f"berlin-1,{2000 + n // 9000}-{n // 720 % 12 + 1:02}-{n // 24 % 28 + 1:02} {n % 24:02}:15Z,7\n"
    ),
    "postcodes": lambda n: f"DE,{n:05},52.5,13.4\n",
    "shoppers": lambda n: f"29{n:011},s{n}@example.org,2026-01-01\n",
}


def written(path: Path, kind: str, count: int) -> Path:
    """A file of many rows, written row by row."""
    with path.open("w") as file:
        file.write(HEADERS[kind])
        file.writelines(LINES[kind](number) for number in range(count))
    return path


def peak_of(path: Path, count: int) -> int:
    """The most that Python held at a time while a file was read."""
    tracemalloc.start()
    try:
        assert sum(1 for _ in reading.read_rows(path)) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_three_times_the_rows_take_no_more_memory_to_read(tmp_path: Path):
    """As they come from the disk."""
    few = peak_of(written(tmp_path / "few.csv", "orders", FEW), FEW)
    many = peak_of(written(tmp_path / "many.csv", "orders", MANY), MANY)
    assert many - few < GROWTH_BYTES_MAX


@pytest.mark.parametrize("kind", HEADERS)
def test_no_more_than_a_batch_of_rows_is_alive_at_a_time(
    hq: Headquarters, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
):
    """Counted row by row while they are really written, also where the disk brings them together first."""
    alive, most = 0, 0

    class Watched(reading.Row):
        """A row that says when it comes and goes."""

        __slots__ = ()

        def __init__(self, *told: Any) -> None:
            super().__init__(*told)
            nonlocal alive, most
            alive += 1
            most = max(most, alive)

        def __del__(self) -> None:
            nonlocal alive
            alive -= 1

    def watched(path: Path, heard: Callable[[int], object]) -> Iterator[reading.Row]:
        for row in reading.read_rows(path, heard):
            yield Watched(row.number, row.values, row.fault)

    monkeypatch.setattr(running, "read_rows", watched)
    monkeypatch.setattr(staging, "Row", Watched)
    report = run_import(hq, kind, written(tmp_path / f"{kind}.csv", kind, 4 * BATCH))
    assert (report.rows, report.left_out) == (4 * BATCH, {})
    assert report.taken > 3 * BATCH
    assert BATCH <= most <= 3 * BATCH, "at most one batch, what follows it, and the groups in it"


# packed files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["orders.csv.gz", "orders.csv", "whatever"])
def test_a_packed_file_is_known_by_what_it_holds(hq: Headquarters, tmp_path: Path, name: str):
    """Its name may say so or not; the bar follows the bytes of the packed file."""
    plain = written(tmp_path / "plain.csv", "orders", 700)
    path = tmp_path / name
    path.write_bytes(gzip.compress(plain.read_bytes()))
    heard: list[int] = []
    report = run_import(hq, "orders", path, heard=heard.append)
    assert (report.rows, report.taken) == (700, 700)
    assert heard == sorted(heard)
    assert heard[-1] == path.stat().st_size
    assert run_import(hq, "orders", plain).known == 700


def test_packed_json_lines_are_read_as_such(hq: Headquarters, tmp_path: Path):
    """The first byte unpacked says which of the two it is."""
    path = tmp_path / "events.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"type":"identify","userId":"w-1","messageId":"1"}\n'))
    assert run_import(hq, "events", path).taken == 1


@pytest.mark.parametrize("spoil", [lambda packed: packed[: len(packed) // 2], lambda packed: packed[:-9] + b"x" * 9])
def test_a_torn_file_is_refused_before_any_of_it_is_taken(
    hq: Headquarters, tmp_path: Path, spoil: Callable[[bytes], bytes]
):
    """Half of it would look like all of it."""
    plain = written(tmp_path / "plain.csv", "shoppers", 5 * BATCH)
    path = tmp_path / "shoppers.csv.gz"
    path.write_bytes(spoil(gzip.compress(plain.read_bytes())))
    with pytest.raises(Refused, match="torn or damaged"):
        run_import(hq, "shoppers", path)
    with hq.database.read() as reader:
        assert reader.rows("fact", origin="import-shoppers") == []


def test_a_file_without_line_ends_is_refused_and_not_swallowed(hq: Headquarters, tmp_path: Path):
    """A small packed file can unpack to any size."""
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress(HEADERS["orders"].encode() + b"x" * 20_000_000))
    tracemalloc.start()
    try:
        with pytest.raises(Refused, match="neither CSV nor JSON lines"):
            run_import(hq, "orders", path)
        assert tracemalloc.get_traced_memory()[1] < 18_000_000
    finally:
        tracemalloc.stop()

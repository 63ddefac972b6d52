"""Bench of probable duplicates on people whose answers are known: the FEBRL files 3 and 4, without the SSN column.

The files lie inside the package `recordlinkage` and are read from there; its code is never imported. How right the
model is, is a verdict; how long it takes is a figure. The true answers are read after the model has spoken.
"""

from __future__ import annotations

import csv
import time
from collections import defaultdict
from collections.abc import Iterable
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import pytest

from shared.duplicates import PersonRecord, Proposal
from sync_server.adapters.splink_model import SplinkModel
from tests.conftest import RecordFigure

COLUMNS = {
    "given_name": "given_name",
    "family_name": "surname",
    "birth_on": "date_of_birth",
    "street_number": "street_number",
    "street": "address_1",
    "street_more": "address_2",
    "city": "suburb",
    "postcode": "postcode",
    "region": "state",
}
SHOWN = 900
SURE = 990
PRECISION_MIN_SURE = 0.9995

Pairs = set[tuple[str, str]]

pytestmark = pytest.mark.skipif(
    find_spec("splink") is None or find_spec("recordlinkage") is None,
    reason="the extra [dedupe-bench] is not installed: pip install 'floorside[dedupe-bench]'",
)


def people_of(*names: str) -> list[PersonRecord]:
    """The records of some FEBRL files."""
    spec = find_spec("recordlinkage")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folder = Path(spec.submodule_search_locations[0]) / "datasets" / "febrl"
    return [person for name in names for person in read_people(folder / f"dataset{name}.csv")]


def read_people(path: Path) -> Iterable[PersonRecord]:
    """One file; its blanks are unknown."""
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, skipinitialspace=True):
            known = {ours: row[theirs].strip() or None for ours, theirs in COLUMNS.items()}
            yield PersonRecord(row["rec_id"].strip(), **known)


def true_pairs(people: Iterable[PersonRecord]) -> Pairs:
    """Records of one person have one number: rec-1496-org, rec-1496-dup-0."""
    by_person: defaultdict[str, list[str]] = defaultdict(list)
    for person in people:
        by_person[person.record_id.split("-")[1]].append(person.record_id)
    return {pair for ids in by_person.values() for pair in combinations(sorted(ids), 2)}


def pairs_from(proposals: Iterable[Proposal], least: int) -> Pairs:
    """What was proposed with at least this score in thousandths."""
    return {(one.a, one.b) for one in proposals if (one.score or 0) >= least}


def rightness(found: Pairs, truth: Pairs) -> tuple[float, float, float]:
    """(precision, recall, F1)."""
    right = len(found & truth)
    return right / len(found), right / len(truth), 2 * right / (len(found) + len(truth))


@pytest.mark.parametrize(
    ("title", "files", "count", "f1_min"),
    [("FEBRL 3", ("3",), 6_538, 0.990), ("FEBRL 4, two files linked", ("4a", "4b"), 5_000, 0.997)],
    ids=["febrl3", "febrl4"],
)
def test_the_model_finds_who_is_one_person(
    title: str, files: tuple[str, ...], count: int, f1_min: float, record_figure: RecordFigure
) -> None:
    """Files to link go in as one crowd, as shoppers do: a pair within one of them counts as wrong."""
    people = people_of(*files)
    started = time.perf_counter()
    proposals = SplinkModel().find(people, SHOWN / 1000)
    taken_s = time.perf_counter() - started
    truth = true_pairs(people)
    assert len(truth) == count
    precision, recall, f1 = rightness(pairs_from(proposals, SHOWN), truth)
    sure, sure_recall, _ = rightness(pairs_from(proposals, SURE), truth)
    print(f"\n{title}: {len(people):,} records, {count:,} true pairs, {taken_s:.0f} s")
    print(f"  at .90: precision {precision:.5f}, recall {recall:.5f}, F1 {f1:.5f}")
    print(f"  at .99: precision {sure:.5f}, recall {sure_recall:.5f}")
    record_figure(f"Duplicates, {title}: F1 at .90", f"{f1:.4f}", "")
    record_figure(f"Duplicates, {title}: precision at .99", f"{sure:.4f}", "")
    assert f1 >= f1_min
    assert sure >= PRECISION_MIN_SURE

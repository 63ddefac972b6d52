"""The one command itself: its words, its counting, and that no test file lies outside its parts."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.__main__ import PARTS, SELECTIONS, closing_line, count_tests
from tests.house.sources import ROOT, project_files
from tests.proof import Figure, read_figures, write_figure
from tests.proof_page import Outcome, figure_rows, table

JUNIT = '<testsuites><testsuite tests="7" failures="1" errors="1" skipped="2"/></testsuites>'


@pytest.fixture
def report(tmp_path):
    """A pytest report with seven tests: one failed, one broke, two were skipped."""
    path = tmp_path / "junit.xml"
    path.write_text(JUNIT, encoding="utf-8")
    return path


def test_an_unknown_word_is_wrong_usage():
    """It says which words there are and runs nothing."""
    asked = subprocess.run(
        [sys.executable, "-m", "tests", "fast"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert asked.returncode == 2
    assert "quick | full | e2e | bench" in asked.stderr
    assert asked.stdout == ""


def test_every_test_file_belongs_to_exactly_one_part():
    """A test outside the parts would never run; one in two would run twice."""
    parts = {part for selection in SELECTIONS.values() for part in selection.parts}
    homes = {
        str(path): [part.name for part in parts if any(str(path).startswith(folder + "/") for folder in part.folders)]
        for path in project_files()
        if path.parts[0] == "tests" and path.name.startswith("test_") and path.suffix == ".py"
    }
    assert {path: names for path, names in homes.items() if len(names) != 1} == {}


def test_the_parts_keep_to_their_fifteen_minutes():
    """Fast enough to run before every merge: static 1, and the budgets of the parts."""
    assert 1 + sum(part.budget_min for part in PARTS) == 15


def test_a_full_run_names_what_it_left_out():
    """Parts are left out by their names; a name that is none leaves nothing out by mistake."""
    full = SELECTIONS["full"]
    short = full.without(["1,000 seeds", "chaos"])
    assert short is not None
    assert short.left_out == ("1,000 seeds", "chaos")
    assert {part.name for part in full.parts} - {part.name for part in short.parts} == {"1,000 seeds", "chaos"}
    assert full.without(["seeds"]) is None


def test_a_report_is_counted_as_passed_failed_and_skipped(report):
    """An error in a fixture is a failure too."""
    assert count_tests(report, 1) == (3, 2, 2)


def test_a_run_that_broke_before_its_report_counts_as_a_failure(report, tmp_path):
    """Wrong usage, an internal error or a killed run is never a quiet zero."""
    assert count_tests(tmp_path / "missing.xml", 1) == (0, 1, 0)
    assert count_tests(report, 3) == (0, 1, 0)


def test_the_closing_line_is_the_sum_over_the_parts():
    """Skipped tests are named only where there are some."""
    outcomes = [Outcome("one", 3, 1, 0), Outcome("two", 4, 0, 2)]
    assert closing_line(outcomes) == "7 passed, 1 failed, 2 skipped"
    assert closing_line(outcomes[:1]) == "3 passed, 1 failed"


def test_figures_become_rows_of_the_proof_page(tmp_path, monkeypatch):
    """The last value of a claim counts; a bar in a text does not break the table."""
    path = tmp_path / "figures.jsonl"
    monkeypatch.setenv("FLOORSIDE_PROOF", str(path))
    for value in ("9.9", "7.3"):
        write_figure(Figure("lookup p99", value, "ms", "tests/bench/test_lookup.py::test_a|b"))
    assert len(read_figures(path)) == 1
    rows = table(("what", "figure", "test"), figure_rows(path))
    assert rows[-1] == "| lookup p99 | 7.3 ms | `tests/bench/test_lookup.py::test_a/b` |"


def test_without_a_proof_file_no_figure_is_written(tmp_path, monkeypatch):
    """An ordinary run leaves nothing behind."""
    monkeypatch.delenv("FLOORSIDE_PROOF", raising=False)
    monkeypatch.chdir(tmp_path)
    write_figure(Figure("lookup p99", "7.3", "ms", "test"))
    assert list(tmp_path.iterdir()) == []

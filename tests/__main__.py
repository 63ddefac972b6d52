"""The one command for all checks: `python -m tests [quick | full | e2e | bench | shots]`; without a word, the tests.

Static checks first, then pytest in named parts, each with its budget in minutes beside the time it really took. A part
that fails does not stop the next one. The last line is the sum over the pytest parts.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.needs import NO_CHROMIUM, NO_NODE, find_chromium, find_node
from tests.proof import PROOF_VARIABLE
from tests.proof_page import Outcome, write_proof_page

ROOT = Path(__file__).resolve().parents[1]

USAGE = """usage: python -m tests [quick | full | e2e | bench | shots [look ...]]

  (nothing)  static checks and every part of the tests
  quick      static checks, unit and property tests: before every commit
  full       everything and the bench; writes tests/PROOF.md. Parts that it is to leave out are named there:
             `full without "1,000 seeds" chaos`
  e2e        the journeys only
  bench      the bench only; figures are printed, never judged by the clock
  shots      pictures of every screen in every look, in .shots/, to be looked through"""

NO_TESTS_COLLECTED = 5


@dataclass(frozen=True, slots=True)
class Part:
    """A named part of the tests: its folders, its budget in minutes, and what pytest is told besides."""

    name: str
    budget_min: int
    folders: tuple[str, ...]
    options: tuple[str, ...] = ()
    needs: tuple[Callable[[], str | None], ...] = ()
    """What finds the programs that some of its tests are skipped without."""


MISSING = {find_chromium: NO_CHROMIUM, find_node: NO_NODE}
STATIC_BUDGET_MIN = 1
UNIT = Part("unit and property", 2, ("tests/unit", "tests/property", "tests/house"), ("-n", "2"))
JOURNEYS = Part("journeys", 4, ("tests/e2e",), ("--timeout=240",), (find_chromium,))
BENCH = Part("bench", 5, ("tests/bench",), ("-s", "--timeout=300"))
SEEDS = Part("1,000 seeds", 60, ("tests/simulation/thousand_seeds.py",), ("--timeout=7200", "-s"))
LONG = ("tests/mutants/counted_on_postgresql.py", "tests/fuzz/ten_thousand_trees.py")
TREES = Part("10,000 trees", 15, LONG, ("--timeout=7200", "-s"))
CHAOS = Part("chaos", 8, ("tests/chaos/two_minutes.py",), ("--timeout=900", "-s"))
NPM = ("tests/senders/node_and_browser.py",)
SENDERS = Part("senders from npm", 4, NPM, ("--timeout=240",), (find_node, find_chromium))
PARTS = (
    UNIT,
    Part("simulation", 3, ("tests/simulation",), ("-n", "2", "--timeout=180")),
    Part("mutants", 1, ("tests/mutants",), ("-n", "2")),
    Part("contract", 2, ("tests/contract",), ("-n", "2", "--dist=loadfile", "--timeout=170")),
    Part("rules fuzz", 1, ("tests/fuzz",), ("-n", "2")),
    JOURNEYS,
    Part("package install", 1, ("tests/package",)),
)


@dataclass(frozen=True, slots=True)
class Selection:
    """What one word selects."""

    is_static: bool
    parts: tuple[Part, ...]
    is_proof: bool = False
    is_every: bool = False
    """With the tests marked `full`, which are too many for every merge."""
    left_out: tuple[str, ...] = ()
    """Names of parts that were asked to be left out; the page says so."""

    def without(self, names: Sequence[str]) -> Selection | None:
        """The same without some of its parts; None where one of them is none of its own."""
        if set(names) - {part.name for part in self.parts}:
            return None
        return replace(self, parts=tuple(part for part in self.parts if part.name not in names), left_out=tuple(names))


SELECTIONS = {
    "": Selection(True, PARTS),
    "quick": Selection(True, (UNIT,)),
    "full": Selection(True, (*PARTS, SENDERS, TREES, SEEDS, CHAOS, BENCH), is_proof=True, is_every=True),
    "e2e": Selection(False, (JOURNEYS,), is_every=True),
    "bench": Selection(False, (BENCH,), is_every=True),
}


def static_checks() -> dict[str, list[str]]:
    """The static checks by name, each with its command."""
    lint_imports = str(Path(sys.executable).with_name("lint-imports"))
    return {
        "format": [sys.executable, "-m", "ruff", "format", "--check", "."],
        "lint": [sys.executable, "-m", "ruff", "check", "--quiet", "."],
        "layers": [lint_imports],
        "types": [sys.executable, "-m", "mypy", "--no-error-summary"],
    }


def run_static() -> list[str]:
    """Run the static checks side by side, show what the failing ones say, and return the names of those."""
    started_s = time.monotonic()
    running = {
        name: subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for name, command in static_checks().items()
    }
    failed = []
    for name, check in running.items():
        said, _ = check.communicate()
        print(f"{name}: {'failed' if check.returncode else 'good'}")
        if check.returncode:
            print(said)
            failed.append(name)
    print_time("static", time.monotonic() - started_s, STATIC_BUDGET_MIN)
    return failed


def run_part(part: Part, *, is_every: bool = True) -> Outcome:
    """Run one part in its own pytest, with or without the tests marked `full`.

    A part whose folders do not exist yet is skipped with a line saying so.
    """
    folders = [folder for folder in part.folders if (ROOT / folder).exists()]
    print(f"\n== {part.name} ==", flush=True)
    if not folders:
        print(f"{part.name}: skipped, {' and '.join(part.folders)} does not exist yet")
        return Outcome(part.name, budget_min=part.budget_min)
    for find in part.needs:
        if find() is None:
            print(f"\n!!! {MISSING[find]}\n", flush=True)
    started_s = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "junit.xml"
        command = [sys.executable, "-m", "pytest", *folders, "-q", "--no-header", "--hypothesis-profile=ci"]
        command += [] if is_every else ["-m", "not full"]
        status = subprocess.run([*command, f"--junit-xml={report}", *part.options], cwd=ROOT, check=False).returncode
        counted = count_tests(report, status)
    if status == NO_TESTS_COLLECTED:
        print(f"{part.name}: skipped, {' and '.join(folders)} holds no tests yet")
    seconds = time.monotonic() - started_s
    print_time(part.name, seconds, part.budget_min)
    return Outcome(part.name, *counted, seconds=seconds, budget_min=part.budget_min)


def count_tests(report: Path, status: int) -> tuple[int, int, int]:
    """Passed, failed and skipped of one pytest run. A run that broke before it could report counts as one failure."""
    if status not in (0, 1, NO_TESTS_COLLECTED) or not report.exists():
        return (0, 1, 0)
    total = failed = skipped = 0
    for suite in ET.parse(report).getroot().iter("testsuite"):
        total += int(suite.get("tests", 0))
        failed += int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        skipped += int(suite.get("skipped", 0))
    return (max(total - failed - skipped, 0), max(failed, 1) if status == 1 else failed, skipped)


def print_time(name: str, seconds: float, budget_min: int) -> None:
    """Say how long a part took beside what it may take; over budget is said, and fails nothing."""
    over = "  OVER BUDGET" if seconds > budget_min * 60 else ""
    print(f"-- {name}: {seconds / 60:.1f} min of {budget_min}{over}", flush=True)


def closing_line(outcomes: Sequence[Outcome]) -> str:
    """The plain last line: the sum over the pytest parts."""
    passed, failed, skipped = (sum(getattr(o, kind) for o in outcomes) for kind in ("passed", "failed", "skipped"))
    return f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")


def run(selection: Selection, figures: Path) -> int:
    """Run a selection and return the exit status: 0 only if every check and every test is good."""
    if selection.is_proof:
        os.environ[PROOF_VARIABLE] = str(figures)
    red_checks = run_static() if selection.is_static else []
    outcomes = [run_part(part, is_every=selection.is_every) for part in selection.parts]
    if selection.is_proof:
        write_proof_page(ROOT, outcomes, red_checks, figures, selection.left_out)
    if red_checks:
        print(f"\nstatic checks failed: {', '.join(red_checks)}")
    print("\n" + closing_line(outcomes), flush=True)
    return 1 if red_checks or any(outcome.failed for outcome in outcomes) else 0


def main(words: Sequence[str]) -> int:
    """Read the optional words and run what they select; anything else is wrong usage."""
    if words[:1] == ["shots"]:
        return importlib.import_module("tests.shots").main(words[1:])
    if list(words[:2]) == ["full", "without"] and words[2:]:
        selection = SELECTIONS["full"].without(words[2:])
    else:
        selection = SELECTIONS.get(" ".join(words))
    if selection is None:
        print(USAGE, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as place:
        return run(selection, Path(place) / "figures.jsonl")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

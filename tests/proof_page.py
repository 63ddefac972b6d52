"""Writes tests/PROOF.md after `python -m tests full`: what ran, on which commit, with which result and figures."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.proof import read_figures


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one part: counts, seconds it took and minutes it may take."""

    name: str
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    budget_min: int = 0


def write_proof_page(
    root: Path, outcomes: Sequence[Outcome], red_checks: Sequence[str], figures: Path, left_out: Sequence[str] = ()
) -> None:
    """Write the page: a head with date, commit and machine, the parts, and every figure the tests recorded."""
    lines = [
        "# Proof",
        "",
        "Written by `python -m tests full`; not edited by hand.",
        "",
        f"- Date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"- Commit: {describe_commit(root)}",
        f"- Machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        f"- Static checks: {'failed: ' + ', '.join(red_checks) if red_checks else 'good'}",
        *([f"- Left out of this run: {', '.join(left_out)}"] if left_out else []),
        "",
        *table(("part", "passed", "failed", "skipped", "minutes", "budget"), map(part_row, outcomes)),
        "",
        "## Figures",
        "",
        *table(("what", "figure", "test"), figure_rows(figures)),
    ]
    (root / "tests" / "PROOF.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def describe_commit(root: Path) -> str:
    """The commit the run stood on, and whether there was more in the work tree than that."""

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False).stdout.strip()

    commit = git("rev-parse", "--short=12", "HEAD") or "unknown"
    return commit + (" with uncommitted changes" if git("status", "--porcelain") else "")


def part_row(outcome: Outcome) -> tuple[str, ...]:
    """One part as a row of the table."""
    counts = (outcome.passed, outcome.failed, outcome.skipped)
    return (outcome.name, *map(str, counts), f"{outcome.seconds / 60:.1f}", str(outcome.budget_min))


def figure_rows(figures: Path) -> list[tuple[str, ...]]:
    """Every figure as a row of the table."""
    return [(f.claim, f"{f.value} {f.unit}".strip(), f"`{f.test}`") for f in read_figures(figures)]


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A Markdown table, or one sentence where there is nothing to show."""
    body = [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", "|" + " --- |" * len(head), *body] if body else ["No test recorded one."]

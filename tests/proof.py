"""Figures that tests prove: written as JSON lines while a run goes on, read back as the table of tests/PROOF.md.

The runner names the file in FLOORSIDE_PROOF; without it nothing is written. Nothing here judges a figure.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

PROOF_VARIABLE = "FLOORSIDE_PROOF"


@dataclass(frozen=True, slots=True)
class Figure:
    """One proven figure: what it says, its value as people read it, its unit (may be empty), the test that found it."""

    claim: str
    value: str
    unit: str
    test: str


def write_figure(figure: Figure) -> None:
    """Append one figure to the run's file; one short write, so that parallel workers do not mix lines."""
    if path := os.environ.get(PROOF_VARIABLE):
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(figure)) + "\n")


def read_figures(path: Path) -> list[Figure]:
    """All figures of a run, by claim; the last one counts where a claim was made twice by one test."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    figures = [Figure(**json.loads(line)) for line in lines]
    return sorted({(figure.claim, figure.test): figure for figure in figures}.values(), key=lambda f: (f.claim, f.test))

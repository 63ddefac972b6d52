"""`python -m tests.mutants`: apply each mutant to the real code and run seeds until an invariant breaks.

Prints which were killed, by which invariant, after how many seeds; exit status 1 if one survives.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.progress import track
from rich.table import Table

from tests.mutants.catalogue import MUTANTS, Death, hunt


def read_arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="M1", help="only these (all)")
    parser.add_argument("--seeds", type=int, default=20, metavar="N", help="how many seeds to try against each (20)")
    return parser.parse_args(words)


def draw_table(deaths: Sequence[Death]) -> Table:
    """The score."""
    table = Table("", "mutant", "killed by", "seeds", "what was seen", title=score(deaths))
    for death in deaths:
        mutant, seen = death.mutant, death.words
        table.add_row(mutant.name, mutant.title, death.invariant or "SURVIVED", str(death.seeds), seen[:90])
    return table


def score(deaths: Sequence[Death]) -> str:
    """`20 of 20 killed`."""
    return f"{sum(death.invariant is not None for death in deaths)} of {len(deaths)} killed"


def main(words: Sequence[str]) -> int:
    """Hunt the mutants asked for."""
    logging.disable(logging.CRITICAL)  # the faults are planted: their tracebacks are no news
    told = read_arguments(words)
    if unknown := sorted(set(told.names) - {mutant.name for mutant in MUTANTS}):
        print(f"There is no mutant {unknown[0]!r}: they are M1 to M{len(MUTANTS)}.", file=sys.stderr)
        return 2
    wanted = [mutant for mutant in MUTANTS if not told.names or mutant.name in told.names]
    bar = Console(stderr=True)
    hunts = track(wanted, "mutants", console=bar, disable=not bar.is_terminal)
    deaths = [hunt(mutant, told.seeds) for mutant in hunts]
    Console(width=None if Console().is_terminal else 160).print(draw_table(deaths))
    return 1 if any(death.invariant is None for death in deaths) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`python -m tests.chaos --minutes 2 [--tablets N] [--seed N] [--postgresql]`: real processes, really killed.

Prints what struck and `recorded / at HQ / lost / doubled`; exit status 1 unless lost and doubled are 0 and faults
struck. Loopback only; ends every process it started, also on Ctrl+C.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from tests.chaos.run import ChaosRun


def main() -> int:
    """Read the words, run, and say how it went."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--minutes", type=float, default=2.0, help="how long the faults last")
    parser.add_argument("--tablets", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true", help="PostgreSQL, and two server processes on it")
    said = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("FLOORSIDE_")]:
        del os.environ[name]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="floorside-chaos-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        os.environ["XDG_RUNTIME_DIR"] = os.environ["XDG_STATE_HOME"] = place
        run = ChaosRun(folder, tablets=said.tablets, seed=said.seed, is_postgresql=said.postgresql, say=Console())
        try:
            return run.go(said.minutes * 60)
        except KeyboardInterrupt:
            return 130
        finally:
            run.close()


if __name__ == "__main__":
    sys.exit(main())

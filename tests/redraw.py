"""`python -m tests.redraw`: writes the drawn parts of shared/PROTOCOL.md and the practice store anew; with
`--golden` the frozen wire too.

Tests compare each with the code and say to run this. It decides nothing: what it writes is read before it is committed.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.support import practice_store
from tests.support.golden import FOLDER
from tests.support.golden_story import hold_conversation
from tests.support.protocol_page import PAGE, drawn


def redraw_golden() -> None:
    """Freeze the conversation of today's server."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.http"):
        old.unlink()
    with tempfile.TemporaryDirectory() as folder:
        for _, exchange in hold_conversation(Path(folder) / "hq"):
            exchange.path.write_bytes(exchange.as_bytes())


def main() -> None:
    """Redraw what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.redraw", description=__doc__)
    parser.add_argument("--golden", action="store_true", help="freeze the wire anew: a change of the protocol")
    if parser.parse_args().golden:
        redraw_golden()
    practice_store.FILE.parent.mkdir(exist_ok=True)
    practice_store.FILE.write_text(practice_store.written(), encoding="utf-8")
    PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

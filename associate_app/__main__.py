"""Entry of the `associate-app` command line. A packaged tablet has no command line and says so."""

from __future__ import annotations

import sys
from typing import Final

_PARTS: Final = frozenset({"cyclopts", "rich", "platformdirs"})


def main() -> None:
    """Run the command line and leave with its exit status."""
    try:
        from associate_app.command_line.app import run
    except ImportError as missing:
        if (missing.name or "").partition(".")[0] not in _PARTS:
            raise
        sys.stderr.write("The command line is not part of this install. Add it with: pip install 'floorside[hub]'\n")
        sys.exit(1)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

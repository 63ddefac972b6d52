"""Entry of the `sync-server` command line."""

from __future__ import annotations

import sys

from sync_server.command_line.app import run


def main() -> None:
    """Run the command line and leave with its exit status."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

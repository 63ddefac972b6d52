"""All commands of `associate-app`, and the one place that turns a command line into an exit status."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from typing import Final

from cyclopts import App, CycloptsError

from associate_app.command_line.common import WRONG_USAGE, complain, guard
from associate_app.settings import APP_VERSION

COMMANDS: Final = {
    "demo": ("screens:demo", "Try Floorside: a chain of six stores, its HQ and one tablet, all on this machine."),
    "hub": ("screens:hub", "Serve this tablet's screens to browsers."),
    "enrol": ("connection:enrol", "Connect this tablet to a store with HQ's one-time code."),
    "sync": ("connection:sync", "Send what was recorded, receive what is new, and check both."),
    "status": ("connection:status", "Say what is saved here and what is at HQ."),
    "export": ("parting:export", "Write the journal to a file, for a tablet that cannot send it."),
    "salvage": ("parting:salvage", "Hand HQ what a normal sync can no longer send."),
    "reset": ("parting:reset", "Delete everything on this tablet, once nothing would be lost."),
    "retire": ("parting:retire", "Send what is left, then delete everything on this tablet."),
    "lookup": ("shoppers:lookup", "Open a shopper's card from a code, number, e-mail or phone. Records nothing."),
    "record": ("shoppers:record", "Record what came of a play."),
    "find": ("shoppers:find", "Find shoppers by name, phone digits, e-mail or number."),
    "scan-image": ("shoppers:scan_image", "Read the codes in picture files."),
}
"""Command -> (where it is written, what it does). A page is imported only when one of its commands is run."""


def make_cli() -> App:
    """The command line with all its commands of the table."""
    cli = App(
        name="associate-app",
        help="A store tablet of Floorside: shoppers' cards, plays and outcomes, with or without a network.",
        version=APP_VERSION,
        help_format="plaintext",
    )
    for name, (place, summary) in COMMANDS.items():
        cli.command(f"{__package__}.{place}", name=name, help=summary)
    return cli


def run(arguments: Sequence[str]) -> int:
    """Run one command line: 0 done, 1 refused with a sentence on standard error, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="replace")
    return guard(lambda: _run(list(arguments)))


def _run(arguments: list[str]) -> int | None:
    cli = make_cli()
    try:
        command, bound, _ = cli.parse_args(arguments, exit_on_error=False, print_error=False)
        is_help = command in (cli.help_print, cli.version_print)
        status: int | None = command(*bound.args, **bound.kwargs)
    except CycloptsError as wrong:
        complain(f"{wrong} See `associate-app --help`.")
        return WRONG_USAGE
    return WRONG_USAGE if is_help and not _asks_for_help(arguments) else status


def _asks_for_help(arguments: Sequence[str]) -> bool:
    return any(argument in ("--help", "-h", "--version") for argument in arguments)

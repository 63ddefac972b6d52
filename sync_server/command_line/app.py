"""All commands of `sync-server`, and the one place that turns a command line into an exit status."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence

from cyclopts import App, CycloptsError

from sync_server.command_line import cards, chain, demo, devices, operations, shoppers
from sync_server.command_line.common import WRONG_USAGE, complain, guard

VERSION = "1.0.0"


def make_cli() -> App:
    """The command line with all its commands."""
    cli = App(
        name="sync-server",
        help="HQ's side of Floorside: one chain, its stores, tablets, cards and shoppers.",
        version=VERSION,
        help_format="plaintext",
    )
    for part in (chain, devices, cards, shoppers, operations, demo):
        part.add_commands(cli)
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
        command(*bound.args, **bound.kwargs)
    except CycloptsError as wrong:
        complain(f"{wrong} See `sync-server --help`.")
        return WRONG_USAGE
    return WRONG_USAGE if is_help and not _asks_for_help(arguments) else None


def _asks_for_help(arguments: Sequence[str]) -> bool:
    return any(argument in ("--help", "-h", "--version") for argument in arguments)

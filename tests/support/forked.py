"""Processes of `sync_server` that are forked from one which has imported it already: seconds of imports saved on each.

Everything else is a process's own: its id, signals, files, output and exit status. That the program starts from nothing
is proven by real starts (contract/test_server_cli.py, test_watch.py, test_the_line.py).
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import sys
from collections.abc import Sequence
from functools import cache
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

IMPORTED = ("sync_server.bootstrap", "sync_server.command_line.serving", "sync_server.command_line.operations")


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "sync_server.command_line.app", *IMPORTED])
    return context


def start_forked(words: Sequence[object], log: Path) -> ForkServerProcess:
    """Start a command line of `sync_server`; what it prints is added to a file."""
    process = _context().Process(target=_run, args=([*map(str, words)], str(log), dict(os.environ)))
    process.start()
    return process


def _run(words: list[str], log: str, environment: dict[str, str]) -> None:
    os.setsid()
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(written, stream)
    sys.stdout, sys.stderr = (open(stream, "w", closefd=False) for stream in (1, 2))  # noqa: SIM115
    os.environ.clear()
    os.environ.update(environment)
    sys.exit(importlib.import_module("sync_server.command_line.app").run(words))

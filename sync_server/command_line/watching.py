"""The command `watch`: a folder into which other systems drop their files, looked after until stopped, or once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.text import Text

from shared.errors import Refused
from sync_server.adapters.folder_lock import hold_folder
from sync_server.command_line.common import DEFAULT, Common, complain, headquarters, people, say_json
from sync_server.services.chain import read_chain
from sync_server.services.imports.drop import FAILED, read_plan
from sync_server.services.imports.watch import Stop, Taken, Watch

EVERY_S: Final = 10.0
_EVERY_LEAST, _EVERY_MOST = 0.1, 86_400.0


def watch(folder: Path, *, once: bool = False, every: float = EVERY_S, common: Common = DEFAULT) -> None:
    """Take the files that other systems drop into a folder, until stopped.

    With --json each file is a line of JSON.

    Parameters
    ----------
    folder
        The folder. A file's kind is how its name begins (orders-2026-11-22.csv), the folder below it, or in watch.yaml.
    once
        Take what is there and end: for cron. Ends with status 1 if a file was refused.
    every
        Seconds between two looks.
    """
    if not _EVERY_LEAST <= every <= _EVERY_MOST:
        raise Refused(f"--every is {_EVERY_LEAST} to {_EVERY_MOST:.0f} seconds, not {every}.")
    with headquarters(common) as hq, hold_folder(folder), _until_signal() as stop:
        with hq.database.read() as reader:
            read_chain(reader)
        read_plan(folder)
        watcher = Watch(hq, folder, complain, lambda taken: _show(common, taken), stop)
        if not once:
            _say(common, f"Looking at {folder} every {every:g} s. Stop with Ctrl+C.")
            asyncio.run(watcher.until_stopped(every))
            return
        refused = [taken for taken in asyncio.run(watcher.once()) if taken.is_refused]
    if refused:
        raise Refused(f"{len(refused)} of the files were refused: they are in {folder / FAILED}, each with its reason.")


def _show(common: Common, taken: Taken) -> None:
    if common.json:
        say_json(taken.as_json())
    else:
        _say(common, taken.sentence())


def _say(common: Common, sentence: str) -> None:
    if not common.json:
        out = people()
        out.print(Text(sentence), soft_wrap=True)
        out.file.flush()


@contextmanager
def _until_signal() -> Iterator[Stop]:
    """A wish to stop that Ctrl+C and SIGTERM express; both end the command as done."""
    stop = Stop()
    before = {kind: signal.signal(kind, lambda *_: stop.ask()) for kind in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)

"""What every command shares: where the tablet lives, and how an answer is said.

With `--json` exactly one JSON value goes to standard output and nothing else; people get a table or a sentence. Every
refusal is one sentence on standard error, whatever went wrong.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import platformdirs
from cyclopts import Parameter
from rich.console import Console
from rich.text import Text

from associate_app.settings import Settings, read_settings
from shared.errors import FloorsideError, Refused, StorageFull

if TYPE_CHECKING:
    from associate_app.adapters.sqlite import TabletFile
    from associate_app.bootstrap import Tablet

DONE: Final = 0
REFUSED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130

_settings_in_use: list[Settings] = []


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Common:
    """Parameters of every command."""

    data_dir: Annotated[Path | None, Parameter(help="Folder of the tablet's database, key and pictures.")] = None
    json: Annotated[bool, Parameter(help="Print one JSON value and nothing else.", negative="")] = False


DEFAULT: Final = Common()


def settings_of(common: Common, **told: Any) -> Settings:
    """The settings for this command. Raises Refused with the one that is wrong."""
    default_dir = platformdirs.user_data_path("floorside") / "tablet"
    settings = read_settings(os.environ, {"data_dir": common.data_dir, **told}, default_dir)
    _settings_in_use[:] = [settings]
    return settings


@contextmanager
def tablet_of(common: Common) -> Iterator[tuple[Tablet, TabletFile]]:
    """The tablet and an open database for one command; imported only here, so that help is told at once."""
    from associate_app.bootstrap import make_tablet

    tablet = make_tablet(settings_of(common))
    database = tablet.open_database()
    try:
        yield tablet, database
    finally:
        database.close()


# saying ---------------------------------------------------------------------------------------------------------------


def people() -> Console:
    """Where people read: standard output, nothing taken for markup."""
    return Console(markup=False, highlight=False, emoji=False)


def say_json(value: Any) -> None:
    """The one JSON value of a command."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(common: Common, value: Any, *sentences: str) -> None:
    """One answer: the JSON value, or sentences for people."""
    if common.json:
        say_json(value)
        return
    for sentence in sentences:
        people().print(Text(sentence), soft_wrap=True)


# refusing -------------------------------------------------------------------------------------------------------------


def complain(sentence: str) -> None:
    """A refusal, on standard error."""
    sys.stderr.write(sentence.rstrip() + "\n")
    sys.stderr.flush()


def guard(work: Callable[[], int | None]) -> int:
    """Run a command; every way it can fail becomes a sentence and an exit status, never a traceback."""
    try:
        return work() or DONE
    except Refused as refusal:
        complain(str(refusal))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - so that closing at exit does not complain again
    except Exception as problem:  # noqa: BLE001 - the last door: a person must get a sentence
        complain(sentence_for(problem))
    return REFUSED


def sentence_for(problem: Exception) -> str:
    """What to say of an error that nobody mapped; the details go to a file for whoever mends it."""
    if isinstance(problem, StorageFull | FloorsideError):
        return str(problem)
    if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
        return "This tablet's storage is full. Nothing was half-written: make room, then do it again."
    kind = type(problem).__name__
    return f"This is a fault in Floorside ({kind}). What was saved before is safe. {_keep_details(problem)}"


def _keep_details(problem: Exception) -> str:
    fallback = platformdirs.user_state_path("floorside") / "tablet.log"
    path = _settings_in_use[0].log_path if _settings_in_use else fallback
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(problem)), "utf-8")
    except OSError:
        return "Please tell HQ what you did."
    return f"The details are in {path}: please send them to HQ."

"""What every command shares: where the chain lives, and how an answer is said.

With `--json` exactly one JSON value goes to standard output and nothing else; people get a table or a sentence. Every
refusal is one sentence on standard error, whatever went wrong.
"""

from __future__ import annotations

import errno
import gc
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import platformdirs
from cyclopts import Parameter
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from shared.errors import Refused
from sync_server.services.table_file import Format, write_file, write_rows
from sync_server.settings import Settings, read_settings

if TYPE_CHECKING:
    from sync_server.services.headquarters import Headquarters

DONE: Final = 0
REFUSED: Final = 1
WRONG_USAGE: Final = 2
INTERRUPTED: Final = 130
GC_OBJECTS: Final = 50_000


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Common:
    """Parameters of every command."""

    data_dir: Annotated[Path | None, Parameter(help="Folder of the database, the keys and the pictures.")] = None
    database: Annotated[str | None, Parameter(help="SQLAlchemy URL of the central database.")] = None
    json: Annotated[bool, Parameter(help="Print one JSON value and nothing else.", negative="")] = False


DEFAULT: Final = Common()


def settings_of(common: Common, **told: Any) -> Settings:
    """The settings for this command. Raises Refused or Damaged with the one that is wrong."""
    default_dir = platformdirs.user_data_path("floorside") / "hq"
    said = {"data_dir": common.data_dir, "database": common.database, **told}
    return read_settings(os.environ, said, default_dir)


@contextmanager
def headquarters(common: Common, **told: Any) -> Iterator[Headquarters]:
    """The server's parts for one command; imported only here, so that help and wrong usage are told at once."""
    from sync_server.bootstrap import open_headquarters

    with open_headquarters(settings_of(common, **told), tell=complain) as hq:
        yield hq


# saying ---------------------------------------------------------------------------------------------------------------


def people() -> Console:
    """Where people read: standard output, nothing taken for markup."""
    return Console(markup=False, highlight=False, emoji=False)


def say_json(value: Any) -> None:
    """The one JSON value of a command."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def say(common: Common, value: Any, sentence: str) -> None:
    """One answer: the JSON value, or the sentence for people."""
    if common.json:
        say_json(value)
    else:
        people().print(Text(sentence), soft_wrap=True)


def say_table(common: Common, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], empty: str) -> None:
    """A list: all of it as JSON, or a table of these columns (field -> heading) for people."""
    if common.json:
        say_json(list(rows))
        return
    if not rows:
        people().print(Text(empty))
        return
    table = Table(*(Column(heading, overflow="fold") for heading in columns.values()))
    for row in rows:
        table.add_row(*(Text(_cell(row.get(name))) for name in columns))
    people().print(table)


def write_out(
    common: Common,
    file: Path | None,
    form: Format,
    columns: Sequence[str],
    rows: Callable[[], Iterable[Mapping[str, Any]]],
) -> int | None:
    """Rows into a file, or onto standard output where none is named; how many went into a file. `rows` begins the work
    only when it is clear where they go. Raises Refused for rows on an output that is to hold one JSON value."""
    if file is None:
        if common.json:
            raise Refused("With --json the answer is one value: give a FILE for the rows, or leave --json out.")
        write_rows(sys.stdout, rows(), columns, form)
        return None
    return write_file(file, rows(), columns, form)


def _cell(value: Any) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


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
    told = str(getattr(problem, "orig", None) or problem)
    if (isinstance(problem, OSError) and problem.errno == errno.ENOSPC) or "disk is full" in told:
        return "The disk is full. Nothing was half-written: make room and try again."
    if "database is locked" in told:
        return "The database is busy with another program's writing and did not come free. Try again in a moment."
    if "readonly database" in told:
        return "The database cannot be written: give this account the right to write to it and its folder."
    kind = type(problem).__name__
    return f"This is a fault in Floorside ({kind}). Nothing was half-written. {_keep_details(problem)}"


def _keep_details(problem: Exception) -> str:
    folder = platformdirs.user_state_path("floorside")
    report = folder / "last-fault.txt"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        report.write_text("".join(traceback.format_exception(problem)), "utf-8")
    except OSError:
        return "Please tell whoever runs it what you did."
    return f"The details are in {report}: please send them to whoever runs it."


def spare_the_collector() -> None:
    """A batch makes tens of thousands of short-lived objects: at Python's own threshold looking for cycles among them,
    and among the program itself, took an eighth of a push and a quarter of a rebuild."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_OBJECTS)

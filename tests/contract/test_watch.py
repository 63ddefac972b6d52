"""`sync-server watch` as cron and services start it: killed in the middle, ended by a signal, one at a time."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.programs import Said, run_here

PROGRAM = "sync_server"
STARTER = Path(__file__).parents[2] / "assets" / "starter"
WAIT_S_MAX = 60.0
SHOPPERS = 4_000


def here(*words: object) -> Said:
    """A command line on a data folder, its last word, in this very process: seconds saved."""
    return run_here(PROGRAM, *words[:-1], "--data-dir", words[-1])


@pytest.fixture
def chain(tmp_path: Path) -> Path:
    """The data folder of an empty chain."""
    folder = tmp_path / "hq"
    assert here("init", "--chain", "Fjellvik", "--currency", "EUR", "--timezone", "Europe/Berlin", folder).status == 0
    return folder


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """A folder for other systems' files."""
    made = tmp_path / "drop"
    made.mkdir()
    return made


class Watcher:
    """`sync-server watch` as its own process."""

    def __init__(self, chain: Path, drop: Path, *words: str) -> None:
        command = [sys.executable, "-m", PROGRAM, "watch", str(drop), "--data-dir", str(chain), *words]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def line(self) -> str:
        """The next line it says."""
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def end(self, how: signal.Signals) -> tuple[int, str, str]:
        """Send a signal and wait: (status, what else it said, what it complained of)."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=WAIT_S_MAX)
        return self.process.returncode, out, err


def count_facts(chain: Path) -> int:
    """How much of the shoppers' file HQ holds."""
    with contextlib.closing(sqlite3.connect(chain / "central.db")) as database:
        [count] = database.execute("SELECT count(*) FROM fact WHERE origin = 'import-shoppers'").fetchone()
        return int(count)


def names(folder: Path) -> set[str]:
    """All files below a folder, without the lock."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {
        ".floorside-watch.lock"
    }


def write_shoppers(drop: Path) -> None:
    """A file that takes a while, with a bad row at its end."""
    lines = [f"29{number:011},s{number}@example.org\n" for number in range(SHOPPERS)]
    (drop / "shoppers.csv").write_text("loyalty_id,email\n" + "".join(lines) + "too,many,values\n")
    (drop / "shoppers.csv.done").touch()


def wait_until_begun(chain: Path, watcher: Watcher) -> None:
    """Until some of the file is at HQ."""
    until = time.monotonic() + WAIT_S_MAX
    while count_facts(chain) == 0:
        assert time.monotonic() < until, "nothing was taken"
        with contextlib.suppress(subprocess.TimeoutExpired):
            watcher.process.wait(0.02)
            raise AssertionError(f"it ended: {watcher.process.communicate()}")


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("how", "status"), [(signal.SIGKILL, -9), (signal.SIGTERM, 0)])
def test_ended_in_the_middle_of_a_file_it_loses_and_doubles_nothing(
    chain: Path, drop: Path, how: signal.Signals, status: int
) -> None:
    """By a power cut or by a signal: the next start takes the rest, and only then the file goes."""
    write_shoppers(drop)
    watcher = Watcher(chain, drop)
    wait_until_begun(chain, watcher)
    ended, _, complaint = watcher.end(how)
    assert ended == status
    assert ("is not through" in complaint) == (how is signal.SIGTERM)
    held = count_facts(chain)
    assert 0 < held < SHOPPERS
    assert "shoppers.csv" in names(drop)
    told = json.loads(here("watch", drop, "--once", "--json", chain).out)
    assert (told["report"]["taken"], told["report"]["known"]) == (SHOPPERS - held, held)
    assert count_facts(chain) == SHOPPERS
    assert names(drop) == {told["place"], f"{told['place']}.bad.jsonl"}


def test_a_whole_chain_dropped_at_once_is_set_up_in_turn(chain: Path, drop: Path) -> None:
    """The starter files, put there in no order: nothing is left out, each is said in a line, and cron is content."""
    for path in STARTER.iterdir():
        (drop / path.name).write_bytes(path.read_bytes())
        (drop / f"{path.name}.done").touch()
    said = here("watch", drop, "--once", chain)
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    assert [line.partition(".")[0] for line in lines[:2]] == ["stores", "associates"]
    assert len(lines) == len(list(STARTER.iterdir()))
    assert not [line for line in lines if "left out" in line]
    assert all(name.startswith("done/") for name in names(drop))
    again = here("watch", drop, "--once", chain)
    assert (again.status, again.out, again.err) == (0, "", "")


def test_it_runs_until_a_signal_takes_what_comes_and_has_the_folder_alone(chain: Path, drop: Path) -> None:
    """As a service: a second one is refused, SIGTERM ends it as done."""
    watcher = Watcher(chain, drop, "--every", "0.1")
    assert watcher.line().startswith(f"Looking at {drop} every 0.1 s.")
    second = here("watch", drop, "--once", chain)
    assert (second.status, second.out, second.err.count("\n")) == (1, "", 1)
    assert "Another watcher looks after" in second.err
    (drop / "stores.csv.part").write_text("code,name\nbonn-1,Bonn\n")
    (drop / "stores.csv.part").rename(drop / "stores.csv")
    assert watcher.line().startswith("stores.csv: 1 stores taken, 0 known already; now in done/")
    assert watcher.end(signal.SIGTERM) == (0, "", "")


def test_a_refused_file_is_cron_s_business(chain: Path, drop: Path) -> None:
    """Status 1 and one sentence that says where to look."""
    (drop / "orders.csv").write_text("a,b\n1,2\n")
    (drop / "orders.done").touch()
    said = here("watch", drop, "--once", chain)
    assert said.status == 1
    assert said.err == f"1 of the files were refused: they are in {drop / 'failed'}, each with its reason.\n"
    assert names(drop) == {"failed/orders.csv", "failed/orders.csv.reason.txt"}


@pytest.mark.parametrize(
    ("words", "says"),
    [(["--every", "0"], "--every is 0.1 to 86400 seconds"), ([], "cannot be watched")],
)
def test_what_cannot_be_watched_is_refused_in_a_sentence(
    chain: Path, tmp_path: Path, words: list[str], says: str
) -> None:
    """A folder that is not there, a pause that is none."""
    said = here("watch", tmp_path / "nowhere", *words, chain)
    assert (said.status, said.err.count("\n")) == (1, 1)
    assert says in said.err

"""One chaos run from founding the chain to the verdict: who is started, what is done to them and when.

The moments and kinds of faults come from the seed; what they meet is up to real processes. Nothing is judged here.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from associate_app.bootstrap import make_tablet
from associate_app.settings import Settings as TabletSettings
from sync_server.bootstrap import open_headquarters
from sync_server.settings import Settings
from tests.chaos.cable import FAULTS, BadCable
from tests.chaos.places import Place, PostgresqlPlace, SqlitePlace
from tests.chaos.tablet import STORE
from tests.chaos.verdict import judge, read_hq, read_truth
from tests.support.programs import ServerProcess, run, run_json
from tests.support.traffic import found_chain

DRAIN_S_MAX = 300
BACKUP_AT = 0.15
RESTORES_AT = (0.45, 0.75)
CRASHES_AT = (0.3, 0.6)
"""Parts of the run's time."""
PAUSES_S = {"tablet killed": (1.0, 6.0), "server killed": (5.0, 14.0), "cable torn": (2.0, 8.0)}
MUST_STRIKE = ("tablet killed", "server killed", "backup restored")
CABLE_MUST_STRIKE_FROM_S = 90.0
"""In a run as long as this every kind of fault of the cable must have struck too."""


class ChaosRun:
    """The processes of a run and what struck them."""

    def __init__(self, folder: Path, *, tablets: int, seed: int, is_postgresql: bool, say: Console) -> None:
        self._folder, self._hq_dir, self._say = folder, folder / "hq", say
        self._seed, self._draw = seed, random.Random(seed)
        self._place: Place = (
            PostgresqlPlace(self._hq_dir, folder / "pg") if is_postgresql else SqlitePlace(self._hq_dir)
        )
        os.environ["FLOORSIDE_DATABASE"] = self._place.url
        self._servers = [ServerProcess(self._hq_dir) for _ in range(2 if is_postgresql else 1)]
        self._cable = BadCable([server.port for server in self._servers], seed)
        self._names = [f"tablet-{number}" for number in range(tablets)]
        self._tablets: dict[str, subprocess.Popen[bytes]] = {}
        self._starts = 0
        self._struck: Counter[str] = Counter()

    def go(self, seconds: float) -> int:
        """Everything, in order; the exit status."""
        self._found()
        for name in self._names:
            self._enrol(name)
            self._start(name)
        self._cable.spoil()
        self._strike_for(seconds)
        self._cable.mend()
        drained_s = self._drain()
        return self._conclude(drained_s, self._must_strike(seconds))

    def _must_strike(self, seconds: float) -> tuple[str, ...]:
        """What this run must have met to be a proof."""
        crashes = ("PostgreSQL killed",) if isinstance(self._place, PostgresqlPlace) else ()
        return (*MUST_STRIKE, *crashes, *(FAULTS if seconds >= CABLE_MUST_STRIKE_FROM_S else ()))

    def close(self) -> None:
        """End every process of this run, whichever of them will not end well."""
        with ExitStack() as ends:
            ends.callback(self._place.close)
            ends.callback(self._cable.close)
            for server in self._servers:
                ends.callback(server.kill)
            for tablet in self._tablets.values():
                ends.callback(tablet.wait)
                ends.callback(tablet.kill)

    # who is there

    def _found(self) -> None:
        with open_headquarters(Settings(data_dir=self._hq_dir, database=self._place.url)) as hq:
            found_chain(hq)
        for server in self._servers:
            server.start()

    def _enrol(self, name: str) -> None:
        code = run_json("sync_server", "device", "enrol", "--store", STORE, "--data-dir", self._hq_dir)["code"]
        words = ("enrol", code, "--server", self._cable.url, "--name", name, "--data-dir", self._folder / name)
        said = run("associate_app", *words)
        assert said.status == 0, said.err

    def _start(self, name: str, *words: str) -> None:
        self._starts += 1
        told = ["--data-dir", self._folder / name, "--truth", self._folder / f"{name}.truth"]
        command = [sys.executable, "-m", "tests.chaos.tablet", *told, "--seed", self._seed * 10_000 + self._starts]
        with (self._folder / f"{name}.log").open("ab") as log:
            self._tablets[name] = subprocess.Popen(
                [*map(str, command), *words], stdout=log, stderr=log, start_new_session=True
            )

    # what is done to them

    def _strike_for(self, seconds: float) -> None:
        """Faults at their drawn moments until the time is over."""
        deeds: dict[str, Callable[[], None]] = {
            "tablet killed": self._kill_tablet,
            "server killed": self._kill_server,
            "cable torn": self._cable.cut,
        }
        due = {what: self._draw.uniform(*PAUSES_S[what]) for what in deeds}
        planned = [(BACKUP_AT, self._back_up), *((at, self._restore) for at in RESTORES_AT)]
        planned += [(at, self._crash) for at in CRASHES_AT]
        planned.sort(key=lambda one: one[0])
        started_s = time.monotonic()
        columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._say) as bar:
            task = bar.add_task("Chaos", total=seconds)
            while (now_s := time.monotonic() - started_s) < seconds:
                bar.update(task, completed=now_s, description=f"Chaos, {self._struck.total()} blows")
                while planned and now_s >= planned[0][0] * seconds:
                    planned.pop(0)[1]()
                for what in [what for what, at_s in due.items() if now_s >= at_s]:
                    deeds[what]()
                    due[what] = time.monotonic() - started_s + self._draw.uniform(*PAUSES_S[what])
                time.sleep(0.05)
        for _, deed in planned:
            deed()

    def _kill_tablet(self) -> None:
        name = self._draw.choice(self._names)
        tablet = self._tablets[name]
        assert tablet.poll() is None, f"{name} ended by itself: {(self._folder / f'{name}.log').read_text()[-2000:]}"
        tablet.kill()
        tablet.wait()
        self._struck["tablet killed"] += 1
        self._start(name)

    def _kill_server(self) -> None:
        server = self._draw.choice(self._servers)
        server.kill()
        self._struck["server killed"] += 1
        time.sleep(self._draw.uniform(0, 1.5))
        server.start()

    def _back_up(self) -> None:
        self._place.back_up()
        self._struck["backup taken"] += 1

    def _restore(self) -> None:
        for server in self._servers:
            server.kill()
        self._place.restore()
        self._struck["backup restored"] += 1
        for server in self._servers:
            server.start()

    def _crash(self) -> None:
        self._struck["PostgreSQL killed"] += self._place.crash()

    # the end

    def _drain(self) -> float:
        """Nobody records any more; each tablet is started once more to send and receive all. Seconds taken."""
        started_s = time.monotonic()
        for name, tablet in self._tablets.items():
            tablet.kill()
            tablet.wait()
            self._start(name, "--drain")
        for name, tablet in self._tablets.items():
            left_s = max(1.0, DRAIN_S_MAX - (time.monotonic() - started_s))
            status = tablet.wait(timeout=left_s)
            assert status == 0, f"{name} does not drain: {(self._folder / f'{name}.log').read_text()[-2000:]}"
        return time.monotonic() - started_s

    def _replica(self) -> dict[str, str]:
        """The store's documents as a fresh second tablet holds them."""
        self._enrol("fresh")
        self._start("fresh", "--drain")
        assert self._tablets["fresh"].wait(timeout=DRAIN_S_MAX) == 0, "the fresh tablet does not finish"
        database = make_tablet(TabletSettings(data_dir=self._folder / "fresh", is_own_folder=True)).open_database()
        try:
            wanted = "SELECT id, body FROM document JOIN replica USING (slice) WHERE scope = ?"
            rows = database._connection._raw.execute(wanted, (f"store:{STORE}",))  # as stored, past every service
            return {id_: bytes(body).decode() for id_, body in rows}
        finally:
            database.close()

    def _conclude(self, drained_s: float, must_strike: tuple[str, ...]) -> int:
        replica = self._replica()
        truth = read_truth(self._folder / f"{name}.truth" for name in self._names)
        verdict = judge(truth, read_hq(self._place.url, f"store:{STORE}"), replica)
        struck = self._struck + self._cable.struck
        table = Table("What struck", "Times")
        for what, times in sorted(struck.items()):
            table.add_row(what, str(times))
        self._say.print(table)
        for example in verdict.examples:
            self._say.print(example)
        missing = [what for what in must_strike if not struck[what]]
        if missing or not self._cable.struck:
            self._say.print(f"This was no chaos: {', '.join(missing) or 'no fault on the cable'} never struck.")
        self._say.print(f"Drained in {drained_s:.1f} s, seed {self._seed}.")
        figures = f"{verdict.recorded} / {verdict.at_hq} / {verdict.lost} / {verdict.doubled}"
        self._say.print(f"recorded / at HQ / lost / doubled: {figures}")
        return 0 if verdict.is_good and not missing and self._cable.struck else 1

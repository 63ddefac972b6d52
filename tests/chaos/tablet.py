"""A tablet without screens, as its own process: records without pause, syncs as the app does, writes the truth.

`python -m tests.chaos.tablet --data-dir DIR --truth FILE --seed N [--drain]`. Before each record it writes `about`,
after the commit `saved`, each line fsynced, because this process is killed at any moment. With `--drain` it records
nothing and ends when everything is sent, received and checked.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

from associate_app.bootstrap import Tablet, make_tablet
from associate_app.ports import NewOp, TabletDatabase
from associate_app.services.lookup import ShopperKey
from associate_app.services.record import Recorder, add_note, withdraw
from associate_app.settings import Settings
from associate_app.sync.rounds import run_until_idle
from associate_app.sync.worker import SyncThread
from shared.clock import format_at
from tests.support.traffic import OUTCOMES, PLAYS, STORES, loyalty_number

STORE = STORES[0].code
SHOPPERS = 400
"""Enough that no profile reaches its newest 500 notes, beyond which a note would rightly be missing."""
PAUSE_S_MAX = 0.1
ASKED_S_MAX = 3.0
DRAIN_TRIES = 40


class Truth:
    """What was shown as saved, kept apart from the tablet's own file."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._file.write("\n")  # ends a line that a kill tore

    def write(self, **line: Any) -> None:
        """Append a line and wait for the disk."""
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def record_one(recorder: Recorder, truth: Truth, draw: random.Random, undoable: list[str]) -> None:
    """One record of a shop's day, with what it must leave behind at HQ."""
    number, roll = draw.randrange(SHOPPERS), draw.random()
    key = ShopperKey("loyalty_id", loyalty_number(number), f"p{number}")
    if roll < 0.05 and undoable:
        first = undoable.pop(draw.randrange(len(undoable)))
        truth.write(what="about", kind="undo", of=first)
        truth.write(what="saved", kind="undo", of=first, op_id=withdraw(recorder, first).op_id)
        return
    token = f"{os.getpid()}-{draw.getrandbits(64):016x}"
    truth.write(what="about", kind="record", token=token)
    is_note = roll < 0.6
    op_id = add_note(recorder, key, f"Note {token}").op_id if is_note else _outcome(recorder, key, draw)
    truth.write(what="saved", kind="note" if is_note else "outcome", token=token, op_id=op_id)
    undoable.append(op_id)


def _outcome(recorder: Recorder, key: ShopperKey, draw: random.Random) -> str:
    body = {
        "shopper": {"type": key.type, "value": key.value},
        "play_id": draw.choice(PLAYS),
        "play_version": 1,
        "outcome": draw.choice(OUTCOMES),
        "arm": "shown",
        "rule_pack": "0" * 64,
    }
    at = format_at(recorder.clock.now())
    op = NewOp(recorder.make_id(), "outcome_recorded", f"store:{STORE}", recorder.associate_id, at, body)
    recorder.database.record([op])
    recorder.ring()
    return op.op_id


def work(tablet: Tablet, database: TabletDatabase, truth: Truth, seed: int) -> None:
    """Record and sync until killed, or until whoever started this is gone."""
    undoable: list[str] = []
    draw, parent = random.Random(seed), os.getppid()
    sync = SyncThread(tablet.open_driver)
    sync.start()
    recorder = tablet.recorder(database, "a0001", sync.ring)
    asked_s = 0.0
    while os.getppid() == parent:
        record_one(recorder, truth, draw, undoable)
        time.sleep(draw.uniform(0, PAUSE_S_MAX))
        if time.monotonic() > asked_s:  # somebody presses "Send now": back-off must not hide the faults
            asked_s = time.monotonic() + draw.uniform(0.2, ASKED_S_MAX)
            sync.ring("asked")


def drain(tablet: Tablet) -> int:
    """Sync until everything is through; 1 if it did not come to an end."""
    driver, shut = tablet.open_driver()
    try:
        for _ in range(DRAIN_TRIES):
            if run_until_idle(driver, pause=time.sleep, patience_s=20.0).is_complete:
                return 0
            time.sleep(0.5)
    finally:
        driver.close()
        shut()
    return 1


def main() -> int:
    """Read the words and do it."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.tablet")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--drain", action="store_true")
    said = parser.parse_args()
    tablet = make_tablet(Settings(data_dir=said.data_dir, is_own_folder=True))
    if said.drain:
        return drain(tablet)
    database = tablet.open_database()
    work(tablet, database, Truth(said.truth), said.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())

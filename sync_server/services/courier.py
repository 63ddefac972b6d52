"""The courier: brings changes to other systems while the server runs, within seconds of the commit that made them.

Woken by the doorbell, and by a look every `LOOK_S` for what other processes committed. Each target has its own thread,
so one that does not answer keeps no other waiting; after a failure it rests, longer each time. Any number of servers
may run one on the same database: places are given out under a lock, and who sends to a target has claimed it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Final

from shared.clock import shift_at
from shared.errors import FloorsideError
from sync_server.ports import CentralReader
from sync_server.services.changes import Lens, note_changes, note_some
from sync_server.services.headquarters import Headquarters
from sync_server.services.trait_targets import LENSES, Delivery, Outlet, bring_up_to_date, is_due, lenses_of

LOOK_S: Final = 1.5
REST_S_MAX: Final = 300
_MARKS: Final = 200
_SENDERS: Final = 8


class Courier:
    """One a process. `run` returns when the outlet's `stopped` is set and what is under way has ended."""

    def __init__(self, hq: Headquarters, outlet: Outlet, complain: Callable[[str], None]) -> None:
        self._hq = hq
        self._outlet = outlet
        self._complain = complain
        self._woken = threading.Event()
        self._running: dict[str, Future[Delivery]] = {}
        hq.doorbell.listeners.append(self._woken.set)

    def wake(self) -> None:
        """Look again now."""
        self._woken.set()

    def run(self) -> None:
        """Look, send, wait; until stopped. A database that is away is looked at again in a moment."""
        told = ""
        with ThreadPoolExecutor(_SENDERS, "floorside courier") as senders:
            while not self._outlet.stopped.is_set():
                self._woken.clear()
                try:
                    self._look(senders)
                    told = ""
                except FloorsideError as problem:
                    if told != str(problem):
                        told = str(problem)
                        self._complain(f"Webhooks wait: {problem}")
                self._woken.wait(LOOK_S)

    def _look(self, senders: ThreadPoolExecutor) -> None:
        with self._hq.database.read() as reader:
            targets = reader.rows("trait_target")
            has_marks = bool(reader.profile_marks(1))
            unread = {lens.name: setting for lens in lenses_of(targets) if (setting := _unread(reader, lens, self._hq))}
        for lens in lenses_of(targets):
            if lens.name in unread:
                self._walk(lens, unread[lens.name])
        if has_marks:
            self._take_marks(targets)
        self._send(senders)

    def _walk(self, lens: Lens, setting: str) -> None:
        """A new target, or a playbook that was published: everybody's list may be another."""
        note_changes(self._hq, lens)
        with self._hq.database.write() as tx:
            tx.write_note(_walked(lens), setting)

    def _take_marks(self, targets: Sequence[Mapping[str, Any]]) -> None:
        """Without a target nobody is told: the marks go, and the first target begins with a walk."""
        lenses = lenses_of(targets)
        with self._hq.database.write() as tx:
            for lens in LENSES.values():
                if lens not in lenses and tx.note(_walked(lens)):
                    tx.write_note(_walked(lens), "")
        while not self._outlet.stopped.is_set():
            with self._hq.database.read() as reader:
                marks = reader.profile_marks(_MARKS)
            if not marks:
                return
            for lens in lenses:
                note_some(self._hq, lens, sorted(set(marks.values())))
            with self._hq.database.write() as tx:
                tx.drop_marks(marks)

    def _send(self, senders: ThreadPoolExecutor) -> None:
        self._running = {id_: one for id_, one in self._running.items() if not one.done()}
        with self._hq.database.read() as reader:
            due = [row for row in reader.rows("trait_target") if is_due(reader, row)]
        for target in due:
            if target["target_id"] not in self._running and self._has_rested(target):
                future = senders.submit(bring_up_to_date, self._hq, self._outlet, target)
                self._running[target["target_id"]] = future

    def _has_rested(self, target: Mapping[str, Any]) -> bool:
        if not target["failed_at"]:
            return True
        rest_s = min(2 ** min(int(target["failures"]), 10), REST_S_MAX)
        return bool(shift_at(target["failed_at"], seconds=rest_s) <= self._hq.now_at())


def _walked(lens: Lens) -> str:
    return f"{lens.name}_walked"


def _unread(reader: CentralReader, lens: Lens, hq: Headquarters) -> str | None:
    """What the lens is made of now, where the last walk was by something else."""
    setting = f"by {lens.open(reader, hq.now_at()).setting}"
    return None if reader.note(_walked(lens)) == setting else setting

"""Drives the sync engine: one step at a time, one worker a tablet, and the status everybody else reads. Steps 6 and 8.

`SyncDriver.step()` carries out exactly one action (at most one request or one transaction) and says in how many seconds
it wants to be called again; it never raises and always says a time, whatever happened inside. It decides nothing: the
rules are in `engine.py`. A driver and its database connection belong to one thread; `ring` and `status` to all.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from associate_app.ports import Chance, Clock, PictureShelf, SyncEndpoint, TabletDatabase
from associate_app.sync import engine, steps
from associate_app.sync.errands import UNTIDY_NOTE, Errands
from associate_app.sync.state import EngineState, Trouble
from associate_app.sync.status import SyncStatus, draw_up_status
from shared.errors import StorageFull

LEASE_S: Final = 15.0
LEASE_RENEWAL_S: Final = 5.0
ELSEWHERE_S: Final = 2.0
BROKEN_STEP_S: Final = 5.0
STORAGE_FULL_S: Final = 30.0
WIPE_AFTER_DAYS: Final = 14
_ORDER_OF_RINGS: Final[tuple[steps.Ring, ...]] = ("timer", "record", "doorbell", "asked")
_KEEP_STREAM: Final = (steps.LoadLines, steps.PushOps, steps.Settle, steps.Withhold)

_log: Final = logging.getLogger(__name__)

Watcher = Callable[[SyncStatus], None]


class SyncDriver:
    """The one worker that talks to HQ for a tablet. `owner` names it in the lease row."""

    def __init__(
        self,
        database: TabletDatabase,
        endpoint: SyncEndpoint,
        clock: Clock,
        chance: Chance,
        *,
        app_version: str,
        owner: str,
        wipe_after_days: int = WIPE_AFTER_DAYS,
        pictures: PictureShelf | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._app_version = app_version
        self._owner = owner
        self._errands = Errands(
            database,
            endpoint,
            clock,
            chance,
            app_version=app_version,
            owner=owner,
            wipe_after_days=wipe_after_days,
            pictures=pictures,
        )
        self._state, self._action = engine.begin(app_version)
        self._wake_s = clock.monotonic_s()
        self._lease_until_s = float("-inf")
        self._ring: steps.Ring | None = None
        self._lock = threading.Lock()
        self._status = SyncStatus()
        self._watchers: list[Watcher] = []

    # what others see

    def ring(self, reason: steps.Ring = "record") -> None:
        """Wake the worker: from any thread. The strongest reason counts."""
        with self._lock:
            self._ring = max(self._ring or "timer", reason, key=_ORDER_OF_RINGS.index)

    def status(self) -> SyncStatus:
        """How sync stands: from any thread."""
        return self._status

    def subscribe(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` on the worker's thread whenever the status changed; returns what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    @property
    def is_resting(self) -> bool:
        """Whether the worker sleeps."""
        return isinstance(self._action, steps.Sleep)

    @property
    def state(self) -> EngineState:
        """The engine's state, for the checks of a simulation."""
        return self._state

    # one step

    def step(self) -> float:
        """Carry out one action; returns the seconds until the next call (0: at once). Never raises: the timer re-arms
        whatever happens, because a worker that stopped silently would strand everything recorded after."""
        try:
            return self._step()
        except Exception:  # noqa: BLE001 - the last line of defence; logged with its traceback
            _log.exception("A sync step failed where nothing should; it starts again from the beginning.")
            self._start_over(BROKEN_STEP_S)
            return BROKEN_STEP_S

    def _step(self) -> float:
        left_s = self._wake_s - self._clock.monotonic_s()
        if self.is_resting and left_s > 0 and self._ring is None:
            return left_s
        try:
            is_ours = self._hold_lease()
        except StorageFull:
            self._publish(trouble=Trouble("storage_full"))
            return STORAGE_FULL_S
        if is_ours:
            return self._take_step()
        if not self.is_resting:
            self._start_over(0.0)
        self._publish(is_elsewhere=True)
        return ELSEWHERE_S

    def _take_step(self) -> float:
        event: steps.Event
        if self.is_resting:
            event = steps.Woke(self._errands.moment(), self._take_ring())
        else:
            event = self._errands.carry_out(self._action)
        self._state, self._action = engine.advance(self._state, event)
        if not isinstance(self._action, _KEEP_STREAM):
            self._errands.close_stream()
        self._publish()
        return self._rest_s(event.moment.now_s)

    def _rest_s(self, now_s: float) -> float:
        if not isinstance(self._action, steps.Sleep):
            return 0.0
        self._wake_s = now_s + self._action.seconds
        return 0.0 if self._ring is not None else self._action.seconds

    def _start_over(self, after_s: float) -> None:
        """Forget the engine's state; nothing recorded or received is lost by that."""
        self._state, self._action = engine.begin(self._app_version)
        self._wake_s = self._clock.monotonic_s() + after_s
        self._errands.close_stream()

    def _take_ring(self) -> steps.Ring:
        with self._lock:
            ring, self._ring = self._ring or "timer", None
        return ring

    # one worker a tablet

    def _hold_lease(self) -> bool:
        """Take or renew the lease; renewed every few seconds only, for each renewal is a write."""
        monotonic_s = self._clock.monotonic_s()
        if monotonic_s < self._lease_until_s - (LEASE_S - LEASE_RENEWAL_S):
            return True
        now_s = self._clock.now().timestamp()
        is_ours = self._database.lease(self._owner, now_s + LEASE_S, now_s)
        self._lease_until_s = monotonic_s + LEASE_S if is_ours else float("-inf")
        return is_ours

    def close(self) -> None:
        """Orderly end: give the lease back. The database is the caller's to close."""
        self._errands.close_stream()
        if self._lease_until_s <= self._clock.monotonic_s():
            return
        now_s = self._clock.now().timestamp()
        with self._database.atomic():
            if self._database.lease(self._owner, now_s, now_s):
                self._database.write_note(UNTIDY_NOTE, None)

    # the status

    def _publish(self, *, is_elsewhere: bool = False, trouble: Trouble | None = None) -> None:
        """Put the status together, and tell who watches if it changed."""
        known = self._status
        fresh = draw_up_status(known, self._state, self._errands.memory, self._clock.now(), trouble)
        self._status = fresh = replace(fresh, is_elsewhere=is_elsewhere)
        for watcher in list(self._watchers) if fresh != known else ():
            self._tell(watcher, fresh)

    def _tell(self, watcher: Watcher, status: SyncStatus) -> None:
        try:
            watcher(status)
        except Exception:  # noqa: BLE001 - a watcher's bug must not stop the sync; logged with its traceback
            _log.exception("A watcher of the sync status failed.")

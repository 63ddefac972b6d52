"""The threads of sync: one that drives the worker with its own database connection, one that listens for the doorbell.

Both loops re-arm whatever happens inside; stopping them is a matter of one event. They hold no rule of sync.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Final, Protocol

from associate_app.sync.driver import SyncDriver, Watcher
from associate_app.sync.status import SyncStatus
from associate_app.sync.steps import Ring

OPEN_AGAIN_S: Final = 5.0
BROKEN_S: Final = 5.0

_log: Final = logging.getLogger(__name__)


class Stepper(Protocol):
    """What a loop drives: one step, and the seconds until the next."""

    def step(self) -> float:
        """Do one thing; never raises."""


class SteppingThread:
    """Calls `step()` for ever on a thread of its own, at once when `ring` is called."""

    def __init__(self, name: str) -> None:
        self._bell = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> bool:
        """Ask it to end and wait; says whether it did. One in the middle of a request ends with that."""
        self._stop.set()
        self._bell.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def wake(self) -> None:
        """End the present sleep."""
        self._bell.set()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                delay_s = self._step()
            except Exception:  # noqa: BLE001 - the loop outlives everything; logged with its traceback
                _log.exception("%s failed; it goes on.", self._thread.name)
                delay_s = BROKEN_S
            if delay_s > 0:
                self._bell.wait(delay_s)
            self._bell.clear()
        self._end()

    def _step(self) -> float:
        raise NotImplementedError

    def _end(self) -> None:
        """What is left to do on the thread itself."""


class SyncThread(SteppingThread):
    """The worker's thread. `open_driver` is called on it, so that the connection it opens is the thread's own, and
    gives the driver and what closes that connection."""

    def __init__(
        self, open_driver: Callable[[], tuple[SyncDriver, Callable[[], None]]], *, name: str = "floorside sync"
    ) -> None:
        super().__init__(name)
        self._open_driver = open_driver
        self._driver: SyncDriver | None = None
        self._shut: Callable[[], None] = lambda: None
        self._watchers: list[Watcher] = []
        self._early_ring: Ring | None = None
        self._must_reopen = False

    def ring(self, reason: Ring = "record") -> None:
        """Wake the worker; from any thread. A commit rings with `record`, *Send now* with `asked`."""
        driver = self._driver
        if driver is None:
            self._early_ring = reason
        else:
            driver.ring(reason)
        self.wake()

    def reopen(self) -> None:
        """Open the driver anew before the next step, for another address of HQ: after connecting again. Any thread."""
        self._must_reopen = True
        self.ring("asked")

    def status(self) -> SyncStatus:
        """How sync stands."""
        return self._driver.status() if self._driver is not None else SyncStatus()

    def subscribe(self, watcher: Watcher) -> Callable[[], None]:
        """Call `watcher` on the worker's thread whenever the status changed; returns what ends that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher) if watcher in self._watchers else None

    def _step(self) -> float:
        if self._must_reopen:
            self._must_reopen = False
            self._close()
        driver = self._driver or self._open()
        return driver.step()

    def _open(self) -> SyncDriver:
        driver, self._shut = self._open_driver()
        driver.subscribe(self._tell)
        if self._early_ring is not None:
            driver.ring(self._early_ring)
        self._driver, self._early_ring = driver, None
        return driver

    def _tell(self, status: SyncStatus) -> None:
        for watcher in list(self._watchers):
            watcher(status)

    def _close(self) -> None:
        driver, self._driver = self._driver, None
        shut, self._shut = self._shut, lambda: None
        self._early_ring = "asked"
        try:
            if driver is not None:
                driver.close()
        finally:
            shut()

    def _end(self) -> None:
        self._close()


class OpeningThread(SteppingThread):
    """A thread with a database connection of its own. `open_stepper` is called on it, and gives what is stepped and
    what closes the connection."""

    def __init__(self, open_stepper: Callable[[], tuple[Stepper, Callable[[], None]]], *, name: str) -> None:
        super().__init__(name)
        self._open_stepper = open_stepper
        self._stepper: Stepper | None = None
        self._shut: Callable[[], None] = lambda: None

    def _step(self) -> float:
        if self._stepper is None:
            self._stepper, self._shut = self._open_stepper()
        return self._stepper.step()

    def _end(self) -> None:
        self._shut()


class PictureThread(OpeningThread):
    """The pictures' thread."""

    def __init__(
        self, open_stepper: Callable[[], tuple[Stepper, Callable[[], None]]], *, name: str = "floorside pictures"
    ) -> None:
        super().__init__(open_stepper, name=name)


class DoorbellThread(SteppingThread):
    """The doorbell's thread; it opens nothing and is stopped first."""

    def __init__(self, doorbell: Stepper, *, name: str = "floorside doorbell") -> None:
        super().__init__(name)
        self._doorbell = doorbell

    def _step(self) -> float:
        return self._doorbell.step()

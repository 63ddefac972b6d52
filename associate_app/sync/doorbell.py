"""The doorbell: asks HQ to say when a feed has moved, and rings the one worker. Carries no documents.

A second, tiny loop with an endpoint of its own. Losing it costs only time: the worker polls anyway. It starts ringing
when the worker has a session; while the worker is cut off it looks, now and then, whether HQ is back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Final

from associate_app.ports import Chance, SyncEndpoint
from associate_app.sync.status import SyncStatus
from shared.errors import Problem, Weather

WAIT_S: Final = 25
IDLE_S: Final = 5.0
BETWEEN_S: Final = 0.5
"""Between two answers, so that heads that race never make a tight loop."""
RETRY_S_MAX: Final = 30.0
REFUSED_S: Final = 300.0
_OFF_DUTY: Final = ("needs_connect", "revoked", "upgrade")

_log: Final = logging.getLogger(__name__)


class Doorbell:
    """`status` tells how the worker stands, `ring` wakes it; both may be called from this loop's own thread."""

    def __init__(
        self,
        endpoint: SyncEndpoint,
        status: Callable[[], SyncStatus],
        ring: Callable[[], None],
        chance: Chance,
        *,
        wait_s: int = WAIT_S,
    ) -> None:
        self._endpoint = endpoint
        self._status = status
        self._ring = ring
        self._chance = chance
        self._wait_s = wait_s
        self._rung_for: dict[str, tuple[int, int]] = {}
        self._failures = 0

    def step(self) -> float:
        """Ask once; returns the seconds until the next call. Never raises: a doorbell that broke must not be missed."""
        status = self._status()
        if status.epoch is None or not status.heads or status.trouble in _OFF_DUTY:
            return IDLE_S
        try:
            return self._listen(status)
        except Weather:
            return self._back_off()
        except Problem as problem:
            return self._refused(problem)
        except Exception:  # noqa: BLE001 - logged with its traceback; the timer re-arms
            _log.exception("The doorbell failed.")
            return REFUSED_S

    def _listen(self, status: SyncStatus) -> float:
        may_wait = self._failures == 0 and status.offline_since_at is None
        reply = self._endpoint.wait(self._known(status.heads), self._wait_s if may_wait else 0)
        is_back = not may_wait
        self._failures = 0
        now = self._status()
        known = self._known(now.heads)
        has_moved = any(known.get(scope, at) != at for scope, at in reply.heads.items())
        self._rung_for = {scope: (at, reply.heads.get(scope, at)) for scope, at in now.heads.items()}
        if is_back or has_moved or reply.epoch != now.epoch:
            self._ring()
        return self._chance.uniform(IDLE_S, RETRY_S_MAX) if now.offline_since_at is not None else BETWEEN_S

    def _known(self, heads: Mapping[str, int]) -> dict[str, int]:
        """What was rung for counts as known until the worker has moved, so that one that cannot pull now is not rung
        again and again."""
        rung_for = self._rung_for
        return {
            scope: rung_for[scope][1] if scope in rung_for and rung_for[scope][0] == at else at
            for scope, at in heads.items()
        }

    def _refused(self, problem: Problem) -> float:
        """Overload passes by itself; what else HQ refuses here, the worker finds out, and the poll goes on."""
        if problem.status >= 429:
            return max(float(problem.retry_after_s or 0), self._back_off())
        if problem.code == "scope_revoked":
            self._ring()
        return REFUSED_S

    def _back_off(self) -> float:
        self._failures += 1
        return max(1.0, self._chance.uniform(0.0, min(RETRY_S_MAX, 2.0 ** min(self._failures, 20))))

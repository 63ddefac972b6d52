"""Two writers met: the use case is run again as a whole, a few times, then the sender is told to wait (503 busy).

A use case is one transaction, so nothing of the attempt before is left, and what the other writer committed is seen.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from sync_server.ports import Conflict

TRIES_MAX: Final = 5
P = ParamSpec("P")
T = TypeVar("T")


def tried_again(use_case: Callable[P, T]) -> Callable[P, T]:
    """The use case, run again while it raises `Conflict`, at most `TRIES_MAX` times in all. No pause between: the
    other writer has committed or was let through when a conflict is raised."""

    @wraps(use_case)
    def run(*args: P.args, **named: P.kwargs) -> T:
        for _ in range(TRIES_MAX - 1):
            try:
                return use_case(*args, **named)
            except Conflict:
                continue
        return use_case(*args, **named)

    return run

"""How a service refuses a request: a `Problem` from the one table of `shared/wire/problems.py`."""

from __future__ import annotations

from typing import Any

from shared.errors import Problem
from shared.wire.problems import PROBLEMS


def refuse(code: str, detail: str = "", *, retry_after_s: int | None = None, **extra: Any) -> Problem:
    """The problem of a code, to be raised; `detail` defaults to the table's title."""
    kind = PROBLEMS[code]
    return Problem(code, detail or kind.title, status=kind.status, retry_after_s=retry_after_s, extra=extra)

"""Who is signed in on this process, since when nobody touched their screen, and whether it is locked.

A browser keeps a random token of its shift; here is what the token means. A locked shift stays locked whatever the
browser does: a page that is loaded anew asks for the PIN too. Pure; time comes in.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from associate_app.ui.faces import AssociateFace

SHIFT_S_MAX: Final = 12 * 3600.0
MINUTE_S: Final = 60.0


@dataclass(slots=True)
class _Held:
    associate: AssociateFace
    until_s: float
    touched_s: float
    is_locked: bool = False


class Shifts:
    """Who is signed in, by a random token kept in the browser.

    It survives a lost socket and ends with the process, with signing out, or after `SHIFT_S_MAX`. `monotonic_s` gives
    seconds that never go back.
    """

    def __init__(self, monotonic_s: Callable[[], float]) -> None:
        self._monotonic_s = monotonic_s
        self._by_token: dict[str, _Held] = {}

    def begin(self, associate: AssociateFace) -> str:
        """Remember a sign-in; returns its token (256 random bits)."""
        token, now_s = secrets.token_urlsafe(32), self._monotonic_s()
        self._by_token[token] = _Held(associate, now_s + SHIFT_S_MAX, now_s)
        return token

    def find(self, token: object) -> AssociateFace | None:
        """Who signed in with a token, and still is, locked or not."""
        held = self._find(token)
        return held.associate if held is not None else None

    def end(self, token: object) -> None:
        """Forget a sign-in."""
        if isinstance(token, str):
            self._by_token.pop(token, None)

    def touch(self, token: object) -> None:
        """Somebody touched the screen or a key; a locked shift is not opened by that."""
        held = self._find(token)
        if held is not None and not held.is_locked:
            held.touched_s = self._monotonic_s()

    def idle_s(self, token: object) -> float:
        """Seconds since the last touch; none for nobody."""
        held = self._find(token)
        return self._monotonic_s() - held.touched_s if held is not None else 0.0

    def is_locked(self, token: object, after_min: int) -> bool:
        """Whether the PIN is due: nobody touched it for so many minutes. From then on it is locked until `unlock`."""
        held = self._find(token)
        if held is None:
            return False
        held.is_locked = held.is_locked or self.idle_s(token) >= after_min * MINUTE_S
        return held.is_locked

    def unlock(self, token: object) -> None:
        """The PIN of the same associate was right."""
        held = self._find(token)
        if held is not None:
            held.is_locked, held.touched_s = False, self._monotonic_s()

    def _find(self, token: object) -> _Held | None:
        held = self._by_token.get(token) if isinstance(token, str) else None
        return held if held is not None and held.until_s > self._monotonic_s() else None

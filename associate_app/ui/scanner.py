"""The hand scanner: keys typed on any screen, gathered into a scan. Pure; time comes in.

A scanner types a whole code within a second or two and may or may not end with Enter. Keys further apart than
`GAP_S_MAX` belong to different scans, and as much silence ends one: between a browser and its hub lies bad Wi-Fi, and
a tablet may be busy. A signed card or an invitation says by itself when it is whole: then a short silence is enough,
and before that it may have gaps of up to `CARD_GAP_S_MAX`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared.cards import PREFIX as CARD_PREFIX
from shared.scan_code import ENROLMENT_PREFIX

GAP_S_MAX: Final = 0.5
CARD_GAP_S_MAX: Final = 4.0
SILENCE_S: Final = 0.1
"""What ends a signed card or an invitation that is whole."""
LATE_S: Final = 0.05
"""A silence told later than this was kept waiting by a busy loop, and so were the keys of a scan."""
ECHO_S: Final = 0.15
"""How long after a scan the tap that its Enter made on a focused button may still arrive."""
LENGTH_MIN: Final = 4
LENGTH_MAX: Final = 512

_HEADS: Final = (CARD_PREFIX, ENROLMENT_PREFIX)
"""How the long codes of ours begin."""
_ENTER: Final = ("Enter", "Numpad Enter", "NumpadEnter")
_SMALL_ONLY: Final = {"SS": "ß"}
"""Letters without a capital: what their label becomes in upper case, and what was meant."""
_SHIFTED: Final = dict(zip("1234567890-=[]\\;',./`", '!@#$%^&*()_+{}|:"<>?~', strict=True))


@dataclass(frozen=True, slots=True)
class Key:
    """A key press as Flet tells it: `label` is upper case, `has_shift` says which letter was meant."""

    label: str
    has_shift: bool = False
    is_chord: bool = False
    """Control, Alt or Meta was held: a shortcut, never part of a scan."""


class ScannerKeys:
    """Gathers key presses of one session. `is_whole` says whether a text is one of our long codes from end to end."""

    def __init__(self, is_whole: Callable[[str], bool]) -> None:
        self._is_whole = is_whole
        self._text = ""
        self._last_s = self._silent_since_s = float("-inf")
        self._finished_s = float("-inf")

    def press(self, key: Key, now_s: float) -> str | None:
        """Take a key; the finished scan when it was Enter."""
        # What is long enough to be a code is ended by `settle` alone, which knows whether a busy loop kept it waiting.
        if len(self._text) < LENGTH_MIN and now_s - self._last_s > self._gap_s_max():
            self._text = ""
        self._silent_since_s = now_s
        if key.label in _ENTER:
            return self._finish(now_s)
        typed = _typed(key)
        if typed == " " and not self._text:
            return None  # no code begins with one; it presses what has the focus
        if typed and len(self._text) < LENGTH_MAX:
            self._text += typed
            for head in _HEADS:
                if self._text.upper().endswith(head):
                    self._text = self._text[-len(head) :]  # none of them holds another full stop: here one begins
            self._last_s = now_s
        return None

    def wait_s(self) -> float | None:
        """How long silence must last to end what was typed so far; None where there is nothing to end."""
        if len(self._text) < LENGTH_MIN:
            return None  # too short to be a code: what follows belongs to it, or a gap begins anew
        return SILENCE_S if self._is_whole(self._text) else self._gap_s_max()

    def settle(self, now_s: float) -> str | None:
        """The finished scan if the silence has lasted long enough. Asked late it waits as long once more: keys that
        came in time may still lie in the socket."""
        wait_s = self.wait_s()
        late_s = now_s - self._silent_since_s - wait_s if wait_s is not None else float("-inf")
        if late_s > LATE_S:
            self._silent_since_s = now_s
            return None
        return self._finish(now_s) if late_s >= -0.001 else None

    def is_typing(self, now_s: float) -> bool:
        """Whether a scan is being typed or has just ended: a button pressed now was pressed by the scanner's Enter."""
        is_amid = len(self._text) >= LENGTH_MIN and now_s - self._last_s <= GAP_S_MAX
        return is_amid or now_s - self._finished_s <= ECHO_S

    def drop(self) -> None:
        """Forget what was typed: a text field has the focus."""
        self._text = ""

    def _gap_s_max(self) -> float:
        """How far apart two keys of what was typed may be: a long code that is begun and not whole waits longer."""
        is_begun = bool(self._text) and any(head.startswith(self._text[: len(head)].upper()) for head in _HEADS)
        return CARD_GAP_S_MAX if is_begun and not self._is_whole(self._text) else GAP_S_MAX

    def _finish(self, now_s: float) -> str | None:
        text, self._text = self._text, ""
        if len(text) < LENGTH_MIN:
            return None
        self._finished_s = now_s
        return text


def _typed(key: Key) -> str:
    """The character a key types, or nothing for keys that type none."""
    label = _SMALL_ONLY.get(key.label, key.label.removeprefix("Numpad "))
    if key.is_chord or len(label) != 1:
        return ""
    if label.isalpha() and label not in _SMALL_ONLY.values():
        return label.upper() if key.has_shift else label.lower()
    return _SHIFTED.get(label, label) if key.has_shift else label

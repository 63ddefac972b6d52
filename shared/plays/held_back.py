"""Why a play is held back and when it is back, as one plain sentence in the store's time zone."""

from __future__ import annotations

from typing import Final

from shared.plays.inputs import EvaluationInputs
from shared.plays.phrases import HELD
from shared.plays.sentences import event_words
from shared.plays.speech import ENGLISH, GERMAN, capital, clock_time, on_day, spoken
from shared.plays.suppression import Hold

_BACK: Final = {ENGLISH: "{held}; back {on} {time}", GERMAN: "{held}; wieder ab {day} {time}"}


def held_back_sentence(hold: Hold, inputs: EvaluationInputs, language: str = ENGLISH) -> str:
    """`Bought on Friday; back on Monday 10:00`, in the store's time zone."""
    tongue = spoken(language)
    since_s = hold.since_s if hold.since_s is not None else inputs.now_s
    values = {"on": _on(since_s, inputs, tongue), "n": hold.detail, "event": _event(hold.detail, tongue)}
    held = capital(HELD[tongue][_held_key(hold)].format_map(values))
    if hold.until_s is None:
        return held
    return _BACK[tongue].format(
        held=held,
        on=_on(hold.until_s, inputs, tongue),
        day=_on(hold.until_s, inputs, tongue).removeprefix("am "),
        time=clock_time(hold.until_s, inputs.view.zone),
    )


def _held_key(hold: Hold) -> str:
    if hold.reason == "outcome":
        return f"outcome_{hold.detail}"
    return "rule_plain" if hold.reason == "rule" and (not hold.detail or hold.since_s is None) else hold.reason


def _event(name: str, tongue: str) -> str:
    return event_words((name,), tongue) if name else ""


def _on(at_s: int, inputs: EvaluationInputs, tongue: str) -> str:
    """`on Friday`, `today`, `on 12 Nov`; `am Freitag`, `heute`, `am 12. Nov.`."""
    view = inputs.view
    if view.local_day(at_s) == view.local_day(inputs.now_s):
        return "today" if tongue == ENGLISH else "heute"
    day = on_day(at_s, inputs.now_s, view.zone, tongue)
    return f"on {day}" if tongue == ENGLISH else f"am {day}"

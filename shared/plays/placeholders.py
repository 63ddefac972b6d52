"""Placeholders in talking points: `{item}` and its few sisters, filled from the trace when a card is opened.

Nothing else is replaced and nothing is evaluated: no format specs, no attributes. An unknown placeholder is refused at
save, and so is one the play's condition cannot supply. At the counter a bullet whose placeholder has no value is left
out; an opener says the fallback words instead, so it is never broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from shared.plays.condition import Condition, EventCount, Group, NotFollowed, Recency, Stock
from shared.plays.refusal import listed, nearest
from shared.plays.speech import ENGLISH, GERMAN, spoken

PLACEHOLDERS: Final = {
    "item": "the product the play is about, without colour or size",
    "category": "its category, as a person says it",
    "stock": "how many of it this store has",
    "aisle": "where it lies in this store",
    "days": "how long ago it happened, in whole days",
    "given_name": "the shopper's given name",
    "offer": "the title of the play's offer",
}
_FROM_THE_TRACE: Final = frozenset({"item", "category", "stock", "aisle", "days"})
_NAMED: Final = re.compile(r"\{([^{}]*)\}")
_LOOSE: Final = re.compile(r"\s+([,.!?;:])")

_FALLBACKS: Final = {
    ENGLISH: {"item": "piece", "category": "range", "stock": "some", "aisle": "over there", "days": "a few"},
    GERMAN: {"item": "das Stück", "category": "Auswahl", "stock": "einige", "aisle": "dort drüben", "days": "ein paar"},
}


_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "unknown": "{{{name}}} is not a placeholder. {hint}Allowed: {allowed}.",
        "offer": "{{offer}} needs an offer_id in the play.",
        "unsupplied": "{{{name}}} cannot be known here: the condition names no product. "
        "Use EventCount, NotFollowed, Recency or Stock, or drop it.",
        "brace": "a brace stands alone; placeholders are written {{item}}.",
    },
    GERMAN: {
        "unknown": "{{{name}}} ist kein Platzhalter. Es gibt: {allowed}.",
        "offer": "{{offer}} braucht ein Angebot, und dieses Play hat keins.",
        "unsupplied": "{{{name}}} ist hier nicht bekannt: In diesem Play geht es um kein Produkt. Lass es weg.",
        "brace": "Eine Klammer steht allein; Platzhalter schreibt man {{item}}.",
    },
}


def placeholder_problem(text: str, condition: Condition, *, has_offer: bool, language: str = ENGLISH) -> str | None:
    """What is wrong with a text's placeholders at save, as a sentence; None when all is well."""
    words, names = _WORDS[spoken(language)], _NAMED.findall(text)
    for name in names:
        if name not in PLACEHOLDERS:
            hint, allowed = nearest(name, PLACEHOLDERS), listed(PLACEHOLDERS)
            return words["unknown"].format(name=name, hint=hint, allowed=allowed)
        if name == "offer" and not has_offer:
            return words["offer"].format()
        if name in _FROM_THE_TRACE and not _supplies(condition):
            return words["unsupplied"].format(name=name)
    if "{" in _NAMED.sub("", text) or "}" in _NAMED.sub("", text):
        return words["brace"].format()
    return None


def _supplies(condition: Condition) -> bool:
    if isinstance(condition, Group):
        return condition.op != "none" and any(_supplies(part) for part in condition.parts)
    return isinstance(condition, EventCount | NotFollowed | Recency | Stock)


def fill(text: str, values: Mapping[str, str]) -> str | None:
    """The text with its placeholders filled; None when one of them has no value."""
    if any(name not in values for name in _NAMED.findall(text)):
        return None
    return _NAMED.sub(lambda found: values[found[1]], text)


def fill_surely(text: str, values: Mapping[str, str], language: str) -> str:
    """The text filled for certain: what has no value is said in fallback words, a missing name is left out."""
    fallbacks = _FALLBACKS[spoken(language)]
    filled = _LOOSE.sub(
        r"\1", _NAMED.sub(lambda found: values.get(found[1], fallbacks.get(found[1], "")), text)
    ).strip()
    begins = _NAMED.match(text)
    return filled[:1].upper() + filled[1:] if begins and begins[1] not in values else filled


def fill_each(texts: tuple[str, ...], values: Mapping[str, str]) -> Iterator[str]:
    """The texts that can be filled, in order."""
    return (filled for text in texts if (filled := fill(text, values)) is not None)

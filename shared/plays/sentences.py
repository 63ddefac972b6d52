"""A condition as plain words for the people who author and read plays, English and German: one sentence per leaf.

`describe` says what a rule asks; what an evaluation found is said by `explain.py`. `EXAMPLES` holds an example of every
kind as a file would write it; a test reads them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from shared.plays.catalogue import ANY_ONLINE, EVENTS, FIELDS, PROPERTIES
from shared.plays.condition import (
    Condition,
    Consent,
    EventCount,
    Group,
    Near,
    NotFollowed,
    PlayHistory,
    ProfileField,
    Recency,
    Segment,
    Stage,
    Stock,
    Where,
)
from shared.plays.phrases import OUTCOME_WORDS
from shared.plays.speech import ENGLISH, GERMAN, capital, distance, hours_span, spoken

EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "Group": {"kind": "Group", "op": "all", "items": [{"kind": "Stage", "in": ["active"]}]},
    "EventCount": {
        "kind": "EventCount",
        "events": ["Product Viewed"],
        "where": [{"prop": "category", "op": "eq", "value": "tents"}],
        "window": {"from_h": 168},
        "cmp": ">=",
        "n": 2,
    },
    "Recency": {"kind": "Recency", "events": ["Order Completed"], "cmp": "older_than", "hours": 2160},
    "NotFollowed": {
        "kind": "NotFollowed",
        "first": "Product Added",
        "then": ["Order Completed"],
        "same": "sku",
        "idle_h": 24,
        "window_h": 720,
    },
    "Profile": {"kind": "Profile", "field": "orders", "op": "gte", "value": 3},
    "Stage": {"kind": "Stage", "in": ["lapsing", "win_back"]},
    "Consent": {"kind": "Consent", "purpose": "email"},
    "Near": {"kind": "Near", "max_m": 3000},
    "Stock": {"kind": "Stock", "source": ["cart", "wishlist"]},
    "PlayHistory": {"kind": "PlayHistory", "any": True, "result": "bought", "cmp": ">=", "n": 1, "hours": 720},
    "Segment": {"kind": "Segment", "in": ["frequent-returners"]},
}

_GROUPS: Final = {
    ENGLISH: {"all": "All of this: {parts}", "any": "At least one of this: {parts}", "none": "None of this: {parts}"},
    GERMAN: {"all": "Alles davon: {parts}", "any": "Mindestens eins davon: {parts}", "none": "Nichts davon: {parts}"},
}
_EMPTY: Final = {
    ENGLISH: {"all": "Always", "any": "Never", "none": "Always"},
    GERMAN: {"all": "Immer", "any": "Nie", "none": "Immer"},
}
_COUNTS: Final = {
    ENGLISH: {">=": "at least {n} times", "<=": "at most {n} times", "==": "exactly {n} times"},
    GERMAN: {">=": "mindestens {n}-mal", "<=": "höchstens {n}-mal", "==": "genau {n}-mal"},
}
_ONCE: Final = {
    ENGLISH: {">=": "at least once", "<=": "at most once", "==": "exactly once"},
    GERMAN: {">=": "mindestens einmal", "<=": "höchstens einmal", "==": "genau einmal"},
}
_NOT_ONCE: Final = {ENGLISH: "not once", GERMAN: "kein einziges Mal"}
_OPERATORS: Final = {
    ENGLISH: {
        "eq": "is {value}",
        "ne": "is not {value}",
        "in": "is one of {value}",
        "not_in": "is none of {value}",
        "gt": "is more than {value}",
        "gte": "is at least {value}",
        "lt": "is less than {value}",
        "lte": "is at most {value}",
        "between": "is between {value}",
        "contains": "contains {value}",
        "starts_with": "starts with {value}",
        "exists": "is known",
        "missing": "is not known",
        "has_any": "has one of {value}",
        "has_none": "has none of {value}",
        "within_next_days": "is within the next {value} days",
    },
    GERMAN: {
        "eq": "ist {value}",
        "ne": "ist nicht {value}",
        "in": "ist eins von {value}",
        "not_in": "ist keins von {value}",
        "gt": "ist mehr als {value}",
        "gte": "ist mindestens {value}",
        "lt": "ist weniger als {value}",
        "lte": "ist höchstens {value}",
        "between": "liegt zwischen {value}",
        "contains": "enthält {value}",
        "starts_with": "beginnt mit {value}",
        "exists": "ist bekannt",
        "missing": "ist nicht bekannt",
        "has_any": "hat eins von {value}",
        "has_none": "hat keins von {value}",
        "within_next_days": "ist in den nächsten {value} Tagen",
    },
}
_STAGES: Final = {
    ENGLISH: {"prospect": "prospect", "new": "new", "active": "active", "lapsing": "lapsing", "win_back": "win-back"},
    GERMAN: {
        "prospect": "Interessent",
        "new": "neu",
        "active": "aktiv",
        "lapsing": "abwandernd",
        "win_back": "zurückzugewinnen",
    },
}
_SOURCES: Final = {
    ENGLISH: {"cart": "cart", "wishlist": "wishlist", "viewed": "lately viewed"},
    GERMAN: {"cart": "Warenkorb", "wishlist": "Wunschliste", "viewed": "zuletzt Angesehenes"},
}
_PURPOSES: Final = {
    ENGLISH: {
        "personalise_in_store": "advice in the store",
        "profiling": "a profile of me",
        "analytics": "analytics",
        "email": "e-mail",
        "sms": "text messages",
        "phone": "phone calls",
    },
    GERMAN: {
        "personalise_in_store": "Beratung im Laden",
        "profiling": "ein Profil von mir",
        "analytics": "Auswertungen",
        "email": "E-Mail",
        "sms": "SMS",
        "phone": "Anrufe",
    },
}
_AND: Final = {ENGLISH: " and ", GERMAN: " und "}
_OR: Final = {ENGLISH: " or ", GERMAN: " oder "}


def purpose_words(purpose: str, language: str) -> str:
    """What a consent is for, as people say it; a purpose newer than this code is told by its name."""
    return _PURPOSES[spoken(language)].get(purpose, purpose.replace("_", " "))


def stage_word(stage: str, language: str) -> str:
    """A stage as it stands on its chip."""
    return _STAGES[spoken(language)][stage]


def describe(part: Condition, language: str = ENGLISH) -> str:
    """What a condition asks, as one plain sentence (a group: its parts in brackets, one after another)."""
    return capital(_DESCRIBERS[type(part)](part, spoken(language)))


def event_words(events: tuple[str, ...], tongue: str) -> str:
    """Events as one says them: `viewed a product or clicked a product`."""
    return _OR[tongue].join(_event_word(event, tongue) for event in events)


def _event_word(event: str, tongue: str) -> str:
    if event == ANY_ONLINE:
        return "did anything online" if tongue == ENGLISH else "war online aktiv"
    kind = EVENTS.get(event)
    if kind is None:
        return event
    return kind.english if tongue == ENGLISH else kind.german


def _group(group: Group, tongue: str) -> str:
    if not group.parts:
        return f"{_EMPTY[tongue][group.op]}."
    parts = "; ".join(f"({describe(part, tongue).rstrip('.')})" for part in group.parts)
    return _GROUPS[tongue][group.op].format(parts=parts) + "."


def _tests(tests: tuple[Where, ...], tongue: str) -> str:
    if not tests:
        return ""
    told = (f"{_prop(test.prop, tongue)} {_compared(test.op, test.value, tongue)}" for test in tests)
    return (", where " if tongue == ENGLISH else ", wobei gilt: ") + _AND[tongue].join(told)


def _prop(name: str, tongue: str) -> str:
    return PROPERTIES[name].english if tongue == ENGLISH else PROPERTIES[name].german


def _compared(op: str, value: Any, tongue: str) -> str:
    joint = _AND[tongue] if op == "between" else ", "
    told = joint.join(str(one) for one in value) if isinstance(value, tuple) else str(value)
    return _OPERATORS[tongue][op].format(value=told)


def _times(cmp: str, n: int, tongue: str) -> str:
    if n == 0 and cmp != ">=":
        return _NOT_ONCE[tongue]
    return _ONCE[tongue][cmp] if n == 1 else _COUNTS[tongue][cmp].format(n=n)


def _event_count(leaf: EventCount, tongue: str) -> str:
    times = _times(leaf.cmp, leaf.n, tongue)
    what, tests = event_words(leaf.events, tongue), _tests(leaf.where, tongue)
    first = hours_span(leaf.window.from_h, tongue)
    if tongue == GERMAN:
        same = f" (immer dieselbe {_prop(leaf.same, tongue)})" if leaf.same else ""
        until = f", aber nicht in den letzten {hours_span(leaf.window.to_h, tongue)}" if leaf.window.to_h else ""
        return f"{times}: {what}{tests}{same}, in den letzten {first}{until}{_unless(leaf, tongue)}."
    same = f" (the same {_prop(leaf.same, tongue)})" if leaf.same else ""
    until = f", not counting the last {hours_span(leaf.window.to_h, tongue)}" if leaf.window.to_h else ""
    return f"{times}: {what}{tests}{same}, in the last {first}{until}{_unless(leaf, tongue)}."


def _unless(leaf: EventCount, tongue: str) -> str:
    words = ", and in that time not" if tongue == ENGLISH else ", und in der Zeit nicht"
    return f"{words}: {event_words(leaf.unless, tongue)}" if leaf.unless else ""


def _recency(leaf: Recency, tongue: str) -> str:
    what, span = event_words(leaf.events, tongue) + _tests(leaf.where, tongue), hours_span(leaf.hours or 0, tongue)
    texts = {
        ENGLISH: {
            "never": f"never: {what}.",
            "older_than": f"last {span} ago or earlier: {what}.",
            "newer_than": f"within the last {span}: {what}.",
        },
        GERMAN: {
            "never": f"noch nie: {what}.",
            "older_than": f"zuletzt vor {span} oder früher: {what}.",
            "newer_than": f"in den letzten {span}: {what}.",
        },
    }
    return texts[tongue][leaf.cmp]


def _not_followed(leaf: NotFollowed, tongue: str) -> str:
    first, then = event_words((leaf.first,), tongue), event_words(leaf.then, tongue)
    idle, window = hours_span(leaf.idle_h, tongue), hours_span(leaf.window_h, tongue)
    if tongue == GERMAN:
        same = {"sku": " (derselbe Artikel)", "category": " (dieselbe Kategorie)", "cart_id": " (derselbe Warenkorb)"}
        about = same.get(leaf.same or "", "")
        return f"{first}, vor {idle} bis {window}, und danach nicht: {then}{about}."
    same = {"sku": " (the same product)", "category": " (the same category)", "cart_id": " (the same cart)"}
    return f"{first} between {window} and {idle} ago, and not since: {then}{same.get(leaf.same or '', '')}."


def _profile_field(leaf: ProfileField, tongue: str) -> str:
    field = FIELDS.get(leaf.field)
    name = leaf.field if field is None else field.english if tongue == ENGLISH else field.german
    return f"{name} {_compared(leaf.op, leaf.value, tongue)}."


def _stage(leaf: Stage, tongue: str) -> str:
    names = _OR[tongue].join(_STAGES[tongue][stage] for stage in leaf.stages)
    return f"stage is {names or 'none'}." if tongue == ENGLISH else f"Phase ist {names or 'keine'}."


def _consent(leaf: Consent, tongue: str) -> str:
    purpose = _PURPOSES[tongue][leaf.purpose]
    if tongue == GERMAN:
        return f"Einwilligung „{purpose}“ ist {'erteilt' if leaf.state == 'granted' else 'verweigert'}."
    return f"consent “{purpose}” is {leaf.state}."


def _near(leaf: Near, tongue: str) -> str:
    far = distance(leaf.max_m, tongue)
    if tongue == GERMAN:
        return f"wohnt höchstens {far} von {'diesem Laden' if leaf.of == 'this_store' else 'ihrem Stammladen'}."
    return f"lives within {far} of {'this store' if leaf.of == 'this_store' else 'the home store'}."


def _stock(leaf: Stock, tongue: str) -> str:
    sources = _OR[tongue].join(_SOURCES[tongue][source] for source in leaf.source)
    span = hours_span(leaf.window_h, tongue)
    if tongue == GERMAN:
        return f"etwas Gewünschtes ({sources}, aus den letzten {span}) ist hier mindestens {leaf.min_qty}-mal da."
    return f"something they want ({sources}, last {span}) is here, at least {leaf.min_qty} of it."


def _play_history(leaf: PlayHistory, tongue: str) -> str:
    times, span = _times(leaf.cmp, leaf.n, tongue), hours_span(leaf.hours, tongue)
    result = OUTCOME_WORDS[tongue].get(leaf.result, "")
    if tongue == GERMAN:
        which = "irgendein Play" if leaf.any else f"das Play {leaf.play}" if leaf.play else f"Plays mit {leaf.tag}"
        ended = "mit irgendeinem Ergebnis" if leaf.result == "any" else f"mit dem Ergebnis „{result}“"
        return f"{times} in den letzten {span}: {which} {ended}."
    which = "any play" if leaf.any else f"the play {leaf.play}" if leaf.play else f"plays tagged {leaf.tag}"
    ended = "with any outcome" if leaf.result == "any" else f"with the outcome “{result}”"
    return f"{times} in the last {span}: {which} {ended}."


def _segment(leaf: Segment, tongue: str) -> str:
    names = _OR[tongue].join(leaf.names)
    return f"is in the segment {names}." if tongue == ENGLISH else f"gehört zum Segment {names}."


_DESCRIBERS: Final[dict[type, Callable[[Any, str], str]]] = {
    Group: _group,
    EventCount: _event_count,
    Recency: _recency,
    NotFollowed: _not_followed,
    ProfileField: _profile_field,
    Stage: _stage,
    Consent: _consent,
    Near: _near,
    Stock: _stock,
    PlayHistory: _play_history,
    Segment: _segment,
}

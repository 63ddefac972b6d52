"""Why a play is on the card: one plain sentence and the facts behind it, made from the trace.

Each leaf that made the condition true gives at most one phrase; the two that tell most are said. Nothing is said that
the trace does not hold. Phrases are a small catalogue by language; times are told in the store's zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from shared.clock import seconds_at, seconds_of
from shared.lifecycle import StageDecision
from shared.plays.condition import (
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
)
from shared.plays.evaluate import Trace, Witness
from shared.plays.inputs import EvaluationInputs
from shared.plays.phrases import OUTCOME_WORDS, PHRASES, STAGE_TEXTS
from shared.plays.sentences import describe, event_words
from shared.plays.speech import (
    ENGLISH,
    ago,
    capital,
    category_word,
    count_of,
    distance,
    hours_span,
    on_day,
    short_title,
    span,
    spoken,
)

PHRASES_MAX: Final = 2
DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class WhyFact:
    """A fact behind a play: the kind of leaf that found it, what it found in words, and when (wire time)."""

    kind: str
    text: str
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Why:
    """The sentence on the card, all facts that made the condition true, and the thing the play is about."""

    sentence: str
    facts: tuple[WhyFact, ...]
    subject: Witness | None


class _Told(NamedTuple):
    """A phrase: how much it tells, what it is about (of one topic only the first is said), and the words."""

    weight: int
    topic: str
    key: str
    values: Mapping[str, str]


class _Teller(NamedTuple):
    inputs: EvaluationInputs
    tongue: str
    subject: Witness | None

    def ago(self, at_s: int | None) -> str:
        return ago(at_s if at_s is not None else self.inputs.now_s, self.inputs.now_s, self.tongue)

    def thing(self, witness: Witness) -> str:
        return short_title(witness.title or "")

    def category(self, witness: Witness) -> str:
        return category_word(witness.category or "", self.tongue, self.inputs.settings.category_names)


def met_leaves(trace: Trace) -> Iterator[Trace]:
    """The leaves that made a tree true: met parts of met groups; what a `none` group excludes is no reason."""
    if not trace.is_met:
        return
    if not isinstance(trace.part, Group):
        yield trace
    elif trace.part.op != "none":
        for part in trace.parts:
            yield from met_leaves(part)


def subject_of(trace: Trace) -> Witness | None:
    """The thing a play is about: in stock here before elsewhere, open in the cart before just viewed, newest first.

    A thing that both a stock leaf and another leaf name comes first, so that the sentence is about one thing.
    """
    leaves = list(met_leaves(trace))
    stocked = [found for leaf in leaves if isinstance(leaf.part, Stock) for found in leaf.witnesses if found.title]
    others = [found for kind in _SUBJECT_KINDS for found in _named_by(leaves, kind)]
    named = {found.sku for found in others}
    both = [found for found in stocked if found.sku in named]
    return next(iter([*both, *stocked, *others]), None)


_SUBJECT_KINDS: Final = (NotFollowed, EventCount, Recency)


def _named_by(leaves: list[Trace], kind: type) -> Iterator[Witness]:
    for leaf in leaves:
        if isinstance(leaf.part, kind):
            yield from (found for found in leaf.witnesses if found.title)


def explain(trace: Trace, inputs: EvaluationInputs, language: str = ENGLISH) -> Why:
    """The why of a met condition: sentence, facts, subject."""
    teller = _Teller(inputs, spoken(language), subject_of(trace))
    told: list[_Told] = []
    facts: list[WhyFact] = []
    for leaf in met_leaves(trace):
        phrase = _TELLERS[type(leaf.part)](leaf, teller)
        if phrase is not None:
            told.append(phrase)
            at = seconds_at(leaf.at_s) if leaf.at_s is not None else None
            facts.append(WhyFact(leaf.part.kind, capital(_words(phrase, teller)), at))
    said = _most_telling(told)
    sentence = "; ".join(_words(phrase, teller) for phrase in said) or PHRASES[teller.tongue]["everyone"]
    return Why(capital(sentence), tuple(facts), teller.subject)


def _most_telling(told: list[_Told]) -> list[_Told]:
    by_topic: dict[str, _Told] = {}
    for phrase in sorted(told, key=lambda phrase: -phrase.weight):
        by_topic.setdefault(phrase.topic, phrase)
    return list(by_topic.values())[:PHRASES_MAX]


def _words(phrase: _Told, teller: _Teller) -> str:
    return PHRASES[teller.tongue][phrase.key].format_map(phrase.values)


def placeholder_values(why: Why, trace: Trace, inputs: EvaluationInputs, language: str) -> dict[str, str]:
    """What talking points may be filled with: only what is known; a store that has none left tells no stock."""
    values: dict[str, str] = {}
    found, profile = why.subject, inputs.profile
    if profile.given_name:
        values["given_name"] = profile.given_name
    if found is None:
        return values
    if found.title:
        values["item"] = short_title(found.title)
    if found.category:
        values["category"] = category_word(found.category, language, inputs.settings.category_names)
    if found.quantity:
        values["stock"] = str(found.quantity)
        values |= {"aisle": found.aisle} if found.aisle else {}
    if found.at_s is not None:
        values["days"] = count_of(max(1, (inputs.now_s - found.at_s) // DAY_S), "day", language)
    return values


# one phrase for each kind of leaf -------------------------------------------------------------------------------------


def _tell_not_followed(trace: Trace, teller: _Teller) -> _Told | None:
    leaf = trace.part
    assert isinstance(leaf, NotFollowed)
    found = _about(trace, teller)
    values = {"item": teller.thing(found), "category": teller.category(found), "ago": teller.ago(found.at_s)}
    key = _OPEN_KEYS.get(leaf.first, "open")
    if leaf.first == "Product Viewed" and leaf.same == "category" and found.category:
        return _Told(75, leaf.first, "category_open", values)
    if key in {"cart", "viewed_open"} and not found.title:
        key = "open"
    return _Told(90, leaf.first, key, {**values, "event": event_words((leaf.first,), teller.tongue)})


_OPEN_KEYS: Final = {
    "Product Added": "cart",
    "Product Viewed": "viewed_open",
    "Checkout Started": "checkout_open",
    "Email Opened": "email_open",
}


def _about(trace: Trace, teller: _Teller) -> Witness:
    """The witness about the play's subject, else the newest."""
    subject = teller.subject
    same = (found for found in trace.witnesses if subject is not None and found.sku == subject.sku)
    return next(same, trace.witnesses[0] if trace.witnesses else Witness(trace.at_s))


def _tell_stock(trace: Trace, teller: _Teller) -> _Told | None:
    leaf, found = trace.part, _about(trace, teller)
    assert isinstance(leaf, Stock)
    values = {"item": teller.thing(found), "n": str(found.quantity)}
    is_wish = any(line.sku == found.sku for line in teller.inputs.profile.wishlist) and "wishlist" in leaf.source
    if is_wish and found.title:
        return _Told(85, "stock", "wish", values)
    is_named = teller.subject is not None and found.sku == teller.subject.sku and "viewed" not in leaf.source
    return _Told(85, "stock", "stock" if is_named else "stock_named" if found.title else "stock", values)


def _tell_event_count(trace: Trace, teller: _Teller) -> _Told | None:
    leaf = trace.part
    assert isinstance(leaf, EventCount)
    window = hours_span(leaf.window.from_h, teller.tongue)
    if not trace.witnesses:
        return _Told(10, "none", "none", {"event": event_words(leaf.events[:1], teller.tongue), "span": window})
    found, n = _about(trace, teller), trace.n or 0
    event = found.event or leaf.events[0]
    values = {
        "item": teller.thing(found),
        "category": teller.category(found),
        "query": found.query or "",
        "ago": teller.ago(found.at_s),
        "event": event_words((event,), teller.tongue),
        "span": window,
        "n": str(n),
    }
    return _Told(80, event, _count_key(leaf, found, event, n), values)


def _count_key(leaf: EventCount, found: Witness, event: str, n: int) -> str:
    if event == "Order Completed":
        return "bought" if found.title else "bought_something"
    if event == "Products Searched" and found.query:
        return "searched"
    if event == "Product Viewed" and n > 1 and found.category:
        return "viewed_thing_times" if leaf.same == "sku" and found.title else "viewed_times"
    if event == "Product Viewed" and found.title:
        return "viewed"
    return "event_times" if n > 1 else "event"


def _tell_recency(trace: Trace, teller: _Teller) -> _Told | None:
    leaf = trace.part
    assert isinstance(leaf, Recency)
    event, is_order = event_words(leaf.events[:1], teller.tongue), leaf.events == ("Order Completed",)
    values = {"event": event, "ago": teller.ago(trace.at_s)}
    if leaf.cmp == "never":
        return _Told(40, event, _NEVER_KEYS.get(leaf.events[0], "never"), values)
    if is_order:
        return _Told(70, "last_order", "last_bought", values)
    if leaf.cmp == "newer_than":
        return _Told(60, event, "event", values)
    silent_s = teller.inputs.now_s - (trace.at_s or teller.inputs.now_s)
    is_all_online = len(leaf.events) == 1 and leaf.events[0] == "any online event"
    return _Told(65, event, "silent" if is_all_online else "last", {**values, "for": span(silent_s, teller.tongue)})


_NEVER_KEYS: Final = {"Order Completed": "no_order", "App Installed": "no_app"}


def _tell_field(trace: Trace, teller: _Teller) -> _Told | None:
    leaf, profile = trace.part, teller.inputs.profile
    assert isinstance(leaf, ProfileField)
    if leaf.field in {"orders", "refunds"}:
        key = f"{leaf.field}_once" if trace.n == 1 else leaf.field
        return _Told(55, leaf.field, key, {"n": str(trace.n)})
    if leaf.field == "value_band" and profile.value_band in {"top_5", "top_20"}:
        return _Told(55, "value", "high_value", {})
    if leaf.field == "birth_on" and profile.birth_on and leaf.op == "within_next_days":
        return _Told(95, "birthday", "birthday", {"day": _birthday(profile.birth_on, teller)})
    if leaf.field == "identifier_types":
        return _told_membership(leaf, profile.loyalty_id is not None, teller)
    if leaf.field == "open_issue_on" and profile.open_issue is not None:
        since = teller.ago(seconds_of(profile.open_issue.opened_at))
        return _Told(95, "open_issue", "open_issue", {"title": profile.open_issue.title, "ago": since})
    if leaf.field == "tier" and profile.tier:
        return _Told(50, "tier", "tier", {"tier": profile.tier})
    return _Told(5, leaf.field, "field", {"rule": describe(leaf, teller.tongue).rstrip(".")})


def _told_membership(leaf: ProfileField, is_member: bool, teller: _Teller) -> _Told:
    """Whether they are a member is a reason; any other identifier is told as the rule says it."""
    if "loyalty_id" in str(leaf.value):
        return _Told(20, "member", "member" if is_member else "no_member", {})
    return _Told(5, leaf.field, "field", {"rule": describe(leaf, teller.tongue).rstrip(".")})


def _birthday(birth_on: str, teller: _Teller) -> str:
    """`24 Nov`, told as the day it is this time round."""
    today = teller.inputs.view.local_day(teller.inputs.now_s)
    noon = seconds_of(f"{today.year:04d}-{birth_on[5:10]}T12:00:00.000Z")
    if noon is None:
        return birth_on[5:10]
    return on_day(noon, noon - 30 * DAY_S, teller.inputs.view.zone, teller.tongue).removesuffix(f" {today.year}")


def _tell_stage(trace: Trace, teller: _Teller) -> _Told | None:
    reason = teller.inputs.view.stage.because[0]
    if reason.at is None:
        return _Told(30, "no_order", "no_order", {})
    key = "first_bought" if reason.fact == "first_order" else "last_bought"
    return _Told(30, reason.fact, key, {"ago": teller.ago(seconds_of(reason.at))})


def _tell_near(trace: Trace, teller: _Teller) -> _Told | None:
    return _Told(45, "near", "near", {"far": distance(trace.n or 0, teller.tongue)})


def _tell_history(trace: Trace, teller: _Teller) -> _Told | None:
    if not trace.witnesses:
        return None
    found = trace.witnesses[0]
    outcome = found.event or ""
    values = {"ago": teller.ago(found.at_s), "outcome": OUTCOME_WORDS[teller.tongue].get(outcome, outcome)}
    return _Told(60, "history", "history_bought" if outcome == "bought" else "history", values)


def _tell_nothing(trace: Trace, teller: _Teller) -> _Told | None:
    return None


_TELLERS: Final[dict[type, Callable[[Trace, _Teller], _Told | None]]] = {
    EventCount: _tell_event_count,
    Recency: _tell_recency,
    NotFollowed: _tell_not_followed,
    ProfileField: _tell_field,
    Stage: _tell_stage,
    Consent: _tell_nothing,
    Near: _tell_near,
    Stock: _tell_stock,
    PlayHistory: _tell_history,
    Segment: _tell_nothing,
}


# the stage chip -------------------------------------------------------------------------------------------------------


def stage_because(decision: StageDecision, inputs: EvaluationInputs, language: str = ENGLISH) -> str:
    """The dates that decided the stage, for its chip: `last order 12 Nov, here`."""
    texts, reason, view = STAGE_TEXTS[spoken(language)], decision.because[0], inputs.view
    at_s = seconds_of(reason.at) if reason.at is not None else None
    if at_s is None:
        return texts["no_order"]
    place = texts["here"] if reason.store is not None and reason.store == inputs.store.code else ""
    return texts[reason.fact].format(day=on_day(at_s, inputs.now_s, view.zone, language), place=place)


def trace_document(trace: Trace, path: str = "condition") -> dict[str, Any]:
    """A trace as JSON, for `explain` on both sides: path in the file, the rule in words, met or not, what was found."""
    document: dict[str, Any] = {
        "path": path,
        "kind": trace.part.kind,
        "rule": describe(trace.part),
        "is_met": trace.is_met,
    }
    if trace.n is not None:
        document["n"] = trace.n
    if trace.at_s is not None:
        document["at"] = seconds_at(trace.at_s)
    if trace.parts:
        document["items"] = [trace_document(part, f"{path}.items[{index}]") for index, part in enumerate(trace.parts)]
    return document

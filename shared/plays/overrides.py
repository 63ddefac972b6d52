"""How far an offer may be bent on the floor, and what the till reads then. Pure: the tablet asks before it saves, HQ
asks when the op arrives, and both get the same answer.

An override is `extended` (the offer itself, after its last day), `adjusted` (another percentage or amount while it can
be honoured) or `goodwill` (a percentage or amount on any day). What was agreed to is never judged here by who asks:
whether a manager stands behind it is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.money import amount_of
from shared.plays.files import Offer, OverrideLimits, is_day_between
from shared.plays.refusal import listed
from shared.plays.speech import ENGLISH, GERMAN, spoken

_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "no_limits": "This offer stays as it is: HQ set no limits within which a store may bend it.",
        "stores": "This offer is not for this store; it is for {stores}.",
        "reasons": "The reason is one of HQ's: {reasons}.",
        "used": "It was bent {used} times here today; at most {most} a day. Ask HQ.",
        "manager": "This offer is bent by a manager only. Ask one to type their PIN on this tablet.",
        "extended": "An extension gives what the offer gives. Leave the percentage and the amount out.",
        "either": "Say either a percentage or an amount above zero.",
        "most": "At most {most} are allowed; this is {wanted}.",
        "days": "It runs {span}. On other days only goodwill can be given.",
        "from": "from {day}",
        "until": "until {day}",
        "begins": "It begins on {day}.",
        "runs": "It still runs, so it needs no extension.",
        "ended": "It ended on {day} and is honoured until {last} at the latest.",
    },
    GERMAN: {
        "no_limits": "Dieses Angebot bleibt, wie es ist: Die Zentrale lässt hier keine Kulanz zu.",
        "stores": "Dieses Angebot gilt nicht in diesem Laden; es gilt in {stores}.",
        "reasons": "Der Grund muss einer von denen der Zentrale sein: {reasons}.",
        "used": "Kulanz gab es dafür hier heute schon {used}-mal; höchstens {most}-mal am Tag. Frag die Zentrale.",
        "manager": "Hier entscheidet die Ladenleitung. Bitte sie, ihre PIN auf diesem Tablet einzugeben.",
        "extended": "Verlängert gibt es, was das Angebot gibt. Lass Prozent und Betrag weg.",
        "either": "Gib entweder einen Prozentsatz oder einen Betrag über null an.",
        "most": "Höchstens {most} sind erlaubt; das sind {wanted}.",
        "days": "Es läuft {span}. An anderen Tagen geht nur Kulanz.",
        "from": "ab {day}",
        "until": "bis {day}",
        "begins": "Es beginnt am {day}.",
        "runs": "Es läuft noch, braucht also keine Verlängerung.",
        "ended": "Es endete am {day} und wird spätestens bis {last} eingelöst.",
    },
}
_TILL: Final = "FSV1"
_NO_LIMITS: Final = OverrideLimits()


@dataclass(frozen=True, slots=True)
class Counter:
    """Where and when an override is asked for: the store's own day, its currency, who stands behind it.

    `used` is how often the offer was bent in this store on that day, None where that is not to be judged.
    """

    store: str
    currency: str
    day: str
    is_managers: bool
    used: int | None = None


def override_problem(offer: Offer, asked: Mapping[str, Any], counter: Counter, language: str = ENGLISH) -> str | None:
    """Why the body of an `offer_overridden` lies beyond the offer's limits, as a sentence; None where it does not.

    That a manager is needed is said last, so that nobody types a PIN for what cannot be.
    """
    tongue = spoken(language)
    return next(
        (_WORDS[tongue][key].format_map(named) for key, named in _problems(offer, asked, counter, tongue)), None
    )


_Problem = tuple[str, Mapping[str, object]]


def _problems(offer: Offer, asked: Mapping[str, Any], counter: Counter, tongue: str) -> Iterator[_Problem]:
    limits = offer.override
    if limits == _NO_LIMITS or limits.per_day == 0:
        yield "no_limits", {}
        return
    if offer.stores and counter.store not in offer.stores:
        yield "stores", {"stores": listed(offer.stores)}
    yield from _extent_problems(offer, asked, counter, tongue)
    if limits.reasons and asked["reason"] not in limits.reasons:
        yield "reasons", {"reasons": listed(limits.reasons)}
    if counter.used is not None and counter.used >= limits.per_day:
        yield "used", {"used": counter.used, "most": limits.per_day}
    if limits.needs == "manager" and not counter.is_managers:
        yield "manager", {}


def _extent_problems(offer: Offer, asked: Mapping[str, Any], counter: Counter, tongue: str) -> Iterator[_Problem]:
    percent, amount = asked.get("percent"), asked.get("amount")
    if asked["kind"] == "extended":
        if percent is not None or amount is not None:
            yield "extended", {}
        yield from _day_problems(offer, counter.day, tongue)
        return
    if bool(percent) is bool(amount):
        yield "either", {}
    limits = offer.override
    if percent is not None and percent > limits.max_percent:
        yield "most", {"most": f"{limits.max_percent} %", "wanted": f"{percent} %"}
    if amount is not None and amount > limits.max_minor:
        most, wanted = (_told(minor, counter.currency, tongue) for minor in (limits.max_minor, amount))
        yield "most", {"most": most, "wanted": wanted}
    if asked["kind"] == "adjusted" and not is_day_between(counter.day, offer.valid_from, last_day(offer)):
        yield "days", {"span": _span(offer, tongue)}


def _day_problems(offer: Offer, day: str, tongue: str) -> Iterator[_Problem]:
    last = last_day(offer)
    if is_day_between(day, None, offer.valid_until):
        is_early = offer.valid_from is not None and day < offer.valid_from
        yield ("begins", {"day": _day(offer.valid_from, tongue)}) if is_early else ("runs", {})
    elif last is not None and day > last:
        yield "ended", {"day": _day(offer.valid_until, tongue), "last": _day(last, tongue)}


def last_day(offer: Offer) -> str | None:
    """The last day on which an offer can be honoured, extension included; None for one that never ends."""
    if offer.valid_until is None:
        return None
    return (dt.date.fromisoformat(offer.valid_until) + dt.timedelta(days=offer.override.extend_days)).isoformat()


def _span(offer: Offer, tongue: str) -> str:
    ends = (("from", offer.valid_from), ("until", offer.valid_until))
    return " ".join(_WORDS[tongue][key].format(day=_day(on, tongue)) for key, on in ends if on)


def _day(on: str | None, tongue: str) -> str:
    """`2026-11-20`, `20.11.2026`."""
    return ".".join(reversed((on or "").split("-"))) if tongue == GERMAN else str(on)


def _told(minor: int, currency: str, tongue: str) -> str:
    amount = f"{amount_of(minor, currency)} {currency}"
    return amount.replace(".", ",") if tongue == GERMAN else amount


def worth_minor(offer: Offer | None, asked: Mapping[str, Any], currency: str) -> int:
    """The money an override names, in minor units: its amount, or that of the offer it extends. A percentage names
    none: what it came to stands on the receipt."""
    if asked["kind"] != "extended" or offer is None:
        return int(asked.get("amount") or 0)
    return next((amount.minor for amount in offer.amounts if amount.currency == currency), 0)


def till_text(offer: Offer, asked: Mapping[str, Any], currency: str, op_id: str) -> str:
    """What the till reads from the tablet: `FSV1.<offer code or id>.<what it gives>.<op id>`, in the letters a QR code
    packs tightest. It gives `X` (what the offer gives), `P15` (per cent) or `A2000EUR` (minor units)."""
    gives = "X" if asked["kind"] == "extended" else f"P{asked['percent']}" if asked.get("percent") else None
    gives = gives or f"A{asked['amount']}{currency}"
    return ".".join((_TILL, offer.codes[0] if offer.codes else offer.id, gives, op_id)).upper()

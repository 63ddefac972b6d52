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

NEEDS_MANAGER: Final = "This offer is bent by a manager only. Ask one to type their PIN on this tablet."
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


def override_problem(offer: Offer, asked: Mapping[str, Any], counter: Counter) -> str | None:
    """Why the body of an `offer_overridden` lies beyond the offer's limits, as a sentence; None where it does not.

    That a manager is needed is said last, so that nobody types a PIN for what cannot be.
    """
    return next(_problems(offer, asked, counter), None)


def _problems(offer: Offer, asked: Mapping[str, Any], counter: Counter) -> Iterator[str]:
    limits = offer.override
    if limits == _NO_LIMITS or limits.per_day == 0:
        yield "This offer stays as it is: HQ set no limits within which a store may bend it."
        return
    if offer.stores and counter.store not in offer.stores:
        yield f"This offer is not for this store; it is for {listed(offer.stores)}."
    yield from _extent_problems(offer, asked, counter)
    if limits.reasons and asked["reason"] not in limits.reasons:
        yield f"The reason is one of HQ's: {listed(limits.reasons)}."
    if counter.used is not None and counter.used >= limits.per_day:
        yield f"It was bent {counter.used} times here today; at most {limits.per_day} a day. Ask HQ."
    if limits.needs == "manager" and not counter.is_managers:
        yield NEEDS_MANAGER


def _extent_problems(offer: Offer, asked: Mapping[str, Any], counter: Counter) -> Iterator[str]:
    percent, amount = asked.get("percent"), asked.get("amount")
    if asked["kind"] == "extended":
        if percent is not None or amount is not None:
            yield "An extension gives what the offer gives. Leave the percentage and the amount out."
        yield from _day_problems(offer, counter.day)
        return
    if bool(percent) is bool(amount):
        yield "Say either a percentage or an amount above zero."
    limits = offer.override
    if percent is not None and percent > limits.max_percent:
        yield f"At most {limits.max_percent} % are allowed; this is {percent} %."
    if amount is not None and amount > limits.max_minor:
        most, wanted = (_told(minor, counter.currency) for minor in (limits.max_minor, amount))
        yield f"At most {most} are allowed; this is {wanted}."
    if asked["kind"] == "adjusted" and not is_day_between(counter.day, offer.valid_from, last_day(offer)):
        yield f"It runs {_span(offer)}. On other days only goodwill can be given."


def _day_problems(offer: Offer, day: str) -> Iterator[str]:
    last = last_day(offer)
    if is_day_between(day, None, offer.valid_until):
        is_early = offer.valid_from is not None and day < offer.valid_from
        yield f"It begins on {offer.valid_from}." if is_early else "It still runs, so it needs no extension."
    elif last is not None and day > last:
        yield f"It ended on {offer.valid_until} and is honoured until {last} at the latest."


def last_day(offer: Offer) -> str | None:
    """The last day on which an offer can be honoured, extension included; None for one that never ends."""
    if offer.valid_until is None:
        return None
    return (dt.date.fromisoformat(offer.valid_until) + dt.timedelta(days=offer.override.extend_days)).isoformat()


def _span(offer: Offer) -> str:
    since, until = offer.valid_from, offer.valid_until
    return " ".join([*([f"from {since}"] if since else []), *([f"until {until}"] if until else [])])


def _told(minor: int, currency: str) -> str:
    return f"{amount_of(minor, currency)} {currency}"


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

"""Says the sentences an associate reads, from one catalogue a language, with names, counts, times and money.

The catalogues are `words_en.py` and `words_de.py`, with a part of each in `words_first_*.py`. Screens name a sentence
by its key and never hold text themselves; a test proves that each key used exists in every catalogue and that none lies
about unused. A counted sentence has the forms of its language's plural (Babel) under `key.one`, `key.other`, ....
Nothing here knows a screen, a database or a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal

from associate_app.ui.words_de import GERMAN
from associate_app.ui.words_en import ENGLISH
from associate_app.ui.words_first_de import FIRST_GERMAN
from associate_app.ui.words_first_en import FIRST_ENGLISH
from shared.clock import parse_at
from shared.money import amount_of
from shared.profile import Money

CATALOGUES: Final[Mapping[str, Mapping[str, str]]] = {
    "en": {**ENGLISH, **FIRST_ENGLISH},
    "de": {**GERMAN, **FIRST_GERMAN},
}


@dataclass(frozen=True, slots=True)
class _Dates:
    """How a language writes its days, as Babel's patterns."""

    date: str
    weekday: str
    day_of_week: str


_DATES: Final[Mapping[str, _Dates]] = {
    "en": _Dates("d MMM y", "EEE d MMM", "EEE"),
    "de": _Dates("d. MMM y", "ccc, d. MMM", "ccc"),
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says the catalogue's sentences in one language and one store's time zone."""

    language: str = "en"
    zone: tzinfo = UTC

    @property
    def locale(self) -> Locale:
        """The Babel locale of the language; English of the shops is written day first."""
        return Locale.parse("en_GB" if self.language == "en" else self.language)

    def __call__(self, key: str, **named: object) -> str:
        """The sentence of a key with its names filled in. An unknown key raises KeyError: that is a bug."""
        sentence = CATALOGUES[self.language][key]
        return sentence.format(**named) if named else sentence

    def count(self, key: str, n: int, **named: object) -> str:
        """The sentence in the plural form that `n` takes in this language; `{n}` is written with its separators."""
        form = self.locale.plural_form(n)
        words = CATALOGUES[self.language]
        sentence = words.get(f"{key}.{form}") or words[f"{key}.other"]
        return sentence.format(n=self.number(n), **named)

    def has(self, key: str) -> bool:
        """Say whether a sentence exists, for keys made of a kind that may be newer than this app."""
        return key in CATALOGUES[self.language]

    def number(self, n: int) -> str:
        """A whole number with the language's separators."""
        return format_decimal(n, locale=self.locale)

    def money(self, money: Money) -> str:
        """An amount with its currency, without decimals when they are zero."""
        amount = amount_of(money.minor, money.currency)
        whole = amount == amount.to_integral_value()
        pattern = self.locale.currency_formats["standard"].pattern.replace(".00", "") if whole else None
        return format_currency(amount, money.currency, format=pattern, locale=self.locale, currency_digits=not whole)

    def percent(self, ppm: int) -> str:
        """A share in parts per million with one decimal: `12.3 %`."""
        return f"{format_decimal(Decimal(ppm) / 10_000, '0.0', locale=self.locale)} %"

    def local(self, at: str) -> datetime:
        """A wire time in the store's zone."""
        return parse_at(at).astimezone(self.zone)

    def time(self, at: str) -> str:
        """Hour and minute in the store's zone: `14:02`."""
        return format_time(self.local(at), "HH:mm", locale=self.locale)

    def day(self, at: str) -> str:
        """Day and month in the store's zone: `12 Nov`."""
        return format_skeleton("MMMd", self.local(at), locale=self.locale)

    def date(self, on: str) -> str:
        """A plain date `2026-05-03`, in full: `3 May 2026`."""
        return format_date(datetime.fromisoformat(on[:10]), _DATES[self.language].date, locale=self.locale)

    def weekday(self, at: str) -> str:
        """Weekday, day and month: `Sun 22 Nov`."""
        return format_date(self.local(at), _DATES[self.language].weekday, locale=self.locale)

    def weekday_of(self, on: str) -> str:
        """The short weekday of a plain date `2026-11-24`: `Tue`."""
        return format_date(datetime.fromisoformat(on[:10]), _DATES[self.language].day_of_week, locale=self.locale)

    def long_weekday_of(self, on: str) -> str:
        """The weekday, day and month of a plain date: `Fri 27 Nov`."""
        return format_date(datetime.fromisoformat(on[:10]), _DATES[self.language].weekday, locale=self.locale)

    def ago(self, at: str, now: datetime) -> str:
        """How long ago, as one would say it: `just now`, `20 minutes ago`, `yesterday`, `2 days ago`, `12 Nov`."""
        then, today = self.local(at), now.astimezone(self.zone)
        minutes, days = int((today - then) / timedelta(minutes=1)), (today.date() - then.date()).days
        if minutes < 1:
            return self("now")
        if minutes < 60:
            return self.count("ago.minutes", minutes)
        if days == 0 or minutes < 6 * 60:
            return self.count("ago.hours", minutes // 60)
        if days == 1:
            return self("ago.yesterday")
        return self.count("ago.days", days) if days <= 14 else self("ago.on", day=self.day(at))

    def when(self, at: str, now: datetime) -> str:
        """A time near now, as one would say it: `14:02` today, `tomorrow 10:00`, `Tue 24 Nov 10:00`."""
        then, today = self.local(at), now.astimezone(self.zone)
        days = (then.date() - today.date()).days
        if days == 0:
            return self.time(at)
        return self("until.tomorrow", time=self.time(at)) if days == 1 else f"{self.weekday(at)} {self.time(at)}"

    def stamp(self, at: str, now: datetime) -> str:
        """When something was: `14:02` today, else `21 Nov 14:02`."""
        is_today = self.local(at).date() == now.astimezone(self.zone).date()
        return self.time(at) if is_today else f"{self.day(at)} {self.time(at)}"


@lru_cache(maxsize=64)
def zone_named(name: str | None) -> tzinfo:
    """A time zone by its name; UTC where the tablet has never heard of it."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def mentions(texts: Iterable[str], wanted: str) -> bool:
    """Whether every word that was typed stands somewhere in the texts, in any order and case."""
    told = " ".join(texts).casefold()
    return all(word in told for word in wanted.casefold().split())

"""Store today told as a face: the three numbers, the bars, what was said and the tablets, in the store's language.

Every number comes with its formula, its window and its count. Part of the floor; reads nothing itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

from babel.numbers import format_decimal

from associate_app.services.store_book import StoreBook
from associate_app.services.store_figures import FleetRow, StoreNow
from associate_app.ui.faces import BarFace, DayBar, FigureFace, NewsRow, StoreFace
from associate_app.ui.said import tell_said
from associate_app.ui.words import Speaker
from shared.plays.figures import CONVERSIONS_LEAST, DAYS, LiftDocument, add_revenue, by_play
from shared.plays.files import in_language
from shared.profile import Money

_BARS_MAX: Final = 12
_PPM_OF_A_POINT: Final = 10_000
_LIFT_ORDER: Final = {"measured": 3, "few": 2, "uneven": 1, "unmeasured": 0}


def tell_store(store: StoreNow, book: StoreBook, words: Speaker, now: datetime, *, is_week: bool) -> StoreFace:
    """Everything on Store today, of today or of the last seven days."""
    return _Teller(store, book, words, now, is_week=is_week).face()


@dataclass(frozen=True, slots=True)
class Results:
    """What came of each play in the last seven days: from where, of which days, and a bar by play id."""

    source: str
    is_stale: bool
    window: str
    bar: Callable[[str], BarFace]


def tell_results(store: StoreNow, book: StoreBook, words: Speaker, now: datetime) -> Results:
    """The results of plays one by one, those too that were not shown."""
    teller = _Teller(store, book, words, now, is_week=True)
    return Results(teller.source(), store.is_stale, teller.window(), teller.result)


class _Teller:
    """One telling: what is told, in whose words, of which days."""

    def __init__(self, store: StoreNow, book: StoreBook, words: Speaker, now: datetime, *, is_week: bool) -> None:
        self._store, self._words, self._now, self._is_week = store, words, now, is_week
        self._titles = {play.id: in_language(play.title, words.language) for play in book.playbook.plays}
        self._since_on = store.week_on if is_week else store.today_on
        self._plays = by_play(store.figures, self._since_on)
        self._sum: Counter[str] = sum(self._plays.values(), Counter())

    def face(self) -> StoreFace:
        """The whole screen."""
        bars = list(self._bars())
        days = tuple(self._days()) if self._is_week else ()
        told = (self._words("store.days.line", day=day.label, used=day.used, bought=day.bought) for day in days)
        left = len(bars) - _BARS_MAX
        return StoreFace(
            source=self.source(),
            is_stale=self._store.is_stale,
            figures=(self._used(), self._bought(), self._lift()),
            bars=tuple(bars[:_BARS_MAX]),
            more=self._words("store.bar.more", n=self._words.number(left)) if left > 0 else None,
            days=days,
            days_told=". ".join(told),
            said=tuple(tell_said(one, self._words, self._now, self._titles) for one in self._store.said),
            tablets=tuple(self._tablet(row) for row in self._store.tablets),
        )

    def source(self) -> str:
        """What is from where."""
        at = self._store.hq_as_of
        if at is None:
            return self._words("store.source.own")
        key = "store.source.stale" if self._store.is_stale else "store.source.hq"
        return self._words(key, time=self._words.stamp(at, self._now))

    def window(self) -> str:
        """Of which days the numbers are."""
        if not self._is_week:
            return self._words("store.window.today")
        since, until = (self._words.long_weekday_of(on) for on in (self._since_on, self._store.today_on))
        return self._words("store.window.week", since=since, until=until)

    def _title(self, play_id: str) -> str:
        return self._titles.get(play_id) or self._words("store.gone_play")

    # the three numbers -----------------------------------------------------------------------------------------------

    def _own(self, what: str) -> str:
        """How much of a number no other tablet and not HQ knows, said where HQ's figures are part of it."""
        own = sum(found[what] for found in by_play(self._store.own, self._since_on).values())
        if not own or self._store.hq_as_of is None:
            return self.window()
        return f"{self.window()} {self._words('store.own', n=self._words.number(own))}"

    def _used(self) -> FigureFace:
        words, shown, used = self._words, self._sum["shown"], self._sum["used"]
        how = words("store.used.how", n=words.number(used), shown=words.number(shown))
        note = words("store.used.note", n=words.number(shown))
        return FigureFace("used", words("store.used"), words.number(used), note, f"{how} {self._own('used')}")

    def _bought(self) -> FigureFace:
        words, bought, proven = self._words, self._sum["bought"], self._words.number(self._sum["proven"])
        totals = sorted(add_revenue(self._store.revenue, self._since_on).items())
        money = ", ".join(words.money(Money(minor=minor, currency=currency)) for currency, minor in totals)
        note = words("store.bought.note", n=proven)
        if money:
            note = words("store.bought.note_money", n=proven, money=money)
        how = words("store.bought.how", n=words.number(bought), proven=proven)
        return FigureFace("bought", words("store.bought"), words.number(bought), note, f"{how} {self._own('bought')}")

    def _lift(self) -> FigureFace:
        """The play of which most is known: measured before not, then the one with most orders among the held back."""
        known = [one for one in self._store.lifts.values() if one.play_id in self._titles]
        words = self._words
        if not known:
            how = words("store.lift.how_none", least=CONVERSIONS_LEAST)
            return FigureFace(
                "lift", words("store.lift"), words("store.lift.too_few"), words("store.lift.none_note"), how
            )
        best = max(known, key=lambda one: (_LIFT_ORDER[one.state], one.held_orders, one.play_id))
        number, note = self._lift_words(best)
        return FigureFace("lift", words("store.lift"), number, note, self._lift_how(best))

    def _lift_words(self, one: LiftDocument) -> tuple[str, str]:
        words, title = self._words, self._title(one.play_id)
        if one.lift_ppm is not None and one.low_ppm is not None and one.high_ppm is not None:
            low, high = self._points(one.low_ppm), self._points(one.high_ppm)
            number = words("store.lift.number", points=self._points(one.lift_ppm))
            return number, words("store.lift.note", low=low, high=high, title=title)
        if one.state in ("uneven", "unmeasured"):
            return words(f"store.lift.{one.state}"), words(f"store.lift.{one.state}_note", title=title)
        n = min(one.shown_orders, one.held_orders)
        note = words("store.lift.too_few_note", n=words.number(n), least=CONVERSIONS_LEAST, title=title)
        return words("store.lift.too_few"), note

    def _lift_how(self, one: LiftDocument) -> str:
        counts = ("shown", "shown_orders", "held", "held_orders", "trigger_seen")
        return self._words("store.lift.how", **{name: self._words.number(getattr(one, name)) for name in counts})

    def _points(self, ppm: int) -> str:
        """A difference of shares in points of a hundred: `+1.5`."""
        points = Decimal(ppm) / _PPM_OF_A_POINT
        return format_decimal(points, "+0.0;-0.0", locale=self._words.locale)

    # the bars --------------------------------------------------------------------------------------------------------

    def _bars(self) -> Iterator[BarFace]:
        """The plays most used first."""
        met = {play_id: found for play_id, found in self._plays.items() if any(found.values())}
        order = sorted(met, key=lambda play: (-met[play]["used"], -met[play]["shown"], self._title(play), play))
        for play_id in order:
            yield self._bar(play_id, met[play_id])

    def result(self, play_id: str) -> BarFace:
        """A play's bar, its lift told in any case: with interval and n, or why not yet."""
        found = self._plays.get(play_id, Counter())
        bar = self._bar(play_id, found)
        bar = bar if any(found.values()) else replace(bar, told=self._words("store.bar.unshown"))
        number, note = self._words("store.lift.too_few"), self._words("store.lift.not_held")
        return bar if bar.lift else replace(bar, lift=self._words("store.lift.line", number=number, note=note))

    def _bar(self, play_id: str, found: Mapping[str, int]) -> BarFace:
        words = self._words
        shown, used, bought, held = (found[what] for what in ("shown", "used", "bought", "would_show"))
        counts = {"shown": shown, "used": used, "bought": bought, "held": held}
        how = words("store.bar.how", proven=words.number(found["proven"]))
        return BarFace(
            play_id=play_id,
            title=self._title(play_id),
            told=words("store.bar", **{name: words.number(n) for name, n in counts.items()}),
            parts=(bought, max(0, used - bought), max(0, shown - used), held),
            lift=self._lift_line(play_id),
            how=f"{how} {self.window()}",
        )

    def _lift_line(self, play_id: str) -> str:
        one = self._store.lifts.get(play_id)
        if one is None:
            return ""
        number, note = self._lift_words(one)
        line = self._words("store.lift.line", number=number, note=note.removesuffix(f" · {self._title(play_id)}"))
        return f"{line} {self._lift_how(one)}"

    def _days(self) -> Iterator[DayBar]:
        """The seven days, those without anything too."""
        counted: Counter[tuple[str, str]] = Counter()
        for (on, _, what), n in self._store.figures.items():
            counted[on, what] += n
        first = date.fromisoformat(self._store.week_on)
        for place in range(DAYS):
            on = (first + timedelta(days=place)).isoformat()
            used, bought = (max(0, counted[on, what]) for what in ("used", "bought"))
            yield DayBar(self._words.weekday_of(on), used, bought)

    # people and tablets ----------------------------------------------------------------------------------------------

    def _tablet(self, row: FleetRow) -> NewsRow:
        words = self._words
        unsent = None if row.unsent is None else words.number(row.unsent)
        if row.is_this:
            told = words("store.tablet.this", n=unsent)
        elif row.last_seen_at is None:
            told = words("store.tablet.unseen")
        elif unsent is None:
            told = words("store.tablet.seen_only", time=words.stamp(row.last_seen_at, self._now))
        else:
            told = words("store.tablet.seen", time=words.stamp(row.last_seen_at, self._now), n=unsent)
        return NewsRow(row.name, row.name, told)

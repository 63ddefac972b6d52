"""Lists that grow long: a page at a time, with how many are left, and what is drawn already is not drawn again."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import flet as ft
import pytest

from associate_app.services import record
from associate_app.ui.faces import CardFace, Kind, LineFace, NoteFace
from associate_app.ui.floor import TabletFloor
from associate_app.ui.hooks import keyed, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import quiet_button
from associate_app.ui.parts.paged import PAGE, paged
from associate_app.ui.state import Desk, DeskContext, Heart, use_desk
from tests.support.flet_harness import Screen
from tests.support.plays import days_ago
from tests.support.replica import LOYALTY_ID, MARA, STORE_SCOPE, mara, page, put
from tests.unit.ui.conftest import Store, played, scan, sign_in


def numbered(count: int) -> list[NoteFace]:
    """So many lines, the newest first."""
    return [NoteFace(f"n{n}", f"line {n}", "") for n in range(1, count + 1)]


class Bench:
    """A page with one list on it and nothing else, which notes what was drawn."""

    def __init__(self, count: int, first: int) -> None:
        self.lines, self.first, self.drawn = numbered(count), first, list[str]()
        self.turned: list[tuple[int, int]] = []
        self.desk: Desk | None = None
        self.draw: Callable[[Desk, NoteFace], ft.Control] = self._line

    def open(self) -> Screen:
        return Screen(self._main)

    def _main(self, page: ft.Page) -> None:
        self.desk = Desk(page, floor=None, heart=Heart(), worker=None)  # type: ignore[arg-type]
        page.render(lambda: DeskContext(self.desk, self._shown))

    def _shown(self) -> ft.Control:
        return keyed("all", part(self._all))

    def _all(self) -> ft.Control:
        count, redraw = use_value(0)
        again = quiet_button("again", lambda: redraw(count + 1))
        lines = paged("Notes", list(self.lines), self.draw, self.first, turned=self._turn)
        return ft.Column([again, lines])

    def _line(self, _: Desk, line: NoteFace) -> ft.Control:
        self.drawn.append(line.text)
        return ft.Text(line.text)

    async def _turn(self, start: int, end: int) -> None:
        self.turned.append((start, end))


def lines_of(screen: Screen) -> list[str]:
    """The lines on the screen."""
    return [told for told in screen.texts() if told.startswith("line ")]


def test_a_page_more_draws_that_page_alone_and_says_how_many_are_left() -> None:
    """Five, then fifty at a time; what stood there is neither drawn nor sent again; *fewer* leads back to five."""
    bench = Bench(1000, 5)

    async def play() -> None:
        async with bench.open() as screen:
            assert lines_of(screen) == [f"line {n}" for n in range(1, 6)]
            assert not screen.shows("Notes: fewer")
            for shown in (5, 55, 105):
                bench.drawn.clear()
                sent = len(screen.client.sent)
                await screen.press(f"Notes: more ({1000 - shown})")
                assert lines_of(screen) == [f"line {n}" for n in range(1, shown + PAGE + 1)]
                assert bench.drawn == [f"line {n}" for n in range(shown + 1, shown + PAGE + 1)]
                told = str(screen.client.sent[sent:])
                assert "'line 3'" not in told
                assert f"'line {shown + 3}'" in told
            await screen.press("Notes: fewer")
            assert len(lines_of(screen)) == 5
            assert screen.shows("Notes: more (995)")
            assert bench.turned == [(5, 55), (55, 105), (105, 155), (0, 5)]
            assert not screen.crashes()

    played(play)


def test_a_line_is_drawn_again_when_its_record_or_what_is_around_it_has_changed() -> None:
    """A record that changed is alone in it; a language or a size of text is every line's."""
    bench = Bench(60, PAGE)

    async def play() -> None:
        async with bench.open() as screen:
            bench.drawn.clear()
            bench.lines[2] = replace(bench.lines[2], text="line 3, corrected")
            bench.lines.insert(0, NoteFace("n0", "line 0", ""))
            await screen.press("again")
            assert sorted(bench.drawn) == ["line 0", "line 3, corrected"]
            bench.drawn.clear()
            screen.session.store.set("text_scale", 2.0)
            await screen.press("again")
            assert len(bench.drawn) == PAGE

    played(play)


def test_two_lines_with_one_key_are_two_lines() -> None:
    """A shopper may look at the same thing twice in a second; neither is taken for the other, whatever comes above."""
    bench = Bench(3, PAGE)
    bench.lines.insert(1, replace(bench.lines[0], text="line 1, again"))

    async def play() -> None:
        async with bench.open() as screen:
            bench.lines.insert(0, NoteFace("n0", "line 0", ""))
            await screen.press("again")
            assert lines_of(screen) == ["line 0", "line 1", "line 1, again", "line 2", "line 3"]
            bench.lines[0:2] = []
            await screen.press("again")
            assert lines_of(screen) == ["line 1, again", "line 2", "line 3"]
            assert not screen.crashes()

    played(play)


@part
def _folded(desk: Desk, line: NoteFace) -> ft.Control:
    """A line with a state of its own, which asks for its desk each time it is drawn."""
    is_open, set_open = use_value(False)
    told = f"{line.text} {'open' if is_open and use_desk() is desk else 'closed'}"
    return quiet_button(told, lambda: set_open(not is_open))


def test_a_line_with_a_state_of_its_own_stays_alive_when_the_list_is_drawn_again() -> None:
    """It stands where it stood, and a tap on it is still answered; what was opened stays open."""
    bench = Bench(3, PAGE)
    bench.draw = _folded

    async def play() -> None:
        async with bench.open() as screen:
            for _ in range(2):
                bench.lines.insert(0, NoteFace(f"n{-len(bench.lines)}", f"line {-len(bench.lines)}", ""))
                gc.collect()
                await screen.press("again")
            await screen.press("line 2 closed")
            await screen.see("line 2 open")
            await screen.press("again")
            assert screen.shows("line 2 open")
            await screen.press("line 2 open")
            await screen.see("line 2 closed")
            assert not screen.crashes()

    played(play)


@pytest.mark.parametrize(("count", "told"), [(5, []), (6, ["more (1)"]), (1000, ["more (995)"])])
def test_no_more_than_there_is_is_offered(count: int, told: list[str]) -> None:
    """A list of what is shown anyway has no buttons; the last page leaves the way back alone."""
    bench = Bench(count, 5)

    async def play() -> None:
        async with bench.open() as screen:
            assert [one for one in screen.texts() if "more (" in one and ":" not in one] == told
            if count == 6:
                await screen.press("Notes: more (1)")
                assert len(lines_of(screen)) == 6
                assert not screen.shows("more (")
                assert screen.shows("Notes: fewer")

    played(play)


def noted(count: int) -> dict[str, Any]:
    """Mara with so many notes and as many outcomes, the newest said last."""
    by = {"associate_id": "a0001"}
    told = [{**by, "op_id": f"n{n}", "text": f"note {n}", "at": days_ago(n / 4)} for n in range(1, count + 1)]
    did = {**by, "play_id": "birthday", "outcome": "interested"}
    return mara(notes=told, outcomes=[{**did, "op_id": f"o{n}", "at": days_ago(n / 4)} for n in range(1, count + 1)])


def test_the_whole_history_of_a_shopper_can_be_read_from_the_card(store: Store) -> None:
    """The card brings the newest; the others are asked for by page, and a note written meanwhile joins them."""
    change = put(f"profile/{MARA}", noted(120), 60)
    store.shop.database.apply_page(page(STORE_SCOPE, [change], head=60))

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, LOYALTY_ID, "note 4")
            (token,) = store.floor._views
            assert len(store.floor.card(token).notes.lines) == 5
            assert not screen.shows("note 6")
            for left, oldest in ((115, 55), (65, 105), (15, 120)):
                await screen.press(f"Notes and sizes: more ({left})")
                await screen.see(f"note {oldest}")
                assert not screen.shows(f"note {oldest + 1}")
            assert not screen.shows("Notes and sizes: more")
            await screen.press("Said and done: more (115)")
            await screen.see("Said and done: more (65)")
            shopper = store.floor._shopper(token)
            record.add_note(store.shop.recorder, shopper, "written meanwhile")
            store.heart.beat()
            await screen.see("written meanwhile")
            assert screen.shows("note 120")
            await screen.press("Notes and sizes: fewer")
            await screen.until(lambda: not screen.shows("note 6"))
            assert not screen.crashes()

    played(play)


def test_every_record_that_is_still_here_can_be_read_on_sync(store: Store) -> None:
    """Fifty, and older ones by page, with how many are left."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, LOYALTY_ID, "Plays for now")
            await screen.until(lambda: store.kinds() == ["shopper_opened", "impression_recorded"])
            (token,) = store.floor._views
            about = store.floor._shopper(token)
            for n in range(70):
                record.add_note(store.shop.recorder, about, f"remark {n}.")
            await screen.press("Sync")
            await screen.see("remark 69.")
            assert not screen.shows("remark 1.")
            await screen.press("Records on this tablet: more (22)")
            await screen.see("remark 0.")
            assert not screen.shows("more (")

    played(play)


def test_what_a_held_out_play_hides_is_noted_when_its_page_is_opened(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by the pages before it: what nobody saw has changed nobody's mind."""
    card, opened = TabletFloor.card, list[str]()
    lines = [LineFace(f"r{n}", Kind.SEARCH, f"line {n}", "", "", is_behind=n > 60) for n in range(1, 63)]

    def with_lines(floor: TabletFloor, token: str) -> CardFace | None:
        face = card(floor, token)
        return replace(face, recent=tuple(lines)) if face else None

    monkeypatch.setattr(TabletFloor, "card", with_lines)
    monkeypatch.setattr(TabletFloor, "note_more_opened", lambda floor, token, who: opened.append(who))

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await scan(screen, LOYALTY_ID, "line 5")
            await screen.press("Recently online: more (57)")
            await screen.see("line 55")
            assert not opened
            await screen.press("Recently online: more (7)")
            await screen.see("line 62")
            await screen.until(lambda: opened == ["a0001"])
            await screen.press("Recently online: fewer")
            await screen.until(lambda: not screen.shows("line 62"))
            assert opened == ["a0001"]

    played(play)

"""Today's lists, the calendar's tasks, the playbook and the library without a browser, over a real tablet database."""

from __future__ import annotations

from typing import Any

from associate_app.services.slice_walk import PAUSE_S, Gleaned, SliceWalk
from shared.plays.figures import FiguresDocument, OnlineFirst
from tests.support.plays import NOW_AT, ago, event, load_folder
from tests.support.replica import MARA, SKU, STORE_SCOPE, card_for, mara, page, put
from tests.unit.ui.conftest import Store, played, scan, sign_in


def bring(store: Store, scope: str, s: int, documents: dict[str, dict[str, Any]]) -> None:
    """The feed brings documents, and the walk goes through the slice."""
    changes = [put(id_, body, s) for id_, body in documents.items()]
    store.shop.database.apply_page(page(scope, changes, head=s))
    found: list[Gleaned] = []
    walk = SliceWalk(store.shop.database, store.shop.books, store.shop.clock, found.append)
    while walk.step() != PAUSE_S:
        pass
    store.floor._gleaned = lambda: found[-1]
    store.heart.beat()


def with_wish(store: Store, **changes: Any) -> None:
    """Mara's wish is in stock."""
    wish = {"sku": SKU, "at": ago(80), "category": "jackets"}
    bring(store, STORE_SCOPE, 11, {f"profile/{MARA}": mara(wishlist=[wish], **changes)})


def test_a_word_is_taken_up_by_one_tap_and_taken_back(store: Store) -> None:
    """Why it is worth one stands with it; *Saved* after the commit; then it waits among the follow-ups."""
    with_wish(store)

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.see("Write that the wish is here")
            assert screen.shows("on the wishlist")
            await screen.press("Follow up with Mara Lindqvist today")
            await screen.see("Saved: Message for Mara, today")
            assert store.kinds()[-2:] == ["impression_recorded", "follow_up_requested"]
            await screen.see("Message · Write that the wish is here · Today")
            await screen.see("Nobody waits for a word from you today.")
            await screen.press("Undo")
            await screen.see("Nothing promised that waits for you.")
            await screen.see("Write that the wish is here")
            assert not screen.crashes()

    played(play)


def test_a_word_that_is_gone_by_the_tap_saves_nothing(store: Store) -> None:
    """A colleague's promise came with the feed a moment ago: a sentence, no record."""
    with_wish(store)

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.see("Write that the wish is here")
            promised = mara(follow_ups=[{"op_id": "f", "what": "call", "state": "open"}])
            store.shop.database.apply_page(page(STORE_SCOPE, [put(f"profile/{MARA}", promised, 12)], head=12))
            await screen.press("Follow up with Mara Lindqvist today")
            await screen.see("Nothing was saved")
            assert store.kinds() == []

    played(play)


def test_whom_one_pins_one_finds_on_today_and_lets_go_again(store: Store) -> None:
    """From the card and back; who is here now stands above; nobody is in the lists before."""
    with_wish(store, consent={}, recent=[event("Store Entered", 0.5, store="berlin-1")])

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.see("Whom you serve, or pin on their card, you find here again.")
            assert not screen.shows("Here now")
            assert not screen.shows("Mara Lindqvist")
            await scan(screen, card_for(), "Plays for now")
            await screen.press("Pin Mara Lindqvist to my shoppers")
            await screen.see("Pinned")
            await screen.press("Today")
            await screen.until(lambda: "Pinned" in screen.texts())
            await screen.press("Mara Lindqvist, Pinned, Gold")
            await screen.press("Mara Lindqvist is one of my shoppers, take off")
            await screen.see("Pin")
            assert [kind for kind in store.kinds() if kind == "shopper_pinned"] == ["shopper_pinned"] * 2

    played(play)


def test_who_is_here_is_told_with_their_consent(store: Store) -> None:
    """Mara agreed."""
    with_wish(store, recent=[event("Store Entered", 0.5, store="berlin-1")])

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.see("Here now")
            assert screen.shows("came in at 13:32")
            assert not screen.shows("Write that the wish is here")

    played(play)


def test_the_tasks_of_the_week_are_ticked_and_say_by_whom(store: Store) -> None:
    """Unfolded, ticked, taken away; the head counts."""
    entries = {f"calendar/{one['id']}": one for one in load_folder("calendar").values()}
    bring(store, "all", 11, entries)

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.press("Member weekend, until 3 Dec 2026 · tasks: 0 of 3 done")
            await screen.press("Try the code once at the till")
            await screen.see("tasks: 1 of 3 done")
            assert store.newest() == {"entry_id": "member-weekend", "task": "till", "done": True}
            await screen.press("Try the code once at the till, ticked by Jonas, 22 Nov")
            await screen.see("tasks: 0 of 3 done")

    played(play)


def test_a_new_play_is_new_until_this_associate_has_read_it(store: Store) -> None:
    """Under this week's plays it stays; on Today it is told no more; a second look records nothing."""

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.see("New plays this week")
            assert screen.shows("Member weekend")
            await screen.press("Plays")
            await screen.see("After something online")
            assert screen.texts().count("new") == 3
            await screen.press("Member weekend, new, 15 % on one piece")
            await screen.until(lambda: screen.texts().count("new") == 2)
            await screen.press("Member weekend, 15 % on one piece")
            await screen.press("Member weekend, 15 % on one piece")
            assert store.kinds() == ["play_read"]

    played(play)


def test_the_library_is_read_searched_and_copied(store: Store) -> None:
    """What is known is filled in, the rest is marked; the copy holds the text alone."""
    documents = {f"template/{one['id']}": one for one in load_folder("templates").values()}
    bring(store, "all", 11, documents | {f"library/{one['id']}": one for one in load_folder("library").values()})
    copied: list[Any] = []

    async def play() -> None:
        async with store.open(replies={"set": lambda told: copied.append(told)}) as screen:
            await sign_in(screen)
            await screen.press("All plays and the library")
            await screen.see("What you can say this week")
            await screen.press("Library")
            await screen.see("Caring for wool and merino")
            await screen.write("Search the library", "wishlist")
            await screen.until(lambda: not screen.shows("Caring for wool and merino"))
            await screen.press("Wish is here, E-mail")
            await screen.see("is in our store in Berlin Mitte")
            assert screen.shows("Hello [first name]")
            await screen.press("Copy text")
            await screen.see("Copied.")

    played(play)


def test_how_digital_helped_is_told_where_enough_were_counted(store: Store) -> None:
    """Before HQ's first count and over too few a sentence says so, without a number."""
    few = OnlineFirst(members=4, looked=2, currency="EUR")
    baskets = {"looked_orders": 35, "looked_minor": 259000, "other_orders": 90, "other_minor": 459000}
    many = OnlineFirst(members=120, looked=31, currency="EUR", **baskets)
    told = "In the last 7 days, 31 of 120 members who bought here had looked online first."

    async def play() -> None:
        async with store.open() as screen:
            await sign_in(screen)
            await screen.see("HQ has not counted this yet.")
            for s, counted, expected in ((11, few, "Not enough yet"), (12, many, told)):
                made = FiguresDocument(store="berlin-1", as_of=NOW_AT, through_s=9, online_first=counted)
                bring(store, STORE_SCOPE, s, {"figures/berlin-1": made.model_dump(mode="json", exclude_none=True)})
                await screen.see(expected)
            assert screen.shows("Their basket was €74 on average, against €51.")

    played(play)

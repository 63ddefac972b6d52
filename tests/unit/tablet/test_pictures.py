"""Pictures on the tablet: what the slice shows is fetched, checked, kept within bounds, and never waited for."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from associate_app.adapters.picture_shelf import FilePictureShelf
from associate_app.adapters.sqlite import TabletFile
from associate_app.sync.pictures import IDLE_S, LOOK_S, PictureFetcher
from associate_app.sync.status import SyncStatus
from shared.errors import Problem, Weather
from tests.support.replica import STORE_SCOPE, load, mara
from tests.support.tablet import TabletClock
from tests.support.world import SeededChance

AT = "2026-11-20T10:00:00.000Z"


def picture_of(name: str) -> tuple[str, bytes]:
    """(sha, bytes) of a picture."""
    content = f"picture of {name}".encode()
    return hashlib.sha256(content).hexdigest(), content


JUMPER, BEANIE, BOOTS, LAMP = (picture_of(name) for name in ("jumper", "beanie", "boots", "lamp"))


class Hq:
    """An HQ that has pictures, and may be away."""

    def __init__(self, *pictures: tuple[str, bytes]) -> None:
        self.pictures = dict(pictures)
        self.asked: list[str] = []
        self.is_away = False

    def media(self, sha: str) -> bytes:
        self.asked.append(sha)
        if self.is_away:
            raise Weather("nobody there")
        if sha not in self.pictures:
            raise Problem("not_found", "", status=404)
        return self.pictures[sha]


class Fetching:
    """A fetcher over a real database and a real folder."""

    def __init__(self, database: TabletFile, folder: Path, hq: Hq, bytes_max: int = 10_000_000) -> None:
        self.clock, self.hq = TabletClock(), hq
        self.shelf = FilePictureShelf(folder, bytes_max=bytes_max)
        self.status = SyncStatus(is_online=True)
        self.fetcher = PictureFetcher(database, hq, self.shelf, lambda: self.status, self.clock, SeededChance())  # type: ignore[arg-type]

    def run(self, steps: int = 20) -> None:
        """Let the loop come to rest."""
        for _ in range(steps):
            delay_s = self.fetcher.step()
            self.clock.move(delay_s)
            if delay_s >= IDLE_S:
                return


@pytest.fixture
def shown(database: TabletFile) -> TabletFile:
    """Mara left a jumper in her cart, wished for a beanie and looked at boots; the lamp is nobody's."""
    load(
        database,
        "all",
        {
            "product/S1": {"sku": "S1", "title": "Jumper", "image": JUMPER[0]},
            "product/S2": {"sku": "S2", "title": "Beanie", "image": BEANIE[0]},
            "product/S4": {"sku": "S4", "title": "Lamp", "image": LAMP[0]},
            "product/S5": {"sku": "S5", "title": "Scarf", "image": "scarf.webp"},
        },
    )
    doc = mara(
        cart=[{"sku": "S1", "at": AT}, {"sku": "S5", "at": AT}],
        wishlist=[{"sku": "S2", "at": AT}],
        recent=[{"at": AT, "channel": "web", "event": "Product Viewed", "sku": "S3", "image": BOOTS[0]}],
    )
    load(database, STORE_SCOPE, {f"profile/{doc['id']}": doc})
    return database


def test_what_the_slice_shows_is_fetched_and_nothing_else(shown: TabletFile, tmp_path: Path):
    """Cart, wishlist and recent events, by the line's own picture or the product's; no picture nobody shows."""
    made = Fetching(shown, tmp_path / "media", Hq(JUMPER, BEANIE, BOOTS, LAMP))
    made.run()
    assert sorted(made.hq.asked) == sorted([JUMPER[0], BEANIE[0], BOOTS[0]])
    assert (tmp_path / "media" / JUMPER[0]).read_bytes() == JUMPER[1]
    made.clock.move(2 * LOOK_S)
    made.run()
    assert len(made.hq.asked) == 3, "each once"


def test_a_picture_that_is_not_what_its_name_says_is_not_kept(shown: TabletFile, tmp_path: Path):
    """It is asked for once, not again and again; a drawing stands in."""
    made = Fetching(shown, tmp_path / "media", Hq((JUMPER[0], b"something else"), BEANIE, BOOTS))
    made.run()
    made.clock.move(2 * LOOK_S)
    made.run()
    assert made.hq.asked.count(JUMPER[0]) == 1
    assert not made.shelf.holds(JUMPER[0])
    assert made.shelf.holds(BEANIE[0])


def test_one_that_hq_has_not_does_not_stop_the_others(shown: TabletFile, tmp_path: Path):
    """Asked again an hour later: it may have been imported by then."""
    made = Fetching(shown, tmp_path / "media", Hq(BEANIE, BOOTS))
    made.run()
    assert made.shelf.holds(BEANIE[0])
    assert made.shelf.holds(BOOTS[0])
    made.hq.pictures[JUMPER[0]] = JUMPER[1]
    made.clock.move(3601)
    assert made.shelf.show(JUMPER[0]) is None
    made.run()
    assert made.shelf.holds(JUMPER[0])


def test_without_a_network_nothing_is_asked_and_with_a_bad_one_it_comes_later(shown: TabletFile, tmp_path: Path):
    """Weather is waited out; a revoked tablet fetches nothing."""
    made = Fetching(shown, tmp_path / "media", Hq(JUMPER, BEANIE, BOOTS))
    made.status = SyncStatus(is_online=False)
    made.run()
    made.status = SyncStatus(is_online=True, is_revoked=True)
    made.run()
    assert made.hq.asked == []
    made.status, made.hq.is_away = SyncStatus(is_online=True), True
    assert made.fetcher.step() >= IDLE_S
    made.hq.is_away = False
    made.run()
    assert all(made.shelf.holds(sha) for sha, _ in (JUMPER, BEANIE, BOOTS))


def test_what_a_card_missed_comes_first(shown: TabletFile, tmp_path: Path):
    """The shopper is in front of the associate now."""
    made = Fetching(shown, tmp_path / "media", Hq(JUMPER, BEANIE, BOOTS, LAMP))
    assert made.shelf.show(LAMP[0]) is None
    made.fetcher.step()
    assert made.hq.asked == [LAMP[0]]
    assert made.shelf.show(LAMP[0]) == tmp_path / "media" / LAMP[0]


def test_the_least_recently_shown_goes_when_the_shelf_is_full(tmp_path: Path):
    """A picture just shown stays; the newest is never the one that goes."""
    shelf = FilePictureShelf(tmp_path, bytes_max=len(JUMPER[1]) + len(BEANIE[1]) + 1)
    for age, (sha, content) in enumerate((JUMPER, BEANIE)):
        assert shelf.keep(sha, content)
        os.utime(tmp_path / sha, ns=(age, age))
    assert shelf.show(JUMPER[0]) is not None
    assert shelf.keep(*BOOTS)
    assert [shelf.holds(sha) for sha, _ in (JUMPER, BEANIE, BOOTS)] == [True, False, True]


def test_a_full_shelf_is_not_filled_and_emptied_in_turn(shown: TabletFile, tmp_path: Path):
    """Only what a card wants now may push another picture out."""
    made = Fetching(shown, tmp_path / "media", Hq(JUMPER, BEANIE, BOOTS), bytes_max=100)
    made.run()
    assert made.hq.asked == []


def test_names_that_are_no_hash_lead_nowhere(tmp_path: Path):
    """Not out of the folder, and they are not wished for."""
    shelf = FilePictureShelf(tmp_path / "media")
    (tmp_path / "secret").write_text("x")
    assert shelf.show("../secret") is None
    assert shelf.missed() == ()


def test_a_slice_without_any_picture_asks_for_none(database: TabletFile):
    """Profiles without lines, and no profiles."""
    assert database.pictures_shown() == ()

"""A tablet that HQ has not vouched for: what it hides, whom it refuses, what it deletes; whatever its clock says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from associate_app.absence import away_s
from associate_app.ports import LAST_CONTACT_NOTE, SLICE_WIPED_NOTE
from associate_app.services.lookup import look_up_profile
from associate_app.services.sign_in import associates_here, sign_in
from associate_app.services.store_book import TabletRules
from associate_app.sync.driver import SyncDriver
from shared.clock import format_at
from shared.errors import Weather
from tests.support.replica import MARA, ShopTablet, new_note, op_ids
from tests.support.world import START, SeededChance

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
PIN = "2580"


class Silence:
    """An HQ that never answers."""

    def __getattr__(self, name: str):
        def ask(*_args, **_kwargs):
            raise Weather("nobody there")

        return ask


def driver_of(shop: ShopTablet) -> SyncDriver:
    """The tablet's sync worker, without a network."""
    return SyncDriver(shop.database, Silence(), shop.clock, SeededChance(3), app_version="1.0.0", owner="worker")


def live(shop: ShopTablet, driver: SyncDriver, seconds: float) -> None:
    """Let the worker come to its turn every hour, while time passes."""
    end_s = shop.clock.monotonic_s() + seconds
    while shop.clock.monotonic_s() < end_s:
        shop.clock.move(min(HOUR_S, end_s - shop.clock.monotonic_s()))
        for _ in range(10):
            if driver.step() > 0:
                break


def hides_behaviour(shop: ShopTablet) -> bool:
    """Whether Mara's card is without what she did online."""
    return look_up_profile(shop.database, shop.book, MARA, now=shop.clock.now()).is_behaviour_hidden


def may_sign_in(shop: ShopTablet) -> bool:
    """Whether somebody's own PIN is taken."""
    someone = associates_here(shop.database)[0].associate_id
    return sign_in(shop.database, someone, PIN, clock=shop.clock, rules=TabletRules()).associate is not None


def test_behaviour_then_sign_in_then_the_shoppers_go(shop: ShopTablet):
    """72 hours, 7 days, 14 days; the outbox and the playbook outlast all three."""
    shop.database.record([new_note(op_ids())])
    driver = driver_of(shop)
    live(shop, driver, 72 * HOUR_S - 60)
    assert (hides_behaviour(shop), may_sign_in(shop)) == (False, True)
    live(shop, driver, 120)
    assert (hides_behaviour(shop), may_sign_in(shop)) == (True, True)
    live(shop, driver, 4 * DAY_S)
    assert not may_sign_in(shop)
    live(shop, driver, 7 * DAY_S - 2 * HOUR_S)
    assert shop.database.documents("profile") != ()
    live(shop, driver, 2 * HOUR_S)
    assert shop.database.documents("profile") == ()
    assert shop.database.search("Mara") == ()
    assert shop.database.documents("play") != ()
    assert shop.database.counts().pending == 1


@pytest.mark.parametrize("back", [timedelta(days=3650), timedelta(days=13), timedelta(hours=1)])
def test_a_clock_set_back_does_not_prolong_it(shop: ShopTablet, back: timedelta):
    """What has passed is counted, and what passes after is counted on by the steady clock."""
    driver = driver_of(shop)
    live(shop, driver, 6 * DAY_S)
    assert hides_behaviour(shop)
    shop.clock.set(shop.clock.now() - back)
    live(shop, driver, HOUR_S)
    assert hides_behaviour(shop)
    assert may_sign_in(shop)
    live(shop, driver, DAY_S)
    assert not may_sign_in(shop)
    live(shop, driver, 7 * DAY_S)
    assert shop.database.documents("profile") == ()


def test_setting_it_back_again_and_again_gains_nothing(shop: ShopTablet):
    """Once a day, and the program started anew each time: still gone on the fifteenth day."""
    for _ in range(15):
        driver = driver_of(shop)
        live(shop, driver, DAY_S)
        shop.clock.set(shop.clock.now() - timedelta(days=1))
        driver.close()
    live(shop, driver_of(shop), HOUR_S)
    assert shop.database.documents("profile") == ()


def test_the_shoppers_are_deleted_once_and_not_again_with_each_step(shop: ShopTablet):
    """A clock that is behind the deletion does not bring it back."""
    driver = driver_of(shop)
    live(shop, driver, 15 * DAY_S)
    wiped_at = shop.database.read_note(SLICE_WIPED_NOTE)
    assert wiped_at is not None
    shop.clock.set(shop.clock.now() - timedelta(days=60))
    live(shop, driver, DAY_S)
    assert shop.database.read_note(SLICE_WIPED_NOTE) == wiped_at


def test_a_contact_begins_the_count_anew(shop: ShopTablet):
    """What was counted belongs to the contact before."""
    live(shop, driver_of(shop), 6 * DAY_S)
    shop.clock.move(1.0)
    shop.database.write_note(LAST_CONTACT_NOTE, format_at(shop.clock.now()))
    assert away_s(shop.database, shop.clock.now()) == 0
    assert not hides_behaviour(shop)


def test_a_tablet_that_never_met_hq_is_not_away(database):
    """Nothing is held, so nothing has to be hidden."""
    assert away_s(database, START) is None

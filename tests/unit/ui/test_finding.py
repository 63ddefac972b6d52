"""Who stands at the head of the list that search shows, over a real tablet database."""

from __future__ import annotations

from associate_app.services import record
from associate_app.services.lookup import look_up_profile
from associate_app.ui.overview import SHIFT
from tests.support.replica import STORE_SCOPE, mara, page, put
from tests.unit.ui.conftest import Store


def test_of_namesakes_the_one_seen_this_shift_comes_first(store: Store) -> None:
    """Also by a slip; the next shift knows nothing of it."""
    shop = store.shop
    others = [put(f"profile/{key}", mara(id=key, identifiers=[]), 11) for key in ("aa", "bb")]
    shop.database.apply_page(page(STORE_SCOPE, others, head=11))
    record.open_card(shop.recorder, look_up_profile(shop.database, shop.book, "bb", now=shop.clock.now()))
    for text in ("lindqvist", "mara lindqvits"):
        assert store.floor.find(text)[0].key == "bb"
    shop.clock.move(SHIFT.total_seconds() + 1)
    assert store.floor.find("lindqvist")[0].key != "bb"

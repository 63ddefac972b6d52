"""A picture's whole way: HQ's shelf, the real server, the tablet's fetcher and its folder; gone with the slice."""

from __future__ import annotations

from pathlib import Path

import pytest

from associate_app.adapters.picture_shelf import FilePictureShelf
from associate_app.sync.driver import SyncDriver
from associate_app.sync.pictures import IDLE_S, PictureFetcher
from shared.documents import ProductDocument
from sync_server.services.chain import document_in_store
from sync_server.services.enrolment import revoke_device
from sync_server.services.headquarters import Headquarters
from sync_server.services.products import publish_products
from tests.support.replica import mara
from tests.support.tablet import Tablet

AT = "2026-11-20T10:00:00.000Z"
SHIPPED = "backpacks-forest.webp"


@pytest.fixture
def shelf(tmp_path: Path) -> FilePictureShelf:
    """The tablet's folder of pictures."""
    return FilePictureShelf(tmp_path / "tablet-media")


@pytest.fixture
def shop_tablet(shop_tablet: Tablet, shelf: FilePictureShelf) -> Tablet:
    """A connected tablet whose worker knows the folder of pictures."""
    made = shop_tablet
    made.driver = SyncDriver(
        made.database, made.endpoint, made.clock, made.chance, app_version="1.0.0", owner="worker", pictures=shelf
    )
    return made


def fetch_all(tablet: Tablet, shelf: FilePictureShelf) -> None:
    """Let the picture loop come to rest."""
    fetcher = PictureFetcher(tablet.database, tablet.endpoint, shelf, tablet.driver.status, tablet.clock, tablet.chance)
    while fetcher.step() < IDLE_S:
        pass


def test_a_picture_of_hq_stands_on_the_tablet_and_goes_with_the_slice(
    hq: Headquarters, shop_tablet: Tablet, shelf: FilePictureShelf
):
    """The product's document names the hash, the tablet asks for it, and a revocation deletes it with the shoppers."""
    sha = hq.media.sha_of_picture(SHIPPED)
    assert sha is not None
    publish_products(hq, [ProductDocument(sku="S1", title="Backpack", prices=[], image=sha)])
    doc = mara(wishlist=[{"sku": "S1", "at": AT}])
    with hq.database.write() as tx:
        tx.publish([document_in_store("berlin-1", f"profile/{doc['id']}", doc)], hq.now_at())
    assert shop_tablet.sync().is_complete
    assert shop_tablet.database.pictures_shown() == (sha,)
    fetch_all(shop_tablet, shelf)
    shown = shelf.show(sha)
    assert shown is not None
    assert shown.read_bytes() == hq.media.find(sha)
    device = shop_tablet.database.device()
    assert device is not None
    revoke_device(hq, device.device_id)
    assert shop_tablet.sync().status.is_revoked
    assert not shelf.holds(sha)

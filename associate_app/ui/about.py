"""What this tablet is, in lines that can be read out on the telephone. Part of the floor; records nothing."""

from __future__ import annotations

from associate_app.ports import TabletDatabase
from associate_app.services.store_book import StoreBook
from associate_app.settings import APP_VERSION
from associate_app.ui.faces import AboutFace
from associate_app.ui.words import Speaker


def tell_about(database: TabletDatabase, book: StoreBook | None, words: Speaker) -> AboutFace:
    """Name of the tablet, store, version of the app, and after how long it locks."""
    device = database.device()
    lines = [
        (words("about.tablet"), device.name if device else None),
        (words("about.store"), book.store_name if book else None),
        (words("about.version"), APP_VERSION),
        (words("about.lock"), words.count("about.minutes", book.rules.lock_after_min) if book else None),
    ]
    return AboutFace(tuple((what, told) for what, told in lines if told))

"""Which language a session speaks: as chosen on this tablet, else the browser's, else that of the store's country.

The choice is kept in the tablet's notebook, so that it holds for everyone at this tablet and after a restart. What a
browser prefers comes with its socket (`hub.py`); a packaged app hears nothing of the kind and goes by the store.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from associate_app.ports import TabletDatabase
from associate_app.ui.words import CATALOGUES

LANGUAGES: Final = ("de", "en")
"""As the switch lists them."""
_LANGUAGE_NOTE: Final = "language"
_DEFAULT: Final = "en"
_GERMAN_SPEAKING: Final = ("DE", "AT", "CH", "LI")

BROWSER_LANGUAGE: Final = ContextVar[str | None]("browser_language", default=None)
"""What the browser of the session being begun prefers, of the languages spoken here."""


def preferred(header: str) -> str | None:
    """The first language of an `Accept-Language` header, or of a list like it, that is spoken here; None for none.
    Browsers write their favourite first."""
    named = (part.split(";")[0].strip()[:2].lower() for part in header.split(","))
    return next((language for language in named if language in CATALOGUES), None)


def language_of(country: str | None) -> str:
    """What people speak in a country (ISO 3166), of the languages spoken here."""
    return "de" if (country or "").upper() in _GERMAN_SPEAKING else _DEFAULT


def chosen_language(database: TabletDatabase) -> str | None:
    """What somebody chose on this tablet."""
    noted = database.read_note(_LANGUAGE_NOTE)
    return noted if noted in CATALOGUES else None


def choose_language(database: TabletDatabase, language: str) -> None:
    """Keep a choice for everyone at this tablet."""
    if language in CATALOGUES:
        database.write_note(_LANGUAGE_NOTE, language)

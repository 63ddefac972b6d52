"""What Today, the library and the calendar show, in words: faces beside those of `faces.py`."""

from __future__ import annotations

from dataclasses import dataclass

from associate_app.ui.faces import ShopperRow


@dataclass(frozen=True, slots=True)
class WordRow:
    """A shopper worth a word: which play, why, and how they agreed to be reached (`call`, `message`)."""

    shopper: ShopperRow
    title: str
    why: str
    what: str

    @property
    def key(self) -> str:
        """Its shopper's."""
        return self.shopper.key


@dataclass(frozen=True, slots=True)
class TodayLists:
    """The associate's own shoppers, who is here now, who is worth a word; `is_looking` while the slice was not gone
    through once."""

    mine: tuple[ShopperRow, ...]
    here: tuple[ShopperRow, ...]
    words: tuple[WordRow, ...]
    is_looking: bool


@dataclass(frozen=True, slots=True)
class TaskFace:
    """A task of a calendar entry; `hint` says who ticked it."""

    task: str
    title: str
    is_done: bool
    hint: str


@dataclass(frozen=True, slots=True)
class EntryFace:
    """An entry of this week's calendar with what the store does for it."""

    key: str
    title: str
    hint: str
    text: str
    tasks: tuple[TaskFace, ...] = ()


@dataclass(frozen=True, slots=True)
class HelpedFace:
    """How digital helped this store: a sentence, and under it as of when and how it was counted."""

    told: str
    note: str


@dataclass(frozen=True, slots=True)
class TextFace:
    """A text of the library. `kind`: template, care, size, event; `copied` is what *Copy text* takes along."""

    key: str
    kind: str
    title: str
    hint: str
    text: str
    copied: str

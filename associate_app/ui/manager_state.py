"""What the screens of a store manager ask of the tablet; the rest of it is `state.Floor`. Types alone live here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from associate_app.ui.manager_faces import ApprovalsFace, MatchesFace, PersonFace, ReviewsFace, TabletsFace


@dataclass(frozen=True, slots=True)
class NewPin:
    """A new PIN for somebody, as they typed it twice, and the PIN of the manager who stands beside them."""

    associate_id: str
    pin: str = field(repr=False)
    managers_pin: str = field(repr=False)


class Office(Protocol):
    """As `state.Floor`: every method blocks, and raises `Refused` for who is no manager of this store."""

    def reviews(self, associate_id: str) -> ReviewsFace:
        """Every play that runs here or will, with what it says, when it fires and what came of it."""

    def matches(self, associate_id: str, *, is_afresh: bool = False) -> MatchesFace:
        """Look at some more shoppers, for one piece of time; how far it is, and whom each play would meet."""

    def people(self, associate_id: str) -> tuple[PersonFace, ...]:
        """Who works here and how their PIN stands."""

    def confirm(self, pin: str, associate_id: str) -> str | None:
        """Check the manager's own PIN (slow on purpose); a sentence where it is not right."""

    def set_pin(self, new: NewPin, associate_id: str) -> str:
        """Give somebody a new PIN (slow on purpose); what was saved, in words."""

    def approvals(self, associate_id: str) -> ApprovalsFace:
        """What waits for somebody's word, and what was given and decided."""

    def take_back(self, key: str, associate_id: str) -> str:
        """Take an override back; what was saved, in words."""

    def tablets(self, associate_id: str) -> TabletsFace:
        """The tablets of the store."""

"""What the screens of a store manager ask of the tablet; the rest of it is `state.Floor`. Types alone live here."""

from __future__ import annotations

from typing import Protocol

from associate_app.ui.manager_faces import MatchesFace, ReviewsFace


class Office(Protocol):
    """As `state.Floor`: every method blocks, and raises `Refused` for who is no manager of this store."""

    def reviews(self, associate_id: str) -> ReviewsFace:
        """Every play that runs here or will, with what it says, when it fires and what came of it."""

    def matches(self, associate_id: str, *, is_afresh: bool = False) -> MatchesFace:
        """Look at some more shoppers, for one piece of time; how far it is, and whom each play would meet."""

"""What stores tell HQ, what HQ answers, and by when it owes an answer: the document `feedback/<op_id>`. Steps 5 and 8.

`STATES` is the one table of what may be said next. HQ writes the document, the tablets of the store read it; both ask
here whether an answer is late, and whether the agreement was kept. Pure; words are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from shared.clock import is_at
from shared.documents import Document

ANSWER_DAYS: Final = 3
"""Within how many days HQ answers, where the chain has agreed on no other number."""
OPEN: Final = "open"
TAKEN_UP: Final = "taken_up"
ANSWERED: Final = "answered"
DECLINED: Final = "declined"
STATES: Final[Mapping[str, tuple[str, ...]]] = {
    OPEN: (TAKEN_UP, ANSWERED, DECLINED),
    TAKEN_UP: (TAKEN_UP, ANSWERED, DECLINED),
    ANSWERED: (ANSWERED, DECLINED),
    DECLINED: (ANSWERED, DECLINED),
}
"""State -> the states it may go to. Taken up is a word, not an answer: the deadline goes on."""
SETTLED: Final = frozenset({ANSWERED, DECLINED})


class FeedbackDocument(Document):
    """One message and what HQ said to it. `answered_at` is when HQ first answered or declined, `said_at` when it last
    said anything; times are wire strings. Read leniently: an older HQ wrote no state."""

    id: str = ""
    about: str = "other"
    text: str = ""
    play_id: str | None = None
    at: str
    associate_id: str | None = None
    due_at: str | None = None
    state: str = OPEN
    answer: str | None = None
    answered_at: str | None = None
    said_at: str | None = None

    @classmethod
    def from_document(cls, op_id: str, body: Mapping[str, Any]) -> FeedbackDocument | None:
        """Read a document or a record's body; None for one that tells no time. A newer HQ may be of another form."""
        if not is_at(body.get("at")):
            return None
        texts = {name: value for name, value in body.items() if isinstance(value, str)}
        made = cls(**{**{name: texts[name] for name in cls.model_fields if name in texts}, "id": op_id})
        due_at = made.due_at if is_at(made.due_at) else None
        state = ANSWERED if made.answer and made.state == OPEN else made.state
        return made.model_copy(update={"due_at": due_at, "state": state})

    @property
    def is_settled(self) -> bool:
        """Whether HQ has answered or declined."""
        return self.state in SETTLED

    def is_late(self, now_at: str) -> bool:
        """Whether HQ owes an answer since before `now_at`."""
        return not self.is_settled and self.due_at is not None and self.due_at < now_at

    @property
    def was_kept(self) -> bool | None:
        """Whether the answer came in time; None while there is none, or where nobody knows."""
        if not self.is_settled or not self.answered_at or not self.due_at:
            return None
        return self.answered_at <= self.due_at


def may_say(state: str, next_state: str) -> bool:
    """Whether the table allows this to be said of a message in a state."""
    return next_state in STATES.get(state, STATES[OPEN])

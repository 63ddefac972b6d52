"""Commands for what stores tell HQ: what waits, the answer, and how the agreement on answers is kept."""

from __future__ import annotations

from typing import Annotated, Literal

from cyclopts import Parameter

from sync_server.command_line.common import DEFAULT, Common, headquarters, say, say_table
from sync_server.services import feedback

_COLUMNS = {"id": "Id", "store": "Store", "about": "About", "text": "Text", "due_at": "Due", "is_late": "Late"}
_AS = Annotated[Literal["answered", "taken_up", "declined"], Parameter(name="--as")]
_SAID = {"answered": "Answered", "taken_up": "Taken up", "declined": "Declined"}


def feedback_list(*, store: str | None = None, every: bool = False, common: Common = DEFAULT) -> None:
    """List what waits for an answer, soonest due first.

    Parameters
    ----------
    store
        Only this store's.
    every
        What was answered as well.
    """
    with headquarters(common) as hq:
        rows = feedback.list_feedback(hq, store, is_every=every)
    columns = {**_COLUMNS, "state": "State", "answer": "Answer"} if every else _COLUMNS
    say_table(common, rows, columns, "Nothing waits for an answer.")


def feedback_answer(message: str, text: str, *, as_: _AS = "answered", common: Common = DEFAULT) -> None:
    """Answer a message; the tablets of its store show the answer at their next contact.

    Parameters
    ----------
    message
        Its id.
    text
        What HQ says.
    as_
        Its state: answered, taken_up (the deadline goes on) or declined.
    """
    with headquarters(common) as hq:
        told = feedback.answer_feedback(hq, message, text, as_, who="command line")
    say(common, told, f"{_SAID[told['state']]}: {told['store']} reads it at its next contact.")


def feedback_agreement(*, common: Common = DEFAULT) -> None:
    """Count, store by store, answers in time, answers late or owed, and what is open; the days are `feedback_days`."""
    with headquarters(common) as hq:
        rows = feedback.agreement(hq)
    columns = {"store": "Store", "days": "Days agreed", "kept": "Kept", "missed": "Missed", "open": "Open"}
    say_table(common, rows, columns, "No store has told HQ anything yet.")

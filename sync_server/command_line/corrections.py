"""Commands for what the floor corrected or flagged: what waits for a person, and the person's answer."""

from __future__ import annotations

from sync_server.command_line.common import DEFAULT, Common, headquarters, say, say_table
from sync_server.services import corrections

_COLUMNS = {"id": "Id", "store": "Store", "shopper": "Shopper", "field": "Field", "value": "Value", "text": "Text"}


def correction_list(*, every: bool = False, common: Common = DEFAULT) -> None:
    """List wrong data nobody has looked at, and e-mails or phones that are somebody else's.

    Parameters
    ----------
    every
        Everything that was corrected, with HQ's answers.
    """
    with headquarters(common) as hq:
        rows = corrections.list_corrections(hq, is_every=every)
    columns = {**_COLUMNS, "state": "State", "why": "Why", "answer": "Answer"} if every else {**_COLUMNS, "why": "Why"}
    say_table(common, rows, columns, "Nothing waits.")


def correction_answer(correction: str, text: str, *, value: str | None = None, common: Common = DEFAULT) -> None:
    """Answer one; the card shows the answer on every tablet that holds the shopper.

    Parameters
    ----------
    correction
        Its id.
    text
        What HQ found.
    value
        What is right, for a name, postcode or language: it is taken over.
    """
    with headquarters(common) as hq:
        told = corrections.answer_correction(hq, correction, text, value=value, who="command line")
    say(common, told, f"Answered; the card shows it. The field {told['field']} is {told['state']}.")

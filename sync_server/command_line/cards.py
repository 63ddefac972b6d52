"""Commands for loyalty cards: issue, cancel."""

from __future__ import annotations

import sys
from datetime import date

import qrcode

from shared.errors import Refused
from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say, say_json
from sync_server.services.cards import cancel_card, issue_card


def card_issue(loyalty_id: str, *, expires_on: str | None = None, common: Common = DEFAULT) -> None:
    """Issue a signed card for a loyalty number, which need not be known yet.

    Parameters
    ----------
    loyalty_id
        The shopper's loyalty number.
    expires_on
        Last day it counts, such as 2028-12-31; default is never.
    """
    with headquarters(common) as hq:
        text = issue_card(hq, loyalty_id, expires_on=_day(expires_on))
    if common.json:
        say_json({"card": text})
        return
    code = qrcode.QRCode(border=2)
    code.add_data(text)
    code.print_ascii(out=sys.stdout, invert=sys.stdout.isatty())
    people().print(text, soft_wrap=True)


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise Refused(f"A day is written like 2028-12-31, not {text!r:.40}.") from None


def card_cancel(card: str, *, common: Common = DEFAULT) -> None:
    """Cancel a card, by its text or its id."""
    with headquarters(common) as hq:
        shown = cancel_card(hq, card)
    say(common, shown, f"The card of {shown['loyalty_id']} counts no more, on each tablet from its next contact on.")

"""Commands of the offers: the list, what hangs in the air, and what stores gave beyond the terms."""

from __future__ import annotations

from sync_server.command_line.common import DEFAULT, Common, headquarters, say_table
from sync_server.services import offers, overrides


def offer_list(*, common: Common = DEFAULT) -> None:
    """List the offers published now, and how far a store may bend them."""
    with headquarters(common) as hq:
        rows = offers.list_offers(hq)
    columns = {"offer_id": "Id", "title": "Title", "kind": "Kind", "codes": "Codes", "valid_until": "Until"}
    more = {"is_over": "Over", "honoured_until": "Honoured until", "per_day": "A day", "needs": "Needs"}
    say_table(common, rows, {**columns, **more, "is_orphan": "Orphan"}, "No offer is published.")


def offer_check(*, common: Common = DEFAULT) -> None:
    """Say what hangs in the air: offers nobody published or hands out, coupons of orders that are no offer's."""
    with headquarters(common) as hq:
        rows = offers.check_offers(hq)
    columns = {"what": "What", "offer_id": "Offer", "count": "Times", "sentence": "Look at"}
    say_table(common, rows, columns, "Every offer is known and handed out.")


def offer_overrides(*, store: str | None = None, since: str | None = None, common: Common = DEFAULT) -> None:
    """Total what stores gave beyond the terms, by store and reason; money in minor units, per currency.

    Parameters
    ----------
    store
        The code of one store.
    since
        The first day, such as 2026-11-22.
    """
    with headquarters(common) as hq:
        rows = overrides.total_overrides(hq, store=store, since_on=since)
    columns = {"store": "Store", "offer_id": "Offer", "kind": "Kind", "reason": "Reason", "count": "Times"}
    more = {"minor": "Money", "currency": "Currency", "over": "Over the day's limit"}
    say_table(common, rows, {**columns, **more}, "No offer was bent.")

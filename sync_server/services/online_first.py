"""How digital helped a store: of the members who bought there, how many had looked online first, and what both spent.

Counted in the same walk as the store's other figures, of those alone who agreed to analytics and to the use of their
online activity in the store: nobody else is in the figure at all, not even below the line. A look is an event of web
or app about products, within LOOKED_DAYS before the order; mails and adverts are none, for they come by themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any, Final

from shared.clock import shift_at
from shared.event_catalogue import DIGITAL_CHANNELS, Channel, EventCategory, entry_for
from shared.plays.figures import DAYS, LOOKED_DAYS, OnlineFirst
from shared.projection import Reading, may_analyse, may_show_behaviour, net_of
from sync_server.ports import Store

_LOOKED_IN: Final = frozenset({Channel.WEB, Channel.APP})
_LOOKS: Final = frozenset(
    {EventCategory.BROWSING, EventCategory.CART, EventCategory.CHECKOUT, EventCategory.WISHLIST, EventCategory.REVIEW}
)
_MEMBER: Final = "loyalty_id|"


class OnlineFirstCount:
    """The count of every store, as of one moment."""

    def __init__(self, stores: Collection[Store], now_at: str) -> None:
        self._currency = {store.code: store.currency for store in stores}
        self._since_at, self._now_at = shift_at(now_at, days=-DAYS), now_at
        self._counts: dict[str, Counter[str]] = {store.code: Counter() for store in stores}

    def add(self, reading: Reading) -> None:
        """Count one shopper, if they are a member, bought in a store and agreed."""
        bought = self._orders(reading)
        if not bought or not any(key.startswith(_MEMBER) for key in reading.state.identifiers):
            return
        if not (may_analyse(reading) and may_show_behaviour(reading)):
            return
        looks = sorted(at for at, _, line in reading.state.recent if _is_look(line))
        looked_in: dict[str, bool] = {}
        for order_id, at, store in bought:
            has_looked = any(shift_at(at, days=-LOOKED_DAYS) <= look < at for look in looks)
            looked_in[store] = looked_in.get(store, False) or has_looked
            self._add_order(store, "looked" if has_looked else "other", net_of(reading, order_id))
        for store, has_looked in looked_in.items():
            self._counts[store].update(members=1, looked=int(has_looked))

    def _orders(self, reading: Reading) -> list[tuple[str, str, str]]:
        """(order id, when, store) of what was bought in a store in the days that are told."""
        found = []
        for order_id, (at, _, _, channel, store, *_) in reading.orders.items():
            if store in self._counts and channel not in DIGITAL_CHANNELS and self._since_at < at <= self._now_at:
                found.append((order_id, at, store))
        return found

    def _add_order(self, store: str, group: str, net: tuple[int, str] | None) -> None:
        """Of orders whose worth is known in the store's currency the basket is made."""
        if net is not None and net[1] == self._currency[store]:
            self._counts[store].update({f"{group}_orders": 1, f"{group}_minor": net[0]})

    def of(self, store: str) -> OnlineFirst | None:
        """The figure of a store; None where nobody was counted."""
        counted = self._counts[store]
        if not counted["members"]:
            return None
        return OnlineFirst.model_validate({**counted, "currency": self._currency[store]})


def _is_look(line: dict[str, Any]) -> bool:
    entry = entry_for(line.get("event", ""))
    return line.get("channel") in _LOOKED_IN and entry is not None and entry.category in _LOOKS

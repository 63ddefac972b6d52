"""From the feed to the rows an audience is asked of: what changed since the last time, page by page (decision 0029).

Documents are read with the models the evaluator reads them with, and text is folded as it folds, so that both see the
same. A page is one write transaction; pushes pass in between.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import ValidationError

from shared.clock import seconds_of
from shared.documents import ProductDocument
from shared.plays.catalogue import ORDER_COMPLETED, PURPOSES
from shared.plays.inputs import fold
from shared.profile import Profile, RecentEvent
from shared.wire.messages import SCOPE_ALL, store_scope
from sync_server.audience_ports import AudiencePage, ShopperRows
from sync_server.ports import CentralDatabase, CentralWriter, DocRow

_PAGE: Final = 1000
_MANY: Final = 2_000
_LEAP_YEAR: Final = 2000


def refresh_audience(database: CentralDatabase) -> int:
    """Take what the feeds have gained since the last time; how many documents. Safe to run at any moment, by many."""
    with database.read() as reader:
        stores = [store.code for store in reader.stores()]
    scopes: list[tuple[str, str | None]] = [(SCOPE_ALL, None), *((store_scope(code), code) for code in stores)]
    taken = sum(_take_scope(database, scope, store) for scope, store in scopes)
    if taken > _MANY:
        with database.write() as tx:
            tx.learn_audience()
    return taken


def _take_scope(database: CentralDatabase, scope: str, store: str | None) -> int:
    taken = 0
    with database.read() as reader:
        is_behind = reader.audience_position(scope) != reader.head(scope).n
    while is_behind:
        with database.write() as tx:
            tx.lock_audience()
            rows = _take_page(tx, scope, store)
        taken += rows
        is_behind = rows == _PAGE
    return taken


def _take_page(tx: CentralWriter, scope: str, store: str | None) -> int:
    """How many documents were taken. Who is below the floor missed deletions, and begins anew."""
    position, head = tx.audience_position(scope), tx.head(scope)
    is_first = position is None or not head.floor <= position <= head.n
    rows = tx.page(scope, 0 if is_first or position is None else position, _PAGE)
    last = rows[-1].s if rows else 0
    last = max(last, head.n) if len(rows) < _PAGE else last  # the newest document may be a deletion that was dropped
    tx.take_audience(_page_of(rows, scope, store, last, is_first=is_first))
    return len(rows)


def _page_of(rows: Sequence[DocRow], scope: str, store: str | None, position: int, *, is_first: bool) -> AudiencePage:
    kinds: dict[str, dict[str, DocRow]] = {"profile": {}, "stock": {}, "product": {}}
    for row in rows:
        kind, _, name = row.id.partition("/")
        if kind in kinds and name:
            kinds[kind][name] = row
    return AudiencePage(
        scope=scope,
        position=position,
        store=store,
        is_first=is_first,
        shoppers={name: _shopper(row) for name, row in kinds["profile"].items()},
        stock={name: _quantity(row) for name, row in kinds["stock"].items()},
        products={name: _product(row) for name, row in kinds["product"].items()} if store is None else {},
    )


def _quantity(row: DocRow) -> int | None:
    quantity = None if row.deleted else json.loads(row.body).get("quantity")
    return quantity if type(quantity) is int else None


def _product(row: DocRow) -> tuple[str | None, str | None] | None:
    try:
        product = None if row.deleted else ProductDocument.model_validate_json(row.body)
    except ValidationError:
        return None
    if product is None:
        return None
    return fold(product.category) if product.category else None, _folded(product.brand)


def _shopper(row: DocRow) -> tuple[int | None, ShopperRows] | None:
    try:
        profile = None if row.deleted else Profile.model_validate_json(row.body)
    except ValidationError:  # a tablet cannot read it either
        return None
    return None if profile is None else (profile.facts.distance.this_store_m, rows_of(profile))


# a profile as rows ----------------------------------------------------------------------------------------------------


def rows_of(profile: Profile) -> ShopperRows:
    """A profile document as rows, complete: nothing else of it is ever asked for."""
    return ShopperRows(
        shopper=_own_row(profile),
        event=list(_event_rows(profile.recent)),
        moment=sorted(set(_moments(profile))),
        wanted=list(_wanted_rows(profile)),
        outcome=[
            (index, line.play_id, line.outcome, at_s)
            for index, line in enumerate(profile.outcomes)
            if (at_s := seconds_of(line.at)) is not None
        ],
        word=sorted(set(_words(profile))),
        money=list({row.currency: (row.currency, row.minor) for row in reversed(profile.facts.net_revenue)}.values()),
    )


def _own_row(profile: Profile) -> tuple[Any, ...]:
    """In the order of the columns of `audience_shopper`."""
    facts, issue, consent = profile.facts, profile.open_issue, profile.consent
    return (
        facts.orders,
        facts.refunds,
        profile.points,
        _folded(profile.tier),
        profile.value_band,
        _seconds(facts.first_order_at),
        _seconds(facts.last_order_at),
        _folded(facts.last_order_store),
        _folded(facts.home_store),
        _seconds(issue.opened_at if issue is not None else None),
        _folded(profile.language),
        _folded(profile.postcode),
        _birthday(profile.birth_on),
        facts.distance.home_store_m,
        *(consent[purpose].decision if purpose in consent else None for purpose in PURPOSES),
    )


def _event_rows(recent: Sequence[RecentEvent]) -> Iterator[tuple[Any, ...]]:
    acts: dict[tuple[str, str], int] = {}
    for index, line in enumerate(recent):
        at_s = seconds_of(line.at)
        if at_s is not None:
            act = index if line.order_id is None else acts.setdefault((line.event, line.order_id), index)
            price = (line.price.minor, line.price.currency) if line.price is not None else (None, None)
            words = (_folded(line.sku), _folded(line.category), _folded(line.brand), *price, _folded(line.store))
            named = (_folded(line.channel), line.sku, *words, _folded(line.offer_id), line.cart_id)
            yield (index, line.event, at_s, act, *named)


def _moments(profile: Profile) -> Iterator[tuple[str, int]]:
    """First and last of each event, and the oldest line kept: whatever happened by a time, one of these did."""
    facts, oldest = profile.facts, dict[str, int]()
    for line in profile.recent:
        if (at_s := seconds_of(line.at)) is not None:
            oldest[line.event] = min(at_s, oldest.get(line.event, at_s))
    yield from oldest.items()
    times = [(name, at) for name, count in profile.seen.items() for at in (count.first_at, count.last_at)]
    times += [(ORDER_COMPLETED, at) for at in (facts.first_order_at, facts.last_order_at) if at]
    yield from ((name, at_s) for name, at in times if (at_s := seconds_of(at)) is not None)


def _wanted_rows(profile: Profile) -> Iterator[tuple[int, str, str, int]]:
    lines = [("cart", line) for line in profile.cart] + [("wishlist", line) for line in profile.wishlist]
    for index, (source, line) in enumerate(lines):
        if (at_s := seconds_of(line.at)) is not None:
            yield index, source, line.sku, at_s


def _words(profile: Profile) -> Iterator[tuple[str, str]]:
    yield from (("identifier_types", known.type) for known in profile.identifiers)
    yield from (("channels_seen", fold(channel)) for channel in profile.facts.last_seen)
    yield from (("offers_known", fold(known.offer_id)) for known in profile.offers)
    yield from (("preferences", fold(f"{name}={value}")) for name, value in profile.preferences.items())


def _folded(text: str | None) -> str | None:
    return None if text is None else fold(text)


def _seconds(at: str | None) -> int | None:
    return seconds_of(at) if at else None


def _birthday(birth_on: str | None) -> int | None:
    """Month * 100 + day, of any year that has it; 0 for a text that is no day."""
    if birth_on is None:
        return None
    try:
        month, day = int(birth_on[5:7]), int(birth_on[8:10])
        dt.date(_LEAP_YEAR, month, day)
    except ValueError:
        return 0
    return month * 100 + day

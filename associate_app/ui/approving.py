"""Approvals, PINs and tablets as a store manager's screens see them. Part of the floor, beside `reviewing.py`.

The rules are the services'; here what they know becomes words, and typed PINs go on to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from associate_app.ports import DeviceIdentity, TabletDatabase
from associate_app.services.lookup import name_of
from associate_app.services.outbox import why_of
from associate_app.services.override import used_today
from associate_app.services.overrides_here import Given, given_here, heard_of_others
from associate_app.services.pin_reset import why_not
from associate_app.services.record import Recorder
from associate_app.services.sign_in import associates_here, names_here, wait_s_of
from associate_app.services.store_book import StoreBook
from associate_app.services.store_figures import FleetRow, read_store
from associate_app.ui.faces import ShopperRow, initials_of
from associate_app.ui.manager_faces import ApprovalsFace, GivenFace, PersonFace, TabletFace, TabletsFace
from associate_app.ui.reviewing import tell_proposals
from associate_app.ui.words import Speaker
from shared.clock import parse_at
from shared.plays.files import in_language
from shared.profile import Money

LONG_AWAY: Final = timedelta(days=2)
"""A tablet that HQ has not heard of for longer is named: what it holds may wait in a drawer."""

# PINs -----------------------------------------------------------------------------------------------------------------


def people_told(database: TabletDatabase, manager_id: str, words: Speaker, now: datetime) -> tuple[PersonFace, ...]:
    """Who works here and how their PIN stands."""
    told = []
    for one in associates_here(database):
        wait_s = wait_s_of(database, one, now)
        stands = "pins.none" if one.pin_hash is None else "pins.locked" if wait_s else "pins.has"
        role = words(f"who.role.{one.role}") if words.has(f"who.role.{one.role}") else one.role
        hint = f"{role} · {words(stands)}"
        problem = why_not(database, manager_id, one, words.language)
        told.append(PersonFace(one.associate_id, one.name, initials_of(one.name), hint, problem))
    return tuple(told)


# approvals ------------------------------------------------------------------------------------------------------------


def approvals_told(recorder: Recorder, book: StoreBook, words: Speaker, now: datetime) -> ApprovalsFace:
    """What waits for somebody's word, what was given, what was proposed, and how much may be given still today."""
    names = names_here(recorder.database)
    every = given_here(recorder, book, now, language=words.language)
    given = tuple(_given(recorder.database, book, one, names, words, now) for one in every)
    proposals = tuple(tell_proposals(recorder.database, book, words, now))
    looks = sum(one.is_amber for one in given)
    waits = sum(one.is_open for one in proposals)
    return ApprovalsFace(
        lead=words.count("approvals.waits", looks + waits) if looks + waits else words("approvals.nothing"),
        waiting=tuple(one for one in given if one.is_amber),
        given=tuple(one for one in given if not one.is_amber),
        proposals=proposals,
        left=tuple(_left(recorder.database, book, words, now)),
    )


def _given(
    database: TabletDatabase, book: StoreBook, one: Given, names: Mapping[str, str], words: Speaker, now: datetime
) -> GivenFace:
    offer = book.playbook.offers.get(str(one.body.get("offer_id")))
    title = in_language(offer.title, words.language) if offer else words("approvals.gone_offer")
    who = names.get(one.associate_id or "") or words("review.somebody")
    by = words("approvals.with", name=who, boss=names.get(one.approved_by, who)) if one.approved_by else who
    shopper = _shopper(database, one, words)
    told = (shopper.name if shopper else None, by, words.ago(one.at, now), str(one.body.get("reason") or ""))
    is_amber = one.state in ("parked", "rejected") and not one.is_taken_back
    return GivenFace(
        key=one.op_id,
        title=f"{title} · {_much(one.body, book, words)}",
        hint=" · ".join(part for part in told if part),
        state=_stands(one, words),
        is_amber=is_amber,
        may_undo=one.why_not is None,
        why_not=None if one.is_taken_back else one.why_not,
        shopper=shopper,
    )


def _shopper(database: TabletDatabase, one: Given, words: Speaker) -> ShopperRow | None:
    if one.profile_id is None:
        return None
    name = name_of(database, "profile_id", one.profile_id)
    return ShopperRow(one.profile_id, name, initials_of(name), "") if name else None


def _much(body: Mapping[str, object], book: StoreBook, words: Speaker) -> str:
    percent, amount, kind = body.get("percent"), body.get("amount"), str(body.get("kind"))
    if isinstance(amount, int):
        return words.money(Money(minor=amount, currency=book.store.currency))
    if isinstance(percent, int):
        return f"{percent} %"
    return words(f"bend.kind.{kind}") if words.has(f"bend.kind.{kind}") else words("approvals.bent")


def _stands(one: Given, words: Speaker) -> str:
    if one.is_taken_back:
        return words("approvals.taken_back")
    if one.state in ("parked", "rejected"):
        return why_of(one.code, words.language) or words("approvals.state.parked")
    return words("approvals.state.acked" if one.state == "acked" else "approvals.state.here")


def _left(database: TabletDatabase, book: StoreBook, words: Speaker, now: datetime) -> Iterator[str]:
    """Of each offer that may be bent: how often it was today, as far as this tablet knows."""
    today = book.today(now).isoformat()
    for offer in sorted(book.playbook.offers.values(), key=lambda one: one.id):
        most, used = offer.override.per_day, used_today(database, book, offer.id, now)
        if not most or not used:
            continue
        heard, title = heard_of_others(database, offer.id, today), in_language(offer.title, words.language)
        told = words("approvals.left", title=title, n=words.number(used), most=words.number(most))
        yield f"{told} {words.count('approvals.heard', heard)}" if heard else told


# tablets --------------------------------------------------------------------------------------------------------------


def tablets_told(
    database: TabletDatabase, book: StoreBook, device: DeviceIdentity, words: Speaker, now: datetime
) -> TabletsFace:
    """Each tablet of the store: this one as it is now, the others as HQ last told, with how old that is."""
    store = read_store(database, book, device, now)
    rows = tuple(_tablet(row, place, words, now) for place, row in enumerate(store.tablets))
    if store.hq_as_of is None:
        return TabletsFace(words("tablets.source.none"), False, rows)
    key = "tablets.source.stale" if store.is_stale else "tablets.source.hq"
    source = words(key, time=words.stamp(store.hq_as_of, now), ago=words.ago(store.hq_as_of, now))
    return TabletsFace(source, store.is_stale, rows)


def _tablet(row: FleetRow, place: int, words: Speaker, now: datetime) -> TabletFace:
    return TabletFace(
        key=f"{place}",
        name=row.name or words("tablets.unnamed"),
        lines=tuple(_lines(row, words, now)),
        look=_look(row, words, now),
        is_this=row.is_this,
    )


def _lines(row: FleetRow, words: Speaker, now: datetime) -> Iterator[str]:
    if row.last_seen_at is None:
        yield words("store.tablet.unseen")
    else:
        seen = {"time": words.stamp(row.last_seen_at, now), "ago": words.ago(row.last_seen_at, now)}
        yield words("tablets.seen", **seen)
    if row.unsent is not None:
        yield words.count("tablets.unsent_now" if row.is_this else "tablets.unsent_then", row.unsent)
    if row.app:
        yield words("tablets.app", app=row.app)


def _look(row: FleetRow, words: Speaker, now: datetime) -> str | None:
    """What somebody should look at; None where there is nothing."""
    if row.parked:
        return words.count("tablets.parked", row.parked)
    if row.last_seen_at is not None and now - parse_at(row.last_seen_at) > LONG_AWAY:
        return words("tablets.away", day=words.weekday(row.last_seen_at))
    return None

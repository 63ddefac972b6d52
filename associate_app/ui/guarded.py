"""What the floor may do within HQ's guardrails, as screens see it: offers to bend, plays to change. Beside `floor.py`.

The rules are the services'; here typed text becomes what they take, and what they leave open becomes faces.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from associate_app.services.lookup import ShopperKey
from associate_app.services.override import Approval, Wish, honour_offer, is_manager, used_today
from associate_app.services.play_change import change_play, propose
from associate_app.services.record import Recorder, play_of
from associate_app.services.sign_in import associates_here
from associate_app.services.store_book import StoreBook
from associate_app.ui.faces import BendFace, ChangeFace
from associate_app.ui.state import Bend, PlayChange
from associate_app.ui.words import Speaker
from shared.documents import MANAGER
from shared.errors import Refused
from shared.money import minor_units
from shared.plays.files import Offer, in_language, is_day_between
from shared.plays.overrides import last_day
from shared.plays.playbook import Play
from shared.profile import Money


def bendable_offers(recorder: Recorder, book: StoreBook, words: Speaker, now: datetime) -> tuple[BendFace, ...]:
    """The offers this store may bend today, by title; one that is used up for today is among them and says so."""
    day, database = book.today(now).isoformat(), recorder.database
    managers = tuple((one.associate_id, one.name) for one in associates_here(database) if one.role == MANAGER)
    found = []
    for offer in book.playbook.offers.values():
        kinds = tuple(_kinds(offer, day)) if offer.override.per_day else ()
        if not kinds or (offer.stores and book.store.code not in offer.stores):
            continue
        asks = offer.override.needs == MANAGER and not is_manager(database, recorder.associate_id)
        left = max(0, offer.override.per_day - used_today(database, book, offer.id, now))
        found.append(
            BendFace(
                offer_id=offer.id,
                title=in_language(offer.title, words.language),
                hint=" · ".join([_until(offer, day, words), words("bend.left", n=left)]),
                kinds=kinds,
                most=tuple(_most(offer, book, words)),
                reasons=offer.override.reasons,
                managers=managers if asks else (),
            )
        )
    return tuple(sorted(found, key=lambda face: face.title))


def _kinds(offer: Offer, day: str) -> Iterator[str]:
    has_amount = bool(offer.override.max_percent or offer.override.max_minor)
    last = last_day(offer)
    if offer.valid_until is not None and last is not None and offer.valid_until < day <= last:
        yield "extended"
    if has_amount and is_day_between(day, offer.valid_from, last):
        yield "adjusted"
    if has_amount:
        yield "goodwill"


def _until(offer: Offer, day: str, words: Speaker) -> str:
    if offer.valid_until is None:
        return words("bend.runs")
    key = "bend.ended" if offer.valid_until < day else "bend.until"
    return words(key, when=words.date(offer.valid_until))


def _most(offer: Offer, book: StoreBook, words: Speaker) -> Iterator[tuple[str, str]]:
    limits = offer.override
    yield "percent", f"{limits.max_percent} %" if limits.max_percent else ""
    amount = Money(minor=limits.max_minor, currency=book.store.currency)
    yield "amount", words.money(amount) if limits.max_minor else ""


def bend_offer(recorder: Recorder, book: StoreBook, words: Speaker, shopper: ShopperKey, bend: Bend) -> str:
    """Record it; the text of the till's QR code. Raises Refused with the limit, or with what is wrong with the PIN."""
    if not bend.reason.strip():
        raise Refused(words("bend.wants_reason"))
    wish = Wish(bend.offer_id, bend.kind, bend.reason, **_how_much(bend, book, words))
    approval = Approval(bend.manager_id, bend.pin) if bend.manager_id and bend.pin else None
    return honour_offer(recorder, book, shopper, wish, approval, language=words.language).till


def _how_much(bend: Bend, book: StoreBook, words: Speaker) -> Mapping[str, int]:
    if bend.kind == "extended":
        return {}
    typed = bend.much.strip().removesuffix("%").strip()
    if bend.unit == "percent":
        value = int(typed) if typed.isascii() and typed.isdigit() and len(typed) <= 3 else None
    else:
        value = minor_units(typed, book.store.currency)
    if value is None or value < 0:
        raise Refused(words("bend.wants_number"))
    return {bend.unit: value}


def change_of(book: StoreBook, play: Play, words: Speaker) -> ChangeFace:
    """How a play stands in this store, and what its manager may change about it."""
    change, rails = book.playbook.change_of(play), play.guardrails
    _, points = book.playbook.points_of(play, words.language)
    _, of_hq = play.points_in(words.language)
    return ChangeFace(
        play_id=play.id,
        is_paused=change.paused,
        lever=change.lever,
        lever_min=rails.lever_min,
        lever_max=rails.lever_max,
        may_pause=rails.may_pause,
        may_write=rails.may_edit_talking_points,
        is_own=bool(change.talking_points),
        opener=points.opener,
        bullets=points.bullets,
        hq_opener=of_hq.opener,
        hq_bullets=of_hq.bullets,
    )


def change_play_as_told(recorder: Recorder, book: StoreBook, words: Speaker, play_id: str, told: PlayChange) -> None:
    """Record a manager's change or proposal. Raises Refused beyond the guardrails."""
    if told.proposal is not None:
        proposed = {"opener": told.opener, "bullets": told.bullets} if told.opener else None
        propose(recorder, book, play_id, told.proposal, points=proposed, screen_language=words.language)
        return
    points = _own_words(book, play_of(book, play_id), words, told) if told.opener is not None else None
    said: dict[str, Any] = {"paused": told.paused, "lever": told.lever, "talking_points": points}
    change_play(recorder, book, play_id, **said, screen_language=words.language)


def _own_words(book: StoreBook, play: Play, words: Speaker, told: PlayChange) -> dict[str, Any]:
    """Words in the language of this screen beside those of the others; an empty opener brings all of HQ's back."""
    if not told.opener:
        return {}
    language, points = play.points_in(words.language)
    held = {name: own.model_dump(mode="json") for name, own in book.playbook.change_of(play).talking_points.items()}
    rest = {"objection": points.objection, "do_not_mention": points.do_not_mention}
    mine = {"opener": told.opener, "bullets": list(told.bullets)}
    return {**held, language: {**mine, **{name: text for name, text in rest.items() if text is not None}}}

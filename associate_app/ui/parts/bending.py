"""Honouring an offer beyond its terms: which ones HQ lets this store bend, and the sheet that records it.

What is asked for is what the offer's limits leave open; a no is said in the sheet, in the rule's words. *Saved* and the
code for the till are shown only after the commit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import BendFace, OfferFace
from associate_app.ui.hooks import keyed, use_live, use_value
from associate_app.ui.parts.boundary import part
from associate_app.ui.parts.buttons import choice_chip, line_button, main_button, quiet_button
from associate_app.ui.parts.closing import leaving
from associate_app.ui.parts.fields import Field, text_field
from associate_app.ui.parts.notice import empty
from associate_app.ui.parts.pressable import Look, pressable
from associate_app.ui.parts.text import say, section
from associate_app.ui.refused_words import no_of
from associate_app.ui.state import Bend, use_desk, use_reading
from associate_app.ui.theme import Ink
from shared.errors import Refused

Put = Callable[[str, str], None]


@part
def bending(token: str, show_offer: Callable[[OfferFace], None]) -> ft.Control:
    """A fold under the plays; nothing is read until it is opened."""
    words = use_desk().speaker
    is_open, set_open = use_value(False)
    icon = ft.Icons.EXPAND_LESS if is_open else ft.Icons.EXPAND_MORE
    flip = partial(set_open, not is_open)
    head = quiet_button(words("bend.open"), flip, icon=icon, ink=ft.Colors.ON_SURFACE_VARIANT, horizontal=8)
    inside = [keyed("opened", _offers, token, show_offer)] if is_open else []
    return ft.Column([head, *inside], spacing=theme.S)


@part
def bending_of(token: str, offer_id: str, show_offer: Callable[[OfferFace], None]) -> ft.Control:
    """The same for one offer, on its own screen; nothing where HQ does not let this store bend it today."""
    desk = use_desk()
    is_open, set_open = use_value(False)
    offers, _ = use_reading(lambda: desk.floor.bendable(desk.associate_id), [offer_id])
    offer = next((one for one in offers or () if one.offer_id == offer_id), None)
    if offer is None:
        return ft.Container()
    if is_open:
        return keyed(offer_id, _sheet, token, offer, show_offer, partial(set_open, False))
    told = say(offer.hint, theme.TINY, Ink.QUIET)
    return ft.Column([ft.Row([line_button(desk.speaker("offer.bend"), partial(set_open, True))]), told], spacing=2)


@part
def _offers(token: str, show_offer: Callable[[OfferFace], None]) -> ft.Control:
    desk = use_desk()
    chosen, choose = use_value("")
    offers, is_ready = use_reading(lambda: desk.floor.bendable(desk.associate_id), [token])
    if not offers:
        return empty(desk.speaker("bend.none")) if is_ready else ft.Container()
    rows: list[ft.Control] = []
    for offer in offers:
        is_chosen = offer.offer_id == chosen
        rows.append(_row(offer, partial(choose, "" if is_chosen else offer.offer_id)))
        if is_chosen:
            rows.append(keyed(offer.offer_id, _sheet, token, offer, show_offer, partial(choose, "")))
    return _stretched(rows)


def _row(offer: BendFace, press: Callable[[], None]) -> ft.Control:
    drawn = ft.Column([say(offer.title, theme.LABEL), say(offer.hint, theme.TINY, Ink.QUIET)], spacing=2)
    return pressable(offer.title, press, drawn, Look(ft.Padding.symmetric(vertical=theme.S, horizontal=theme.L)))


@part
def _sheet(
    token: str, offer: BendFace, show_offer: Callable[[OfferFace], None], close: Callable[[], None]
) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    wish = use_live(lambda: _first(offer))
    no, say_no = use_value("")
    asked = wish.value

    def put(name: str, value: str) -> None:
        wish.put(replace(wish.value, **{name: value}))

    async def save() -> None:
        try:
            till = await desk.commit(desk.floor.bend, token, wish.value, desk.associate_id)
        except Refused as refusal:
            say_no(no_of(refusal, desk.speaker))
            return
        close()
        show_offer(OfferFace(words("bend.saved", title=offer.title), till, told=_till_words(till, wish.value)))

    blocks: list[ft.Control] = []
    if len(offer.kinds) > 1:
        blocks.append(_choices([(kind, words(f"bend.kind.{kind}")) for kind in offer.kinds], asked.kind, "kind", put))
    if asked.kind != "extended":
        blocks.append(keyed(f"much-{asked.unit}", _much, offer, asked.unit, put))
    blocks.append(keyed("why", _why, offer, asked.reason, put))
    if offer.managers:
        blocks.append(keyed("manager", _manager, offer, asked.manager_id, put))
    if no:
        blocks.append(ft.Semantics(live_region=True, content=say(no, theme.SMALL_STRONG)))
    blocks.append(ft.Row([main_button(words("bend.save"), save), leaving(words("close"), close)]))
    return ft.Container(_stretched(blocks), padding=ft.Padding.only(left=theme.L, right=theme.L, bottom=theme.L))


@part
def _much(offer: BendFace, unit: str, put: Put) -> ft.Control:
    words = use_desk().speaker
    units = [(one, words(f"bend.unit.{one}")) for one, most in offer.most if most]
    look = Field(words(f"bend.unit.{unit}"), words("bend.most", most=dict(offer.most).get(unit, "")))
    field = text_field(f"bend-{unit}", look, partial(put, "much"))
    return _stretched([*([_choices(units, unit, "unit", put)] if len(units) > 1 else []), field])


@part
def _why(offer: BendFace, reason: str, put: Put) -> ft.Control:
    words = use_desk().speaker
    told = section(words("bend.why"))
    if offer.reasons:
        return _stretched(
            [told, _choices([(one, one[:1].upper() + one[1:]) for one in offer.reasons], reason, "reason", put)]
        )
    return _stretched([told, keyed("typed", _typed_reason, put)])


@part
def _typed_reason(put: Put) -> ft.Control:
    look = Field(use_desk().speaker("bend.why"), length_max=200)
    return text_field("bend-reason", look, partial(put, "reason"))


@part
def _manager(offer: BendFace, manager_id: str, put: Put) -> ft.Control:
    words = use_desk().speaker
    look = Field(words("bend.pin"), is_secret=True, length_max=6)
    field = text_field("bend-pin", look, partial(put, "pin"))
    chips = _choices(list(offer.managers), manager_id, "manager_id", put)
    return _stretched([say(words("bend.manager"), theme.SMALL, Ink.QUIET), chips, field])


def _stretched(blocks: list[ft.Control]) -> ft.Column:
    return ft.Column(blocks, spacing=theme.S, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _till_words(till: str, bend: Bend) -> str:
    """What the till's code gives, for people: the offer's own code, and how much; no number of a record."""
    code, much = till.split(".")[1], bend.much.strip().removesuffix("%").strip()
    if bend.kind == "extended":
        return code
    return f"{code} · {much} %" if bend.unit == "percent" else f"{code} · {much}"


def _first(offer: BendFace) -> Bend:
    """Chosen already where there is no choice."""
    unit = next((unit for unit, most in offer.most if most), "percent")
    reason = offer.reasons[0] if len(offer.reasons) == 1 else ""
    manager = offer.managers[0][0] if len(offer.managers) == 1 else ""
    return Bend(offer.offer_id, offer.kinds[0], reason=reason, unit=unit, manager_id=manager)


def _choices(among: list[tuple[str, str]], chosen: str, name: str, put: Put) -> ft.Control:
    chips = [choice_chip(told, partial(put, name, value), is_chosen=value == chosen) for value, told in among]
    return ft.Row(chips, wrap=True, spacing=theme.S, run_spacing=theme.S)

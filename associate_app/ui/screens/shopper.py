"""The shopper card: who, why they may be here, what they did online, and the plays with the words to say.

It opens at once and re-reads at every beat of the pulse; lines that came while it was open are marked *new*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Final

import flet as ft

from associate_app.ui import theme
from associate_app.ui.faces import CardFace, LineFace, NoteFace, OfferFace
from associate_app.ui.first_steps import OUTCOME_TIP, WORDS_TIP
from associate_app.ui.hooks import keyed, use_cell, use_observed, use_task, use_value
from associate_app.ui.parts.appointment_sheet import appointments_of
from associate_app.ui.parts.avatar import avatar
from associate_app.ui.parts.bending import bending
from associate_app.ui.parts.boundary import part, screen
from associate_app.ui.parts.buttons import icon_button, main_button
from associate_app.ui.parts.card_deeds import card_deeds
from associate_app.ui.parts.chips import chip, consent_marks
from associate_app.ui.parts.had_offers import had_offers
from associate_app.ui.parts.in_order import in_order
from associate_app.ui.parts.lines import noted_line, online_line
from associate_app.ui.parts.noted import noted
from associate_app.ui.parts.notice import banner, empty, waiting
from associate_app.ui.parts.offer_sheet import offer_sheet
from associate_app.ui.parts.outcomes import Choose, OutcomeKeeper, use_outcomes
from associate_app.ui.parts.paged import paged
from associate_app.ui.parts.pin_button import pin_button
from associate_app.ui.parts.play_card import held_list, play_card
from associate_app.ui.parts.saved_bar import reason_sheet, saved_line, told_line
from associate_app.ui.parts.shell import edge_of, pill_of_session
from associate_app.ui.parts.text import heading, say, section
from associate_app.ui.parts.tips import tip
from associate_app.ui.parts.verdicts import verdicts
from associate_app.ui.state import Desk, Frame, Place, Saved, use_desk, use_reading
from associate_app.ui.text_scale import is_text_large
from associate_app.ui.theme import Ink

_LINES_SHOWN: Final = 5
_PURCHASES_SHOWN: Final = 6
_FOOT_HEIGHT: Final = 96
ShowOffer = Callable[[OfferFace | None], None]


@screen
def shopper_screen(token: str) -> ft.Control:
    """The screen of one open card."""
    desk = use_desk()
    prepared = use_cell(partial(desk.take_prepared, token))
    face, is_ready = use_reading(lambda: desk.floor.card(token), [token], first=prepared.value)
    known = use_cell(lambda: _keys_of(prepared.value))
    turn = use_cell(_Turn)
    is_complete = use_cell(lambda: prepared.value is not None and prepared.value.is_complete)

    async def note_opened() -> None:
        await desk.commit(desk.floor.note_opened, token, desk.associate_id)

    use_task(note_opened, [token])
    if not is_ready:
        return waiting(desk.speaker("loading"))
    if face is None:
        return _gone(desk)
    if not known.value or face.is_complete > is_complete.value:
        known.value, is_complete.value = _keys_of(face), face.is_complete
    return keyed(token, _card, turn.value.told(_mark_new(face, known.value), desk))


def _keys_of(face: CardFace | None) -> frozenset[str]:
    """What is on the card when it opens; a card with nothing on it has its token alone."""
    return frozenset([face.token, *(line.key for line in face.recent + face.purchases)]) if face else frozenset()


def _mark_new(face: CardFace, known: frozenset[str]) -> CardFace:
    """Mark the lines that came since the card was opened."""
    return replace(
        face,
        recent=tuple(replace(line, is_new=line.key not in known) for line in face.recent),
        purchases=tuple(replace(line, is_new=line.key not in known) for line in face.purchases),
    )


class _Turn:
    """What HQ found of who this is while the card was open: two entries were one, or one was two."""

    def __init__(self) -> None:
        self._cards: int | None = None
        self._name = self._words = ""

    def told(self, face: CardFace, desk: Desk) -> CardFace:
        """The face with the last such turn on it. What this tablet knows by the card alone says nothing of it."""
        if face.is_complete:
            if self._cards is not None and face.cards != self._cards:
                key = "card.parted" if face.cards < self._cards else "card.joined"
                is_renamed = key == "card.joined" and face.name != self._name
                self._words = desk.speaker("card.joined_as", name=self._name) if is_renamed else desk.speaker(key)
            self._cards, self._name = face.cards, face.name
        return replace(face, turn=self._words or None)


def _gone(desk: Desk) -> ft.Control:
    words = desk.speaker
    return ft.Container(
        ft.Column(
            [
                heading(words("card.gone")),
                say(words("card.gone_text"), theme.BODY, Ink.QUIET),
                main_button(words("card.again"), lambda: desk.go(Place("scan"))),
            ],
            spacing=theme.L,
        ),
        padding=theme.XXL,
    )


@part
def _card(face: CardFace) -> ft.Control:
    desk = use_desk()
    kept = use_outcomes(face.token)

    async def tell_saved() -> None:
        if saved := desk.take_saved(face.token):
            kept.show(saved)

    use_task(tell_saved, [face.token])
    offer, show_offer = use_value(_NO_OFFER)
    ft.use_dialog(offer_sheet(offer, desk.speaker, partial(show_offer, None)) if offer else None)
    edge = edge_of(desk.whereabouts.frame)
    body = ft.Container(_body(desk, face, kept, show_offer), expand=True)
    # Above what scrolls: whoever writes a note far down must see that the card is another's now. Its place is always
    # taken: what came above the body would draw it anew, and a note half written would be gone.
    turn = ft.Container(banner(face.turn or "", ft.Icons.PEOPLE_OUTLINE), visible=face.turn is not None)
    above: list[ft.Control] = [turn, body] if _is_head_scrolling(desk) else [_head(desk, face), turn, body]
    if desk.whereabouts.frame is not Frame.LANDSCAPE:
        # One column: the foot stands under it, or it would lie on an outcome that someone is about to tap.
        foot = ft.Container(_foot(desk, kept), padding=ft.Padding.only(bottom=theme.M))
        return ft.Container(
            ft.Column([*above, foot], expand=True, spacing=theme.M),
            padding=ft.Padding.only(left=edge, right=edge, top=theme.XL),
            expand=True,
        )
    return ft.Stack(
        [
            ft.Container(
                ft.Column(above, expand=True, spacing=theme.L),
                padding=ft.Padding.only(left=edge, right=edge, top=theme.XL),
                expand=True,
            ),
            ft.Container(_foot(desk, kept), left=edge, right=edge, bottom=theme.L),
        ],
        expand=True,
    )


def _is_head_scrolling(desk: Desk) -> bool:
    """On a phone with large text the head would leave no room for the plays; there it scrolls away with them."""
    return desk.whereabouts.frame is Frame.PHONE and is_text_large()


_NO_OFFER: Final[OfferFace | None] = None


def _head(desk: Desk, face: CardFace) -> ft.Control:
    told = ft.Column([_name(face), _reason(desk, face)], spacing=theme.XS, expand=True)
    side = _age_and_consent(desk, face)
    if desk.whereabouts.frame is Frame.PHONE:
        back = icon_button(ft.Icons.ARROW_BACK, desk.speaker("back"), partial(desk.go, Place("today")))
        pill = ft.Container(pill_of_session(desk.light), expand=True, alignment=ft.Alignment.CENTER_RIGHT)
        top = ft.Row([back, pill])
        who = ft.Row([avatar(face.initials, 48), told], spacing=theme.M, vertical_alignment=ft.CrossAxisAlignment.START)
        return ft.Column([top, who, side], spacing=theme.S)
    right = ft.Column(
        [pill_of_session(desk.light), side], spacing=theme.S, horizontal_alignment=ft.CrossAxisAlignment.END
    )
    return ft.Row(
        [avatar(face.initials, 60), told, right], spacing=theme.L, vertical_alignment=ft.CrossAxisAlignment.START
    )


def _name(face: CardFace) -> ft.Control:
    tier = [chip(face.tier, is_strong=True)] if face.tier else []
    return ft.Row(
        [heading(face.name, theme.NAME), *tier, chip(face.stage)],
        spacing=theme.M,
        run_spacing=theme.XS,
        wrap=True,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )


def _reason(desk: Desk, face: CardFace) -> ft.Control:
    if not face.has_reason:
        return say(face.reason, theme.BODY, Ink.QUIET)
    lead = ft.TextSpan(f"{desk.speaker('card.may_be_here')} ", theme.style(theme.BODY, Ink.QUIET))
    return ft.Text(spans=[lead, ft.TextSpan(face.reason, theme.style(theme.STRONG, Ink.NORMAL))])


def _age_and_consent(desk: Desk, face: CardFace) -> ft.Control:
    words = desk.speaker
    none = words("card.consent.none")
    granted = ", ".join(c.spoken for c in face.consents if c.is_granted) or none
    denied = ", ".join(c.spoken for c in face.consents if not c.is_granted) or none
    spoken = words("card.consent.spoken", granted=granted, denied=denied)
    age = [say(face.as_of, theme.TINY, Ink.QUIET)] if face.as_of else []
    marks = consent_marks(face.consents, spoken)
    pin = pin_button(desk, face)
    told = [*age, marks, pin] if desk.whereabouts.frame is Frame.PHONE else [pin, *age, marks]
    return ft.Row(
        told,
        spacing=theme.M,
        run_spacing=0,
        tight=True,
        wrap=True,
        vertical_alignment=ft.CrossAxisAlignment.CENTER,
    )


def _body(desk: Desk, face: CardFace, kept: OutcomeKeeper, show_offer: ShowOffer) -> ft.Control:
    left, right = keyed("left", _left, face, kept.show), keyed("plays", _plays, face, kept.choose, show_offer)
    banners, room_for_foot = _banners(face), ft.Container(height=_FOOT_HEIGHT)
    if desk.whereabouts.frame is Frame.LANDSCAPE:
        return ft.Row(
            [
                in_order(
                    ft.Column([*banners, left, room_for_foot], spacing=theme.XL, scroll=ft.ScrollMode.AUTO), expand=5
                ),
                # The plays end above the foot: nothing to tap lies under *Scan another*.
                ft.Container(
                    in_order(ft.Column([right], scroll=ft.ScrollMode.AUTO)),
                    expand=6,
                    padding=ft.Padding.only(bottom=_FOOT_HEIGHT),
                ),
            ],
            spacing=theme.XXL,
            expand=True,
            vertical_alignment=ft.CrossAxisAlignment.START,
        )
    head = [_head(desk, face)] if _is_head_scrolling(desk) else []
    return ft.Column([*head, *banners, right, left], spacing=theme.XL, scroll=ft.ScrollMode.AUTO, expand=True)


def _banners(face: CardFace) -> list[ft.Control]:
    """What must be read before anyone speaks: an open case, what is odd about this card."""
    issue = [banner(face.issue, ft.Icons.BUILD_OUTLINED)] if face.issue else []
    return [*issue, *([banner(face.notice, ft.Icons.INFO_OUTLINE)] if face.notice else [])]


@part
def _left(face: CardFace, show: Callable[[Saved], None]) -> ft.Control:
    """What is known, the newest first; what was promised; and the row of what can be done."""
    words = use_desk().speaker
    blocks: list[ft.Control] = [keyed("recent", _recent, face)]
    bought, nothing = words("card.purchases"), empty(words("card.no_purchases"))
    purchases = keyed("lines", paged, bought, face.purchases, _online, _PURCHASES_SHOWN)
    blocks.append(ft.Column([section(bought), purchases if face.purchases else nothing], spacing=0))
    if face.had:
        blocks.append(keyed("had", had_offers, face.token, face.had))
    blocks += _noted("promised", words("follow_ups.promised"), face.promised)
    notes = keyed("notes", noted, face.token, "notes", words("card.notes"), face.notes)
    if not face.notes.lines:
        notes = ft.Column([section(words("card.notes")), empty(words("card.no_notes"))], spacing=theme.XS)
    # A shopper without appointments leaves no gap for them.
    blocks.append(ft.Column([keyed("appointments", appointments_of, face.token), notes], spacing=0))
    if face.done.lines:
        blocks.append(keyed("done", noted, face.token, "done", words("card.done"), face.done))
    blocks += _noted("corrections", words("correct.title"), face.corrections)
    blocks.append(keyed("deeds", card_deeds, face.token, show))
    return ft.Column(blocks, spacing=theme.XL, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)


def _noted(key: str, title: str, lines: tuple[NoteFace, ...]) -> list[ft.Control]:
    if not lines:
        return []
    told = keyed(key, paged, title, lines, noted_line, spacing=theme.XS)
    return [ft.Column([section(title), told], spacing=theme.XS)]


@part
def _recent(face: CardFace) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    title = words("card.recent")
    if face.behaviour_hidden:
        hint = [say(face.behaviour_hint, theme.TINY, Ink.QUIET)] if face.behaviour_hint else []
        told = [section(title), say(face.behaviour_hidden, theme.BODY, Ink.QUIET), *hint]
        return ft.Column(told, spacing=2)
    shown = min(sum(not line.is_behind for line in face.recent), _LINES_SHOWN)

    async def turned(start: int, end: int) -> None:
        if any(line.is_behind for line in face.recent[start:end]):
            await desk.commit(desk.floor.note_more_opened, face.token, desk.associate_id)

    nothing = [] if shown else [empty(words("card.nothing_recent"))]
    lines = keyed("lines", paged, title, face.recent, _online, shown, turned=turned)
    return ft.Column([section(title), *nothing, lines], spacing=0)


def _online(desk: Desk, line: LineFace) -> ft.Control:
    return online_line(line, desk.speaker("new_mark"), _way_to(desk, line))


def _way_to(desk: Desk, line: LineFace) -> Callable[[], None] | None:
    """To the product of a line, for the shopper of this card."""
    return partial(desk.go, Place("product", line.sku, desk.card_in_hand)) if line.sku else None


@part
def _plays(face: CardFace, choose: Choose, show_offer: ShowOffer) -> ft.Control:
    desk = use_desk()
    words = desk.speaker
    use_observed(desk.coach)
    opened, set_opened = use_value("")
    is_held_open, set_held_open = use_value(False)
    ids = [play.play_id for play in face.plays]
    open_id = opened if opened in ids else next(iter(ids), "")
    cards: list[ft.Control] = [
        play_card(
            play,
            words,
            is_open=play.play_id == open_id,
            is_narrow=desk.whereabouts.frame is Frame.PHONE,
            toggle=partial(set_opened, play.play_id),
            choose=partial(choose, play.play_id),
            show_offer=show_offer,
        )
        for play in face.plays
    ]
    open_at = ids.index(open_id) + 1 if open_id else 0
    cards[open_at:open_at] = tip(desk, OUTCOME_TIP) if open_id else []
    if face.held:
        flip = partial(set_held_open, not is_held_open)
        cards.append(held_list(face.held, words, is_open=is_held_open, toggle=flip))
    cards.append(keyed("bending", bending, face.token, show_offer))
    associate = desk.shift.associate
    if associate is not None and associate.is_manager:
        cards.append(keyed("verdicts", verdicts, face.token))
    nothing = [] if face.plays else [empty(words("plays.none"), ft.Icons.SPA_OUTLINED)]
    first = tip(desk, WORDS_TIP) if open_id else []
    return ft.Column([*first, section(words("plays.for_now")), *nothing, *cards], spacing=theme.M)


def _foot(desk: Desk, kept: OutcomeKeeper) -> ft.Control:
    words = desk.speaker
    again = main_button(words("card.again"), lambda: desk.go(Place("scan")), icon=ft.Icons.QR_CODE_SCANNER, height=56)
    line: ft.Control | None = None
    if kept.saved is not None:
        line = saved_line(kept.saved, words, kept.undo)
    elif kept.told:
        line = told_line(kept.told)
    rows: list[ft.Control] = []
    if kept.saved is not None and kept.asks_reason:
        rows.append(reason_sheet(kept.saved.outcome, words, kept.give_reason, kept.skip_reason))
    if desk.whereabouts.frame is Frame.PHONE:
        rows += [*([line] if line else []), ft.Row([again], alignment=ft.MainAxisAlignment.END)]
    else:
        rows.append(ft.Row([ft.Container(line, expand=True), again], spacing=theme.L))
    blocks = ft.Column(rows, spacing=theme.S, tight=True, horizontal_alignment=ft.CrossAxisAlignment.STRETCH)
    return in_order(blocks)

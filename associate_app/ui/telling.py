"""Turns what the services know of a shopper into the card's face: which lines, in which order, in which words.

Pure: profile, plays, stock and now come in, a frozen face goes out. A shopper held out of a play never sees what would
have triggered it among the reasons, the headline or the five visible lines; it stands behind *more*.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from associate_app.services.appointments import appointment_today
from associate_app.services.holds import free_of, kept_of
from associate_app.services.lookup import CardView
from associate_app.services.scan import CardReading
from associate_app.services.store_book import StoreBook
from associate_app.ui.correcting import tell_corrections
from associate_app.ui.faces import (
    AssociateFace,
    BookPlay,
    CardFace,
    ConsentFace,
    HeldFace,
    Kind,
    LineFace,
    Noted,
    NotedFace,
    NoteFace,
    OfferFace,
    PlayFace,
    ResultFace,
    VerdictFace,
    initials_of,
)
from associate_app.ui.promise_words import about_of, is_for, owner_of, product_of, stock_words, until_of, what_of
from associate_app.ui.words import CATALOGUES, Speaker
from shared.cards import CardStatus
from shared.clock import is_at
from shared.documents import MANAGER, AssociateDocument
from shared.event_catalogue import DIGITAL_CHANNELS
from shared.identity import IdentifierType
from shared.plays.files import Offer, in_language
from shared.plays.placeholders import fill_surely
from shared.plays.playbook import Play
from shared.plays.rank import Recommendation
from shared.plays.speech import category_word
from shared.plays.verdicts import ToldVerdict
from shared.profile import Money, NoteLine, OutcomeLine, ProductLine, Profile, RecentEvent, WantedLine
from shared.promises import Promise
from shared.scan_code import ScannedCode, Unknown, UnknownReason

CONSENT_MARKS: Final = ("email", "sms", "personalise_in_store")
NOTED_SHOWN: Final = 5
ORDER_COMPLETED: Final = "Order Completed"

# What is worth a line, by the event's name: its drawing, and the words that follow the title or stand alone.
_TOLD_EVENTS: Final[dict[str, tuple[Kind, str]]] = {
    "Product Viewed": (Kind.PRODUCT, "event.viewed"),
    "Product Clicked": (Kind.PRODUCT, "event.viewed"),
    "Product Scanned": (Kind.PRODUCT, "event.kiosk"),
    "Product Reviewed": (Kind.PRODUCT, "event.reviewed"),
    "Products Searched": (Kind.SEARCH, "event.searched"),
    "Product List Viewed": (Kind.CATEGORY, "event.browsed"),
    "Email Opened": (Kind.EMAIL, "event.email_opened"),
    "Email Link Clicked": (Kind.EMAIL, "event.email_clicked"),
    "Promotion Clicked": (Kind.CAMPAIGN, "event.promotion"),
    "Ad Clicked": (Kind.CAMPAIGN, "event.ad"),
    "Checkout Started": (Kind.ORDER, "event.checkout"),
    "Support Case Opened": (Kind.SUPPORT, "event.support"),
    "Live Chat Conversation Started": (Kind.SUPPORT, "event.support"),
    "Store Entered": (Kind.STORE, "event.store"),
    "App Installed": (Kind.APP, "event.app"),
}
_REASONS: Final = {told: key for key, told in CATALOGUES["en"].items() if re.match(r"reason\.\w+\.\d", key)}
_UNKNOWN_KEYS: Final = {
    UnknownReason.NEWER_CARD: "result.newer",
    UnknownReason.WRONG_CHECK_DIGIT: "result.number",
    UnknownReason.WEB_ADDRESS: "result.web",
    UnknownReason.EMPTY: "result.unreadable",
}
_MAIL_OPENED: Final = "Email Opened"
_MAIL_CLICKED: Final = "Email Link Clicked"
_VIEWS: Final = ("Product Viewed", "Product Clicked")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known when the card is drawn: the shopper's view, the store's book, associates' names by id, holds, open
    appointments."""

    token: str
    view: CardView
    book: StoreBook
    associates: Mapping[str, str]
    holds: tuple[Promise, ...] = ()
    appointments: tuple[Promise, ...] = ()


def picture_url(image: str | None) -> str | None:
    """Where a picture lies on this app's own origin; None where a drawing must do."""
    if not image:
        return None
    return f"products/{image}" if "." in image else f"media/{image}"


def tell_card(known: Known, words: Speaker, now: datetime) -> CardFace | None:
    """The card's face; None where the view leads to nobody."""
    profile = known.view.profile
    return _Teller(known, profile, words, now).card() if profile is not None else None


def tell_noted(known: Known, words: Speaker, now: datetime, what: Noted, count: int) -> tuple[NoteFace, ...]:
    """The newest notes of a card, or records of what was done."""
    profile = known.view.profile
    return _Teller(known, profile, words, now).noted(what, count).lines if profile is not None else ()


def tell_offer(offer: Offer | None, words: Speaker) -> OfferFace | None:
    """An offer with the code the till knows, if it has a common one."""
    if offer is None:
        return None
    until = words.date(offer.valid_until) if offer.valid_until else None
    return OfferFace(in_language(offer.title, words.language), next(iter(offer.codes), None), until)


def tell_book_play(
    play: Play,
    book: StoreBook,
    words: Speaker,
    *,
    is_new: bool,
    is_this_week: bool = False,
    situation: str = "rest",
) -> BookPlay:
    """A play of the playbook without a shopper: when it fires, and what to say with its placeholders left general."""
    _, points = book.playbook.points_of(play, words.language)
    offer = tell_offer(book.playbook.offers.get(play.offer_id), words) if play.offer_id else None
    named = {"offer": offer.title} if offer else {}

    def general(text: str) -> str:
        return fill_surely(text, named, words.language)

    return BookPlay(
        play_id=play.id,
        title=in_language(play.title, words.language),
        opener=general(points.opener),
        bullets=tuple(general(bullet) for bullet in points.bullets),
        objection=general(points.objection) if points.objection else None,
        avoid=general(points.do_not_mention) if points.do_not_mention else None,
        offer=offer,
        until=words.date(play.valid_until) if play.valid_until else None,
        is_new=is_new,
        is_this_week=is_this_week,
        situation=situation,
    )


def face_of(associate: AssociateDocument, words: Speaker) -> AssociateFace:
    """Someone who may sign in."""
    is_manager = associate.role == MANAGER
    role = words("who.role.manager" if is_manager else "who.role.associate")
    return AssociateFace(associate.associate_id, associate.name, initials_of(associate.name), role, is_manager)


def tell_verdict(told: ToldVerdict, words: Speaker, currency: str) -> VerdictFace:
    """What was decided of a play, with the three factors that decide its place."""
    factors = told.factors
    named = (
        {
            "p": words.percent(factors.p_ppm),
            "value": words.money(Money(minor=factors.value_minor, currency=currency)),
            "lever": f"{factors.lever:+d} %",
        }
        if factors is not None
        else None
    )
    trace = tuple(
        (line.depth, line.is_met, f"{line.rule} ({line.found})" if line.found else line.rule) for line in told.trace
    )
    spoken = words("verdicts.factors", **named) if named is not None else None
    return VerdictFace(told.play_id, told.title, told.sentence, spoken, trace)


def tell_refusal(card: CardReading, code: ScannedCode, words: Speaker, name: str | None) -> ResultFace:
    """A scan that was meant as a card and opens none: one sentence, one next step. `name` as this tablet knows it."""
    if card.status is CardStatus.EXPIRED and card.expires_on is not None:
        title = words("result.expired.title", day=words.date(card.expires_on.isoformat()))
        text = words("result.expired.text_named", name=name.split()[0]) if name else words("result.expired.text")
        return ResultFace(title, text)
    reason = code.reason if isinstance(code, Unknown) else None
    key = _UNKNOWN_KEYS.get(reason) if reason else None
    key = key or f"result.{card.status.value}"
    return ResultFace(words(f"{key}.title"), words(f"{key}.text"))


def tell_invitation(words: Speaker) -> ResultFace:
    """A code that is ours but invites a tablet."""
    return ResultFace(words("result.enrolment.title"), words("result.enrolment.text"), may_search=False)


class _Teller:
    """One telling: what is known, in which words, as of when."""

    def __init__(self, known: Known, profile: Profile, words: Speaker, now: datetime) -> None:
        self._known, self._profile, self._words, self._now = known, profile, words, now
        self._view, self._book = known.view, known.book
        self._hidden_skus, self._hidden_events = known.view.quiet_skus, known.view.quiet_events
        self._kept = kept_of(known.holds)
        self._name = profile.name or words("card.unnamed")
        self._called = profile.given_name or self._name

    def card(self) -> CardFace:
        """The face, part by part."""
        profile, words = self._profile, self._words
        reason = self._headline()
        hidden = self._behaviour_hidden()
        return CardFace(
            token=self._known.token,
            is_complete=self._view.is_in_replica,
            name=self._name,
            initials=initials_of(profile.name),
            tier=profile.tier,
            stage=self._stage(),
            reason=reason or words("card.no_reason", name=self._called),
            has_reason=reason is not None,
            as_of=words("as_of", time=words.stamp(self._view.as_of, self._now)) if self._view.as_of else None,
            notice=self._notice(),
            issue=self._issue(),
            consents=tuple(self._consents()),
            behaviour_hidden=hidden,
            behaviour_hint=words("card.no_consent_hint") if hidden and not self._view.is_behaviour_hidden else None,
            recent=() if hidden else tuple(self._recent()),
            purchases=tuple(self._purchases()),
            notes=self.noted("notes", NOTED_SHOWN),
            promised=tuple(self._promised()),
            done=self.noted("done", NOTED_SHOWN),
            plays=tuple(self._play(play) for play in self._view.plays),
            held=tuple(self._held()),
            corrections=tell_corrections(profile, words, self._known.associates, self._now),
            cards=self._cards(),
            pinned_by=tuple(profile.pinned_by),
        )

    # who they are ----------------------------------------------------------------------------------------------------

    def _cards(self) -> int:
        """Only a person's word joins two cards: one more or less means two shoppers became one, or one became two."""
        return sum(one.type == IdentifierType.LOYALTY_ID for one in self._profile.identifiers)

    def _stage(self) -> str:
        stage = self._view.stage
        if stage is None:
            return self._words("card.stage.unknown")
        because = stage.because[0] if stage.because else None
        if because is None or because.at is None:
            return self._words("card.stage.prospect")
        is_here = stage.stage == "active" and because.store == self._book.store.code
        key = f"card.stage.{stage.stage}_here" if is_here else f"card.stage.{stage.stage}"
        return self._words(key, day=self._words.day(because.at))

    def _consents(self) -> Iterator[ConsentFace]:
        for purpose in CONSENT_MARKS:
            yield ConsentFace(purpose, self._words(f"card.consent.{purpose}"), self._profile.has_consent(purpose))

    def _issue(self) -> str | None:
        issue = self._profile.open_issue
        if issue is None:
            return None
        told = self._words("card.issue", title=issue.title)
        return (
            f"{told}, {self._words('card.issue_due', day=self._words.weekday_of(issue.due_on))}"
            if issue.due_on
            else told
        )

    def _notice(self) -> str | None:
        """What is odd about this card, if anything: unknown here, not checkable, or joined on this tablet."""
        if self._profile.is_provisional and not self._view.is_in_replica:
            return self._words("card.provisional")
        if self._view.card.status is CardStatus.UNKNOWN_KEY:
            return self._words("card.unknown_key")
        return None if self._view.is_in_replica else self._words("card.known_by_card")

    def _behaviour_hidden(self) -> str | None:
        if self._view.is_behaviour_hidden:
            return self._words("card.stale")
        if not self._view.is_in_replica:
            return self._words("card.details_later")
        if "behaviour" in self._profile.redacted:
            said = self._profile.consent.get("personalise_in_store")
            key = "card.two_answers" if said is not None and said.is_conflict else "card.no_consent"
            return self._words(key, name=self._called)
        return None

    # what brings them in ---------------------------------------------------------------------------------------------

    def _headline(self) -> str | None:
        """The one reason they may be here, strongest sign first. An appointment is theirs and no behaviour: whatever
        they agreed to, it is told."""
        return self._appointment() or (next(self._signs(), None) if self._behaviour_hidden() is None else None)

    def _appointment(self) -> str | None:
        """That they are expected today."""
        words, shopper = self._words, self._view.shopper
        theirs = [one for one in self._known.appointments if shopper and is_for(one, shopper)]
        found = appointment_today(theirs, self._now, words.zone)
        if found is None or found.standing.due is None:
            return None
        time, about = words.time(found.standing.due), about_of(found, words)
        return words("sign.appointment", time=time, what=about) if about else words("sign.appointment_at", time=time)

    def _signs(self) -> Iterator[str]:
        words = self._words
        for line in self._open_wanted(self._profile.cart):
            yield words("sign.cart", title=self._title(line), when=words.ago(line.at, self._now))
        for line in self._open_wanted(self._profile.wishlist):
            if self._is_here(line.sku):
                yield words("sign.wishlist", title=self._title(line))
        views = self._views()
        for event in self._open_events(_VIEWS):
            if event.sku and views[event.sku] > 1:
                yield words.count("sign.viewed", views[event.sku], title=self._title(event))
        for event in self._open_events(("Products Searched",)):
            yield words("sign.searched", query=event.query or "", when=words.ago(event.at, self._now))
        for event in self._open_events(_VIEWS):
            yield words("sign.looked", title=self._title(event), when=words.ago(event.at, self._now))
        for event in self._open_events(("Email Link Clicked", "Promotion Clicked")):
            if event.title:
                yield words("sign.clicked", title=event.title, when=words.ago(event.at, self._now))

    def _open_wanted(self, lines: Iterable[WantedLine]) -> Iterator[WantedLine]:
        return (line for line in lines if line.sku not in self._hidden_skus)

    def _open_events(self, names: Iterable[str]) -> Iterator[RecentEvent]:
        """Events that may be told, newest first: none that would have triggered a play this shopper is held out of."""
        wanted = frozenset(names)
        return (event for event in self._profile.recent if event.event in wanted and not self._is_hidden(event))

    def _is_hidden(self, event: RecentEvent) -> bool:
        return event.sku in self._hidden_skus if event.sku else event.event in self._hidden_events

    def _views(self) -> Counter[str]:
        return Counter(event.sku for event in self._profile.recent if event.event in _VIEWS and event.sku)

    # left column -----------------------------------------------------------------------------------------------------

    def _recent(self) -> Iterator[LineFace]:
        """Open cart, then wishlist and events by time; what triggers a held-out play comes last, behind *more*."""
        lines = [self._wanted(line, "cart") for line in self._profile.cart]
        timed = [(line.at, self._wanted(line, "wishlist")) for line in self._profile.wishlist]
        timed += [(event.at, self._event(event, n)) for event, n in self._told_events()]
        lines += [line for _, line in sorted(timed, key=lambda one: one[0], reverse=True)]
        yield from (line for line in lines if not line.is_behind)
        yield from (line for line in lines if line.is_behind)

    def _wanted(self, line: WantedLine, where: str) -> LineFace:
        return LineFace(
            key=f"{where}:{line.sku}:{line.at}",
            kind=Kind.PRODUCT,
            title=self._title(line),
            what=self._words("event.wished" if self._is_said(line) else f"event.{where}"),
            when=self._words.ago(line.at, self._now),
            picture=self._picture(line),
            stock=self._stock(line.sku),
            is_here=self._is_here(line.sku),
            is_behind=line.sku in self._hidden_skus,
            sku=self._known_sku(line.sku),
        )

    def _is_said(self, line: WantedLine) -> bool:
        """Whether it was wished for on the floor."""
        products = self._profile.products
        return any((one.sku, one.at, one.what) == (line.sku, line.at, "wished") for one in products)

    def _told_events(self) -> Iterator[tuple[RecentEvent, int]]:
        """Each thing once, with how often; online only, because purchases and the floor have their own place."""
        wanted = {line.sku for line in (*self._profile.cart, *self._profile.wishlist)}
        seen: dict[tuple[str, str], list[RecentEvent]] = {}
        for event in self._profile.recent:
            if event.event in _TOLD_EVENTS and self._says_something(event):
                name = _VIEWS[0] if event.event in _VIEWS else event.event
                seen.setdefault((name, event.sku or event.query or event.title or event.category or ""), []).append(
                    event
                )
        clicked = {about for name, about in seen if name == _MAIL_CLICKED}
        for (name, about), events in seen.items():
            if name == _MAIL_OPENED and about in clicked:
                continue
            if name not in _VIEWS or about not in wanted or len(events) > 1:
                yield events[0], len(events)

    def _says_something(self, event: RecentEvent) -> bool:
        _, key = _TOLD_EVENTS[event.event]
        needs = {"event.searched": event.query, "event.browsed": event.category, "event.viewed": event.sku}
        return bool(needs.get(key, True))

    def _event(self, event: RecentEvent, n: int) -> LineFace:
        kind, key = _TOLD_EVENTS[event.event]
        title, what = self._said(event, key, n)
        return LineFace(
            key=f"{event.event}:{event.sku or event.query or event.title or event.category}:{event.at}",
            kind=kind,
            title=title,
            what=what,
            when=self._words.ago(event.at, self._now),
            picture=self._picture(event) if kind is Kind.PRODUCT else None,
            stock=self._stock(event.sku) if kind is Kind.PRODUCT else None,
            is_here=self._is_here(event.sku),
            is_behind=self._is_hidden(event),
            sku=self._known_sku(event.sku) if kind is Kind.PRODUCT else None,
        )

    def _said(self, event: RecentEvent, key: str, n: int) -> tuple[str, str]:
        """(title, what happened) of an event line."""
        words = self._words
        if key == "event.viewed":
            return self._title(event), words.count(key, n)
        if event.sku and _TOLD_EVENTS[event.event][0] is Kind.PRODUCT:
            return self._title(event), words(key)
        if key == "event.email_clicked" and event.title:
            return words("event.email_opened", title=event.title), words("event.clicked")
        named = {"query": event.query, "category": self._category(event), "title": event.title}
        if key in ("event.email_opened", "event.email_clicked", "event.promotion", "event.ad") and not event.title:
            return words(f"{key}_plain"), ""
        return words(key, **named), ""

    def _purchases(self) -> Iterator[LineFace]:
        for n, line in enumerate(self._profile.purchases):
            where = (
                "online"
                if line.channel in DIGITAL_CHANNELS
                else "here"
                if line.store == self._book.store.code
                else "store"
            )
            price = [self._words.money(line.price)] if line.price else []
            yield LineFace(
                key=f"order:{line.order_id}:{line.sku or n}",
                kind=Kind.PRODUCT if line.sku else Kind.ORDER,
                title=self._title(line),
                what=" · ".join([*price, self._words(f"event.bought_{where}")]),
                when=self._words.day(line.at),
                picture=self._picture(line),
                sku=self._known_sku(line.sku),
            )

    def noted(self, what: Noted, count: int) -> NotedFace:
        """The newest of a list that may be long. Only these are put into words: that takes longer than reading all."""
        lines, first = self._lines_of(what), list(self._sizes()) if what == "notes" else []
        newest = sorted(lines, key=lambda one: one.at, reverse=True)[: max(count - len(first), 0)]
        return NotedFace((*first, *map(self._noted, newest)), len(first) + len(lines))

    def _lines_of(self, what: Noted) -> list[NoteLine | OutcomeLine | ProductLine]:
        profile = self._profile
        return [*profile.notes] if what == "notes" else [*profile.outcomes, *profile.products]

    def _sizes(self) -> Iterator[NoteFace]:
        if self._profile.preferences:
            told = ", ".join(self._profile.preferences.values())
            yield NoteFace("preferences", told, self._words("card.sizes"))

    def _noted(self, line: NoteLine | OutcomeLine | ProductLine) -> NoteFace:
        return NoteFace(line.op_id, self._said_of(line), self._source(line.associate_id, line.at))

    def _said_of(self, line: NoteLine | OutcomeLine | ProductLine) -> str:
        if isinstance(line, NoteLine):
            return line.text
        return self._product_line(line) if isinstance(line, ProductLine) else self._outcome(line)

    def _promised(self) -> Iterator[NoteFace]:
        for line in sorted(self._profile.follow_ups, key=lambda one: one.due_at or ""):
            told = " · ".join(part for part in (what_of(line.what, self._words), line.text) if part)
            day = self._words.weekday(line.due_at) if line.due_at and is_at(line.due_at) else None
            owner = owner_of(line.assignee, self._known.associates, self._words)
            yield NoteFace(line.op_id, told, " · ".join(part for part in (day, owner) if part))
        shopper = self._view.shopper
        for hold in self._known.holds if shopper else ():
            if shopper and is_for(hold, shopper):
                title = product_of(self._book, hold.body.get("sku"))
                until = until_of(hold, self._book.today(self._now), self._words)
                yield NoteFace(hold.op_id, self._words("holds.told", n=hold.body.get("quantity"), title=title), until)

    def _product_line(self, line: ProductLine) -> str:
        key, title = f"product.did.{line.what}", product_of(self._book, line.sku)
        return self._words(key, title=title) if self._words.has(key) else title

    def _outcome(self, line: OutcomeLine) -> str:
        key = f"outcome.{line.outcome}"
        told = self._words(key) if self._words.has(key) else line.outcome
        play = next((play for play in self._book.playbook.plays if play.id == line.play_id), None)
        title = in_language(play.title, self._words.language) if play else None
        return " · ".join(part for part in (told, title, self._reason(line)) if part)

    def _reason(self, line: OutcomeLine) -> str | None:
        """Recorded in English, told in this screen's words; what somebody wrote stays as it is."""
        key = _REASONS.get(line.reason or "")
        return self._words(key) if key else line.reason

    def _source(self, associate_id: str | None, at: str) -> str:
        when = self._words.stamp(at, self._now)
        name = self._known.associates.get(associate_id or "")
        return f"{name.split()[0]} · {when}" if name else when

    # plays -----------------------------------------------------------------------------------------------------------

    def _play(self, play: Recommendation) -> PlayFace:
        points = play.talking_points
        return PlayFace(
            play_id=play.play_id,
            rank=play.rank,
            title=play.title,
            opener=points.opener,
            bullets=tuple(points.bullets),
            objection=points.objection,
            avoid=points.do_not_mention,
            why=play.why,
            offer=tell_offer(self._book.playbook.offers.get(play.offer_id), self._words) if play.offer_id else None,
        )

    def _held(self) -> Iterator[HeldFace]:
        for held in self._view.held_back:
            yield HeldFace(held.play_id, held.title, held.sentence)

    # things ----------------------------------------------------------------------------------------------------------

    def _title(self, line: RecentEvent | WantedLine) -> str:
        product = self._book.products.get(line.sku or "")
        return line.title or (product.title if product else None) or line.sku or self._words("event.something")

    def _category(self, event: RecentEvent) -> str:
        names = self._book.settings.category_names
        return category_word(event.category or "", self._words.language, names).replace("_", " ")

    def _picture(self, line: RecentEvent | WantedLine) -> str | None:
        product = self._book.products.get(line.sku or "")
        return picture_url(line.image or (product.image if product else None))

    def _known_sku(self, sku: str | None) -> str | None:
        """The product a line leads to; none for one this store knows nothing of."""
        return sku if sku and (sku in self._book.catalogue or sku in self._book.stock) else None

    def _is_here(self, sku: str | None) -> bool:
        return (free_of(self._book, self._kept, sku or "") or 0) > 0

    def _stock(self, sku: str | None) -> str | None:
        return stock_words(self._book, self._kept, sku or "", self._words)

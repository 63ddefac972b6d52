"""The floor as the screens see it: services bound to this tablet's database, clock and sync, answers told as faces.

Every method blocks; `Desk.ask` calls it on the floor's own thread, sign-in and code reading on others.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from pydantic import ValidationError

from associate_app.ports import Clock, CodeReader, TabletDatabase
from associate_app.services.appointments import appointments_open
from associate_app.services.card_stock import next_card
from associate_app.services.enrol import Invitation as HqInvitation
from associate_app.services.feedback import count_news, mark_read
from associate_app.services.holds import holds_open
from associate_app.services.lookup import CardView, ShopperKey, look_up, look_up_again, look_up_profile, name_of
from associate_app.services.matching import Matching
from associate_app.services.override import is_manager
from associate_app.services.practice import is_practice_card
from associate_app.services.record import (
    ConsentAnswer,
    Recorder,
    add_note,
    amend_outcome,
    enrol_shopper,
    note_trigger_seen,
    open_card,
    record_outcome,
    withdraw,
)
from associate_app.services.scan import CardReading, OfferReading, ProductReading, read_scan
from associate_app.services.search import find_shoppers, who_has
from associate_app.services.sign_in import associates_here, names_here, sign_in
from associate_app.services.slice_walk import NOTHING, Gleaned
from associate_app.services.store_book import StoreBook, StoreBooks, TabletRules
from associate_app.services.store_figures import read_store
from associate_app.sync.status import SyncStatus
from associate_app.ui.about import tell_about
from associate_app.ui.appointing import Appointing
from associate_app.ui.correcting import correct_as_told, correctable, flag_as_told
from associate_app.ui.day_floor import DayFloor
from associate_app.ui.faces import (
    AboutFace,
    AssociateFace,
    BendFace,
    CardFace,
    CorrectFace,
    FeedbackFace,
    FollowUpsFace,
    HoldChoiceFace,
    HoldRow,
    LinkFace,
    Noted,
    NoteFace,
    PillFace,
    PracticeCard,
    PromiseFace,
    ResultFace,
    ShopperRow,
    StoreFace,
    SyncFace,
    VerdictFace,
    initials_of,
)
from associate_app.ui.first_steps import FirstSteps, read_first_steps, write_first_steps
from associate_app.ui.goods import offer_told, product_told, products_found, record_product_as_told
from associate_app.ui.goods_faces import OfferScreenFace, ProductFace
from associate_app.ui.goods_telling import tell_had
from associate_app.ui.guarded import bend_offer, bendable_offers, change_of, change_play_as_told
from associate_app.ui.holding import end_hold_as_told, hold_as_told, holdable, holds_told
from associate_app.ui.language import choose_language, chosen_language, language_of
from associate_app.ui.manager_floor import TabletOffice
from associate_app.ui.open_cards import OPEN_CARDS_MAX, OpenCards
from associate_app.ui.overview import Overview, seen_this_shift
from associate_app.ui.promising import change_as_told, follow_ups_told, promisable, promise_as_told
from associate_app.ui.refused_words import no_of
from associate_app.ui.said import feedback_told, tell_hq
from associate_app.ui.state import (
    Bend,
    ConnectAnswer,
    Enrolled,
    FetchProgress,
    Floor,
    FollowUpChange,
    FollowUpWish,
    HoldWished,
    Invitation,
    NewCheck,
    NewShopper,
    Pairing,
    Place,
    PlayChange,
    Saved,
    ScanAnswer,
    SignInAnswer,
    Wording,
)
from associate_app.ui.store_telling import tell_store
from associate_app.ui.telling import (
    Known,
    face_of,
    tell_card,
    tell_invitation,
    tell_noted,
    tell_refusal,
    tell_verdict,
)
from associate_app.ui.words import Speaker, zone_named
from shared.errors import Refused
from shared.identity import IdentifierType, normalise
from shared.plays.files import LANGUAGE, ConsentWording, in_language
from shared.plays.verdicts import tell_verdicts
from shared.scan_code import EnrolmentCode, parse_enrolment, read_code

PURPOSES_ASKED: Final = ("personalise_in_store", "email", "sms", "phone", "profiling", "analytics")


@dataclass(frozen=True, slots=True)
class Engine:
    """Sync as the screens see it: its status, a ring, enrolment, what was found in the slice, and the switch of the
    demo (None elsewhere)."""

    status: Callable[[], SyncStatus]
    ring: Callable[[str], None]
    enrol: Callable[[HqInvitation, str, str], None]
    gleaned: Callable[[], Gleaned] = lambda: NOTHING
    is_cut: Callable[[], bool] | None = None
    cut: Callable[[bool], None] | None = None


class TabletFloor(DayFloor):
    """See the module's head. `readers` are a patient and a quick one; `make_id` gives op ids in rising order."""

    def __init__(
        self,
        database: TabletDatabase,
        books: StoreBooks,
        clock: Clock,
        readers: tuple[CodeReader, CodeReader],
        make_id: Callable[[], str],
        engine: Engine,
        make_practice: Callable[[AssociateFace, str, Speaker], Floor],
    ) -> None:
        self._make_practice = make_practice
        self._database, self._books, self._clock, self._readers = database, books, clock, readers
        self._make_id, self._engine = make_id, engine
        self._cards = OpenCards(database)
        self._overview = Overview(database, engine.status)
        self._gleaned = engine.gleaned
        self._matching = Matching(clock)
        self._views: dict[str, CardView] = {}
        self._preferred: str | None = None

    # connecting and signing in ----------------------------------------------------------------------------------------

    def pairing(self) -> Pairing:
        """Whether this tablet is connected, to which store, in which time zone."""
        book = self._book_or_none()
        may_cut, rules = self._engine.cut is not None, book.rules if book else TabletRules()
        return Pairing(book.store_name if book else None, self._words(), may_cut, rules.lock_after_min)

    def for_reader_of(self, language: str | None) -> TabletFloor:
        """The same floor for a session whose browser prefers a language; what was chosen on the tablet goes first."""
        floor = copy.copy(self)
        floor._preferred = language
        return floor

    def speak(self, language: str) -> None:
        """Choose this tablet's language."""
        choose_language(self._database, language)

    def connect(self, invitation: Invitation, name: str) -> ConnectAnswer:
        """Trade an invitation for a place in the store."""
        try:
            asked = HqInvitation(invitation.address, invitation.code, invitation.ca_fingerprint)
            self._engine.enrol(asked, name, self._words().language)
        except Refused as no:
            return ConnectAnswer(False, no_of(no, self._words()))
        self._engine.ring("asked")
        return ConnectAnswer(True)

    def fetch_progress(self) -> FetchProgress:
        """How far the first pull is."""
        status = self._engine.status()
        done, total = (status.snapshot.done, status.snapshot.total) if status.snapshot else (0, 0)
        return FetchProgress(done, total, is_complete=status.is_complete)

    def associates(self) -> tuple[AssociateFace, ...]:
        """Who may sign in here."""
        words = self._words()
        return tuple(face_of(one, words) for one in associates_here(self._database))

    def sign_in(self, associate_id: str, pin: str) -> SignInAnswer:
        """Check a PIN; slow on purpose."""
        book = self._book_or_none()
        rules = book.rules if book else TabletRules()
        words = self._words()
        told = sign_in(self._database, associate_id, pin, clock=self._clock, rules=rules, language=words.language)
        if told.associate is None:
            return SignInAnswer(None, told.sentence, told.wait_s)
        return SignInAnswer(face_of(told.associate, words))

    # scanning --------------------------------------------------------------------------------------------------------

    def read_picture(self, picture: bytes, *, is_frame: bool) -> str | None:
        """The text of the first code in a picture."""
        patient, quick = self._readers
        return next((code.text for code in (quick if is_frame else patient).read(picture)), None)

    def read_scan(self, text: str) -> ScanAnswer:
        """A card to open, an invitation, or a sentence with one next step."""
        book, now, words = self._book_or_none(), self._clock.now(), self._words()
        if book is None:
            return ScanAnswer(invitation=_invitation(parse_enrolment(text)))
        if (odd := self._odd_to_practice(text, words)) is not None:
            return ScanAnswer(result=odd)
        reading = read_scan(book, text, now=now)
        if isinstance(reading, CardReading):
            view = look_up(self._database, book, text, now=now, language=words.language)
            if view.profile is not None:
                return ScanAnswer(token=self._keep(view, text))
            name = name_of(self._database, "loyalty_id", reading.loyalty_id)
            return ScanAnswer(result=tell_refusal(view.card, read_code(text, book.scan_rules), words, name))
        if isinstance(reading, ProductReading):
            return ScanAnswer(place=Place("product", reading.sku))
        if isinstance(reading, OfferReading):
            return ScanAnswer(place=Place("offer", reading.code))
        return ScanAnswer(result=tell_invitation(words))

    def _keep(self, view: CardView, text: str | None) -> str:
        profile_id = view.shopper.profile_id if view.shopper else None
        card = self._cards.remember(text, profile_id)
        self._views[card.token] = view
        while len(self._views) > OPEN_CARDS_MAX:
            self._views.pop(next(iter(self._views)))
        return card.token

    # the card --------------------------------------------------------------------------------------------------------

    def card(self, token: str) -> CardFace | None:
        """The card as it stands now."""
        book, now = self._books.read(self._database), self._clock.now()
        view = self._read_view(token, book, now)
        if view is None:
            return None
        self._views[token] = view
        promised = holds_open(self._database, book, now), appointments_open(self._database)
        face = tell_card(Known(token, view, book, self._associate_names(), *promised), self._words(), now)
        return replace(face, had=tell_had(book, view, self._words(), now)) if face is not None else None

    def noted(self, token: str, what: Noted, count: int) -> tuple[NoteFace, ...]:
        """The newest notes of a card, or records of what was done."""
        book, now = self._books.read(self._database), self._clock.now()
        view = self._read_view(token, book, now)
        known = Known(token, view, book, self._associate_names()) if view is not None else None
        return tell_noted(known, self._words(), now, what, count) if known is not None else ()

    def _read_view(self, token: str, book: StoreBook, now: datetime) -> CardView | None:
        language = self._words().language
        view = self._views.get(token)
        if view is not None:
            return look_up_again(self._database, book, view, now=now, language=language)
        card = self._cards.find(token)
        if card is None:
            return None
        if card.text:
            return look_up(self._database, book, card.text, now=now, language=language)
        return look_up_profile(self._database, book, card.profile_id or "", now=now, language=language)

    def _view(self, token: str) -> CardView:
        view = self._views.get(token)
        if view is None:
            words = self._words()
            raise Refused(f"{words('card.gone')}. {words('card.gone_text')}")
        return view

    def _shopper(self, token: str) -> ShopperKey:
        shopper = self._view(token).shopper
        if shopper is None:
            raise Refused(self._words()("card.gone_text"))
        return shopper

    def _recorder(self, associate_id: str) -> Recorder:
        return Recorder(self._database, self._clock, self._make_id, partial(self._engine.ring, "record"), associate_id)

    def verdicts(self, token: str, associate_id: str) -> tuple[VerdictFace, ...]:
        """Every play of the playbook with what was decided of it; for store managers."""
        words, book = self._words(), self._books.read(self._database)
        if not is_manager(self._database, associate_id):
            raise Refused(words("verdicts.managers"))
        view = self._read_view(token, book, self._clock.now())
        if view is None or view.looked is None:
            return ()
        told = tell_verdicts(view.looked, words.language)
        faces = tuple(tell_verdict(one, words, book.chain_currency) for one in told)
        plays = {play.id: change_of(book, play, words) for play in book.playbook.plays}
        return tuple(replace(face, change=plays.get(face.play_id)) for face in faces)

    @property
    def appointments(self) -> Appointing:
        """What is asked about appointments."""
        read = partial(self._books.read, self._database)
        return Appointing(self._database, read, self._clock, self._words, self._recorder, self._shopper)

    def bendable(self, associate_id: str) -> tuple[BendFace, ...]:
        """The offers this store may bend today."""
        book = self._books.read(self._database)
        return bendable_offers(self._recorder(associate_id), book, self._words(), self._clock.now())

    def bend(self, token: str, bend: Bend, associate_id: str) -> str:
        """Honour an offer beyond its terms; the text of the code for the till."""
        book, words = self._books.read(self._database), self._words()
        return bend_offer(self._recorder(associate_id), book, words, self._shopper(token), bend)

    def change_play(self, play_id: str, change: PlayChange, associate_id: str) -> None:
        """Change a play in this store or propose something to HQ."""
        book = self._books.read(self._database)
        change_play_as_told(self._recorder(associate_id), book, self._words(), play_id, change)

    def note_opened(self, token: str, associate_id: str) -> None:
        """Record that the card was opened and what it showed."""
        if token in self._views:
            open_card(self._recorder(associate_id), self._view(token))

    def note_more_opened(self, token: str, associate_id: str) -> None:
        """The lines behind *more* were opened on a held-out card."""
        for held in self._view(token).would_show:
            note_trigger_seen(self._recorder(associate_id), self._view(token), held.play_id)

    def record_outcome(self, token: str, play_id: str, outcome: str, associate_id: str) -> Saved:
        """Record what came of a play."""
        view, book = self._view(token), self._books.read(self._database)
        play = view.play(play_id)
        done = record_outcome(
            self._recorder(associate_id), book, view, play_id, outcome, sku=play.sku if play else None
        )
        return Saved(done.op_id, outcome, play.title if play else "")

    def add_reason(self, saved: Saved, reason: str, associate_id: str) -> None:
        """Add the reason to an outcome."""
        amend_outcome(self._recorder(associate_id), saved.op_id, reason=reason)

    def undo(self, saved: Saved, associate_id: str) -> None:
        """Take an outcome back."""
        withdraw(self._recorder(associate_id), saved.op_id)

    def add_note(self, token: str, text: str, associate_id: str) -> None:
        """Record a note for the next colleague."""
        add_note(self._recorder(associate_id), self._shopper(token), text)

    # products and offers ---------------------------------------------------------------------------------------------

    def product(self, sku: str, card: str | None) -> ProductFace | None:
        """A product at this moment."""
        book, now = self._books.read(self._database), self._clock.now()
        return product_told(self._database, book, self._words(), now, sku, card, self._view_of(card, book, now))

    def offer(self, name: str, card: str | None) -> OfferScreenFace | None:
        """An offer by its id or code."""
        book, now = self._books.read(self._database), self._clock.now()
        return offer_told(self._database, book, self._words(), now, name, card, self._view_of(card, book, now))

    def find_products(self, text: str) -> tuple[LinkFace, ...]:
        """Products by name or number."""
        book, now = self._books.read(self._database), self._clock.now()
        return products_found(self._database, book, self._words(), now, text)

    def record_product(self, card: str, sku: str, deed: str, associate_id: str) -> Saved:
        """Record what came of a product for the shopper of a card."""
        book, words = self._books.read(self._database), self._words()
        view, shopper = self._view(card), self._shopper(card)
        return record_product_as_told(self._recorder(associate_id), book, words, view, shopper, sku, deed)

    def _view_of(self, card: str | None, book: StoreBook, now: datetime) -> CardView | None:
        """The card that was open, as it stands now."""
        view = self._read_view(card, book, now) if card is not None else None
        if card is not None and view is not None:
            self._views[card] = view
        return view

    # promises --------------------------------------------------------------------------------------------------------

    def promisable(self, token: str) -> PromiseFace:
        """What may be promised to the shopper of a card, and for which days."""
        book, now = self._books.read(self._database), self._clock.now()
        return promisable(self._database, book, self._words(), now, self._shopper(token))

    def promise(self, token: str, wish: FollowUpWish, associate_id: str) -> Saved:
        """Promise a follow-up."""
        book, words = self._books.read(self._database), self._words()
        return promise_as_told(self._recorder(associate_id), book, words, self._shopper(token), wish)

    def follow_ups(self, associate_id: str) -> FollowUpsFace:
        """What is promised in this store and still to be done."""
        book, now = self._books.read(self._database), self._clock.now()
        return follow_ups_told(self._database, book, self._words(), now, associate_id)

    def change_follow_up(self, key: str, change: FollowUpChange, associate_id: str) -> Saved:
        """Record what became of a follow-up."""
        book, words = self._books.read(self._database), self._words()
        return change_as_told(self._recorder(associate_id), book, words, key, change)

    def holdable(self, token: str) -> HoldChoiceFace:
        """What can be kept for the shopper of a card, and for which days."""
        book, now = self._books.read(self._database), self._clock.now()
        return holdable(self._database, book, self._words(), now, self._view(token))

    def hold(self, token: str, wish: HoldWished, associate_id: str) -> Saved:
        """Keep a product for a shopper."""
        book, words = self._books.read(self._database), self._words()
        return hold_as_told(self._recorder(associate_id), book, words, self._shopper(token), wish)

    def holds(self) -> tuple[HoldRow, ...]:
        """What is on hold in this store, for the till."""
        return holds_told(self._database, self._books.read(self._database), self._words(), self._clock.now())

    def end_hold(self, key: str, *, is_sold: bool, associate_id: str) -> Saved:
        """Record that something on hold was sold, or is free again."""
        return end_hold_as_told(self._recorder(associate_id), self._words(), key, is_sold=is_sold)

    # correcting ------------------------------------------------------------------------------------------------------

    def correctable(self, token: str) -> tuple[CorrectFace, ...]:
        """What may be corrected of the shopper of a card."""
        view = self._read_view(token, self._books.read(self._database), self._clock.now())
        return correctable(view.profile, self._words()) if view is not None and view.profile is not None else ()

    def correct(self, token: str, key: str, value: str, associate_id: str) -> Saved:
        """Record what is right; HQ's rule decides."""
        book, words = self._books.read(self._database), self._words()
        return correct_as_told(self._recorder(associate_id), book, words, self._shopper(token), key, value)

    def flag(self, token: str, key: str, text: str, associate_id: str) -> Saved:
        """Record that something is wrong, where nobody knows what is right."""
        return flag_as_told(self._recorder(associate_id), self._words(), self._shopper(token), key, text)

    # finding ---------------------------------------------------------------------------------------------------------

    def find(self, text: str) -> tuple[ShopperRow, ...]:
        """Shoppers by name, phone, e-mail or number; of equally likely ones those seen this shift come first."""
        seen = seen_this_shift(self._database, self._clock.now())
        return tuple(
            ShopperRow(hit.profile_id, hit.name, initials_of(hit.name), hit.hint, hit.tier)
            for hit in find_shoppers(self._database, text, seen=seen)
        )

    def open_found(self, row: ShopperRow) -> ScanAnswer:
        """Open the card of someone in a list."""
        book, words = self._books.read(self._database), self._words()
        view = look_up_profile(self._database, book, row.key, now=self._clock.now(), language=words.language)
        if view.profile is None:
            return ScanAnswer(result=ResultFace(words("result.left.title"), words("result.left.text")))
        return ScanAnswer(token=self._keep(view, None))

    # joining ---------------------------------------------------------------------------------------------------------

    def check_new(self, shopper: NewShopper) -> NewCheck:
        """A first name is needed; e-mail and phone must be whole; someone known by them is named, never merged."""
        words, region = self._words(), self._books.read(self._database).region
        if not shopper.given.strip():
            return NewCheck(words("new.wants_name"))
        for type_, typed, sentence in (
            (IdentifierType.EMAIL, shopper.email, "new.bad_email"),
            (IdentifierType.PHONE, shopper.phone, "new.bad_phone"),
        ):
            if not typed.strip():
                continue
            identifier = normalise(type_, typed, region=region)
            if identifier is None:
                return NewCheck(words(sentence))
            if (known := who_has(self._database, identifier, region=region)) is not None:
                name = known.name or words("card.unnamed")
                return NewCheck(known=ShopperRow(known.profile_id, name, initials_of(name), ""))
        return NewCheck()

    def wordings(self, language: str) -> tuple[Wording, ...]:
        """The newest wording of each purpose, in the order people understand them."""
        newest = dict[str, ConsentWording]()
        for stored in self._database.documents("consent_wording"):
            try:
                wording = ConsentWording.model_validate(stored.body)
            except ValidationError:
                continue
            held = newest.get(wording.purpose)
            newest[wording.purpose] = wording if held is None else max(held, wording, key=lambda one: one.order)
        return tuple(_wording(newest[purpose], language) for purpose in PURPOSES_ASKED if purpose in newest)

    def enrol_shopper(self, shopper: NewShopper, granted: tuple[Wording, ...], associate_id: str) -> Enrolled:
        """Let someone join with a card of the stock and what they tapped themselves."""
        card = next_card(self._database)
        if card is None:
            raise Refused(self._words()("new.no_cards"))
        enrol_shopper(
            self._recorder(associate_id),
            card.loyalty_id,
            [ConsentAnswer(one.purpose, True, "shopper_tapped", one.version, one.language, one.sha) for one in granted],
            given_name=shopper.given.strip(),
            family_name=shopper.family.strip() or None,
            email=shopper.email.strip() or None,
            phone=shopper.phone.strip() or None,
            postcode=shopper.postcode.strip() or None,
        )
        book, words = self._books.read(self._database), self._words()
        view = look_up(self._database, book, card.text, now=self._clock.now(), language=words.language)
        return Enrolled(self._keep(view, card.text), card.text)

    # what stands where -----------------------------------------------------------------------------------------------

    def store_today(self, is_week: bool, associate_id: str) -> StoreFace:
        """What the store did today or in the last seven days; for store managers."""
        words, device, now = self._words(), self._database.device(), self._clock.now()
        if device is None or not is_manager(self._database, associate_id):
            raise Refused(words("store.managers"))
        book = self._books.read(self._database)
        return tell_store(read_store(self._database, book, device, now), book, words, now, is_week=is_week)

    def pill(self) -> PillFace:
        """The sync pill."""
        return self._overview.pill(self._words(), self._clock.now())

    def sync(self, count: int) -> SyncFace:
        """The Sync screen with the newest records."""
        is_cut = self._engine.is_cut() if self._engine.is_cut else None
        return self._overview.sync(self._book_or_none(), self._words(), self._clock.now(), count, is_cut=is_cut)

    def send_now(self) -> None:
        """Ring the sync engine."""
        self._engine.ring("asked")

    def cut_network(self, is_cut: bool) -> None:
        """Take the network away or give it back (demo only)."""
        if self._engine.cut is not None:
            self._engine.cut(is_cut)

    # plays and feedback ----------------------------------------------------------------------------------------------

    def tell(self, about: str, text: str, play_id: str | None, associate_id: str) -> Saved:
        """Record feedback for HQ."""
        return tell_hq(self._recorder(associate_id), self._words(), about, text, play_id)

    def feedback(self, associate_id: str) -> FeedbackFace:
        """What this store told HQ, and what HQ said to it."""
        book, now = self._books.read(self._database), self._clock.now()
        return feedback_told(self._database, book, self._words(), now, associate_id)

    def news(self, associate_id: str) -> int:
        """How many answers of HQ an associate has not read."""
        return count_news(self._database, self._clock.now(), associate_id)

    def read_answers(self, keys: Iterable[str], associate_id: str) -> None:
        """Note that an associate has read these answers."""
        mark_read(self._database, associate_id, keys)

    @property
    def office(self) -> TabletOffice:
        """What only store managers ask."""
        asked = (self._database, self._books, self._clock, self._matching)
        return TabletOffice(*asked, self._recorder, self._words)

    # this tablet and first steps -------------------------------------------------------------------------------------

    def about(self) -> AboutFace:
        """What this tablet is, for whoever asks for help with it."""
        return tell_about(self._database, self._book_or_none(), self._words())

    def first_steps(self, associate_id: str) -> FirstSteps:
        """How far an associate is with the practice card and the tips."""
        return read_first_steps(self._database, associate_id)

    def note_first_steps(self, associate_id: str, steps: FirstSteps) -> None:
        """Remember it on this tablet."""
        write_first_steps(self._database, associate_id, steps)

    def practise(self, associate: AssociateFace) -> Floor:
        """A practice store with made-up shoppers, in memory alone."""
        return self._make_practice(associate, self._books.read(self._database).store.timezone, self._words())

    def practice_cards(self) -> tuple[PracticeCard, ...]:
        """None: this is a real store."""
        return ()

    def _odd_to_practice(self, text: str, words: Speaker) -> ResultFace | None:
        """What is said of a practice card in a real store, and in the practice store of any other."""
        if not is_practice_card(text):
            return None
        return ResultFace(words("practice.card.title"), words("practice.card.text"), may_search=False)

    # words and people ------------------------------------------------------------------------------------------------

    def _book_or_none(self) -> StoreBook | None:
        return self._books.read(self._database) if self._database.device() is not None else None

    def _words(self) -> Speaker:
        book = self._book_or_none()
        language = chosen_language(self._database) or self._preferred or language_of(book.country if book else None)
        return Speaker(language, zone_named(book.store.timezone)) if book else Speaker(language)

    def _associate_names(self) -> Mapping[str, str]:
        return names_here(self._database)


def _invitation(code: EnrolmentCode | None) -> Invitation | None:
    return Invitation(code.url, code.code, code.ca_fingerprint) if code else None


def _wording(asked: ConsentWording, language: str) -> Wording:
    """A wording as it is shown: all of it in one language, and that is the one the proof names."""
    shown = language if language in asked.title and language in asked.text else LANGUAGE
    title, text = in_language(asked.title, shown), in_language(asked.text, shown)
    return Wording(asked.purpose, asked.version, shown, title, text, asked.sha_in(shown))

"""The floor as the screens see it: services bound to this tablet's database, clock and sync, answers told as faces.

Every method blocks; `Desk.ask` calls it on the floor's own thread, sign-in and code reading on others. Cards that were
opened are known by a token of this tablet, so that no address and no log ever holds a loyalty number.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from pydantic import ValidationError

from associate_app.ports import Clock, CodeReader, TabletDatabase
from associate_app.services.card_stock import next_card
from associate_app.services.enrol import Invitation as HqInvitation
from associate_app.services.lookup import CardView, look_up, look_up_again, look_up_profile
from associate_app.services.outbox import JournalLine, journal_lines, seen_since
from associate_app.services.record import (
    ConsentAnswer,
    Recorder,
    add_note,
    amend_outcome,
    enrol_shopper,
    give_feedback,
    note_trigger_seen,
    open_card,
    record_outcome,
    withdraw,
)
from associate_app.services.scan import CardReading, read_scan
from associate_app.services.search import find_shoppers
from associate_app.services.sign_in import associates_here, sign_in
from associate_app.services.status import TabletStatus, read_status
from associate_app.services.store_book import StoreBook, StoreBooks, TabletRules
from associate_app.sync.status import SyncStatus
from associate_app.ui.faces import (
    AssociateFace,
    BookPlay,
    CardFace,
    NewsRow,
    PillFace,
    PillTone,
    RecordRow,
    ResultFace,
    ShopperRow,
    SyncFace,
    TodayFace,
)
from associate_app.ui.parts.avatar import initials_of
from associate_app.ui.state import (
    ConnectAnswer,
    Enrolled,
    FetchProgress,
    Invitation,
    NewCheck,
    NewShopper,
    Pairing,
    Saved,
    ScanAnswer,
    SignInAnswer,
    Wording,
)
from associate_app.ui.telling import Known, tell_book_play, tell_card, tell_other_code, tell_refusal
from associate_app.ui.words import Speaker, zone_named
from shared.clock import format_at, is_at
from shared.errors import Refused
from shared.identity import IdentifierType, normalise
from shared.plays.files import CalendarEntry, ConsentWording, in_language
from shared.scan_code import EnrolmentCode, parse_enrolment, read_code

OPEN_CARDS_NOTE: Final = "open_cards"
OPEN_CARDS_MAX: Final = 60
SHIFT: Final = timedelta(hours=14)
"""What was seen longer ago than this was seen in another shift."""
SERIOUS: Final = frozenset(
    {"revoked", "needs_connect", "storage_full", "broken", "receipt_unsound", "upgrade", "certificate"}
)
"""Troubles of sync that a person should look at; all others are weather and pass."""
PURPOSES_ASKED: Final = ("personalise_in_store", "email", "sms", "phone", "profiling", "analytics")
_SEEN_MAX: Final = 6
_ROWS_MAX: Final = 4
_NEW_DAYS: Final = 7


@dataclass(frozen=True, slots=True)
class OpenCard:
    """A card this tablet opened: under its token what was scanned or typed, or the profile it was found as."""

    token: str
    text: str | None
    profile_id: str | None


class OpenCards:
    """The newest open cards, kept in the notebook so that a reload after a restart lands on the same shopper."""

    def __init__(self, database: TabletDatabase) -> None:
        self._database = database
        self._lock = threading.Lock()

    def find(self, token: str) -> OpenCard | None:
        """The card of a token, None when it is too old or not of this tablet."""
        return next((card for card in self._all() if card.token == token), None)

    def remember(self, text: str | None, profile_id: str | None) -> OpenCard:
        """Keep a card under its token: the same shopper keeps the same one."""
        with self._lock:
            kept = self._all()
            known = next((card for card in kept if card.profile_id == profile_id), None)
            token = known.token if known else secrets.token_urlsafe(9)
            card = OpenCard(token, text or (known.text if known else None), profile_id)
            if card != next(iter(kept), None):
                newest = [card, *[one for one in kept if one.token != token]][:OPEN_CARDS_MAX]
                self._database.write_note(OPEN_CARDS_NOTE, json.dumps([asdict(one) for one in newest]))
            return card

    def _all(self) -> tuple[OpenCard, ...]:
        """Newest first."""
        held: list[dict[str, Any]] = json.loads(self._database.read_note(OPEN_CARDS_NOTE) or "[]")
        return tuple(OpenCard(**one) for one in held)


@dataclass(frozen=True, slots=True)
class Engine:
    """Sync as the screens see it: its status, a ring, enrolment, and the switch of the demo (None elsewhere)."""

    status: Callable[[], SyncStatus]
    ring: Callable[[str], None]
    enrol: Callable[[HqInvitation, str], None]
    is_cut: Callable[[], bool] | None = None
    cut: Callable[[bool], None] | None = None


class TabletFloor:
    """See the module's head. `readers` are a patient and a quick one; `make_id` gives op ids in rising order."""

    def __init__(
        self,
        database: TabletDatabase,
        books: StoreBooks,
        clock: Clock,
        readers: tuple[CodeReader, CodeReader],
        make_id: Callable[[], str],
        engine: Engine,
    ) -> None:
        self._database, self._books, self._clock, self._readers = database, books, clock, readers
        self._make_id, self._engine = make_id, engine
        self._cards = OpenCards(database)
        self._views: dict[str, CardView] = {}

    # connecting and signing in ----------------------------------------------------------------------------------------

    def pairing(self) -> Pairing:
        """Whether this tablet is connected, to which store, in which time zone."""
        book = self._book_or_none()
        return Pairing(book.store_name if book else None, self._words(), may_cut_network=self._engine.cut is not None)

    def connect(self, invitation: Invitation, name: str) -> ConnectAnswer:
        """Trade an invitation for a place in the store."""
        try:
            self._engine.enrol(HqInvitation(invitation.address, invitation.code, invitation.ca_fingerprint), name)
        except Refused as no:
            return ConnectAnswer(False, str(no))
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
        return tuple(
            AssociateFace(one.associate_id, one.name, initials_of(one.name), _role(one.role, words))
            for one in associates_here(self._database)
        )

    def sign_in(self, associate_id: str, pin: str) -> SignInAnswer:
        """Check a PIN; slow on purpose."""
        book = self._book_or_none()
        rules = book.rules if book else TabletRules()
        told = sign_in(self._database, associate_id, pin, clock=self._clock, rules=rules)
        if told.associate is None:
            return SignInAnswer(None, told.sentence, told.wait_s)
        name, role = told.associate.name, _role(told.associate.role, self._words())
        return SignInAnswer(AssociateFace(associate_id, name, initials_of(name), role))

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
        reading = read_scan(book, text, now=now)
        if isinstance(reading, CardReading):
            view = look_up(self._database, book, text, now=now, language=words.language)
            if view.profile is not None:
                return ScanAnswer(token=self._keep(view, text))
            name = self._name_of("loyalty_id", reading.loyalty_id)
            return ScanAnswer(result=tell_refusal(view.card, read_code(text, book.scan_rules), words, name))
        return ScanAnswer(result=tell_other_code(reading, words))

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
        return tell_card(Known(token, view, book, self._associate_names()), self._words(), now)

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
            raise Refused("This card is no longer open. Scan it again.")
        return view

    def _recorder(self, associate_id: str) -> Recorder:
        return Recorder(self._database, self._clock, self._make_id, partial(self._engine.ring, "record"), associate_id)

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
        shopper = self._view(token).shopper
        if shopper is not None:
            add_note(self._recorder(associate_id), shopper, text)

    # finding ---------------------------------------------------------------------------------------------------------

    def find(self, text: str) -> tuple[ShopperRow, ...]:
        """Shoppers by name, phone, e-mail or number."""
        return tuple(
            ShopperRow(hit.profile_id, hit.name, initials_of(hit.name), hit.hint, hit.tier)
            for hit in find_shoppers(self._database, text)
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
            held = self._database.find_profile(type_.value, identifier.value)
            if held is not None:
                name = self._name_of("profile_id", held.body["id"]) or words("card.unnamed")
                return NewCheck(known=ShopperRow(held.body["id"], name, initials_of(name), ""))
        return NewCheck()

    def wordings(self) -> tuple[Wording, ...]:
        """The newest wording of each purpose, in the order people understand them."""
        language, newest = self._words().language, dict[str, ConsentWording]()
        for stored in self._database.documents("consent_wording"):
            try:
                wording = ConsentWording.model_validate(stored.body)
            except ValidationError:
                continue
            newest[wording.purpose] = wording
        return tuple(
            Wording(
                purpose,
                newest[purpose].version,
                language,
                in_language(newest[purpose].title, language),
                in_language(newest[purpose].text, language),
                newest[purpose].sha_in(language),
            )
            for purpose in PURPOSES_ASKED
            if purpose in newest
        )

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

    # today -----------------------------------------------------------------------------------------------------------

    def today(self, associate: AssociateFace) -> TodayFace:
        """Everything on Today."""
        book, now, words = self._books.read(self._database), self._clock.now(), self._words()
        here = now.astimezone(words.zone)
        part = "morning" if here.hour < 12 else "afternoon" if here.hour < 18 else "evening"
        due, counts = self._follow_ups(now, words)
        return TodayFace(
            greeting=words(f"today.{part}", name=associate.name.split()[0]),
            place=f"{book.store_name} · {words.weekday(format_at(now))}",
            seen=self._seen(now, words),
            due=due,
            due_counts=counts,
            plays=self._new_plays(book, now, words),
            week=self._week(book, now, words),
        )

    def _seen(self, now: datetime, words: Speaker) -> tuple[ShopperRow, ...]:
        rows = []
        for profile_id, at in seen_since(self._database, format_at(now - SHIFT), limit=_SEEN_MAX):
            name = self._name_of("profile_id", profile_id)
            if name:
                rows.append(ShopperRow(profile_id, name, initials_of(name), words.time(at)))
        return tuple(rows)

    def _follow_ups(self, now: datetime, words: Speaker) -> tuple[tuple[NewsRow, ...], tuple[int, int, int]]:
        """What is due, soonest first, and how many are overdue, today, upcoming."""
        open_ones = [stored for stored in self._database.documents("follow_up") if stored.body.get("state") == "open"]
        due = sorted((str(one.body.get("due_at")), one) for one in open_ones if is_at(one.body.get("due_at")))
        today = now.astimezone(words.zone).date()
        days = [(words.local(at).date() - today).days for at, _ in due]
        rows = [
            NewsRow(
                one.id, str(one.body.get("text") or words(f"follow_up.{one.body.get('what')}")), words.when(at, now)
            )
            for at, one in due[:_ROWS_MAX]
        ]
        return tuple(rows), (sum(d < 0 for d in days), sum(d == 0 for d in days), sum(d > 0 for d in days))

    def _new_plays(self, book: StoreBook, now: datetime, words: Speaker) -> tuple[NewsRow, ...]:
        since_on = (book.today(now) - timedelta(days=_NEW_DAYS)).isoformat()
        new = [play for play in book.playbook.plays if play.valid_from and since_on <= play.valid_from]
        told = [tell_book_play(play, book, words, is_new=True) for play in new[:_ROWS_MAX]]
        return tuple(NewsRow(play.play_id, play.title, play.opener) for play in told)

    def _week(self, book: StoreBook, now: datetime, words: Speaker) -> tuple[NewsRow, ...]:
        today = book.today(now)
        until_on, today_on = (today + timedelta(days=_NEW_DAYS)).isoformat(), today.isoformat()
        entries = []
        for stored in self._database.documents("calendar"):
            try:
                entry = CalendarEntry.model_validate(stored.body)
            except ValidationError:
                continue
            if entry.from_on <= until_on and entry.until_on >= today_on:
                entries.append(entry)
        return tuple(_calendar_row(entry, today_on, words) for entry in sorted(entries, key=lambda one: one.from_on))

    # sync ------------------------------------------------------------------------------------------------------------

    def pill(self) -> PillFace:
        """The sync pill."""
        status, words = read_status(self._database), self._words()
        tone = self._tone(status)
        if tone is PillTone.LOOK:
            return PillFace(words("pill.look"), tone)
        if tone is PillTone.WAITING:
            return PillFace(words.count("pill.waiting", status.counts.pending), tone)
        if status.last_complete_sync_at is None:
            return PillFace(words("pill.here"), tone)
        return PillFace(words("pill.saved", time=words.stamp(status.last_complete_sync_at, self._clock.now())), tone)

    def _tone(self, status: TabletStatus) -> PillTone:
        if status.needs_a_look or self._engine.status().trouble in SERIOUS:
            return PillTone.LOOK
        return PillTone.WAITING if status.counts.pending else PillTone.SAVED

    def sync(self) -> SyncFace:
        """The Sync screen."""
        status, words, now = read_status(self._database), self._words(), self._clock.now()
        return SyncFace(
            sentence=_sync_sentence(status, words),
            tone=self._tone(status),
            lines=tuple(self._sync_lines(status, words, now)),
            receipt=_receipt(status, words, now),
            records=tuple(self._record(line, words, now) for line in journal_lines(self._database)),
            is_cut=self._engine.is_cut() if self._engine.is_cut else None,
        )

    def _sync_lines(self, status: TabletStatus, words: Speaker, now: datetime) -> Iterator[str]:
        told = self._engine.status()
        if told.words:
            yield told.words
        if status.counts.oldest_pending_at:
            yield words("sync.oldest", when=words.ago(status.counts.oldest_pending_at, now))
        at = status.last_complete_sync_at
        yield words("sync.last", when=words.stamp(at, now)) if at else words("sync.never")
        if status.clock_sentence:
            yield status.clock_sentence

    def _record(self, line: JournalLine, words: Speaker, now: datetime) -> RecordRow:
        tone = {"here": PillTone.WAITING, "at_hq": PillTone.SAVED, "look": PillTone.LOOK}[line.standing]
        name = self._name_of("profile_id", line.profile_id)
        at_hq = {"time": words.stamp(line.acked_at, now)} if line.acked_at else {"time": ""}
        return RecordRow(
            key=line.op_id,
            what=" · ".join(
                part for part in (line.what, line.detail, self._title_of(line.play_id, words), name) if part
            ),
            when=words.stamp(line.recorded_at, now),
            state=words(f"sync.state.{line.state}", **at_hq).strip(),
            tone=tone,
            detail=line.why,
        )

    def _title_of(self, play_id: str | None, words: Speaker) -> str | None:
        """A play's title; None for a play that left the playbook, for an id tells an associate nothing."""
        plays = self._books.read(self._database).playbook.plays if play_id else ()
        found = next((play for play in plays if play.id == play_id), None)
        return in_language(found.title, words.language) if found else None

    def send_now(self) -> None:
        """Ring the sync engine."""
        self._engine.ring("asked")

    def cut_network(self, is_cut: bool) -> None:
        """Take the network away or give it back (demo only)."""
        if self._engine.cut is not None:
            self._engine.cut(is_cut)

    # plays and feedback ----------------------------------------------------------------------------------------------

    def playbook(self) -> tuple[BookPlay, ...]:
        """All plays that run here, without a shopper."""
        book, now, words = self._books.read(self._database), self._clock.now(), self._words()
        today_on = book.today(now).isoformat()
        since_on = (book.today(now) - timedelta(days=_NEW_DAYS)).isoformat()
        running = [play for play in book.playbook.plays if play.is_valid_on(today_on)]
        return tuple(tell_book_play(play, book, words, is_new=(play.valid_from or "") >= since_on) for play in running)

    def tell(self, about: str, text: str, play_id: str | None, associate_id: str) -> None:
        """Record feedback for HQ."""
        give_feedback(self._recorder(associate_id), about, text, play_id=play_id)

    # words and people ------------------------------------------------------------------------------------------------

    def _book_or_none(self) -> StoreBook | None:
        return self._books.read(self._database) if self._database.device() is not None else None

    def _words(self) -> Speaker:
        book = self._book_or_none()
        return Speaker(zone=zone_named(book.store.timezone)) if book else Speaker()

    def _associate_names(self) -> Mapping[str, str]:
        return {one.associate_id: one.name for one in associates_here(self._database)}

    def _name_of(self, type_: str, value: str | None) -> str | None:
        held = self._database.find_profile(type_, value) if value else None
        parts = (held.body.get("given_name"), held.body.get("family_name")) if held else ()
        return " ".join(part for part in parts if part) or None


def _role(role: str, words: Speaker) -> str:
    return words("who.role.manager" if role == "manager" else "who.role.associate")


def _invitation(code: EnrolmentCode | None) -> Invitation | None:
    return Invitation(code.url, code.code, code.ca_fingerprint) if code else None


def _sync_sentence(status: TabletStatus, words: Speaker) -> str:
    if status.needs_a_look:
        return words.count("sync.look", status.needs_a_look)
    if status.counts.pending:
        return words.count("sync.waiting", status.counts.pending)
    return words("sync.all") if status.counts.recorded else words("sync.nothing_yet")


def _receipt(status: TabletStatus, words: Speaker, now: datetime) -> str:
    if status.receipt is None:
        return words("sync.no_receipt")
    return words(
        "sync.receipt", n=words.number(status.receipt.through_seq), time=words.stamp(status.receipt.issued_at, now)
    )


def _calendar_row(entry: CalendarEntry, today_on: str, words: Speaker) -> NewsRow:
    if entry.from_on > today_on:
        hint = words("today.from", day=words.long_weekday_of(entry.from_on))
    else:
        hint = words("today.until", day=words.date(entry.until_on))
    return NewsRow(entry.id, in_language(entry.title, words.language), hint)

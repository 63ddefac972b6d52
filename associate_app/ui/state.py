"""What outlives a screen: where a session is, who works in it, when to re-read; and the `Floor` it asks.

One `Desk` a session, never shared. Its observables change on the session's own loop only. Screens ask the floor through
`Desk.ask` (a thread, so the loop never waits for SQLite) and re-read when the pulse beats: after a commit of any
session and after each applied feed page. Nobody pokes a screen.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar
from urllib.parse import quote, unquote

import flet as ft

from associate_app.ui import theme
from associate_app.ui.appointment_faces import AppointmentBook
from associate_app.ui.faces import (
    AboutFace,
    AssociateFace,
    BendFace,
    BookPlay,
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
    PillTone,
    PracticeCard,
    PromiseFace,
    ResultFace,
    ShopperRow,
    StoreFace,
    SyncFace,
    TodayFace,
    VerdictFace,
)
from associate_app.ui.first_steps import SCAN_TIP, Coach, FirstSteps
from associate_app.ui.goods_faces import OfferScreenFace, ProductFace
from associate_app.ui.hooks import use_cell, use_listening, use_task, use_value
from associate_app.ui.manager_state import Office
from associate_app.ui.today_faces import EntryFace, HelpedFace, TextFace, TodayLists
from associate_app.ui.words import Speaker
from shared.documents import LOCK_AFTER_MIN

T = TypeVar("T")

SCREENS: Final = (
    *("today", "scan", "find", "plays", "library", "tell", "sync", "new", "follow_ups", "holds", "shopper", "store"),
    *("appointments", "product", "offer", "feedback", "settings"),
)
_BESIDE_A_CARD: Final = ("product", "offer")
_ON_THE_WAY: Final = ("scan", "find")
"""Screens on which the card that was open stays the one something is scanned for."""
MANAGERS_SCREENS: Final = ("reviews", "review", "pins", "approvals", "tablets")
"""Entered from Store today, by store managers."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session is: a screen and, for a card, the tablet's token of the shopper (never a loyalty number).

    For appointments the token is the day or week; for a product its sku, for an offer its id or its code as scanned;
    `card` is then the token of the card that was open when it was scanned.
    """

    screen: str = "today"
    token: str | None = None
    card: str | None = None

    @property
    def route(self) -> str:
        """The address shown by a browser; reloading it leads back here."""
        if self.screen == "today":
            return "/"
        return "".join(f"/{quote(part, safe='')}" for part in (self.screen, self.token, self.card) if part)

    @classmethod
    def from_route(cls, route: str | None) -> Place:
        """Read an address; anything unknown is Today."""
        parts = [unquote(part) for part in (route or "/").split("?")[0].split("/") if part]
        if not parts or parts[0] not in (*SCREENS, *MANAGERS_SCREENS):
            return cls()
        card = parts[2] if len(parts) > 2 and parts[0] in _BESIDE_A_CARD else None
        return cls(parts[0], parts[1] if len(parts) > 1 else None, card)


class Frame(Enum):
    """How much room there is."""

    PHONE = "phone"
    PORTRAIT = "portrait"
    LANDSCAPE = "landscape"

    @classmethod
    def of(cls, width: float | None, text_scale: float = 1.0) -> Frame:
        """The frame of a window of that width in logical pixels; twice as large a text has half the room."""
        room = (width or theme.TWO_COLUMN_WIDTH_MIN) / text_scale
        if room < theme.PHONE_WIDTH_MAX:
            return cls.PHONE
        return cls.LANDSCAPE if room >= theme.TWO_COLUMN_WIDTH_MIN else cls.PORTRAIT


@dataclass(frozen=True, slots=True)
class Pairing:
    """How this tablet stands with HQ: None of a store means it is not connected yet."""

    store_name: str | None
    speaker: Speaker
    may_cut_network: bool = False
    lock_after_min: int = LOCK_AFTER_MIN


@dataclass(frozen=True, slots=True)
class SignInAnswer:
    """What came of a PIN: the associate, or a sentence and how long to wait."""

    associate: AssociateFace | None
    sentence: str | None = None
    wait_s: int = 0


@dataclass(frozen=True, slots=True)
class ConnectAnswer:
    """What came of an enrolment: connected, or a sentence with one next step."""

    is_connected: bool
    sentence: str | None = None


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How far the first pull is: lines stored and expected (0 while unknown)."""

    done: int
    total: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Invitation:
    """An enrolment code as scanned."""

    address: str
    code: str
    ca_fingerprint: str | None


@dataclass(frozen=True, slots=True)
class ScanAnswer:
    """What a scan led to: a card to open, a product's or an offer's place, an invitation, or a sentence."""

    token: str | None = None
    result: ResultFace | None = None
    invitation: Invitation | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """A committed record that can be taken back for ten seconds, without an op id not at all. Without an outcome its
    title says everything."""

    op_id: str
    outcome: str
    title: str


@dataclass(frozen=True, slots=True)
class Bend:
    """How an offer is to be bent, as chosen and typed: `much` of a `unit` (percent, amount), whose PIN stands by it."""

    offer_id: str
    kind: str
    reason: str = ""
    unit: str = "percent"
    much: str = ""
    manager_id: str = ""
    pin: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class PlayChange:
    """What a manager changes about a play: one of these. An empty opener brings HQ's words back; with a proposal,
    opener and bullets are the words proposed."""

    paused: bool | None = None
    lever: int | None = None
    opener: str | None = None
    bullets: tuple[str, ...] = ()
    proposal: str | None = None


@dataclass(frozen=True, slots=True)
class FollowUpWish:
    """What is to be promised, as chosen and typed; `day` is an ISO date."""

    what: str
    channel: str
    day: str
    is_mine: bool = True
    text: str = ""


@dataclass(frozen=True, slots=True)
class FollowUpChange:
    """What became of a follow-up: `deed` = done, moved (`day`), handed_over (`to`) or dropped (`reason`)."""

    deed: str
    day: str = ""
    to: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class HoldWished:
    """What is to be kept for a shopper: a product as chosen or typed, until an ISO date, and how many."""

    product: str
    until: str
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class NewShopper:
    """What someone who joins gives, as typed."""

    given: str = ""
    family: str = ""
    email: str = ""
    phone: str = ""
    postcode: str = ""


@dataclass(frozen=True, slots=True)
class NewCheck:
    """What stands against joining: a sentence, or someone who has this e-mail or phone already."""

    sentence: str | None = None
    known: ShopperRow | None = None


@dataclass(frozen=True, slots=True)
class Wording:
    """The exact wording of a consent in the language it is shown in, with the hash that proves it."""

    purpose: str
    version: str
    language: str
    title: str
    text: str
    sha: str


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Someone who joined: the token of their card here, and the card for their phone."""

    token: str
    card: str


class Floor(Protocol):
    """What the screens ask of the tablet. Every method blocks and is called through `Desk.ask`.

    Methods that record return after the commit. A rule's no raises `Refused` with a sentence for the associate.
    """

    def pairing(self) -> Pairing:
        """Whether this tablet is connected, to which store, in which time zone."""

    def for_reader_of(self, language: str | None) -> Floor:
        """The same floor for a session whose browser prefers a language, where it is known."""

    def speak(self, language: str) -> None:
        """Choose this tablet's language, for everyone at it."""

    def connect(self, invitation: Invitation, name: str) -> ConnectAnswer:
        """Trade an invitation for a place in the store."""

    def fetch_progress(self) -> FetchProgress:
        """How far the first pull is."""

    def associates(self) -> tuple[AssociateFace, ...]:
        """Who may sign in here."""

    def sign_in(self, associate_id: str, pin: str) -> SignInAnswer:
        """Check a PIN (slow on purpose)."""

    def read_picture(self, picture: bytes, *, is_frame: bool) -> str | None:
        """The text of a code in a picture file or, read more quickly, a camera frame; None for none."""

    def read_scan(self, text: str) -> ScanAnswer:
        """Say what a scanned or typed text leads to."""

    def open_found(self, row: ShopperRow) -> ScanAnswer:
        """Open the card of someone in a list."""

    def card(self, token: str) -> CardFace | None:
        """The card as it stands now; None when this tablet does not know the token any more."""

    def noted(self, token: str, what: Noted, count: int) -> tuple[NoteFace, ...]:
        """The newest `count` notes of a card, or records of what was done."""

    def verdicts(self, token: str, associate_id: str) -> tuple[VerdictFace, ...]:
        """Every play of the playbook with what was decided of it; for store managers."""

    def note_opened(self, token: str, associate_id: str) -> None:
        """Record that the card was opened and what it showed."""

    def note_more_opened(self, token: str, associate_id: str) -> None:
        """Record that the lines behind *more* were opened on a card held out of a play."""

    def record_outcome(self, token: str, play_id: str, outcome: str, associate_id: str) -> Saved:
        """Record what came of a play."""

    def add_reason(self, saved: Saved, reason: str, associate_id: str) -> None:
        """Add the reason to an outcome."""

    def undo(self, saved: Saved, associate_id: str) -> None:
        """Take an outcome back."""

    def add_note(self, token: str, text: str, associate_id: str) -> None:
        """Record a note for the next colleague."""

    def promisable(self, token: str) -> PromiseFace:
        """What may be promised to the shopper of a card, and for which days."""

    def promise(self, token: str, wish: FollowUpWish, associate_id: str) -> Saved:
        """Promise a follow-up."""

    def follow_ups(self, associate_id: str) -> FollowUpsFace:
        """What is promised in this store and still to be done."""

    def change_follow_up(self, key: str, change: FollowUpChange, associate_id: str) -> Saved:
        """Record what became of a follow-up."""

    def holdable(self, token: str) -> HoldChoiceFace:
        """What can be kept for the shopper of a card, and for which days."""

    def hold(self, token: str, wish: HoldWished, associate_id: str) -> Saved:
        """Keep a product for a shopper."""

    def holds(self) -> tuple[HoldRow, ...]:
        """What is on hold in this store, for the till."""

    def end_hold(self, key: str, *, is_sold: bool, associate_id: str) -> Saved:
        """Record that something on hold was sold, or is free again."""

    @property
    def appointments(self) -> AppointmentBook:
        """What is asked about appointments."""

    def product(self, sku: str, card: str | None) -> ProductFace | None:
        """A product at this moment, for the shopper of the card that was open; None for one nobody knows here."""

    def offer(self, name: str, card: str | None) -> OfferScreenFace | None:
        """An offer by its id or code, for the shopper of the card that was open; None for one nobody knows here."""

    def find_products(self, text: str) -> tuple[LinkFace, ...]:
        """Products by name or number."""

    def record_product(self, card: str, sku: str, deed: str, associate_id: str) -> Saved:
        """Record what came of a product for the shopper of a card: bought, wished, hold."""

    def correctable(self, token: str) -> tuple[CorrectFace, ...]:
        """What may be corrected of the shopper of a card."""

    def correct(self, token: str, key: str, value: str, associate_id: str) -> Saved:
        """Record what is right; HQ's rule decides."""

    def flag(self, token: str, key: str, text: str, associate_id: str) -> Saved:
        """Record that something is wrong, where nobody knows what is right."""

    def bendable(self, associate_id: str) -> tuple[BendFace, ...]:
        """The offers this store may bend today."""

    def bend(self, token: str, bend: Bend, associate_id: str) -> str:
        """Honour an offer beyond its terms, within HQ's limits; the text of the code for the till."""

    def change_play(self, play_id: str, change: PlayChange, associate_id: str) -> None:
        """Change a play in this store, within its guardrails, or propose something to HQ; for store managers."""

    def check_new(self, shopper: NewShopper) -> NewCheck:
        """Whether someone can join with what they gave."""

    def wordings(self, language: str) -> tuple[Wording, ...]:
        """What a shopper is asked for, in the chain's exact words, in their language where the chain has it."""

    def enrol_shopper(self, shopper: NewShopper, granted: tuple[Wording, ...], associate_id: str) -> Enrolled:
        """Let someone join, with what they tapped themselves."""

    def today(self, associate: AssociateFace) -> TodayFace:
        """What of Today is at hand at once."""

    def today_lists(self, associate_id: str) -> TodayLists:
        """Today's lists of shoppers."""

    def take_up(self, key: str, associate_id: str) -> Saved:
        """Promise a word to a shopper of the list, for today."""

    def pin(self, token: str, associate_id: str, *, is_pinned: bool) -> None:
        """Keep the shopper of a card among one's own, or no more."""

    def week(self) -> tuple[EntryFace, ...]:
        """The calendar of the week with the store's tasks."""

    def tick(self, entry: str, task: str, associate_id: str, *, is_done: bool) -> None:
        """Tick a task of the calendar, or take the tick away."""

    def store_today(self, is_week: bool, associate_id: str) -> StoreFace:
        """What the store did today or in the last seven days; for store managers."""

    def find(self, text: str) -> tuple[ShopperRow, ...]:
        """Shoppers by name, phone, e-mail or number, best first."""

    def pill(self) -> PillFace:
        """The sync pill."""

    def sync(self, count: int) -> SyncFace:
        """The Sync screen with the newest `count` records."""

    def send_now(self) -> None:
        """Ring the sync engine."""

    def cut_network(self, is_cut: bool) -> None:
        """Take the network away or give it back (demo only)."""

    def helped(self) -> HelpedFace:
        """How digital helped this store."""

    def playbook(self, associate_id: str) -> tuple[BookPlay, ...]:
        """All plays, without a shopper; new until the associate has read them."""

    def library(self, associate_id: str) -> tuple[TextFace, ...]:
        """Message templates, guides and event texts; the associate signs."""

    def note_read(self, play_id: str, associate_id: str) -> None:
        """An associate has read a play."""

    def tell(self, about: str, text: str, play_id: str | None, associate_id: str) -> Saved:
        """Record feedback for HQ."""

    def feedback(self, associate_id: str) -> FeedbackFace:
        """What this store told HQ, and what HQ said to it."""

    def news(self, associate_id: str) -> int:
        """How many answers of HQ an associate has not read."""

    def read_answers(self, keys: Iterable[str], associate_id: str) -> None:
        """Note that an associate has read these answers."""

    @property
    def office(self) -> Office:
        """What only store managers ask."""

    def about(self) -> AboutFace:
        """What this tablet is, for whoever asks for help with it."""

    def first_steps(self, associate_id: str) -> FirstSteps:
        """How far an associate is with the practice card and the tips."""

    def note_first_steps(self, associate_id: str, steps: FirstSteps) -> None:
        """Remember it on this tablet."""

    def practise(self, associate: AssociateFace) -> Floor:
        """A practice store of its own with made-up shoppers: in memory, sent to nobody, gone when it is left."""

    def practice_cards(self) -> tuple[PracticeCard, ...]:
        """The cards to practise with; none outside the practice store."""


class Heart:
    """Tells every session of the process that something was committed or pulled. Safe from any thread."""

    def __init__(self) -> None:
        self._listeners: set[Callable[[], None]] = set()

    def subscribe(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` at every beat; returns what ends it."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def beat(self) -> None:
        """Something changed: everyone re-reads."""
        for listener in list(self._listeners):
            listener()

    @property
    def listeners_count(self) -> int:
        """How many sessions listen, for tests that look for leaks."""
        return len(self._listeners)


@ft.observable
@dataclass
class Whereabouts:
    """Where the session is."""

    place: Place = field(default_factory=Place)
    frame: Frame = Frame.LANDSCAPE
    text_scale: float = 1.0
    epoch: int = 0
    is_handed_over: bool = False
    """A shopper holds the tablet: nothing but the screen they were given is shown."""


@ft.observable
@dataclass
class Shift:
    """Who works here, and whether this tablet is connected at all."""

    pairing: Pairing | None = None
    associate: AssociateFace | None = None


class Pulse:
    """Beats when screens should re-read; they redraw only if what they read has changed."""

    def __init__(self) -> None:
        self._readers: set[Callable[[], None]] = set()

    def beat(self) -> None:
        """Let everything on the screen re-read; on the session's loop."""
        for read in list(self._readers):
            read()

    def follow(self, read: Callable[[], None]) -> Callable[[], None]:
        """Call `read` at every beat; returns what ends it."""
        self._readers.add(read)
        return lambda: self._readers.discard(read)


@ft.observable
@dataclass
class SyncLight:
    """The sync pill's face; its own observable, so that a tick redraws the pill alone."""

    face: PillFace = field(default_factory=lambda: PillFace("", PillTone.SAVED))


@ft.observable
@dataclass
class LastScan:
    """What the last scan led to, when it was not a card."""

    result: ResultFace | None = None
    invitation: Invitation | None = None


@dataclass
class Desk:
    """One session's state and its way to the tablet."""

    page: ft.Page
    floor: Floor
    heart: Heart
    worker: Executor
    whereabouts: Whereabouts = field(default_factory=Whereabouts)
    shift: Shift = field(default_factory=Shift)
    pulse: Pulse = field(default_factory=Pulse)
    light: SyncLight = field(default_factory=SyncLight)
    last_scan: LastScan = field(default_factory=LastScan)
    fields_in_focus: set[str] = field(default_factory=set)
    before: Place | None = None
    """Where the session was before, for the way back."""
    coach: Coach = field(default_factory=Coach)
    is_practice: bool = False
    choose_theme: Callable[[str], None] = lambda _: None
    theme_name: Callable[[], str] = lambda: ""
    on_practise: Callable[[bool], Awaitable[None]] | None = None
    take_test_scan: Callable[[str, bool], None] | None = None
    """Set while the scanner test wants the scans, each with whether it ended with Enter."""
    on_sign_in: Callable[[AssociateFace], None] | None = None
    on_sign_out: Callable[[], None] | None = None
    _prepared: tuple[str, CardFace] | None = None
    _card: str | None = None
    _saved: tuple[str, Saved] | None = None

    @property
    def card_in_hand(self) -> str | None:
        """The token of the card that is open, or was when something was scanned for its shopper."""
        place = self.whereabouts.place
        if place.screen == "shopper":
            return place.token
        return self._card if place.screen in _ON_THE_WAY else place.card

    @property
    def speaker(self) -> Speaker:
        """Says words in the session's language and the store's time zone."""
        return self.shift.pairing.speaker if self.shift.pairing else Speaker()

    @property
    def has_camera(self) -> bool:
        """Whether this platform can show a camera at all: browsers, Android and iOS."""
        return self.page.web or self.page.platform in (ft.PagePlatform.ANDROID, ft.PagePlatform.IOS)

    @property
    def associate_id(self) -> str:
        """Who signs the records of this session. Asked only behind the sign-in."""
        if self.shift.associate is None:
            raise RuntimeError("nobody is signed in")
        return self.shift.associate.associate_id

    async def ask(self, question: Callable[..., T], *args: Any) -> T:
        """Call a blocking method of the floor on its thread."""
        context = contextvars.copy_context()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.worker, lambda: context.run(question, *args))

    async def ask_slowly(self, question: Callable[..., T], *args: Any) -> T:
        """Call a method that is slow on purpose (a PIN's hash) beside the floor's own thread."""
        return await asyncio.to_thread(question, *args)

    async def commit(self, record: Callable[..., T], *args: Any) -> T:
        """Record something and, once it is committed, let every session re-read."""
        answer = await self.ask(record, *args)
        self.heart.beat()
        return answer

    def sign_in(self, associate: AssociateFace) -> None:
        """Begin a shift on this session."""
        if self.on_sign_in:
            self.on_sign_in(associate)

    def sign_out(self) -> None:
        """End it; nothing recorded is touched."""
        if self.on_sign_out:
            self.on_sign_out()

    async def practise(self, is_wanted: bool) -> None:
        """Go to the practice store, or back from it."""
        if self.on_practise:
            await self.on_practise(is_wanted)

    async def scan(self, text: str) -> None:
        """Follow a scan from any screen: a card opens at once, anything else is told on the Scan screen."""
        await self._follow(partial(self.floor.read_scan, text))

    async def open_row(self, row: ShopperRow) -> None:
        """Open the card of someone in a list."""
        await self._follow(partial(self.floor.open_found, row))

    async def _follow(self, lead: Callable[[], ScanAnswer]) -> None:
        answer, face = await self.ask(self._lead_and_prepare, lead)
        self.last_scan.result = answer.result
        self.last_scan.invitation = answer.invitation
        if answer.token is not None:
            self._prepared = (answer.token, face) if face else None
            self.coach.did(SCAN_TIP)
            self.go(Place("shopper", answer.token))
        elif answer.place is not None:
            self.go(replace(answer.place, card=self.card_in_hand))
        elif answer.result is not None:
            self.go(Place("scan"))

    def _lead_and_prepare(self, lead: Callable[[], ScanAnswer]) -> tuple[ScanAnswer, CardFace | None]:
        answer = lead()
        return answer, self.floor.card(answer.token) if answer.token else None

    def take_prepared(self, token: str) -> CardFace | None:
        """The card read together with the scan, so that the first paint has it."""
        prepared, self._prepared = self._prepared, None
        return prepared[1] if prepared and prepared[0] == token else None

    def back_to_card(self, card: str, saved: Saved) -> None:
        """Lead back to a card, which tells what was just saved for its shopper."""
        self._saved = (card, saved)
        self.go(Place("shopper", card))

    def take_saved(self, token: str) -> Saved | None:
        """What was saved elsewhere for the shopper of a card, once."""
        saved, self._saved = self._saved, None
        return saved[1] if saved and saved[0] == token else None

    async def read_picture(self, picture: bytes, *, is_frame: bool = False) -> str | None:
        """The text of a code in a picture, read off the loop and beside the floor's own thread."""
        return await asyncio.to_thread(self.floor.read_picture, picture, is_frame=is_frame)

    def go(self, place: Place) -> None:
        """Go somewhere: the screen changes at once, the address follows."""
        if place == self.whereabouts.place:
            return
        self.fields_in_focus.clear()
        self._card = self.card_in_hand
        self.whereabouts.is_handed_over = False
        if place.screen != "scan":
            self.last_scan.result = None
        self.before, self.whereabouts.place = self.whereabouts.place, place
        if self.page.route != place.route:
            self.page.navigate(place.route)


_NO_DESK: Final[Desk | None] = None
DeskContext: Final = ft.create_context(_NO_DESK)


def use_desk() -> Desk:
    """The session's desk, inside a component."""
    desk = ft.use_context(DeskContext)
    if desk is None:
        raise RuntimeError("no desk around this component")
    return desk


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What the last re-reading brought; `is_ready` is False until the first one is in."""

    value: T | None
    is_ready: bool


def use_reading(
    read: Callable[[], T | None], keys: Iterable[object] = (), *, first: T | None = None
) -> tuple[T | None, bool]:
    """Read from the floor now, when `keys` change and at every beat of the pulse; keeps the last answer meanwhile.

    Returns (answer, whether it is in). `first` is an answer already at hand, so that the first paint has it.
    """
    desk = use_desk()
    reading, set_reading = use_value(Reading(first, is_ready=first is not None))
    reader = use_cell(lambda: _Reader(desk)).value
    reader.read, reader.tell = read, set_reading

    async def load() -> None:
        await reader.load()

    use_task(load, list(keys))
    use_listening(partial(desk.pulse.follow, reader.wake))
    return reading.value, reading.is_ready


class _Reader:
    """Re-reads for one component: one reading at a time, and once more when a beat came meanwhile."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._is_reading = self._is_due = False
        self.read: Callable[[], Any] = lambda: None
        self.tell: Callable[[Reading[Any]], None] = lambda _: None

    def wake(self) -> None:
        """A beat came."""
        self._task = asyncio.get_running_loop().create_task(self.load())

    async def load(self) -> None:
        """Read until nothing has changed since the reading began."""
        self._is_due = True
        if self._is_reading:
            return
        self._is_reading = True
        try:
            while self._is_due:
                self._is_due = False
                self.tell(Reading(await self._desk.ask(self.read), is_ready=True))
        finally:
            self._is_reading = False

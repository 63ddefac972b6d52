"""What screens show, already in words: frozen faces made by `telling.py` from the services' views, drawn by `parts/`.

A face holds no op, no profile and no loyalty number; nothing here reads a clock or a database. Pictures are URLs of
this app's own origin, or None where a drawing stands in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

Noted = Literal["notes", "done"]
"""The lists of a card of which it tells the newest."""


class Kind(Enum):
    """What a line is about, for the drawing that stands in for a picture."""

    PRODUCT = "product"
    SEARCH = "search"
    CATEGORY = "category"
    EMAIL = "email"
    CAMPAIGN = "campaign"
    SUPPORT = "support"
    STORE = "store"
    APP = "app"
    ORDER = "order"


@dataclass(frozen=True, slots=True)
class LineFace:
    """A line of *Recently online* or *Purchases*: what, and small under it when and whether it is here.

    `key` is stable across re-reads; `is_new` marks a line that came while the card was open.
    """

    key: str
    kind: Kind
    title: str
    what: str
    when: str
    picture: str | None = None
    stock: str | None = None
    is_here: bool = False
    is_new: bool = False
    is_behind: bool = False
    """Told only behind *more*: it would have triggered a play this shopper is held out of."""
    sku: str | None = None
    """The product it is about, where it leads to its screen."""


@dataclass(frozen=True, slots=True)
class OfferFace:
    """The offer of a play: its title and the code for the till, if it has one; `told` stands under a code that is only
    for scanning."""

    title: str
    code: str | None = None
    until: str | None = None
    told: str | None = None


@dataclass(frozen=True, slots=True)
class LinkFace:
    """A line that leads to another screen: a product by its sku, an offer by its id, a play by its id."""

    key: str
    title: str
    hint: str
    picture: str | None = None


@dataclass(frozen=True, slots=True)
class PlayFace:
    """A recommended play with the words to say and why it is here."""

    play_id: str
    rank: int
    title: str
    opener: str
    bullets: tuple[str, ...]
    objection: str | None
    avoid: str | None
    why: str
    offer: OfferFace | None
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class HeldFace:
    """A play held back: why, and until when, in one sentence."""

    play_id: str
    title: str
    why: str


@dataclass(frozen=True, slots=True)
class BendFace:
    """An offer the store may bend: how (`extended`, `adjusted`, `goodwill`), by how much at most (`percent`, `amount`,
    with an empty text where not at all), for which reasons, and the managers (id, name) of whom one types a PIN."""

    offer_id: str
    title: str
    hint: str
    kinds: tuple[str, ...]
    most: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    managers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ChangeFace:
    """How a play stands in this store and what its manager may change about it."""

    play_id: str
    is_paused: bool
    lever: int
    lever_min: int
    lever_max: int
    may_pause: bool
    may_write: bool
    is_own: bool
    opener: str
    bullets: tuple[str, ...]
    hq_opener: str = ""
    hq_bullets: tuple[str, ...] = ()
    """HQ's words, also where the store has its own."""


@dataclass(frozen=True, slots=True)
class VerdictFace:
    """What was decided of one play, for a store manager: the sentence, the three factors of its place, the trace as
    (depth, is met, in words), and what may be changed about it here."""

    play_id: str
    title: str
    sentence: str
    factors: str | None
    trace: tuple[tuple[int, bool, str], ...]
    change: ChangeFace | None = None


@dataclass(frozen=True, slots=True)
class ConsentFace:
    """A consent mark; `spoken` says it in full."""

    purpose: str
    spoken: str
    is_granted: bool


@dataclass(frozen=True, slots=True)
class NoteFace:
    """A note or preference and, small, who and when."""

    key: str
    text: str
    source: str


@dataclass(frozen=True, slots=True)
class NotedFace:
    """Notes of a shopper, or what was done for them: the newest, and how many there are."""

    lines: tuple[NoteFace, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class CardFace:
    """The shopper card. `token` is this tablet's own name for the open card, never a loyalty number."""

    token: str
    is_complete: bool
    """False while this tablet knows only what the card says."""
    name: str
    initials: str
    tier: str | None
    stage: str
    reason: str
    has_reason: bool
    as_of: str | None
    notice: str | None
    issue: str | None
    consents: tuple[ConsentFace, ...]
    behaviour_hidden: str | None
    behaviour_hint: str | None
    recent: tuple[LineFace, ...]
    purchases: tuple[LineFace, ...]
    notes: NotedFace
    promised: tuple[NoteFace, ...]
    done: NotedFace
    plays: tuple[PlayFace, ...]
    held: tuple[HeldFace, ...]
    corrections: tuple[NoteFace, ...] = ()
    cards: int = 1
    """How many loyalty numbers lead to this shopper."""
    pinned_by: tuple[str, ...] = ()
    """Associates who keep the shopper among their own."""
    turn: str | None = None
    """What HQ found of who this is while the card was open."""
    had: tuple[LinkFace, ...] = ()
    """The offers they have already."""


class PillTone(Enum):
    """How the sync pill looks: grey when records wait, amber only when a person should look."""

    SAVED = "saved"
    WAITING = "waiting"
    LOOK = "look"


@dataclass(frozen=True, slots=True)
class PillFace:
    """The sync pill."""

    text: str
    tone: PillTone


@dataclass(frozen=True, slots=True)
class AssociateFace:
    """Someone who may sign in."""

    associate_id: str
    name: str
    initials: str
    role: str
    is_manager: bool = False


@dataclass(frozen=True, slots=True)
class ShopperRow:
    """A shopper in a list: found by search, or seen this shift. `key` is this tablet's, never shown or addressed."""

    key: str
    name: str
    initials: str
    hint: str
    tier: str | None = None


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A record of the journal on the Sync screen."""

    key: str
    what: str
    when: str
    state: str
    tone: PillTone
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class SyncFace:
    """The Sync screen: a sentence first."""

    sentence: str
    tone: PillTone
    notices: tuple[tuple[str, bool], ...]
    """What stands in the way, in whole sentences with a next step; amber where a person should look."""
    lines: tuple[str, ...]
    receipt: str
    records: tuple[RecordRow, ...]
    """The newest, of `records_count` that are still on this tablet."""
    records_count: int
    is_cut: bool | None
    """None where the network cannot be taken away (only a demo can)."""


@dataclass(frozen=True, slots=True)
class DaysFace:
    """Days to choose from, each as (ISO date, in words): those with a name, and the others."""

    named: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PromiseFace:
    """What may be promised to a shopper: (what, channel), the first one likeliest; `is_partly` where something is
    missing for want of their consent."""

    ways: tuple[tuple[str, str], ...]
    is_partly: bool
    days: DaysFace


@dataclass(frozen=True, slots=True)
class FollowUpRow:
    """A follow-up: for whom, what, and when (`overdue`, `today`, `upcoming`); `whose` = mine, store or others.

    `shopper` leads to their card, None where this tablet does not hold them.
    """

    key: str
    title: str
    hint: str
    when: str
    whose: str
    shopper: ShopperRow | None = None


@dataclass(frozen=True, slots=True)
class FollowUpsFace:
    """What is promised in this store, soonest first; to whom (id, name) and to which days it can be handed on."""

    rows: tuple[FollowUpRow, ...]
    colleagues: tuple[tuple[str, str], ...]
    days: DaysFace


@dataclass(frozen=True, slots=True)
class HoldChoiceFace:
    """What can be kept for a shopper: products of their card (sku, in words), and through which days."""

    products: tuple[tuple[str, str], ...]
    days: DaysFace


@dataclass(frozen=True, slots=True)
class HoldRow:
    """Something on hold: what, and for whom, how many, until when, by whom. `shopper` leads to their card."""

    key: str
    title: str
    hint: str
    shopper: ShopperRow | None = None


@dataclass(frozen=True, slots=True)
class NewsRow:
    """A line of news."""

    key: str
    title: str
    hint: str


@dataclass(frozen=True, slots=True)
class TodayFace:
    """The Today screen."""

    greeting: str
    place: str
    seen: tuple[ShopperRow, ...]
    due: tuple[FollowUpRow, ...]
    due_counts: tuple[int, int, int]
    """Overdue, today, upcoming."""
    on_hold: int
    plays: tuple[NewsRow, ...]


@dataclass(frozen=True, slots=True)
class ResultFace:
    """A scan that did not open a card: one sentence, one next step."""

    title: str
    text: str
    may_search: bool = True
    is_amber: bool = False


@dataclass(frozen=True, slots=True)
class BookPlay:
    """A play in the playbook, without a shopper."""

    play_id: str
    title: str
    opener: str
    bullets: tuple[str, ...]
    objection: str | None
    avoid: str | None
    offer: OfferFace | None
    until: str | None
    is_new: bool
    is_this_week: bool = False
    situation: str = "rest"

    @property
    def key(self) -> str:
        """The play's."""
        return self.play_id


@dataclass(frozen=True, slots=True)
class FigureFace:
    """A number a manager acts on, what it is of, and behind a tap how it is counted."""

    key: str
    title: str
    number: str
    note: str
    how: str


@dataclass(frozen=True, slots=True)
class BarFace:
    """A play's bar. `parts` are disjoint and together whom it fitted: bought, else used, else shown, held back."""

    play_id: str
    title: str
    told: str
    """The bar in words."""
    parts: tuple[int, int, int, int]
    lift: str
    how: str


@dataclass(frozen=True, slots=True)
class DayBar:
    """A day of the week's chart."""

    label: str
    used: int
    bought: int


@dataclass(frozen=True, slots=True)
class CorrectFace:
    """A field that may be corrected, and what is known of it now; empty for nothing."""

    key: str
    title: str
    now: str


@dataclass(frozen=True, slots=True)
class SaidFace:
    """What an associate told HQ, and what HQ answered or by when it does; amber once HQ is late."""

    key: str
    about: str
    text: str
    answer: str
    is_amber: bool
    group: str = "open"
    """open, late or answered."""
    is_new: bool = False
    """An answer nobody at this tablet's sign-in has read yet."""


@dataclass(frozen=True, slots=True)
class FeedbackFace:
    """What this store told HQ, the newest first, and in a sentence how HQ keeps what was agreed."""

    rows: tuple[SaidFace, ...]
    agreement: str


@dataclass(frozen=True, slots=True)
class StoreFace:
    """Store today, for store managers."""

    source: str
    """What is from where."""
    is_stale: bool
    figures: tuple[FigureFace, ...]
    bars: tuple[BarFace, ...]
    more: str | None
    """How many plays are not among the bars."""
    days: tuple[DayBar, ...]
    days_told: str
    said: tuple[SaidFace, ...]
    tablets: tuple[NewsRow, ...]


@dataclass(frozen=True, slots=True)
class AboutFace:
    """What this tablet is: its lines as (what, told), for whoever asks for help with it."""

    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PracticeCard:
    """A card of the practice store: whose, what is worth trying with it, and the text of its QR."""

    name: str
    say: str
    text: str


def initials_of(name: str) -> str:
    """The first letters of the first and last word: `Mara Lindqvist` -> `ML`; a dot for nobody."""
    words = name.split()
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [words[0][0]] if words else ["·"]
    return "".join(letters).upper()

"""What a store manager's screens show, already in words: reviews of plays, PINs, approvals, tablets. As `faces.py`."""

from __future__ import annotations

from dataclasses import dataclass

from associate_app.ui.faces import BarFace, BookPlay, ChangeFace, ShopperRow


@dataclass(frozen=True, slots=True)
class WordLine:
    """A line of proposed words: it stays (`same`), would go (`gone`) or would be new (`new`)."""

    mark: str
    text: str


@dataclass(frozen=True, slots=True)
class ProposalFace:
    """A proposal to HQ: who and when, what it says, what it would change, how it stands and what HQ answered. `is_open`
    while HQ's word is awaited; `is_declined` where it said no."""

    key: str
    title: str
    by: str
    text: str
    lines: tuple[WordLine, ...]
    state: str
    answer: str | None
    is_open: bool
    is_declined: bool


@dataclass(frozen=True, slots=True)
class ReviewFace:
    """A play as its store manager reviews it. `fires` are the lines of its situation as (depth, words), `besides` what
    else it takes; `stands` how it stands here, in a sentence; `marks` the same in a word or two each."""

    play: BookPlay
    stands: str
    marks: tuple[str, ...]
    fires: tuple[tuple[int, str], ...]
    besides: tuple[str, ...]
    result: BarFace
    change: ChangeFace
    proposals: tuple[ProposalFace, ...]


@dataclass(frozen=True, slots=True)
class ReviewsFace:
    """Plays review: what results are of (`source`, `window`), every play that runs or will run here, and how many need
    a newer app."""

    source: str
    is_stale: bool
    window: str
    plays: tuple[ReviewFace, ...]
    unread: str | None


@dataclass(frozen=True, slots=True)
class MatchFace:
    """Whom a play would meet now: in one line, in full sentences, and by name."""

    line: str
    told: tuple[str, ...]
    names: tuple[ShopperRow, ...]
    more: str | None


@dataclass(frozen=True, slots=True)
class MatchesFace:
    """How far the look at this tablet's shoppers is, by play id; `nobody` is told of a play that is not in it."""

    progress: str
    share: float
    is_done: bool
    by_play: dict[str, MatchFace]
    nobody: MatchFace


@dataclass(frozen=True, slots=True)
class PersonFace:
    """Someone whose PIN can be set here, and how theirs stands; `why_not` where it cannot."""

    associate_id: str
    name: str
    initials: str
    hint: str
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class GivenFace:
    """An offer that was bent here: what, for whom, by whom and under whose PIN, and how it stands. `may_undo` while it
    can be taken back on this tablet, `why_not` says why it cannot."""

    key: str
    title: str
    hint: str
    state: str
    is_amber: bool
    may_undo: bool
    why_not: str | None = None
    shopper: ShopperRow | None = None


@dataclass(frozen=True, slots=True)
class ApprovalsFace:
    """Approvals: what waits for somebody's word, what was decided, and how much may be given still today."""

    lead: str
    waiting: tuple[GivenFace, ...]
    given: tuple[GivenFace, ...]
    proposals: tuple[ProposalFace, ...]
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TabletFace:
    """A tablet of the store: how it stands, as of when, and what should be looked at; amber where something should."""

    key: str
    name: str
    lines: tuple[str, ...]
    look: str | None
    is_this: bool


@dataclass(frozen=True, slots=True)
class TabletsFace:
    """Tablets: where what is told of the others is from, and each of them, this one first."""

    source: str
    is_stale: bool
    rows: tuple[TabletFace, ...]

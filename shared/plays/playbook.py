"""A play, as authored in a file and shipped as a document, and the playbook: all plays a store has, ready to rank.

Flow: YAML mapping -> `parse_play` (strict, errors that mend) -> `play_document` -> feed -> `Playbook` (lenient).
An edit makes a new version; the holdout's seed stays unless a new period is started. Nothing is evaluated here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, StrictBool, StrictInt, ValidationError, model_validator

from shared.plays.catalogue import PURPOSES, Purpose
from shared.plays.condition import (
    KINDS,
    WRITTEN_OUT_DEPTH_MAX,
    Condition,
    Consent,
    Group,
    PlayHistory,
    ProfileField,
    Stage,
    StageName,
    problems_in,
    walk,
)
from shared.plays.files import (
    LANGUAGE,
    Day,
    FilePart,
    Line,
    Names,
    Offer,
    Slug,
    Words,
    document_of,
    is_day_between,
)
from shared.plays.placeholders import placeholder_problem
from shared.plays.refusal import FileProblem, PlaybookRefused, listed, nearest, read_file
from shared.plays.segments import write_out
from shared.plays.settings import Cap, PlaySettings
from shared.wire.canonical import INTEGER_MAX, sha_of
from shared.wire.ops import Outcome

WORDS_MAX: Final = 60
HOURS_MAX: Final = 9600
ON_THE_CARD: Final = frozenset({"tier", "identifier_types"})
"""Fields that a loyalty card itself tells."""
_SPAN: Final = re.compile(r"(\d{1,4})\s*([hd])\Z")
PlayClass = Literal["mandatory", "recommended", "informational"]
Place = Literal["card", "outreach"]

AFTER_OUTCOME: Final[Mapping[str, int]] = {
    "bought": 720,
    "interested": 0,
    "not_today": 72,
    "not_interested": 720,
    "already_has_it": 2160,
    "out_of_stock": 48,
    "not_mentioned": 0,
}
"""Hours a play rests after an outcome, where its file says nothing else."""


def _as_hours(given: Any) -> Any:
    found = _SPAN.match(given.strip()) if isinstance(given, str) else None
    if isinstance(given, str) and found is None:
        raise ValueError(f"{given!r} is not a length of time; write 72 h or 30 d.")
    return int(found[1]) * (24 if found[2] == "d" else 1) if found else given


def _as_tuple(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


Hours = Annotated[StrictInt, Field(ge=0, le=HOURS_MAX), BeforeValidator(_as_hours)]
Ppm = Annotated[StrictInt, Field(ge=0, le=1_000_000)]
Lever = Annotated[StrictInt, Field(ge=-50, le=100)]


class TalkingPoints(FilePart):
    """What to say, in one language: at most 60 words in all."""

    opener: Line
    bullets: Annotated[tuple[Line, ...], Field(max_length=3)] = ()
    objection: Line | None = None
    do_not_mention: Line | None = None

    def texts(self) -> Iterator[tuple[str, str]]:
        """Every text with its path."""
        yield "opener", self.opener
        yield from ((f"bullets[{index}]", bullet) for index, bullet in enumerate(self.bullets))
        if self.objection is not None:
            yield "objection", self.objection
        if self.do_not_mention is not None:
            yield "do_not_mention", self.do_not_mention

    def count_words(self) -> int:
        """Words in all texts together."""
        return sum(len(text.split()) for _, text in self.texts())


class Holdout(FilePart):
    """The share of shoppers not shown the play. A new version keeps the period, so the same shoppers stay held out."""

    percent: Annotated[StrictInt, Field(ge=0, le=90)] = 0
    period: Annotated[StrictInt, Field(ge=1, le=10_000)] = 1


class Guardrails(FilePart):
    """What a store manager may change. Never the offer's value."""

    may_pause: StrictBool = True
    lever_min: Lever = -50
    lever_max: Lever = 100
    may_edit_talking_points: StrictBool = True


class Play(FilePart):
    """Situation, words, optional offer and outcomes. `value_minor` is the expected margin in the chain's currency."""

    id: Slug
    version: Annotated[StrictInt, Field(ge=1, le=INTEGER_MAX)] = 1
    title: Words
    campaign_id: Slug | None = None
    tags: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=10)]
    play_class: Annotated[PlayClass, Field(alias="class")]
    where: Annotated[tuple[Place, ...], BeforeValidator(_as_tuple), Field(min_length=1, max_length=2)] = ("card",)
    is_selling: Annotated[StrictBool, Field(alias="selling")] = True
    stages: tuple[StageName, ...] = ()
    consents: tuple[Purpose, ...] = ()
    condition: Condition
    talking_points: Mapping[str, TalkingPoints]
    offer_id: Slug | None = None
    valid_from: Day | None = None
    valid_until: Day | None = None
    stores: Names = ()
    regions: Names = ()
    suppress: Annotated[tuple[Condition, ...], Field(max_length=10)] = ()
    after_outcome: Mapping[Outcome, Hours] = {}
    caps: Annotated[tuple[Cap, ...], Field(max_length=5)] = ()
    holdout: Holdout = Holdout()
    value_minor: Annotated[StrictInt, Field(ge=0, le=100_000_000)] = 0
    p0_ppm: Ppm = 50_000
    guardrails: Guardrails = Guardrails()

    @model_validator(mode="after")
    def _complete(self) -> Play:
        """Write the default cooldowns out, so that a document holds them and a new default changes no old play."""
        object.__setattr__(self, "after_outcome", {**AFTER_OUTCOME, **self.after_outcome})
        return self

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Play:
        """Read `play/<id>`; fields of a newer server are ignored. Raises ValidationError for an unknown kind."""
        return cls.model_validate(document)

    def points_in(self, language: str) -> tuple[str, TalkingPoints]:
        """The talking points in a language, its base language or English, with the language they are in."""
        spoken = next((name for name in (language, language[:2]) if name in self.talking_points), LANGUAGE)
        return spoken, self.talking_points[spoken]

    def rest_hours(self, outcome: str) -> int:
        """How long the play rests after an outcome; 0 for one it does not rest after."""
        return next((hours for name, hours in self.after_outcome.items() if name == outcome), 0)

    def with_version(self, version: int) -> Play:
        """The same play as a further version; its holdout goes on."""
        return self.model_copy(update={"version": version})

    def with_new_holdout(self) -> Play:
        """The same play with a new holdout period, which draws other shoppers."""
        return self.model_copy(update={"holdout": self.holdout.model_copy(update={"period": self.holdout.period + 1})})

    @property
    def claims_nothing(self) -> bool:
        """Whether it needs no more of a shopper than a card tells. A missing fact is no fact: one that is met by an
        empty profile's zero orders would greet a member of ten years as a newcomer."""
        leaves = (part for _, _, part in walk(self.condition) if not isinstance(part, Group))
        return not self.stages and all(isinstance(leaf, ProfileField) and leaf.field in ON_THE_CARD for leaf in leaves)

    def is_valid_on(self, day: str) -> bool:
        """Say whether a local day (ISO) lies in the play's dates; both ends belong to them."""
        return is_day_between(day, self.valid_from, self.valid_until)

    def is_for(self, store: str, region: str | None) -> bool:
        """Say whether the play runs in a store: named itself, by its region, or neither is named at all."""
        if not self.stores and not self.regions:
            return True
        return store in self.stores or (region is not None and region in self.regions)


def audience_of(play: Play) -> Group:
    """Whom a play is for, as one condition: its consents, its stages and its own condition. What holds it back from
    somebody for a while (rests, caps, a holdout) is not of the audience."""
    parts: list[Condition] = [Consent(kind="Consent", purpose=purpose) for purpose in play.consents]
    if play.stages:
        parts.append(Stage.model_validate({"kind": "Stage", "in": play.stages}))
    return Group.model_validate({"kind": "Group", "op": "all", "items": (*parts, play.condition)})


def play_document(play: Play) -> dict[str, Any]:
    """`play/<id>`, complete: defaults are written out, so that a rule pack says everything."""
    return document_of(play)


def play_sha(play: Play) -> str:
    """Hex SHA-256 of a play's content without its version: equal content needs no new version."""
    return sha_of({name: part for name, part in play_document(play).items() if name != "version"})


def parse_play(mapping: Any, file_name: str, segments: Mapping[str, Condition] | None = None) -> Play:
    """Read a play from a loaded YAML mapping; the segments it names are written out.

    Raises PlaybookRefused with every problem: path and how to mend it.
    """
    play = read_file(Play, mapping, file_name, KINDS)
    condition, problems = write_out(play.condition, frozenset(play.consents), segments or {})
    suppress = []
    for index, rule in enumerate(play.suppress):
        # A hold only ever shows less, so it may look at what the play itself has no consent for.
        whole, more = write_out(rule, frozenset(PURPOSES), segments or {}, f"suppress[{index}]")
        suppress.append(whole)
        problems += more
    play = play.model_copy(update={"condition": condition, "suppress": tuple(suppress)})
    problems += _play_problems(play)
    if problems:
        raise PlaybookRefused(file_name, problems)
    return play


def _rule_problems(play: Play) -> Iterator[FileProblem]:
    """What is wrong with the rules of a play's document, in which segments are written out."""
    yield from problems_in(play.condition, frozenset(play.consents), depth_max=WRITTEN_OUT_DEPTH_MAX)
    for index, rule in enumerate(play.suppress):
        yield from problems_in(rule, frozenset(PURPOSES), f"suppress[{index}]", WRITTEN_OUT_DEPTH_MAX)


def _play_problems(play: Play) -> Iterator[FileProblem]:
    yield from _talking_problems(play)
    if play.valid_from is not None and play.valid_until is not None and play.valid_from > play.valid_until:
        yield FileProblem(
            "valid_until",
            f"{play.valid_until} lies before valid_from, {play.valid_from}; write that day or a later one.",
        )
    if play.guardrails.lever_min > play.guardrails.lever_max:
        yield FileProblem(
            "guardrails.lever_min", f"lever_min is above lever_max; write at most {play.guardrails.lever_max}."
        )


def _talking_problems(play: Play) -> Iterator[FileProblem]:
    if LANGUAGE not in play.talking_points:
        yield FileProblem(
            "talking_points", "English (en) is needed, as other languages fall back to it: add en with an opener."
        )
    for language, points in play.talking_points.items():
        path = f"talking_points.{language}"
        if points.count_words() > WORDS_MAX:
            over = points.count_words() - WORDS_MAX
            told = f"{points.count_words()} words; at most {WORDS_MAX} fit beside a conversation: take out {over}."
            yield FileProblem(path, told)
        for where, text in points.texts():
            problem = placeholder_problem(text, play.condition, has_offer=play.offer_id is not None)
            if problem is not None:
                yield FileProblem(f"{path}.{where}", problem)


def problems_across(plays: Iterable[Play], offers: Iterable[Offer], unread: Collection[str] = ()) -> list[FileProblem]:
    """What is wrong between files: two plays of one id, offers, plays and tags that nobody defines.

    `unread` are ids of files that could not be read: they exist, and what they say is not known.
    """
    known = list(plays)
    offer_ids, play_ids = {offer.id for offer in offers} | {*unread}, {play.id for play in known} | {*unread}
    tags = {tag for play in known for tag in play.tags}
    problems = [
        FileProblem("id", "two files carry this id; every play needs its own.", play.id)
        for index, play in enumerate(known)
        if play.id in {earlier.id for earlier in known[:index]}
    ]
    for play in known:
        if play.offer_id is not None and play.offer_id not in offer_ids:
            hint = nearest(play.offer_id, offer_ids)
            sentence = f"there is no offer {play.offer_id!r}. {hint}Allowed: {listed(offer_ids)}."
            problems.append(FileProblem("offer_id", sentence, play.id))
        problems += _history_problems(play, play_ids, tags if not unread else None)
    return problems


def _history_problems(play: Play, play_ids: set[str], tags: set[str] | None) -> Iterator[FileProblem]:
    for _, path, part in walk(play.condition):
        if not isinstance(part, PlayHistory):
            continue
        if part.play is not None and part.play not in play_ids:
            hint = nearest(part.play, play_ids)
            sentence = f"there is no play {part.play!r}. {hint}Allowed: {listed(play_ids)}."
            yield FileProblem(f"{path}.play", sentence, play.id)
        if part.tag is not None and tags is not None and part.tag not in tags:
            sentence = f"no play has the tag {part.tag!r}. {nearest(part.tag, tags)}Allowed: {listed(tags)}."
            yield FileProblem(f"{path}.tag", sentence, play.id)


def rule_pack_hash(plays: Iterable[Play], offers: Iterable[Offer], settings: PlaySettings) -> str:
    """Hex SHA-256 over the canonical JSON of what decides a card: plays, offers, settings, in order of id."""
    return sha_of(
        {
            "plays": [play_document(play) for play in sorted(plays, key=lambda play: play.id)],
            "offers": [document_of(offer) for offer in sorted(offers, key=lambda offer: offer.id)],
            "settings": settings.as_document(),
        }
    )


class StoreChange(FilePart):
    """`play_change/<play id>` in a store's scope: what its manager changed, within the guardrails."""

    paused: bool = False
    lever: int = 0
    talking_points: Mapping[str, TalkingPoints] = {}


NO_CHANGE: Final = StoreChange()


@dataclass(frozen=True, slots=True)
class UnreadPlay:
    """A play this version of the app cannot evaluate: it is not shown, and says so in the verdicts."""

    play_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Playbook:
    """All a store needs to rank: plays by id, offers, estimates, its manager's changes, and the hash of the pack.

    `estimates` maps (play id, stage) to p in parts per million.
    """

    plays: tuple[Play, ...]
    offers: Mapping[str, Offer]
    rule_pack: str
    estimates: Mapping[tuple[str, str], int] = field(default_factory=dict)
    changes: Mapping[str, StoreChange] = field(default_factory=dict)
    unread: tuple[UnreadPlay, ...] = ()
    play_tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        plays: Iterable[Play],
        offers: Iterable[Offer] = (),
        settings: PlaySettings | None = None,
        *,
        estimates: Mapping[tuple[str, str], int] | None = None,
        changes: Mapping[str, StoreChange] | None = None,
        unread: Iterable[UnreadPlay] = (),
    ) -> Playbook:
        """Put a playbook together; the order in which plays and offers come never matters."""
        ordered = tuple(sorted(plays, key=lambda play: play.id))
        by_id = {offer.id: offer for offer in offers}
        return cls(
            plays=ordered,
            offers=by_id,
            rule_pack=rule_pack_hash(ordered, by_id.values(), settings or PlaySettings()),
            estimates=estimates or {},
            changes=changes or {},
            unread=tuple(unread),
            play_tags={play.id: play.tags for play in ordered},
        )

    @classmethod
    def from_documents(
        cls, documents: Mapping[str, Mapping[str, Any]], settings: PlaySettings | None = None
    ) -> Playbook:
        """Read `play/*`, `offer/*`, `estimate/<play>/<stage>` and `play_change/*` documents; others are passed over.

        A play of a kind this version does not know is kept apart in `unread`; one bad play never costs the others.
        """
        plays, unread = _read_plays(documents)
        return cls.of(
            plays,
            _read_offers(documents),
            settings,
            estimates=_read_estimates(documents),
            changes=_read_changes(documents),
            unread=unread,
        )

    def for_strangers(self) -> Playbook:
        """The plays for someone of whom the store knows no more than a card tells; still the same rule pack."""
        return replace(self, plays=tuple(play for play in self.plays if play.claims_nothing))

    def for_place(self, place: Place) -> Playbook:
        """The plays that are meant for one place; still the same rule pack."""
        return replace(self, plays=tuple(play for play in self.plays if place in play.where))

    def offer_of(self, play: Play) -> Offer | None:
        """The play's offer, None when it has none or it is not known here."""
        return self.offers.get(play.offer_id) if play.offer_id is not None else None

    def points_of(self, play: Play, language: str) -> tuple[str, TalkingPoints]:
        """What this store says of a play, its own words before the chain's, with the language they are in."""
        spoken, points = play.points_in(language)
        return spoken, self.change_of(play).talking_points.get(spoken, points)

    def change_of(self, play: Play) -> StoreChange:
        """What this store's manager changed about a play, cut to its guardrails."""
        change, rails = self.changes.get(play.id, NO_CHANGE), play.guardrails
        if change is NO_CHANGE:
            return change
        return StoreChange(
            paused=change.paused and rails.may_pause,
            lever=min(max(change.lever, rails.lever_min), rails.lever_max),
            talking_points=change.talking_points if rails.may_edit_talking_points else {},
        )


def _of_kind(documents: Mapping[str, Mapping[str, Any]], kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    prefix = f"{kind}/"
    for document_id in sorted(documents):
        if document_id.startswith(prefix):
            yield document_id[len(prefix) :], documents[document_id]


def _read_plays(documents: Mapping[str, Mapping[str, Any]]) -> tuple[list[Play], list[UnreadPlay]]:
    plays, unread = [], []
    for play_id, document in _of_kind(documents, "play"):
        try:
            play = Play.from_document(document)
        except ValidationError as problem:
            unread.append(UnreadPlay(play_id, str(problem.errors(include_url=False)[0]["msg"])))
            continue
        problems = list(_rule_problems(play))
        if problems or LANGUAGE not in play.talking_points:
            unread.append(UnreadPlay(play_id, str(problems[0]) if problems else "it has no English words"))
        else:
            plays.append(play)
    return plays, unread


def _read_offers(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[Offer]:
    for _, document in _of_kind(documents, "offer"):
        try:
            yield Offer.model_validate(document)
        except ValidationError:
            continue


def _read_estimates(documents: Mapping[str, Mapping[str, Any]]) -> dict[tuple[str, str], int]:
    estimates = {}
    for key, document in _of_kind(documents, "estimate"):
        play_id, _, stage = key.partition("/")
        if isinstance(document.get("p_ppm"), int):
            estimates[play_id, stage] = document["p_ppm"]
    return estimates


def _read_changes(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, StoreChange]:
    changes = {}
    for play_id, document in _of_kind(documents, "play_change"):
        try:
            changes[play_id] = StoreChange.model_validate(document)
        except ValidationError:
            continue
    return changes

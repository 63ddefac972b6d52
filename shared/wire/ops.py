"""Ops: the envelope every op travels in, and the body of each kind (schema 1). Flow step 5 makes them, 7 reads them.

An op is a fact: written once on a device, never edited. `shopper` in a body is always an identifier as scanned or
typed; its form never refuses an op. `check_envelope` decides what can be chained and what is ill-typed; `read_body`
decides whether a body is its kind's. Nothing here decides what an op *does*: that is the fold's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.clock import is_at
from shared.errors import Malformed
from shared.ids import is_sha, is_uuid
from shared.pins import HASH_PATTERN, PIN_SET
from shared.wire.canonical import INTEGER_MAX, TEXT_POINTS_MAX

SCHEMA: Final = 1
WITHHELD: Final = "withheld"
ERASED: Final = "erased"

Text = Annotated[str, Field(max_length=TEXT_POINTS_MAX)]
Name = Annotated[str, Field(max_length=200)]
Count = Annotated[int, Field(ge=0, le=INTEGER_MAX)]

OUTCOMES: Final = (
    "bought",
    "interested",
    "not_today",
    "not_interested",
    "already_has_it",
    "out_of_stock",
    "not_mentioned",
)
Outcome = Literal[
    "bought", "interested", "not_today", "not_interested", "already_has_it", "out_of_stock", "not_mentioned"
]
Arm = Literal["shown", "would_show"]


class Body(BaseModel):
    """A body of schema 1: read strictly, so that what the server takes is what it understands."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class ShopperRef(Body):
    """Who the op is about: an identifier as the associate saw it."""

    type: Literal["loyalty_id", "email", "phone", "customer_id", "profile_id"]
    value: Annotated[str, Field(min_length=1, max_length=512)]


class ConsentGiven(Body):
    """One decision for one purpose, with the wording the shopper saw."""

    purpose: Literal["personalise_in_store", "profiling", "analytics", "email", "sms", "phone"]
    decision: Literal["granted", "denied"]
    wording_version: Name | None = None
    language: Name | None = None
    wording_sha: Name | None = None
    method: Literal["shopper_tapped", "spoken", "paper", "import", "web"] | None = None


class AboutShopper(Body):
    """Base of every body that is about one shopper."""

    shopper: ShopperRef


class ShopperOpened(AboutShopper):
    """A card was opened here; with `card` the server can verify the signature and move the slice."""

    how: Literal["card", "typed"]
    card: Annotated[str, Field(max_length=512)] | None = None


class ShownPlay(Body):
    """One play of an impression; `rank` counts from 1. `period` is that of the play's holdout; absent: the first."""

    play_id: Name
    play_version: Count
    arm: Arm
    rank: Count
    period: Annotated[int, Field(ge=2, le=INTEGER_MAX)] | None = None


class ImpressionRecorded(AboutShopper):
    """The plays a card showed at first paint, and those a holdout kept from showing.

    `inputs` (one impression in so many): what the evaluator looked at and decided, see `shared/plays/sent_inputs.py`.
    """

    shown: Annotated[list[ShownPlay], Field(max_length=50)]
    rule_pack: Name
    profile_s: Count
    inputs: dict[str, Any] | None = None


class TriggerSeen(AboutShopper):
    """On a held-out card the lines that triggered the play were opened."""

    play_id: Name


class OutcomeRecorded(AboutShopper):
    """What came of a play."""

    play_id: Name
    play_version: Count
    outcome: Outcome
    reason: Text | None = None
    offer_id: Name | None = None
    arm: Arm
    rule_pack: Name
    receipt_no: Name | None = None
    sku: Name | None = None
    variant: Name | None = None
    impression_op_id: Name | None = None


class ProductRecorded(AboutShopper):
    """What came of a product without a play: bought here as the associate saw it, or wished for."""

    sku: Name
    what: Literal["bought", "wished"]


class ShopperEnrolled(Body):
    """A new shopper, enrolled on the floor with a card from the tablet's stock."""

    loyalty_id: Annotated[str, Field(min_length=1, max_length=512)]
    given_name: Name | None = None
    family_name: Name | None = None
    email: Name | None = None
    phone: Name | None = None
    postcode: Name | None = None
    consents: Annotated[list[ConsentGiven], Field(max_length=20)]


class IdentifierAdded(AboutShopper):
    """The shopper named a further identifier."""

    identifier: ShopperRef


class ConsentChanged(AboutShopper):
    """A decision taken in the store."""

    consent: ConsentGiven


class ProfileCorrected(AboutShopper):
    """A field is wrong and the shopper said what is right; HQ's rule decides."""

    field: Name
    value: Text


class DataFlagged(AboutShopper):
    """A field is wrong; nobody here knows what is right."""

    field: Name
    text: Text


class NoteAdded(AboutShopper):
    """A note for the next associate."""

    text: Text


class PreferenceSet(AboutShopper):
    """A preference or size, by name."""

    name: Name
    value: Text


class ShopperPinned(AboutShopper):
    """An associate keeps a shopper among their own, or no more."""

    pinned: bool


class FollowUpRequested(AboutShopper):
    """Something promised to a shopper."""

    what: Literal["message", "call", "visit", "reminder"]
    template_id: Name | None = None
    text: Text | None = None
    due_at: Name
    channel: Literal["email", "sms", "phone", "none"]
    sku: Name | None = None
    offer_id: Name | None = None
    assignee: Literal["me", "store"]


class AppointmentBooked(AboutShopper):
    """A time kept for a shopper."""

    starts_at: Name
    minutes: Count
    topic: Text
    with_: Annotated[Name | None, Field(alias="with")] = None


class HoldRequested(AboutShopper):
    """An item kept for a shopper until a day."""

    sku: Name
    quantity: Count
    until_on: Name


class Changed(Body):
    """A change of a follow-up, appointment or hold; `id` is the op_id of the first."""

    id: Name
    state: Name | None = None
    due: Name | None = None
    assignee: Name | None = None
    reason: Text | None = None


class OfferOverridden(AboutShopper):
    """An offer honoured beyond its terms, within the guardrails HQ set."""

    offer_id: Name
    kind: Literal["extended", "adjusted", "goodwill"]
    percent: Count | None = None
    amount: Count | None = None
    reason: Text
    approved_by: Name | None = None


class FeedbackGiven(Body):
    """What the floor tells HQ, from a play or without one."""

    play_id: Name | None = None
    about: Literal[
        "worked",
        "confusing",
        "out_of_stock",
        "wrong_price",
        "shopper_reaction",
        "traffic_or_staffing",
        "friction",
        "script_idea",
        "other",
    ]
    campaign_id: Name | None = None
    text: Text


class TaskDone(Body):
    """A store task of a calendar entry was ticked."""

    entry_id: Name
    task: Name
    done: bool
    note: Text | None = None


class CalendarEntryAdded(Body):
    """A store's own entry in the calendar."""

    title: Name
    from_at: Name
    until_at: Name
    text: Text


class PlayRead(Body):
    """An associate has read a play."""

    play_id: Name
    play_version: Count


class PlayChanged(Body):
    """A store manager's change within the guardrails."""

    play_id: Name
    paused: bool | None = None
    lever: Annotated[int, Field(ge=-50, le=100)] | None = None
    talking_points: dict[str, Any] | None = None
    proposal: dict[str, Any] | None = None


class PinSet(Body):
    """A store manager gave somebody of the store a new PIN. HQ takes the hash out before it keeps the op."""

    associate_id: Name
    pin_hash: Annotated[str, Field(max_length=200, pattern=HASH_PATTERN)]


class OpWithdrawn(Body):
    """Undo of the envelope's `amends`."""

    why: Text


BODY_OF_KIND: Final[dict[str, type[Body]]] = {
    "shopper_opened": ShopperOpened,
    "impression_recorded": ImpressionRecorded,
    "trigger_seen": TriggerSeen,
    "outcome_recorded": OutcomeRecorded,
    "product_recorded": ProductRecorded,
    "shopper_enrolled": ShopperEnrolled,
    "identifier_added": IdentifierAdded,
    "consent_changed": ConsentChanged,
    "profile_corrected": ProfileCorrected,
    "data_flagged": DataFlagged,
    "note_added": NoteAdded,
    "preference_set": PreferenceSet,
    "shopper_pinned": ShopperPinned,
    "follow_up_requested": FollowUpRequested,
    "appointment_booked": AppointmentBooked,
    "hold_requested": HoldRequested,
    "follow_up_changed": Changed,
    "appointment_changed": Changed,
    "hold_changed": Changed,
    "offer_overridden": OfferOverridden,
    "feedback_given": FeedbackGiven,
    "task_done": TaskDone,
    "calendar_entry_added": CalendarEntryAdded,
    "play_read": PlayRead,
    "play_changed": PlayChanged,
    PIN_SET: PinSet,
    "op_withdrawn": OpWithdrawn,
}
_READERS: Final[dict[str, TypeAdapter[Body]]] = {kind: TypeAdapter(model) for kind, model in BODY_OF_KIND.items()}


def read_body(kind: str, schema: int, body: Any) -> Body:
    """Read a body strictly. Raises Malformed with code unknown_kind, unknown_schema or bad_body."""
    reader = _READERS.get(kind)
    if reader is None:
        raise Malformed(f"this server does not know ops of kind {kind!r:.60}", "unknown_kind")
    if schema != SCHEMA:
        raise Malformed(f"this server knows schema {SCHEMA} of {kind}, not {schema}", "unknown_schema")
    try:
        return reader.validate_python(body)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise Malformed(f"{where}: {first['msg']}"[:200], "bad_body") from None


@dataclass(frozen=True, slots=True)
class Op:
    """One op in its envelope. `sha` is hex SHA-256 of the body's canonical JSON; times are wire strings."""

    seq: int
    op_id: str
    kind: str
    schema: int
    scope: str
    associate_id: str | None
    occurred_at: str
    amends: str | None
    sha: str
    body: dict[str, Any]

    def as_wire(self) -> dict[str, Any]:
        """The envelope as push sends it."""
        return {name: getattr(self, name) for name in self.__slots__}


def is_chainable(raw: Any) -> bool:
    """Say whether an op has the sound `seq`, `op_id` and `sha` without which a batch cannot be chained (422)."""
    return (
        isinstance(raw, dict)
        and type(raw.get("seq")) is int
        and 1 <= raw["seq"] <= INTEGER_MAX
        and is_uuid(raw.get("op_id"))
        and is_sha(raw.get("sha"))
    )


def check_envelope(raw: Mapping[str, Any]) -> None:
    """Check a chainable op's envelope. Raises Malformed where a field is ill-typed; unknown fields are ignored."""
    if problem := _envelope_problem(raw):
        raise Malformed(problem)


def _envelope_problem(raw: Mapping[str, Any]) -> str | None:
    schema, associate_id, amends = raw.get("schema"), raw.get("associate_id"), raw.get("amends")
    if not _is_name(raw.get("kind")):
        return "kind is not a short text"
    if type(schema) is not int or not 1 <= schema <= INTEGER_MAX:
        return "schema is not a whole number from 1"
    if not _is_name(raw.get("scope")):
        return "scope is not a short text"
    if associate_id is not None and not _is_name(associate_id):
        return "associate_id is not a short text"
    if not is_at(raw.get("occurred_at")):
        return "occurred_at is not a time like 2026-11-22T10:00:00.123Z"
    if amends is not None and not is_uuid(amends):
        return "amends is not an op_id"
    return None if isinstance(raw.get("body"), dict) else "body is not an object"


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable()  # U+0000 is not printable

"""The condition tree: a closed set of typed leaves, as files and documents write them (plays.md, *Condition*).

Structure and types are pydantic's; what a model cannot say alone (depth, operators by type, the consent a field needs)
is checked at save by `problems_in`. Reading a document is lenient, reading a file strict. Nothing is evaluated here.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)

from shared.plays.catalogue import (
    ANY_ONLINE,
    EVENTS,
    FIELDS,
    HISTORY_HOURS_MAX,
    OPERATORS,
    PROPERTIES,
    WINDOW_HOURS_MAX,
    FieldType,
    Purpose,
    spelled_out,
)
from shared.plays.refusal import FileProblem, fold_text, listed, nearest
from shared.wire.canonical import INTEGER_MAX

DEPTH_MAX: Final = 3
WRITTEN_OUT_DEPTH_MAX: Final = 8
"""Of a document, in which segments are written out."""
PARTS_MAX: Final = 20
LEAVES_MAX: Final = 200
"""In one condition: more than this no tablet answers in its milliseconds, and no database in one question."""

Operator = Literal[
    "eq",
    "ne",
    "in",
    "not_in",
    "gt",
    "gte",
    "lt",
    "lte",
    "between",
    "contains",
    "starts_with",
    "exists",
    "missing",
    "has_any",
    "has_none",
    "within_next_days",
]
StageName = Literal["prospect", "new", "active", "lapsing", "win_back"]
Source = Literal["cart", "wishlist", "viewed"]
SameKey = Literal["sku", "category", "cart_id"]

Hours = Annotated[StrictInt, Field(ge=0, le=HISTORY_HOURS_MAX * 10)]
Metres = Annotated[StrictInt, Field(ge=0, le=20_040_000)]
Name = Annotated[StrictStr, Field(min_length=1, max_length=200)]
Result = Literal[
    "bought",
    "interested",
    "not_today",
    "not_interested",
    "already_has_it",
    "out_of_stock",
    "not_mentioned",
    "any",
]
VALUES_MAX: Final = 200


def _read_value(given: Any) -> Any:
    if isinstance(given, list | tuple):
        if len(given) > VALUES_MAX:
            raise ValueError(f"at most {VALUES_MAX} values are allowed here.")
        return tuple(_read_scalar(one) for one in given)
    return None if given is None else _read_scalar(given)


def _read_scalar(given: Any) -> int | str:
    if isinstance(given, str) and len(given) <= VALUES_MAX:
        return fold_text(given)
    if isinstance(given, int) and not isinstance(given, bool) and abs(given) <= INTEGER_MAX:
        return given
    raise ValueError("a value is text of at most 200 characters, a whole number, or a list of them.")


Value = Annotated[
    Any,
    PlainValidator(_read_value),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer"},
                {"type": "string"},
                {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "string"}]}},
                {"type": "null"},
            ]
        }
    ),
]
"""What a test compares with. Text is folded when it is read, as the documents' text is when it is written."""


class ConditionPart(BaseModel):
    """Base of every leaf: frozen; a document may hold fields of a newer server, a file may not."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Where(ConditionPart):
    """A test on a property of an event line. A missing property makes every comparison false."""

    prop: Literal["category", "sku", "brand", "price", "store", "offer_id", "channel"]
    op: Operator
    value: Value = None


Tests = Annotated[tuple[Where, ...], Field(max_length=PARTS_MAX)]
Events = Annotated[tuple[Name, ...], Field(min_length=1, max_length=50)]


class Window(ConditionPart):
    """The times in (now - from_h, now - to_h], in hours; without `from_h` the 90 days that are kept."""

    from_h: Hours = WINDOW_HOURS_MAX
    to_h: Hours = 0

    @model_validator(mode="after")
    def _is_ahead(self) -> Window:
        if self.from_h <= self.to_h:
            raise ValueError(f"from_h ({self.from_h}) must be more hours ago than to_h ({self.to_h}).")
        if self.from_h > WINDOW_HOURS_MAX:
            raise ValueError(_TOO_LONG.format(hours=self.from_h))
        return self


_TOO_LONG: Final = (
    "{hours} hours is more than 90 days (2160 hours), and only 90 days of events are kept: "
    "ask for at most 2160, or use Recency, which knows the last time of an event for ever."
)


class EventCount(ConditionPart):
    """How often something happened in a window: `viewed >= 2 in a category in 7 days`.

    Lines of one order count once. With `same` the count is of the fullest group (two views of one and the same sku),
    groups left out of which an `unless` event came since the window began (viewed twice, and bought).
    """

    kind: Literal["EventCount"]
    events: Events
    where: Tests = ()
    window: Window = Window()
    cmp: Literal[">=", "<=", "=="]
    n: Annotated[StrictInt, Field(ge=0, le=1000)]
    same: Literal["sku", "category"] | None = None
    unless: Annotated[tuple[Name, ...], Field(max_length=50)] = ()


class Recency(ConditionPart):
    """How long ago something last happened: `no purchase for 90 days`. Without `where` it knows the whole retention."""

    kind: Literal["Recency"]
    events: Events
    where: Tests = ()
    cmp: Literal["older_than", "newer_than", "never"]
    hours: Hours | None = None


class NotFollowed(ConditionPart):
    """Something happened and nothing answered it: `in the cart for over 24 hours and not bought`.

    A `first` in (now - window_h, now - idle_h] with no `then` at or after it; with `same` the answer must be about the
    same sku, category or cart, and a first without that key is no candidate.
    """

    kind: Literal["NotFollowed"]
    first: Name
    then: Events
    same: SameKey | None = None
    idle_h: Hours = 0
    window_h: Hours = WINDOW_HOURS_MAX

    @model_validator(mode="after")
    def _is_ahead(self) -> NotFollowed:
        if self.window_h <= self.idle_h:
            raise ValueError(f"window_h ({self.window_h}) must be more hours than idle_h ({self.idle_h}).")
        if self.window_h > WINDOW_HOURS_MAX:
            raise ValueError(_TOO_LONG.format(hours=self.window_h))
        return self


class ProfileField(ConditionPart):
    """A test on a field of the profile; the fields are those of the catalogue."""

    kind: Literal["Profile"]
    field: Name
    op: Operator
    value: Value = None


class Stage(ConditionPart):
    """The lifecycle stage is one of these. An empty list is never met."""

    kind: Literal["Stage"]
    stages: Annotated[tuple[StageName, ...], Field(alias="in", max_length=5)]


class Consent(ConditionPart):
    """The shopper's decision for a purpose."""

    kind: Literal["Consent"]
    purpose: Purpose
    state: Literal["granted", "denied"] = "granted"


class Near(ConditionPart):
    """Lives within so many metres of this store, or of the home store."""

    kind: Literal["Near"]
    max_m: Metres
    of: Literal["this_store", "home_store"] = "this_store"


class Stock(ConditionPart):
    """A thing they want (cart, wishlist, viewed in the window) is in this store in that quantity."""

    kind: Literal["Stock"]
    source: Annotated[tuple[Source, ...], Field(min_length=1, max_length=3)]
    window_h: Annotated[StrictInt, Field(ge=1, le=WINDOW_HOURS_MAX)] = WINDOW_HOURS_MAX
    min_qty: Annotated[StrictInt, Field(ge=1, le=10_000)] = 1


class PlayHistory(ConditionPart):
    """How often plays came to an outcome: of one play, of a tag, or of any play, over the last `hours`."""

    kind: Literal["PlayHistory"]
    play: Name | None = None
    tag: Name | None = None
    any: StrictBool = False
    result: Result = "any"
    cmp: Literal[">=", "<=", "=="]
    n: Annotated[StrictInt, Field(ge=0, le=1000)]
    hours: Annotated[StrictInt, Field(ge=1, le=HISTORY_HOURS_MAX)] = HISTORY_HOURS_MAX

    @model_validator(mode="after")
    def _names_one(self) -> PlayHistory:
        if (self.play is not None) + (self.tag is not None) + self.any != 1:
            raise ValueError("name exactly one of play: ID, tag: NAME or any: true.")
        return self


class Segment(ConditionPart):
    """The shopper is in one of these named conditions. Only files hold it: `segments.py` writes it out at save."""

    kind: Literal["Segment"]
    names: Annotated[tuple[Name, ...], Field(alias="in", min_length=1, max_length=PARTS_MAX)]


class Group(ConditionPart):
    """all, any or none of its parts; empty: all is true, any is false, none is true."""

    kind: Literal["Group"]
    op: Literal["all", "any", "none"]
    parts: Annotated[tuple[Condition, ...], Field(alias="items", max_length=PARTS_MAX)]


Leaf = EventCount | Recency | NotFollowed | ProfileField | Stage | Consent | Near | Stock | PlayHistory | Segment
Condition = Annotated[Group | Leaf, Field(discriminator="kind")]
Group.model_rebuild()

KINDS: Final[dict[str, type[BaseModel]]] = {
    "Group": Group,
    "EventCount": EventCount,
    "Recency": Recency,
    "NotFollowed": NotFollowed,
    "Profile": ProfileField,
    "Stage": Stage,
    "Consent": Consent,
    "Near": Near,
    "Stock": Stock,
    "PlayHistory": PlayHistory,
    "Segment": Segment,
}
CONDITIONS: Final[TypeAdapter[Condition]] = TypeAdapter(Condition)


def read_condition(document: Any) -> Condition:
    """Read a condition as a document holds it. Raises ValidationError for an unknown kind or a wrong type."""
    return CONDITIONS.validate_python(document)


def condition_document(condition: Condition) -> dict[str, Any]:
    """The condition as files and documents write it."""
    return condition.model_dump(mode="json", by_alias=True)


def problems_in(
    condition: Condition, granted: frozenset[str], path: str = "condition", depth_max: int = DEPTH_MAX
) -> list[FileProblem]:
    """What is wrong with a condition at save, in file order: depth, size, names, operators, types and consent.

    `granted` are the purposes the play asks consent for; a leaf whose fields need another one is a problem.
    """
    agreed = granted | consents_asked(condition)
    parts = list(walk(condition, path))
    problems = [problem for _, where, part in parts for problem in _check(part, where, agreed)]
    deep = [where for depth, where, part in parts if isinstance(part, Group) and depth >= depth_max]
    problems += [FileProblem(where, _TOO_DEEP.format(depth=depth_max)) for where in deep]
    leaves = sum(not isinstance(part, Group) for _, _, part in parts)
    if leaves > LEAVES_MAX:
        problems.append(FileProblem(path, f"{leaves} tests are too many; at most {LEAVES_MAX} are allowed in one."))
    return problems


_TOO_DEEP: Final = "groups may be nested {depth} deep; this one is deeper. Write it flatter."


def walk(condition: Condition, path: str = "condition", depth: int = 0) -> Iterator[tuple[int, str, Condition]]:
    """Every part of a tree with its depth and its path in the file, parents first."""
    yield depth, path, condition
    if isinstance(condition, Group):
        for index, part in enumerate(condition.parts):
            yield from walk(part, f"{path}.items[{index}]", depth + 1)


def consents_asked(condition: Condition) -> frozenset[str]:
    """Purposes the condition itself insists on: Consent leaves that stand alone or in `all` from the root."""
    if isinstance(condition, Consent):
        return frozenset({condition.purpose}) if condition.state == "granted" else frozenset()
    if isinstance(condition, Group) and condition.op == "all":
        return frozenset().union(*(consents_asked(part) for part in condition.parts))
    return frozenset()


def _check(part: Condition, path: str, agreed: frozenset[str]) -> Iterator[FileProblem]:
    if isinstance(part, Group):
        return
    if isinstance(part, Segment):
        yield FileProblem(path, "a segment is named here that was not written out; no tablet could tell who is in it.")
    yield from _check_names(part, path)
    for purpose in sorted(purposes_of(part) - agreed):
        yield FileProblem(
            path, f"this reads what needs the consent {purpose}; add `{purpose}` to the play's consents, or drop it."
        )


def _check_names(part: Leaf, path: str) -> Iterator[FileProblem]:
    if isinstance(part, EventCount | Recency):
        yield from _check_events(part.events, f"{path}.events")
        for index, test in enumerate(part.where):
            yield from _check_where(test, f"{path}.where[{index}]")
    if isinstance(part, EventCount):
        yield from _check_events(part.unless, f"{path}.unless")
        if part.same is not None and part.cmp != ">=":
            yield FileProblem(f"{path}.cmp", f"with same: {part.same} only >= can be asked, not {part.cmp}.")
        if part.unless and part.same is None:
            yield FileProblem(
                f"{path}.unless", "unless needs same: sku or category, of which it says what must not be."
            )
    if isinstance(part, Recency):
        yield from _check_recency(part, path)
    if isinstance(part, NotFollowed):
        yield from _check_events((part.first,), f"{path}.first", is_list=False)
        yield from _check_events(part.then, f"{path}.then")
    if isinstance(part, ProfileField):
        yield from _check_field(part, path)


def _check_recency(part: Recency, path: str) -> Iterator[FileProblem]:
    if part.cmp == "never" and part.hours is not None:
        yield FileProblem(f"{path}.hours", "never takes no hours; leave hours out.")
    if part.cmp != "never" and part.hours is None:
        yield FileProblem(f"{path}.hours", f"{part.cmp} needs hours.")
    if part.where and part.cmp == "never":
        yield FileProblem(
            f"{path}.where",
            "never knows events for ever but their details only for 90 days; leave where out, or use EventCount == 0.",
        )
    if part.where and (part.hours or 0) > WINDOW_HOURS_MAX:
        yield FileProblem(f"{path}.hours", _TOO_LONG.format(hours=part.hours).replace("use Recency", "drop where"))


def _check_events(events: tuple[str, ...], path: str, *, is_list: bool = True) -> Iterator[FileProblem]:
    for index, event in enumerate(events):
        if event in EVENTS or (is_list and event == ANY_ONLINE):
            continue
        where = f"{path}[{index}]" if is_list else path
        yield FileProblem(where, f"{event!r} is not an event. {nearest(event, EVENTS)}Allowed: {listed(EVENTS, 60)}.")


def _check_where(test: Where, path: str) -> Iterator[FileProblem]:
    yield from _check_comparison(PROPERTIES[test.prop].type, test.prop, test.op, test.value, path)


def _check_field(part: ProfileField, path: str) -> Iterator[FileProblem]:
    field = FIELDS.get(part.field)
    if field is None:
        hint = nearest(part.field, FIELDS)
        yield FileProblem(f"{path}.field", f"{part.field!r} is not a field. {hint}Allowed: {listed(FIELDS)}.")
        return
    yield from _check_comparison(field.type, part.field, part.op, part.value, path)
    wrong = [value for value in _each(part.value) if field.choices and value not in field.choices]
    for value in wrong:
        yield FileProblem(f"{path}.value", f"{value!r} is not a {field.english}. Allowed: {', '.join(field.choices)}.")


def _check_comparison(sort: FieldType, name: str, op: str, value: Any, path: str) -> Iterator[FileProblem]:
    if op not in OPERATORS[sort]:
        yield FileProblem(f"{path}.op", f"{name} cannot be asked with {op}. Allowed: {', '.join(OPERATORS[sort])}.")
    elif problem := _value_problem(sort, op, value):
        yield FileProblem(f"{path}.value", f"{name} with {op} {problem}")


def _value_problem(sort: FieldType, op: str, value: Any) -> str | None:
    if op in {"exists", "missing"}:
        return None if value is None else "takes no value; leave value out."
    if op == "within_next_days":
        return None if _is_whole(value) and 0 <= value <= 366 else "needs a number of days from 0 to 366."
    if op in {"in", "not_in", "has_any", "has_none", "between"}:
        return _list_problem(sort, op, value)
    return None if _fits(sort, value) else f"needs {_WANTED[sort]}, not {value!r}."


def _list_problem(sort: FieldType, op: str, value: Any) -> str | None:
    if not isinstance(value, tuple) or not all(_fits(sort, one) for one in value):
        return f"needs a list, each of it {_WANTED[sort]}."
    if op == "between" and (len(value) != 2 or value[0] > value[1]):
        return "needs a list of two, the smaller first; both ends belong to it."
    return None


_WANTED: Final[dict[FieldType, str]] = {
    "integer": "a whole number",
    "text": "text",
    "choice": "text",
    "text_set": "text",
    "day": "a day like 2026-11-22",
    "birthday": "a number of days",
}


def _fits(sort: FieldType, value: Any) -> bool:
    if sort == "integer":
        return _is_whole(value)
    if sort == "day":
        return isinstance(value, str) and is_day(value)
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else () if value is None else (value,)


def is_day(text: str) -> bool:
    """Say whether a text is a day like 2026-11-22."""
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def purposes_of(part: Condition) -> frozenset[str]:
    """Consents a leaf's fields need before a rule may read them; a group needs none of its own."""
    if isinstance(part, Stock):
        return frozenset({"personalise_in_store"})
    if isinstance(part, EventCount):
        return _purposes_of_events((*part.events, *part.unless))
    if isinstance(part, Recency):
        return _purposes_of_events(part.events)
    if isinstance(part, NotFollowed):
        return _purposes_of_events((part.first, *part.then))
    if isinstance(part, ProfileField) and (field := FIELDS.get(part.field)) is not None and field.purpose:
        return frozenset({field.purpose})
    return frozenset()


def _purposes_of_events(events: tuple[str, ...]) -> frozenset[str]:
    known = (EVENTS[event] for event in spelled_out(events) if event in EVENTS)
    return frozenset(event.purpose for event in known if event.purpose is not None)

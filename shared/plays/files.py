"""Files beside the plays: offers, calendar entries, message templates, texts of the library, consent wordings. Same
errors that mend.

Each is read strictly from a loaded mapping, travels as a document of scope `all`, and is read leniently there. Dates in
a file may be relative (`today+12`): `with_dates` fixes them at publishing, so the seeds are alive on any date.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictInt,
    StrictStr,
    model_validator,
)

from shared.code_patterns import CodePattern
from shared.errors import Refused
from shared.offers import OfferCodes, register_codes
from shared.plays.catalogue import Purpose
from shared.plays.condition import is_day
from shared.plays.refusal import FileProblem, PlaybookRefused, read_file
from shared.wire.canonical import INTEGER_MAX, sha_of

_ID: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")
_LANGUAGE: Final = re.compile(r"[a-z]{2}(-[A-Z]{2})?\Z")
_RELATIVE: Final = re.compile(r"today(?:\s*([+-])\s*(\d{1,4}))?\Z")
LANGUAGE: Final = "en"
"""The language every text has; others fall back to it."""


def _check_id(text: str) -> str:
    if not _ID.match(text):
        raise ValueError(f"{text!r} is not an id: small letters, digits and single hyphens, like cart-reminder.")
    return text


def _check_day(text: str) -> str:
    if not is_day(text):
        raise ValueError(f"{text!r} is not a day like 2026-11-22.")
    return text


def _check_words(words: Mapping[str, str]) -> Mapping[str, str]:
    odd = [language for language in words if not _LANGUAGE.match(language)]
    if odd:
        raise ValueError(f"{odd[0]!r} is not a language like en or de.")
    if LANGUAGE not in words:
        raise ValueError("an English text (en) is needed; other languages fall back to it.")
    return words


def _as_words(given: Any) -> Any:
    return {LANGUAGE: given} if isinstance(given, str) else given


Slug = Annotated[StrictStr, Field(min_length=1, max_length=80), AfterValidator(_check_id)]
Day = Annotated[StrictStr, AfterValidator(_check_day)]
Line = Annotated[StrictStr, Field(min_length=1, max_length=2000)]
Words = Annotated[Mapping[str, Line], BeforeValidator(_as_words), AfterValidator(_check_words)]
Codes = Annotated[tuple[Annotated[StrictStr, Field(min_length=1, max_length=64)], ...], Field(max_length=1000)]
Names = Annotated[tuple[Annotated[StrictStr, Field(min_length=1, max_length=200)], ...], Field(max_length=500)]


class FilePart(BaseModel):
    """Base of everything read from a file: frozen; a document may hold fields of a newer server, a file may not."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def in_language(words: Mapping[str, str], language: str) -> str:
    """A text in a language, else in its base language, else in English."""
    return words.get(language) or words.get(language[:2]) or words[LANGUAGE]


class Amount(FilePart):
    """Minor units of one currency."""

    minor: Annotated[StrictInt, Field(ge=1, le=INTEGER_MAX)]
    currency: Annotated[StrictStr, Field(min_length=3, max_length=3)]


class OverrideLimits(FilePart):
    """How far an associate or a manager may bend an offer."""

    extend_days: Annotated[StrictInt, Field(ge=0, le=365)] = 0
    max_percent: Annotated[StrictInt, Field(ge=0, le=90)] = 0
    max_minor: Annotated[StrictInt, Field(ge=0, le=INTEGER_MAX)] = 0
    per_day: Annotated[StrictInt, Field(ge=0, le=1000)] = 0
    reasons: Names = ()
    needs: Literal["associate", "manager"] = "manager"


class OneTimeCodes(FilePart):
    """The shape of codes that are each used once; the same words as a pattern of loyalty numbers."""

    prefix: Annotated[StrictStr, Field(max_length=63)]
    length: StrictInt
    charset: Literal["digits", "letters", "letters_and_digits"] = "letters_and_digits"
    check: Literal["ean13", "luhn", "none"] = "none"

    @model_validator(mode="after")
    def _fits_some_code(self) -> OneTimeCodes:
        try:
            self.pattern()
        except Refused as refusal:
            raise ValueError(str(refusal)) from None
        return self

    def pattern(self) -> CodePattern:
        """As the code reader wants it."""
        return CodePattern.from_body(self.model_dump())


class Offer(FilePart):
    """An offer: one id in e-mail, app, POS and store. `amounts` holds a row for each currency it has a worth in."""

    id: Slug
    title: Words
    kind: Literal["percent", "amount", "service", "gift", "delivery"]
    percent: Annotated[StrictInt, Field(ge=1, le=90)] | None = None
    amounts: Annotated[tuple[Amount, ...], Field(max_length=30)] = ()
    terms: Words
    codes: Codes = ()
    code_prefixes: Codes = ()
    code_patterns: Annotated[tuple[OneTimeCodes, ...], Field(max_length=50)] = ()
    valid_from: Day | None = None
    valid_until: Day | None = None
    stores: Names = ()
    channels: tuple[Literal["store", "web", "app", "email", "sms", "phone"], ...] = ("store",)
    skus: Names = ()
    override: OverrideLimits = OverrideLimits()

    @property
    def is_discount(self) -> bool:
        """Say whether it takes something off a price."""
        return self.kind in {"percent", "amount"}


class CalendarTask(FilePart):
    """Something a store does for an entry; ticked on the tablet."""

    id: Slug
    title: Words


class CalendarEntry(FilePart):
    """An entry of the promo calendar: what runs from which day to which, and what the store does for it."""

    id: Slug
    title: Words
    kind: Literal["promotion", "message", "event", "launch", "service"]
    from_on: Day
    until_on: Day
    text: Words
    campaign_id: Slug | None = None
    offer_id: Slug | None = None
    play_ids: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()
    stores: Names = ()
    tasks: Annotated[tuple[CalendarTask, ...], Field(max_length=20)] = ()


class MessageTemplate(FilePart):
    """A message to a shopper, per language, with named fields in braces."""

    id: Slug
    title: Words
    channel: Literal["email", "sms"]
    subject: Words | None = None
    body: Words
    fields: Names = ()


class LibraryText(FilePart):
    """A text to look something up in: how a material is cared for, how sizes fall, what an event is about. Paragraphs
    stand apart by an empty line."""

    id: Slug
    title: Words
    kind: Literal["care", "size", "event"]
    text: Words


class ConsentWording(FilePart):
    """The exact wording of a consent. A changed word is a new version: grants name the one they were given for."""

    purpose: Purpose
    version: Annotated[StrictStr, Field(min_length=1, max_length=20)]
    title: Words
    text: Words

    @property
    def order(self) -> tuple[tuple[int, str], ...]:
        """Sort key by version: 10 comes after 9, and 2b after 2."""
        parts = re.findall(r"[0-9]+|[^0-9]+", self.version)
        return tuple((int(part), "") if part.isdigit() and part.isascii() else (0, part) for part in parts)

    def sha_in(self, language: str) -> str:
        """Hex SHA-256 of the wording as the shopper saw it: title and text of the language it is shown in."""
        return sha_of({"title": in_language(self.title, language), "text": in_language(self.text, language)})


def parse_offer(mapping: Any, file_name: str) -> Offer:
    """Read an offer's file. Raises PlaybookRefused with every problem."""
    offer = read_file(Offer, mapping, file_name)
    _refuse(file_name, [*span_problems(offer.valid_from, offer.valid_until, "valid_until"), *_worth_problems(offer)])
    return offer


def parse_calendar_entry(mapping: Any, file_name: str) -> CalendarEntry:
    """Read a calendar entry's file. Raises PlaybookRefused with every problem."""
    entry = read_file(CalendarEntry, mapping, file_name)
    _refuse(file_name, span_problems(entry.from_on, entry.until_on, "until_on"))
    return entry


def parse_template(mapping: Any, file_name: str) -> MessageTemplate:
    """Read a message template's file; a field in braces that is not declared is refused. Raises PlaybookRefused."""
    template = read_file(MessageTemplate, mapping, file_name)
    texts = [*template.body.values(), *(template.subject or {}).values()]
    named = {name for text in texts for name in re.findall(r"\{([^{}]*)\}", text)}
    _refuse(
        file_name,
        [
            FileProblem("fields", f"{{{name}}} is used in a text; add {name} to fields, or drop it.")
            for name in sorted(named - set(template.fields))
        ],
    )
    return template


def parse_library_text(mapping: Any, file_name: str) -> LibraryText:
    """Read the file of a library's text. Raises PlaybookRefused with every problem."""
    return read_file(LibraryText, mapping, file_name)


def parse_wording(mapping: Any, file_name: str) -> ConsentWording:
    """Read a consent wording's file. Raises PlaybookRefused with every problem."""
    return read_file(ConsentWording, mapping, file_name)


def codes_of(offers: Iterable[Offer]) -> OfferCodes:
    """The registry that finds the offer behind a scanned or typed code."""
    known = sorted(offers, key=lambda offer: offer.id)
    return register_codes(
        {code: offer.id for offer in known for code in offer.codes},
        patterns=[(shape.pattern(), offer.id) for offer in known for shape in offer.code_patterns],
        prefixes={prefix: offer.id for offer in known for prefix in offer.code_prefixes},
    )


def document_of(part: FilePart) -> dict[str, Any]:
    """A file's content as its document, complete: defaults are written out, so a new default changes nothing old."""
    return part.model_dump(mode="json", by_alias=True)


def with_dates(mapping: Any, today_on: dt.date) -> Any:
    """A loaded file with `today`, `today+12` and `today-3` (whole values) turned into dates.

    Raises PlaybookRefused where the file is no plain mapping.
    """
    if isinstance(mapping, Mapping):
        return {name: with_dates(part, today_on) for name, part in mapping.items()}
    if isinstance(mapping, list | tuple):
        return [with_dates(part, today_on) for part in mapping]
    found = _RELATIVE.match(mapping) if isinstance(mapping, str) else None
    if found is None:
        return mapping
    days = int(found[2] or 0) * (-1 if found[1] == "-" else 1)
    return (today_on + dt.timedelta(days=days)).isoformat()


def is_day_between(day: str, first: str | None, last: str | None) -> bool:
    """Say whether a local day lies in a span; both ends belong to it, a missing end is open."""
    return (first is None or first <= day) and (last is None or day <= last)


def span_problems(first: str | None, last: str | None, path: str) -> list[FileProblem]:
    """What is wrong with a first and a last day; `path` is where the last one stands."""
    is_sound = first is None or last is None or first <= last
    return (
        [] if is_sound else [FileProblem(path, f"{last} lies before the first day, {first}; both ends belong to it.")]
    )


def _worth_problems(offer: Offer) -> list[FileProblem]:
    if (offer.kind == "percent") is (offer.percent is None):
        return [FileProblem("percent", "an offer of kind percent needs percent, and no other kind has it.")]
    if (offer.kind == "amount") is (not offer.amounts):
        return [FileProblem("amounts", "an offer of kind amount needs amounts, and no other kind has them.")]
    return []


def _refuse(file_name: str, problems: list[FileProblem]) -> None:
    if problems:
        raise PlaybookRefused(file_name, problems)

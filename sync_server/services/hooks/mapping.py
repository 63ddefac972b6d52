"""The mapping file of a webhook: YAML that says which message each delivery means. Data, never code.

Read strictly: an unknown word is refused with its place in the file and the words allowed there. `read_mapping` is the
only door; `messages.py` does what the file says.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, Literal, Self
from zoneinfo import available_timezones

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from shared.consent import Purpose
from shared.errors import Refused
from sync_server.services.hooks.paths import paths_in, steps_of

MAPPING_BYTES_MAX: Final = 100_000
Scheme = Literal["hmac-sha256-base64", "hmac-sha256-hex", "bearer", "basic", "none"]
Form = Literal["text", "lower", "amount", "cents", "whole", "time", "epoch_s", "epoch_ms", "bool"]
Scalar = str | int | float | bool


class _Part(BaseModel):
    """A part of the file: no word it does not know, and an error that lists those it does."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)

    @model_validator(mode="before")
    @classmethod
    def _check_words(cls, said: Any) -> Any:
        said = cls.opened(said)
        allowed = [part.alias or name for name, part in cls.model_fields.items()]
        if not isinstance(said, dict):
            raise ValueError(f"holds {said!r:.40}, but is an object of: {', '.join(allowed)}")
        unknown = [word for word in said if word not in allowed]
        if unknown:
            raise ValueError(f"has no {unknown[0]!r}. It may hold: {', '.join(allowed)}")
        return said

    @classmethod
    def opened(cls, said: Any) -> Any:
        """What a shorter way of writing this part stands for."""
        return said


class Value(_Part):
    """How a value is found, and what it becomes.

    A text alone is a path, or a template if it holds {paths}; a list alone is such texts, of which the first that leads
    somewhere counts. `map` translates (a value it lacks is nothing), `default` stands in for nothing, `must` makes
    nothing a fault. `for_each` makes a list of objects (`fields`) or adds up (`sum`), over elements that fit `where`.
    """

    from_: tuple[str, ...] = Field((), alias="from")
    template: str | None = None
    value: Scalar | None = None
    for_each: str | None = None
    where: dict[str, tuple[str, ...]] = {}
    fields: dict[str, Value] = {}
    sum: str | None = None
    as_: Form | None = Field(None, alias="as")
    map: dict[str, Scalar] = {}
    default: Scalar | None = None
    negate: bool = False
    must: bool = False

    @classmethod
    def opened(cls, said: Any) -> Any:
        """A text or a list alone."""
        if isinstance(said, str):
            return {"template": said} if "{" in said else {"from": [said]}
        if isinstance(said, list):
            return {"from": said}
        if isinstance(said, dict):
            listed = {**said, "from": [said["from"]]} if isinstance(said.get("from"), str) else said
            return {**listed, **_texts(listed, "map"), **_conditions(listed, "where")}
        raise ValueError(f"holds {said!r:.40}: write a path, or value: {said} for a value that is always the same")

    @model_validator(mode="after")
    def _check_ways(self) -> Self:
        ways = [bool(self.from_), self.template is not None, self.value is not None, self.for_each is not None]
        if sum(ways) != 1:
            raise ValueError("says in one way where its value comes from: from, template, value or for_each")
        if bool(self.fields) + bool(self.sum) != (self.for_each is not None):
            raise ValueError("has either fields or sum with for_each, and neither without")
        told = [path for said in (*self.from_, self.template or "") for path in paths_in(said)]
        for path in (*told, *filter(None, (self.for_each, self.sum)), *self.where):
            steps_of(path)
        return self


class Who(_Part):
    """The identifiers a message names its shopper by."""

    loyalty_id: Value | None = None
    customer_id: Value | None = None
    email: Value | None = None
    phone: Value | None = None
    anonymous_id: Value | None = None
    payment_token: Value | None = None

    def named(self) -> Mapping[str, Value]:
        """Those that are mapped, by type."""
        return {name: found for name in type(self).model_fields if (found := getattr(self, name)) is not None}


class Case(_Part):
    """One thing a delivery can mean. Every case that fits counts; one that ignores gives no message.

    `when` maps a path to the values it may have, `present` and `absent` are paths that lead somewhere or nowhere. `key`
    names whose matter it is (`order/{id}`): a message that names nobody takes the shopper its key is known by, and
    waits until it is. One that names somebody says whose the key is, unless `owns_key` is false; a `claim` does only
    that.
    """

    when: dict[str, tuple[str, ...]] = {}
    present: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    ignore: bool = False
    type: Literal["track", "identify", "claim"] = "track"
    event: str | None = None
    event_from: Value | None = None
    message_id: Value | None = None
    key: Value | None = None
    owns_key: bool = True
    at: Value | None = None
    who: Who = Who()
    traits: dict[str, Value] = {}
    properties: dict[str, Value] = {}
    context: dict[str, Value] = {}
    consent: dict[Purpose, Value] = {}

    @classmethod
    def opened(cls, said: Any) -> Any:
        """Single values for lists of one."""
        if not isinstance(said, dict):
            return said
        lists = {name: [said[name]] for name in ("present", "absent") if isinstance(said.get(name), str)}
        return {**said, **lists, **_conditions(said, "when")}

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        for path in (*self.when, *self.present, *self.absent):
            steps_of(path)
        if self.ignore:
            return self
        if self.type == "track" and (self.event is None) == (self.event_from is None):
            raise ValueError("is a track message and needs its event's name: event, or event_from")
        if self.type == "claim" and (self.key is None or not self.who.named()):
            raise ValueError("is a claim and needs key, and who it belongs to")
        if self.key is None and not self.who.named():
            raise ValueError("names nobody: map who, or a key by which the shopper gets known")
        return self


class Verify(_Part):
    """How the sender shows that it is the sender.

    `header` carries the signature or key, `prefix` is cut off it; `signed` is the text under the HMAC, with {body} and
    {timestamp}, the value of `timestamp_header`; `within_s` refuses one that is older or newer, in seconds.
    """

    scheme: Scheme
    header: str | None = None
    prefix: str = ""
    timestamp_header: str | None = None
    signed: str = "{body}"
    within_s: int | None = Field(None, ge=1, le=86_400)

    @model_validator(mode="after")
    def _check_whole(self) -> Self:
        if self.scheme.startswith("hmac") and self.header is None:
            raise ValueError(f"says {self.scheme} and needs header: the one that carries the signature")
        if "{body}" not in self.signed:
            raise ValueError("signs nothing of the body: signed must hold {body}")
        if ("{timestamp}" in self.signed or self.within_s is not None) and self.timestamp_header is None:
            raise ValueError("needs timestamp_header: the header that carries the time")
        return self


class HookMapping(_Part):
    """A mapping file. `for_each` is the list in the body of which each element is looked at by itself; `timezone` is
    meant where a time says none, `decimal` is the mark in amounts that are texts."""

    about: str = ""
    verify: Verify
    delivery_headers: tuple[str, ...] = ()
    for_each: str | None = None
    timezone: str = "UTC"
    decimal: Literal[".", ","] = "."
    cases: tuple[Case, ...] = Field(min_length=1)

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, said: str) -> str:
        if said not in available_timezones():
            raise ValueError(f"is no time zone: {said!r:.40}; write one such as Europe/Berlin")
        return said

    @field_validator("for_each")
    @classmethod
    def _check_path(cls, said: str | None) -> str | None:
        if said is not None:
            steps_of(said)
        return said


def _word(value: Any) -> Any:
    """A value as it is compared: YAML reads true, 1 and 2.5 as what they are, JSON's `as_text` as texts."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


def _texts(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    held = said.get(name)
    return {name: {_word(key): value for key, value in held.items()}} if isinstance(held, dict) else {}


def _conditions(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    held = said.get(name)
    if not isinstance(held, dict):
        return {}
    return {name: {path: [_word(one) for one in (v if isinstance(v, list) else [v])] for path, v in held.items()}}


@lru_cache(maxsize=64)
def read_mapping(text: str, name: str = "The mapping") -> HookMapping:
    """A mapping from its text. Raises Refused with the place in the file and what is allowed there."""
    if len(text) > MAPPING_BYTES_MAX:
        raise Refused(f"{name} is larger than {MAPPING_BYTES_MAX:,} characters, which no mapping needs.")
    try:
        told = yaml.safe_load(text)
        return HookMapping.model_validate(told)
    except yaml.YAMLError as problem:
        raise Refused(f"{name} is no YAML: {' '.join(str(problem).split())}") from None
    except RecursionError:
        raise Refused(f"{name} is nested too deeply.") from None
    except ValidationError as problem:
        raise Refused(f"{name}: {sentence_of(problem)}") from None


def sentence_of(problem: ValidationError) -> str:
    """Where in the file the first thing is wrong, and what is allowed there."""
    first = problem.errors(include_url=False)[0]
    place = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in first["loc"]).lstrip(".")
    said = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "missing":
        return f"{place} is missing."
    if first["type"] in ("literal_error", "enum"):
        said = f"is {first['input']!r:.40}; allowed are {first['ctx']['expected']}"
    return f"{place or 'the file'}: {said}."

"""What a delivery means by its mapping: messages as the tracking API takes them, and whose an order or ticket is.

Pure: a body and a mapping in, pieces out. A piece that cannot be made says why and never keeps the others back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.errors import Malformed
from sync_server.services.hooks.mapping import Case, HookMapping, Value
from sync_server.services.hooks.paths import Scope, as_text, elements_at, read
from sync_server.services.hooks.values import Habits, fits, value_of

KEY_MAX: Final = 600
_NAMING: Final = ("loyalty_id", "customer_id", "email", "phone", "anonymous_id")
"""Identifiers that say who it is; a payment token alone does not, for a household shares its card."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing a delivery meant: a message still without its shopper, who that is, and the key it belongs to.

    `owns_key` says that its shopper is the key's. No message: a claim, or with `is_ignored` something left out on
    purpose. `fault` says why nothing could be made.
    """

    message: Mapping[str, Any] | None = None
    who: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    fault: str | None = None
    is_ignored: bool = False
    owns_key: bool = True

    @property
    def names_somebody(self) -> bool:
        """Whether it says who it is about."""
        return any(name in self.who for name in _NAMING)


def read_delivery(mapping: HookMapping, body: Any, headers: Mapping[str, str], received_at: str) -> tuple[Piece, ...]:
    """Everything a delivery means. `headers` by names in lower case; `received_at` stands in for a time it lacks."""
    whole = Scope(body, body, headers)
    elements = elements_at(mapping.for_each, whole) if mapping.for_each is not None else [body]
    if not elements:
        return (Piece(fault=f"for_each: there is nothing at {mapping.for_each}"),)
    return tuple(
        piece for element in elements for piece in _read_element(mapping, Scope(element, body, headers), received_at)
    )


def _read_element(mapping: HookMapping, scope: Scope, received_at: str) -> Iterator[Piece]:
    habits, has_fit = Habits(mapping.timezone, mapping.decimal), False
    for number, case in enumerate(mapping.cases):
        if not _is_meant(case, scope):
            continue
        has_fit = True
        try:
            yield _piece(case, scope, habits, received_at, f"cases[{number}]")
        except Malformed as problem:
            yield Piece(fault=str(problem))
    if not has_fit:
        yield Piece(fault=f"no case of the mapping fits ({_looked_at(mapping, scope)})")


def _is_meant(case: Case, scope: Scope) -> bool:
    return (
        fits(case.when, scope)
        and all(read(path, scope) is not None for path in case.present)
        and all(read(path, scope) is None for path in case.absent)
    )


def _looked_at(mapping: HookMapping, scope: Scope) -> str:
    """What stood where the cases look."""
    paths = dict.fromkeys(path for case in mapping.cases for path in case.when)
    return ", ".join(f"{path} is {as_text(read(path, scope))!r:.60}" for path in paths) or "none looks anywhere"


def _piece(case: Case, scope: Scope, habits: Habits, received_at: str, place: str) -> Piece:
    if case.ignore:
        return Piece(is_ignored=True)

    def found(value: Value | None, name: str) -> Any:
        return None if value is None else value_of(value, scope, habits, f"{place}.{name}")

    def text(value: Value | None, name: str) -> str | None:
        return as_text(found(value, name))

    who = {name: said for name, one in case.who.named().items() if (said := text(one, f"who.{name}")) is not None}
    key = text(case.key, "key")
    if key is not None and len(key) > KEY_MAX:
        raise Malformed(f"{place}.key: it is longer than {KEY_MAX} characters")
    if case.type == "claim":
        return _claim(who, key, place)
    parts = {
        name: {
            word: made
            for word, one in getattr(case, name).items()
            if (made := found(one, f"{name}.{word}")) is not None
        }
        for name in ("properties", "context", "traits")
    }
    at = found(_timed(case.at), "at") or received_at
    message: dict[str, Any] = {"type": case.type, "timestamp": at, **_called(case, text, place)}
    if (message_id := text(case.message_id, "message_id")) is not None:
        message["messageId"] = message_id
    context = {**parts["context"], **_consent(case, found)}
    message |= {"context": {**context, "traits": parts["traits"]}, "properties": parts["properties"]}
    return Piece(message, who, key, owns_key=case.owns_key)


def _claim(who: Mapping[str, str], key: str | None, place: str) -> Piece:
    piece = Piece(who=who, key=key)
    if key is None or not piece.names_somebody:
        raise Malformed(f"{place}: a claim needs its key, and who it belongs to: one of them is not there")
    return piece


def _timed(value: Value | None) -> Value | None:
    """A message's time is a time, whether the mapping says so or not."""
    return value if value is None or value.as_ is not None else value.model_copy(update={"as_": "time"})


def _called(case: Case, text: Any, place: str) -> dict[str, str]:
    if case.type != "track":
        return {}
    name = case.event or text(case.event_from, "event_from")
    if name is None:
        raise Malformed(f"{place}.event_from: the event has no name there")
    return {"event": name}


def _consent(case: Case, found: Any) -> dict[str, Any]:
    """Decisions as `context.consent` carries them: true grants, false denies, nothing says nothing."""
    said = {purpose.value: found(one, f"consent.{purpose.value}") for purpose, one in case.consent.items()}
    decided = {purpose: _decision(value, purpose) for purpose, value in said.items() if value is not None}
    return {"consent": {"categoryPreferences": decided}} if decided else {}


def _decision(value: Any, purpose: str) -> bool:
    if value in (True, "true", "granted"):
        return True
    if value in (False, "false", "denied"):
        return False
    raise Malformed(f"consent.{purpose}: {value!r:.40} is neither true nor false: translate it with map")


def with_shopper(message: Mapping[str, Any], who: Mapping[str, str]) -> dict[str, Any]:
    """The message about this shopper, identifiers where the tracking API looks for them."""
    traits = {name: who[name] for name in ("loyalty_id", "email", "phone") if name in who}
    context = message["context"]
    named = {**message, "context": {**context, "traits": {**context["traits"], **traits}}}
    if "payment_token" in who:
        named["properties"] = {**message["properties"], "payment_token": who["payment_token"]}
    accounts = {"userId": who.get("customer_id"), "anonymousId": who.get("anonymous_id")}
    return {**named, **{name: value for name, value in accounts.items() if value is not None}}

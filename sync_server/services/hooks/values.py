"""Single values of a delivery as its mapping wants them: text, amounts, times, yes or no; and lists and sums of them.

Raises Malformed with the place in the mapping and what stood there, so that whoever mends it knows where to look.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.clock import format_at
from shared.errors import Malformed
from shared.money import whole_number
from shared.segment_parts import moment_of, text_of, truth_of
from sync_server.services.hooks.mapping import Value
from sync_server.services.hooks.paths import Scope, as_text, elements_at, fill, read, read_or_fill

_AMOUNT: Final = re.compile(r"[+-]?\d{1,18}(\.\d{1,9})?\Z")
_ELEMENTS_MAX: Final = 2_500


@dataclass(frozen=True, slots=True)
class Habits:
    """How the sender writes: the time zone meant where a time says none, the decimal mark in texts."""

    timezone: str = "UTC"
    decimal: str = "."


def value_of(value: Value, scope: Scope, habits: Habits, place: str) -> Any:
    """The value, or None for nothing. Raises Malformed where it is not what it should be, or missing and a must."""
    found = _found(value, scope, habits, place)
    if found is None:
        found = value.default
    if found is None and value.must:
        raise Malformed(f"{place}: there is nothing at {_source(value)}")
    return found


def _source(value: Value) -> str:
    return " or ".join(value.from_) or value.template or value.for_each or "the value"


def _found(value: Value, scope: Scope, habits: Habits, place: str) -> Any:
    if value.for_each is not None:
        elements = list(_fitting(value, scope))
        if value.sum is not None:
            return _turned(_added(value.sum, elements, habits, place), value)
        return [made for one in elements if (made := _object(value.fields, one, habits, place))]
    if value.template is not None:
        return converted(fill(value.template, scope), value, habits, place)
    if value.value is not None:
        return value.value
    for path in value.from_:
        found = converted(read_or_fill(path, scope), value, habits, f"{place}, {path}")
        if found is not None:
            return found
    return None


def _fitting(value: Value, scope: Scope) -> Iterator[Scope]:
    elements = elements_at(value.for_each, scope)
    if len(elements) > _ELEMENTS_MAX:
        raise Malformed(f"{value.for_each} holds {len(elements)} elements; {_ELEMENTS_MAX:,} are read at most")
    for element in elements:
        inner = Scope(element, scope.body, scope.headers)
        if fits(value.where, inner):
            yield inner


def fits(conditions: Mapping[str, tuple[str, ...]], scope: Scope) -> bool:
    """Say whether each path has one of its values."""
    return all(as_text(read(path, scope)) in allowed for path, allowed in conditions.items())


def _object(fields: Mapping[str, Value], scope: Scope, habits: Habits, place: str) -> dict[str, Any]:
    made = {name: value_of(part, scope, habits, f"{place}.fields.{name}") for name, part in fields.items()}
    return {name: value for name, value in made.items() if value is not None}


def _added(path: str, elements: list[Scope], habits: Habits, place: str) -> str:
    amounts = (_amount(read(path, one), habits, f"{place}, {path}") for one in elements)
    return str(sum((Decimal(one) for one in amounts if one is not None), Decimal(0)))


def converted(raw: Any, value: Value, habits: Habits, place: str) -> Any:
    """A raw value in the form asked for; None stays None."""
    if raw is None or raw == "":
        return None
    if isinstance(raw, dict | list):
        raise Malformed(f"{place}: this is {'an object' if isinstance(raw, dict) else 'a list'}, not a single value")
    if value.map:
        raw = value.map.get(as_text(raw) or "")
        if raw is None:
            return None
    made = raw if value.as_ is None else _FORMS[value.as_](raw, habits, place)
    return _turned(made, value)


def _turned(made: Any, value: Value) -> Any:
    if not value.negate or made is None:
        return made
    return str(-Decimal(str(made))) if _AMOUNT.match(str(made)) else made


def _text(raw: Any, _habits: Habits, _place: str) -> str | None:
    """As text, numbers with all their digits: ids of 18 are common."""
    return text_of(raw if isinstance(raw, str) else as_text(raw))


def _lower(raw: Any, habits: Habits, place: str) -> str | None:
    text = _text(raw, habits, place)
    return None if text is None else text.lower()


def _amount(raw: Any, habits: Habits, place: str) -> str | None:
    """A decimal number as text with a point: `1.299,00` where the mark is a comma, `1,299.00` where it is a point."""
    text = as_text(raw)
    if text is None or isinstance(raw, bool):
        return None
    plain = text.replace("\u00a0", "").replace(" ", "")
    if isinstance(raw, str):
        plain = plain.replace(".", "").replace(",", ".") if habits.decimal == "," else plain.replace(",", "")
    if not _AMOUNT.match(plain):
        raise Malformed(f"{place}: this is no amount: {text!r:.40}")
    return plain


def _cents(raw: Any, habits: Habits, place: str) -> str | None:
    amount = _amount(raw, habits, place)
    return None if amount is None else str(Decimal(amount).scaleb(-2))


def _whole(raw: Any, _habits: Habits, place: str) -> int:
    number = whole_number(raw)
    if number is None:
        raise Malformed(f"{place}: this is no whole number: {raw!r:.40}")
    return number


def _time(raw: Any, habits: Habits, place: str) -> str:
    """ISO 8601, or a number of seconds or milliseconds since 1970."""
    if isinstance(raw, str):
        try:
            moment = datetime.fromisoformat(raw.strip())
        except ValueError:
            raise Malformed(f"{place}: this is no ISO 8601 time: {raw!r:.40}") from None
        return format_at(moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(habits.timezone)))
    found = moment_of(raw)
    if found is None:
        raise Malformed(f"{place}: this is no time: {raw!r:.40}")
    return format_at(found)


def _epoch(raw: Any, place: str, scale: int) -> str:
    try:
        return format_at(datetime.fromtimestamp(float(Decimal(str(raw).strip()) / scale), UTC))
    except (ArithmeticError, ValueError, OverflowError, OSError):
        raise Malformed(f"{place}: this is no number of seconds since 1970: {raw!r:.40}") from None


def _bool(raw: Any, _habits: Habits, place: str) -> bool:
    said = truth_of(raw)
    if said is None:
        raise Malformed(f"{place}: this is neither yes nor no: {raw!r:.40}")
    return said


_FORMS: Final[Mapping[str, Callable[[Any, Habits, str], Any]]] = {
    "text": _text,
    "lower": _lower,
    "amount": _amount,
    "cents": _cents,
    "whole": _whole,
    "time": _time,
    "epoch_s": lambda raw, _habits, place: _epoch(raw, place, 1),
    "epoch_ms": lambda raw, _habits, place: _epoch(raw, place, 1000),
    "bool": _bool,
}

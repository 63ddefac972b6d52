"""Paths into a webhook's JSON: `customer.id`, `lines[0].sku`, `included[type=profile].id`, `header:X-Topic`.

A path is read from the element in hand; `body:` starts at the whole body, `header:` names a header. Total: a path that
leads nowhere gives None. No expressions, no code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

HEADER: Final = "header:"
_BODY: Final = "body:"
_STEP: Final = re.compile(
    r'\[(?P<index>\d{1,6})\]|\[(?P<name>[^=\]]+)=(?P<value>[^\]]*)\]|\.?(?:"(?P<quoted>[^"]+)"|(?P<plain>[^.\[\]"{}]+))'
)
_PLACE: Final = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where paths are read: the element in hand, the whole body, the headers by their names in lower case."""

    element: Any
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Step:
    """One step: a member's name, a place in a list, or the first element whose member has a value."""

    name: str | None = None
    index: int | None = None
    value: str | None = None


@lru_cache(maxsize=1024)
def steps_of(path: str) -> tuple[_Step, ...]:
    """A path taken apart; "." is the element itself. Raises ValueError where it is none."""
    bare = path.removeprefix(_BODY).strip()
    if path.startswith(HEADER):
        if not path.removeprefix(HEADER).strip():
            raise ValueError("a header's path is written header:NAME")
        return ()
    if bare in (".", ""):
        return ()
    steps, place = [], 0
    while place < len(bare):
        match = _STEP.match(bare, place)
        if match is None:
            raise ValueError(f"{path!r} is no path: write names with dots between, such as customer.id or lines[0].sku")
        steps.append(_step(match))
        place = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> _Step:
    if match["index"] is not None:
        return _Step(index=int(match["index"]))
    if match["value"] is not None:
        return _Step(name=match["name"], value=match["value"])
    return _Step(name=match["quoted"] or match["plain"])


def read(path: str, scope: Scope) -> Any:
    """The value at a path; None where there is none."""
    if path.startswith(HEADER):
        return scope.headers.get(path.removeprefix(HEADER).strip().lower())
    found = scope.body if path.startswith(_BODY) else scope.element
    for step in steps_of(path):
        found = _walk(found, step)
        if found is None:
            return None
    return found


def _walk(found: Any, step: _Step) -> Any:
    if step.index is not None:
        return found[step.index] if isinstance(found, list) and step.index < len(found) else None
    if step.value is not None:
        listed = found if isinstance(found, list) else []
        return next(
            (one for one in listed if isinstance(one, dict) and as_text(one.get(step.name)) == step.value), None
        )
    return found.get(step.name) if isinstance(found, dict) else None


def as_text(value: Any) -> str | None:
    """A single value as mapping files write it: true and false, numbers as they stand, empty text is nothing."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value).strip() or None
    return None


def paths_in(said: str) -> tuple[str, ...]:
    """The paths of a template such as `order/{id}`; a text without braces is a path itself."""
    return tuple(_PLACE.findall(said)) if "{" in said or not said else (said,)


def read_or_fill(said: str, scope: Scope) -> Any:
    """What a path leads to, or a template filled."""
    return fill(said, scope) if "{" in said else read(said, scope)


def fill(template: str, scope: Scope) -> str | None:
    """The template with its paths' values; None where one of them leads nowhere."""
    found = {path: as_text(read(path, scope)) for path in _PLACE.findall(template)}
    if any(value is None for value in found.values()):
        return None
    return _PLACE.sub(lambda match: found[match[1]] or "", template)


def elements_at(path: str | None, scope: Scope) -> list[Any]:
    """The list at a path; an object by itself counts as a list of one, nothing as an empty one."""
    found = scope.element if path is None else read(path, scope)
    if found is None:
        return []
    return found if isinstance(found, list) else [found]

"""Refusals of a file: every problem with its path in the file and a sentence that says what is allowed.

Flow: a loaded YAML mapping -> `read_file` -> a frozen model, or one `PlaybookRefused` that lists everything to mend.
Pydantic's own messages are turned into the house's sentences here and nowhere else. Files are not opened here.
"""

from __future__ import annotations

import datetime as dt
import difflib
import typing
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.errors import Refused
from shared.wire.canonical import INTEGER_MAX

NESTING_MAX: Final = 24
"""Containers in containers: a condition of depth 3 inside a play needs 11; more is a mistake or an attack."""

Read = TypeVar("Read", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class FileProblem:
    """One thing to mend: where in the file (`condition.items[0].n`), and a sentence that says what is allowed.

    `of` is the id of the play or entry it stands in, where many are looked at together.
    """

    path: str
    sentence: str
    of: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.of, self.path, self.sentence) if part)


class PlaybookRefused(Refused):
    """A file of the playbook, or several, cannot be taken. `problems` lists all that was found, in file order."""

    def __init__(self, file_name: str, problems: Sequence[FileProblem], *others: PlaybookRefused) -> None:
        self.by_file = {file_name: tuple(problems)}
        for name, found in (pair for other in others for pair in other.by_file.items()):
            self.by_file[name] = (*self.by_file.get(name, ()), *found)
        self.problems = tuple(problem for found in self.by_file.values() for problem in found)
        super().__init__("\n".join(_told(name, found) for name, found in self.by_file.items()))

    @classmethod
    def of_all(cls, refusals: Sequence[PlaybookRefused]) -> PlaybookRefused:
        """One refusal that names every file, so that a person mends them all in one go."""
        first, *others = [cls(name, found) for one in refusals for name, found in one.by_file.items()]
        return cls(*next(iter(first.by_file.items())), *others)


def _told(file_name: str, problems: Sequence[FileProblem]) -> str:
    count = "one thing" if len(problems) == 1 else f"{len(problems)} things"
    lines = "".join(f"\n  {problem}" for problem in problems)
    return f"{file_name} was not taken, {count} to mend:{lines}"


def fold_text(text: str) -> str:
    """Text as rules compare it: NFC, case folded, trimmed. No locale is asked."""
    return unicodedata.normalize("NFC", text.strip().casefold())


def listed(names: Iterable[str], limit: int = 40) -> str:
    """Names for a sentence: `a, b, c`; a long list ends in `...`."""
    known = sorted(names)
    return ", ".join(known[:limit]) + (", ..." if len(known) > limit else "")


def nearest(name: str, known: Iterable[str]) -> str:
    """`Did you mean X? ` when something close is known, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.7)
    return f"Did you mean {close[0]}? " if close else ""


def spell_path(parts: Iterable[str | int]) -> str:
    """('condition', 'items', 0, 'n') -> `condition.items[0].n`."""
    path = ""
    for part in parts:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def read_file(model: type[Read], raw: Any, file_name: str, kinds: Mapping[str, type[BaseModel]] | None = None) -> Read:
    """Validate a loaded file strictly against its model; unknown names are refused, not ignored.

    `kinds` maps the tags of discriminated unions to their models, so that paths and hints are those of the file.
    Raises PlaybookRefused with every problem found.
    """
    try:
        plain = as_plain(raw)
        if not isinstance(plain, dict):
            raise _Unplain(FileProblem("", "the file holds no named fields; it starts with lines like `id: my-play`."))
        return model.model_validate(plain, extra="forbid")
    except _Unplain as stop:
        raise PlaybookRefused(file_name, [stop.problem]) from None
    except ValidationError as refusal:
        problems = [_translate(error, model, kinds or {}) for error in refusal.errors(include_url=False)]
        raise PlaybookRefused(file_name, problems) from None


class _Unplain(Exception):
    """Something no document may hold."""

    def __init__(self, problem: FileProblem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def as_plain(raw: Any, path: str = "", depth: int = 1) -> Any:
    """A loaded YAML value as JSON would have it: dates become `2026-11-22`; floats and odd keys are refused."""
    if depth > NESTING_MAX:
        raise _Unplain(FileProblem(path, f"this is nested deeper than {NESTING_MAX} levels; write it flatter."))
    if isinstance(raw, Mapping):
        return {_plain_key(key, path): as_plain(part, _join(path, key), depth + 1) for key, part in raw.items()}
    if isinstance(raw, list | tuple):
        return [as_plain(part, f"{path}[{index}]", depth + 1) for index, part in enumerate(raw)]
    return _plain_scalar(raw, path)


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _plain_key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return str(_plain_scalar(key, path))
    hint = ' (YAML reads on, off, yes and no as true and false: write "on" in quotes)' if isinstance(key, bool) else ""
    raise _Unplain(FileProblem(path, f"the name {key!r} is not text{hint}."))


def _plain_scalar(raw: Any, path: str) -> Any:
    if isinstance(raw, str) and any(mark == "\x00" or "\ud800" <= mark <= "\udfff" for mark in raw):
        raise _Unplain(FileProblem(path, "this text holds a character that is none (U+0000 or half a surrogate pair)."))
    if isinstance(raw, int) and abs(raw) > INTEGER_MAX:
        raise _Unplain(FileProblem(path, "this number is too large; whole numbers go up to 9007199254740991."))
    if raw is None or isinstance(raw, str | bool | int):
        return raw
    if isinstance(raw, dt.date) and not isinstance(raw, dt.datetime):
        return raw.isoformat()
    if isinstance(raw, float):
        raise _Unplain(FileProblem(path, f"{raw} is not a whole number; money is written in cents, shares in percent."))
    raise _Unplain(FileProblem(path, f"{str(raw)[:40]!r} is neither text, a whole number, true, false nor a date."))


def _translate(error: ErrorDetails, model: type[BaseModel], kinds: Mapping[str, type[BaseModel]]) -> FileProblem:
    steps = [part for part in error["loc"] if part != "[key]" and part not in kinds]
    return FileProblem(spell_path(steps), _sentence(error, model, kinds))


def _sentence(error: ErrorDetails, model: type[BaseModel], kinds: Mapping[str, type[BaseModel]]) -> str:
    sort, context, given = error["type"], error.get("ctx", {}), error.get("input")
    if sort == "extra_forbidden":
        return _unknown_field(error["loc"], model, kinds)
    if sort == "value_error":
        return str(context.get("error", error["msg"]))
    if sort in {"literal_error", "enum"}:
        return _not_a_choice(given, str(context.get("expected", "")))
    if sort == "union_tag_invalid":
        return _not_a_choice(context.get("tag"), str(context.get("expected_tags", "")))
    if sort == "union_tag_not_found":
        return f"this needs a kind; allowed: {listed(kinds)}."
    template = _SENTENCES.get(sort)
    if template is None:
        return f"{error['msg']}."
    return template.format(given=_shown(given), **{"ge": 0, "le": 0, **context})


_SENTENCES: Final = {
    "missing": "this is required and missing.",
    "int_type": "this must be a whole number, not {given}.",
    "int_from_float": "this must be a whole number, not {given}.",
    "string_type": "this must be text, not {given}.",
    "bool_type": "this must be true or false, not {given}.",
    "list_type": "this must be a list, not {given}.",
    "tuple_type": "this must be a list, not {given}.",
    "dict_type": "this must be a group of named fields, not {given}.",
    "model_type": "this must be a group of named fields, not {given}.",
    "model_attributes_type": "this must be a group of named fields, not {given}.",
    "greater_than_equal": "this must be at least {ge}, not {given}.",
    "less_than_equal": "this must be at most {le}, not {given}.",
    "too_long": "at most {max_length} entries are allowed here, not {actual_length}.",
    "too_short": "at least {min_length} entry is needed here.",
    "string_too_long": "at most {max_length} characters are allowed here.",
    "string_too_short": "this must not be empty.",
}


def _shown(given: Any) -> str:
    if given is None:
        return "nothing"
    return repr(given)[:60] if not isinstance(given, dict | list) else "a list or group"


def _not_a_choice(given: Any, expected: str) -> str:
    allowed = [part for part in expected.replace(" or ", ", ").replace("'", "").split(", ") if part]
    return f"{_shown(given)} is not known here. {nearest(str(given), allowed)}Allowed: {listed(allowed)}."


def _unknown_field(steps: tuple[int | str, ...], model: type[BaseModel], kinds: Mapping[str, type[BaseModel]]) -> str:
    where: type[BaseModel] | None = model
    for step in steps[:-1]:
        where = _step_into(where, step, kinds)
    if where is None:
        return "this field is not known here."
    allowed = [field.alias or name for name, field in where.model_fields.items()]
    return f"this field is not known here. {nearest(str(steps[-1]), allowed)}Allowed: {listed(allowed)}."


def _step_into(
    where: type[BaseModel] | None, step: int | str, kinds: Mapping[str, type[BaseModel]]
) -> type[BaseModel] | None:
    if isinstance(step, str) and step in kinds:
        return kinds[step]
    if where is None or isinstance(step, int):
        return where
    for name, field in where.model_fields.items():
        if step == (field.alias or name):
            return _model_in(field.annotation)
    return where


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in typing.get_args(annotation))
    return next((model for model in found if model is not None), None)

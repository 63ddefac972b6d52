"""Which file of a drop is what: by `watch.yaml` in the folder, by the folder it lies in, or by how its name begins.

Names alone decide, nothing is opened here but `watch.yaml`. Kinds that others need come first: stores before
associates, products before stock, shoppers before consents and orders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from shared.errors import Refused
from sync_server.services.imports.kinds import FIELDS

WATCH_FILE: Final = "watch.yaml"
DONE, FAILED = "done", "failed"
PART, COMPANION = ".part", ".done"
KINDS: Final = tuple(FIELDS)
_TABLE: Final = re.compile(r".+\.(csv|jsonl)(\.gz)?\Z", re.IGNORECASE)
_NOT_MEANT: Final = (
    PART,
    COMPANION,
    ".tmp",
    ".partial",
    ".filepart",
    ".bad.jsonl",
    ".reason.txt",
    ".yaml",
    ".yml",
    "~",
)


class WatchRule(BaseModel):
    """Files whose name, or path in the folder, is of a pattern (`*` and `?`, either case) are of a kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: str
    kind: str
    mapping: str | None = None

    @field_validator("kind")
    @classmethod
    def _is_kind(cls, said: str) -> str:
        if said not in FIELDS:
            raise ValueError(f"{said!r:.40} is no kind; there are: {', '.join(FIELDS)}")
        return said

    def takes(self, name: str) -> bool:
        """Whether a file is meant, by its path in the folder."""
        pattern = self.match.casefold()
        return fnmatchcase(name.casefold(), pattern) or fnmatchcase(name.rpartition("/")[2].casefold(), pattern)


class WatchPlan(BaseModel):
    """`watch.yaml`: the first rule that takes a file decides."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    files: tuple[WatchRule, ...] = ()


@dataclass(frozen=True, slots=True)
class DropFile:
    """A file that was dropped: its path, the same within the folder, its kind (None: unknown) and mapping."""

    path: Path
    name: str
    kind: str | None
    mapping: Path | None = None

    @property
    def turn(self) -> tuple[Any, ...]:
        """When its turn is: by kind, then by name as people count, so that day 9 comes before day 10."""
        parts = [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", self.name)]
        return (KINDS.index(self.kind) if self.kind else len(KINDS), parts)

    def companions(self) -> list[Path]:
        """Files that would say that this one is complete: `NAME.csv.done`, `NAME.done`."""
        stem = _TABLE.sub(lambda found: found[0][: found.start(1) - 1], self.path.name)
        return [self.path.with_name(name + COMPANION) for name in dict.fromkeys((self.path.name, stem))]


def read_plan(folder: Path) -> WatchPlan:
    """The folder's plan; an empty one where it has none. Raises Refused, naming what is wrong."""
    path = folder / WATCH_FILE
    try:
        told = yaml.safe_load(path.read_text("utf-8"))
        return WatchPlan.model_validate(told or {})
    except FileNotFoundError:
        return WatchPlan()
    except (OSError, UnicodeDecodeError) as problem:
        raise Refused(f"{path} cannot be read ({problem}).") from None
    except yaml.YAMLError as problem:
        raise Refused(f"{path} is no YAML: {problem}") from None
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        raise Refused(f"{path}: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from None


def dropped_files(folder: Path, plan: WatchPlan) -> list[DropFile]:
    """The folder's files and those one folder below, in the order of their turns; what was filed away is left out."""
    found = [_drop_file(folder, path, plan) for path in _paths(folder)]
    return sorted(found, key=lambda file: file.turn)


def _paths(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.is_symlink():
            continue
        if not path.is_dir():
            yield from [path] if _is_meant(path) else []
        elif path.name not in (DONE, FAILED):
            yield from (below for below in path.iterdir() if _is_meant(below) and not below.is_symlink())


def _is_meant(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and not path.name.lower().endswith(_NOT_MEANT)


def _drop_file(folder: Path, path: Path, plan: WatchPlan) -> DropFile:
    name = path.relative_to(folder).as_posix()
    rule = next((rule for rule in plan.files if rule.takes(name)), None)
    if rule is not None:
        return DropFile(path, name, rule.kind, folder / rule.mapping if rule.mapping else None)
    return DropFile(path, name, _kind_by_name(name) if _TABLE.match(path.name) else None)


def _kind_by_name(name: str) -> str | None:
    below, _, own = name.casefold().rpartition("/")
    if below in FIELDS:
        return below
    begins = re.match(r"[a-z]+", own)
    return begins[0] if begins and begins[0] in FIELDS else None

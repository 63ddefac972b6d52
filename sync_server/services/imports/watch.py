"""The nightly drop: files that appear in a folder are imported, in turn, and filed away with what came of them.

Safe to kill at any point: a file is moved only after all of it is taken, and what is imported again is known. A file
is taken when it is complete: it did not change between two looks, was renamed from `.part`, or has a `.done` beside
it. One that changes while it is read stays where it is and is taken again.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.errors import Damaged, FloorsideError, Problem, Refused, StorageFull
from sync_server.services.chain import read_chain
from sync_server.services.headquarters import Headquarters
from sync_server.services.imports.drop import DONE, FAILED, KINDS, PART, DropFile, dropped_files, read_plan
from sync_server.services.imports.run import ImportReport, run_import

SETTLE_S: Final = 2.0
"""Between two looks of `--once`."""
LOOKS_MAX: Final = 10
"""How long files of a later kind wait for one of an earlier kind that is still arriving."""
_Mark = tuple[int, int, int]


class Stopped(FloorsideError):
    """The watcher was asked to end in the middle of a file; it stays where it is."""


@dataclass(slots=True)
class Stop:
    """The wish that a watcher ends; a signal may ask for it."""

    is_asked: bool = False
    _wake: Callable[[], object] | None = None

    def ask(self) -> None:
        """End soon: between two rows of a file, or out of a pause."""
        self.is_asked = True
        if self._wake is not None:
            self._wake()

    async def pause(self, pausing: Any) -> None:
        """Wait for a pause to be over or the wish to come."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()
        self._wake = lambda: loop.call_soon_threadsafe(woken.set)
        waits = {asyncio.ensure_future(pausing), asyncio.ensure_future(woken.wait())}
        if self.is_asked:
            woken.set()
        _, left = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        self._wake = None
        for wait in left:
            wait.cancel()
        await asyncio.gather(*left, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a file: where it lies now, and the report, or why it was refused."""

    name: str
    kind: str
    place: str
    report: ImportReport | None = None
    reason: str | None = None

    @property
    def is_refused(self) -> bool:
        """Whether it went to `failed/`."""
        return self.reason is not None

    def sentence(self) -> str:
        """One line for people."""
        if self.report is None or self.reason is not None:
            return f"{self.name}: refused, now in {self.place}. {self.reason}"
        left_out = self.report.left_out.total()
        told = f"{self.report.taken} {self.report.things} taken, {self.report.known} known already"
        told += f", {left_out} rows left out" if left_out else ""
        return f"{self.name}: {told}; now in {self.place}."

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        report = None if self.report is None else self.report.as_json()
        return {"name": self.name, "kind": self.kind, "place": self.place, "reason": self.reason, "report": report}


@dataclass(slots=True)
class Watch:
    """One watcher over one folder, which it holds alone. `tell` is told sentences, `show` what became of each file."""

    hq: Headquarters
    folder: Path
    tell: Callable[[str], object]
    show: Callable[[Taken], object]
    stop: Stop = field(default_factory=Stop)
    _last: dict[str, _Mark] = field(default_factory=dict)
    _kinds: dict[str, str] = field(default_factory=dict)
    _arriving: dict[str, int] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    async def once(self) -> list[Taken]:
        """Take what is there, as soon as it is complete; what is still arriving after ten looks stays for the next
        time. Raises Refused where the folder cannot be read."""
        complete = self.look()
        for _ in range(LOOKS_MAX):
            if self.stop.is_asked or not self._arriving:
                break
            await self.stop.pause(self.hq.clock.pause(SETTLE_S))
            complete = self.look()
        return list(self._take_all(complete))

    async def until_stopped(self, every_s: float) -> None:
        """Look and take again and again. Trouble with the folder or the database is told once and waited out."""
        while not self.stop.is_asked:
            try:
                for _ in self._take_all(self._ready(self.look())):
                    pass
            except Refused as trouble:
                self._tell_once(str(trouble))
            await self.stop.pause(self.hq.clock.pause(every_s))

    # looking ----------------------------------------------------------------------------------------------------------

    def look(self) -> list[DropFile]:
        """The files that are complete, in the order of their turns. Raises Refused."""
        try:
            files = dropped_files(self.folder, read_plan(self.folder))
            marks = {file.name: mark for file in files if (mark := _mark(file.path)) is not None}
            parts = {path.relative_to(self.folder).as_posix(): (0, 0, 0) for path in self.folder.rglob(f"*{PART}")}
        except OSError as problem:
            raise Refused(f"The folder {self.folder} cannot be read ({problem.strerror}).") from None
        self._kinds = {file.name: file.kind for file in files if file.kind is not None and file.name in marks}
        known = [file for file in files if file.name in self._kinds]
        complete = [file for file in known if self._is_complete(file, marks, parts)]
        waiting = {file.name for file in known} - {file.name for file in complete}
        self._arriving = {name: self._arriving.get(name, 0) + 1 for name in waiting}
        self._last = {**marks, **parts}
        for file in files:
            if file.kind is None:
                self._tell_once(f"{file.name} is of no kind, so it stays where it is: {_NAMING}")
        return complete

    def _is_complete(self, file: DropFile, marks: dict[str, _Mark], parts: dict[str, _Mark]) -> bool:
        part = file.name + PART
        was_renamed = part in self._last and part not in parts and file.name not in self._last
        has_companion = any(companion.is_file() for companion in file.companions())
        return has_companion or was_renamed or self._last.get(file.name) == marks[file.name]

    def _ready(self, complete: list[DropFile]) -> list[DropFile]:
        """Without those of a kind that comes after one still arriving: it may bring what they need."""
        turns = [KINDS.index(self._kinds[name]) for name, looks in self._arriving.items() if looks <= LOOKS_MAX]
        first = min(turns, default=len(KINDS))
        return [file for file in complete if KINDS.index(self._kinds[file.name]) <= first]

    def _tell_once(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self.tell(sentence)

    # taking -----------------------------------------------------------------------------------------------------------

    def _take_all(self, files: list[DropFile]) -> Iterator[Taken]:
        for file in files:
            if self.stop.is_asked:
                return
            try:
                taken = self._take(file)
            except Stopped:
                self.tell(f"{file.name} is not through: it stays where it is and is taken again at the next start.")
                return
            except (Problem, StorageFull, Damaged) as trouble:
                raise Refused(f"{file.name} stays where it is and is tried again: {trouble}") from None
            if taken is not None:
                self.show(taken)
                yield taken

    def _take(self, file: DropFile) -> Taken | None:
        """Import a file and file it away; None where it changed meanwhile or is gone."""
        before, kind = _mark(file.path), file.kind or ""
        if before is None:
            return None
        report, reason = self._import(file, kind)
        if _mark(file.path) != before:
            self._tell_once(f"{file.name} changed while it was read: it stays where it is and is taken again.")
            return None
        if report is not None and report.rows and not report.taken + report.known + report.also.total():
            reason = f"None of its {report.rows} rows could be taken: {report.left_out.most_common(1)[0][0]}."
        try:
            return self._file_away(file, kind, report, reason)
        except OSError as problem:
            raise Refused(
                f"{file.name} was read but cannot be moved ({problem.strerror}): let this account write to "
                f"{self.folder} and its folders. It is read again until then, which changes nothing."
            ) from None

    def _import(self, file: DropFile, kind: str) -> tuple[ImportReport | None, str | None]:
        try:
            return run_import(self.hq, kind, file.path, mapping=file.mapping, heard=self._heard), None
        except (StorageFull, Damaged, Stopped, Problem, OSError, sqlite3.Error):
            raise
        except Refused as refusal:
            return None, str(refusal)
        except Exception as fault:  # noqa: BLE001 - one file must not hold up all that come after it
            return None, f"This is a fault in Floorside ({type(fault).__name__}: {fault})."

    def _heard(self, _: int) -> None:
        if self.stop.is_asked:
            raise Stopped("asked to end")

    def _file_away(self, file: DropFile, kind: str, report: ImportReport | None, reason: str | None) -> Taken:
        """The file itself goes last: until then everything can be done again."""
        place = self.folder / (FAILED if reason is not None else f"{DONE}/{self._today()}")
        target = _free(place / file.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        taken = Taken(file.name, kind, target.relative_to(self.folder).as_posix(), report, reason)
        with self.hq.database.write() as tx:
            self.hq.note_audit(
                tx, "watch", "refused the file" if taken.is_refused else "took in the file", taken.sentence()
            )
        if reason is not None:
            target.with_name(f"{target.name}.reason.txt").write_text(reason + "\n", "utf-8")
        if report is not None and report.bad_rows is not None:
            shutil.move(report.bad_rows, target.with_name(f"{target.name}.bad.jsonl"))
            report.bad_rows = target.with_name(f"{target.name}.bad.jsonl")
        for companion in file.companions():
            companion.unlink(missing_ok=True)
        file.path.replace(target)
        return taken

    def _today(self) -> str:
        with self.hq.database.read() as reader:
            zone = ZoneInfo(read_chain(reader).timezone)
        return self.hq.clock.now().astimezone(zone).date().isoformat()


_NAMING: Final = (
    f"begin its name with one of {', '.join(KINDS)} and end it in .csv or .jsonl, or name it in watch.yaml."
)


def _mark(path: Path) -> _Mark | None:
    """What changes when a file does; None for one that is gone."""
    with suppress(FileNotFoundError):
        found = path.stat()
        return (found.st_size, found.st_mtime_ns, found.st_ino)
    return None


def _free(path: Path) -> Path:
    """The path itself, or with a number that nobody has yet."""
    stem, dot, rest = path.name.partition(".")
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{stem}-{number}{dot}{rest}")
    return free

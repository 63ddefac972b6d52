"""The erasure list, `keys/erased.jsonl`: which identifiers are never to be stored again, as keyed hashes, one erasure a
line. It lies outside the database, so that no restored backup forgets it (decision 0023).

Lines are only ever added, and are on the disk before `add` returns. A last line without its end is of a write that was
broken off before anything was erased: it counts for nothing and is cut off by the next one.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from shared.errors import Damaged, StorageFull

Pair = tuple[str, str]
LIST_FILE: Final = "erased.jsonl"


class NoErasures:
    """A list of nobody, for a database that is opened only to be looked at or brought up to date."""

    place = "nowhere"

    def is_empty(self) -> bool:
        """Always."""
        return True

    def holds(self, pairs: Collection[Pair]) -> set[Pair]:
        """None of them."""
        return set()

    def as_it_stands(self) -> NoErasures:
        """Itself."""
        return self

    def known(self) -> Mapping[str, str]:
        """None."""
        return {}

    def add(self, erasure_id: str, at: str, pairs: Collection[Pair]) -> None:
        """Raises Damaged: an erasure that nothing remembers would come undone."""
        raise Damaged("There is no erasure list here, so nothing is erased: what is not remembered would come back.")


class HashedNames:
    """`ErasedNames` of ports.py: the hashes of one moment."""

    def __init__(self, hashes: frozenset[str], key: Callable[[], bytes]) -> None:
        self._hashes = hashes
        self._key = key

    def is_empty(self) -> bool:
        """Whether nobody was ever erased."""
        return not self._hashes

    def holds(self, pairs: Collection[Pair]) -> set[Pair]:
        """Which of these (type, value) are of somebody who was erased."""
        if not self._hashes:
            return set()
        key = self._key()
        return {pair for pair in pairs if _hash(key, pair) in self._hashes}


class FileErasureList:
    """`ErasureList` of ports.py over a file; what another process added is seen at the next look."""

    def __init__(self, folder: Path, key: Callable[[], bytes]) -> None:
        """`key` gives the secret of the hashes; asked for only when there is something to compare."""
        self._path = folder / LIST_FILE
        self._key = key
        self._seen: tuple[int, int, int] | None = None
        self._hashes: frozenset[str] = frozenset()
        self._known: dict[str, str] = {}
        self._whole = 0

    @property
    def place(self) -> str:
        """Where it lies, for people."""
        return str(self._path)

    def is_empty(self) -> bool:
        """Whether nobody was ever erased."""
        return self.as_it_stands().is_empty()

    def holds(self, pairs: Collection[Pair]) -> set[Pair]:
        """Which of these (type, value) are of somebody who was erased."""
        return self.as_it_stands().holds(pairs)

    def as_it_stands(self) -> HashedNames:
        """The names as of now: a push of 250 ops asks 250 times, and the file is looked at once."""
        self._look()
        return HashedNames(self._hashes, self._key)

    def known(self) -> Mapping[str, str]:
        """Erasure id -> when."""
        self._look()
        return dict(self._known)

    def add(self, erasure_id: str, at: str, pairs: Collection[Pair]) -> None:
        """Remember these for ever; durable when it returns. Raises StorageFull."""
        self._look()
        key = self._key()
        line = {"id": erasure_id, "at": at, "hashes": sorted(_hash(key, pair) for pair in pairs)}
        try:
            self._append(json.dumps(line).encode() + b"\n")
        except OSError as problem:
            raise StorageFull(
                f"The erasure list {self._path} cannot be written ({problem.strerror}), so nothing was erased."
            ) from None
        self._seen = None
        self._look()

    def _append(self, line: bytes) -> None:
        is_new = not self._path.exists()
        number = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.ftruncate(number, self._whole)
            os.write(number, line)
            os.fsync(number)
        finally:
            os.close(number)
        if is_new and os.name == "posix":
            folder = os.open(self._path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _look(self) -> None:
        try:
            found = self._path.stat()
            seen = (found.st_ino, found.st_size, found.st_mtime_ns)
            if seen != self._seen:
                self._read(self._path.read_bytes())
                self._seen = seen
        except FileNotFoundError:
            self._hashes, self._known, self._whole, self._seen = frozenset(), {}, 0, None
        except OSError as problem:
            raise Damaged(
                f"The erasure list {self._path} cannot be read ({problem.strerror}). Give this account access to it."
            ) from None

    def _read(self, raw: bytes) -> None:
        whole = raw[: raw.rfind(b"\n") + 1]
        hashes: set[str] = set()
        known: dict[str, str] = {}
        try:
            for line in whole.splitlines():
                told = json.loads(line)
                hashes.update(map(str, told["hashes"]))
                known[str(told["id"])] = str(told["at"])
        except (ValueError, KeyError, TypeError):
            raise Damaged(
                f"The erasure list {self._path} is damaged. Put it back from where your keys are kept safe; without it "
                "shoppers who were erased could come back."
            ) from None
        self._hashes, self._known, self._whole = frozenset(hashes), known, len(whole)


def _hash(key: bytes, pair: Pair) -> str:
    return hmac.digest(key, f"{pair[0]}:{pair[1]}".encode(), "sha256").hex()

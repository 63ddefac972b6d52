"""The pictures this tablet keeps: files named by the SHA-256 of what they hold, the least recently shown going first.

Filled by `sync/pictures.py`, shown by the hub, emptied with the slice. Pictures can always be fetched again, so nothing
here is precious: whatever goes wrong with a file means that a drawing stands in.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Final

from shared.ids import is_sha

BYTES_MAX: Final = 200 * 1024 * 1024
PICTURE_BYTES_MAX: Final = 1024 * 1024
"""HQ makes them 320 pixels wide; one of a megabyte is none of HQ's."""
MISSED_MAX: Final = 64
_UNFINISHED: Final = ".new"


class FilePictureShelf:
    """The `PictureShelf` of `ports.py` over a folder; several threads may use it."""

    def __init__(self, folder: Path, *, bytes_max: int = BYTES_MAX) -> None:
        self._folder = folder
        self._bytes_max = bytes_max
        self._missed: dict[str, None] = {}
        self._bytes: int | None = None

    def show(self, sha: str) -> Path | None:
        """The file of a picture about to be shown; None where there is none, which is remembered as wanted."""
        if not is_sha(sha):
            return None
        try:
            os.utime(self._folder / sha)
        except OSError:
            if len(self._missed) < MISSED_MAX:
                self._missed[sha] = None
            return None
        return self._folder / sha

    def missed(self) -> tuple[str, ...]:
        """Pictures a card wanted to show and could not, oldest wish first."""
        return tuple(self._missed)

    def holds(self, sha: str) -> bool:
        """Say whether a picture is here."""
        return (self._folder / sha).is_file()

    def has_room(self) -> bool:
        """Say whether a picture fits without another one having to go."""
        return self._bytes_kept() + PICTURE_BYTES_MAX <= self._bytes_max

    def keep(self, sha: str, picture: bytes) -> bool:
        """Put a picture on the shelf; False, and nothing kept, for one that is not what its name says."""
        self.give_up(sha)
        if len(picture) > PICTURE_BYTES_MAX or hashlib.sha256(picture).hexdigest() != sha:
            return False
        fresh, known = self._folder / f"{sha}{_UNFINISHED}", self._bytes_kept()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(picture)
            fresh.replace(self._folder / sha)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink()
            return False
        self._bytes = known + len(picture)
        self._make_room(sha)
        return True

    def give_up(self, sha: str) -> None:
        """Forget that a picture was missed, because it has come or cannot come."""
        self._missed.pop(sha, None)

    def clear(self) -> None:
        """Delete every picture."""
        self._missed.clear()
        self._bytes = None
        for _, _, path in self._files():
            with contextlib.suppress(OSError):
                path.unlink()

    def _make_room(self, newest: str) -> None:
        if self._bytes_kept() <= self._bytes_max:
            return
        files = sorted(self._files())
        total = sum(size for _, size, _ in files)
        for _, size, path in files:
            if total > self._bytes_max and path.name != newest:
                with contextlib.suppress(OSError):
                    path.unlink()
                    total -= size
        self._bytes = total

    def _bytes_kept(self) -> int:
        """The folder is added up once, not for each picture."""
        if self._bytes is None:
            self._bytes = sum(size for _, size, _ in self._files())
        return self._bytes

    def _files(self) -> list[tuple[int, int, Path]]:
        """(last shown, bytes, path) of every file, unfinished ones too."""
        found = []
        with contextlib.suppress(OSError):
            for entry in os.scandir(self._folder):
                with contextlib.suppress(OSError):
                    told = entry.stat()
                    found.append((told.st_mtime_ns, told.st_size, Path(entry.path)))
        return found

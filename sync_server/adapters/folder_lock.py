"""One watcher for a folder: a lock of the operating system, which is gone with its process, however that ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from shared.errors import Refused

LOCK_FILE: Final = ".floorside-watch.lock"


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Hold a folder alone. Raises Refused while another process does, and for a folder that cannot be written."""
    try:
        file = (folder / LOCK_FILE).open("a+b")
    except OSError as problem:
        raise Refused(
            f"The folder {folder} cannot be watched ({problem.strerror}): files are moved within it when they are "
            "taken, so it must be there and this account must be allowed to write to it."
        ) from None
    with file:
        try:
            _lock(file)
        except OSError:
            raise Refused(
                f"Another watcher looks after {folder} already, so this one took nothing. One is enough; stop that one "
                "first if you mean this one."
            ) from None
        yield


def _lock(file: Any) -> None:
    """Closing the file lets go of it."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

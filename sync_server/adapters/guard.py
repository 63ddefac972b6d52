"""The start-up guard's file, `<data-dir>/guard.json`: small, whole or not there, replaced in one step.

One that cannot be written only grows old, and one that cannot be read says nothing: neither stops a server.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from sync_server.ports import Mark


class FileGuard:
    """The `Guard` port over a file; of several processes the last one writes, each from committed state."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def place(self) -> str:
        """Where the guard lies, for people."""
        return str(self._path)

    def read(self) -> Mark | None:
        """What was written last; None for nothing that can be read."""
        try:
            told = json.loads(self._path.read_bytes())
            heads = {str(scope): int(n) for scope, n in told["heads"].items()}
            devices = {str(device_id): dict(kept) for device_id, kept in told.get("devices", {}).items()}
            erasures = tuple(map(str, told.get("erasures", ())))
            return Mark(str(told["first_epoch"]), str(told["epoch"]), heads, int(told["ops"]), devices, erasures)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, mark: Mark) -> None:
        """Replace what was written. On the disk before it gets its name, so a power cut leaves the old or the new."""
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}.part")
        with suppress(OSError):
            try:
                with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:  # noqa: PTH123
                    file.write(json.dumps(asdict(mark), sort_keys=True).encode())
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(self._path)
            finally:
                part.unlink(missing_ok=True)

"""The small file beside the tablet's database that tells whether the database is still the one this device wrote.

It holds the install id and the highest seq. A database that was wiped, restored or copied here from elsewhere no longer
agrees with it, and then takes a new install id at once, so that no seq is ever given out twice (protocol.md,
Identities). It is written after each COMMIT: being behind the database is what a crash leaves, and is no difference.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class InstallFile:
    """`<database>.install`."""

    path: Path

    def agrees(self, install_id: str, head_seq: int) -> bool:
        """Say whether this file was written for that database at or before that seq."""
        try:
            noted = json.loads(self.path.read_text(encoding="utf-8"))
            return bool(noted["install_id"] == install_id) and 0 <= noted["head_seq"] <= head_seq
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def write(self, install_id: str, head_seq: int) -> None:
        """Replace it whole. A full disk is no harm here: an older number only makes the check weaker for a while."""
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}.new")
        try:
            fresh.write_text(json.dumps({"install_id": install_id, "head_seq": head_seq}), encoding="utf-8")
            fresh.replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                fresh.unlink()


class NoInstallFile(InstallFile):
    """Beside a database in memory: there is nothing to compare it with, and nothing to write."""

    def agrees(self, install_id: str, head_seq: int) -> bool:
        """Nobody else can have written it."""
        return True

    def write(self, install_id: str, head_seq: int) -> None:
        """Keep nothing."""

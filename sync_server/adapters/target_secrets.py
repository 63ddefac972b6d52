"""The secrets that sign what goes to other systems: `keys/target-<id>.secret`, mode 0600, never in the database."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from shared.errors import Damaged


class FileTargetSecrets:
    """`TargetSecrets` of ports.py over files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def make(self, target_id: str) -> str:
        """A fresh secret for a target, kept; replaces one that was there."""
        secret, path = secrets.token_hex(32), self._path(target_id)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        part.unlink(missing_ok=True)
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "w", encoding="ascii") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        return secret

    def read(self, target_id: str) -> bytes:
        """The secret, as the receiver was told it. Raises Damaged where it is missing."""
        path = self._path(target_id)
        try:
            secret = path.read_text("ascii").strip()
        except (OSError, UnicodeError):
            secret = ""
        if not secret:
            raise Damaged(
                f"The secret {path} is missing or unreadable, so nothing can be signed for this receiver. Put it back, "
                "or remove the webhook and add it again."
            )
        return secret.encode()

    def drop(self, target_id: str) -> None:
        """Forget it."""
        self._path(target_id).unlink(missing_ok=True)

    def _path(self, target_id: str) -> Path:
        return self._folder / f"target-{target_id}.secret"

"""Pictures by the SHA-256 of their bytes: those of the project, and those imported into `<data-dir>/media/`."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path

from shared.ids import is_sha


class FolderMediaShelf:
    """The `MediaShelf` of the services over files. The project's own pictures are hashed once, at first use."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shipped: dict[str, bytes] | None = None
        self._sha_of: dict[str, str] = {}

    def find(self, sha: str) -> bytes | None:
        """The picture's bytes (WebP); None when there is none, or when the file is not what its name says."""
        if not is_sha(sha):
            return None
        shipped = self._read_shipped().get(sha)
        if shipped is not None:
            return shipped
        try:
            picture = (self._folder / f"{sha}.webp").read_bytes()
        except FileNotFoundError:
            return None
        return picture if hashlib.sha256(picture).hexdigest() == sha else None

    def sha_of_picture(self, name: str) -> str | None:
        """The sha of a picture that came with the project, by its file name."""
        self._read_shipped()
        return self._sha_of.get(name)

    def _read_shipped(self) -> dict[str, bytes]:
        if self._shipped is None:
            self._shipped = {}
            for picture in files("assets").joinpath("products").iterdir():
                if picture.name.endswith(".webp"):
                    content = picture.read_bytes()
                    sha = hashlib.sha256(content).hexdigest()
                    self._shipped[sha], self._sha_of[picture.name] = content, sha
        return self._shipped

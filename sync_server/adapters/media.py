"""Pictures by the SHA-256 of their bytes: those of the project, and those imported into `<data-dir>/media/`."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Final

from shared.errors import Refused, StorageFull
from shared.ids import is_sha

SIDE_PX: Final = 320
_QUALITY: Final = 80
PIXELS_MAX: Final = 80_000_000
"""Below what Pillow warns of: unpacked it is a quarter of a gigabyte."""


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
        except (FileNotFoundError, NotADirectoryError):
            return None
        return picture if hashlib.sha256(picture).hexdigest() == sha else None

    def add(self, content: bytes) -> str:
        """Make a picture of any common format a WebP of 320 px at its longer side, upright and without what the camera
        wrote into it, and keep it; returns its sha. The same picture is kept once. Raises Refused, StorageFull."""
        picture = _shrink(content)
        sha = hashlib.sha256(picture).hexdigest()
        if self.find(sha) is None:
            self._keep(self._folder / f"{sha}.webp", picture)
        return sha

    def _keep(self, path: Path, picture: bytes) -> None:
        """Under its name only when it is whole and on the disk: what tablets fetch never changes."""
        part = path.with_name(f"{path.name}.{os.getpid()}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:
                file.write(picture)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as problem:
            raise StorageFull(f"The picture cannot be kept in {self._folder} ({problem.strerror}).") from None
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)

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


def _shrink(content: bytes) -> bytes:
    from PIL import Image, ImageOps, UnidentifiedImageError  # a tenth of a second that no other command needs

    try:
        with Image.open(BytesIO(content)) as opened:
            if opened.width * opened.height > PIXELS_MAX:
                raise Refused(f"The picture is larger than {PIXELS_MAX // 1_000_000} megapixels: give a smaller one.")
            upright = ImageOps.exif_transpose(opened)
            is_see_through = "A" in upright.getbands() or "transparency" in upright.info
            shown = upright.convert("RGBA" if is_see_through else "RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise Refused("This is no picture that can be read: give a JPEG, PNG or WebP file.") from None
    shown.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    made = BytesIO()
    shown.save(made, "WEBP", quality=_QUALITY, method=6, exif=b"")
    return made.getvalue()

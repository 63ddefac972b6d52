"""Where the key of the tablet's database lies: in the system's key ring, or in a file of mode 0600 beside the database.

A data directory named on the command line always keeps its key in the file, so that it can be moved, tried out and
thrown away whole without leaving anything in the account's key ring.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import secrets
from pathlib import Path
from typing import Any, Final

from associate_app.ports import KeyStore
from shared.errors import Damaged, StorageFull

_KEY: Final = re.compile(r"[0-9a-f]{64}\Z")
_RING_SERVICE: Final = "floorside"
_KEY_BYTES: Final = 32


class FileKeyStore:
    """Keys as files `<folder>/<name>.key` that only this account may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def database_key(self, name: str) -> str:
        """The key of a database, made at first use. Raises Damaged if the file holds no key."""
        path = self._path(name)
        if not path.exists():
            self._make(path)
        try:
            key = path.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            key = ""
        if not _KEY.match(key):
            raise Damaged(
                f"The key file {path} is damaged or cannot be read. Put it back from a copy; without it this tablet's "
                "records cannot be opened. To begin anew, move the whole folder aside and connect the tablet again."
            )
        return key

    def forget(self, name: str) -> None:
        """Delete a key."""
        self._path(name).unlink(missing_ok=True)

    def has_key(self, name: str) -> bool:
        """Say whether a key was made."""
        return self._path(name).exists()

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.key"

    def _make(self, path: Path) -> None:
        """Write a whole key or none: of two processes that begin together, both read the first one's."""
        fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(secrets.token_hex(_KEY_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            _put_in_place(fresh, path)
        except OSError as problem:
            raise StorageFull(
                f"The key of this tablet's records cannot be written to {path.parent} ({problem.strerror}). "
                "Make room or allow this account to write there, then start again."
            ) from problem
        finally:
            with contextlib.suppress(OSError):
                fresh.unlink()


def _put_in_place(fresh: Path, path: Path) -> None:
    try:
        os.link(fresh, path)
    except FileExistsError:
        return
    except OSError:
        fresh.replace(path)


class RingKeyStore:
    """Keys in the system's key ring (Keychain, Credential Manager, Secret Service)."""

    def __init__(self, ring: Any) -> None:
        self._ring = ring

    def database_key(self, name: str) -> str:
        """The key of a database, made at first use. Raises Damaged if the ring refuses or holds something else."""
        try:
            key = self._ring.get_password(_RING_SERVICE, name)
            if key is None:
                key = secrets.token_hex(_KEY_BYTES)
                self._ring.set_password(_RING_SERVICE, name, key)
        except Exception as problem:
            raise Damaged(
                "The system's key ring does not give out the key of this tablet's records. Unlock it (sign in to the "
                "device again), then start once more."
            ) from problem
        if not _KEY.match(key):
            raise Damaged(
                "The system's key ring holds something else where the key of this tablet's records should be. Put the "
                f"entry {_RING_SERVICE}/{name} back, or move the records aside and connect the tablet again."
            )
        return str(key)

    def has_key(self, name: str) -> bool:
        """Say whether a key was made; a ring that does not answer is left to tell so when the key is asked for."""
        try:
            return self._ring.get_password(_RING_SERVICE, name) is not None
        except Exception:  # noqa: BLE001 (a ring raises what its backend likes)
            return True

    def forget(self, name: str) -> None:
        """Delete a key."""
        try:
            self._ring.delete_password(_RING_SERVICE, name)
        except Exception as problem:
            raise Damaged("The system's key ring did not delete the key of this tablet's records.") from problem


def choose_key_store(folder: Path, name: str, *, is_own_folder: bool) -> KeyStore:
    """The key ring where one works, else the file. A key file once made stays in use; `is_own_folder` asks for it."""
    file_store = FileKeyStore(folder)
    if is_own_folder or file_store.has_key(name):
        return file_store
    ring = _working_ring()
    return RingKeyStore(ring) if ring is not None else file_store


def _working_ring() -> Any | None:
    """The key ring if its package is there and finds a real backend on this device."""
    try:
        keyring = importlib.import_module("keyring")
        return keyring if keyring.get_keyring().priority >= 1 else None
    except Exception:  # noqa: BLE001 (a ring that does not work raises what its backend likes)
        return None

"""The file in which a journal leaves a tablet that cannot send it: written by the tablet, read by HQ's salvage.

JSON lines: a header `{"format", "install_id", "device_id", "store", "recorded", "pending"}`, then every kept op oldest
first as `{"op", "chain", "state"}`. Sealed it is `FSJ1.` + base64url salt + `.` + a Fernet token whose key scrypt
(n = 2^15, r = 8, p = 1) makes from the passphrase and the salt. Pure: no file, no chance.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from shared.errors import Refused

SEALED_PREFIX: Final = "FSJ1."
FORMAT: Final = "floorside-journal-1"
SALT_BYTES: Final = 16
PASSPHRASE_MIN: Final = 8
_NOT_ONE: Final = "This is not a journal that a Floorside tablet wrote, or it is damaged. Export it again."


@dataclass(frozen=True, slots=True)
class JournalFile:
    """A journal as read: its header, and its ops as push would send them, oldest first, with the states they had."""

    header: Mapping[str, Any]
    ops: tuple[Mapping[str, Any], ...]
    states: tuple[str, ...]


def spell_line(value: Mapping[str, Any]) -> str:
    """One line of the file, without its end."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def seal_journal(lines: Iterable[str], passphrase: str, salt: bytes) -> str:
    """The lines sealed with a passphrase. `salt` is 16 random bytes. Raises Refused for a passphrase too short."""
    if len(passphrase) < PASSPHRASE_MIN:
        raise Refused(f"A passphrase has at least {PASSPHRASE_MIN} characters.")
    sealed = _fernet(passphrase, salt).encrypt("\n".join(lines).encode())
    return SEALED_PREFIX + base64.urlsafe_b64encode(salt).decode() + "." + sealed.decode()


def unseal_journal(text: str, passphrase: str) -> list[str]:
    """The lines of a sealed file. Raises Refused for another passphrase or a damaged file."""
    try:
        salt, sealed = text.removeprefix(SEALED_PREFIX).strip().split(".", 1)
        return _fernet(passphrase, base64.urlsafe_b64decode(salt)).decrypt(sealed.encode()).decode().split("\n")
    except (ValueError, InvalidToken):
        raise Refused("This file cannot be opened: the passphrase is another one, or the file is damaged.") from None


def read_journal(text: str, passphrase: str | None = None) -> JournalFile:
    """A whole file, sealed or not. Raises Refused where it is no journal, is damaged, or needs its passphrase."""
    if text.startswith(SEALED_PREFIX):
        if passphrase is None:
            raise Refused("This journal is sealed. Give the passphrase it was exported with.")
        lines = unseal_journal(text, passphrase)
    else:
        lines = text.split("\n")
    try:
        header, *entries = [json.loads(line) for line in lines if line]
        if header["format"] != FORMAT:
            raise Refused(_NOT_ONE)
        ops = tuple({**entry["op"]} for entry in entries)
        return JournalFile(header, ops, tuple(str(entry["state"]) for entry in entries))
    except (ValueError, KeyError, TypeError):
        raise Refused(_NOT_ONE) from None


def _fernet(passphrase: str, salt: bytes) -> Fernet:
    key = Scrypt(salt=salt[:SALT_BYTES], length=32, n=2**15, r=8, p=1).derive(passphrase.encode())
    return Fernet(base64.urlsafe_b64encode(key))

"""Taking the journal off a tablet that can no longer send it: plain JSON lines, or sealed with a passphrase.

HQ's `salvage` reads the lines and merges them only when a person approves. A sealed file begins with `FSJ1.`: scrypt
(n = 2^15, r = 8, p = 1) makes the key from the passphrase, Fernet seals the lines.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any, Final

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from associate_app.ports import TabletDatabase
from shared.errors import Refused

SEALED_PREFIX: Final = "FSJ1."
FORMAT: Final = "floorside-journal-1"
_SALT_BYTES: Final = 16
_ALL: Final = 2**31
_PASSPHRASE_MIN: Final = 8


def export_journal(database: TabletDatabase) -> Iterator[str]:
    """JSON lines without their ends: a header, then every kept op oldest first as `{"op", "chain", "state"}`."""
    device = database.device()
    counts = database.counts()
    yield _spell(
        {
            "format": FORMAT,
            "install_id": database.install_id(),
            "device_id": device.device_id if device else None,
            "store": device.store if device else None,
            "recorded": counts.recorded,
            "pending": counts.pending,
        }
    )
    for entry in reversed(database.entries(limit=_ALL)):
        if entry.op.body:
            yield _spell({"op": entry.op.as_wire(), "chain": entry.chain, "state": entry.state})


def seal_journal(lines: Iterator[str], passphrase: str, salt: bytes) -> str:
    """The lines sealed with a passphrase. `salt` is 16 random bytes. Raises Refused for a passphrase too short."""
    if len(passphrase) < _PASSPHRASE_MIN:
        raise Refused(f"A passphrase has at least {_PASSPHRASE_MIN} characters.")
    sealed = _fernet(passphrase, salt).encrypt("\n".join(lines).encode())
    return SEALED_PREFIX + base64.urlsafe_b64encode(salt).decode() + "." + sealed.decode()


def unseal_journal(text: str, passphrase: str) -> list[str]:
    """The lines of a sealed file. Raises Refused for another passphrase or a damaged file."""
    try:
        salt, sealed = text.removeprefix(SEALED_PREFIX).strip().split(".", 1)
        return _fernet(passphrase, base64.urlsafe_b64decode(salt)).decrypt(sealed.encode()).decode().split("\n")
    except (ValueError, InvalidToken):
        raise Refused("This file cannot be opened: the passphrase is another one, or the file is damaged.") from None


def _fernet(passphrase: str, salt: bytes) -> Fernet:
    key = Scrypt(salt=salt[:_SALT_BYTES], length=32, n=2**15, r=8, p=1).derive(passphrase.encode())
    return Fernet(base64.urlsafe_b64encode(key))


def _spell(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

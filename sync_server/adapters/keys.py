"""The key folder `<data-dir>/keys/`: one small file a key, mode 0600, never in the database or a plain backup.

`receipt-r1.pem` and `card-1.pem` are Ed25519 private keys (the highest number signs, older ones only verify);
`cursor.secret` and `erasure.secret` are 32 random bytes in hex. A server that finds one of these missing refuses to
start, for a new one would make every card a stranger's; each gets its name when it is whole, and never changes. Only
`hook-NAME.secret`, what a webhook's sender signs with, may be replaced: it is read when a delivery comes.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from shared.errors import Damaged, Refused

SECRETS: Final = ("cursor", "erasure")
HOOK: Final = "hook-"
"""How the files of webhooks' secrets begin: `hook-NAME.secret`."""
CARD_KEYS_MAX: Final = 255
"""A card names its key in one byte."""
_RECEIPT: Final = re.compile(r"receipt-(r(\d{1,4}))\.pem\Z")
_CARD: Final = re.compile(r"card-(\d{1,3})\.pem\Z")
_SECRET_HEX: Final = re.compile(r"[0-9a-f]{64}\s*\Z")


class FileKeyFolder:
    """The `KeyFolder` port over files. A folder that is not there yet holds no keys; a key that another process put
    there since is found by its name when keys are asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._receipts: dict[int, Ed25519PrivateKey] = {}
        self._cards: dict[int, Ed25519PrivateKey] = {}
        self._secrets: dict[str, bytes] = {}
        self._names: set[str] = set()
        self._read()

    def _look(self) -> None:
        """Take up keys that came since. One that cannot be read waits for the next start, which names it."""
        with suppress(OSError, Damaged):
            if set(os.listdir(self._folder)) != self._names:  # noqa: PTH208 - half the cost, and pushes ask often
                self._read()

    def _read(self) -> None:
        for path in sorted(self._folder.iterdir()) if self._folder.is_dir() else []:
            if match := _RECEIPT.match(path.name):
                self._receipts[int(match[2])] = _read_private_key(path)
            elif match := _CARD.match(path.name):
                self._cards[int(match[1])] = _read_private_key(path)
            elif path.suffix == ".secret" and path.stem in SECRETS:
                self._secrets[path.stem] = _read_secret(path)
            self._names.add(path.name)

    def receipt_key(self) -> tuple[str, Ed25519PrivateKey]:
        """(kid, key) that signs receipts now."""
        self._look()
        number = self._newest(self._receipts, "receipt-r1.pem")
        return f"r{number}", self._receipts[number]

    def card_key(self) -> tuple[int, Ed25519PrivateKey]:
        """(kid, key) that signs cards now."""
        self._look()
        number = self._newest(self._cards, "card-1.pem")
        return number, self._cards[number]

    def hmac_key(self, purpose: str) -> bytes:
        """The 32-byte secret of a purpose."""
        if purpose not in self._secrets:
            raise Damaged(_missing(self._folder, f"{purpose}.secret"))
        return self._secrets[purpose]

    def hook_secret(self, name: str) -> bytes | None:
        """What the sender of a webhook signs with or shows; None where the folder has none."""
        path = self._folder / f"{HOOK}{name}.secret"
        return _read_bytes(path).strip() if path.is_file() else None

    def keep_hook_secret(self, name: str, secret: bytes) -> None:
        """Keep the secret of a webhook's sender, in the place of the one before."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._folder / f".{HOOK}{name}.fresh"
        fresh.unlink(missing_ok=True)
        _write_new(fresh, secret.strip() + b"\n")
        fresh.replace(self._folder / f"{HOOK}{name}.secret")

    def public_receipt_keys(self) -> Mapping[str, bytes]:
        """kid -> raw public key, old ones included."""
        self._look()
        return {f"r{number}": key.public_key().public_bytes_raw() for number, key in self._receipts.items()}

    def public_card_keys(self) -> Mapping[int, bytes]:
        """kid -> raw public key, old ones included."""
        self._look()
        return {number: key.public_key().public_bytes_raw() for number, key in self._cards.items()}

    def inventory(self) -> dict[str, str]:
        """File name -> fingerprint of what it holds: what the database remembers of this folder."""
        held = {f"receipt-{kid}.pem": fingerprint(raw) for kid, raw in self.public_receipt_keys().items()}
        held |= {f"card-{kid}.pem": fingerprint(raw) for kid, raw in self.public_card_keys().items()}
        return held | {f"{name}.secret": fingerprint(secret) for name, secret in self._secrets.items()}

    def make_missing(self) -> None:
        """Make the first key of each kind that is not there: only for a chain that is being made.

        Keys found in the folder are kept, so that a first start broken off between keys and database goes on with them.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        if not self._receipts:
            self._write_private_key("receipt-r1.pem")
        if not self._cards:
            self._write_private_key("card-1.pem")
        for name in SECRETS:
            if name not in self._secrets:
                _write_new(self._folder / f"{name}.secret", secrets.token_hex(32).encode() + b"\n")
        self._read()

    def make_next(self, purpose: str) -> str:
        """Make a new `receipt` or `card` key, which signs from now on; returns its file name. Raises Refused."""
        self._look()
        held, form, most = {
            "receipt": (self._receipts, "receipt-r{}.pem", 9999),
            "card": (self._cards, "card-{}.pem", CARD_KEYS_MAX),
        }[purpose]
        number = max(held, default=0) + 1
        if number > most:
            raise Refused(f"There are {most} {purpose} keys already, and a {purpose} can name no more.")
        name = form.format(number)
        try:
            self._write_private_key(name)
        except FileExistsError:
            raise Refused(f"Another command is making {name} at this moment. See `sync-server keys list`.") from None
        self._read()
        return name

    def _write_private_key(self, name: str) -> None:
        pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        _write_new(self._folder / name, pem)

    def _newest(self, keys: Mapping[int, Ed25519PrivateKey], name: str) -> int:
        if not keys:
            raise Damaged(_missing(self._folder, name))
        return max(keys)


def fingerprint(key: bytes) -> str:
    """Hex SHA-256 of a public key or secret: tells another key in its place, betrays nothing."""
    return hashlib.sha256(b"floorside key" + key).hexdigest()


def _missing(folder: Path, name: str) -> str:
    return (
        f"The key file {folder / name} is missing. Put it back from where your keys are kept safe; "
        "a new key would make every card and receipt signed so far worthless."
    )


def _read_private_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(_read_bytes(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Damaged(_damaged(path)) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Damaged(_damaged(path))
    return key


def _read_secret(path: Path) -> bytes:
    text = _read_bytes(path).decode("ascii", "replace")
    if not _SECRET_HEX.match(text):
        raise Damaged(_damaged(path))
    return bytes.fromhex(text.strip())


def _read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise Damaged(
            f"The key file {path} cannot be read ({problem.strerror}). Give this account access to it."
        ) from None


def _damaged(path: Path) -> str:
    return f"The key file {path} is damaged. Put it back from where your keys are kept safe; nothing was changed."


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist, readable by this account only. It gets its name when it is whole and on the
    disk, for a running server takes it up the moment it sees it. Raises FileExistsError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.unlink(missing_ok=True)
    try:
        number = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(part)
    finally:
        part.unlink(missing_ok=True)

"""Golden files: an exchange as its exact bytes, and the headquarters whose every byte is fixed (keys, epoch, clock).

A file holds a request, a line of `=`, and its answer. Bodies stand unpacked; `content-encoding` says how they went.
A picture's body is told by its hash. Devices and ids of the story are planted, so that no file hangs on HQ's dice.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sync_server.ports import Device
from sync_server.services.enrolment import sha256_hex
from sync_server.services.headquarters import Headquarters
from sync_server.services.sessions import EPOCH_NOTE
from tests.support.asking import Asker
from tests.support.world import make_headquarters

FOLDER: Final = Path(__file__).resolve().parents[1] / "contract" / "golden" / "floor-sync-1"
EPOCH: Final = "019aab00-0000-7000-8000-0000000000e1"
RECEIPT_SEED: Final = bytes(range(32))
CARD_SEED: Final = bytes(range(32, 64))
CURSOR_SECRET: Final = bytes(range(64, 96))
_LINE: Final = b"\n====\n"
_KEPT: Final = ("content-type", "content-encoding", "vary", "cache-control", "etag", "retry-after", "www-authenticate")


@dataclass(frozen=True, slots=True)
class Ask:
    """A request of the story. `is_packed` sends the body gzipped."""

    name: str
    method: str
    path: str
    token: str | None = None
    body: bytes = b""
    is_packed: bool = False

    def as_bytes(self) -> bytes:
        """The request as its file holds it."""
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"content-encoding": "gzip"} if self.is_packed else {}
        return _spell(f"{self.method} {self.path}", headers, self.body)

    @classmethod
    def from_bytes(cls, name: str, held: bytes) -> Ask:
        """Read a frozen request."""
        first, headers, body = _read(held)
        method, _, path = first.partition(" ")
        token = headers.get("authorization", "").removeprefix("Bearer ") or None
        return cls(name, method, path, token, body, "content-encoding" in headers)

    def put_to(self, asker: Asker) -> httpx.Response:
        """Send it to the real app."""
        headers = {"Accept-Encoding": "gzip"}
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= {"Content-Encoding": "gzip"} if self.is_packed else {}
        return asker.ask(
            self.method, self.path, content=gzip.compress(self.body) if self.is_packed else self.body, headers=headers
        )


@dataclass(slots=True)
class Exchange:
    """A request with what HQ answered, both as bytes."""

    name: str
    request: bytes
    answer: bytes

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.http"

    def as_bytes(self) -> bytes:
        """The file."""
        return self.request + _LINE + self.answer + b"\n"

    @classmethod
    def read(cls, path: Path) -> Exchange:
        """A frozen file."""
        request, answer = path.read_bytes().removesuffix(b"\n").split(_LINE)
        return cls(path.stem, request, answer)

    def answer_body(self) -> bytes:
        """The answer's body alone."""
        return _read(self.answer)[2]

    def request_body(self) -> bytes:
        """The request's body alone."""
        return _read(self.request)[2]

    def status(self) -> int:
        """The answer's status."""
        return int(_read(self.answer)[0])


def answer_bytes(reply: httpx.Response) -> bytes:
    """An answer as its file holds it: status, the headers the protocol speaks of, the unpacked body."""
    headers = {name: reply.headers[name] for name in _KEPT if name in reply.headers}
    body = reply.content
    if headers.get("content-type", "").startswith("image/"):
        body = f"{len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()}".encode()
    return _spell(str(reply.status_code), headers, body)


def _spell(first: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [first, *(f"{name}: {value}" for name, value in headers.items())]
    return "\n".join(lines).encode() + b"\n\n" + body


def _read(held: bytes) -> tuple[str, dict[str, str], bytes]:
    head, _, body = held.partition(b"\n\n")
    first, *lines = head.decode().split("\n")
    return first, dict(line.split(": ", 1) for line in lines), body


# the headquarters -----------------------------------------------------------------------------------------------------


def fixed_key(seed: bytes) -> Ed25519PrivateKey:
    """A key everybody may know: for golden files and the page's vectors only."""
    return Ed25519PrivateKey.from_private_bytes(seed)


@contextmanager
def golden_headquarters(folder: Path) -> Iterator[Headquarters]:
    """An HQ with fixed keys and epoch; its clock stands at 2026-11-22T10:00:00.000Z until the story moves it."""
    keys = folder / "keys"
    keys.mkdir(parents=True)
    for name, seed in (("receipt-r1.pem", RECEIPT_SEED), ("card-1.pem", CARD_SEED)):
        pem = fixed_key(seed).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (keys / name).write_bytes(pem)
    (keys / "cursor.secret").write_text(CURSOR_SECRET.hex(), encoding="ascii")
    hq = make_headquarters(f"sqlite:///{folder / 'central.db'}", folder)
    with hq.database.write() as tx:
        tx.write_note(EPOCH_NOTE, EPOCH)
    try:
        yield hq
    finally:
        hq.database.close()


def plant_device(hq: Headquarters, device: Device, token: str, install_id: str) -> None:
    """A device with a token that the story chose, as enrolment would leave it."""
    row = {
        "device_id": device.device_id,
        "store": device.store,
        "name": device.name,
        "token_hash": sha256_hex(token),
        "next_token_hash": None,
        "stores_held": '["' + device.store + '"]',
        "app": device.app,
        "enrolled_at": hq.now_at(),
    }
    with hq.database.write() as tx:
        tx.put_row("device", row)
        tx.save_install(replace(tx.lock_install(install_id, device.device_id), device_id=device.device_id))

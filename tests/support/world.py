"""A real headquarters with a clock that tests set and chance from a seed, and a device that makes ops as tablets do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.clock import format_at
from shared.ids import Uuid7
from shared.journal import CHAIN_START, extend_chain
from shared.wire.canonical import sha_of
from sync_server.adapters.erasure_list import FileErasureList
from sync_server.adapters.keys import FileKeyFolder
from sync_server.adapters.media import FolderMediaShelf
from sync_server.ports import Device, Store
from sync_server.services.chain import Chain, add_stores, make_chain
from sync_server.services.enrolment import authenticate, enroll, make_code
from sync_server.services.headquarters import Headquarters
from sync_server.services.intake import take_push
from sync_server.services.sessions import EPOCH_NOTE
from sync_server.settings import Settings
from tests.support.fresh import open_fresh_database

START = datetime(2026, 11, 22, 10, 0, 0, tzinfo=UTC)
BERLIN = Store("berlin-1", "Berlin Mitte", "EUR", "Europe/Berlin", "DE", None, 52_520_000, 13_405_000)
ZURICH = Store("zurich-1", "Zurich", "CHF", "Europe/Zurich", "CH", None, 47_376_900, 8_541_700)
LOYALTY_ID = "2900000000018"


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now

    def move(self, **by: float) -> None:
        self._now += timedelta(**by)

    async def pause(self, seconds: float) -> None:
        self.move(seconds=seconds)


class PatientClock(SetClock):
    """A clock whose pauses never end: only a ring can wake a waiter, never a look from time to time."""

    async def pause(self, seconds: float) -> None:
        await asyncio.Event().wait()


class SeededChance:
    """Chance from a seed."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)

    def bits(self, count: int) -> int:
        return self._random.getrandbits(count)

    def uniform(self, low: float, high: float) -> float:
        return self._random.uniform(low, high)


def make_headquarters(url: str, folder: Path, *, stores: tuple[Store, ...] = (BERLIN, ZURICH)) -> Headquarters:
    """A headquarters with a chain and stores on a fresh database."""
    database, keys = open_fresh_database(url), FileKeyFolder(folder / "keys")
    database.erasures = FileErasureList(folder / "keys", lambda: keys.hmac_key("erasure"))
    clock, chance = SetClock(), SeededChance()
    settings = Settings(data_dir=folder, database=url)
    hq = Headquarters(
        database=database,
        keys=keys,
        clock=clock,
        chance=chance,
        settings=settings,
        make_id=Uuid7(clock.now, chance.bits),
        media=FolderMediaShelf(folder / "media"),
    )
    make_chain(hq, Chain("Nordhang", "EUR", "Europe/Berlin"))
    add_stores(hq, stores)
    with database.write() as tx:
        published = {"play_id": "show-the-cart", "version": 1, "body": "{}", "published_at": hq.now_at()}
        tx.put_row("play_version", published)
    return hq


def pass_time(hq: Headquarters, **by: float) -> None:
    """Move a test's clock on (or back), by `timedelta` words."""
    assert isinstance(hq.clock, SetClock)
    hq.clock.move(**by)


@dataclass(slots=True)
class Journalist:
    """A device that makes ops and pushes them the way a tablet does; its journal is a list."""

    hq: Headquarters
    device: Device
    token: str
    install_id: str
    epoch: str
    seq: int = 0
    ops: list[dict[str, Any]] = field(default_factory=list)

    @property
    def scope(self) -> str:
        return f"store:{self.device.store}"

    def record(self, kind: str, body: Mapping[str, Any], **envelope: Any) -> dict[str, Any]:
        """Append an op to the journal."""
        self.seq += 1
        op = {
            "seq": self.seq,
            "op_id": self.hq.make_id(),
            "kind": kind,
            "schema": 1,
            "scope": self.scope,
            "associate_id": "a0001",
            "occurred_at": format_at(self.hq.clock.now()),
            "amends": None,
            "sha": sha_of(dict(body)),
            "body": dict(body),
        } | envelope
        self.ops.append(op)
        return op

    def outcome(self, outcome: str = "bought", loyalty_id: str = LOYALTY_ID, **envelope: Any) -> dict[str, Any]:
        """Record an outcome."""
        body = {
            "shopper": {"type": "loyalty_id", "value": loyalty_id},
            "play_id": "show-the-cart",
            "play_version": 1,
            "outcome": outcome,
            "arm": "shown",
            "rule_pack": "0" * 64,
        }
        return self.record("outcome_recorded", body, **envelope)

    def note(self, text: str, loyalty_id: str = LOYALTY_ID, **envelope: Any) -> dict[str, Any]:
        """Record a note."""
        body = {"shopper": {"type": "loyalty_id", "value": loyalty_id}, "text": text}
        return self.record("note_added", body, **envelope)

    def message(self, ops: list[dict[str, Any]] | None = None, **changed: Any) -> dict[str, Any]:
        """The push of some ops, all by default."""
        sent = self.ops if ops is None else ops
        return {
            "epoch": self.epoch,
            "device_id": self.device.device_id,
            "install_id": self.install_id,
            "batch_id": self.hq.make_id(),
            "first_seq": sent[0]["seq"] if sent else self.seq + 1,
            "device_now": format_at(self.hq.clock.now()),
            "ops": sent,
        } | changed

    def push(self, ops: list[dict[str, Any]] | None = None, **changed: Any) -> dict[str, Any]:
        """Push and return the reply."""
        message = self.message(ops, **changed)
        return take_push(self.hq.database, self.hq.keys, self.hq.clock, self.hq.chance, self.device, message)

    def chain(self) -> str:
        """The journal's chain over everything recorded."""
        chain = CHAIN_START
        for op in self.ops:
            chain = extend_chain(chain, op["op_id"], op["sha"])
        return chain


def make_journalist(hq: Headquarters, store: str = "berlin-1") -> Journalist:
    """Enrol a device by a one-time code, as a tablet does."""
    install_id = hq.make_id()
    code = make_code(hq, store).code
    reply = enroll(hq, {"code": code, "name": "Tablet", "install_id": install_id, "app": "1.0.0"})
    device = authenticate(hq, reply["token"])
    with hq.database.read() as reader:
        epoch = reader.note(EPOCH_NOTE) or ""
    return Journalist(hq, device, reply["token"], install_id, epoch)


def verdicts(reply: Mapping[str, Any]) -> list[str]:
    """The verdicts of a push reply, with their code where there is one."""
    return [":".join(filter(None, (result["verdict"], result.get("code")))) for result in reply["results"]]

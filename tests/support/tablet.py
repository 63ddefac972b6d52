"""A whole tablet over a real database file, joined to a real headquarters through its ASGI app, in virtual time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from associate_app.adapters.http import HttpEndpoint
from associate_app.adapters.sqlite import TabletFile, open_tablet_database
from associate_app.ports import DeviceIdentity, NewOp
from associate_app.sync.driver import SyncDriver
from associate_app.sync.rounds import SyncSummary, run_until_idle
from shared.clock import format_at
from shared.ids import Uuid7
from shared.wire.messages import EnrollRequest
from shared.wire.ops import Op
from sync_server.services.enrolment import make_code
from sync_server.services.headquarters import Headquarters
from tests.support.asgi_endpoint import AsgiTransport, make_endpoint
from tests.support.world import LOYALTY_ID, START, SeededChance

KEY = "ab" * 32
APP_VERSION = "1.0.0"


class TabletClock:
    """The device's clock: its monotonic side only moves on, its wall side may also be set."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._monotonic_s = 1000.0

    def now(self) -> datetime:
        return self._now

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def move(self, seconds: float) -> None:
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds

    def set(self, now: datetime) -> None:
        self._now = now.astimezone(UTC)


@dataclass(slots=True)
class Tablet:
    """A tablet of a store: its file, its connection to HQ and its sync driver."""

    path: Path
    clock: TabletClock
    chance: SeededChance
    transport: AsgiTransport
    database: TabletFile
    endpoint: HttpEndpoint
    driver: SyncDriver
    app_version: str = APP_VERSION
    make_id: Callable[[], str] = field(init=False)

    def __post_init__(self) -> None:
        self.make_id = Uuid7(self.clock.now, self.chance.bits, after=self.database.newest_op_id())

    def record(self, kind: str, body: dict[str, Any], **envelope: Any) -> Op:
        """Record an op as the services do."""
        device = self.database.device()
        assert device is not None
        given: dict[str, Any] = {
            "op_id": self.make_id(),
            "kind": kind,
            "scope": f"store:{device.store}",
            "associate_id": "a0001",
            "occurred_at": format_at(self.clock.now()),
            "body": body,
        }
        return self.database.record([NewOp(**(given | envelope))])[0]

    def note(self, text: str, loyalty_id: str = LOYALTY_ID, **envelope: Any) -> Op:
        """Record a note about a shopper."""
        return self.record(
            "note_added", {"shopper": {"type": "loyalty_id", "value": loyalty_id}, "text": text}, **envelope
        )

    def sync(self) -> SyncSummary:
        """One full round."""
        return run_until_idle(self.driver)

    def run(self, seconds: float, *, steps_max: int = 20_000) -> None:
        """Let the worker run for so long in virtual time."""
        end_s = self.clock.monotonic_s() + seconds
        for _ in range(steps_max):
            delay_s = self.driver.step()
            if self.clock.monotonic_s() + delay_s >= end_s:
                break
            self.clock.move(delay_s)
        self.clock.move(max(0.0, end_s - self.clock.monotonic_s()))

    def restart(self, *, is_crash: bool = False) -> None:
        """End the program, by itself or by force, and start it again on the same file."""
        if not is_crash:
            self.driver.close()
        self.database.close()
        self.database = open_tablet_database(self.path, KEY, clock=self.clock, chance=self.chance)
        self.endpoint = make_endpoint(self.transport, self._token)
        self.driver = self._make_driver()

    def _token(self) -> str | None:
        device = self.database.device()
        return device.token if device else None

    def _make_driver(self) -> SyncDriver:
        return SyncDriver(
            self.database,
            self.endpoint,
            self.clock,
            self.chance,
            app_version=self.app_version,
            owner=f"worker {self.chance.bits(32)}",
        )


def make_tablet(folder: Path, transport: AsgiTransport, *, seed: int = 1, app_version: str = APP_VERSION) -> Tablet:
    """A tablet that is not connected yet."""
    clock, chance = TabletClock(), SeededChance(seed)
    path = folder / f"tablet-{seed}.db"
    database = open_tablet_database(path, KEY, clock=clock, chance=chance)
    known: list[Tablet] = []
    endpoint = make_endpoint(transport, lambda: known[0]._token())
    driver = SyncDriver(database, endpoint, clock, chance, app_version=app_version, owner=f"worker {chance.bits(32)}")
    tablet = Tablet(path, clock, chance, transport, database, endpoint, driver, app_version)
    known.append(tablet)
    return tablet


def connect(tablet: Tablet, hq: Headquarters, store: str = "berlin-1") -> None:
    """Enrol the tablet with a fresh code."""
    request = EnrollRequest(
        code=make_code(hq, store).code,
        name="Tablet",
        install_id=tablet.database.install_id(),
        app=tablet.app_version,
    )
    reply = tablet.endpoint.enroll(request)
    tablet.database.save_device(
        DeviceIdentity(
            server_url="http://hq.test",
            device_id=reply.device_id,
            token=reply.token,
            name="Tablet",
            store=reply.store,
            receipt_key=reply.receipt_key,
        )
    )

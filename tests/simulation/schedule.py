"""One run of a simulation: a seed becomes tablets, faults, a schedule of steps, a log and a verdict."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest import mock

from shared.fold import Fact, ProfileState, fold
from shared.wire.canonical import canonical
from sync_server.adapters.database import SqlWriter
from sync_server.ports import DocWrite, LedgerRow, RowRefused
from sync_server.services import feed, merge, sessions
from sync_server.services.enrolment import move_device, revoke_device
from tests.simulation.changes import NEW_APP, OLD_APP, Versions, changing_versions, other_store, salvage, set_min_app
from tests.simulation.clocks import HeadquartersClock, TabletClock, TrueTime, open_folder
from tests.simulation.faults import Broken, Network, demand, draw_faults
from tests.simulation.headquarters import CommitLost, SimulatedHeadquarters
from tests.simulation.invariants import Inspector
from tests.simulation.people import (
    REFUSED_BY_THE_DATABASE,
    SPOILS_THE_MERGE,
    People,
    as_recorded,
    think_of_decision,
    think_of_event,
)
from tests.simulation.tablet import PowerCut, SimulatedTablet, Trick
from tests.support.asgi_endpoint import AsgiTransport
from tests.support.world import SeededChance

STEPS: Final = 350
TABLETS: Final = 3
TABLETS_MAX: Final = 6
PAGE: Final = 4
"""Documents a page, so that small feeds have many pages."""
POLL_S: Final = 240
CALM_S_MAX: Final = 6 * 3600.0
CALM_STEPS_MAX: Final = 6000
BACKUP_AGE_S_MAX: Final = 20 * 86_400.0
CONNECT_AGAIN_S: Final = 60.0
DAY_S: Final = 86_400.0
ALWAYS: Final = ("work", "record", "ring", "event", "publish", "night")
"""Deeds that need no fault; every other deed is called as its fault."""
_SKEWS_S: Final = (0.0, 600.0, -600.0, DAY_S, -40 * DAY_S, 1200 * DAY_S, -1200 * DAY_S)


@dataclass(frozen=True, slots=True)
class Plan:
    """What one run is made of."""

    seed: int
    tablets: int = TABLETS
    faults: tuple[str, ...] | None = None
    """None: a draw of the seed."""
    steps: int = STEPS
    calm_steps: int = CALM_STEPS_MAX
    deeds: tuple[str, ...] | None = None
    """What happens, in order, where somebody else than the seed decides it; the seed still draws the rest."""

    def replay(self) -> str:
        """The line that runs it again."""
        parts = [f"python -m tests.simulation --seed {self.seed}"]
        if self.tablets != TABLETS:
            parts.append(f"--tablets {self.tablets}")
        if self.steps != STEPS:
            parts.append(f"--steps {self.steps}")
        if self.faults is not None:
            parts.append(f"--faults {','.join(self.faults) or 'none'}")
        if self.deeds is not None:
            parts.append(f"--deeds {','.join(self.deeds)}")
        return " ".join(parts)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended: the hash of its log, and the invariant that broke, if one did."""

    plan: Plan
    log_sha: str
    broken: str | None
    log: tuple[str, ...]
    ops: int = 0
    requests: int = 0


@dataclass(slots=True)
class World:
    """Everything of one run."""

    plan: Plan
    folder: Path
    versions: Versions
    chance: random.Random = field(init=False)
    time: TrueTime = field(default_factory=TrueTime)
    log: list[str] = field(default_factory=list)
    faults: tuple[str, ...] = field(init=False)
    hq: SimulatedHeadquarters = field(init=False)
    network: Network = field(init=False)
    people: People = field(init=False)
    inspector: Inspector = field(init=False)
    tablets: list[SimulatedTablet] = field(default_factory=list)
    connected_s: dict[str, float] = field(default_factory=dict)
    events: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.plan.seed)
        drawn = draw_faults(self.chance, self.plan.seed)
        self.faults = drawn if self.plan.faults is None else self.plan.faults
        self.hq = SimulatedHeadquarters(self.folder / "hq", self.time, self.chance)
        self.network = Network(self.hq, self.time, self.chance, self.say, self.faults)
        self.people = People(self.chance, self.faults)
        self.inspector = Inspector(self.hq)

    def say(self, words: str) -> None:
        """Add a line to the log whose hash two runs of a seed must share."""
        self.log.append(f"{self.time.now_s:.3f} {words}")

    # tablets

    def add_tablet(self, store: str) -> SimulatedTablet:
        """A device with an empty disk."""
        name = f"tablet{len(self.tablets)}"
        folder = self.folder / name
        folder.mkdir()
        transport = AsgiTransport(self.hq)
        clock, chance = TabletClock(self.time), SeededChance(self.chance.getrandbits(64))
        tablet = SimulatedTablet(name, folder, store, self.time, transport, clock, chance)
        transport.spoil = self.network.way_of(name, lambda: tablet.offline_until_s > self.time.now_s)
        self.tablets.append(tablet)
        return tablet

    def connect(self, tablet: SimulatedTablet) -> None:
        """Enrol over a network that works: a person stands beside it."""
        was_calm, self.network.is_calm, offline = self.network.is_calm, True, tablet.offline_until_s
        tablet.offline_until_s = 0.0
        trick, tablet.wire.trick = tablet.wire.trick, None
        tablet.enrol(self.hq.services)
        tablet.wire.trick = trick
        self.network.is_calm, tablet.offline_until_s = was_calm, offline
        self.connected_s[tablet.name] = self.time.now_s
        self.say(f"{tablet.name} connected")

    def begin(self) -> None:
        """Start and connect the tablets of two stores."""
        for number in range(self.plan.tablets):
            tablet = self.add_tablet("berlin-1" if number % 3 < 2 else "zurich-1")
            tablet.start()
            self.connect(tablet)

    # one step

    def work(self) -> None:
        """The tablet that is due next takes one step."""
        tablet = min(self.tablets, key=lambda one: (one.wake_s, one.name))
        self.time.move(tablet.wake_s - self.time.now_s)
        self.under_power(tablet, tablet.step)
        self.say(f"{tablet.name} {tablet.driver.state.phase}")

    def under_power(self, tablet: SimulatedTablet, deed: Callable[[], Any]) -> bool:
        """Do something on a tablet; a power cut ends its program and starts it again. True if power stayed."""
        try:
            deed()
        except PowerCut:
            self.say(f"{tablet.name} lost power")
            tablet.cut_power()
            return False
        return True

    def record(self) -> None:
        """An associate records something; what was committed must be in the file, whatever happened after."""
        tablet = self.chance.choice(self.tablets)
        if tablet.database.device() is None:
            return
        op, becomes = self.people.think_of(tablet)
        self.inspector.recorded[op.op_id] = as_recorded(op, becomes)
        if "poison" in becomes:
            self.network.poison.add(op.op_id)
        is_saved = False
        try:
            is_saved = self.under_power(tablet, lambda: tablet.record(op)) or tablet.wire.was_committed
        except Exception as refusal:  # noqa: BLE001 - a full disk, or the planted bug: the associate was told
            self.say(f"{tablet.name} could not record: {type(refusal).__name__}")
        if is_saved:
            tablet.held.add(op.op_id)
        tablet.wire.was_committed = False
        self.say(f"{tablet.name} recorded {op.op_id} {op.kind} {is_saved}")

    def check(self) -> None:
        """All invariants that hold at every moment."""
        self.inspector.check_hq()
        for tablet in self.tablets:
            bugs = [bug for bug in tablet.transport.bugs if not isinstance(bug, CommitLost)]
            demand(not bugs, "a bug of HQ", f"{bugs[:1]}")
            self.inspector.check_tablet(tablet)

    # the schedule

    def run(self) -> None:
        """Faults first, then calm, then what must hold at rest."""
        self.begin()
        deeds = self._deeds()
        for name in self._schedule({name: weight for name, (weight, _) in deeds.items()}):
            deeds[name][1]()
            self.network.deliver_late()
            self.check()
        self.calm_down()
        self.inspector.check_rest(self.tablets, self.chance)
        self._check_idle()

    def _schedule(self, weights: Mapping[str, float]) -> Iterator[str]:
        """What is done, in order: the plan's own deeds, or as many as it wants by the seed."""
        if self.plan.deeds is not None:
            yield from self.plan.deeds
            return
        for _ in range(self.plan.steps):
            yield self.chance.choices(list(weights), list(weights.values()))[0]

    def _deeds(self) -> dict[str, tuple[float, Callable[[], None]]]:
        """What may happen next: name -> (weight, deed). Only this run's faults are in it."""
        always: dict[str, tuple[float, Callable[[], None]]] = {
            "work": (62, self.work),
            "record": (16, self.record),
            "ring": (3, self._ring),
            "event": (2, self._event),
            "publish": (1, self._publish),
            "night": (0.6, self._night),
        }
        faults: dict[str, tuple[float, Callable[[], None]]] = {
            "power": (3, lambda: self._trip("before", "after")),
            "full": (1, lambda: self._trip("full")),
            "bug": (1.5, lambda: self._trip("bug")),
            "clone": (0.5, self._clone),
            "restore_tablet": (1.5, self._copy_or_restore_tablet),
            "wipe": (0.3, self._wipe),
            "sidecar": (0.4, self._lose_sidecar),
            "clock": (1.5, self._set_clock),
            "offline": (0.8, self._go_offline),
            "restore_hq": (1.5, self._back_up_or_restore_hq),
            "restart_hq": (0.5, self._restart_hq),
            "revoke": (0.4, self._revoke),
            "time": (0.6, self._pass_days),
            "move": (0.5, self._move),
            "schema": (0.4, self._change_documents),
            "min_app": (0.6, self._change_app),
            "decide": (1, self._decide),
            "salvage": (0.6, self._salvage),
        }
        return always | {name: deed for name, deed in faults.items() if name in self.faults}

    def _any(self) -> SimulatedTablet:
        return self.chance.choice(self.tablets)

    def _ring(self) -> None:
        tablet = self._any()
        tablet.driver.ring(self.chance.choice(("asked", "doorbell")))
        tablet.wake_s = min(tablet.wake_s, self.time.now_s)

    def _event(self) -> None:
        self.events += 1
        clock = self.hq.services.clock
        assert isinstance(clock, HeadquartersClock)
        self.hq.take_event(think_of_event(self.chance, clock, self.events))

    def _publish(self) -> None:
        """HQ changes documents for all stores, several in one transaction, and takes one back."""
        self.events += 1
        writes = [
            DocWrite("all", f"template/{number}", canonical({"id": str(number), "text": f"note {self.events}"}))
            for number in range(self.chance.randint(1, 9))
        ]
        writes.append(DocWrite("all", f"template/{self.chance.randint(0, 9)}", None, "ended"))
        with self.hq.database.write() as tx:
            tx.publish(writes, self.hq.services.now_at())

    def _night(self) -> None:
        self.hq.tidy_up()
        self.say("night")

    def _trip(self, *tricks: Trick) -> None:
        tablet = self._any()
        tablet.wire.arm(self.chance.choice(tricks), self.chance.randint(0, 6))

    def _clone(self) -> None:
        source = self._any()
        if len(self.tablets) >= TABLETS_MAX or source.database.device() is None:
            return
        twin = self.add_tablet(source.store)
        source.copy_files(twin.folder / "from")
        twin.put_files(twin.folder / "from")
        twin.held = set(source.held)
        twin.clock.skew_s = source.clock.skew_s
        twin.start()
        self.say(f"{twin.name} is a copy of {source.name}")

    def _copy_or_restore_tablet(self) -> None:
        tablet = self._any()
        if not tablet.copies or self.chance.random() < 0.4:
            tablet.keep_copy()
        else:
            tablet.restore_copy(self.chance)
            self.find_tablets()
        self.say(f"{tablet.name} copied or restored")

    def _wipe(self) -> None:
        tablet = self._any()
        tablet.wipe()
        self.connect(tablet)

    def _lose_sidecar(self) -> None:
        self._any().lose_sidecar()

    def _set_clock(self) -> None:
        tablet = self._any()
        tablet.clock.skew_s = self.chance.choice(_SKEWS_S)
        self.say(f"{tablet.name} clock {tablet.clock.skew_s}")

    def _go_offline(self) -> None:
        self._any().offline_until_s = self.time.now_s + self.chance.choice((300, 3600, DAY_S, 20 * DAY_S))

    def _back_up_or_restore_hq(self) -> None:
        young = [path for at_s, path in self.hq.backups if self.time.now_s - at_s < BACKUP_AGE_S_MAX]
        if not young or self.chance.random() < 0.6:
            self.hq.back_up()
        else:
            self.hq.restore(self.chance.choice(young))
            self.find_tablets()
        self.say(f"HQ in {self.hq.epoch()}")

    def _restart_hq(self) -> None:
        self.hq.restart()

    def _revoke(self) -> None:
        device = self._any().database.device()
        known = {row[0] for row in self.hq.rows("SELECT device_id FROM device")}
        if device is not None and device.device_id in known:
            revoke_device(self.hq.services, device.device_id)
            self.say(f"revoked {device.name}")

    def _pass_days(self) -> None:
        self.time.move(self.chance.choice((0.1, 1, 3, 16)) * DAY_S)
        if self.chance.random() < 0.5:
            self._night()

    def _move(self) -> None:
        """HQ gives a tablet to another store, unsent ops and all; one with nothing unsent may be connected there anew,
        which the app refuses as long as records are here only."""
        tablet = self._any()
        device, store = tablet.database.device(), other_store(tablet.store, self.chance)
        is_known = device is not None and self._holds(tablet, device.device_id)
        if not tablet.database.counts().pending and not is_known:
            tablet.store = store
            self.connect(tablet)
        elif is_known and device is not None:
            move_device(self.hq.services, device.device_id, store)
            self.find_tablets()
        self.say(f"{tablet.name} is in {tablet.store} now")

    def find_tablets(self) -> None:
        """Where HQ has each tablet: a copy goes where its twin is moved, and an old file is where its device was."""
        stores = dict(self.hq.rows("SELECT device_id, store FROM device"))
        for tablet in self.tablets:
            device = tablet.database.device()
            tablet.store = stores.get(device.device_id, tablet.store) if device else tablet.store

    def _holds(self, tablet: SimulatedTablet, device_id: str) -> bool:
        rows = self.hq.rows("SELECT store, revoked_at FROM device WHERE device_id = ?", (device_id,))
        return rows == [(tablet.store, None)]

    def _change_documents(self) -> None:
        self.versions.set_document_schema(self.chance.choice((1, 2, 3)))

    def _change_app(self) -> None:
        """HQ asks for a newer app, or no longer; or a tablet gets it, or the old one back."""
        if self.chance.random() < 0.5:
            set_min_app(self.hq.services, self.chance.choice(("0", NEW_APP)))
        else:
            self._any().change_app(self.chance.choice((OLD_APP, NEW_APP)))

    def _decide(self) -> None:
        self.events += 1
        clock = self.hq.services.clock
        assert isinstance(clock, HeadquartersClock)
        self.hq.take_event(think_of_decision(self.chance, clock, self.events))

    def _salvage(self) -> None:
        """What is handed in past the journal is kept apart: nothing of it is in the ledger (I2)."""
        tablet = self._any()
        before = self.hq.rows("SELECT count(*) FROM fact")
        told = salvage(tablet, self.chance.choice(("revoked", "forked", "withheld")))
        demand(self.hq.rows("SELECT count(*) FROM fact") == before, "I2", "salvage merged what nobody approved")
        self.say(f"{tablet.name} salvaged {told}")

    # calm

    def calm_down(self) -> None:
        """The faults stop; every tablet must catch up in bounded time (I19)."""
        self.network.is_calm, self.network.late = True, []
        if "min_app" in self.faults:
            set_min_app(self.hq.services, OLD_APP)
        for tablet in self.tablets:
            tablet.offline_until_s, tablet.wire.trick = 0.0, None
            tablet.driver.ring("asked")
            tablet.wake_s = self.time.now_s
        end_s = self.time.now_s + CALM_S_MAX
        waiting = self.waiting()
        for _ in range(self.plan.calm_steps):
            if not waiting:
                return
            self.work()
            self._connect_who_must()
            self.check()
            waiting = self.waiting()
            demand(self.time.now_s < end_s, "I19", f"{waiting} did not catch up")
        demand(False, "I19", f"{waiting} did not catch up in {self.plan.calm_steps} steps")

    def _connect_who_must(self) -> None:
        for tablet in self.tablets:
            status = tablet.driver.status()
            is_due = self.time.now_s - self.connected_s.get(tablet.name, 0.0) > CONNECT_AGAIN_S
            if is_due and tablet.driver.is_resting and (status.needs_connect or status.is_revoked):
                self.connect(tablet)

    def waiting(self) -> list[str]:
        """Tablets that have not sent and received everything."""
        heads, epoch = dict(self.hq.rows("SELECT scope, n FROM scope_head")), self.hq.epoch()
        return [tablet.name for tablet in self.tablets if not self._is_at_rest(tablet, heads, epoch)]

    def _is_at_rest(self, tablet: SimulatedTablet, heads: dict[str, int], epoch: str) -> bool:
        if not tablet.driver.is_resting or not tablet.driver.status().is_complete:
            return False
        counts = tablet.database.counts()
        at = {state.scope: state.at for state in tablet.database.states() if state.cursor is not None}
        wanted = {scope: heads.get(scope, 0) for scope in ("all", f"store:{tablet.store}")}
        is_known = tablet.database.read_note("epoch") == epoch
        return counts.pending == 0 and at == wanted and is_known

    def _check_idle(self) -> None:
        """I17: tablets with nothing to say cause no growth."""
        heads = self.hq.rows("SELECT scope, n FROM scope_head ORDER BY scope")
        facts = self.hq.rows("SELECT count(*) FROM fact")
        for tablet in self.tablets:
            tablet.driver.ring("asked")
            tablet.wake_s = self.time.now_s
        for _ in range(12 * len(self.tablets)):
            self.work()
        demand(
            self.hq.rows("SELECT scope, n FROM scope_head ORDER BY scope") == heads, "I17", "idle tablets move feeds"
        )
        demand(self.hq.rows("SELECT count(*) FROM fact") == facts, "I17", "idle tablets add facts")

    def close(self) -> None:
        for tablet in self.tablets:
            tablet.close()
        self.hq.close()


@contextmanager
def _planted_faults() -> Iterator[None]:
    """A merge that breaks on one text, rows the database refuses for another, and small pages."""
    real_add = SqlWriter.add_facts

    def fold_or_break(state: ProfileState, facts: Sequence[Fact]) -> ProfileState:
        if any(fact.body.get("text") == SPOILS_THE_MERGE for fact in facts):
            raise ZeroDivisionError("a planted fault of the merge")
        return fold(state, facts)

    def add_facts(self: SqlWriter, rows: Sequence[LedgerRow], *others: Any) -> None:
        if any(REFUSED_BY_THE_DATABASE in row.body and not row.body.startswith('"') for row in rows):
            raise RowRefused("a planted refusal of the database")
        real_add(self, rows, *others)

    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(merge, "fold", fold_or_break))
        stack.enter_context(mock.patch.object(SqlWriter, "add_facts", add_facts))
        stack.enter_context(mock.patch.object(feed, "PAGE_MAX", PAGE))
        stack.enter_context(mock.patch.object(sessions, "POLL_S", POLL_S))
        yield


def run_plan(plan: Plan) -> Verdict:
    """Run it once. A bug that raises counts as broken, like an invariant."""
    with open_folder() as place, _planted_faults(), changing_versions() as versions:
        world = World(plan, Path(place), versions)
        broken = None
        try:
            world.run()
        except Broken as found:
            broken = str(found)
        except Exception as bug:  # noqa: BLE001 - whatever the product raises is a finding, and the seed replays it
            broken = f"raised: {type(bug).__name__}: {bug}"
        finally:
            world.close()
        log = tuple(world.log)
    sha = hashlib.sha256("\n".join(log).encode()).hexdigest()
    requests = sum(" /v1/" in line for line in log)
    return Verdict(plan, sha, broken, log, len(world.inspector.recorded), requests)

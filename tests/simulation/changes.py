"""What an organisation changes while tablets talk: a device's store, the versions of either side, ops saved by hand.

The versions are HQ's own constants, changed where its code reads them. Nothing here decides what must hold.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Final
from unittest import mock

from associate_app.sync import errands
from associate_app.sync.errands import wire_op
from shared.clock import format_at
from shared.errors import Problem, Weather
from shared.wire.ops import Op
from sync_server.services import feed
from sync_server.services.feed import Cursor, mark_of
from sync_server.services.headquarters import Headquarters
from sync_server.services.terms import MIN_APP, note_of
from tests.simulation.people import OF_A_NEWER_APP
from tests.simulation.tablet import SimulatedTablet
from tests.support.asgi_endpoint import make_endpoint

STORES: Final = ("berlin-1", "zurich-1")
OLD_APP: Final = "1.0.0"
NEW_APP: Final = "2.0.0"
SALVAGED_MAX: Final = 20


@dataclass(slots=True)
class Versions:
    """HQ's version of a run: the shape of its documents."""

    patches: ExitStack

    def set_document_schema(self, schema: int) -> None:
        """HQ was upgraded or taken back: cursors of the other shape are answered 410."""

        def at(epoch: str, scope: str, position: int) -> Cursor:
            return Cursor(mark_of(epoch), mark_of(scope), position, schema)

        self.patches.enter_context(mock.patch.object(feed, "DOCUMENT_SCHEMA", schema))
        self.patches.enter_context(mock.patch.object(Cursor, "at", at))


@contextmanager
def changing_versions() -> Iterator[Versions]:
    """Versions that may change, and are HQ's own again at the end; ops of a newer app go out with its schema."""

    real = errands.wire_op

    def wire_newer_op(op: Op) -> dict[str, Any]:
        told = real(op)
        is_newer = isinstance(told.get("body"), dict) and told["body"].get("text") == OF_A_NEWER_APP
        return told | {"schema": 2} if is_newer else told

    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(errands, "wire_op", wire_newer_op))
        yield Versions(patches)


def set_min_app(hq: Headquarters, version: str) -> None:
    """Older apps may send and no longer receive: 426. A term in HQ's database, so a restore takes it back too."""
    with hq.database.write() as tx:
        tx.write_note(note_of(MIN_APP, version), version)


def other_store(store: str, chance: random.Random) -> str:
    """Where a device goes next."""
    return chance.choice([one for one in STORES if one != store])


def salvage(tablet: SimulatedTablet, why: str) -> str:
    """Somebody hands in what a tablet has not sent, past the journal; returns what HQ said, for the log."""
    device = tablet.database.device()
    if device is None:
        return "no device"
    ops = tablet.database.next_batch(after_seq=tablet.database.acked()[0], max_ops=SALVAGED_MAX, max_bytes=1 << 19)
    message = {
        "epoch": None,
        "device_id": device.device_id,
        "install_id": tablet.database.install_id(),
        "batch_id": tablet.make_id(),
        "device_now": format_at(tablet.clock.now()),
        "why": why,
        "ops": [wire_op(op) for op in ops],
    }
    try:
        told = make_endpoint(tablet.transport, lambda: device.token).salvage(message)
    except (Weather, Problem) as trouble:
        return type(trouble).__name__
    return ",".join(result["verdict"] for result in told["results"])

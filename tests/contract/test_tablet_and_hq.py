"""The tablet's sync worker against the real server over its ASGI app: real files on both sides, virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from associate_app.ports import CARD_STOCK_NOTE
from sync_server.api.app import make_app
from sync_server.services.headquarters import Headquarters
from tests.support.asgi_endpoint import AsgiTransport
from tests.support.tablet import Tablet, connect, make_tablet
from tests.support.world import LOYALTY_ID


@pytest.fixture
def transport(hq: Headquarters) -> Iterator[AsgiTransport]:
    """The way to HQ; a bug of the server fails the test."""
    made = AsgiTransport(make_app(hq))
    yield made
    made.close()
    assert made.bugs == []


@pytest.fixture
def shop_tablet(hq: Headquarters, transport: AsgiTransport, tmp_path: Path) -> Iterator[Tablet]:
    """A connected tablet of berlin-1."""
    made = make_tablet(tmp_path, transport)
    connect(made, hq)
    yield made
    made.database.close()


def facts_at_hq(hq: Headquarters, kind: str = "note_added") -> list[str]:
    """The op ids of a kind HQ's ledger holds."""
    with hq.database.read() as reader:
        return sorted(row["fact_id"] for row in reader.rows("fact", kind=kind))


def test_a_first_round_sends_receives_and_checks(hq: Headquarters, shop_tablet: Tablet):
    """Ops recorded before the first contact reach HQ once, the scopes arrive whole, and the receipt is kept."""
    ops = [shop_tablet.note(f"note {number}") for number in range(3)]
    summary = shop_tablet.sync()
    assert summary.is_complete, summary.words
    assert summary.answered == {"accepted": 3}
    assert facts_at_hq(hq) == sorted(op.op_id for op in ops)
    receipt = shop_tablet.database.last_receipt()
    assert receipt is not None
    assert (receipt.through_seq, receipt.chain) == shop_tablet.database.head()
    assert {state.scope for state in shop_tablet.database.states()} == {"all", "store:berlin-1"}
    assert shop_tablet.database.find_profile("loyalty_id", LOYALTY_ID) is not None
    assert shop_tablet.database.read_note(CARD_STOCK_NOTE) is not None

"""Salvage from a real tablet to the real HQ: what a disconnected tablet never sent is kept apart there, once."""

from __future__ import annotations

import pytest

from associate_app.services.export import export_journal
from associate_app.services.parting import only_here
from associate_app.services.salvage import Salvaged, hand_in
from shared.errors import Refused, Weather
from shared.salvage_file import FORMAT, read_journal, seal_journal, spell_line
from sync_server.services.enrolment import revoke_device
from sync_server.services.headquarters import Headquarters
from sync_server.services.salvage import approve, import_journal
from tests.support.tablet import Tablet


def salvaged_at_hq(hq: Headquarters) -> list[str]:
    """The op ids HQ keeps apart."""
    with hq.database.read() as reader:
        return sorted(row["op_id"] for row in reader.rows("salvage"))


def test_a_disconnected_tablet_hands_in_what_it_never_sent(hq: Headquarters, shop_tablet: Tablet):
    """In several messages, in full; a second time changes nothing; the outbox stays and may then be deleted."""
    shop_tablet.note("sent before")
    assert shop_tablet.sync().is_complete
    device = shop_tablet.database.device()
    assert device is not None
    revoke_device(hq, device.device_id)
    ops = [shop_tablet.note(f"note {number}") for number in range(300)]
    summary = shop_tablet.sync()
    assert summary.status.is_revoked
    assert len(only_here(shop_tablet.database)) == 300
    handed = hand_in(shop_tablet.database, shop_tablet.endpoint, shop_tablet.clock, is_revoked=True)
    assert handed == Salvaged(kept=300, known=0)
    assert salvaged_at_hq(hq) == sorted(op.op_id for op in ops)
    again = hand_in(shop_tablet.database, shop_tablet.endpoint, shop_tablet.clock, is_revoked=True)
    assert again == Salvaged(kept=0, known=300)
    assert only_here(shop_tablet.database) == ()
    assert shop_tablet.database.counts().pending == 300


def test_a_tablet_in_order_hands_in_only_what_hq_could_not_take(hq: Headquarters, shop_tablet: Tablet):
    """The withheld op goes in full; what a sync will carry does not."""
    poison = shop_tablet.note("poison")
    shop_tablet.database.withhold(poison.seq)
    assert shop_tablet.sync().is_complete
    shop_tablet.note("waits for the next sync")
    handed = hand_in(shop_tablet.database, shop_tablet.endpoint, shop_tablet.clock, is_revoked=False)
    assert handed == Salvaged(kept=1, known=0)
    assert salvaged_at_hq(hq) == [poison.op_id]


def test_without_a_network_nothing_counts_as_handed_in(shop_tablet: Tablet):
    """One sentence, and the records still count as kept here only."""
    shop_tablet.note("kept")

    def fail(*_: object) -> None:
        raise Weather("nobody there")

    shop_tablet.endpoint.salvage = fail  # type: ignore[method-assign, assignment]
    with pytest.raises(Refused, match="HQ cannot be reached"):
        hand_in(shop_tablet.database, shop_tablet.endpoint, shop_tablet.clock, is_revoked=True)
    assert len(only_here(shop_tablet.database)) == 1


def test_a_journal_that_left_as_a_file_is_merged_once_when_a_person_approves(hq: Headquarters, shop_tablet: Tablet):
    """Sealed on the tablet, opened at HQ; what HQ had is known, what it had not waits, and counts once."""
    shop_tablet.note("sent before")
    assert shop_tablet.sync().is_complete
    ops = [shop_tablet.note(f"note {number}") for number in range(3)]
    sealed = seal_journal(list(export_journal(shop_tablet.database)), "correct horse", b"0123456789abcdef")
    with pytest.raises(Refused, match="passphrase is another one"):
        read_journal(sealed, "wrong horse")
    told = import_journal(hq, read_journal(sealed, "correct horse"))
    assert (told["kept"], told["known"]) == (3, 1)
    assert import_journal(hq, read_journal(sealed, "correct horse"))["known"] == 4
    assert salvaged_at_hq(hq) == sorted(op.op_id for op in ops)
    device = shop_tablet.database.device()
    assert device is not None
    assert [result["verdict"] for result in approve(hq, device_id=device.device_id)] == ["accepted"] * 3
    assert shop_tablet.sync().answered == {"duplicate": 3}
    with hq.database.read() as reader:
        assert len(reader.rows("fact", kind="note_added")) == 4


def test_a_journal_of_a_tablet_hq_never_met_is_refused(hq: Headquarters):
    """In a sentence, and nothing is kept."""
    header = {"format": FORMAT, "install_id": "i", "device_id": "d", "store": "s", "recorded": 0, "pending": 0}
    with pytest.raises(Refused, match="HQ does not know the tablet"):
        import_journal(hq, read_journal(spell_line(header)))

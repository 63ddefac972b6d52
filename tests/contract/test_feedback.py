"""What stores tell HQ, on both databases: the deadline agreed on, the answer on two tablets, what was kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from associate_app.services import record
from associate_app.services.feedback import told_to_hq
from shared.errors import Refused
from sync_server.services import feedback
from sync_server.services.chain import set_term
from sync_server.services.headquarters import Headquarters
from tests.support.tablet import Tablet, connect, make_tablet


def recorder_of(tablet: Tablet) -> record.Recorder:
    """Records on a tablet, as its services do."""
    return record.Recorder(tablet.database, tablet.clock, tablet.make_id, lambda: None, "a0001")


def shown(tablet: Tablet) -> list[tuple[str, str, str | None]]:
    """What a tablet lists: (text, state, answer)."""
    told = told_to_hq(tablet.database, tablet.clock.now())
    return [(one.message.text, one.message.state, one.message.answer) for one in told]


def sync(*tablets: Tablet) -> None:
    """A round each, twice: the first hears what the last has sent."""
    for tablet in (*tablets, *tablets):
        assert tablet.sync().is_complete


def answer(hq: Headquarters, op_id: str, text: str, state: str = "answered") -> dict[str, Any]:
    """HQ says something to a message."""
    return feedback.answer_feedback(hq, op_id, text, state, who="tester")


def test_an_answer_reaches_both_tablets_of_the_store_with_the_deadline_it_kept(
    hq: Headquarters, shop_tablet: Tablet, tmp_path: Path
) -> None:
    """Told on one, listed at HQ, taken up, answered, read on both; what was taken back is gone everywhere."""
    one, other = shop_tablet, make_tablet(tmp_path, shop_tablet.transport, seed=2)
    connect(other, hq)
    set_term(hq, "feedback_days", "5")
    told = record.give_feedback(recorder_of(one), "friction", "The door sticks").op_id
    mistake = record.give_feedback(recorder_of(one), "other", "Never mind")
    sync(one, other)
    assert [text for text, *_ in shown(other)] == ["Never mind", "The door sticks"]
    record.withdraw(recorder_of(one), mistake.op_id)
    hasty = record.give_feedback(recorder_of(one), "other", "Hasty")
    record.withdraw(recorder_of(one), hasty.op_id)
    assert len(shown(one)) == 1
    sync(one, other)

    [waiting] = feedback.list_feedback(hq, "berlin-1")
    assert (waiting["id"], waiting["due_at"][:10], waiting["is_late"]) == (told, "2026-11-27", False)
    assert feedback.agreement(hq) == [{"store": "berlin-1", "days": 5, "kept": 0, "missed": 0, "open": 1}]
    answer(hq, told, "A carpenter is asked.", "taken_up")
    sync(one, other)
    assert shown(one) == shown(other) == [("The door sticks", "taken_up", "A carpenter is asked.")]
    answer(hq, told, " It runs again. ")
    assert feedback.list_feedback(hq) == []
    sync(one, other)
    assert shown(one) == shown(other) == [("The door sticks", "answered", "It runs again.")]
    assert feedback.agreement(hq)[0]["kept"] == 1
    answer(hq, told, "It ran for a day only.", "declined")
    [row] = feedback.list_feedback(hq, is_every=True)
    assert (row["state"], row["answered_at"]) == ("declined", row["at"])
    other.database.close()


def test_what_cannot_be_answered_is_refused_and_changes_nothing(hq: Headquarters, shop_tablet: Tablet) -> None:
    """An unknown message, no words, a state there is not, back from an answer; every word is in the audit."""
    told = record.give_feedback(recorder_of(shop_tablet), "worked", "Wool").op_id
    sync(shop_tablet)
    for said in (
        ("gone", "x", "answered"),
        (told, "  ", "answered"),
        (told, "x" * 2001, "answered"),
        (told, "x", "ok"),
    ):
        with pytest.raises(Refused):
            answer(hq, *said)
    answer(hq, told, "Good.")
    with pytest.raises(Refused, match="answered already"):
        answer(hq, told, "Wait.", "taken_up")
    with pytest.raises(Refused, match="no store"):
        feedback.list_feedback(hq, "nowhere")
    with hq.database.read() as reader:
        assert [row["did"] for row in reader.rows("audit", who="tester")] == ["feedback: answered"]


def test_an_answer_after_the_day_agreed_on_is_missed(hq: Headquarters, shop_tablet: Tablet) -> None:
    """Owed since then, and counted as missed also once it came."""
    told = record.give_feedback(recorder_of(shop_tablet), "worked", "Wool").op_id
    sync(shop_tablet)
    hq.clock.move(days=4)  # type: ignore[attr-defined]
    assert feedback.list_feedback(hq)[0]["is_late"]
    assert feedback.agreement(hq)[0]["missed"] == 1
    answer(hq, told, "Thanks.")
    assert feedback.agreement(hq)[0] == {"store": "berlin-1", "days": 3, "kept": 0, "missed": 1, "open": 0}

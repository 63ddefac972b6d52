"""Laws of managers' changes: the order of arrival is indifferent, and a tablet shows at once what HQ will publish."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.plays.guardrails import change_problem, overlay_changes, parts_of, with_parts
from shared.plays.playbook import play_document
from shared.wire.ops import Op
from tests.support.plays import play

PLAY = play(guardrails={"may_pause": True, "lever_min": -10, "lever_max": 20})
WORDS = st.sampled_from([{}, {"en": {"opener": "Hello."}}, {"en": {"opener": "word " * 61}}, {"en": {}}])
BODIES = st.fixed_dictionaries(
    {}, optional={"paused": st.booleans(), "lever": st.integers(-50, 100), "talking_points": WORDS}
)


def op_of(number: int, body: dict[str, Any]) -> Op:
    """The change a manager recorded at minute `number`."""
    at = f"2026-11-22T10:{number:02}:00.000Z"
    told = {"play_id": PLAY.id, **body}
    return Op(number + 1, f"op-{number:02}", "play_changed", 1, "store:berlin-1", "a0002", at, None, "", told)


def published(ops: list[Op]) -> dict[str, Any]:
    """What HQ makes of them, in the order in which they come."""
    document: dict[str, Any] = {}
    for op in ops:
        said = parts_of(op.body)
        if said and change_problem(PLAY, said) is None:
            document = with_parts(document, said, (op.occurred_at, op.op_id, op.associate_id))
    return {name: part for name, part in document.items() if name != "said_at"}


@given(bodies=st.lists(BODIES, max_size=6), data=st.data())
def test_the_tablet_shows_at_once_what_hq_publishes_whatever_comes_first(
    bodies: list[dict[str, Any]], data: st.DataObject
) -> None:
    """Each part as it was said last within the guardrails; what lies beyond them moves nothing on either side."""
    ops = [op_of(number, body) for number, body in enumerate(bodies)]
    laid = overlay_changes({f"play/{PLAY.id}": play_document(PLAY)}, ops).get(f"play_change/{PLAY.id}", {})
    assert laid == published(ops) == published(data.draw(st.permutations(ops)))

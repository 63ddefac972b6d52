"""The frozen wire of floor-sync 1: `tests/contract/golden/floor-sync-1/`, one file an exchange, compared byte for byte.

A change here is a change of the wire. Where it is meant: `python -m tests.redraw --golden`, read the difference, say
why in the commit. A later version of the protocol gets its own folder; these requests keep their verdicts for ever.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.wire.problems import PROBLEMS, RESYNC_REASONS
from tests.support.golden import FOLDER, Ask, Exchange
from tests.support.golden_story import hold_conversation

FROZEN = {path.stem: Exchange.read(path) for path in sorted(FOLDER.glob("*.http"))}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Ask, Exchange]]:
    """The conversation of today's server with the frozen requests."""
    folder = tmp_path_factory.mktemp("golden") / "hq"
    return hold_conversation(folder, {name: _request_of(held) for name, held in FROZEN.items()})


def _request_of(held: Exchange) -> bytes:
    return held.request


def test_every_answer_is_byte_for_byte_the_frozen_one(told: list[tuple[Ask, Exchange]]) -> None:
    """Status, headers and unpacked body; nothing is missing on either side."""
    assert [exchange.name for _, exchange in told] == list(FROZEN)
    for _, exchange in told:
        assert exchange.answer.decode() == FROZEN[exchange.name].answer.decode(), exchange.name


def test_every_request_the_story_makes_is_the_frozen_one(told: list[tuple[Ask, Exchange]]) -> None:
    """What a tablet sends did not change under the files either (sha, chain, canonical bytes)."""
    for ask, exchange in told:
        assert ask.as_bytes().decode() == FROZEN[exchange.name].request.decode(), exchange.name


def test_old_requests_keep_their_verdicts(told: list[tuple[Ask, Exchange]]) -> None:
    """Weaker than the bytes, and the last to give way: what was accepted stays accepted, what was refused refused."""
    for _, exchange in told:
        assert essence(exchange) == essence(FROZEN[exchange.name]), exchange.name


def essence(exchange: Exchange) -> Any:
    """Status, problem code and verdicts of an answer."""
    try:
        answer = json.loads(exchange.answer_body())
    except ValueError:  # a snapshot or a picture
        return exchange.status()
    verdicts = [(one["verdict"], one.get("code"), one.get("was")) for one in answer.get("results", [])]
    return exchange.status(), answer.get("code"), answer.get("reason"), verdicts


def test_the_files_hold_every_verdict_problem_and_reason() -> None:
    """A code that no golden file shows is not frozen."""
    essences = [essence(exchange) for exchange in FROZEN.values()]
    lists = [one for one in essences if isinstance(one, tuple)]
    assert {code for _, code, _, _ in lists if code} == set(PROBLEMS)
    assert {reason for _, _, reason, _ in lists if reason} == set(RESYNC_REASONS)
    verdicts = {(verdict, code) for one in lists for verdict, code, _ in one[3]}
    assert verdicts >= {
        ("accepted", None),
        ("duplicate", None),
        ("duplicate", "unknown_play"),
        *(("rejected", code) for code in ("id_conflict", "malformed", "wrong_scope")),
        *(("parked", code) for code in ("unknown_kind", "unknown_schema", "unknown_play", "bad_body", "withheld")),
        ("quarantined", None),
    }

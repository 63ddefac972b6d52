"""M3 as it happens on PostgreSQL, for `python -m tests full` only: whether two processes meet is up to time."""

from __future__ import annotations

from tests.mutants.naive_sequence import main

TRIES = 3


def test_a_sequence_makes_cursors_miss_rows_and_the_counter_rows_none():
    """The command of the README; a run in which no short transaction overtook a long one is tried again."""
    assert any(main() == 0 for _ in range(TRIES))

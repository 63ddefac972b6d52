"""What a proposal would change about words: line by line, old before new, and nothing but text is told."""

from __future__ import annotations

from collections.abc import Mapping

from shared.plays.verdicts import condition_lines
from shared.plays.word_changes import changed_lines, proposed_lines
from tests.support.plays import seed_playbook

OLD = {"opener": "Hello", "bullets": ["One", "Two", "Three"]}


def told(after: Mapping[str, object]) -> list[str]:
    """The lines with their marks."""
    return [f"{one.mark} {one.text}" for one in changed_lines(OLD, after)]


def test_lines_that_stay_go_and_come_are_told_in_their_places() -> None:
    """An opener is compared with an opener; a point that moved in keeps the others."""
    assert told(OLD) == ["same Hello", "same One", "same Two", "same Three"]
    new = {"opener": "Good day", "bullets": ["One", "Three", "Four"]}
    assert told(new) == ["gone Hello", "new Good day", "same One", "gone Two", "same Three", "new Four"]
    assert told({"opener": "One", "bullets": []})[:2] == ["gone Hello", "new One"]


def test_a_proposal_of_another_form_has_no_lines_and_breaks_nothing() -> None:
    """Older ones are a text alone; newer ones may hold what this version does not know."""
    assert proposed_lines({"text": "Shorter."}) == ()
    assert proposed_lines({"before": OLD, "after": "soon"}) == ()
    assert proposed_lines({"before": {"opener": 7, "bullets": [1, "x"]}, "after": {}})[0].text == "x"


def test_every_play_of_the_seed_says_when_it_fires_in_lines() -> None:
    """Joined parts lie deeper than what joins them; each is a sentence in both languages."""
    for play in seed_playbook().plays:
        for tongue in ("en", "de"):
            lines = list(condition_lines(play.condition, tongue))
            assert lines[0][0] == 0
            assert all(words[0].isupper() and words[-1] in ".:" for _, words in lines), lines

"""A marketer copies a shipped play and breaks it: every error names the file, the place in it, and how to mend it.

Each break is told by the real `sync-server play check`, and all of them in one go when they lie in one folder.
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.fresh import put_fresh_database
from tests.support.programs import Said, run, run_here, run_json_here

SHIPPED = files("assets")
CHECK = ("sync_server", "play", "check")


class Break(NamedTuple):
    """A shipped file, what becomes of its text, and what is said: at which place, and the words that mend it."""

    play: str
    old: str
    new: str
    path: str
    said: tuple[str, ...]


def deeper(levels: int) -> str:
    """So many groups around a test, on one line."""
    return "{kind: Group, op: all, items: [" * levels + "{kind: Near, max_m: 3000}" + "]}" * levels


LONG = "Let them feel it first; no screen shows that, " + "and that is so true " * 8
BREAKS: dict[str, Break] = {
    "bad-indentation": Break(
        "cart-reminder-near",
        "  op: all\n",
        "   op: all\n",
        "line 11",
        ("no readable YAML", "begin at the same column", "with spaces and no tabs"),
    ),
    "colon-in-a-text": Break(
        "wishlist-in-stock",
        "- Bring it to them; do",
        "- {Bring it: do",
        "line 12",
        ("no readable YAML", "stands in quotes"),
    ),
    "a-name-twice": Break(
        "silent-nudge",
        "value_minor: 2200\n",
        "value_minor: 2200\nvalue_minor: 2500\n",
        "line 30",
        ("the name value_minor stands twice", "keep one of the two"),
    ),
    "unknown-key": Break(
        "cart-within-reach",
        "caps: [{shown",
        "cap: [{shown",
        "cap",
        ("this field is not known here", "Did you mean caps?", "Allowed: after_outcome, campaign_id, caps"),
    ),
    "unknown-event": Break(
        "checkout-left-open",
        "first: Checkout Started",
        "first: Checkout Start",
        "condition.first",
        ("'Checkout Start' is not an event", "Did you mean Checkout Started?", "Allowed: "),
    ),
    "unknown-field": Break(
        "loyal-retention",
        "field: orders,",
        "field: order,",
        "condition.items[0].field",
        ("'order' is not a field", "Did you mean orders?", "Allowed: birth_on, "),
    ),
    "unknown-operator": Break(
        "high-value-personal",
        "op: in, value: [top_5]",
        "op: gte, value: top_5",
        "condition.op",
        ("value_band cannot be asked with gte", "Allowed: eq, ne, in, not_in"),
    ),
    "wrong-type": Break(
        "new-member-welcome",
        "op: lte, value: 1}",
        "op: lte, value: one}",
        "condition.items[1].value",
        ("orders with lte", "needs a whole number, not 'one'"),
    ),
    "number-in-words": Break(
        "searched-help",
        'cmp: ">=", n: 2}',
        'cmp: ">=", n: two}',
        "condition.items[0].n",
        ("this must be a whole number, not 'two'",),
    ),
    "window-over-90-days": Break(
        "frequent-returner-help",
        "from_h: 2160",
        "from_h: 2400",
        "condition.window",
        ("2400 hours is more than 90 days", "ask for at most 2160", "or use Recency"),
    ),
    "field-without-consent": Break(
        "email-opened",
        "consents: [personalise_in_store]\n",
        "",
        "condition",
        ("needs the consent personalise_in_store", "add `personalise_in_store` to the play's consents, or drop it"),
    ),
    "unknown-offer": Break(
        "birthday",
        "offer_id: birthday-treat",
        "offer_id: birthday-treet",
        "birthday: offer_id",
        ("there is no offer 'birthday-treet'", "Did you mean birthday-treat?", "Allowed: "),
    ),
    "too-many-words": Break(
        "event-invitation",
        "Bring something worn; we show how to mend it.",
        LONG,
        "talking_points.en",
        ("at most 60 fit beside a conversation", "take out "),
    ),
    "too-deep": Break(
        "outreach-wish-arrived",
        "{kind: Near, max_m: 15000}",
        deeper(3),
        "condition.items[1].items[0].items[0]",
        ("groups may be nested 3 deep; this one is deeper", "Write it flatter"),
    ),
    "ends-before-it-begins": Break(
        "member-weekend",
        "valid_until: today+11",
        "valid_until: 2020-01-31",
        "valid_until",
        ("2020-01-31 lies before valid_from", "write that day or a later one"),
    ),
    "day-that-is-none": Break(
        "promotion-clicked",
        "valid_until: today+11",
        "valid_until: 31.12.2026",
        "valid_until",
        ("'31.12.2026' is not a day like 2026-11-22",),
    ),
    "no-english": Break(
        "ask-consent",
        "talking_points:\n  en:\n",
        "talking_points:\n  fr:\n",
        "talking_points",
        ("English (en) is needed", "add en with an opener"),
    ),
    "percentage-over-100": Break(
        "browsed-category",
        "holdout: {percent: 10}",
        "holdout: {percent: 110}",
        "holdout.percent",
        ("this must be at most 90, not 110",),
    ),
    "money-with-a-point": Break(
        "boot-care",
        "value_minor: 900",
        "value_minor: 9.00",
        "value_minor",
        ("9.0 is not a whole number", "money is written in cents"),
    ),
    "unknown-outcome": Break(
        "thank-you",
        "after_outcome: {interested:",
        "after_outcome: {intrested:",
        "after_outcome.intrested",
        ("Did you mean interested?", "Allowed: already_has_it, bought"),
    ),
    "id-twice": Break(
        "win-back",
        "id: win-back",
        "id: viewed-not-added",
        "viewed-not-added: id",
        ("two files carry this id; every play needs its own", "The other one is playbook/viewed-not-added.yaml"),
    ),
}


def write_folder(folder: Path, broken: dict[str, Break]) -> Path:
    """The shipped playbook with these breaks in it."""
    for kind in ("playbook", "offers"):
        (folder / kind).mkdir(parents=True)
        for file in SHIPPED.joinpath(kind).iterdir():
            (folder / kind / file.name).write_bytes(file.read_bytes())
    for how in broken.values():
        text = SHIPPED.joinpath(f"playbook/{how.play}.yaml").read_text("utf-8")
        assert text.count(how.old) == 1, how
        (folder / "playbook" / f"{how.play}.yaml").write_text(text.replace(how.old, how.new), "utf-8")
    return folder


def told_of(said: Said) -> dict[str, list[str]]:
    """File -> its problems, as printed."""
    told: dict[str, list[str]] = {}
    for line in said.err.splitlines():
        if heading := re.fullmatch(r"(playbook/\S+\.yaml) was not taken, (one thing|\d+ things) to mend:", line):
            told[heading[1]] = []
        else:
            assert line.startswith("  "), line
            told[next(reversed(told))].append(line.strip())
    return told


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a new chain."""
    folder = tmp_path_factory.mktemp("hq")
    put_fresh_database(folder / "central.db")
    chain = ("--chain", "Nordhang", "--currency", "EUR", "--timezone", "Europe/Berlin")
    run_json_here("sync_server", "init", *chain, "--data-dir", folder)
    return folder


def test_the_copy_is_sound_before_it_is_broken(data: Path, tmp_path: Path) -> None:
    """Whatever is said below is the break's doing."""
    said = run_here(*CHECK, write_folder(tmp_path / "sound", {}), "--data-dir", data)
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("33 plays, 10 offers")


@pytest.mark.parametrize("name", sorted(BREAKS))
def test_a_broken_play_is_told_with_its_file_its_place_and_how_to_mend_it(
    data: Path, tmp_path: Path, name: str
) -> None:
    """One break, one problem, exit status 1: at its path, with what is allowed."""
    how = BREAKS[name]
    said = run_here(*CHECK, write_folder(tmp_path / "broken", {name: how}), "--data-dir", data)
    assert (said.status, said.out) == (1, "")
    ((problem,),) = told_of(said).values()
    assert list(told_of(said)) == [f"playbook/{how.play}.yaml"]
    assert problem.startswith((f"{how.path}: ", f"{how.path}, column "))
    assert [words for words in how.said if words not in problem] == []


def test_all_breaks_of_a_folder_are_printed_at_once(data: Path, tmp_path: Path) -> None:
    """By the program itself, in its own process: each file with its problem, none hidden behind another."""
    assert len({how.play for how in BREAKS.values()}) == len(BREAKS) >= 10
    said = run(*CHECK, write_folder(tmp_path / "broken", BREAKS), "--data-dir", data)
    assert (said.status, said.out) == (1, "")
    told = told_of(said)
    assert set(told) == {f"playbook/{how.play}.yaml" for how in BREAKS.values()}
    for how in BREAKS.values():
        (problem,) = told[f"playbook/{how.play}.yaml"]
        assert problem.startswith((f"{how.path}: ", f"{how.path}, column "))
        assert [words for words in how.said if words not in problem] == []

"""Commands of a playbook's life: files checked, compared, published and tried, plays retired, managers answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from shared.plays.word_changes import SIGNS, proposed_lines
from sync_server.command_line.common import DEFAULT, Common, complain, headquarters, say, say_json, say_table
from sync_server.services import play_changes, play_life
from sync_server.services.playbook import retire_plays

_COLUMNS = {"kind": "Kind", "id": "Id", "what": "What", "version": "Version", "fields": "Fields"}


def play_check(folder: Path, *, common: Common = DEFAULT) -> None:
    """Check every file of a playbook: what is wrong and how to mend it, clashes in the calendar, orphans.

    Parameters
    ----------
    folder
        The folder that holds playbook/, offers/, calendar/ and so on.
    """
    with headquarters(common) as hq:
        found, warnings = play_life.check(hq, folder)
    counts = {"plays": len(found.plays), "offers": len(found.offers), "calendar": len(found.calendar)}
    counts |= {"campaigns": len(found.campaigns), "journeys": len(found.journeys)}
    told = (
        f"{counts['plays']} plays, {counts['offers']} offers, {counts['calendar']} calendar entries, "
        f"{counts['campaigns']} campaigns and {counts['journeys']} journeys are sound."
    )
    say(common, {**counts, "warnings": warnings}, "\n".join([told, *warnings]))


def play_diff(folder: Path, *, common: Common = DEFAULT) -> None:
    """Show what publishing a folder would change.

    Parameters
    ----------
    folder
        The folder that holds playbook/, offers/, calendar/ and so on.
    """
    with headquarters(common) as hq:
        rows = [asdict(change) for change in play_life.diff(hq, folder)]
    say_table(common, rows, _COLUMNS, "Nothing would change.")


def play_publish(folder: Path, *, new_holdout: bool = False, common: Common = DEFAULT) -> None:
    """Publish a folder: a changed play becomes a new version, all or nothing; what is in no file stays published.

    Parameters
    ----------
    folder
        The folder that holds playbook/, offers/, calendar/ and so on.
    new_holdout
        Draw other shoppers for the holdouts of these plays; else the same shoppers stay held out.
    """
    with headquarters(common) as hq:
        changes, warnings = play_life.publish(hq, folder, is_new_holdout=new_holdout)
    if common.json:
        say_json({"changes": [asdict(change) for change in changes], "warnings": warnings})
        return
    say_table(common, [asdict(change) for change in changes], _COLUMNS, "Nothing changed.")
    for warning in warnings:
        complain(warning)


def play_retire(play: str, *more: str, common: Common = DEFAULT) -> None:
    """Take plays off every tablet. Outcomes on their way still count.

    Parameters
    ----------
    play
        The play's id.
    more
        Further ones.
    """
    with headquarters(common) as hq:
        retire_plays(hq, [play, *more])
    say(common, {"retired": [play, *more]}, f"Retired: {', '.join([play, *more])}. Take the files away as well.")


def play_replay(folder: Path, *, days: int = 30, common: Common = DEFAULT) -> None:
    """Try a folder on past cards: who would have gained and who lost which play.

    Parameters
    ----------
    folder
        The folder that holds playbook/, offers/, calendar/ and so on.
    days
        How far back.
    """
    with headquarters(common) as hq:
        told = play_life.replay(hq, folder, days)
    if common.json:
        say_json(told)
        return
    columns = {"play_id": "Play", "before": "Shown", "after": "Would be", "gained": "Gained", "lost": "Lost"}
    say_table(common, told["plays"], {**columns, "gaining": "Who gains", "losing": "Who loses"}, "No card was shown.")
    say(common, told, f"{told['changed']} of {told['decisions']} cards would differ; {told['left_out']} left out.")


def play_changes_list(*, common: Common = DEFAULT) -> None:
    """List what store managers changed: paused plays, levers, words of their own."""
    with headquarters(common) as hq:
        rows = play_changes.list_changes(hq)
    columns = {"store": "Store", "play_id": "Play", "paused": "Paused", "lever": "Lever", "words": "Own words"}
    say_table(common, rows, {**columns, "at": "Since", "associate_id": "By"}, "No store has changed a play.")


def play_proposals(*, every: bool = False, common: Common = DEFAULT) -> None:
    """List what store managers propose, and changes outside the guardrails, which have no effect.

    Parameters
    ----------
    every
        Those that were decided as well.
    """
    with headquarters(common) as hq:
        rows = play_changes.list_proposals(hq, is_every=every)
    if not common.json:
        rows = [{**row, "asked": _asked_words(row["asked"])} for row in rows]
    columns = {
        "id": "Id",
        "store": "Store",
        "play_id": "Play",
        "asked": "Asked",
        "problem": "Trouble",
        "state": "State",
    }
    say_table(common, rows, columns, "No proposal waits.")


def _asked_words(asked: Mapping[str, Any]) -> str:
    """What a proposal asks, as a person reads it: its text, then the words line by line, - and + before a change."""
    named = [f"{name}: {value}" for name, value in asked.items() if name not in ("text", "language", "before", "after")]
    lines = [f"{SIGNS[line.mark]} {line.text}" for line in proposed_lines(asked)]
    return "\n".join([*filter(None, [asked.get("text")]), *named, *lines])


def play_accept(proposal: str, *, why: str | None = None, common: Common = DEFAULT) -> None:
    """Accept a proposal; its store reads the answer. Then write it into the play's file and publish.

    Parameters
    ----------
    proposal
        Its id.
    why
        A word to the store.
    """
    _decide(proposal, why, common, is_accepted=True)


def play_reject(proposal: str, *, why: str | None = None, common: Common = DEFAULT) -> None:
    """Reject a proposal; its store reads the answer.

    Parameters
    ----------
    proposal
        Its id.
    why
        A word to the store.
    """
    _decide(proposal, why, common, is_accepted=False)


def _decide(proposal: str, why: str | None, common: Common, *, is_accepted: bool) -> None:
    with headquarters(common) as hq:
        told = play_changes.decide(hq, proposal, is_accepted=is_accepted, why=why)
    say(common, told, f"{told['state'].capitalize()}: {told['play_id']} of {told['store']}.")

"""Commands for who is who: explain, link, split, block, release, review, rebuild."""

from __future__ import annotations

import getpass
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from shared.identity import IdentifierType
from sync_server.command_line.common import (
    DEFAULT,
    Common,
    headquarters,
    people,
    say,
    say_json,
    say_table,
    spare_the_collector,
)
from sync_server.services import who_is_who
from sync_server.services.identity_rules import policy_of, read_policy_file

_STAGES: Final = {
    "read": "Reading what was seen",
    "placed": "Working out who is who",
    "assigned": "Giving facts to shoppers",
    "folded": "Writing profiles and feeds",
}

_LIMITS: Final = {
    "shared_from": "A value seen with {} different loyalty or customer numbers is everybody's and joins nobody.",
    "held_over_identifiers": "A shopper of more than {} identifiers waits for somebody's look.",
    "held_over_loyalty_ids": "A shopper of more than {} loyalty numbers waits for somebody's look.",
}

One = Annotated[str, Parameter(help="An identifier: 2900000000018, email:mara@example.com, phone:+4144...")]
Why = Annotated[str, Parameter(help="For those who look later.")]


def identity_explain(shopper: One, *, common: Common = DEFAULT) -> None:
    """Say why a shopper is who they are: every join with its evidence, and what was refused."""
    with headquarters(common) as hq:
        told = who_is_who.explain(hq, shopper)
    if common.json:
        say_json(told)
        return
    out = people()
    out.print(f"{told['anchor']} is the shopper {told['profile_id']}, seen in {told['times_seen']} combinations.")
    for one in told["identifiers"]:
        out.print(f"  {one}")
    for edge in told["joined"]:
        through = f" through {edge['through']}" if edge["through"] else ""
        out.print(f"Joined: {edge['a']} and {edge['b']}{through}, {edge['who']}, {edge['at']}.")
    for edge in told["refused"]:
        out.print(f"Kept apart: {edge['a']} and {edge['b']} ({edge['why'].replace('_', ' ')}).")
    for one in told["shown_only"]:
        out.print(f"Shown as contact data, no evidence: {one}")
    if told["held_since"]:
        out.print(f"Held since {told['held_since']}: too many identifiers for one person. See `identity release`.")


def identity_link(a: One, b: One, *, why: Why = "", common: Common = DEFAULT) -> None:
    """Say that two identifiers are one shopper, such as an old and a new card."""
    with headquarters(common) as hq:
        told = who_is_who.link(hq, a, b, who=_me(), reason=why)
    if len(told["profiles"]) == 1:
        say(common, told, f"{a} and {b} are one shopper now. `identity split` takes them apart again.")
    else:
        say(common, told, f"Noted, but a rule keeps {a} and {b} apart: see `identity explain {a}`.")


def identity_split(a: One, b: One, *, why: Why = "", common: Common = DEFAULT) -> None:
    """Say that two identifiers are two shoppers; each gets back the history of their own."""
    with headquarters(common) as hq:
        told = who_is_who.split(hq, a, b, who=_me(), reason=why)
    say(common, told, f"{a} and {b} are two shoppers now, each with the history of their own.")


def identity_block(value: One, *, why: Why = "", common: Common = DEFAULT) -> None:
    """Say that a value identifies nobody, such as the counter's own phone."""
    with headquarters(common) as hq:
        told = who_is_who.block(hq, value, who=_me(), reason=why)
    say(common, told, f"{value} identifies nobody from now on; who was joined by it alone is apart again.")


def identity_release(value: One, *, why: Why = "", common: Common = DEFAULT) -> None:
    """Publish a shopper who was held for having too many identifiers."""
    with headquarters(common) as hq:
        told = who_is_who.release(hq, value, who=_me(), reason=why)
    say(common, told, f"The shopper of {value} is published again.")


def identity_review(*, keep: str | None = None, common: Common = DEFAULT) -> None:
    """List pairs a person should look at, and shoppers whose publication is held.

    Parameters
    ----------
    keep
        The id of a pair that was looked at and stays as it is.
    """
    with headquarters(common) as hq:
        if keep is not None:
            say(common, who_is_who.keep_apart(hq, keep, who=_me()), "Left as it is; it does not come up again.")
            return
        rows = who_is_who.list_reviews(hq)
    columns = {
        "id": "Id",
        "what": "What",
        "a": "One",
        "b": "Other",
        "why": "Why",
        "score": "Score",
        "found_at": "Found",
    }
    say_table(common, rows, columns, "Nothing waits: no pair was refused, and nobody is held.")


def identity_policy(file: Path | None = None, *, why: Why = "", common: Common = DEFAULT) -> None:
    """Show what each type of identifier may join, or link by a file's limits and priorities from now on.

    Everything is worked out anew with it, as `identity rebuild` does. What the file does not say is as shipped.

    Parameters
    ----------
    file
        YAML: `priorities`, `limits`, `shared_from`, `held_over`. An empty file is the shipped policy.
    """
    with headquarters(common) as hq:
        if file is not None:
            said = read_policy_file(file)
            with _bars() as tell:
                told = who_is_who.say_policy(hq, said, who=_me(), reason=why, progress=tell)
            say(
                common,
                told,
                f"The policy is in force and {told['profiles']} profiles are worked out by it: {_moved(told)}.",
            )
            return
        with hq.database.read() as reader:
            policy = policy_of(reader)
    rows = [
        {"type": row.type.value, "max": row.count_max, "days": row.window_days or "", "links": row.links.value}
        for row in sorted(policy.rows.values(), key=lambda row: row.rank)
        if row.type is not IdentifierType.PROFILE_ID
    ]
    columns = {"type": "Type, the strongest first", "max": "At most", "days": "In days", "links": "Links by itself"}
    if common.json:
        say_json({"limits": rows} | {name: getattr(policy, name) for name in _LIMITS})
        return
    say_table(common, rows, columns, "")
    for name, words in _LIMITS.items():
        people().print(words.format(getattr(policy, name)))


def identity_rebuild(*, common: Common = DEFAULT) -> None:
    """Work out who is who, and every profile, from the ledger alone. Tablets wait meanwhile."""
    with headquarters(common) as hq, _bars() as tell:
        told = who_is_who.rebuild(hq, tell)
    say(common, told, f"{told['profiles']} profiles worked out anew: {_moved(told)}.")


def _moved(told: Mapping[str, int]) -> str:
    return f"{told['identifiers_changed']} identifiers lead elsewhere, {told['facts_moved']} facts moved"


@contextmanager
def _bars() -> Iterator[who_is_who.Progress]:
    """A bar for each stage of a rebuild."""
    spare_the_collector()
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:28}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        tasks = {stage: shown.add_task(words, total=None, visible=False) for stage, words in _STAGES.items()}

        def tell(stage: str, more: int, total: int) -> None:
            """Totals are upper bounds, so a stage is full when the next one begins."""
            for earlier in takewhile(lambda one: one != stage, _STAGES):
                shown.update(tasks[earlier], total=1, completed=1)
            shown.update(tasks[stage], advance=more, total=total, visible=True)

        yield tell


def _me() -> str:
    return f"command line ({getpass.getuser()})"

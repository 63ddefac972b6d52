"""Command for probable duplicates: looks for shoppers who may be one person, for the review queue."""

from __future__ import annotations

from typing import Any, Final

from shared.errors import Refused
from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say_json, say_table
from sync_server.services.duplicates import DuplicateModel, DuplicatesFound, ReviewPair, find_duplicates

_COLUMNS: Final = {
    "a": "One",
    "b": "Other",
    "why": "Why",
    "score": "Score",
    "agree": "Agree",
    "close": "Close",
    "differ": "Differ",
    "is_new": "New",
}


def identity_duplicates(
    *,
    store: str | None = None,
    threshold: float = 0.9,
    exact: bool = False,
    dry_run: bool = False,
    common: Common = DEFAULT,
) -> None:
    """Propose shoppers who may be one person; nobody is merged, a person decides.

    Parameters
    ----------
    store
        Only shoppers in this store's slice.
    threshold
        How sure the model must be, from 0 to 1.
    exact
        Without the model: the same name with the same birth date or postcode.
    dry_run
        Show the pairs and write nothing.
    """
    if not 0 < threshold < 1:
        raise Refused(f"The threshold lies between 0 and 1, such as 0.9; {threshold:g} does not.")
    model = None if exact else _model()
    with headquarters(common) as hq:
        found = find_duplicates(hq, model=model, threshold=threshold, store=store, is_dry=dry_run)
    _say_found(common, found, is_dry=dry_run)


def _model() -> DuplicateModel:
    from sync_server.adapters.splink_model import SplinkModel

    return SplinkModel()


def _say_found(common: Common, found: DuplicatesFound, *, is_dry: bool) -> None:
    counts = {"compared": found.compared, "proposed": len(found.pairs), "new": found.count_new()}
    if common.json:
        shown = {"pairs": [pair.to_body() for pair in found.pairs]} if is_dry else {}
        say_json({**counts, "is_dry_run": is_dry, **shown})
        return
    if is_dry and found.pairs:
        say_table(common, [_row(pair) for pair in found.pairs], _COLUMNS, "")
    end = "Nothing was written." if is_dry else "Nobody was merged: a person decides."
    people().print(
        f"Shoppers compared: {counts['compared']:,}. Pairs that may be one person: {counts['proposed']:,}, "
        f"new ones: {counts['new']:,}. {end}",
        soft_wrap=True,
    )


def _row(pair: ReviewPair) -> dict[str, Any]:
    return {
        "a": f"{pair.a.type}:{pair.a.value}",
        "b": f"{pair.b.type}:{pair.b.value}",
        "why": pair.proposal.why.value,
        "score": pair.proposal.score,
        **pair.proposal.evidence.to_body(),
        "is_new": pair.is_new,
    }

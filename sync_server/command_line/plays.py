"""Commands for plays before they are published: what a file may hold, and whom it would be for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say_json, say_table
from sync_server.services.audience import preview


def play_schema(of: Literal["play", "segment", "condition", "campaign", "journey"] = "play", /) -> None:
    """Print the JSON Schema of a file, for editors that check while one writes.

    Parameters
    ----------
    of
        play, segment, condition, campaign or journey.
    """
    from shared.plays import file_schema

    made = {"play": file_schema.play_schema, "segment": file_schema.segment_schema}
    made |= {"condition": file_schema.condition_schema, "campaign": file_schema.campaign_schema}
    say_json({**made, "journey": file_schema.journey_schema}[of]())


def play_preview(file: Path, /, *, store: str | None = None, common: Common = DEFAULT) -> None:
    """Say whom a play or segment would be for today; nothing is published, and looking is written into the audit log.

    Parameters
    ----------
    file
        A play's or segment's YAML file.
    store
        Ask of this store's shoppers only.
    """
    with headquarters(common) as hq:
        told = preview(hq, file, store)
    if common.json:
        say_json(told)
        return
    people().print(f"{told['title']} ({told['id']})\n{told['asks']}", soft_wrap=True)
    share = _percent(told["share_ppm"])
    people().print(f"For {told['count']:,} of {told['shoppers']:,} shoppers, {share} (rests, caps and holdouts aside).")
    columns = {"loyalty_id": "Loyalty number", "name": "Name", "store": "Store"}
    say_table(common, told["samples"], columns, "Nobody is meant today.")
    rows = [{**row, "share": _percent(row["share_ppm"])} for row in told["overlap"] if row["count"]]
    if told["overlap_of"] < told["count"]:
        people().print(f"Overlap, asked of {told['overlap_of']:,} of them:")
    say_table(common, rows, {"title": "Also meant by", "count": "Shoppers", "share": "Share"}, "No other play.")


def _percent(ppm: Any) -> str:
    return f"{ppm // 10_000}.{ppm % 10_000 // 1000} %"

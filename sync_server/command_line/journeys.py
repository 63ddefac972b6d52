"""Commands for campaigns and journeys: what is published, what ends, and how far shoppers came."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.plays.campaigns import Campaign
from shared.plays.journeys import Journey, describe_journey
from shared.plays.speech import span
from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say, say_json, say_table, write_out
from sync_server.services.campaigns import list_campaigns
from sync_server.services.journeys import (
    STEP_COLUMNS,
    count_journeys,
    count_published,
    list_journeys,
    read_journey,
    step_rows,
)
from sync_server.services.kept_files import retire_files
from sync_server.services.table_file import Format


def campaign_list(*, language: str = "en", common: Common = DEFAULT) -> None:
    """List the campaigns published, who answers for each, and how far it is.

    Parameters
    ----------
    language
        en or de.
    """
    with headquarters(common) as hq:
        rows = list_campaigns(hq, language)
    columns = {"id": "Id", "title": "Title", "owner": "Owner", "state": "State", "from_on": "From", "until_on": "Until"}
    columns |= {"play_ids": "Plays", "offer_ids": "Offers", "calendar_ids": "Calendar"}
    say_table(common, rows, columns, "No campaign is published yet.")


def journey_list(*, language: str = "en", common: Common = DEFAULT) -> None:
    """List the journeys published.

    Parameters
    ----------
    language
        en or de.
    """
    with headquarters(common) as hq:
        rows = list_journeys(hq, language)
    columns = {"id": "Id", "version": "Version", "title": "Title", "within_h": "Hours", "steps": "Steps"}
    say_table(common, rows, columns, "No journey is published yet.")


def campaign_retire(campaign: str, *more: str, common: Common = DEFAULT) -> None:
    """End campaigns: their tags are free again, and what names them is an orphan. Their versions stay.

    Parameters
    ----------
    campaign
        The campaign's id.
    more
        Further ones.
    """
    _retire(Campaign, [campaign, *more], common)


def journey_retire(journey: str, *more: str, common: Common = DEFAULT) -> None:
    """Count journeys no more. Their versions stay.

    Parameters
    ----------
    journey
        The journey's id.
    more
        Further ones.
    """
    _retire(Journey, [journey, *more], common)


def _retire(model: type[Campaign] | type[Journey], ids: list[str], common: Common) -> None:
    with headquarters(common) as hq:
        retire_files(hq, model, ids)
    say(common, {"retired": ids}, f"Retired: {', '.join(ids)}. Take the files away as well.")


def journey_check(file: Path, /, *, store: str | None = None, language: str = "en", common: Common = DEFAULT) -> None:
    """Check a journey's file, say it in plain sentences, and count how far shoppers came; nothing is published.

    Parameters
    ----------
    file
        A journey's YAML file.
    store
        Count this store's shoppers only.
    language
        en or de.
    """
    with headquarters(common) as hq:
        journey = read_journey(hq, file)
        [told] = count_journeys(hq, [journey], store, language)
    asks = describe_journey(journey, language)
    if common.json:
        say_json({**told, "asks": asks})
        return
    people().print(f"{told['title']} ({journey.id})", *asks, sep="\n", soft_wrap=True)
    people().print(f"{told['counted']:,} of {told['shoppers']:,} shoppers agreed to be counted.")
    columns = {"name": "Step", "reached": "Reached", "share": "Share", "stopped": "Stopped", "under_way": "Under way"}
    rows = [_shown(step, language) for step in told["steps"]]
    say_table(common, rows, {**columns, "median": "Median time"}, "Nobody entered.")
    if told["channels"]:
        people().print("Channels: " + ", ".join(f"{name} {count}" for name, count in told["channels"].items()))


def _shown(step: Mapping[str, Any], language: str) -> dict[str, Any]:
    ppm, median_s = step["share_ppm"], step["median_s"]
    share = f"{ppm // 10_000}.{ppm % 10_000 // 1000} %"
    return {**step, "share": share, "median": span(median_s, language) if median_s else None}


def journey_export(
    file: Path | None = None,
    /,
    *,
    format: Format = "csv",  # noqa: A002 - the word people type
    store: str | None = None,
    language: str = "en",
    common: Common = DEFAULT,
) -> None:
    """Write the counts of every journey published: a row for each step. Counts only, nobody is named.

    Parameters
    ----------
    file
        The file to write; standard output without one.
    format
        csv, or jsonl (one JSON object a line).
    store
        Count this store's shoppers only.
    language
        en or de.
    """
    with headquarters(common) as hq:
        count = write_out(common, file, format, STEP_COLUMNS, lambda: step_rows(count_published(hq, store, language)))
    if count is not None:
        say(common, {"file": str(file), "steps": count}, f"{count} steps written to {file}.")

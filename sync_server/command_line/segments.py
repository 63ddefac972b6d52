"""Commands for segments: what a folder holds, and who is in one today, for other systems."""

from __future__ import annotations

from pathlib import Path

from sync_server.command_line.common import DEFAULT, Common, headquarters, say, say_table, write_out
from sync_server.services.segments import SEGMENT_COLUMNS, export_segment, list_segments
from sync_server.services.table_file import Format


def segment_list(folder: Path | None = None, /, *, language: str = "en", common: Common = DEFAULT) -> None:
    """List the segments of a folder, and what each asks.

    Parameters
    ----------
    folder
        The folder that holds segments/; without one those that come along.
    language
        en or de.
    """
    columns = {"id": "Id", "title": "Title", "asks": "Asks"}
    say_table(common, list_segments(folder, language), columns, "There is no segment in it yet.")


def segment_export(
    segment: Path,
    file: Path | None = None,
    /,
    *,
    format: Format = "csv",  # noqa: A002 - the word people type
    store: str | None = None,
    common: Common = DEFAULT,
) -> None:
    """Write who is in a segment today, for an e-mail or ad system. Shoppers are hashes (SHA-256), as consent lets out.

    Parameters
    ----------
    segment
        A segment's YAML file.
    file
        The file to write; standard output without one.
    format
        csv, or jsonl (one JSON object a line).
    store
        This store's shoppers only.
    """
    with headquarters(common) as hq:
        count = write_out(common, file, format, SEGMENT_COLUMNS, lambda: export_segment(hq, segment, store))
    if count is not None:
        say(common, {"file": str(file), "shoppers": count}, f"{count} shoppers written to {file}.")

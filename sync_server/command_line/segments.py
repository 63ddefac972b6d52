"""Commands for segments: what a folder holds, and who is in one today, for other systems."""

from __future__ import annotations

import sys
from pathlib import Path

from shared.errors import Refused
from sync_server.command_line.common import DEFAULT, Common, headquarters, say, say_table
from sync_server.services.segments import SEGMENT_COLUMNS, export_segment, list_segments
from sync_server.services.table_file import Format, write_file, write_rows


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
    if file is None and common.json:
        raise Refused("With --json the answer is one value: give a FILE for the rows, or leave --json out.")
    with headquarters(common) as hq:
        rows = export_segment(hq, segment, store)
        if file is None:
            write_rows(sys.stdout, rows, SEGMENT_COLUMNS, format)
            return
        count = write_file(file, rows, SEGMENT_COLUMNS, format)
    say(common, {"file": str(file), "shoppers": count}, f"{count} shoppers written to {file}.")

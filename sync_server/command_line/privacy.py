"""Commands for a shopper's rights: erase, export, status."""

from __future__ import annotations

import getpass
import json
import os
from pathlib import Path
from typing import Any

from shared.errors import Refused
from sync_server.command_line.common import DEFAULT, Common, headquarters, say, say_json, say_table
from sync_server.services import privacy

_COLUMNS = {
    "id": "erasure",
    "at": "when",
    "who": "by",
    "confirmed": "tablets confirmed",
    "outstanding": "outstanding",
    "files_cleared_at": "files cleared",
}
_TABLETS = {"name": "tablet", "store": "store", "state": "state", "confirmed_at": "confirmed", "last_seen_at": "seen"}


def privacy_erase(shopper: str, *, dry_run: bool = False, yes: bool = False, common: Common = DEFAULT) -> None:
    """Erase a shopper for good: HQ keeps amounts of orders and keyed hashes, tablets delete at their next contact.

    Parameters
    ----------
    shopper
        An identifier, such as a loyalty number or email:mara@example.com, or a profile id.
    dry_run
        Only say what would go.
    yes
        Accepted for scripts; nothing is asked anyway.
    """
    del yes
    with headquarters(common) as hq:
        if dry_run:
            plan = privacy.plan_erasure(hq, shopper)
            say(common, plan, f"Nothing was changed. This would go: {_counted(plan['rows'])}.")
            return
        told = privacy.erase(hq, shopper, who=getpass.getuser())
    left = "" if told["files_cleared_at"] else " The files are in use: the next start clears them of old bytes."
    say(
        common,
        told,
        f"Erased, as {told['id']}: {_counted(told['rows'])}.{left} {told['outstanding']} tablets are still to confirm: "
        "see `sync-server privacy status`.",
    )


def privacy_export(shopper: str, file: Path, *, common: Common = DEFAULT) -> None:
    """Write everything HQ holds of a shopper to FILE, as JSON.

    Parameters
    ----------
    shopper
        An identifier, such as a loyalty number or email:mara@example.com, or a profile id.
    file
        A file that is not there yet.
    """
    if file.exists():
        raise Refused(f"There is already a file {file}. Give another name; nothing was overwritten.")
    with headquarters(common) as hq:
        told = privacy.export_shopper(hq, shopper, who=getpass.getuser())
    try:
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:  # noqa: PTH123
            json.dump(told, out, ensure_ascii=False, indent=2)
            out.write("\n")
    except OSError as problem:
        raise Refused(f"The file {file} cannot be written ({problem.strerror}).") from None
    summary = {"path": str(file), "facts": len(told["facts"]), "identifiers": len(told["identifiers"])}
    say(common, summary, f"{file} holds {summary['facts']} facts of the shopper. Hand it over safely, then delete it.")


def privacy_status(erasure: str | None = None, *, common: Common = DEFAULT) -> None:
    """List erasures and how many tablets have confirmed each; with ERASURE, its rows and every tablet.

    Parameters
    ----------
    erasure
        The id of one erasure.
    """
    with headquarters(common) as hq:
        rows = privacy.show_erasures(hq, erasure)
    if erasure is None:
        say_table(common, rows, _COLUMNS, "Nobody was erased.")
    elif common.json:
        say_json(rows[0])
    else:
        say(common, rows[0], f"Erased {rows[0]['at']} by {rows[0]['who']}: {_counted(rows[0]['rows'])}.")
        say_table(common, rows[0]["tablets"], _TABLETS, "There was no tablet then.")


def _counted(rows: dict[str, Any]) -> str:
    return ", ".join(f"{count} {table.replace('_', ' ')}" for table, count in sorted(rows.items())) or "nothing"

"""Commands for what was kept apart: quarantine (list, show, replay), salvage (list, show, import, approve, refuse)."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from getpass import getpass
from pathlib import Path
from typing import Any

from shared.errors import Refused
from shared.salvage_file import SEALED_PREFIX, read_journal
from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say, say_json, say_table
from sync_server.services.quarantine import list_quarantine, replay, show_quarantine
from sync_server.services.salvage import approve, import_journal, list_salvage, show_salvage, turn_down


def quarantine_list(*, common: Common = DEFAULT) -> None:
    """List parked ops and dead letters, oldest first."""
    with headquarters(common) as hq:
        rows = list_quarantine(hq)
    columns = {
        "id": "Id",
        "what": "What",
        "kind": "Kind",
        "store": "Store",
        "code": "Reason",
        "detail": "In words",
        "received_at": "Received",
    }
    say_table(common, rows, columns, "Nothing is in quarantine: everything that came was applied.")


def quarantine_show(named: str, *, common: Common = DEFAULT) -> None:
    """Print a parked op or a dead letter in full, by its id."""
    with headquarters(common) as hq:
        _say_all(common, show_quarantine(hq, named))


def quarantine_replay(*named: str, common: Common = DEFAULT) -> None:
    """Try parked ops again, all of them or those named; dead letters only by their id.

    Parameters
    ----------
    named
        Ids from `quarantine list`.
    """
    with headquarters(common) as hq:
        results = replay(hq, named)
    _say_results(common, results, "tried again")


def salvage_list(*, every: bool = False, common: Common = DEFAULT) -> None:
    """List salvaged ops that wait for a decision.

    Parameters
    ----------
    every
        Those decided on as well.
    """
    with headquarters(common) as hq:
        rows = list_salvage(hq, include_decided=every)
    columns = {
        "op_id": "Op",
        "kind": "Kind",
        "device": "Tablet",
        "store": "Store",
        "why": "Why",
        "occurred_at": "Recorded",
        "state": "State",
    }
    say_table(common, rows, columns, "No salvaged op waits for a decision.")


def salvage_import(file: Path, *, common: Common = DEFAULT) -> None:
    """Take the journal that `associate-app export` wrote; its ops then wait for a decision.

    Parameters
    ----------
    file
        The file. Its passphrase is asked for, or read from standard input.
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise Refused(f"The file {file} cannot be read.") from None
    journal = read_journal(text, _ask_passphrase() if text.startswith(SEALED_PREFIX) else None)
    with headquarters(common) as hq:
        told = import_journal(hq, journal)
    sentence = (
        f"{told['kept']} ops of the tablet {told['device']} of {told['store']} wait for a decision now; HQ knew "
        f"{told['known']} already. Next: sync-server salvage list"
    )
    say(common, told, sentence)


def _ask_passphrase() -> str:
    if sys.stdin.isatty():
        return getpass("Passphrase of the journal: ")
    return sys.stdin.readline().rstrip("\r\n")


def salvage_show(op_id: str, *, common: Common = DEFAULT) -> None:
    """Print a salvaged op in full."""
    with headquarters(common) as hq:
        _say_all(common, show_salvage(hq, op_id))


def salvage_approve(*op_ids: str, device: str | None = None, common: Common = DEFAULT) -> None:
    """Merge salvaged ops as if their tablet had pushed them; what HQ has already is not doubled.

    Parameters
    ----------
    op_ids
        Ids from `salvage list`.
    device
        Instead: all that wait of this device.
    """
    with headquarters(common) as hq:
        results = approve(hq, op_ids, device_id=device)
    _say_results(common, results, "approved")


def salvage_refuse(*op_ids: str, device: str | None = None, common: Common = DEFAULT) -> None:
    """Keep salvaged ops apart for good: they merge nowhere.

    Parameters
    ----------
    op_ids
        Ids from `salvage list`.
    device
        Instead: all that wait of this device.
    """
    with headquarters(common) as hq:
        refused = turn_down(hq, op_ids, device_id=device)
    say(common, refused, f"{len(refused)} salvaged ops are refused; they stay kept and merge nowhere.")


def _say_all(common: Common, shown: dict[str, Any]) -> None:
    if common.json:
        say_json(shown)
        return
    for name, value in shown.items():
        if value is not None:
            people().print(f"{name}: {value}", soft_wrap=True)


def _say_results(common: Common, results: Sequence[dict[str, Any]], did: str) -> None:
    counted = Counter(result["verdict"] for result in results)
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counted.items())) or "nothing was there"
    say(common, list(results), f"{len(results)} {did}: {told}.")

"""Commands that give summaries to other systems: a file of traits, and webhooks that carry the changes."""

from __future__ import annotations

import sys
from pathlib import Path

from shared.errors import Refused
from sync_server.bootstrap import trait_outlet
from sync_server.command_line.common import DEFAULT, Common, complain, headquarters, say, say_table
from sync_server.services.table_file import Format, write_file, write_rows
from sync_server.services.trait_targets import add_target, list_targets, remove_target, run_targets
from sync_server.services.traits import TRAIT_COLUMNS, export_traits

_NEXT = "Next time: --since {}"


def traits_export(
    file: Path | None = None,
    *,
    format: Format = "csv",  # noqa: A002 - the word people type
    since: str | None = None,
    common: Common = DEFAULT,
) -> None:
    """Write one summary per shopper, for a CRM. Never events or notes; an e-mail or phone only with the consent.

    Parameters
    ----------
    file
        The file to write; standard output without one.
    format
        csv, or jsonl (one JSON object a line).
    since
        The cursor that the last export told: only what changed since.
    """
    if file is None and common.json:
        raise Refused("With --json the answer is one value: give a FILE for the summaries, or leave --json out.")
    with headquarters(common) as hq:
        rows, cursor = export_traits(hq, since)
        if file is None:
            write_rows(sys.stdout, rows, TRAIT_COLUMNS, format)
            complain(_NEXT.format(cursor))
            return
        count = write_file(file, rows, TRAIT_COLUMNS, format)
    told = {"file": str(file), "profiles": count, "cursor": cursor}
    say(common, told, f"{count} profiles written to {file}. {_NEXT.format(cursor)}")


def webhook_add(url: str, *, common: Common = DEFAULT) -> None:
    """Send changed summaries to an address, signed. The secret is shown this once.

    Parameters
    ----------
    url
        An https address (http on this machine only).
    """
    with headquarters(common) as hq:
        told = add_target(hq, trait_outlet(hq.settings), url)
    words = (
        f"Added. `sync-server export webhook run` sends what is due, all profiles at first.\nSecret: {told['secret']}"
    )
    say(common, told, words)


def webhook_list(*, common: Common = DEFAULT) -> None:
    """List the webhooks, how far each is, and what went wrong last."""
    with headquarters(common) as hq:
        rows = list_targets(hq)
    columns = {"target_id": "Id", "url": "Address", "sent_at": "Taken last", "is_due": "Due", "problem": "Trouble"}
    say_table(common, rows, columns, "There is no webhook yet.")


def webhook_remove(url: str, *, common: Common = DEFAULT) -> None:
    """Send nothing more to a webhook, and forget its secret.

    Parameters
    ----------
    url
        Its address or id.
    """
    with headquarters(common) as hq:
        remove_target(hq, trait_outlet(hq.settings), url)
    say(common, {"removed": url}, f"Nothing more goes to {url}.")


def webhook_run(*, common: Common = DEFAULT) -> None:
    """Send to every webhook what is due, with a few attempts; what fails stays due. For a timer, beside the server."""
    with headquarters(common) as hq:
        done = run_targets(hq, trait_outlet(hq.settings))
    rows = [{"url": one.url, "taken": one.taken, "batches": one.batches, "problem": one.problem} for one in done]
    columns = {"url": "Address", "taken": "Profiles", "batches": "Batches", "problem": "Trouble"}
    say_table(common, rows, columns, "There is no webhook yet.")
    late = sum(one.problem is not None for one in done)
    if late:
        raise Refused(f"{late} of {len(done)} webhooks did not take everything. It stays due: run it again later.")

"""Commands that tell other systems: files of traits or suppressions, and webhooks that carry the changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from shared.errors import Refused
from sync_server.bootstrap import trait_outlet
from sync_server.command_line.common import DEFAULT, Common, complain, headquarters, say, say_table, write_out
from sync_server.services.changes import export_changes
from sync_server.services.suppression_list import SUPPRESSION_COLUMNS, export_suppressions
from sync_server.services.table_file import Format
from sync_server.services.trait_targets import Keys, What, add_target, list_targets, remove_target, run_targets
from sync_server.services.traits import TRAIT_COLUMNS, TRAITS

_NEXT: Final = "Next time: --since {}"


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
    with headquarters(common) as hq:
        _write(common, file, format, TRAIT_COLUMNS, "profiles", lambda: export_changes(hq, TRAITS, since))


def suppressions_export(
    file: Path | None = None,
    *,
    format: Format = "csv",  # noqa: A002 - the word people type
    since: str | None = None,
    common: Common = DEFAULT,
) -> None:
    """Write what other systems must hold back, from whom, until when and why. Shoppers are hashes (SHA-256).

    Parameters
    ----------
    file
        The file to write; standard output without one.
    format
        csv, or jsonl (one JSON object a line).
    since
        The cursor that the last export told: shoppers whose list changed since. Their rows replace the earlier ones.
    """
    with headquarters(common) as hq:
        _write(common, file, format, SUPPRESSION_COLUMNS, "suppressions", lambda: export_suppressions(hq, since))


def _write(
    common: Common,
    file: Path | None,
    form: Format,
    columns: tuple[str, ...],
    what: str,
    export: Callable[[], tuple[Iterator[dict[str, Any]], str]],
) -> None:
    """Rows to a file or to standard output, and the cursor for the next time."""
    cursor = ""

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal cursor
        found, cursor = export()
        return found

    count = write_out(common, file, form, columns, rows)
    if count is None:
        complain(_NEXT.format(cursor))
        return
    told = {"file": str(file), what: count, "cursor": cursor}
    say(common, told, f"{count} {what} written to {file}. {_NEXT.format(cursor)}")


def webhook_add(url: str, *, what: What = "traits", keys: Keys = "sha256", common: Common = DEFAULT) -> None:
    """Send what changes to an address, signed. The secret is shown this once.

    Parameters
    ----------
    url
        An https address (http on this machine only).
    what
        traits (a summary per shopper), or suppressions (what must be held back from whom).
    keys
        How suppressions name a shopper: sha256, as senders and advertisers match them, or hmac-sha256 of that under the
        webhook's secret, which nobody else can make.
    """
    with headquarters(common) as hq:
        told = add_target(hq, trait_outlet(hq.settings), url, what, keys)
    words = f"Added. A running server sends what is due, everything at first.\nSecret: {told['secret']}"
    say(common, told, words)


def webhook_list(*, common: Common = DEFAULT) -> None:
    """List the webhooks, how far each is, and what went wrong last."""
    with headquarters(common) as hq:
        rows = list_targets(hq)
    columns = {
        "target_id": "Id",
        "what": "What",
        "url": "Address",
        "sent_at": "Taken last",
        "is_due": "Due",
        "problem": "Trouble",
    }
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
    """Send to every webhook what is due, with a few attempts; what fails stays due. A running server does it alone."""
    with headquarters(common) as hq:
        done = run_targets(hq, trait_outlet(hq.settings))
    rows = [{"url": one.url, "taken": one.taken, "batches": one.batches, "problem": one.problem} for one in done]
    columns = {"url": "Address", "taken": "Shoppers", "batches": "Batches", "problem": "Trouble"}
    say_table(common, rows, columns, "There is no webhook yet.")
    late = sum(one.problem is not None for one in done)
    if late:
        raise Refused(f"{late} of {len(done)} webhooks did not take everything. It stays due: run it again later.")

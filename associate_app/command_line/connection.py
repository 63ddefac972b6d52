"""Commands about this tablet and HQ: enrol, sync, status."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from associate_app.command_line.common import DEFAULT, REFUSED, Common, complain, people, say, say_json, tablet_of
from associate_app.services.enrol import enrol_tablet, read_invitation, show_earlier
from associate_app.services.outbox import journal_lines
from associate_app.services.status import TabletStatus, read_status
from associate_app.settings import APP_VERSION
from associate_app.sync.rounds import SyncSummary, run_until_idle
from associate_app.sync.status import SyncStatus

PATIENCE_S: Final = 20.0
_LISTED: Final = 10


def enrol(code: str, *, server: str | None = None, name: str = "Tablet", common: Common = DEFAULT) -> None:
    """Connect this tablet to a store with HQ's one-time code.

    Parameters
    ----------
    code
        The code as HQ gave it, or the whole text of its QR code.
    server
        HQ's address, such as https://hq.example.com; not needed with the QR code's text.
    name
        What this tablet is called in the store.
    """
    invitation = read_invitation(code, server)
    with tablet_of(common) as (tablet, database):
        invitation = show_earlier(database, invitation)
        endpoint = tablet.connect(invitation)
        try:
            device = enrol_tablet(database, lambda _: endpoint, invitation, name=name, app=APP_VERSION)
        finally:
            endpoint.close()
    told = {"device_id": device.device_id, "store": device.store, "name": device.name, "server": device.server_url}
    say(common, told, f"{device.name} is connected to {device.store}.", "Next: associate-app sync")


def sync(*, common: Common = DEFAULT) -> int | None:
    """Send what was recorded, receive what is new, and check both. Waits a moment for another worker of this tablet."""
    with tablet_of(common) as (tablet, database):
        driver, shut = tablet.open_driver()
        try:
            with _progress(driver.subscribe, is_quiet=common.json):
                summary = run_until_idle(driver, pause=time.sleep, patience_s=PATIENCE_S)
        finally:
            driver.close()
            shut()
        status_now = read_status(database)
    say(common, _summary_json(summary, status_now), *_summary_sentences(summary, status_now))
    if summary.is_complete:
        return None
    complain(summary.words or "Not everything is through yet. Nothing is lost; sync again to go on.")
    return REFUSED


def status(*, common: Common = DEFAULT) -> None:
    """Say what is saved here and what is at HQ."""
    with tablet_of(common) as (_, database):
        now = read_status(database)
        if common.json:
            say_json(now.as_json())
            return
        lines = journal_lines(database, limit=_LISTED)
    sentences = [now.sentence, _sync_sentence(now), _receipt_sentence(now), now.clock_sentence]
    for sentence in filter(None, sentences):
        people().print(Text(sentence), soft_wrap=True)
    if lines:
        table = Table("When", "What", "Which", "State")
        for line in lines:
            words = f"{line.state_words}. {line.why}" if line.why else line.state_words
            table.add_row(*map(Text, (_minute(line.recorded_at), line.what, line.name or line.detail, words)))
        people().print(table)


@contextlib.contextmanager
def _progress(
    subscribe: Callable[[Callable[[SyncStatus], None]], Callable[[], None]], *, is_quiet: bool
) -> Iterator[None]:
    """A bar on standard error while a store's slice arrives."""
    console = Console(stderr=True, markup=False)
    if is_quiet or not console.is_terminal:
        yield
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Syncing", total=None)

        def follow(now: SyncStatus) -> None:
            if now.snapshot is not None:
                bar.update(task, description="Receiving", completed=now.snapshot.done, total=now.snapshot.total)

        unsubscribe = subscribe(follow)
        try:
            yield
        finally:
            unsubscribe()


def _summary_json(summary: SyncSummary, now: TabletStatus) -> dict[str, Any]:
    return {
        "complete": summary.is_complete,
        "sentence": summary.words,
        "requests": summary.requests,
        "answered": dict(summary.answered),
        "documents_received": summary.documents_received,
        "snapshots": summary.snapshots,
        **now.as_json(),
    }


def _summary_sentences(summary: SyncSummary, now: TabletStatus) -> list[str]:
    sent = sum(summary.answered.values())
    parts = f"{sent} records sent, {summary.documents_received} documents received."
    return [part for part in (parts, now.sentence, now.clock_sentence) if part]


def _sync_sentence(now: TabletStatus) -> str:
    if now.store is None:
        return "Connect it with: associate-app enrol CODE --server URL"
    if now.last_complete_sync_at is None:
        return f"{now.name} of {now.store} has not received its store yet: associate-app sync"
    return f"{now.name} of {now.store}: last complete sync {_minute(now.last_complete_sync_at)} UTC."


def _receipt_sentence(now: TabletStatus) -> str | None:
    if now.receipt is None:
        return None
    return f"HQ confirmed record {now.receipt.through_seq} at {_minute(now.receipt.issued_at)} UTC."


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")

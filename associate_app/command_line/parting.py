"""Commands for a tablet that leaves: export, salvage, reset, retire. None of them loses a record without its number."""

from __future__ import annotations

import getpass
import secrets
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from cyclopts import Parameter

from associate_app.command_line.common import DEFAULT, Common, say, settings_of, tablet_of
from associate_app.services.export import export_journal, note_safe_elsewhere
from associate_app.services.parting import check_nothing_is_lost, only_here
from associate_app.services.salvage import hand_in
from associate_app.settings import Settings
from associate_app.sync.rounds import SyncSummary, run_until_idle
from shared.errors import Refused
from shared.salvage_file import SALT_BYTES, seal_journal

if TYPE_CHECKING:
    from associate_app.adapters.sqlite import TabletFile
    from associate_app.bootstrap import Tablet

Lose = Annotated[int, Parameter(help="How many unsent records may be lost; only the exact number counts.")]
_LEASE_S: Final = 15.0


def export(*, file: Path | None = None, plain: bool = False, common: Common = DEFAULT) -> None:
    """Write the journal to a file, for a tablet that cannot send it. HQ can read the file and merge what is missing.

    The file is encrypted with a passphrase, which is asked for (or read from standard input). The form is that of
    shared/salvage_file.py: JSON lines, sealed with scrypt and Fernet.

    Parameters
    ----------
    file
        Where to; standard output when left out.
    plain
        Do not encrypt: whoever has the file can read shoppers' names and notes.
    """
    if file is None and common.json:
        raise Refused("With --json the journal goes to a file: name it with --file.")
    with tablet_of(common) as (_, database):
        newest, lines = database.newest_op_id(), list(export_journal(database))
        text = "\n".join(lines) if plain else seal_journal(lines, _ask_passphrase(), secrets.token_bytes(SALT_BYTES))
        if file is None:
            sys.stdout.write(text + "\n")
            return
        _write(file, text + "\n")
        note_safe_elsewhere(database, newest)
    count = len(lines) - 1
    told = {"file": str(file), "ops": count, "sealed": not plain}
    say(common, told, f"{count} {'record is' if count == 1 else 'records are'} in {file}.")


def salvage(*, common: Common = DEFAULT) -> None:
    """Hand HQ what a normal sync can no longer send: a disconnected tablet's records, and those HQ could not take."""
    with tablet_of(common) as (tablet, database):
        summary = _sync(tablet)
        endpoint = tablet.open_endpoint(database)
        try:
            handed = hand_in(database, endpoint, tablet.clock, is_revoked=summary.status.is_revoked)
        finally:
            endpoint.close()
        pending = database.counts().pending
    told = {"handed_in": handed.kept, "known_before": handed.known, "pending": pending}
    if handed.kept + handed.known == 0:
        say(common, told, "Nothing needs salvage.", *([summary.words] if pending and summary.words else []))
        return
    say(
        common,
        told,
        f"HQ holds {handed.kept + handed.known} of this tablet's records apart; {handed.known} of them it had before.",
        "They take effect when somebody at HQ approves them. They stay on this tablet as well.",
    )


def reset(*, lose: Lose = 0, common: Common = DEFAULT) -> None:
    """Delete everything on this tablet: its records, its copy of the store, its key. Asks for nothing at HQ."""
    settings = settings_of(common)
    with tablet_of(common) as (tablet, database):
        _stop_if_running(tablet, database)
        lost = check_nothing_is_lost(database, lose)
    _erase(settings)
    say(common, {"lost": lost}, "This tablet is empty. Connect it again with: associate-app enrol CODE --server URL")


def retire(*, lose: Lose = 0, common: Common = DEFAULT) -> None:
    """Send what is left, and once HQ confirmed all of it delete everything on this tablet."""
    settings = settings_of(common)
    with tablet_of(common) as (tablet, database):
        _stop_if_running(tablet, database)
        words = _sync(tablet).words if database.device() is not None else None
        left = len(only_here(database))
        if left and words and left != lose:
            raise Refused(f"{words} {_still_here(left)}")
        lost = check_nothing_is_lost(database, lose)
        counts, device = database.counts(), database.device()
    _erase(settings)
    name = f"“{device.name}”" if device else "this tablet"
    say(
        common,
        {"lost": lost, "at_hq": counts.acked + counts.parked + counts.rejected},
        f"HQ confirmed {counts.acked + counts.parked + counts.rejected} of {counts.recorded} records recorded here.",
        f"Shoppers, key and records are deleted from this tablet. Now let HQ disconnect {name}.",
    )


def _still_here(count: int) -> str:
    records = "1 record is" if count == 1 else f"{count} records are"
    return (
        f"{records} on this tablet only, so nothing was deleted. Try again with a network, or keep a copy first: "
        f"associate-app export --file FILE. To lose {'it' if count == 1 else 'them'} on purpose: --lose {count}"
    )


def _sync(tablet: Tablet) -> SyncSummary:
    driver, shut = tablet.open_driver()
    try:
        return run_until_idle(driver)
    finally:
        driver.close()
        shut()


def _stop_if_running(tablet: Tablet, database: TabletFile) -> None:
    now_s = tablet.clock.now().timestamp()
    if not database.lease("parting", now_s + _LEASE_S, now_s):
        raise Refused("The app of this tablet is running. Stop it, wait a quarter of a minute, then do this again.")
    database.lease("parting", now_s, now_s)


def _erase(settings: Settings) -> None:
    from associate_app.bootstrap import erase_tablet

    erase_tablet(settings)


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        raise Refused(f"{file} cannot be written ({problem.strerror}). Name another file.") from None


def _ask_passphrase() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Passphrase: ")
    return sys.stdin.readline().rstrip("\n")

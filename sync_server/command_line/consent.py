"""Commands for consent: proofs, what stands for a shopper, coverage, and the wordings shoppers agree to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sync_server.command_line.common import DEFAULT, Common, headquarters, say, say_json, say_table
from sync_server.services.consent import PROOF_COLUMNS, STATES, ProofQuery, count_coverage, export_proofs, show_consent
from sync_server.services.table_file import Format, write_file
from sync_server.services.wordings import add_wording, list_wordings, show_wording

_DECISIONS = {
    "purpose": "Purpose",
    "decision": "Decision",
    "at": "When",
    "method": "How",
    "store": "Where",
    "associate_id": "Who",
    "wording_version": "Wording",
    "standing": "Now",
}


def consent_export(
    file: Path,
    *,
    format: Format = "csv",  # noqa: A002 - the word people type
    shopper: str | None = None,
    purpose: str | None = None,
    since: str | None = None,
    common: Common = DEFAULT,
) -> None:
    """Write every decision with its proof to a file; this is written into the audit log.

    Parameters
    ----------
    file
        The file to write; it appears when it is whole.
    format
        csv, or jsonl (one JSON object a line).
    shopper
        Only this shopper: a loyalty number, e-mail, phone or profile id.
    purpose
        Only this purpose: personalise_in_store, profiling, analytics, email, sms or phone.
    since
        Only decisions since a day (2026-11-22) or a time (2026-11-22T10:00:00.000Z).
    """
    with headquarters(common) as hq:
        count = write_file(file, export_proofs(hq, ProofQuery(shopper, purpose, since)), PROOF_COLUMNS, format)
    say(common, {"file": str(file), "decisions": count}, f"{count} decisions written to {file}.")


def consent_show(shopper: str, *, common: Common = DEFAULT) -> None:
    """Show what stands for a shopper, and every decision behind it; this is written into the audit log.

    Parameters
    ----------
    shopper
        A loyalty number, e-mail, phone or profile id; `type:value` asks for one kind alone.
    """
    with headquarters(common) as hq:
        told = show_consent(hq, shopper)
    if common.json:
        say_json(told)
        return
    rows = [{"purpose": purpose, **shown} for purpose, shown in told["purposes"].items()]
    columns = {"purpose": "Purpose", "state": "Now", "at": "Since"}
    say_table(common, [{**row, "state": row["state"].replace("_", " ")} for row in rows], columns, "")
    say_table(common, told["decisions"], _DECISIONS, "Nobody has asked this shopper yet.")


def consent_coverage(*, store: str | None = None, common: Common = DEFAULT) -> None:
    """Count who agreed to what.

    Parameters
    ----------
    store
        Only shoppers whose profile this store holds.
    """
    with headquarters(common) as hq:
        rows = count_coverage(hq, store)
    if common.json:
        say_json(rows)
        return
    columns = {"purpose": "Purpose", "shoppers": "Shoppers"} | {state: state.replace("_", " ") for state in STATES}
    say_table(common, [_spelled(row) for row in rows], columns, "")


def _spelled(row: dict[str, Any]) -> dict[str, Any]:
    shares = {state: f"{row[state]} ({row[f'{state}_permille'] / 10:.1f} %)" for state in STATES}
    return {**row, "shoppers": str(row["shoppers"]), **shares}


def wording_add(file: Path, *, common: Common = DEFAULT) -> None:
    """Publish the wording of a consent to every tablet. A changed word needs a new version.

    Parameters
    ----------
    file
        A YAML file with `purpose`, `version`, and `title` and `text` per language.
    """
    with headquarters(common) as hq:
        told = add_wording(hq, file)
    name = f"{told['purpose']} {told['version']}"
    say(common, told, f"{name} is published." if told["is_new"] else f"{name} is published already, word for word.")


def wording_list(*, common: Common = DEFAULT) -> None:
    """List the wordings published."""
    with headquarters(common) as hq:
        rows = list_wordings(hq)
    columns = {"purpose": "Purpose", "version": "Version", "title": "Title", "languages": "Languages"}
    say_table(common, rows, columns, "No wording is published yet.")


def wording_show(purpose: str, version: str | None = None, *, common: Common = DEFAULT) -> None:
    """Show a wording in every language, with the sha that decisions name.

    Parameters
    ----------
    purpose
        personalise_in_store, profiling, analytics, email, sms or phone.
    version
        The newest unless one is named.
    """
    with headquarters(common) as hq:
        spoken = show_wording(hq, purpose, version)
    rows = [{name: getattr(one, name) for name in one.__slots__} for one in spoken]
    columns = {"version": "Version", "language": "Language", "title": "Title", "text": "Text", "sha": "Sha"}
    say_table(common, rows, columns, "")

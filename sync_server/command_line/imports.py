"""The command `import`: a file of another system into the chain, with a bar, a report, and bad rows in a file."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from sync_server.command_line.common import DEFAULT, Common, headquarters, say
from sync_server.services.imports.run import ImportReport, run_import


def import_file(
    kind: str, file: Path, *, mapping: Path | None = None, dry_run: bool = False, common: Common = DEFAULT
) -> None:
    """Take a file of another system: CSV with a header, or JSON lines, gzipped or not.

    Parameters
    ----------
    kind
        stores, associates, postcodes, products, stock, rates, traffic, shoppers, consents, orders, service or events.
    file
        The file. Rows that cannot be taken are kept in the data folder, each with the reason.
    mapping
        YAML file that says which column means what; without it the header is read.
    dry_run
        Read and check everything, write nothing to the chain.
    """
    with headquarters(common) as hq, _progress() as bar:
        task = bar.add_task(file.name, total=file.stat().st_size if file.is_file() else 0)
        report = run_import(
            hq, kind, file, mapping=mapping, is_trial=dry_run, heard=lambda read: bar.update(task, completed=read)
        )
    say(common, report.as_json(), sentence(report, is_trial=dry_run))


def _progress() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)


def sentence(report: ImportReport, *, is_trial: bool) -> str:
    """What came of it, for people."""
    would = "would be taken" if is_trial else "taken"
    lines = [f"{report.rows} rows read; {report.taken} {report.things} {would}, {report.known} known already."]
    lines += [f"  {count} {what} came along." for what, count in report.also.items() if count]
    left_out = sum(report.left_out.values())
    if left_out:
        lines.append(f"{left_out} rows were left out; each stands in {report.bad_rows} with its reason:")
        lines += [f"  {count} x {why}" for why, count in report.left_out.most_common()]
    return "\n".join(lines)

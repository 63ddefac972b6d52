"""Campaigns and journeys as HQ keeps them: each version by its hash, for ever, and on no tablet (decision 0035).

Written in the transaction that publishes the playbook; read by whatever reports on them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from shared.errors import Refused
from shared.plays.campaigns import Campaign
from shared.plays.files import FilePart, document_of
from shared.plays.journeys import Journey
from shared.wire.canonical import canonical, sha_of
from sync_server.ports import CentralReader, CentralWriter
from sync_server.services.headquarters import Headquarters

Kept = TypeVar("Kept", Campaign, Journey)
KIND_OF: Final[dict[type[FilePart], str]] = {Campaign: "campaign", Journey: "journey"}
_RETIRED: Final = {"sha": "", "body": "null"}
"""The last version of what has ended; the file, published again, is a further one."""


def keep_files(tx: CentralWriter, found: Iterable[Campaign | Journey], now_at: str) -> None:
    """Keep each as a further version, if its content is not that of the last one."""
    for one in found:
        kind = KIND_OF[type(one)]
        document = document_of(one)
        versions, sha = tx.rows("file_version", kind=kind, id=one.id), sha_of(document)
        if not versions or versions[-1]["sha"] != sha:
            place = {"kind": kind, "id": one.id, "version": len(versions) + 1, "published_at": now_at}
            tx.put_row("file_version", {**place, "sha": sha, "body": canonical(document).decode()})


def retire_files(hq: Headquarters, model: type[Campaign] | type[Journey], ids: Sequence[str]) -> None:
    """End campaigns or journeys. Their versions stay. Raises Refused for one that is not published."""
    kind, now_at = KIND_OF[model], hq.now_at()
    with hq.database.write() as tx:
        known = {row["id"]: row for row in kept_rows(tx, model)}
        for id_ in dict.fromkeys(ids):
            if id_ not in known:
                raise Refused(f"There is no {kind} {id_!r:.80} published. See `sync-server {kind} list`.")
            place = {"kind": kind, "id": id_, "version": known[id_]["version"] + 1, "published_at": now_at}
            tx.put_row("file_version", {**place, **_RETIRED})
        hq.note_audit(tx, "command line", f"retired a {kind}", ", ".join(ids))


def kept_files(reader: CentralReader, model: type[Kept]) -> tuple[Kept, ...]:
    """The last version of each, by id. One that this version cannot read is left out."""
    found = []
    for row in kept_rows(reader, model):
        with suppress(ValidationError):
            found.append(model.model_validate(json.loads(row["body"])))
    return tuple(found)


def kept_rows(reader: CentralReader, model: type[FilePart]) -> list[dict[str, Any]]:
    """The row of the last version of each that has not ended, by id."""
    by_id = {row["id"]: row for row in reader.rows("file_version", kind=KIND_OF[model])}
    return [by_id[id_] for id_ in sorted(by_id) if by_id[id_]["sha"]]

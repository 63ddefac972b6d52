"""What a foreign tablet reports, beside what HQ's database holds. Reads only; every difference is a sentence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from shared.journal import CHAIN_START, extend_chain, is_receipt_sound
from sync_server.adapters.database import SqlDatabase
from sync_server.adapters.keys import FileKeyFolder
from sync_server.ports import CentralReader
from sync_server.services.sessions import EPOCH_NOTE

OPS_MIN: Final = 20
_STORED: Final = {"accepted": {"accepted"}, "parked": {"parked"}, "duplicate": {"accepted", "parked"}}


def differences(folder: Path, report: dict[str, Any]) -> list[str]:
    """Everything in which the report and HQ differ; an empty list is a pass."""
    told = json.loads((folder / "conformance.json").read_text(encoding="utf-8"))
    database = SqlDatabase(f"sqlite:///{folder / 'central.db'}")
    try:
        with database.read() as reader:
            found = [*_ops(reader, report, told), *_chains(reader, told), *_replica(reader, report, told)]
            return [*found, *_receipt(reader, report, folder)]
    finally:
        database.close()


def _entries(reader: CentralReader, told: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """The journal entries of each install of the guest, in order."""
    for install in reader.rows("install"):
        if install["device_id"] not in told["own_devices"]:
            rows = reader.rows("journal_entry", install_id=install["install_id"])
            yield sorted(rows, key=lambda row: int(row["seq"]))


def _ops(reader: CentralReader, report: dict[str, Any], told: dict[str, Any]) -> Iterator[str]:
    reported: dict[str, str] = report["ops"]
    if len(reported) < OPS_MIN:
        yield f"The report names {len(reported)} ops; a proof takes {OPS_MIN} at least."
    known = reader.known_facts(list(reported))
    letters = {json.loads(row["raw"])["op_id"] for row in reader.rows("dead_letter")}
    for op_id, verdict in reported.items():
        fact = known.get(op_id)
        if verdict == "rejected":
            if op_id not in letters:
                yield f"{op_id} is reported rejected; HQ keeps no such op apart."
        elif fact is None:
            yield f"{op_id} is reported {verdict}; HQ does not hold it."
        elif fact.verdict not in _STORED.get(verdict, set()):
            yield f"{op_id} is reported {verdict}; at HQ it is {fact.verdict}."
    for entries in _entries(reader, told):
        yield from (
            f"HQ holds {row['op_id']}; no verdict is reported." for row in entries if row["op_id"] not in reported
        )


def _chains(reader: CentralReader, told: dict[str, Any]) -> Iterator[str]:
    for entries in _entries(reader, told):
        chain = CHAIN_START
        for place, row in enumerate(entries, 1):
            chain = extend_chain(chain, row["op_id"], row["sha"])
            if row["seq"] != place or row["chain"] != chain:
                yield f"The journal of {row['install_id']} breaks at seq {row['seq']}."
                break


def _replica(reader: CentralReader, report: dict[str, Any], told: dict[str, Any]) -> Iterator[str]:
    if set(report["replica"]) != set(told["scopes"]):
        yield f"The replica holds the scopes {sorted(report['replica'])}, not {told['scopes']}."
    for scope in told["scopes"]:
        held, theirs = (
            {row.id: json.loads(row.body) for row in reader.live_docs(scope, "")},
            report["replica"].get(scope, {}),
        )
        for id_ in sorted(held.keys() | theirs.keys()):
            if id_ not in theirs:
                yield f"{scope}: {id_} is missing from the replica."
            elif id_ not in held:
                yield f"{scope}: {id_} is no longer at HQ."
            elif held[id_] != theirs[id_]:
                yield f"{scope}: {id_} is not as HQ has it."
        yield from _doubled(scope, held)


def _doubled(scope: str, held: dict[str, Any]) -> Iterator[str]:
    """An op whose effect is there twice."""
    lines = [line["op_id"] for doc in held.values() for name in ("notes", "outcomes") for line in doc.get(name, [])]
    yield from (f"{scope}: the effect of {op_id} is there {n} times." for op_id, n in Counter(lines).items() if n > 1)


def _receipt(reader: CentralReader, report: dict[str, Any], folder: Path) -> Iterator[str]:
    receipt = report.get("receipt")
    if receipt is None:
        yield "The report holds no receipt: give the last one as `receipt`."
        return
    key = FileKeyFolder(folder / "keys").public_receipt_keys().get(str(receipt.get("kid")), b"")
    install = reader.install(str(receipt.get("install_id")))
    if not is_receipt_sound(receipt, key):
        yield "The last receipt's signature does not hold."
    elif install is None or (install.acked_seq, install.chain) != (receipt["through_seq"], receipt["chain"]):
        yield "The last receipt is not of what HQ holds now."
    elif receipt["epoch"] != reader.note(EPOCH_NOTE):
        yield "The last receipt is of another epoch."

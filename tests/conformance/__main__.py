"""`python -m tests.conformance serve` and `check REPORT --data-dir DIR`: see shared/PROTOCOL.md, section 20.

`serve` prints one line of JSON (url, code, data_dir, store, shoppers, plays, qr) and serves until stopped. REPORT is
JSON: `replica` {scope: {id: document}}, `ops` {op_id: first verdict that is not a duplicate, else duplicate}, and
`receipt`, the last one. Write it once `GET /conformance` says `is_quiet` and a last round found nothing.
"""

from __future__ import annotations

import argparse
import json
import socket
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn

from shared.code_patterns import CheckRule, with_check_digit
from shared.ids import Uuid7
from shared.scan_code import encode_enrolment
from sync_server.adapters.system import SystemChance, SystemClock
from sync_server.api.app import make_app
from sync_server.services.enrolment import make_code
from sync_server.services.headquarters import Headquarters
from sync_server.services.playbook import publish_playbook
from tests.conformance.check import differences
from tests.conformance.hazards import Hazards
from tests.support.world import make_headquarters, make_journalist

SHOPPERS = 30


def make_world(folder: Path) -> tuple[Headquarters, Hazards, dict[str, Any]]:
    """HQ with a playbook, shoppers with notes, a neighbour and a tablet that will leave; what the guest is told."""
    fixed = make_headquarters(f"sqlite:///{folder / 'central.db'}", folder)
    clock, chance = SystemClock(), SystemChance()
    hq = replace(fixed, clock=clock, chance=chance, make_id=Uuid7(clock.now, chance.bits))
    publish_playbook(hq)
    neighbour, leaving = make_journalist(hq), make_journalist(hq)
    numbers = [with_check_digit(f"29{n:010}", CheckRule.EAN13) for n in range(SHOPPERS)]
    for number in numbers:
        neighbour.note("likes \u2028 odd separators, Grün and \U0001f332", number)
    neighbour.push(neighbour.ops)
    with hq.database.read() as reader:
        plays = sorted(reader.play_ids())
    own = [neighbour.device.device_id, leaving.device.device_id]
    scopes = ["all", neighbour.scope]
    (folder / "conformance.json").write_text(json.dumps({"own_devices": own, "scopes": scopes}), encoding="utf-8")
    told = {"code": make_code(hq, "berlin-1").code, "data_dir": str(folder), "store": "berlin-1"}
    hazards = Hazards(make_app(hq), hq, neighbour, leaving.device.device_id)
    return hq, hazards, {**told, "shoppers": numbers, "plays": plays}


def serve(folder: Path, port: int) -> None:
    """Serve until stopped."""
    folder.mkdir(parents=True, exist_ok=True)
    hq, hazards, told = make_world(folder)
    listening = socket.create_server(("127.0.0.1", port))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    print(json.dumps({"url": url, **told, "qr": encode_enrolment(url, told["code"], None)}), flush=True)
    try:
        uvicorn.Server(uvicorn.Config(hazards, log_level="critical", lifespan="off")).run([listening])
    finally:
        hq.database.close()


def check(folder: Path, report: Path) -> int:
    """Print every difference; 0 if there is none."""
    found = differences(folder, json.loads(report.read_text(encoding="utf-8")))
    print("\n".join(found) if found else "The replica equals HQ's feed, every op is there once, the receipt holds.")
    return 1 if found else 0


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    words = parser.add_subparsers(dest="word", required=True)
    serving = words.add_parser("serve", help="start HQ with planted hazards")
    serving.add_argument("--data-dir", type=Path, help="an empty folder; default a temporary one")
    serving.add_argument("--port", type=int, default=0)
    checking = words.add_parser("check", help="compare a tablet's report with HQ")
    checking.add_argument("report", type=Path)
    checking.add_argument("--data-dir", type=Path, required=True, help="the folder that serve printed")
    asked = parser.parse_args()
    if asked.word == "check":
        return check(asked.data_dir, asked.report)
    serve(asked.data_dir or Path(tempfile.mkdtemp(prefix="floor-sync-")), asked.port)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

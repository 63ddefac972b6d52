"""The conformance kit against a small tablet written from shared/PROTOCOL.md, with nothing of the project but its page.

It keeps all in memory and nothing for people; it is here to prove that the kit can be passed, and that it can fail.
"""

from __future__ import annotations

import copy
import hashlib
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import rfc8785

from tests.conformance.check import differences

ROUNDS_MAX = 60


class SmallTablet:
    """Enrols, records notes, and goes round until HQ says that it is quiet."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.line = httpx.Client(base_url=told["url"], timeout=10)
        self.install, self.epoch, self.seq, self.acked, self.chain = str(uuid.uuid4()), None, 0, 0, "0" * 64
        self.ops: list[dict[str, Any]] = []
        self.verdicts: dict[str, str] = {}
        self.batch: tuple[str, int] | None = None
        self.replica: dict[str, dict[str, Any]] = {}
        self.cursor: dict[str, str] = {}
        self.receipt: dict[str, Any] = {}
        enrolment = {"code": told["code"], "name": "Small", "install_id": self.install, "app": "1.0.0"}
        self.own = self.line.post("/v1/enroll", json=enrolment).json()
        self.line.headers["Authorization"] = f"Bearer {self.own['token']}"
        self.scopes: list[str] = []

    def ask(self, method: str, path: str, **sent: Any) -> tuple[int, bytes]:
        """(status, body); 0 for weather."""
        try:
            reply = self.line.request(method, f"/v1/sync/{path}", **sent)
        except httpx.HTTPError:
            return 0, b""
        return reply.status_code, reply.content

    def record(self, kind: str, body: dict[str, Any], **changed: Any) -> None:
        self.seq += 1
        sha = hashlib.sha256(rfc8785.dumps(body)).hexdigest()
        op = {"seq": self.seq, "op_id": str(uuid.uuid4()), "kind": kind, "schema": 1, "scope": self.own["scopes"][1]}
        op |= {
            "associate_id": "a1",
            "occurred_at": "2026-11-22T10:00:00.000Z",
            "amends": None,
            "sha": sha,
            "body": body,
        }
        self.ops.append(op | changed)

    def common(self) -> dict[str, Any]:
        return {
            "epoch": self.epoch,
            "device_id": self.own["device_id"],
            "install_id": self.install,
            "device_now": "2026-11-22T10:00:00.000Z",
        }

    def hello(self) -> bool:
        message = self.common() | {"proto": 1, "app": "1.0.0", "head_seq": self.seq}
        status, body = self.ask("POST", "hello", json=message | {"acked_seq": self.acked, "chain": self.chain})
        if status != 200:
            return False
        told = json.loads(body)
        if told["epoch_changed"]:
            self.cursor.clear()
        self.epoch, self.scopes = told["epoch"], told["scopes"]
        return True

    def push(self) -> bool:
        waiting = self.ops[self.acked : self.acked + 5]
        self.batch = self.batch if self.batch and self.batch[1] == self.acked else (str(uuid.uuid4()), self.acked)
        message = self.common() | {"batch_id": self.batch[0], "first_seq": self.acked + 1, "ops": waiting}
        status, body = self.ask("POST", "push", json=message)
        if status in (409, 410):
            self.hello()
        if status != 200:
            return False
        told = json.loads(body)
        for op, result in zip(waiting, told["results"], strict=True):
            chained = bytes.fromhex(self.chain) + op["op_id"].encode() + op["sha"].encode()
            self.chain, self.acked = hashlib.sha256(chained).hexdigest(), op["seq"]
            self.verdicts[op["op_id"]] = result["verdict"]
        self.receipt = told["receipt"]
        return bool(self.receipt["chain"] == self.chain)

    def snapshot(self, scope: str) -> None:
        status, body = self.ask("GET", "snapshot", params={"scope": scope})
        lines = body.decode("utf-8", "replace").split("\n")
        if status != 200 or lines[-1] or '"end":true' not in lines[-2]:
            return
        read = [json.loads(line) for line in lines[1:-2]]
        self.replica[scope] = {line["id"]: line["doc"] for line in read}
        self.cursor[scope] = json.loads(lines[-2])["next"]

    def pull(self, scope: str) -> None:
        if scope not in self.cursor:
            return self.snapshot(scope)
        status, body = self.ask("GET", "pull", params={"scope": scope, "cursor": self.cursor[scope]})
        if status == 410:
            del self.cursor[scope]
            self.hello()
        if status != 200:
            return None
        page, held = json.loads(body), self.replica[scope]
        for change in page["changes"]:
            held.pop(change["id"], None)
            if change["op"] == "put":
                held[change["id"]] = change["doc"]
        self.cursor[scope] = page["next"]
        if "check" in page and page["check"]["sum"] != self.sum(scope):
            del self.cursor[scope]
        return None

    def sum(self, scope: str) -> str:
        total = 0
        for id_, doc in self.replica[scope].items():
            total += int.from_bytes(hashlib.sha256(id_.encode() + b"|" + rfc8785.dumps(doc)).digest()[:8], "big")
        return f"{total % 2**64:016x}"

    def go_round(self) -> None:
        if self.acked < self.seq:
            self.push()
        for scope in self.scopes:
            self.pull(scope)

    def report(self) -> dict[str, Any]:
        return {"replica": self.replica, "ops": self.verdicts, "receipt": self.receipt}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A served HQ with hazards, and what it printed."""
    folder = tmp_path_factory.mktemp("conformance")
    command = [sys.executable, "-m", "tests.conformance", "serve", "--data-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as serving:
        assert serving.stdout is not None
        yield json.loads(serving.stdout.readline())
        serving.terminate()


def test_a_tablet_written_from_the_page_passes_and_a_false_report_does_not(told: dict[str, Any]) -> None:
    """All hazards happen, everything is at HQ once, the replica is equal; each kind of lie is found."""
    tablet = SmallTablet(told)
    tablet.hello()
    for number in told["shoppers"][:22]:
        tablet.record("note_added", {"shopper": {"type": "loyalty_id", "value": number}, "text": "grün \U0001f332"})
    tablet.record("shoe_polished", {})
    tablet.record("note_added", {}, sha="0" * 64)
    for _ in range(ROUNDS_MAX):
        tablet.go_round()
        state = tablet.line.get("/conformance").json()
        if state["is_quiet"]:
            break
    tablet.go_round()
    tablet.go_round()
    assert state["not_yet"] == []
    folder = Path(told["data_dir"])
    assert differences(folder, tablet.report()) == []
    for lie in lies(tablet.report()):
        assert differences(folder, lie) != []
    tablet.line.close()


def lies(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The report with one thing wrong."""
    for spoil in (
        lambda told: told["ops"].popitem(),
        lambda told: told["ops"].update({str(uuid.uuid4()): "accepted"}),
        lambda told: told["replica"]["all"].popitem(),
        lambda told: told["replica"]["all"].update({"zombie/1": {}}),
        lambda told: next(iter(told["replica"]["store:berlin-1"].values())).update({"name": "Nobody"}),
        lambda told: told["receipt"].update({"through_seq": 1}),
        lambda told: told.pop("receipt"),
    ):
        told = copy.deepcopy(report)
        spoil(told)
        yield told

"""A batch of a web shop that kill -9 of the server breaks off, and what was faulty in one, by the command line."""

from __future__ import annotations

import base64
import json
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared import segment_messages
from sync_server.bootstrap import open_headquarters
from sync_server.settings import DATABASE_FILE, Settings, read_settings
from tests.support.programs import ForkedServer, run_here, run_json_here

MESSAGES = 2_400
WAIT_S = 60


def hq_cli(folder: Path, *words: str) -> Any:
    """The JSON value of a command of `sync-server` in a data folder."""
    return run_json_here("sync_server", *words, "--data-dir", folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A chain with one store."""
    made = tmp_path / "hq"
    hq_cli(made, "init", "--chain", "Fjellvik", "--currency", "EUR", "--timezone", "Europe/Berlin")
    hq_cli(made, "store", "add", "berlin-1", "Berlin Mitte", "--lat", "52.5", "--lon", "13.4")
    return made


def message(number: int, **more: Any) -> dict[str, Any]:
    """A product is looked at."""
    said = {"type": "track", "event": "Product Viewed", "userId": f"c-{number % 60}", "messageId": f"m-{number}"}
    return {**said, "properties": {"sku": f"S-{number}"}, **more}


def basic(key: str) -> dict[str, str]:
    """The key as Basic credentials."""
    return {"Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


def facts_in(settings: Settings) -> int:
    """How many events the ledger holds."""
    with open_headquarters(settings) as hq, hq.database.read() as reader:
        return len(reader.rows("fact", origin="web-shop"))


# kill -9 --------------------------------------------------------------------------------------------------------------


def cut_in_the_body(line: socket.socket, request: bytes, database: Path) -> set[int]:
    """Half of it was sent."""
    line.sendall(request[: len(request) // 2])
    return {0}


def cut_after_the_body(line: socket.socket, request: bytes, database: Path) -> set[int]:
    """All of it was sent, none of it answered."""
    line.sendall(request)
    return {0, MESSAGES}


def cut_before_the_answer(line: socket.socket, request: bytes, database: Path) -> set[int]:
    """The database shows the first of it: all of it was one transaction, or the rest is lost here."""
    line.sendall(request)
    until = time.monotonic() + WAIT_S
    with closing(sqlite3.connect(database)) as looking:
        while not looking.execute("SELECT 1 FROM fact LIMIT 1").fetchone():
            assert time.monotonic() < until
    return {MESSAGES}


def cut_after_the_answer(line: socket.socket, request: bytes, database: Path) -> set[int]:
    """It was answered: from here on it must be there."""
    line.sendall(request)
    assert line.recv(100).startswith(b"HTTP/1.1 200")
    return {MESSAGES}


@pytest.mark.parametrize("cut", [cut_in_the_body, cut_after_the_body, cut_before_the_answer, cut_after_the_answer])
def test_a_batch_that_a_kill_breaks_off_is_there_whole_or_not_at_all_and_once_after_its_resend(
    folder: Path, cut: Callable[[socket.socket, bytes, Path], set[int]]
) -> None:
    """No loss, no double: what was answered is durable, what was not is sent again by every sender."""
    settings = read_settings({}, {"data_dir": folder}, folder)
    headers = basic(hq_cli(folder, "key", "create", "--source", "web-shop")["write_key"])
    batch = {"batch": [message(number) for number in range(MESSAGES)]}
    server = ForkedServer(folder).start()
    asked = httpx.Request("POST", f"{server.url}/v1/batch", json=batch, headers=headers)
    head = "".join(f"{name}: {value}\r\n" for name, value in asked.headers.items())
    request = f"POST /v1/batch HTTP/1.1\r\n{head}\r\n".encode() + asked.read()
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as line:
        expected = cut(line, request, folder / DATABASE_FILE)
        server.kill()
    assert facts_in(settings) in expected
    server.start()
    try:
        for _ in range(2):
            reply = httpx.post(f"{server.url}/v1/batch", json=batch, headers=headers, timeout=WAIT_S)
            assert (reply.status_code, reply.json()) == (200, {"success": True})
    finally:
        server.kill()
    assert facts_in(settings) == MESSAGES


# dead letters ---------------------------------------------------------------------------------------------------------


def test_what_was_faulty_is_seen_by_the_command_line_and_taken_once_its_cause_is_mended(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Listed with the reason in words, shown as it came, tried again by its id: in vain before, once after."""
    headers = basic(hq_cli(folder, "key", "create", "--source", "web-shop")["write_key"])
    long = message(2, properties={"sku": "S-2", "story": "x" * 40_000})
    server = ForkedServer(folder).start()
    batch = {"batch": [message(1), {"type": "track", "userId": "c-1"}, {**long, "userId": "c-1"}]}
    reply = httpx.post(f"{server.url}/v1/batch", json=batch, headers=headers, timeout=WAIT_S)
    server.kill()
    assert reply.json() == {"success": True}
    waiting = {row["code"]: row for row in hq_cli(folder, "quarantine", "list")}
    assert {code: row["origin"] for code, row in waiting.items()} == {
        "no_event_name": "web-shop",
        "too_big": "web-shop",
    }
    assert "larger than 32 kB" in waiting["too_big"]["detail"]
    named = waiting["too_big"]["id"]
    assert json.loads(hq_cli(folder, "quarantine", "show", named)["raw"])["messageId"] == "m-2"
    assert [one["verdict"] for one in hq_cli(folder, "quarantine", "replay", named)] == ["rejected"]
    assert len(hq_cli(folder, "quarantine", "list")) == 2
    monkeypatch.setattr(segment_messages, "MESSAGE_BYTES_MAX", 65_536)
    assert [one["verdict"] for one in hq_cli(folder, "quarantine", "replay", named)] == ["accepted"]
    assert [row["code"] for row in hq_cli(folder, "quarantine", "list")] == ["no_event_name"]
    assert hq_cli(folder, "profile", "show", "customer_id:c-1")["seen"]["Product Viewed"]["n"] == 2
    again = run_here("sync_server", "quarantine", "replay", named, "--data-dir", folder)
    assert again.status == 1
    assert "Nothing in quarantine" in again.err

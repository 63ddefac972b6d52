"""The least a server can do, as the yardstick of the bench: FastAPI and SQLite without merging, checks or receipts.

`POST /push` inserts a batch of ops, durable (WAL, FULL), before it answers; `GET /page` hands out documents by number.
Started like the real one: `python -m tests.support.bare_server serve --host H --port P --data-dir D`. Nothing of
Floorside is used here: a figure of ours divided by one of this is what our guarantees cost, on any machine.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sqlite3
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Request, Response

PAGE = 500
TABLES = """
PRAGMA journal_mode=WAL;
CREATE TABLE IF NOT EXISTS ops (id TEXT PRIMARY KEY, seq INTEGER, kind TEXT, at TEXT, body TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents (number INTEGER PRIMARY KEY, id TEXT UNIQUE, body TEXT);
"""


def open_bare(folder: Path) -> sqlite3.Connection:
    """Open its one database file, made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    database = sqlite3.connect(folder / "bare.db", check_same_thread=False)
    database.executescript(TABLES)
    database.execute("PRAGMA synchronous=FULL")
    return database


def make_bare_app(folder: Path) -> FastAPI:
    """The two routes and a health check."""
    app, database = FastAPI(), open_bare(folder)

    @app.get("/healthz")
    async def health() -> dict[str, bool]:
        return {"ok": True}

    @app.post("/push")
    async def push(request: Request) -> dict[str, list[str]]:
        ops = json.loads(gzip.decompress(await request.body()))["ops"]
        rows = [(op["op_id"], op["seq"], op["kind"], op["occurred_at"], json.dumps(op["body"])) for op in ops]
        with database:
            database.executemany("INSERT OR IGNORE INTO ops VALUES (?, ?, ?, ?, ?)", rows)
        return {"accepted": [op["op_id"] for op in ops]}

    @app.get("/page")
    async def page(after: int) -> Response:
        rows = database.execute(
            "SELECT number, id, body FROM documents WHERE number > ? ORDER BY number LIMIT ?", (after, PAGE)
        ).fetchall()
        changes = [{"number": number, "id": id_, "doc": json.loads(body)} for number, id_, body in rows]
        return Response(json.dumps({"changes": changes}), media_type="application/json")

    return app


def main() -> None:
    """Serve until stopped."""
    parser = argparse.ArgumentParser()
    parser.add_argument("word", choices=["serve"])
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--data-dir", type=Path)
    said = parser.parse_args()
    uvicorn.run(make_bare_app(said.data_dir), host=said.host, port=said.port, log_level="warning")


if __name__ == "__main__":
    main()

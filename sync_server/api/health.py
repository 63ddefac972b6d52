"""`/healthz`: is this process serving, and on which history. No token, no personal word."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from sync_server.api.access import Hq
from sync_server.api.bodies import json_reply
from sync_server.services.alarms import alarm_of
from sync_server.services.feed import read_heads

router = APIRouter()


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", tags=["operations"])
async def get_health(request: Request, hq: Hq) -> Response:
    """`{"status": "ok"}` when the database answers; `alarms` says in words what HQ IT must look at, if anything."""
    epoch, _ = read_heads(hq.database, ["all"])
    with hq.database.read() as reader:
        alarm = alarm_of(reader, hq.now_at())
    told = {"status": "ok", "epoch": epoch, "server_now": hq.now_at()}
    return json_reply(request, told | ({"alarms": [alarm]} if alarm else {}))

"""`/healthz`: is this process serving, and on which history. No token, no personal word."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from sync_server.api.access import Hq
from sync_server.api.bodies import json_reply
from sync_server.services.feed import read_heads

router = APIRouter()


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", tags=["operations"])
async def get_health(request: Request, hq: Hq) -> Response:
    """`{"status": "ok"}` when the database answers."""
    epoch, _ = read_heads(hq.database, ["all"])
    return json_reply(request, {"status": "ok", "epoch": epoch, "server_now": hq.now_at()})

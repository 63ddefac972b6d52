"""The OpenAPI description against the running routes: whatever it allows, no answer is a server's mistake."""

from __future__ import annotations

import tempfile
from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, settings

from shared.wire.problems import PROBLEMS
from sync_server.api.app import make_app
from sync_server.services.sources import create_key
from tests.support.world import make_headquarters, make_journalist

_FOLDER = tempfile.TemporaryDirectory(prefix="floorside-described-", ignore_cleanup_errors=True)
_HQ = make_headquarters(f"sqlite:///{Path(_FOLDER.name) / 'central.db'}", Path(_FOLDER.name))
_TOKEN = make_journalist(_HQ).token
_WRITE_KEY = create_key(_HQ, "described")
schema = schemathesis.openapi.from_asgi("/openapi.json", make_app(_HQ))


@schema.parametrize()
@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_no_answer_is_a_servers_mistake_and_every_refusal_is_in_the_table(case):
    """Any body, any parameter: below 500, and a problem document names a code the README lists."""
    is_tracking = "tracking" in case.operation.definition.raw.get("tags", [])
    reply = case.call(headers={"Authorization": f"Bearer {_WRITE_KEY if is_tracking else _TOKEN}"})
    assert reply.status_code < 500
    if reply.status_code >= 400 and not is_tracking:
        assert reply.headers["content-type"] == ["application/problem+json"]
        assert PROBLEMS[reply.json()["code"]].status == reply.status_code

"""The ASGI app: routes, problem replies and the documentation page, over a `Headquarters`. Opens nothing by itself."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from sync_server.api import card_page, demo_page, health, hooks, sync, tracking
from sync_server.api.problems import install_problem_replies
from sync_server.services.headquarters import Headquarters

VERSION = "1.0.0"


def make_app(headquarters: Headquarters) -> FastAPI:
    """The app over these parts; the documentation page at `/docs` needs nothing from outside the house."""
    app: FastAPI = FastAPIOffline(
        redoc_url=None,
        static_url="/docs-static",
        title="Floorside HQ",
        version=VERSION,
        summary="floor-sync 1 for tablets, a tracking API for other channels.",
        redirect_slashes=False,
    )
    app.state.headquarters = headquarters
    app.state.snapshots = 0
    for part in (sync.router, tracking.router, hooks.router, health.router, card_page.router, demo_page.router):
        app.include_router(part)
    install_problem_replies(app)
    return app

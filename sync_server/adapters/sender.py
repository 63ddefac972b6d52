"""The way to other systems: one POST over httpx, with patience that ends. Follows no redirect and keeps no cookie."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import httpx

from sync_server.ports import Unreachable

_PATIENCE: Final = httpx.Timeout(10.0, connect=5.0)


class HttpSender:
    """`Sender` of ports.py."""

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """POST once; the status answered, whatever its body. Raises Unreachable where nobody answers in time."""
        try:
            with httpx.stream("POST", url, content=body, headers=dict(headers), timeout=_PATIENCE) as reply:
                return reply.status_code
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as problem:
            raise Unreachable(f"no answer ({type(problem).__name__})") from None

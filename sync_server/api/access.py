"""Who asks: the Headquarters of this process, the device behind a token, and the scopes it may read."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from sync_server.ports import Device
from sync_server.services.enrolment import authenticate, authenticate_receiver
from sync_server.services.headquarters import Headquarters
from sync_server.services.problems import refuse
from sync_server.services.sessions import scopes_of
from sync_server.services.terms import version_of

_bearer = HTTPBearer(auto_error=False, description="The device token from enrolment.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


async def headquarters_of(request: Request) -> Headquarters:
    """The server's parts."""
    return request.app.state.headquarters  # type: ignore[no-any-return]


Hq = Annotated[Headquarters, Depends(headquarters_of)]


async def device_of(hq: Hq, credentials: Credentials) -> Device:
    """The device that asks. Raises Problem: 401 token_unknown, 403 device_revoked."""
    return authenticate(hq, credentials.credentials if credentials else None)


async def device_even_revoked(hq: Hq, credentials: Credentials) -> Device:
    """The device that asks, revoked or not: salvage stays open."""
    return authenticate(hq, credentials.credentials if credentials else None, may_be_revoked=True)


async def receiving_device(hq: Hq, credentials: Credentials) -> Device:
    """The device that asks to receive. Raises 426 where its app is too old for that; sending stays open for ever."""
    device, min_app = authenticate_receiver(hq, credentials.credentials if credentials else None)
    if version_of(device.app or "0") < version_of(min_app):
        raise refuse("upgrade_required", f"This tablet's app is {device.app}; receiving takes {min_app} or newer.")
    return device


def check_scope(device: Device, scope: str) -> str:
    """The scope, if the device holds it now. Raises 403 scope_revoked."""
    if scope not in scopes_of(device):
        raise refuse("scope_revoked")
    return scope


KnownDevice = Annotated[Device, Depends(device_of)]
AnyDevice = Annotated[Device, Depends(device_even_revoked)]
ReceivingDevice = Annotated[Device, Depends(receiving_device)]

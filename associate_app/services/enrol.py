"""Connecting this tablet to a store: HQ's invitation against a device identity. Needs the network once.

What was recorded before stays in the journal and goes up under the new identity; nothing is deleted here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from associate_app.ports import DeviceIdentity, SyncEndpoint, TabletDatabase
from associate_app.services.parting import only_here
from shared.errors import Problem, Refused, Weather
from shared.scan_code import ENROLMENT_PREFIX, parse_enrolment
from shared.wire.messages import EnrollReply, EnrollRequest

NAME_LENGTH_MAX: Final = 80


@dataclass(frozen=True, slots=True)
class Invitation:
    """Address of HQ, one-time code, the only CA to trust (None: the usual ones), the token had from there before."""

    url: str
    code: str
    ca_fingerprint: str | None = None
    earlier_token: str | None = None


def read_invitation(text: str, url: str | None) -> Invitation:
    """An enrolment QR's text, or a bare code with HQ's address. Raises Refused with what is missing."""
    typed = text.strip()
    if typed[: len(ENROLMENT_PREFIX)].upper() == ENROLMENT_PREFIX:
        found = parse_enrolment(typed)
        if found is None:
            raise Refused("This enrolment code is damaged. Ask HQ to show it again, or type the address and the code.")
        return Invitation(url or found.url, found.code, found.ca_fingerprint)
    if not typed:
        raise Refused("There is no code. Type the enrolment code HQ gave you.")
    if url is None:
        raise Refused("A typed code needs HQ's address as well, such as https://hq.example.com.")
    return Invitation(url.strip(), typed)


def show_earlier(database: TabletDatabase, invitation: Invitation) -> Invitation:
    """The invitation with the token this tablet had from the same HQ: its records stay known there, whatever became of
    the device. Another HQ is never shown it."""
    device = database.device()
    is_same = device is not None and device.server_url == invitation.url
    return replace(invitation, earlier_token=device.token if device is not None and is_same else None)


def enrol_tablet(
    database: TabletDatabase,
    connect: Callable[[Invitation], SyncEndpoint],
    invitation: Invitation,
    *,
    name: str,
    app: str,
) -> DeviceIdentity:
    """Trade the invitation for a device identity and save it. Raises Refused with one sentence and one next step."""
    label = name.strip()[:NAME_LENGTH_MAX]
    if not label:
        raise Refused("The tablet needs a name, such as Tablet 3.")
    request = EnrollRequest(code=invitation.code[:200], name=label, install_id=database.install_id(), app=app)
    try:
        reply = connect(invitation).enroll(request)
    except Problem as problem:
        raise Refused(_problem_sentence(problem)) from problem
    except Weather as weather:
        raise Refused(_weather_sentence(invitation, weather)) from weather
    _check_same_place(database, reply)
    device = DeviceIdentity(
        server_url=invitation.url,
        device_id=reply.device_id,
        token=reply.token,
        name=label,
        store=reply.store,
        receipt_key=reply.receipt_key,
        ca_fingerprint=invitation.ca_fingerprint,
    )
    database.save_device(device)
    return device


def _check_same_place(database: TabletDatabase, reply: EnrollReply) -> None:
    """Records of one store are nothing that another store, or another HQ, can take. HQ is known by its receipt keys:
    its address may change."""
    known, count = database.device(), len(only_here(database))
    if known is None or not count:
        return
    keys = {known.receipt_key, *(stored.body.get("public_key") for stored in database.documents("receipt_key"))}
    what = "HQ" if reply.receipt_key not in keys else "store" if reply.store != known.store else None
    if what is not None:
        records = "1 record" if count == 1 else f"{count} records"
        raise Refused(
            f"This code is of another {what}, and is used up now. {records} recorded here would not reach the "
            "present store any more, so nothing was changed. "
            "Send first, or keep a copy with `associate-app export --file FILE`; then connect with a code."
        )


def _problem_sentence(problem: Problem) -> str:
    if problem.code == "enrolment_refused":
        return "This code cannot be used: it is wrong, used up or expired. Ask HQ for a new one."
    if problem.code in ("slow_down", "busy"):
        return "HQ is busy. Wait a minute, then try the same code again."
    if problem.code in ("not_found", "method_not_allowed"):
        return "What answers at this address is not HQ. Check the address and try again."
    return "HQ could not connect this tablet. Try again in a minute; the code is not used up."


def _weather_sentence(invitation: Invitation, weather: Weather) -> str:
    hq_at = getattr(weather, "hq_at", None)
    if hq_at is not None:
        return (
            f"HQ could not prove who it is to this tablet. HQ's clock says {hq_at[:16].replace('T', ' ')} UTC: if this "
            "tablet's says something else, set its date and time, then try the same code again."
        )
    return f"HQ cannot be reached at {invitation.url}. Check the network and the address, then try the same code again."

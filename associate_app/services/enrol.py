"""Connecting this tablet to a store: HQ's invitation against a device identity. Needs the network once.

What was recorded before stays in the journal and goes up under the new identity; nothing is deleted here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from associate_app.ports import DeviceIdentity, SyncEndpoint, TabletDatabase
from associate_app.services.parting import only_here
from shared.errors import Problem, Refused, Weather
from shared.plays.speech import ENGLISH, GERMAN, spoken
from shared.scan_code import ENROLMENT_PREFIX, parse_enrolment
from shared.wire.messages import EnrollReply, EnrollRequest

NAME_LENGTH_MAX: Final = 80
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "name": "The tablet needs a name, such as Tablet 3.",
        "other_hq": "This code is of another HQ, and is used up now. ",
        "other_store": "This code is of another store, and is used up now. ",
        "record": "1 record recorded here would not reach the present store any more, so nothing was changed. ",
        "records": "{n} records recorded here would not reach the present store any more, so nothing was changed. ",
        "send_first": "Send first, or keep a copy with `associate-app export --file FILE`; then connect with a code.",
        "refused": "This code cannot be used: it is wrong, used up or expired. Ask HQ for a new one.",
        "busy": "HQ is busy. Wait a minute, then try the same code again.",
        "not_hq": "What answers at this address is not HQ. Check the address and try again.",
        "failed": "HQ could not connect this tablet. Try again in a minute; the code is not used up.",
        "certificate": "HQ could not prove who it is to this tablet. HQ's clock says {at} UTC: if this tablet's says "
        "something else, set its date and time, then try the same code again.",
        "weather": "HQ cannot be reached at {url}. Check the network and the address, then try the same code again.",
    },
    GERMAN: {
        "name": "Das Tablet braucht einen Namen, zum Beispiel Tablet 3.",
        "other_hq": "Dieser Code ist von einer anderen Zentrale und jetzt verbraucht. ",
        "other_store": "Dieser Code ist von einem anderen Laden und jetzt verbraucht. ",
        "record": "1 Eintrag von hier käme beim jetzigen Laden nicht mehr an, also wurde nichts geändert. ",
        "records": "{n} Einträge von hier kämen beim jetzigen Laden nicht mehr an, also wurde nichts geändert. ",
        "send_first": "Sende zuerst, oder heb mit `associate-app export --file DATEI` eine Kopie auf; verbinde dann "
        "mit einem Code.",
        "refused": "Dieser Code geht nicht: Er ist falsch, verbraucht oder abgelaufen. Bitte die Zentrale um einen "
        "neuen.",
        "busy": "Die Zentrale hat viel zu tun. Warte eine Minute und versuch es mit demselben Code noch einmal.",
        "not_hq": "Was unter dieser Adresse antwortet, ist nicht die Zentrale. Prüf die Adresse und versuch es noch "
        "einmal.",
        "failed": "Die Zentrale konnte dieses Tablet nicht verbinden. Versuch es in einer Minute noch einmal; der Code "
        "ist nicht verbraucht.",
        "certificate": "Die Zentrale konnte sich diesem Tablet nicht ausweisen. Ihre Uhr sagt {at} UTC: Sagt die des "
        "Tablets etwas anderes, stell Datum und Uhrzeit und versuch es mit demselben Code noch einmal.",
        "weather": "Unter {url} ist die Zentrale nicht zu erreichen. Prüf Netz und Adresse und versuch es mit "
        "demselben Code noch einmal.",
    },
}


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
    language: str = ENGLISH,
) -> DeviceIdentity:
    """Trade the invitation for a device identity and save it. Raises Refused with one sentence and one next step."""
    label, words = name.strip()[:NAME_LENGTH_MAX], _WORDS[spoken(language)]
    if not label:
        raise Refused(words["name"])
    request = EnrollRequest(code=invitation.code[:200], name=label, install_id=database.install_id(), app=app)
    try:
        reply = connect(invitation).enroll(request)
    except Problem as problem:
        raise Refused(words[_problem_key(problem)]) from problem
    except Weather as weather:
        raise Refused(_weather_sentence(invitation, weather, words)) from weather
    _check_same_place(database, reply, words)
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


def _check_same_place(database: TabletDatabase, reply: EnrollReply, words: Mapping[str, str]) -> None:
    """Records of one store are nothing that another store, or another HQ, can take. HQ is known by its receipt keys:
    its address may change."""
    known, count = database.device(), len(only_here(database))
    if known is None or not count:
        return
    keys = {known.receipt_key, *(stored.body.get("public_key") for stored in database.documents("receipt_key"))}
    other = "other_hq" if reply.receipt_key not in keys else "other_store" if reply.store != known.store else None
    if other is not None:
        records = words["record" if count == 1 else "records"].format(n=count)
        raise Refused(words[other] + records + words["send_first"])


def _problem_key(problem: Problem) -> str:
    if problem.code == "enrolment_refused":
        return "refused"
    if problem.code in ("slow_down", "busy"):
        return "busy"
    return "not_hq" if problem.code in ("not_found", "method_not_allowed") else "failed"


def _weather_sentence(invitation: Invitation, weather: Weather, words: Mapping[str, str]) -> str:
    hq_at = getattr(weather, "hq_at", None)
    if hq_at is not None:
        return words["certificate"].format(at=hq_at[:16].replace("T", " "))
    return words["weather"].format(url=invitation.url)

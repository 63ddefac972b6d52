"""Commands for the tablets: enrol, list, rotate, move, revoke."""

from __future__ import annotations

import sys
from typing import Final
from urllib.parse import urlsplit

import qrcode

from shared.scan_code import encode_enrolment
from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say, say_json, say_table
from sync_server.services.enrolment import list_devices, make_code, move_device, revoke_device, rotate_token

_HERE_ONLY: Final = frozenset({"127.0.0.1", "localhost", "::1", "0.0.0.0", "::"})  # noqa: S104 - named, not listened on


def device_enrol(*, store: str, hours: int | None = None, url: str | None = None, common: Common = DEFAULT) -> None:
    """Make a one-time code for a new tablet of a store, and show it as a QR code to scan with the tablet.

    Parameters
    ----------
    store
        The store's code.
    hours
        How long the code works; default 24.
    url
        The address the tablet will use, if it is not the setting's.
    """
    with headquarters(common, url=url, enrolment_hours=hours) as hq:
        made = make_code(hq, store)
        address = hq.settings.public_url
    if common.json:
        say_json({"code": made.code, "expires_at": made.expires_at})
        return
    _draw(encode_enrolment(address, made.code, None))
    people().print(f"Scan this with the new tablet, or type there: {address} and the code {made.code}")
    people().print(f"It works once, until {made.expires_at[:16].replace('T', ' ')} UTC.")
    if urlsplit(address).hostname in _HERE_ONLY:
        people().print("That address is reached from this machine only: give --url, or set FLOORSIDE_URL, for others.")


def _draw(text: str) -> None:
    code = qrcode.QRCode(border=2)
    code.add_data(text)
    code.print_ascii(out=sys.stdout, invert=sys.stdout.isatty())


def device_list(*, store: str | None = None, common: Common = DEFAULT) -> None:
    """List the tablets of a store, or of all stores."""
    with headquarters(common) as hq:
        rows = list_devices(hq, store)
    columns = {
        "device_id": "Id",
        "store": "Store",
        "name": "Name",
        "app": "App",
        "last_seen_at": "Last seen",
        "unsent": "Unsent then",
        "revoked_at": "Revoked",
    }
    say_table(common, rows, columns, "There is no tablet yet: sync-server device enrol --store CODE")


def device_revoke(device_id: str, *, common: Common = DEFAULT) -> None:
    """Shut a tablet out: at its next contact it wipes its shoppers and keeps what it has not sent."""
    with headquarters(common) as hq:
        shown = revoke_device(hq, device_id)
    say(common, shown, f"The tablet {shown['name']} of {shown['store']} is revoked.")


def device_rotate(device_id: str, *, common: Common = DEFAULT) -> None:
    """Have a tablet change its token at its next contact; its old one dies when it first uses the new one."""
    with headquarters(common) as hq:
        shown = rotate_token(hq, device_id)
    say(common, shown, f"The tablet {shown['name']} of {shown['store']} gets a new token at its next contact.")


def device_move(device_id: str, *, store: str, common: Common = DEFAULT) -> None:
    """Give a tablet to another store; what it recorded for the old one is still taken.

    Parameters
    ----------
    device_id
        The tablet's id: see `device list`.
    store
        The code of the store it goes to.
    """
    with headquarters(common) as hq:
        shown = move_device(hq, device_id, store)
    told = (
        f"The tablet {shown['name']} is {store}'s. At its next contact it deletes the shoppers of "
        f"{shown['store_before']} and receives its own."
    )
    say(common, shown, told)

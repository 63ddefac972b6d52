"""Commands for the signing keys: list, rotate, export. No private key is ever printed."""

from __future__ import annotations

from typing import Literal

from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say, say_json, say_table
from sync_server.services.keys import public_keys, rotate_key


def keys_list(*, common: Common = DEFAULT) -> None:
    """List the signing keys, oldest first; each still verifies what it signed."""
    with headquarters(common) as hq:
        rows = public_keys(hq)
    columns = {"purpose": "For", "kid": "Key id", "is_signing": "Signs now", "public_key": "Public key (Ed25519)"}
    say_table(common, rows, columns, "")


def keys_rotate(purpose: Literal["receipt", "card"], *, common: Common = DEFAULT) -> None:
    """Make a new key that signs from now on. What older keys signed stays good: they stay in the folder and the feed.

    Parameters
    ----------
    purpose
        receipt or card.
    """
    with headquarters(common) as hq:
        made = rotate_key(hq, purpose)
        folder = hq.settings.keys_dir
    sentence = (
        f"The {purpose} key {made['kid']} signs from now on. Its private part is {folder / made['file']}: keep a "
        "copy in a safe place, apart from your backups."
    )
    say(common, made, sentence)


def keys_export(purpose: Literal["receipt", "card"] | None = None, *, common: Common = DEFAULT) -> None:
    """Print the public keys as PEM, or as JSON, for whoever verifies cards or receipts without a tablet.

    Parameters
    ----------
    purpose
        receipt or card; default is both.
    """
    with headquarters(common) as hq:
        found = [key for key in public_keys(hq) if purpose in (None, key["purpose"])]
    if common.json:
        say_json(found)
        return
    for key in found:
        people().print(f"{key['purpose']} key {key['kid']}{', signs now' if key['is_signing'] else ''}")
        people().print(key["pem"], end="")

"""What the database remembers of the key folder, and the refusal to start without a key it knows.

The private keys never enter the database; it holds only each file's name and a fingerprint.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, Protocol

from shared.errors import Damaged
from sync_server.ports import CentralReader, CentralWriter, KeyFolder

NOTE: Final = "keys"


class KeyStock(KeyFolder, Protocol):
    """The key folder with what starting and making a chain need beyond signing."""

    def inventory(self) -> dict[str, str]:
        """File name -> fingerprint of what it holds."""

    def make_next(self, purpose: str) -> str:
        """Make a new `receipt` or `card` key, which signs from now on; returns its file name. Raises Refused."""

    def keep_hook_secret(self, name: str, secret: bytes) -> None:
        """Keep the secret of a webhook's sender, in the place of the one before."""

    def make_missing(self) -> None:
        """Make the first key of each kind that is not there: only for a chain that is being made."""


def known_keys(reader: CentralReader) -> dict[str, str]:
    """File name -> fingerprint of every key this database was ever used with."""
    return dict(json.loads(reader.note(NOTE) or "{}"))


def remember_keys(writer: CentralWriter, held: Mapping[str, str]) -> None:
    """Remember what the folder holds now, beside what was known before."""
    writer.write_note(NOTE, json.dumps({**known_keys(writer), **held}, sort_keys=True))


def check_keys(known: Mapping[str, str], held: Mapping[str, str], folder: str) -> None:
    """Raise Damaged, naming the file, where the folder lacks a key the database knows or holds another one."""
    for name, print_known in sorted(known.items()):
        if name not in held:
            raise Damaged(
                f"The key file {name} is missing from {folder}. Put it back from where your keys are kept safe; "
                "no new one is made, because it would make every card and receipt signed so far worthless."
            )
        if held[name] != print_known:
            raise Damaged(
                f"The key file {name} in {folder} is not the one this database was used with. "
                "Put the right one back; nothing was changed."
            )

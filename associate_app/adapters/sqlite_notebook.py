"""The notebook in SQLite: who this device is, small remembered facts, and the lease of the one sync worker."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Final

from associate_app.adapters.sqlite_connection import Connection
from associate_app.ports import DeviceIdentity

_DEVICE: Final = "device"
_SYNC: Final = "sync"


class NotebookTables:
    """The notebook face of the tablet database."""

    _connection: Connection

    def device(self) -> DeviceIdentity | None:
        """None until enrolled."""
        noted = self.read_note(_DEVICE)
        return DeviceIdentity(**json.loads(noted)) if noted else None

    def save_device(self, device: DeviceIdentity) -> None:
        """After enrolment or token rotation."""
        self.write_note(_DEVICE, json.dumps(asdict(device)))

    def read_note(self, name: str) -> str | None:
        """A small text by name."""
        found = self._connection.row("SELECT value FROM note WHERE name = ?", (name,))
        return str(found[0]) if found else None

    def write_note(self, name: str, value: str | None) -> None:
        """Save or delete a small text."""
        if value is None:
            self._connection.write("DELETE FROM note WHERE name = ?", (name,))
        else:
            self._connection.write(
                "INSERT INTO note VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value", (name, value)
            )

    def lease(self, owner: str, until_s: float, now_s: float) -> bool:
        """Take or renew the lease. One that claims to run longer than anybody asks for is from another clock (a
        restart, a clock set back) and is void."""
        with self._connection.atomic():
            found = self._connection.row("SELECT owner, until_s FROM lease WHERE name = ?", (_SYNC,))
            if found is not None and found[0] != owner and now_s < found[1] <= until_s:
                return False
            self._connection.write("INSERT OR REPLACE INTO lease VALUES (?, ?, ?)", (_SYNC, owner, until_s))
        return True

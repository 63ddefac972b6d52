"""A tablet's hub as its own process, to be killed and started again on the same folder and port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from associate_app.bootstrap import make_tablet
from associate_app.services.sign_in import associates_here
from associate_app.settings import Settings
from associate_app.ui.first_steps import WELL_KNOWN, write_first_steps
from tests.support.programs import START_S_MAX, ServerProcess, free_port, run_json

_PROGRAM = """
import sys
from pathlib import Path
from associate_app.hub import make_tablet_hub
make_tablet_hub(Path(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]), may_cut_network=True).run()
"""


class HubProcess:
    """The hub of one tablet, enrolled at a store of a running server before it starts."""

    def __init__(self, folder: Path, *, first: str = "") -> None:
        """`first` is a line of the hub's program before it runs."""
        self.folder = folder
        self._program = first + _PROGRAM
        self.port = free_port()
        self._log = folder.parent / f"{folder.name}.hub.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def enrol(self, server: ServerProcess, store: str = "berlin-1", *, is_new_to_all: bool = False) -> HubProcess:
        """Connect with a one-time code, and fetch the store's slice; its people know the app unless told otherwise."""
        code = run_json("sync_server", "device", "enrol", "--store", store, "--data-dir", server.data_dir)["code"]
        run_json("associate_app", "enrol", code, "--server", server.url, "--data-dir", self.folder)
        run_json("associate_app", "sync", "--data-dir", self.folder)
        if not is_new_to_all:
            self._know_everyone()
        return self

    def _know_everyone(self) -> None:
        database = make_tablet(Settings(data_dir=self.folder, is_own_folder=True)).open_database()
        for person in associates_here(database):
            write_first_steps(database, person.associate_id, WELL_KNOWN)
        database.close()

    def start(self) -> HubProcess:
        """Start and wait until it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", self._program, str(self.folder), str(self.port)],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + START_S_MAX
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise AssertionError(f"the hub stopped: {self.log()}")
            try:
                if httpx.get(f"{self.url}/alive", timeout=1).status_code == 200:
                    return self
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError(f"the hub does not answer: {self.log()}")

    def log(self) -> str:
        """What it printed."""
        return self._log.read_text("utf-8") if self._log.exists() else ""

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def tell(self, signal_: signal.Signals) -> None:
        """Send a signal that its program listens to."""
        os.kill(self.pid, signal_)

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to stop and wait."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            os.kill(process.pid, how)
            process.wait(timeout=30)

"""The two programs as a person or a script starts them: real exit statuses, one JSON value out.

`run` starts a real process. `run_here` runs the same command line in this very process: all that is left out is the
interpreter's start and the imports, more than a second of work each time.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, Self

import httpx

from tests.support.forked import start_forked

START_S_MAX = 60.0


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which holds one JSON value and nothing else."""
        return json.loads(self.out)


def run(program: str, *words: object, given: str | None = None, environment: dict[str, str] | None = None) -> Said:
    """Run `associate_app` or `sync_server` with arguments and wait for its end."""
    command = [sys.executable, "-m", program, *map(str, words)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        input=given,
        timeout=110,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    return Said(done.returncode, done.stdout, done.stderr)


def run_here(program: str, *words: object) -> Said:
    """Run `associate_app` or `sync_server` with arguments in this very process, as its entry point does."""
    command_line = importlib.import_module(f"{program}.command_line.app")
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = command_line.run([*map(str, words)])
    return Said(status, out.getvalue(), err.getvalue())


def run_json(program: str, *words: object) -> Any:
    """Run a process with `--json` and return the value; a refusal fails the test with what was said."""
    return _value_of(run(program, *words, "--json"))


def run_json_here(program: str, *words: object) -> Any:
    """Run in this very process with `--json` and return the value; a refusal fails the test with what was said."""
    return _value_of(run_here(program, *words, "--json"))


def _value_of(said: Said) -> Any:
    assert said.status == 0, said.err or said.out
    assert "Traceback" not in said.err
    return said.json


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class ServerProcess:
    """`sync-server serve` as its own process, to be killed and started again on the same port."""

    def __init__(self, data_dir: Path, *, port: int | None = None, program: str = "sync_server") -> None:
        self.data_dir = data_dir
        self.program = program
        self.port = port or free_port()
        self._log = data_dir.parent / f"{data_dir.name}.{self.port}.serve.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        """Start and wait until it answers."""
        self._launch(["serve", "--host", "127.0.0.1", "--port", str(self.port), "--data-dir", str(self.data_dir)])
        until = time.monotonic() + START_S_MAX
        with httpx.Client(timeout=1) as asker:  # one for all: making one is the dear part of asking
            while time.monotonic() < until:
                if not self._is_running():
                    raise AssertionError(f"the server stopped: {self._log.read_text()}")
                try:
                    if asker.get(f"{self.url}/healthz").status_code == 200:
                        return self
                except httpx.HTTPError:
                    time.sleep(0.05)
        raise AssertionError(f"the server does not answer: {self._log.read_text()}")

    def _launch(self, words: list[str]) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.program, *words], stdout=log, stderr=log, start_new_session=True
            )

    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def log(self) -> str:
        """What it printed."""
        return self._log.read_text("utf-8")

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


class ForkedServer(ServerProcess):
    """The same with `sync_server` imported already (tests/support/forked.py)."""

    def __init__(self, data_dir: Path, *, port: int | None = None) -> None:
        super().__init__(data_dir, port=port)
        self._forked: ForkServerProcess | None = None

    def _launch(self, words: list[str]) -> None:
        self._forked = start_forked(words, self._log)

    def _is_running(self) -> bool:
        return self._forked is not None and self._forked.is_alive()

    def _end(self, how: signal.Signals) -> None:
        process, self._forked = self._forked, None
        if process is not None and process.pid is not None and process.is_alive():
            os.kill(process.pid, how)
            process.join(timeout=30)
            assert process.exitcode is not None, "it did not end"

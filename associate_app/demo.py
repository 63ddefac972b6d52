"""`associate-app demo`: a whole chain on this machine, for the first minute of anyone who wants to see Floorside.

Starts HQ as a process of its own (`sync-server`, through its command line only: the two never import each other), fills
it with the demo chain, enrols a tablet, serves its screens and says what to do. Everything lies in one folder.
"""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from associate_app.hub import TabletHub, make_tablet_hub
from shared.errors import Refused

HOST: Final = "127.0.0.1"
START_S_MAX: Final = 60.0
END_S_MAX: Final = 6.0
CARDS_SHOWN: Final = 3
_PLAN_FILE: Final = "demo.json"
_LOOK_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class DemoPlan:
    """What was asked for. Ports are of this machine only."""

    folder: Path
    port: int = 8550
    server_port: int = 8321
    shoppers: int = 1500
    seed: int = 1
    is_live: bool = True
    opens_browser: bool = True

    @property
    def address(self) -> str:
        """Where the app is."""
        return f"http://{HOST}:{self.port}"

    @property
    def server_address(self) -> str:
        """Where HQ is."""
        return f"http://{HOST}:{self.server_port}"

    @property
    def hq_dir(self) -> Path:
        """HQ's data folder."""
        return self.folder / "hq"

    @property
    def tablet_dir(self) -> Path:
        """The tablet's data folder."""
        return self.folder / "tablet"


def remove_demo(folder: Path) -> bool:
    """Delete the demo's folder; says whether there was one. Raises Refused for a folder that is not a demo's."""
    if not folder.exists():
        return False
    if any(folder.iterdir()) and not (folder / _PLAN_FILE).is_file():
        raise Refused(f"{folder} holds something else than a demo, so it was left alone. Give another --data-dir.")
    shutil.rmtree(folder)
    return True


def run_demo(plan: DemoPlan) -> None:
    """Run the demo until it is stopped with Ctrl+C. Raises Refused with a sentence where it cannot start."""
    began = time.monotonic()
    for port, option in ((plan.port, "--port"), (plan.server_port, "--server-port")):
        _check_port(port, option)
    plan.folder.mkdir(parents=True, exist_ok=True)
    screen = Console(highlight=False)
    with _stopped_by_signals(), _children() as start:
        _Filling(plan, start, screen).wait_for_first_store()
        _serve_hq(plan, start)
        sheet = _ask_hq(plan, "demo-sheet", "--out", plan.folder / "cards")
        hub = _open_tablet(plan, sheet)
        if plan.is_live:
            start("demo-live", "--server", plan.server_address, "--data-dir", plan.hq_dir)
        hub.run(on_ready=lambda: _welcome(plan, sheet, screen, time.monotonic() - began))
    screen.print("\nStopped. Everything is kept: the same command goes on where you were.")


# processes ------------------------------------------------------------------------------------------------------------

StartChild = Callable[..., subprocess.Popen[str]]


@contextmanager
def _children() -> Iterator[StartChild]:
    """Start `sync-server` commands; all of them are stopped, gently first, when this is left."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: object, reads: bool = False) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            _command(*words),
            stdout=subprocess.PIPE if reads else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if not reads else None,
            stdin=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )
        started.append(child)
        return child

    try:
        yield start
    finally:
        _end(started)


def _command(*words: object) -> list[str]:
    return [sys.executable, "-m", "sync_server", *map(str, words)]


def _end(started: list[subprocess.Popen[str]]) -> None:
    running = [child for child in reversed(started) if child.poll() is None]
    for child in running:
        child.terminate()
    until = time.monotonic() + END_S_MAX
    for child in running:
        try:
            child.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """Ctrl+C and a polite kill end the demo the same way, at any moment of its start too."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except KeyboardInterrupt:
        pass
    finally:
        signal.signal(signal.SIGTERM, before)


def _check_port(port: int, option: str) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise Refused(
                f"Port {port} is in use, perhaps by another demo. Stop that one, or give another {option}."
            ) from None


def _ask_hq(plan: DemoPlan, *words: object) -> Any:
    """One `sync-server` command and the JSON value it prints. Raises Refused with what it said instead."""
    done = subprocess.run(
        _command(*words, "--json", "--data-dir", plan.hq_dir), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Refused(done.stderr.strip() or "HQ's command line ended without a word. Try --reset.")
    return json.loads(done.stdout)


def _serve_hq(plan: DemoPlan, start: StartChild) -> None:
    server = start("serve", "--host", HOST, "--port", plan.server_port, "--data-dir", plan.hq_dir)
    until = time.monotonic() + START_S_MAX
    while time.monotonic() < until:
        if server.poll() is not None:
            raise Refused("HQ's server stopped while starting. Run `sync-server serve` to read why, or try --reset.")
        try:
            httpx.get(f"{plan.server_address}/healthz", timeout=2).raise_for_status()
        except httpx.HTTPError:
            time.sleep(_LOOK_S)
        else:
            return
    raise Refused("HQ's server does not answer. Try again, or give another --server-port.")


# filling --------------------------------------------------------------------------------------------------------------


@dataclass
class _Filling:
    """The demo chain coming in: the first store is waited for, the rest comes while the app is in use."""

    plan: DemoPlan
    start: StartChild
    screen: Console
    is_first_in: threading.Event = field(default_factory=threading.Event)
    shoppers: int = 0

    def wait_for_first_store(self) -> None:
        """Fill, or go on filling; return when the first store's shoppers are there. Raises Refused."""
        if self._is_done():
            return
        words = ("--shoppers", self.plan.shoppers, "--seed", self.plan.seed, "--lines")
        child = self.start("demo-data", *words, "--data-dir", self.plan.hq_dir, reads=True)
        self._note({"shoppers": self.plan.shoppers, "seed": self.plan.seed, "is_done": False})
        threading.Thread(target=self._follow, args=(child,), daemon=True).start()
        columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.screen, transient=True) as bar:
            task = bar.add_task("Making a chain of six stores", total=self.plan.shoppers)
            while not self.is_first_in.wait(_LOOK_S):
                bar.update(task, completed=self.shoppers)
                if child.poll() not in (None, 0):
                    raise Refused("The demo chain could not be made. Start again with --reset.")

    def _follow(self, child: subprocess.Popen[str]) -> None:
        for line in child.stdout or ():
            if line.startswith("{"):
                told = json.loads(line)
                self.shoppers = told.get("shoppers", self.shoppers)
                if told.get("stores_in"):
                    self.is_first_in.set()
        if child.wait() == 0:
            self._note({"shoppers": self.plan.shoppers, "seed": self.plan.seed, "is_done": True})
            self.is_first_in.set()

    def _is_done(self) -> bool:
        """Say whether the chain is there whole. Raises Refused where another demo lies in the folder."""
        path = self.plan.folder / _PLAN_FILE
        if not path.is_file():
            return False
        try:
            made = json.loads(path.read_text("utf-8"))
            figures = (made["shoppers"], made["seed"])
        except (ValueError, KeyError, TypeError):
            raise Refused(f"The file {path} is damaged. Start again with --reset.") from None
        if figures != (self.plan.shoppers, self.plan.seed):
            raise Refused(
                f"A demo of {figures[0]} shoppers with seed {figures[1]} is kept in {self.plan.folder}. "
                "Ask for the same figures, or start anew with --reset."
            )
        return bool(made.get("is_done"))

    def _note(self, made: dict[str, Any]) -> None:
        (self.plan.folder / _PLAN_FILE).write_text(json.dumps(made), "utf-8")


# the tablet -----------------------------------------------------------------------------------------------------------


def _open_tablet(plan: DemoPlan, sheet: dict[str, Any]) -> TabletHub:
    """The tablet's hub, enrolled at the demo's first store if it is not yet."""
    hub = make_tablet_hub(plan.tablet_dir, host=HOST, port=plan.port, may_cut_network=True)
    if not hub.is_enrolled:
        code = _ask_hq(plan, "device", "enrol", "--store", sheet["store"])["code"]
        hub.enrol(code, plan.server_address, name="Demo tablet")
    return hub


def _welcome(plan: DemoPlan, sheet: dict[str, Any], screen: Console, took_s: float) -> None:
    """What to do in the first minute."""
    people = Table(box=None, padding=(0, 3, 0, 2), show_header=False)
    for one in sheet["people"]:
        people.add_row(one["name"], one["role"], f"PIN [bold]{one['pin']}[/]")
    cards = Table(box=None, padding=(0, 3, 0, 2), show_header=False)
    for card in sheet["cards"][:CARDS_SHOWN]:
        cards.add_row(f"[bold]{card['name']}[/]", card["loyalty_id"], card["say"])
    screen.print(f"\n[bold green]Floorside is open at {plan.address}[/]  ({sheet['store_name']}, in {took_s:.0f} s)\n")
    screen.print("1. Sign in as one of these:")
    screen.print(people)
    screen.print("\n2. Scan a loyalty QR, or enter a number. Worth a look:")
    screen.print(cards)
    screen.print(
        f"\n   All cards, to print or to hold before the camera: {plan.server_address}/demo/cards", soft_wrap=True
    )
    screen.print(f"   The same as pictures: {plan.folder / 'cards'}", soft_wrap=True)
    screen.print("\n3. Take the network away on the Sync screen, go on scanning, and give it back.\n")
    screen.print("Stop with Ctrl+C. Everything is kept; --reset starts anew, --remove deletes it.")
    if plan.opens_browser:
        webbrowser.open(plan.address)

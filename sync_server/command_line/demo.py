"""Commands of the demo: its data, the sheet of cards, and the shoppers who go on living."""

from __future__ import annotations

import re
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import httpx
import qrcode
from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sync_server.command_line.common import DEFAULT, Common, complain, headquarters, say, say_json
from sync_server.demo.live import live_messages
from sync_server.services.demo import DemoProgress, fill_demo
from sync_server.services.demo_sheet import DemoSheet, demo_of, make_sheet, opened_lately
from sync_server.services.sources import create_key

SOURCE = "demo-live"
EVERY_S = 12.0
_OTHERS_TURN = 3


def demo_data(
    *,
    shoppers: Annotated[int, Parameter(help="How many shoppers.")] = 1500,
    seed: Annotated[int, Parameter(help="Equal seeds give equal shoppers.")] = 1,
    lines: Annotated[bool, Parameter(help="Print progress as JSON lines, for programs.", negative="")] = False,
    common: Common = DEFAULT,
) -> None:
    """Fill an empty chain with the demo: six stores, their people, products, plays and a year of history."""
    with headquarters(common) as hq, _progress() as bar:
        task = bar.add_task("shoppers", total=shoppers)

        def tell(progress: DemoProgress) -> None:
            words = f"shoppers, {len(progress.stores_in)} stores in" if progress.stores_in else "shoppers"
            bar.update(task, completed=progress.shoppers, description=words)
            if lines:
                say_json(asdict(progress))

        filled = fill_demo(hq, shoppers, seed, tell)
    stores = len(filled["stores"])
    say(common, filled, f"{shoppers} shoppers with {filled['messages']} events are in {stores} stores.")


def _progress() -> Progress:
    """A bar on standard error, shown only where a person looks."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty(), transient=True)


def demo_sheet(*, out: Path | None = None, common: Common = DEFAULT) -> None:
    """Show the demo's cards to scan and the people with their PINs.

    Parameters
    ----------
    out
        Folder to write the cards to as PNG files.
    """
    with headquarters(common) as hq:
        sheet = make_sheet(hq)
    files = _write_pictures(sheet, out) if out is not None else {}
    cards = [{**asdict(card), "file": files.get(card.text)} for card in sheet.cards]
    told = {"store": sheet.store, "store_name": sheet.store_name, "cards": cards, "people": list(sheet.people)}
    people = "\n".join(f"{one['name']} ({one['role']}): PIN {one['pin']}" for one in sheet.people)
    shoppers = "\n".join(f"{card.name}: {card.say}" for card in sheet.cards if card.loyalty_id)
    say(common, told, f"{sheet.store_name}\n\n{people}\n\n{shoppers}")


def _write_pictures(sheet: DemoSheet, folder: Path) -> dict[str, str]:
    """Card text -> PNG file."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for number, card in enumerate(sheet.cards, start=1):
        words = "-".join(re.findall(r"[a-z0-9]+", f"{card.kind} {card.name}".lower()))
        path = folder / f"{number:02d}-{words}.png"
        code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, box_size=12, border=4)
        code.add_data(card.text)
        with path.open("wb") as picture:
            code.make_image().save(picture)
        files[card.text] = str(path)
    return files


def demo_live(*, server: str, every_s: float = EVERY_S, common: Common = DEFAULT) -> None:
    """Send some shoppers' web events now and then, through the public API, until stopped.

    Parameters
    ----------
    server
        Address of the running server.
    every_s
        Seconds between two sendings.
    """
    with headquarters(common) as hq, httpx.Client(base_url=server, timeout=10) as shop:
        chain = demo_of(hq)
        write_key = create_key(hq, SOURCE, replace=True)
        turn = 0
        while True:
            turn += 1
            watched = [] if turn % _OTHERS_TURN == 0 else opened_lately(hq)
            messages = live_messages(chain, hq.clock.now(), 1, watched)
            _send(shop, write_key, messages)
            time.sleep(every_s)


def _send(shop: httpx.Client, write_key: str, messages: list[dict[str, object]]) -> None:
    """A server that is away just now misses these events: nobody's shop stands still for them."""
    try:
        shop.post("/v1/batch", json={"batch": messages}, auth=(write_key, "")).raise_for_status()
    except httpx.HTTPError as problem:
        complain(f"The demo's events did not reach the server ({type(problem).__name__}).")

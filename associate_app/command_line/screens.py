"""Commands that open the screens: `demo`, a whole chain on this machine, and `hub`, this tablet for browsers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import platformdirs
from cyclopts import Parameter
from rich.text import Text

from associate_app.command_line.common import DEFAULT, Common, people, settings_of
from associate_app.demo import DemoPlan, remove_demo, run_demo
from associate_app.hub import make_tablet_hub
from shared.errors import Refused


def demo(
    *,
    browser: Annotated[bool, Parameter(help="Open the app in this machine's browser.")] = True,
    port: Annotated[int, Parameter(help="Port of the app.")] = 8550,
    server_port: Annotated[int, Parameter(help="Port of HQ.")] = 8321,
    shoppers: Annotated[int, Parameter(help="How many shoppers the chain has.")] = 1500,
    seed: Annotated[int, Parameter(help="Equal seeds give equal shoppers.")] = 1,
    live: Annotated[bool, Parameter(help="Shoppers go on browsing while you look.")] = True,
    reset: Annotated[bool, Parameter(help="Delete what an earlier demo kept, and start anew.", negative="")] = False,
    remove: Annotated[bool, Parameter(help="Delete what an earlier demo kept, and stop.", negative="")] = False,
    data_dir: Annotated[Path | None, Parameter(help="Folder of the whole demo.")] = None,
) -> None:
    """Try Floorside: a chain of six stores, its HQ and one tablet, all on this machine."""
    folder = (data_dir or platformdirs.user_data_path("floorside") / "demo").expanduser().absolute()
    if reset or remove:
        was_there = remove_demo(folder)
    if remove:
        people().print(Text(f"The demo in {folder} is deleted." if was_there else "There was no demo to delete."))
        return
    _check_tools()
    run_demo(DemoPlan(folder, port, server_port, shoppers, seed, is_live=live, opens_browser=browser))


def _check_tools() -> None:
    """The demo runs HQ too: without the server's packages it says so before anything is made."""
    from importlib.util import find_spec

    if find_spec("sync_server") is None or find_spec("sqlalchemy") is None:
        raise Refused("The demo needs HQ's part as well. Install it with: pip install 'floorside[demo]'")


def hub(
    *,
    host: Annotated[
        str, Parameter(help="Address to listen on; cameras need HTTPS on any other than this.")
    ] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Port to listen on.")] = 8550,
    certificate: Annotated[Path | None, Parameter(help="TLS certificate chain (PEM).")] = None,
    key: Annotated[Path | None, Parameter(help="TLS private key (PEM).")] = None,
    common: Common = DEFAULT,
) -> None:
    """Serve this tablet's screens to browsers."""
    if (certificate is None) is not (key is None):
        raise Refused("TLS needs both --certificate and --key.")
    settings = settings_of(common)
    served = make_tablet_hub(settings.data_dir, host=host, port=port, certificate=certificate, key=key)
    scheme = "https" if certificate else "http"
    served.run(on_ready=lambda: people().print(f"The app is at {scheme}://{host}:{port}. Stop with Ctrl+C."))

"""The packaged app on Android, iOS and Windows: the same screens, with the tablet's own database beside them.

Imports nothing beyond what ships on a tablet. Flet names the folder that survives updates; the assets travel in the
package and are shown by their own paths.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Final

import flet as ft

from associate_app.bootstrap import make_tablet
from associate_app.settings import APP_VERSION, Settings
from associate_app.ui.stage import open_stage

_FOLDER_VARIABLE: Final = "FLET_APP_STORAGE_DATA"


def main() -> None:
    """Open the tablet in this app's own folder and show it until the window is closed."""
    folder = Path(os.environ.get(_FOLDER_VARIABLE) or ".").absolute()
    stage = open_stage(make_tablet(Settings(data_dir=folder)), app=APP_VERSION)
    try:
        ft.run(stage.run_session, name="Floorside", assets_dir=str(Path(str(files("assets").joinpath("logo"))).parent))
    finally:
        stage.close()


if __name__ == "__main__":
    main()

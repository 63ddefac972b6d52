"""Where Chromium is on this machine. The journeys drive the system's own browser and download none."""

from __future__ import annotations

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

NO_CHROMIUM = "NO BROWSER FOUND: the journeys in Chromium are skipped. Install Debian's package `chromium` to run them."


def find_chromium() -> str | None:
    """Say which Chromium to drive, or None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)

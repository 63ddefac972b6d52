"""What some tests need of this machine and where it is: Chromium, Node. Nothing is downloaded for want of it."""

from __future__ import annotations

import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

NO_CHROMIUM = "NO BROWSER FOUND: the tests in Chromium are skipped. Install Debian's package `chromium` to run them."
NO_NODE = "NO NODE FOUND: the senders from npm are skipped. Install Debian's package `npm` to run them."


def find_chromium() -> str | None:
    """Say which Chromium to drive, or None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def find_node() -> str | None:
    """Say which Node to run, or None where it or its npm is missing."""
    return shutil.which("node") if shutil.which("npm") else None

"""What every test gets: an own place for files, hypothesis profiles, figures for tests/PROOF.md, Chromium if any."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from tests.needs import NO_CHROMIUM, find_chromium
from tests.proof import PROOF_VARIABLE, Figure, write_figure

# Same examples every time, and a bound on their number instead of on their time: a slow machine is not a red one.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, max_examples=100, print_blob=True)
hypothesis.settings.register_profile("dev", deadline=None, max_examples=50)
hypothesis.settings.load_profile("dev")

EVENTS_VARIABLE = "FLOORSIDE_BENCH_EVENTS"
SCANS_VARIABLE = "FLOORSIDE_BENCH_SCANS"
KEPT_VARIABLES = (PROOF_VARIABLE, EVENTS_VARIABLE, SCANS_VARIABLE)
RecordFigure = Callable[[str, object, str], None]


def pytest_configure(config: pytest.Config) -> None:
    """Keep tests, and the programs they start, away from this machine's own Floorside data and settings."""
    home = tempfile.TemporaryDirectory(prefix="floorside-tests-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    for name in [name for name in os.environ if name.startswith("FLOORSIDE_") and name not in KEPT_VARIABLES]:
        del os.environ[name]
    for kind in ("DATA", "CONFIG", "STATE", "CACHE"):
        os.environ[f"XDG_{kind}_HOME"] = str(Path(home.name) / kind.lower())
    runtime = Path(home.name) / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)


@pytest.fixture
def record_figure(request: pytest.FixtureRequest) -> RecordFigure:
    """Call with a claim, a value and its unit: `record_figure("card lookup p99 at 20,000 shoppers", 7.3, "ms")`."""

    def record(claim: str, value: object, unit: str = "") -> None:
        write_figure(Figure(claim, str(value), unit, request.node.nodeid))

    return record


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The system's Chromium; a journey that needs it is skipped, and says so, where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip(NO_CHROMIUM)
    return path

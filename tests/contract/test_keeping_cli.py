"""Keys, settings, devices, quarantine and salvage by command line: one JSON value, or a sentence."""

from __future__ import annotations

import contextlib
import io
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from PIL import Image

from shared.documents import ProductDocument
from sync_server.bootstrap import open_headquarters
from sync_server.command_line.app import run as run_command_line
from sync_server.services.products import publish_products
from sync_server.services.salvage import take_salvage
from sync_server.settings import Settings
from tests.support.traffic import found_chain
from tests.support.world import make_journalist

STORE = "store-0"


def here(folder: Path, line: str) -> tuple[int, str, str]:
    """Run a command line in this very process: (status, standard output, standard error)."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run_command_line([*shlex.split(line), "--data-dir", str(folder)])
    return status, out.getvalue(), err.getvalue()


def told(folder: Path, line: str) -> Any:
    """The one JSON value of a command."""
    status, out, err = here(folder, f"{line} --json")
    assert (status, err, out.count("\n")) == (0, "", 1)
    return json.loads(out)


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, Any]]:
    """A chain's folder, a device that pushed an op which parked and one which was rejected, and an op it salvaged."""
    folder = tmp_path_factory.mktemp("hq")
    with open_headquarters(Settings(data_dir=folder, database=f"sqlite:///{folder / 'central.db'}")) as hq:
        found_chain(hq)
        publish_products(hq, [ProductDocument(sku="SKU-1", title="Parka")])
        tablet = make_journalist(hq, STORE)
        tablet.note("of a newer app", schema=2)
        tablet.note("broken", sha="0" * 64)
        tablet.push()
        kept = tablet.note("salvaged")
        take_salvage(hq, tablet.device, {**tablet.message([kept]), "why": "forked"})
    return folder, tablet.device.device_id, kept


def test_keys_are_listed_rotated_and_exported_without_a_private_word(chain: tuple[Path, str, dict[str, Any]]) -> None:
    """PEM for the tills, JSON for programs; a sentence says what to keep safe."""
    folder = chain[0]
    made = told(folder, "keys rotate card")
    assert (made["kid"], made["is_signing"], made["file"]) == ("2", True, "card-2.pem")
    assert [(key["purpose"], key["kid"]) for key in told(folder, "keys export card")] == [("card", "1"), ("card", "2")]
    assert len(told(folder, "keys list")) == 3
    _, out, _ = here(folder, "keys export receipt")
    assert load_pem_public_key(out.partition("\n")[2].encode()) is not None
    assert "receipt key r1, signs now" in out
    for line in ("keys list", "keys export", "keys rotate receipt"):
        assert "PRIVATE" not in here(folder, line)[1]
    assert "keep a copy" in here(folder, "keys rotate receipt")[1]
    assert here(folder, "keys rotate cursor")[0] == 2


def test_what_holds_for_all_tablets_is_set_and_listed(chain: tuple[Path, str, dict[str, Any]]) -> None:
    """A wrong value changes nothing and says what is right."""
    folder = chain[0]
    assert told(folder, "setting set min_app 1.2.0") == {"name": "min_app", "value": "1.2.0"}
    assert here(folder, "setting set min_app newest")[2].startswith("The setting min_app is a version such as 1.4.0")
    assert here(folder, "setting set colour red")[2].startswith("There is no setting 'colour'. There are: min_app")
    assert {row["name"]: row["value"] for row in told(folder, "setting list")} == {
        "min_app": "1.2.0",
        "notice": "",
        "inputs_one_in": "20",
        "estimate_k": "200",
        "holds_end_h": "20",
        "appointments_at_once": "1",
        "feedback_days": "3",
        "lock_after_min": "2",
    }


def test_devices_are_rotated_and_moved(chain: tuple[Path, str, dict[str, Any]]) -> None:
    """By their id; what cannot be is a sentence."""
    folder, device_id, _ = chain
    assert told(folder, f"device rotate {device_id}")["store"] == STORE
    assert told(folder, f"device move {device_id} --store store-1")["store_before"] == STORE
    assert told(folder, f"device move {device_id} --store {STORE}")["store_before"] == "store-1"
    assert "no store with the code" in here(folder, f"device move {device_id} --store paris-1")[2]
    assert "no device" in here(folder, "device rotate x")[2]


def test_quarantine_and_salvage_are_looked_at_and_decided_on(chain: tuple[Path, str, dict[str, Any]]) -> None:
    """List, show, replay; list, show, approve."""
    folder, _, kept = chain
    parked, letter = told(folder, "quarantine list")
    assert (parked["code"], letter["code"]) == ("unknown_schema", "malformed")
    assert told(folder, f"quarantine show {parked['id']}")["body"]["text"] == "of a newer app"
    assert "broken" in here(folder, f"quarantine show {letter['id']}")[1]
    assert told(folder, "quarantine replay")[0]["verdict"] == "parked"
    assert here(folder, "quarantine replay")[1] == "1 tried again: 1 parked.\n"
    assert here(folder, "quarantine show x")[0] == 1
    assert [row["op_id"] for row in told(folder, "salvage list")] == [kept["op_id"]]
    assert told(folder, f"salvage show {kept['op_id']}")["op"]["body"]["text"] == "salvaged"
    assert told(folder, f"salvage approve {kept['op_id']}")[0]["verdict"] == "accepted"
    assert here(folder, f"salvage refuse {kept['op_id']}")[0] == 1
    assert told(folder, "salvage list --every")[0]["state"] == "approved"


def test_a_product_is_given_a_picture(chain: tuple[Path, str, dict[str, Any]], tmp_path: Path) -> None:
    """A file that is none, or not there, is a sentence."""
    Image.new("RGB", (400, 300)).save(tmp_path / "parka.png")
    sha = told(chain[0], f"product picture SKU-1 {tmp_path / 'parka.png'}")["image"]
    assert (chain[0] / "media" / f"{sha}.webp").exists()
    (tmp_path / "parka.txt").write_text("a parka")
    assert "no picture that can be read" in here(chain[0], f"product picture SKU-1 {tmp_path / 'parka.txt'}")[2]
    assert "cannot be read" in here(chain[0], f"product picture SKU-1 {tmp_path / 'no.png'}")[2]


def test_the_upkeep_says_what_it_let_go(chain: tuple[Path, str, dict[str, Any]]) -> None:
    """JSON with each number, and a sentence."""
    folder, _, _ = chain
    kept = told(folder, "keep")
    assert kept.items() >= {"events": 0, "dead_letter": 0, "tombstones": 0, "erasures": 0, "inputs": 0}.items()
    assert kept.keys() >= {"audience", "estimates", "erased_told"}
    assert "0 faulty messages were too old" in here(folder, "keep")[1].replace("\n", " ")

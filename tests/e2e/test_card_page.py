"""The shopper's own phone: her card fills the screen upright and on its side, and is read from the pixels."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image
from playwright.sync_api import Browser, Page

from tests.e2e.conftest import Sheet
from tests.support.programs import ServerProcess, run, run_json

pytestmark = pytest.mark.browser

PHONES = {
    "portrait": (390, 844),
    "landscape": (844, 390),
    "small-portrait": (320, 568),
    "small-landscape": (568, 320),
    "tablet": (820, 1180),
}
CODE_SHARE_MIN = 0.5
"""Of the screen's shorter side, at least, is the code: bright and large enough at arm's length."""


@pytest.fixture(scope="module")
def address(server: ServerProcess, sheet: Sheet, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of the page of Mara, who agrees to e-mail."""
    number = sheet.number("Mara")
    consents = tmp_path_factory.mktemp("consents") / "consents.jsonl"
    row = {"loyalty_id": number, "purpose": "email", "decision": "granted", "at": "2026-01-01T10:00:00Z"}
    consents.write_text(json.dumps({**row, "method": "web", "proof": "form 7"}) + "\n", "utf-8")
    said = run("sync_server", "import", "consents", consents, "--data-dir", server.data_dir)
    assert said.status == 0, said.err
    made = run_json("sync_server", "card", "page", number, "--data-dir", server.data_dir)
    return str(made["url"]).partition("/c/")[2]


def box_of(page: Page, selector: str) -> dict[str, float]:
    """Where an element stands on the screen."""
    box = page.locator(selector).bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


@pytest.mark.parametrize("phone", PHONES)
def test_the_card_fits_the_phone_and_is_read_from_its_screen(
    browser: Browser, server: ServerProcess, sheet: Sheet, address: str, phone: str, tmp_path: Path
) -> None:
    """Nothing to scroll for, nothing fetched from elsewhere, white whatever the phone prefers."""
    width, height = PHONES[phone]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme="dark", locale="de-DE", java_script_enabled=False
    )
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    noted: list[str] = []
    page.on("console", lambda message: noted.append(message.text))
    page.goto(f"{server.url}/c/{address}")
    assert page.locator("h1").inner_text() == "Hallo Mara"
    code, number = box_of(page, ".code"), box_of(page, ".number")
    for box in (code, number):
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
    assert number["height"] < 50, "the number stands on one line"
    assert code["width"] >= CODE_SHARE_MIN * min(width, height)
    picture = Image.open(io.BytesIO(page.screenshot(path=tmp_path / f"{phone}.png"))).convert("RGB")
    [found] = zxingcpp.read_barcodes(picture)
    assert found.text.startswith("FS1.")
    assert picture.getpixel((width - 2, height - 2)) == (255, 255, 255)
    assert picture.getpixel((width // 2, 2)) == (31, 111, 92)
    assert [url for url in asked if not url.startswith(("data:", f"{server.url}/c/"))] == []
    assert noted == []
    context.close()

"""Imported pictures: small, upright, kept once under the hash of their bytes, and fetched end to end."""

from __future__ import annotations

import hashlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from shared.documents import ProductDocument
from shared.errors import Refused, StorageFull
from sync_server.adapters.media import FolderMediaShelf
from sync_server.services.headquarters import Headquarters
from sync_server.services.products import publish_products, set_picture
from tests.support.asking import Asker
from tests.support.world import make_journalist


def picture(form: str = "PNG", size: tuple[int, int] = (800, 400), mode: str = "RGB", **saved: object) -> bytes:
    """A picture as a shop's catalogue has them."""
    made = BytesIO()
    Image.new(mode, size, 1 if mode == "1" else "#33664480" if mode == "RGBA" else "#336644").save(made, form, **saved)
    return made.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_of_any_common_format_becomes_a_small_webp_under_its_hash(tmp_path: Path, form: str) -> None:
    """320 px at the longer side; the same bytes are kept once; nothing lies beside it."""
    shelf = FolderMediaShelf(tmp_path / "media")
    sha = shelf.add(picture(form))
    assert shelf.add(picture(form)) == sha
    assert [path.name for path in (tmp_path / "media").iterdir()] == [f"{sha}.webp"]
    kept = shelf.find(sha)
    assert kept is not None
    assert hashlib.sha256(kept).hexdigest() == sha
    shown = Image.open(BytesIO(kept))
    assert (shown.format, shown.size) == ("WEBP", (320, 160))


def test_a_small_picture_is_not_blown_up_and_a_turned_one_stands_upright(tmp_path: Path) -> None:
    """What the camera wrote into it (where it was taken) does not go to the tablets."""
    shelf = FolderMediaShelf(tmp_path)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A camera"
    kept = shelf.find(shelf.add(picture("JPEG", (100, 40), exif=exif)))
    assert kept is not None
    shown = Image.open(BytesIO(kept))
    assert shown.size == (40, 100)
    assert dict(shown.getexif()) == {}
    see_through = shelf.find(shelf.add(picture("PNG", (10, 10), "RGBA")))
    assert see_through is not None
    assert Image.open(BytesIO(see_through)).mode == "RGBA"


@pytest.mark.parametrize("content", [b"", b"<svg/>", picture()[:60], b"GIF89a" + b"\0" * 20])
def test_what_is_no_picture_is_refused_in_words(tmp_path: Path, content: bytes) -> None:
    """Nothing is kept of it."""
    with pytest.raises(Refused, match="no picture that can be read"):
        FolderMediaShelf(tmp_path / "media").add(content)
    assert not (tmp_path / "media").exists()


def test_a_folder_that_takes_nothing_is_said(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "media").write_text("in the way")
    with pytest.raises(StorageFull, match="cannot be kept"):
        FolderMediaShelf(tmp_path / "media").add(picture())


def test_a_products_document_names_its_picture_and_a_tablet_fetches_it_by_that(hq: Headquarters) -> None:
    """From the file to the bytes a tablet checks, by the feed alone."""
    publish_products(hq, [ProductDocument(sku="SKU-1", title="Parka")])
    product = set_picture(hq, "SKU-1", picture())
    asker = Asker(hq, make_journalist(hq).token)
    [line] = [line for line in asker.snapshot("all")[1:-1] if line["id"] == "product/SKU-1"]
    assert (line["doc"]["title"], line["doc"]["image"]) == ("Parka", product.image)
    reply = asker.get(f"/v1/media/{line['doc']['image']}")
    assert (reply.status_code, reply.headers["content-type"]) == (200, "image/webp")
    assert hashlib.sha256(reply.content).hexdigest() == product.image
    with pytest.raises(Refused, match="no product"):
        set_picture(hq, "SKU-2", picture())


def test_a_picture_too_large_to_unpack_is_refused_before_it_is(tmp_path: Path) -> None:
    """Its size stands in its head."""
    with pytest.raises(Refused, match="80 megapixels"):
        FolderMediaShelf(tmp_path).add(picture("PNG", (10_000, 8_001), "1"))

"""Reading codes from pictures: real ones at angles, sizes and light; broken and hostile ones never raise."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
import qrcode
import zxingcpp
from PIL import Image, ImageFilter

from associate_app.adapters import code_reader
from associate_app.adapters.code_reader import PictureReader, make_code_reader
from associate_app.ports import FoundCode
from tests.support.code_photos import photo
from tests.support.replica import card_for


def qr(text: str, pixels: int = 6) -> Image.Image:
    """A QR code as an image."""
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, box_size=pixels)
    code.add_data(text)
    code.make()
    return code.make_image().get_image().convert("L")


def bars(text: str, kind: zxingcpp.BarcodeFormat) -> Image.Image:
    """A barcode as an image."""
    drawn: Any = zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, kind), scale=4)
    height, width = drawn.shape
    picture = Image.frombuffer("L", (width, height), bytes(memoryview(drawn).cast("B")))
    ground = Image.new("L", (width + 80, 260), 255)
    ground.paste(picture.resize((width, 180)), (40, 40))
    return ground


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    """An image as a file's bytes."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.fixture(scope="module")
def reader():
    """The patient reader of this machine."""
    return make_code_reader()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_loyalty_card_is_read_from_each_kind_of_file(reader, kind):
    """One code, its format's name and its text to the letter."""
    assert reader.read(encoded(qr(card_for()), kind)) == (FoundCode("QR Code", card_for()),)


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("4006381333931", zxingcpp.BarcodeFormat.EAN13, "EAN-13"),
        ("96385074", zxingcpp.BarcodeFormat.EAN8, "EAN-8"),
        ("SPRING-26", zxingcpp.BarcodeFormat.Code128, "Code 128"),
    ],
)
def test_barcodes_of_products_and_offers_are_read(reader, text, kind, name):
    """EAN and Code 128, with the names the command line prints."""
    assert reader.read(encoded(bars(text, kind))) == (FoundCode(name, text),)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda image: image.rotate(37, expand=True, fillcolor=255),
        lambda image: image.transpose(Image.Transpose.ROTATE_180),
        lambda image: image.point(lambda value: 255 - value),
        lambda image: image.point(lambda value: 90 + value * 60 // 255),
        lambda image: image.filter(ImageFilter.GaussianBlur(2.5)),
        lambda image: image.resize((4000, 4000)),
        lambda image: image.resize((image.width // 3, image.height // 3)),
    ],
    ids=["turned", "upside down", "light on dark", "dim", "blurred", "huge", "small"],
)
def test_a_card_is_read_as_phones_show_it(reader, spoil):
    """Turned, inverted, dim, blurred, huge or small."""
    assert [code.text for code in reader.read(encoded(spoil(qr(card_for()))))] == [card_for()]


@pytest.mark.parametrize(("kind", "index"), [("soft", 11), ("dark", 7)])
def test_a_photo_that_only_mending_makes_readable_is_read(reader, kind, index):
    """Out of focus; too dark and noisy: one look at every size reads neither."""
    taken = photo(kind, card_for(), index, seed=5)
    assert [code.text for code in reader.read(taken.jpeg)] == [card_for()]


def test_a_code_on_a_transparent_ground_is_read(reader):
    """A wallet's picture has no white behind the code."""
    card = qr(card_for()).convert("RGBA")
    clear = Image.new("RGBA", card.size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=card.convert("L").point(lambda value: 255 - value))
    assert [code.text for code in reader.read(encoded(clear))] == [card_for()]


def test_two_codes_in_a_picture_are_both_found_and_the_same_one_once(reader):
    """A till's screen may show more than one."""
    sheet = Image.new("L", (1400, 700), 255)
    for place, text in enumerate(("one", "two", "one")):
        sheet.paste(qr(text, 8), (20 + place * 450, 100))
    assert sorted(code.text for code in reader.read(encoded(sheet))) == ["one", "two"]


def bomb() -> bytes:
    """A PNG of a few bytes that claims 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    "picture",
    [
        b"",
        b"not a picture",
        b"\xff\xd8\xff\xe0" + bytes(200),
        bomb(),
        bytes(41_000_000),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
    ],
    ids=["empty", "text", "torn jpeg", "bomb", "too large", "svg", "postscript"],
)
def test_a_broken_or_hostile_file_is_an_empty_answer(reader, picture):
    """Whatever the bytes: no exception, no codes."""
    assert reader.read(picture) == ()


def test_a_torn_photo_of_a_card_is_an_empty_answer_or_the_card(reader):
    """A download that stopped in the middle raises nothing."""
    whole = encoded(qr(card_for()), "JPEG", quality=90)
    for length in range(0, len(whole), len(whole) // 7):
        assert {code.text for code in reader.read(whole[:length])} <= {card_for()}


@pytest.mark.parametrize("text", ["\x00\x01\x02", "\u202eevil", "x" * 2000, "🙂" * 100, "'; DROP TABLE op; --"])
def test_a_hostile_code_is_only_text(reader, text):
    """Control characters, length, odd letters: read or not, nothing raises, and the text is what the code holds."""
    found = reader.read(encoded(qr(text, 4)))
    assert all(isinstance(code.text, str) and len(code.text) <= code_reader.TEXT_LENGTH_MAX for code in found)


def test_a_decoder_that_raises_costs_nothing():
    """Decoders are foreign code: what they raise is an empty answer."""

    def explode(_: object) -> list[FoundCode]:
        raise RuntimeError

    assert PictureReader([explode], is_thorough=True).read(encoded(qr("x"))) == ()


def test_without_any_decoder_the_reader_finds_nothing(monkeypatch):
    """The screen then offers the number entry; nothing breaks."""
    monkeypatch.setattr(code_reader, "_zxing", lambda: None)
    monkeypatch.setattr(code_reader, "_zbar", lambda: None)
    assert make_code_reader().read(encoded(qr("x"))) == ()
    assert not code_reader.has_decoder()


def test_a_camera_frame_gets_one_quick_look():
    """The next frame is as good as a second attempt, so a miss must be cheap."""
    looks = []

    def count(image: Image.Image) -> list[FoundCode]:
        looks.append(image.size)
        return []

    PictureReader([count, count], is_thorough=False).read(encoded(Image.new("L", (1920, 1080), 255)))
    assert looks == [(1280, 720)]

"""Finds codes in pictures: zxing-cpp where its wheel exists, pyzbar on phones. Behind the `CodeReader` port; step 1.

A picture is hostile until proven otherwise: whatever its bytes, the answer is what was found, and nothing raises. Only
the formats our codes come in are asked for: all formats together cost six times as much per miss.
"""

from __future__ import annotations

import importlib
import io
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from associate_app.ports import CodeReader, FoundCode

PIXELS_MAX: Final = 50_000_000
"""More than any camera of a tablet takes; a picture that unpacks to more is a trap."""
BYTES_MAX: Final = 40_000_000
CODES_MAX: Final = 20
TEXT_LENGTH_MAX: Final = 4_096
_FRAME_SIDE: Final = 1280
_SIDES: Final = (1000, 2200, 600, 3600)
"""Longest sides tried one after the other: most codes fill enough of a picture, and less is quicker and less noisy."""
_MENDED_SIDE: Final = 1600
_SOFT_SIDE: Final = 2400
_TURNS: Final = (20, 45, 70)

Decode = Callable[[Any], Sequence[FoundCode]]


class PictureReader:
    """Reads codes from JPEG, PNG or WebP bytes with whatever decoder this device has.

    `is_thorough` False is for camera frames: one attempt, because the next frame is as good as the next attempt.
    """

    def __init__(self, decode: Sequence[Decode], *, is_thorough: bool) -> None:
        self._decode = decode
        self._is_thorough = is_thorough

    def read(self, picture: bytes) -> tuple[FoundCode, ...]:
        """Codes found, the same one once; empty for none, for a broken file and for a hostile one."""
        if not 0 < len(picture) <= BYTES_MAX:
            return ()
        try:
            return self._search(picture)
        except Exception:  # noqa: BLE001 (decoders raise what they like at a broken file; the answer is "none")
            return ()

    def _search(self, picture: bytes) -> tuple[FoundCode, ...]:
        grey = _open_grey(picture)
        if grey is None:
            return ()
        for attempt in _attempts(grey) if self._is_thorough else iter((_fit(grey, _FRAME_SIDE),)):
            for decode in self._decode if self._is_thorough else self._decode[:1]:
                found = tuple(dict.fromkeys(decode(attempt)))[:CODES_MAX]
                if found:
                    return found
        return ()


def make_code_reader(*, is_thorough: bool = True) -> CodeReader:
    """The best reader this device has; one that finds nothing where it has none."""
    return PictureReader(_zxing() or _zbar() or (), is_thorough=is_thorough)


def has_decoder() -> bool:
    """Say whether this device can read codes from pictures at all."""
    return bool(_zxing() or _zbar())


def _open_grey(picture: bytes) -> Any | None:
    """The picture in grey, upright or not; None when it is too large to be honest."""
    image_module = importlib.import_module("PIL.Image")
    with warnings.catch_warnings():
        warnings.simplefilter("error", image_module.DecompressionBombWarning)
        image = image_module.open(io.BytesIO(picture), formats=("JPEG", "PNG", "WEBP", "BMP", "GIF"))
        if image.width * image.height > PIXELS_MAX:
            return None
        image.draft("L", (max(_SIDES), max(_SIDES)))
        return _flatten(image)


def _flatten(image: Any) -> Any:
    """Grey on white: a code on a transparent ground would else be black on black."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = importlib.import_module("PIL.Image").new("RGBA", image.size, "white")
        ground.alpha_composite(image)
        image = ground
    return image.convert("L")


def _attempts(grey: Any) -> Iterator[Any]:
    """The picture at several sizes, then mended, then turned: barcodes are only read along or across the picture."""
    seen: set[tuple[int, int]] = set()
    for side in _SIDES:
        fitted = _fit(grey, side)
        if fitted.size not in seen:
            seen.add(fitted.size)
            yield fitted
    yield from _mended(_fit(grey, _MENDED_SIDE))
    for degrees in _TURNS:
        yield _fit(grey, _MENDED_SIDE).rotate(degrees, expand=True, fillcolor=128)


def _mended(grey: Any) -> Iterator[Any]:
    """Against noise, blur, uneven light, modules of a few pixels, a dark and a soft picture, in this order."""
    operations, filters, chops = (importlib.import_module(f"PIL.Image{part}") for part in ("Ops", "Filter", "Chops"))
    stretched = operations.autocontrast(grey, cutoff=2)
    yield stretched.filter(filters.GaussianBlur(1.2))
    yield stretched.filter(filters.UnsharpMask(radius=3, percent=200, threshold=2))
    light = grey.filter(filters.BoxBlur(40))
    yield operations.autocontrast(chops.subtract(grey, light, scale=1, offset=128), cutoff=1)
    small = _fit(grey, _SIDES[0])
    doubled = small.resize((small.width * 2, small.height * 2))
    yield doubled.filter(filters.UnsharpMask(radius=6, percent=300, threshold=0))
    shrunk = _fit(grey, max(1, max(small.size) * 7 // 10))
    yield shrunk.filter(filters.GaussianBlur(1)).filter(filters.UnsharpMask(radius=4, percent=300, threshold=0))
    yield small.filter(filters.GaussianBlur(1.5))
    larger = min(3.0, _SOFT_SIDE / max(small.size))
    soft = small.resize((round(small.width * larger), round(small.height * larger)))
    yield soft.filter(filters.GaussianBlur(2)).filter(filters.UnsharpMask(radius=6, percent=400, threshold=0))


def _fit(grey: Any, side: int) -> Any:
    """The picture with its longest side at most `side`."""
    longest = max(grey.size)
    if longest <= side:
        return grey
    size = (max(1, grey.width * side // longest), max(1, grey.height * side // longest))
    return grey.resize(size, reducing_gap=2.0)


def _zxing() -> tuple[Decode, ...] | None:
    """zxing-cpp with a local and with a global threshold; None where its wheel does not exist."""
    try:
        zxing = importlib.import_module("zxingcpp")
    except ImportError:
        return None
    kinds = zxing.BarcodeFormat
    formats = (kinds.QRCode, kinds.EAN13, kinds.EAN8, kinds.Code128)
    names = {kinds.QRCode: "QR Code", kinds.EAN13: "EAN-13", kinds.EAN8: "EAN-8", kinds.Code128: "Code 128"}

    def decode_with(binarizer: Any) -> Decode:
        def decode(image: Any) -> Sequence[FoundCode]:
            found = zxing.read_barcodes(
                image, formats=formats, text_mode=zxing.TextMode.Plain, binarizer=binarizer, try_invert=True
            )
            return list(_spelled(found, names))

        return decode

    return decode_with(zxing.Binarizer.LocalAverage), decode_with(zxing.Binarizer.GlobalHistogram)


def _spelled(barcodes: Sequence[Any], names: dict[Any, str]) -> Iterator[FoundCode]:
    """Codes whose text can be said; one that cannot never costs the others."""
    for barcode in barcodes:
        try:
            text = str(barcode.text)
            name = names.get(barcode.format, str(barcode.format))
        except (UnicodeError, RuntimeError, ValueError):
            continue
        if 0 < len(text) <= TEXT_LENGTH_MAX:
            yield FoundCode(name, text)


def _zbar() -> tuple[Decode, ...] | None:
    """pyzbar, which phones have; None where it or its library is missing."""
    try:
        zbar = importlib.import_module("pyzbar.pyzbar")
    except (ImportError, OSError):
        return None
    names = {"QRCODE": "QR Code", "EAN13": "EAN-13", "EAN8": "EAN-8", "CODE128": "Code 128"}
    symbols = [getattr(zbar.ZBarSymbol, name) for name in names]

    def decode(image: Any) -> Sequence[FoundCode]:
        found = []
        for code in zbar.decode(image, symbols=symbols):
            text = code.data.decode("utf-8", "replace")
            if 0 < len(text) <= TEXT_LENGTH_MAX:
                found.append(FoundCode(names.get(code.type, code.type), text))
        return found

    return (decode,)

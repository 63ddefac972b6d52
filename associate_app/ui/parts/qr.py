"""A QR code as a small PNG: offer codes for the till, a new shopper's card for their phone.

`qrcode` makes the squares; the PNG around them is written here, because its own writers need Pillow or pypng, which a
packaged tablet may not have.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Final

import qrcode

_SIDE: Final = 8
"""Pixels a module."""
_BORDER: Final = 4
"""Modules of quiet zone; the standard asks for four."""


def qr_png(text: str) -> bytes:
    """The QR code of a text, error correction M."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=_BORDER)
    code.add_data(text)
    code.make(fit=True)
    return _png(code.get_matrix())


def _png(squares: Sequence[Sequence[bool]]) -> bytes:
    """Black squares on white as an 8-bit grey PNG."""
    rows = (b"\x00" + b"".join((b"\x00" if dark else b"\xff") * _SIDE for dark in row) for row in squares)
    pixels = b"".join(row * _SIDE for row in rows)
    side = len(squares) * _SIDE
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    parts = (_chunk(b"IHDR", head), _chunk(b"IDAT", zlib.compress(pixels)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

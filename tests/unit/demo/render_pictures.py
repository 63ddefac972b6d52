"""Authoring tool, not a test: writes the product pictures and logo sizes into `assets/` from their drawings.

Run `python -m tests.unit.demo.render_pictures` after changing a drawing (needs `pip install resvg_py pillow`). The
files are committed, so neither the app nor the server ever needs a renderer.
"""

from __future__ import annotations

import io
from pathlib import Path

import resvg_py
from PIL import Image

from sync_server.demo.pictures import draw_picture, list_pictures

ASSETS = Path(__file__).resolve().parents[3] / "assets"
LOGO_SIZES_PX = (16, 32, 48, 64, 128, 180, 192, 256, 512, 1024)


def render(svg: str, side_px: int) -> Image.Image:
    """Rasterise an SVG text to a square picture."""
    png = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=side_px, height=side_px))
    return Image.open(io.BytesIO(png))


def write_pictures() -> int:
    """Write every product picture as 320 px WebP; returns how many."""
    for picture in list_pictures():
        image = render(draw_picture(picture), 320).convert("RGB")
        image.save(ASSETS / "products" / picture.file_name, "WEBP", quality=82, method=6)
    return len(list_pictures())


def write_logo() -> None:
    """Write the mark at every size an app icon or favicon needs."""
    svg = (ASSETS / "logo" / "floorside.svg").read_text(encoding="utf-8")
    for side_px in LOGO_SIZES_PX:
        render(svg, side_px).save(ASSETS / "logo" / f"floorside-{side_px}.png", optimize=True)


if __name__ == "__main__":
    print(f"{write_pictures()} pictures written")
    write_logo()

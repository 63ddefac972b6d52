"""Commands for products: their pictures."""

from __future__ import annotations

from pathlib import Path

from shared.errors import Refused
from sync_server.command_line.common import DEFAULT, Common, headquarters, say
from sync_server.services.products import set_picture


def product_picture(sku: str, path: Path, *, common: Common = DEFAULT) -> None:
    """Give a product a picture; tablets fetch it at their next contact.

    Parameters
    ----------
    sku
        The product.
    path
        A JPEG, PNG or WebP file; it is kept as a WebP of 320 pixels.
    """
    try:
        content = path.read_bytes()
    except OSError as problem:
        raise Refused(f"The picture {path} cannot be read ({problem.strerror}).") from None
    with headquarters(common) as hq:
        product = set_picture(hq, sku, content)
    say(common, {"sku": sku, "image": product.image}, f"{product.title} has a picture.")

"""What the Product and the Offer screen show, already in words: frozen faces made by `goods_telling.py`."""

from __future__ import annotations

from dataclasses import dataclass

from associate_app.ui.faces import LinkFace


@dataclass(frozen=True, slots=True)
class ForFace:
    """For whom something is recorded: the shopper whose card was open when it was scanned."""

    token: str
    name: str
    called: str
    initials: str


@dataclass(frozen=True, slots=True)
class ProductFace:
    """A product: `stock` is what is free here and `age` since when that is known, `near` who else has it (name, how
    far), `near_told` what is to be said where nobody has, or where this tablet does not know."""

    sku: str
    title: str
    hint: str
    picture: str | None
    price: str | None
    stock: str
    is_here: bool
    age: str | None
    near: tuple[tuple[str, str], ...]
    near_told: str | None
    plays: tuple[LinkFace, ...]
    offers: tuple[LinkFace, ...]
    shopper: ForFace | None = None
    play: str | None = None
    """The title of the shopper's play that is about this product: *Bought* here is that play's outcome."""


@dataclass(frozen=True, slots=True)
class OfferScreenFace:
    """An offer: what it gives and on which terms, how it stands (`mark`: yes, look, no) and whether this shopper may
    use it. `code` is None where the till is to read none: it does not hold, or only the shopper has it."""

    offer_id: str
    title: str
    gives: str
    terms: str
    mark: str
    answer: str
    why: tuple[str, ...]
    span: str
    channels: str
    code: str | None
    code_told: str | None
    may_bend: bool
    products: tuple[LinkFace, ...]
    shopper: ForFace | None = None

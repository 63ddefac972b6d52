"""From feed documents to what an evaluation looks at besides the shopper, on both sides alike. Before step 2.

Read leniently: a document this version cannot read is passed over and never costs a card. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from shared.documents import ProductDocument
from shared.plays.inputs import ProductFacts, StockLevel, StoreFacts
from shared.plays.settings import PlaySettings

Document = Mapping[str, Any]


def read_settings(document: Document | None) -> PlaySettings:
    """`setting/plays`; one this version cannot read leaves the shipped settings in force."""
    try:
        return PlaySettings.from_document(document or {})
    except ValidationError:
        return PlaySettings()


def read_store(code: str, own: Document | None, chain: Document | None) -> StoreFacts:
    """`store/<code>` and `setting/chain`: what a store does not say of its time zone and money is the chain's."""
    told = {**(chain or {}), **{name: part for name, part in (own or {}).items() if part is not None}}
    return StoreFacts(
        code=code,
        timezone=told.get("timezone") or "UTC",
        currency=told.get("currency") or "EUR",
        region=(own or {}).get("region"),
    )


def read_catalogue(documents: Iterable[Document]) -> dict[str, ProductDocument]:
    """`product/*` by sku."""
    catalogue = {}
    for document in documents:
        try:
            product = ProductDocument.model_validate(document)
        except ValidationError:
            continue
        catalogue[product.sku] = product
    return catalogue


def product_facts(catalogue: Mapping[str, ProductDocument], currency: str) -> dict[str, ProductFacts]:
    """What rules and sentences see of the catalogue, with prices in a store's currency."""
    return {
        sku: ProductFacts(product.title, product.category, product.brand, product.price_in(currency), product.image)
        for sku, product in catalogue.items()
    }


def read_stock(documents: Iterable[Document]) -> dict[str, StockLevel]:
    """`stock/*` of a store by sku."""
    levels = {}
    for document in documents:
        sku, quantity = document.get("sku"), document.get("quantity")
        if isinstance(sku, str) and type(quantity) is int:
            levels[sku] = StockLevel(quantity, document.get("aisle"))
    return levels

"""What reading events from outside needs to know of a chain: regions, currencies, codes, consent categories.

Made once by the server from its settings and documents, passed to `segment_messages.py` and to the mappings of
webhooks and files. Data only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.code_patterns import CodePattern
from shared.consent import Purpose
from shared.identity import DEFAULT_BLOCK_LIST, BlockList
from shared.offers import OfferCodes


@dataclass(frozen=True, slots=True)
class CategoryMeaning:
    """What a consent category of a website's banner means here, when it is granted and when it is denied."""

    granted: tuple[Purpose, ...] = ()
    denied: tuple[Purpose, ...] = ()


_OWN_CATEGORIES: Final = {purpose.value: CategoryMeaning((purpose,), (purpose,)) for purpose in Purpose}
_PROFILED: Final = (Purpose.PROFILING,)
DEFAULT_CATEGORIES: Final[Mapping[str, CategoryMeaning]] = {
    **_OWN_CATEGORIES,
    "analytics": CategoryMeaning((Purpose.ANALYTICS,), (Purpose.ANALYTICS,)),
    "performance": CategoryMeaning((Purpose.ANALYTICS,), (Purpose.ANALYTICS,)),
    "personalization": CategoryMeaning(_PROFILED, (Purpose.PROFILING, Purpose.PERSONALISE_IN_STORE)),
    "personalisation": CategoryMeaning(_PROFILED, (Purpose.PROFILING, Purpose.PERSONALISE_IN_STORE)),
    "advertising": CategoryMeaning((), _PROFILED),
    "marketing": CategoryMeaning((), _PROFILED),
    "targeting": CategoryMeaning((), _PROFILED),
}
"""Banner categories by their folded name. A cookie banner never grants use on the shop floor: only the purpose's own
name does, for then the shopper was asked that very question. A chain may set its own table."""


@dataclass(frozen=True, slots=True)
class IngestRules:
    """What reading a message needs to know of the chain.

    `region` completes phone numbers without a country code, `currency` amounts without one; `stores` are the known
    store codes with their currency, so that an `affiliation` such as "Online Store" is not taken for a shop.
    """

    region: str = "DE"
    currency: str = "EUR"
    stores: Mapping[str, str] = field(default_factory=dict)
    loyalty: tuple[CodePattern, ...] = ()
    offers: OfferCodes = field(default_factory=OfferCodes)
    consent_categories: Mapping[str, CategoryMeaning] = field(default_factory=lambda: DEFAULT_CATEGORIES)
    blocked: BlockList = DEFAULT_BLOCK_LIST

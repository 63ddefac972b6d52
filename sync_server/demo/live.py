"""A few web events of the moment, for `--live`: open cards change while someone looks at them.

They are sent through the public API like anyone's, so they carry no mark of the demo but their message id.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from random import Random
from typing import Final

from sync_server.demo.assets import DemoProduct, read_assets
from sync_server.demo.chain import DemoChain
from sync_server.demo.diary import Diary, Message
from sync_server.demo.people import DemoShopper

_SPREAD_S: Final = 20
_SHOWCASE_RATE: Final = 0.35  # these are the cards people look at
_DEEDS: Final = ("Product Viewed", "Product Added", "Product Added to Wishlist", "Products Searched")
_WEIGHTS: Final = (55, 18, 12, 15)


def live_messages(chain: DemoChain, now: datetime, count: int, loyalty_ids: Sequence[str] = ()) -> list[Message]:
    """`count` events of the last 20 seconds, of the given shoppers or, without any, of some of the chain, oldest first.

    Their ids depend on `now`, so a later call never repeats one. Raises ValueError for a foreign loyalty number.
    """
    now_s = int(now.timestamp())
    rng = Random(f"live/{chain.seed}/{now_s}")
    given = [chain.shopper_with(loyalty_id) for loyalty_id in loyalty_ids]
    moments = sorted(now_s - rng.randrange(_SPREAD_S) for _ in range(count if chain.shopper_count else 0))
    return [
        _deed(_pick_shopper(chain, given, rng), f"live-{chain.seed}-{now_s}-{place}", at_s, rng)
        for place, at_s in enumerate(moments)
    ]


def _pick_shopper(chain: DemoChain, given: Sequence[DemoShopper], rng: Random) -> DemoShopper:
    if given:
        return rng.choice(given)
    shown = len(chain.showcase)
    index = rng.randrange(shown) if rng.random() < _SHOWCASE_RATE else rng.randrange(chain.shopper_count)
    return chain.shopper(index)


def _deed(shopper: DemoShopper, stem: str, at_s: int, rng: Random) -> Message:
    diary = Diary(shopper, stem, rng)
    event, product = rng.choices(_DEEDS, _WEIGHTS)[0], _pick_product(shopper, rng)
    if event == "Products Searched":
        diary.search(at_s, product.category.replace("-", " "))
    else:
        cart_id = f"K-{shopper.account_id}-live" if event == "Product Added" else None
        diary.touch(at_s, event, product, cart_id)
    return diary.messages()[0]


@cache
def _shelf(categories: tuple[str, ...]) -> tuple[DemoProduct, ...]:
    return tuple(product for product in read_assets().products if not categories or product.category in categories)


def _pick_product(shopper: DemoShopper, rng: Random) -> DemoProduct:
    return rng.choice(_shelf(shopper.categories))

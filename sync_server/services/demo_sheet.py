"""The demo's sheet: signed cards worth scanning, some that must be refused, and the people with their PINs.

Made once for a demo chain and kept in its notes, so that a printed sheet stays true. Only a chain that `demo-data` made
has one: these cards and PINs are for trying, never for a shop.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.cards import SignedCard, encode_card, parse_card
from shared.clock import parse_at
from shared.errors import Refused
from sync_server.demo.chain import DemoChain, generate
from sync_server.services.cards import cancel_card, issue_card
from sync_server.services.demo import NOTE as PLAN_NOTE
from sync_server.services.headquarters import Headquarters

NOTE: Final = "demo_sheet"
_FOREIGN: Final = "https://example.org/club?card=4711"


@dataclass(frozen=True, slots=True)
class SheetCard:
    """A code of the sheet: what it reads, whose it is, and one sentence why to scan it. `kind` is a word for programs:
    shopper, traveller, expired, cancelled, forged, unknown_key, foreign."""

    kind: str
    text: str
    name: str
    say: str
    loyalty_id: str | None = None


@dataclass(frozen=True, slots=True)
class DemoSheet:
    """The sheet of a demo chain's first store."""

    store: str
    store_name: str
    cards: tuple[SheetCard, ...]
    people: tuple[dict[str, str], ...]


def read_sheet(hq: Headquarters) -> DemoSheet | None:
    """The sheet, if this chain has one."""
    with hq.database.read() as reader:
        kept = json.loads(reader.note(NOTE) or "null")
    if kept is None:
        return None
    cards = tuple(SheetCard(**card) for card in kept["cards"])
    return DemoSheet(kept["store"], kept["store_name"], cards, tuple(kept["people"]))


def make_sheet(hq: Headquarters) -> DemoSheet:
    """The sheet, made at the first asking. Raises Refused for a chain that is no demo."""
    kept = read_sheet(hq)
    if kept is not None:
        return kept
    chain = demo_of(hq)
    first = chain.stores[0]
    people = tuple(
        {"name": one.name, "role": one.role, "pin": one.pin} for one in chain.associates if one.store == first.code
    )
    sheet = DemoSheet(first.code, first.name, (*_shoppers(hq, chain), *_refused(hq, chain)), people)
    with hq.database.write() as tx:
        tx.write_note(NOTE, json.dumps(asdict(sheet)))
    return sheet


def demo_of(hq: Headquarters) -> DemoChain:
    """The demo chain that was filled into this database. Raises Refused for any other."""
    with hq.database.read() as reader:
        plan: dict[str, Any] | None = json.loads(reader.note(PLAN_NOTE) or "null")
    if plan is None:
        raise Refused("This chain is no demo: `sync-server demo-data` makes one in an empty data folder.")
    return generate(plan["seed"], plan["shoppers"], parse_at(plan["now"]))


def opened_lately(hq: Headquarters) -> list[str]:
    """Loyalty numbers of the shoppers whose cards were opened in the last half hour, for events worth watching."""
    since_at = hq.clock.now() - timedelta(minutes=30)
    with hq.database.read() as reader:
        return reader.opened_since(since_at.strftime("%Y-%m-%dT%H:%M:%S.000Z"))


def _shoppers(hq: Headquarters, chain: DemoChain) -> list[SheetCard]:
    cards = [
        SheetCard("shopper", issue_card(hq, one.loyalty_id), one.name, one.say, one.loyalty_id)
        for one in chain.showcase
    ]
    abroad = next((indexes for code, indexes in chain.indexes_by_store().items() if code == "lisbon-1"), [])
    if abroad:
        guest = chain.shopper(abroad[0])
        say = "Belongs to the store in Lisbon: the card alone is enough, the rest follows from HQ."
        cards.append(SheetCard("traveller", issue_card(hq, guest.loyalty_id), guest.name, say, guest.loyalty_id))
    return cards


def _refused(hq: Headquarters, chain: DemoChain) -> list[SheetCard]:
    """One code for every way a scan can be refused."""
    if not chain.showcase:
        return []
    owner, today = chain.showcase[0], hq.clock.now().date()
    expired = issue_card(hq, owner.loyalty_id, expires_on=today - timedelta(days=1))
    cancelled = issue_card(hq, owner.loyalty_id)
    cancel_card(hq, cancelled)
    card = parse_card(cancelled)
    assert isinstance(card, SignedCard)

    def signed_by_a_stranger(kid: int) -> str:
        stranger = Ed25519PrivateKey.from_private_bytes(hq.chance.bits(256).to_bytes(32, "big"))
        return encode_card(
            stranger,
            kid=kid,
            card_id=card.card_id,
            issued_on=today,
            expires_on=None,
            tier="",
            loyalty_id=owner.loyalty_id,
        )

    return [
        SheetCard("expired", expired, owner.name, "Expired yesterday."),
        SheetCard("cancelled", cancelled, owner.name, "Was cancelled at HQ."),
        SheetCard("forged", signed_by_a_stranger(card.kid), "Nobody", "Signed by a stranger."),
        SheetCard("unknown_key", signed_by_a_stranger(250), "Nobody", "Signed with a key nobody here knows yet."),
        SheetCard("foreign", _FOREIGN, "Another shop", "Not one of our cards."),
    ]

"""Streets of shoppers as they really are: households on one phone, devices of many, recycled cards, slips of the hand.

Each makes identity facts of one kind of trouble; `make_street` puts several side by side and lets some of them touch.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from shared.clock import shift_at
from shared.identity import Identifier, IdentifierType
from shared.partition import IdentityFacts, Link, Sighting, Split

T = IdentifierType
Fact = Sighting | Link | Split
SPAN_MINUTES = 200_000


class Street:
    """Facts of one street, each with an id and a moment of its own."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.facts: list[Fact] = []

    def name(self, type_: IdentifierType, stem: str = "v") -> Identifier:
        """A value nobody has yet."""
        form = {T.EMAIL: "{}@example.org", T.PHONE: "+49301{:0>7}"}.get(type_, "{}")
        number = f"{len(self.facts)}{self.chance.randrange(10**4):04d}"
        return Identifier(type_, form.format(number if type_ is T.PHONE else f"{stem}{number}"))

    def see(self, *names: Identifier, surname: str | None = None, postcode: str | None = None) -> None:
        """Names seen together at some moment."""
        is_verified = self.chance.random() < 0.05
        self.facts.append(Sighting(self._id(), self._at(), names, surname, postcode, is_verified))

    def say(self, word: type[Link | Split], a: Identifier, b: Identifier, *, is_manual: bool = True) -> None:
        """A link or a split."""
        more = {"is_manual": is_manual} if word is Link else {}
        self.facts.append(word(self._id(), self._at(), a, b, "HQ", **more))  # type: ignore[arg-type]

    def _id(self) -> str:
        return f"f{len(self.facts):04d}"

    def _at(self) -> str:
        """Not in the order of the facts, and now and then one moment for two."""
        return shift_at("2026-01-01T00:00:00.000Z", ms=self.chance.randrange(SPAN_MINUTES) * 60_000)

    def as_facts(self) -> IdentityFacts:
        """All of them."""
        kinds = [tuple(one for one in self.facts if isinstance(one, kind)) for kind in (Sighting, Link, Split)]
        return IdentityFacts(*kinds)  # type: ignore[arg-type]


def household(street: Street) -> None:
    """A family: one phone, one surname, one postcode, a card each, some with an account or an address of their own."""
    phone, surname = street.name(T.PHONE), street.chance.choice(("Meyer", "Okafor", "Lindqvist"))
    shared = street.name(T.EMAIL, "family")
    for _ in range(street.chance.randrange(2, 5)):
        card, account = street.name(T.LOYALTY_ID, "L"), street.name(T.CUSTOMER_ID, "C")
        street.see(card, phone, surname=surname, postcode="10115")
        if street.chance.random() < 0.5:
            street.see(account, phone, surname=surname)
        if street.chance.random() < 0.4:
            street.see(account, shared)
        if street.chance.random() < 0.3:
            street.see(account, card)


def shared_device(street: Street) -> None:
    """A kiosk and a family's tablet: browsers that several people sign in to, and visits of nobody."""
    for people in (street.chance.randrange(3, 6), 2):
        browser = street.name(T.ANONYMOUS_ID, "b")
        street.see(browser)
        for _ in range(people):
            account = street.name(T.CUSTOMER_ID, "C")
            street.see(browser, account)
            if street.chance.random() < 0.5:
                street.see(account, street.name(T.ANONYMOUS_ID, "own"))


def recycled_card(street: Street) -> None:
    """A card that was given to somebody else, and one that was replaced; HQ says so late, early or never."""
    card, first, second = street.name(T.LOYALTY_ID, "L"), street.name(T.EMAIL), street.name(T.EMAIL)
    street.see(card, first, surname="Kern")
    street.see(card, second, surname="Voss")
    street.see(card, street.name(T.PAYMENT_TOKEN, "t"))
    if street.chance.random() < 0.6:
        street.say(Split, first, second)
    new, account = street.name(T.LOYALTY_ID, "L"), street.name(T.CUSTOMER_ID, "C")
    street.see(new, account, first)
    if street.chance.random() < 0.6:
        street.say(Link, card, new)
    if street.chance.random() < 0.3:
        street.say(Split, card, new)


def typing_slips(street: Street) -> None:
    """An address with a letter wrong that is somebody else's, a phone with two digits swapped, a number of nobody."""
    right, account = street.name(T.EMAIL, "mara"), street.name(T.CUSTOMER_ID, "C")
    wrong = Identifier(T.EMAIL, right.value.replace("mara", "mrra"))
    street.see(account, right, surname="Voss")
    street.see(account, wrong, surname="Voss")
    street.see(wrong, street.name(T.CUSTOMER_ID, "C"))
    phone = street.name(T.PHONE)
    swapped = Identifier(T.PHONE, phone.value[:-2] + phone.value[-1] + phone.value[-2])
    street.see(account, phone, surname="Voss")
    street.see(street.name(T.LOYALTY_ID, "L"), swapped, surname="Voss")
    street.see(street.name(T.LOYALTY_ID, "L"), phone, surname="Vos", postcode="10117")
    street.see(street.name(T.LOYALTY_ID, "L"), Identifier(T.EMAIL, "test@example.org"))
    if street.chance.random() < 0.5:
        street.say(Link, account, street.name(T.CUSTOMER_ID, "C"), is_manual=False)


TROUBLES: tuple[Callable[[Street], None], ...] = (household, shared_device, recycled_card, typing_slips)


def make_street(seed: int) -> tuple[IdentityFacts, tuple[str, ...]]:
    """(facts, which troubles are in it); every fourth street has one trouble alone, the others have several."""
    chance = random.Random(seed)
    street = Street(chance)
    chosen = [TROUBLES[seed // 4 % 4]] if seed % 4 == 0 else chance.sample(TROUBLES, chance.randrange(2, 5))
    for trouble in chosen:
        trouble(street)
    for _ in range(chance.randrange(4)):
        touched = chance.sample([one for one in street.facts if isinstance(one, Sighting)], 2)
        street.see(*(chance.choice(one.identifiers) for one in touched))
    return street.as_facts(), tuple(one.__name__ for one in chosen)

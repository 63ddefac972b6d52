"""Numbers that look given out by chance and are not: loyalty, account and phone numbers from a shopper's index.

Each is a one-to-one scramble, so no register of numbers is needed, none is given twice, and an index is found again
from its number. They do not depend on the seed: a card printed for one demo is the same shopper in the next.
"""

from __future__ import annotations

from typing import Final

LOYALTY_PREFIX: Final = "29"
_LOYALTY_SPACE: Final = 10**10
_SEVEN_DIGITS: Final = 10**7
_STRIDE: Final = 6_180_339_887  # shares no factor with 10, so the scramble reaches every number once
_START: Final = 2_718_281_828
_BACK: Final = pow(_STRIDE, -1, _LOYALTY_SPACE)
_EAN_WEIGHTS: Final = (1, 3) * 6

_PHONE_PREFIXES: Final = {"DE": "+491500", "CH": "+41750", "PT": "+351920"}
_PHONE_DIGITS: Final = {"DE": 7, "CH": 6, "PT": 6}


def check_digit(digits: str) -> str:
    """The 13th digit of an EAN-13 number (GS1 General Specifications, 7.9)."""
    return str(-sum(int(digit) * weight for digit, weight in zip(digits, _EAN_WEIGHTS, strict=True)) % 10)


def loyalty_number(index: int) -> str:
    """The loyalty number of the shopper with this index: EAN-13 in the range 29, which GS1 leaves to shops."""
    digits = f"{LOYALTY_PREFIX}{(index * _STRIDE + _START) % _LOYALTY_SPACE:010d}"
    return digits + check_digit(digits)


def shopper_index(loyalty_id: str) -> int:
    """The index behind a loyalty number. Raises ValueError for a text that `loyalty_number` never gives."""
    if len(loyalty_id) != 13 or not loyalty_id.isdecimal() or loyalty_id[:2] != LOYALTY_PREFIX:
        raise ValueError(f"not a loyalty number of the demo chain: {loyalty_id[:20]!r}")
    if check_digit(loyalty_id[:12]) != loyalty_id[12]:
        raise ValueError(f"the check digit of {loyalty_id} is wrong")
    return (int(loyalty_id[2:12]) - _START) * _BACK % _LOYALTY_SPACE


def account_number(index: int) -> str:
    """The web shop's number of the shopper, which travels as `userId`."""
    return f"C{(index * _STRIDE + 4_669_201) % _SEVEN_DIGITS:07d}"


def phone_number(country: str, index: int) -> str:
    """A mobile number of the right shape in a range that is not given out."""
    digits = _PHONE_DIGITS[country]
    return f"{_PHONE_PREFIXES[country]}{(index * _STRIDE + 1_618_033) % 10**digits:0{digits}d}"

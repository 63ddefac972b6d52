"""The estimate of a play's success by stage, with shrinkage: made once at HQ, shipped as an integer (plays.md).

p = (s + K p0) / (n + K), in parts per million, rounded half to even in whole numbers, so every machine says the same.
Successes are matched orders, never claims.
"""

from __future__ import annotations

from typing import Final

PPM: Final = 1_000_000
STRENGTH: Final = 200
"""K: a prior worth 200 showings, so a play with few showings stays near its prior."""


def shrunk_p_ppm(successes: int, shown: int, p0_ppm: int, strength: int = STRENGTH) -> int:
    """The shrunk success rate in parts per million; the prior `p0_ppm` is worth `strength` showings."""
    return divide_half_even(successes * PPM + strength * p0_ppm, shown + strength)


def divide_half_even(numerator: int, denominator: int) -> int:
    """Whole-number division, halves to the even neighbour. `denominator` is positive."""
    quotient, rest = divmod(numerator, denominator)
    is_up = 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1)
    return quotient + is_up

"""Shapes of printed numbers and codes: a prefix, a length, a character set and a check digit, nothing freer.

Used by `scan_code.py` for loyalty numbers, by `offers.py` for one-time codes and by `segment_messages.py` to tell a
loyalty number that travels as `userId`. There is no free regular expression here, so no setting can make a scan slow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from shared.errors import Refused

CODE_LENGTH_MAX: Final = 64
_EAN13_LENGTH: Final = 13


class CheckRule(StrEnum):
    """How the last digit of a number follows from the others."""

    EAN13 = "ean13"
    LUHN = "luhn"
    NONE = "none"


class Charset(StrEnum):
    """Which characters may follow the prefix; letters are ASCII and count in either case."""

    DIGITS = "digits"
    LETTERS = "letters"
    LETTERS_AND_DIGITS = "letters_and_digits"


class Fit(StrEnum):
    """How a text fits a set of patterns."""

    FITS = "fits"
    WRONG_CHECK_DIGIT = "wrong_check_digit"
    NO = "no"


@dataclass(frozen=True, slots=True)
class CodePattern:
    """One shape: `length` counts the whole code, prefix and check digit included.

    Raises Refused when no code could ever have this shape.
    """

    prefix: str
    length: int
    charset: Charset = Charset.DIGITS
    check: CheckRule = CheckRule.NONE

    def __post_init__(self) -> None:
        if not self.prefix.isascii() or not 0 < self.length <= CODE_LENGTH_MAX or len(self.prefix) >= self.length:
            raise Refused(
                f"The code pattern {self.prefix!r} of length {self.length} fits no code: give an ASCII prefix shorter "
                f"than the length, and a length up to {CODE_LENGTH_MAX}."
            )
        if self.check is not CheckRule.NONE and not (self.charset is Charset.DIGITS and _is_digits(self.prefix)):
            raise Refused(f"The code pattern {self.prefix!r} has a check digit, so it can hold digits only.")
        if self.check is CheckRule.EAN13 and self.length != _EAN13_LENGTH:
            raise Refused(f"The code pattern {self.prefix!r} has an EAN-13 check digit, so its length is 13.")

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read a pattern of a setting or an offer file. Raises Refused with what is wrong with it."""
        try:
            charset = Charset(body.get("charset", Charset.DIGITS))
            check = CheckRule(body.get("check", CheckRule.NONE))
            return cls(prefix=str(body["prefix"]), length=int(body["length"]), charset=charset, check=check)
        except (KeyError, TypeError, ValueError) as problem:
            raise Refused(f"A code pattern cannot be read ({problem}): it needs a prefix and a length.") from None

    def to_body(self) -> dict[str, Any]:
        """The pattern as a setting holds it."""
        return {
            "prefix": self.prefix,
            "length": self.length,
            "charset": self.charset.value,
            "check": self.check.value,
        }


def fit_of(code: str, pattern: CodePattern) -> Fit:
    """Say how a code fits one pattern. Linear in the code's length."""
    if len(code) != pattern.length or not code.upper().startswith(pattern.prefix.upper()):
        return Fit.NO
    if not _is_of(code[len(pattern.prefix) :], pattern.charset):
        return Fit.NO
    if pattern.check is CheckRule.NONE or check_digit(code[:-1], pattern.check) == code[-1]:
        return Fit.FITS
    return Fit.WRONG_CHECK_DIGIT


def best_fit(code: str, patterns: Iterable[CodePattern]) -> Fit:
    """Say how a code fits any of several patterns, the best answer winning."""
    fits = {fit_of(code, pattern) for pattern in patterns}
    return next((fit for fit in (Fit.FITS, Fit.WRONG_CHECK_DIGIT) if fit in fits), Fit.NO)


def check_digit(digits: str, rule: CheckRule) -> str:
    """The digit that completes `digits`; empty for `none`.

    EAN-13: GS1 General Specifications 7.9 (weights 3 and 1 from the right). Luhn: ISO/IEC 7812-1, annex B.
    """
    if rule is CheckRule.NONE:
        return ""
    weigh = _ean_weight if rule is CheckRule.EAN13 else _luhn_weight
    total = sum(weigh(int(digit), place) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def with_check_digit(digits: str, rule: CheckRule) -> str:
    """Complete a number: what a card printer or a generator of numbers needs."""
    return digits + check_digit(digits, rule)


def _ean_weight(digit: int, place: int) -> int:
    return digit * (3 if place % 2 == 0 else 1)


def _luhn_weight(digit: int, place: int) -> int:
    doubled = digit * (2 if place % 2 == 0 else 1)
    return doubled - 9 if doubled > 9 else doubled


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_of(text: str, charset: Charset) -> bool:
    if not text.isascii():
        return False
    if charset is Charset.DIGITS:
        return text.isdigit()
    return text.isalpha() if charset is Charset.LETTERS else text.isalnum()

"""Money as it enters the house: decimal text or JSON numbers -> integer minor units of an ISO 4217 currency.

Once it is minor units it stays so; amounts of different currencies are never added. Showing money is Babel's, outside
the core.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal, DecimalException
from typing import Final

from shared.wire.canonical import INTEGER_MAX

_WITHOUT_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THREE: Final = "BHD IQD JOD KWD LYD OMR TND"

DIGITS_BY_CURRENCY: Final[Mapping[str, int]] = {
    **dict.fromkeys(_WITHOUT_DECIMALS.split(), 0),
    **dict.fromkeys(_WITH_THREE.split(), 3),
    "CLF": 4,
    "UYW": 4,
}
"""Currencies that do not have two decimals: ISO 4217 list one, column "minor unit" (kept by SIX)."""

_TEXT_LENGTH_MAX: Final = 40
_CONTEXT: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)


def digits_of(currency: str) -> int:
    """How many decimals a currency has: EUR 2, JPY 0, KWD 3."""
    return DIGITS_BY_CURRENCY.get(currency, 2)


def currency_code(raw: object) -> str | None:
    """Three ASCII letters in upper case, or None."""
    if not isinstance(raw, str):
        return None
    code = raw.strip().upper()
    return code if len(code) == 3 and code.isascii() and code.isalpha() else None


def minor_units(amount: object, currency: str) -> int | None:
    """A JSON number or decimal text -> minor units, rounded half to even; None when it is no finite amount.

    A float is taken as it is written (89.9 is 89.90, not 89.9000000000000057). In text one comma before one or two
    last digits is a decimal comma; anything more doubtful, such as `1,299`, is refused rather than guessed.
    """
    exact = _decimal(amount)
    if exact is None:
        return None
    try:
        minor = int(exact.scaleb(digits_of(currency), _CONTEXT).to_integral_value(context=_CONTEXT))
    except (DecimalException, ValueError, OverflowError):
        return None
    return minor if -INTEGER_MAX <= minor <= INTEGER_MAX else None


def amount_of(minor: int, currency: str) -> Decimal:
    """Minor units -> the exact amount, for showing it."""
    return Decimal(minor).scaleb(-digits_of(currency))


def whole_number(raw: object) -> int | None:
    """A JSON number or text that is a whole number (2, 2.0, "2") within 2^53 - 1; else None."""
    if type(raw) is int:
        return raw if -INTEGER_MAX <= raw <= INTEGER_MAX else None
    if raw is None:
        return None
    exact = _decimal(raw)
    if exact is None or abs(exact) > INTEGER_MAX or exact != exact.to_integral_value():
        return None
    return int(exact)


def _decimal(amount: object) -> Decimal | None:
    if isinstance(amount, bool) or not isinstance(amount, int | float | str | Decimal):
        return None
    if isinstance(amount, int) and abs(amount) > INTEGER_MAX:
        return None
    text = _with_decimal_point(amount) if isinstance(amount, str) else str(amount)
    try:
        exact = _CONTEXT.create_decimal(text) if len(text) <= _TEXT_LENGTH_MAX else None
    except DecimalException:
        return None
    return exact if exact is not None and exact.is_finite() and abs(exact.adjusted()) <= _TEXT_LENGTH_MAX else None


def _with_decimal_point(text: str) -> str:
    bare = text[: _TEXT_LENGTH_MAX + 1].strip()
    whole, comma, fraction = bare.partition(",")
    if not comma:
        return bare.replace("_", "?")
    return f"{whole}.{fraction}" if fraction.isdigit() and len(fraction) <= 2 and "." not in whole else "?"

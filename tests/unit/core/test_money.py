"""Money from the world outside: exact minor units, or nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.numbers import get_currency_precision

from shared.money import amount_of, currency_code, digits_of, minor_units, whole_number


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        (89.9, "EUR", 8990),
        (0.1 + 0.2, "EUR", 30),
        ("89.90", "EUR", 8990),
        (" 89,9 ", "EUR", 8990),
        (1200, "JPY", 1200),
        ("1.234", "KWD", 1234),
        ("0.125", "EUR", 12),
        ("0.135", "EUR", 14),
        (-5, "EUR", -500),
        (2**53, "JPY", None),
        ("90071992547409.92", "EUR", None),
        ("1,299", "EUR", None),
        ("1,299.00", "EUR", None),
        ("EUR 5", "EUR", None),
        ("1_000", "EUR", None),
        ("", "EUR", None),
        (None, "EUR", None),
        (True, "EUR", None),
        (float("nan"), "EUR", None),
        (float("inf"), "EUR", None),
        ("1e999999999", "EUR", None),
        ("9" * 100, "EUR", None),
        ([5], "EUR", None),
    ],
)
def test_an_amount_becomes_exact_minor_units_or_nothing(amount, currency, minor):
    """As written, rounded half to even; what is doubtful is refused, for a wrong price is worse than none."""
    assert minor_units(amount, currency) == minor


@pytest.mark.parametrize(
    "currency", ["EUR", "CHF", "USD", "GBP", "SEK", "PLN", "JPY", "KRW", "CLP", "BHD", "KWD", "TND"]
)
def test_the_table_agrees_with_the_library_that_shows_money(currency):
    """Read and shown with the same decimals, for the currencies shops use."""
    assert digits_of(currency) == get_currency_precision(currency)


def test_minor_units_are_shown_exactly():
    """There and back."""
    assert amount_of(8990, "EUR") == Decimal("89.90")
    assert minor_units(str(amount_of(1234, "KWD")), "KWD") == 1234


@pytest.mark.parametrize(("raw", "code"), [(" eur ", "EUR"), ("EU", None), ("EURO", None), ("€€€", None), (7, None)])
def test_a_currency_is_three_letters(raw, code):
    """Anything else is no currency."""
    assert currency_code(raw) == code


@pytest.mark.parametrize(
    ("raw", "whole"),
    [(2, 2), (2.0, 2), ("2", 2), (2.5, None), ("2.5", None), (True, None), (None, None), (2**53, None)],
)
def test_a_quantity_is_whole_or_nothing(raw, whole):
    """Half a jumper is a mistake of the sender."""
    assert whole_number(raw) == whole

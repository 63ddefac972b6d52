"""Which offer a code belongs to: the codes a chain has registered, exact, by prefix, or one-time by pattern.

Used by `scan_code.py` (an associate is aware of every code marketing e-mailed) and by `segment_messages.py` (a coupon
in an order names the same offer). Whether a shopper may use the offer is not decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.code_patterns import CODE_LENGTH_MAX, CodePattern, Fit, fit_of

_JOINTS: Final = str.maketrans("", "", "-_")


@dataclass(frozen=True, slots=True)
class OfferCodes:
    """The registry of offer codes: make it with `register_codes`, which folds the codes."""

    exact: Mapping[str, str] = field(default_factory=dict)
    patterns: tuple[tuple[CodePattern, str], ...] = ()
    prefixes: tuple[tuple[str, str], ...] = ()


def register_codes(
    exact: Mapping[str, str],
    *,
    patterns: Iterable[tuple[CodePattern, str]] = (),
    prefixes: Mapping[str, str] | None = None,
) -> OfferCodes:
    """Build the registry from code -> offer id, (pattern, offer id) and prefix -> offer id."""
    longest_first = sorted((prefixes or {}).items(), key=lambda pair: (-len(pair[0]), pair[0]))
    return OfferCodes(
        exact={fold_code(code): offer_id for code, offer_id in exact.items()},
        patterns=tuple(patterns),
        prefixes=tuple((fold_code(prefix), offer_id) for prefix, offer_id in longest_first if fold_code(prefix)),
    )


def fold_code(text: str) -> str:
    """The form in which codes are compared: trimmed, upper case."""
    return text.strip().upper()


def offer_for_code(text: str, codes: OfferCodes) -> str | None:
    """The offer id behind a code as scanned or typed; None when no offer of the chain has it.

    A registered code wins over a one-time pattern, a pattern over a prefix, a longer prefix over a shorter one.
    """
    code = fold_code(text)
    if code in codes.exact:
        return codes.exact[code]
    if not 0 < len(code) <= CODE_LENGTH_MAX:
        return None
    for pattern, offer_id in codes.patterns:
        if fit_of(code, pattern) is Fit.FITS:
            return offer_id
    return next((offer_id for prefix, offer_id in codes.prefixes if _has_prefix(code, prefix)), None)


def _has_prefix(code: str, prefix: str) -> bool:
    rest = code[len(prefix) :].translate(_JOINTS)
    return code.startswith(prefix) and rest.isascii() and rest.isalnum()

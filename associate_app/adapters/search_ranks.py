"""How well a shopper's name answers what was typed: the same, begins so, holds it, one slip away, merely alike.

Pure, between `sqlite_search.py`, which finds the rows, and the list people see. Folds names by `fold_name` and compares
umlauts alike however either side writes them.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

from shared.identity import fold_name
from shared.slips import plain_word, slips_between, words_of

UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "å": "aa"})
HIT: Final = "profile_id, name, loyalty_id, tier, hint, given, family"
Row = tuple[Any, ...]
"""The columns of `HIT`."""
_INNER: Final = 0.5
"""The second part of a double name comes behind the first."""
_SLIPPED_MIN: Final = 3
"""A name shorter than this is one slip from everything."""
_BEGINNING_MIN: Final = 4
"""The beginning of a name with a slip in it says nothing when it is shorter."""


class Rank(IntEnum):
    """How well a row answers, the best first."""

    SAME = 0
    BEGINS = 1
    HOLDS = 2
    SLIP = 3
    SLIP_AT_BEGINNING = 4
    ALIKE = 5


class Ranked(NamedTuple):
    """A rank and, within it, how far off: the lower the better."""

    rank: Rank
    off: float = 0.0


@dataclass(frozen=True, slots=True)
class Token:
    """A typed word as names are folded, and folded with its umlauts spelled out first: `muller`, `mueller`."""

    text: str
    spelled: str

    @property
    def spellings(self) -> list[str]:
        """Each different spelling once."""
        return list(dict.fromkeys((self.text, self.spelled)))

    @property
    def plain(self) -> str:
        """To compare with a name whose umlauts may be spelled out too."""
        return plain_word(self.spelled)


def tokens_of(typed: str) -> list[Token]:
    """The words somebody typed."""
    whole = unicodedata.normalize("NFC", typed)
    pairs = zip(fold_name(whole).split(), fold_name(whole.translate(UMLAUTS)).split(), strict=False)
    return [Token(text, spelled) for text, spelled in pairs]


def rank_of(row: Row, tokens: list[Token]) -> Ranked | None:
    """How well a name answers all words; None where one of them is neither in it nor a slip away."""
    given, family = row[5], row[6]
    words = [*words_of(given), *words_of(family)]
    ranks = [_rank_of_word(token, words, (given, family)) for token in tokens]
    told = [rank for rank in ranks if rank is not None]
    if len(told) < len(ranks) or not told:
        return None
    return Ranked(max(rank for rank, _ in told), sum(off for _, off in told))


def _rank_of_word(token: Token, words: list[str], fields: tuple[str, ...]) -> Ranked | None:
    spellings, plain = token.spellings, token.plain
    plain_words = [plain_word(word) for word in words]
    if any(plain == plain_word(field) for field in fields):
        return Ranked(Rank.SAME)
    if any(field.startswith(spelling) for field in fields for spelling in spellings):
        return Ranked(Rank.BEGINS)
    if any(word.startswith(spelling) for word in words for spelling in spellings) or plain in plain_words:
        return Ranked(Rank.BEGINS, _INNER)
    pairs = [(token.text, word) for word in words] + [(plain, word) for word in plain_words]
    pairs = [(typed, word) for typed, word in pairs if len(word) >= _SLIPPED_MIN]
    if any(slips_between(typed, word) <= 1 for typed, word in pairs):
        return Ranked(Rank.SLIP, 1)
    if len(token.text) >= _BEGINNING_MIN and any(_slips_at_beginning(typed, word) for typed, word in pairs):
        return Ranked(Rank.SLIP_AT_BEGINNING, 1)
    return None


def _slips_at_beginning(typed: str, word: str) -> bool:
    """Say whether a word begins with something one slip away from what was typed."""
    return any(slips_between(typed, word[: len(typed) + more]) <= 1 for more in (-1, 0, 1))


def begins(row: Row, token: Token) -> bool:
    """Say whether a word begins a word of the name."""
    words = (*words_of(row[5]), *words_of(row[6]))
    return any(word.startswith(spelling) for word in words for spelling in token.spellings)


def by_name(row: Row) -> tuple[str, str, str]:
    """The order of rows that answer equally well."""
    return row[6], row[5], row[0]


def grams(word: str) -> set[str]:
    """The trigrams of a word."""
    return {word[start : start + 3] for start in range(len(word) - 2)}


def likeness(row: Row, tokens: list[str]) -> float:
    """How alike words are to those of the name: the mean of each one's best Dice coefficient of trigrams."""
    words = [grams(f" {word} ") for word in f"{row[5]} {row[6]}".split()]
    best = [max((_dice(grams(f" {token} "), known) for known in words), default=0.0) for token in tokens]
    return sum(best) / len(best)


def _dice(left: set[str], right: set[str]) -> float:
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0

"""Slips of the finger in a name: which words lie one slip from what was typed, and whether two words do.

A slip is one letter missing, one too many (a doubled one too), one wrong, or two neighbours swapped. Pure; names come
folded by `fold_name`. Nothing here knows where names are kept, or how a list of them is ordered.
"""

from __future__ import annotations

import re
from typing import Final

_SIGNS: Final = "abcdefghijklmnopqrstuvwxyz-' "
"""What may have been left out or mistyped: the letters that folded Latin names are made of, and what joins them."""
_SLIPS_MORE: Final = 2
_JOINT: Final = re.compile(r"[^\w]+")


def one_slip(word: str) -> set[str]:
    """Every word one slip away, and the word itself: some 55 for each letter."""
    signs = _SIGNS + "".join({sign for sign in word if not sign.isascii()})
    cuts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    near = {word, *(left + right[1:] for left, right in cuts if right)}
    near |= {left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1}
    near |= {left + sign + right[1:] for left, right in cuts if right for sign in signs}
    return near | {left + sign + right for left, right in cuts for sign in signs}


def slips_between(typed: str, word: str) -> int:
    """0 for the same word, 1 for one slip, 2 for anything more."""
    if typed == word:
        return 0
    at = 0
    for left, right in zip(typed, word, strict=False):
        if left != right:
            break
        at += 1
    rest, other = typed[at:], word[at:]
    is_swapped = len(rest) > 1 and rest[1::-1] == other[:2] and rest[2:] == other[2:]
    is_near = is_swapped or rest[1:] == other[1:] or rest[1:] == other or rest == other[1:]
    return 1 if is_near else _SLIPS_MORE


def plain_word(word: str) -> str:
    """A folded word with spelled-out umlauts as folding leaves written ones, and one s for ß: `mueller` -> `muller`.

    Only to compare two words that both went through it: it takes an e from `michael` too.
    """
    return word.replace("ae", "a").replace("oe", "o").replace("ue", "u").replace("ss", "s")


def words_of(field: str) -> list[str]:
    """The words of a folded given or family name, as people may say one or all: whole, its parts, without a joint."""
    parts = [part for part in _JOINT.split(field) if part]
    return list(dict.fromkeys((field, *parts, "".join(parts)))) if parts else []

"""What is wrong with a hand scanner, told from how it types one known code. Pure; the Settings screen asks it.

A hand scanner is a keyboard that presses keys, not letters: set to another country's layout than the tablet, it types
other letters. For each pair of layouts the code would arrive in its own way, so what arrived names the pair.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import permutations
from typing import Final

TEST_CODE: Final = "TEST.yzYZ-_/:?0123456789"
"""Letters, digits and marks that lie elsewhere on each layout; none needs a third level."""
_Y_AND_Z: Final = str.maketrans("yzYZ", "zyZY")
_PART_MIN: Final = 3

# The keys row by row, as each layout reads them: plain, then with Shift.
_LAYOUTS: Final = {
    "us": ("`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./", '~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:"ZXCVBNM<>?'),
    "de": ("^1234567890ß´qwertzuiopü+#asdfghjklöäyxcvbnm,.-", "°!\"§$%&/()=?`QWERTZUIOPÜ*'ASDFGHJKLÖÄYXCVBNM;:_"),
    "ch": ("§1234567890'^qwertzuiopü¨$asdfghjklöäyxcvbnm,.-", '°+"*ç%&/()=?`QWERTZUIOPè!£ASDFGHJKLéàYXCVBNM;:_'),
    "fr": ("²&é\"'(-è_çà)=azertyuiop^$*qsdfghjklmùwxcvbn,;:!", "~1234567890°+AZERTYUIOP¨£µQSDFGHJKLM%WXCVBN?./§"),
}


@dataclass(frozen=True, slots=True)
class ScannerVerdict:
    """What came of a test scan: the name of its sentence, and what the sentence names."""

    told: str
    named: dict[str, str] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether nothing has to be done."""
        return self.told == "good"


def judge_scan(typed: str, *, has_enter: bool) -> ScannerVerdict:
    """What a scan of `TEST_CODE` says of the scanner that typed it."""
    if typed == TEST_CODE:
        return ScannerVerdict("good" if has_enter else "no_enter")
    if typed.swapcase() == TEST_CODE or typed in (TEST_CODE.upper(), TEST_CODE.lower()):
        return ScannerVerdict("caps")
    for scanner, tablet in permutations(_LAYOUTS, 2):
        if typed.casefold() == as_read(TEST_CODE, scanner, tablet).casefold():
            return ScannerVerdict("layout", {"scanner": scanner, "tablet": tablet})
    plain, wanted = _letters(typed), _letters(TEST_CODE)
    if plain == wanted:
        return ScannerVerdict("good" if has_enter else "no_enter")
    if plain.casefold() == wanted.translate(_Y_AND_Z).casefold():
        return ScannerVerdict("swapped")
    before, found, after = typed.partition(TEST_CODE)
    if found:
        return ScannerVerdict("added", {"added": " … ".join(part for part in (before, after) if part)})
    if len(typed) >= _PART_MIN and typed in TEST_CODE:
        return ScannerVerdict("part", {"typed": typed})
    return ScannerVerdict("strange", {"typed": typed})


def _letters(text: str) -> str:
    """Letters and digits alone. A browser may report a mark by its key and not by what it says on it, and no card, no
    number and no product code needs one."""
    return "".join(letter for letter in text if letter.isascii() and letter.isalnum())


def as_read(text: str, scanner: str, tablet: str) -> str:
    """A text as a tablet of one layout reads what a scanner of another one types."""
    plain, shifted = _LAYOUTS[scanner]
    keys = {letter: (level, row.index(letter)) for level, row in enumerate((plain, shifted)) for letter in row}
    return "".join(_LAYOUTS[tablet][level][at] for level, at in map(keys.__getitem__, text))

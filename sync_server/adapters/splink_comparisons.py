"""What the matcher compares and where it looks, as plain values: levels of likeness per field, and blocking rules.

`adapters/splink_model.py` hands them to Splink. The probabilities here are round numbers of judgement, fitted to no
labels: a chain with enough likely pairs learns its own in their place, a small one goes by these.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

AGREE: Final = "agree"
CLOSE: Final = "close"
DIFFER: Final = "differ"


@dataclass(frozen=True, slots=True)
class Level:
    """One level of likeness: its SQL, the word for it, and how often the same person (`m`) and two strangers (`u`)
    are so alike. `weighs_rarity`: a rare value in common says more than a frequent one."""

    sql: str
    word: str
    m: float
    u: float
    weighs_rarity: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field and its levels, the most alike first; the last takes what is left."""

    field: str
    levels: tuple[Level, ...]

    def word(self, gamma: int) -> str | None:
        """The word for Splink's number of a level: the last level is 0, an unknown value -1."""
        return None if gamma < 0 else self.levels[len(self.levels) - 1 - gamma].word

    def to_settings(self) -> dict[str, Any]:
        """As Splink takes it."""
        unknown = {
            "sql_condition": f'"{self.field}_l" IS NULL OR "{self.field}_r" IS NULL',
            "label_for_charts": "unknown",
            "is_null_level": True,
        }
        return {
            "output_column_name": self.field,
            "comparison_levels": [unknown, *(self._level_settings(level) for level in self.levels)],
        }

    def _level_settings(self, level: Level) -> dict[str, Any]:
        rarity = {"tf_adjustment_column": self.field, "tf_adjustment_weight": 1.0} if level.weighs_rarity else {}
        return {
            "sql_condition": level.sql,
            "label_for_charts": level.word,
            "m_probability": level.m,
            "u_probability": level.u,
            **rarity,
        }


def comparisons_of(known: Collection[str]) -> list[Comparison]:
    """The comparisons for records of which these fields are known at all."""
    return [Comparison(field, make(field, known)) for field, make in _LEVELS.items() if field in known]


# levels ---------------------------------------------------------------------------------------------------------------


def _same(field: str) -> str:
    return f'"{field}_l" = "{field}_r"'


def _slips(field: str, count: int) -> str:
    return f'damerau_levenshtein("{field}_l", "{field}_r") <= {count}'


def _sounds(field: str, likeness: float) -> str:
    return f'jaro_winkler_similarity("{field}_l", "{field}_r") >= {likeness}'


def _swapped(field: str, other: str) -> str:
    return f'"{field}_l" = "{other}_r" OR "{field}_r" = "{other}_l"'


def _with_rest(*levels: Level) -> tuple[Level, ...]:
    """The levels, and one for everybody who is in none of them."""
    m, u = sum(level.m for level in levels), sum(level.u for level in levels)
    return (*levels, Level("ELSE", DIFFER, round(1 - m, 6), round(1 - u, 6)))


def _name(field: str, known: Collection[str]) -> tuple[Level, ...]:
    other = "family_name" if field == "given_name" else "given_name"
    swapped = [Level(_swapped(field, other), CLOSE, 0.03, 0.0005)] if other in known else []
    return _with_rest(
        Level(_same(field), AGREE, 0.75, 0.003, weighs_rarity=True),
        Level(f"{_sounds(field, 0.92)} OR {_slips(field, 1)}", CLOSE, 0.1, 0.002),
        *swapped,
        Level(f"{_sounds(field, 0.8)} OR {_slips(field, 2)}", CLOSE, 0.02, 0.006),
    )


def _line(field: str, known: Collection[str]) -> tuple[Level, ...]:
    other = {"street": "street_more", "street_more": "street"}.get(field)
    swapped = [Level(_swapped(field, other), CLOSE, 0.03, 0.0001)] if other in known and other else []
    return _with_rest(
        Level(_same(field), AGREE, 0.65, 0.001, weighs_rarity=True),
        Level(f"{_sounds(field, 0.9)} OR {_slips(field, 1)}", CLOSE, 0.2, 0.001),
        *swapped,
        Level(_sounds(field, 0.75), CLOSE, 0.02, 0.01),
    )


def _day(field: str, _: Collection[str]) -> tuple[Level, ...]:
    return _with_rest(
        Level(_same(field), AGREE, 0.9, 0.0002, weighs_rarity=True),
        Level(_slips(field, 1), CLOSE, 0.04, 0.001),
        Level(_slips(field, 2), CLOSE, 0.01, 0.014),
    )


def _postcode(field: str, _: Collection[str]) -> tuple[Level, ...]:
    return _with_rest(
        Level(_same(field), AGREE, 0.75, 0.002, weighs_rarity=True),
        Level(_slips(field, 1), CLOSE, 0.1, 0.013),
        Level(_slips(field, 2), CLOSE, 0.02, 0.1),
    )


def _number(field: str, _: Collection[str]) -> tuple[Level, ...]:
    return _with_rest(
        Level(_same(field), AGREE, 0.8, 0.015, weighs_rarity=True),
        Level(_slips(field, 1), CLOSE, 0.08, 0.2),
    )


def _region(field: str, _: Collection[str]) -> tuple[Level, ...]:
    return _with_rest(
        Level(_same(field), AGREE, 0.94, 0.3, weighs_rarity=True),
        Level(_slips(field, 1), CLOSE, 0.03, 0.03),
    )


def _phone(field: str, _: Collection[str]) -> tuple[Level, ...]:
    return _with_rest(
        Level(_same(field), AGREE, 0.4, 0.0001, weighs_rarity=True),
        Level(_slips(field, 1), CLOSE, 0.05, 0.0001),
    )


def _email(field: str, _: Collection[str]) -> tuple[Level, ...]:
    local = f"split_part(\"{field}_l\", '@', 1) = split_part(\"{field}_r\", '@', 1)"
    return _with_rest(
        Level(_same(field), AGREE, 0.3, 0.0001, weighs_rarity=True),
        Level(f"{local} OR {_slips(field, 2)}", CLOSE, 0.2, 0.0002),
    )


_LEVELS: Final[Mapping[str, Callable[[str, Collection[str]], tuple[Level, ...]]]] = {
    "given_name": _name,
    "family_name": _name,
    "birth_on": _day,
    "street_number": _number,
    "street": _line,
    "street_more": _line,
    "city": _line,
    "postcode": _postcode,
    "region": _region,
    "phone": _phone,
    "email": _email,
}

# where to look --------------------------------------------------------------------------------------------------------

BLOCKS: Final = (
    ("given_name", "family_name"),
    ("birth_on",),
    ("family_name", "birth_on"),
    ("given_name", "birth_on"),
    ("phone",),
    ("email",),
    ("family_name", "postcode"),
    ("given_name", "postcode"),
    ("postcode", "city"),
    ("given_name", "city"),
    ("family_name", "city"),
    ("street", "street_number"),
    ("street", "city"),
    ("street", "postcode"),
    ("street_more", "postcode"),
    ("street_number", "postcode"),
    ("street_number", "city"),
    ("family_name", "street_number"),
    ("given_name", "street"),
)
"""Two records are compared where all fields of one rule are equal; a rule that makes too many pairs is left out."""

TRAININGS: Final = (
    ("birth_on",),
    ("given_name", "family_name"),
    ("postcode", "city"),
    ("family_name", "postcode"),
    ("street",),
)
"""Each learns from the pairs of one rule everything but the rule's own fields, which agree there by construction.
All pairs of all rules at once would teach the model the rules instead of the people."""

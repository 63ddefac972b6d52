"""Finding shoppers by what an associate types: parts of names, phone digits, e-mail, numbers; small slips are forgiven.

Three readings, the first that finds somebody wins: words and parts of words (FTS5 with trigrams), beginnings of names
too short for trigrams, then names that share most trigrams with what was typed. The rows are made from profiles.
"""

# ruff: noqa: S608 (statements are put together from this module's own constants; values always travel as parameters)

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from associate_app.adapters.sqlite_connection import Connection
from associate_app.ports import SearchHit
from shared.errors import Weather
from shared.identity import Identifier, IdentifierType, fold_name, mask, phone_key

_TEXT_MAX: Final = 80
_CANDIDATES: Final = 200
_ROWS_OF_RARE_TRIGRAMS: Final = 10_000
"""Ranking a row costs some 5 microseconds, so this bounds a misspelt name to 50 ms however large the store."""
_LIKENESS_MIN: Final = 0.4
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "å": "aa"})
_HIT: Final = "profile_id, name, loyalty_id, tier, hint, given, family"
_LIVE: Final = "+shopper.slice IN (SELECT slice FROM replica)"
"""The plus keeps SQLite from walking a whole slice instead of the index of names."""


@dataclass(frozen=True, slots=True)
class ShopperRow:
    """What one profile is found by."""

    profile_id: str
    name: str
    given: str
    family: str
    words: str
    loyalty_id: str | None
    tier: str | None
    hint: str
    identifiers: tuple[tuple[str, str], ...]


class _Findable(BaseModel):
    """The parts of a profile that it is found by; of any type, because the row is made leniently."""

    given_name: Any = None
    family_name: Any = None
    identifiers: Any = None
    redirects: Any = None
    tier: Any = None
    postcode: Any = None


def read_findable(body: bytes) -> dict[str, Any]:
    """What a profile is found by, out of its JSON, without reading the rest into Python.

    Raises Weather for what is no JSON object.
    """
    try:
        return vars(_Findable.model_validate_json(body))
    except ValidationError:
        raise Weather("a document of the snapshot cannot be read") from None


def shopper_row(document_id: str, doc: dict[str, Any]) -> ShopperRow:
    """Profile document -> its search row and identifiers; parts that are not there stay empty."""
    profile_id = document_id.partition("/")[2]
    given, family = str(doc.get("given_name") or ""), str(doc.get("family_name") or "")
    name = " ".join(part for part in (given, family) if part)
    pairs = [(str(known.get("type")), str(known.get("value"))) for known in doc.get("identifiers") or ()]
    redirects = [("profile_id", str(old)) for old in (profile_id, *(doc.get("redirects") or ()))]
    return ShopperRow(
        profile_id=profile_id,
        name=name,
        given=fold_name(given),
        family=fold_name(family),
        words=" ".join(_words(name, pairs)),
        loyalty_id=next((value for type_, value in pairs if type_ == "loyalty_id"), None),
        tier=doc.get("tier"),
        hint=_hint(doc, pairs),
        identifiers=tuple(dict.fromkeys((*pairs, *redirects))),
    )


def _words(name: str, pairs: list[tuple[str, str]]) -> Iterable[str]:
    spoken = [fold_name(name), fold_name(name.translate(_UMLAUTS))]
    numbers = [phone_key(value) if type_ == "phone" else fold_name(value) for type_, value in pairs]
    return dict.fromkeys(part for part in (*spoken, *numbers) if part)


def _hint(doc: dict[str, Any], pairs: list[tuple[str, str]]) -> str:
    """What tells namesakes apart without showing a whole address."""
    contacts = [_masked(type_, value) for type_, value in pairs if type_ in ("email", "phone")]
    parts = [doc.get("postcode"), *contacts[:1]]
    return " · ".join(str(part) for part in parts if part)


def _masked(type_: str, value: str) -> str:
    return mask(Identifier(IdentifierType(type_), value))


class ShopperSearch:
    """The search face of the tablet database."""

    _connection: Connection

    def search(self, text: str, *, limit: int = 20) -> tuple[SearchHit, ...]:
        """Shoppers for a text, the likeliest first."""
        typed = text[:_TEXT_MAX].strip()
        digits = phone_key(typed)
        if len(digits) >= 3 and not any(sign.isalpha() for sign in typed):
            return _hits(self._by_number("".join(sign for sign in typed if sign.isdigit()), digits, limit))
        tokens = fold_name(typed).split()
        rows = self._by_words(tokens) or self._by_likeness(tokens)
        return _hits(rows[:limit])

    def count_shoppers(self) -> int:
        """How many profiles are here."""
        counts = (
            self._connection.row("SELECT count(*) FROM shopper WHERE slice = ?", held) for held in self._live_slices()
        )
        return sum(int(found[0]) for found in counts if found)

    def shoppers_after(self, profile_id: str, limit: int) -> tuple[str, ...]:
        """The next profiles in order of id: one step of the index in each live slice, whatever their number."""
        page = "SELECT profile_id FROM shopper WHERE slice = ? AND profile_id > ? ORDER BY profile_id LIMIT ?"
        rows = [
            row for (held,) in self._live_slices() for row in self._connection.rows(page, (held, profile_id, limit))
        ]
        return tuple(sorted({str(found) for (found,) in rows}))[:limit]

    def _live_slices(self) -> list[tuple[Any, ...]]:
        return list(self._connection.rows("SELECT slice FROM replica"))

    def _by_number(self, digits: str, phone_digits: str, limit: int) -> list[tuple[Any, ...]]:
        """Rows whose loyalty number begins with the digits, then rows that hold them anywhere."""
        begun = self._connection.rows(
            f"SELECT {_HIT} FROM known_identifier JOIN shopper USING (slice, profile_id) "
            f"WHERE type = 'loyalty_id' AND value >= ? AND value < ? AND {_LIVE} LIMIT ?",
            (digits, digits + ":", limit),
        )
        if len(begun) >= limit:
            return begun
        return list(dict.fromkeys((*begun, *self._by_parts([[digits, phone_digits]]))))[:limit]

    def _by_words(self, tokens: list[str]) -> list[tuple[Any, ...]]:
        long = [token for token in tokens if len(token) >= 3]
        short = [token for token in tokens if len(token) < 3]
        begun = self._by_beginning(tokens[0]) if tokens else []
        found = self._by_parts([[token] for token in long]) if long else []
        rows = list(dict.fromkeys((*(row for row in begun if _begins(row, tokens)), *found)))
        rows = [row for row in rows if all(_begins(row, [token]) for token in short)]
        return sorted(rows, key=lambda row: (not _begins(row, tokens), row[6], row[5], row[0]))

    def _by_parts(self, alternatives: list[list[str]]) -> list[tuple[Any, ...]]:
        """Rows that hold one spelling of every part anywhere in their words."""
        match = " AND ".join("(" + " OR ".join(_quoted(part) for part in parts) + ")" for parts in alternatives)
        return self._connection.rows(
            f"SELECT {_HIT} FROM shopper WHERE {_LIVE} AND id IN "
            "(SELECT rowid FROM shopper_fts WHERE shopper_fts MATCH ? LIMIT ?)",
            (match, _CANDIDATES * 2),
        )[:_CANDIDATES]

    def _by_beginning(self, token: str) -> list[tuple[Any, ...]]:
        """Rows whose given or family name begins with a token."""
        rows: list[tuple[Any, ...]] = []
        for column in ("family", "given"):
            rows += self._connection.rows(
                f"SELECT {_HIT} FROM shopper WHERE {column} >= ? AND {column} < ? AND {_LIVE} LIMIT ?",
                (token, token + "\U0010ffff", _CANDIDATES),
            )
        return rows

    def _by_likeness(self, tokens: list[str]) -> list[tuple[Any, ...]]:
        """Rows that share most trigrams with a misspelt name: found by its rarest trigrams, then compared whole."""
        wanted = [token for token in tokens if len(token) >= 4]
        rare = self._rarest({gram for token in wanted for gram in _grams(token)})
        if not rare:
            return []
        rows = self._connection.rows(
            f"SELECT {_HIT} FROM shopper_fts JOIN shopper ON shopper.id = shopper_fts.rowid "
            f"WHERE shopper_fts MATCH ? AND {_LIVE} ORDER BY rank LIMIT ?",
            (" OR ".join(_quoted(gram) for gram in rare), _CANDIDATES),
        )
        scored = [(_likeness(row, wanted), row) for row in rows]
        near = [pair for pair in scored if pair[0] >= _LIKENESS_MIN]
        return [row for _, row in sorted(near, key=lambda pair: (-pair[0], pair[1][6], pair[1][5], pair[1][0]))]

    def _rarest(self, grams: set[str]) -> list[str]:
        """The rarest trigrams that together lead to a bounded number of rows."""
        counted = self._connection.rows(
            "SELECT term, doc FROM shopper_terms WHERE term IN (SELECT value FROM json_each(?)) ORDER BY doc, term",
            (json.dumps(sorted(grams)),),
        )
        chosen: list[str] = []
        rows = 0
        for term, count in counted:
            rows += count
            if len(chosen) > 1 and rows > _ROWS_OF_RARE_TRIGRAMS:
                break
            chosen.append(term)
        return chosen


def _quoted(part: str) -> str:
    return '"' + part.replace('"', '""') + '"'


def _grams(word: str) -> set[str]:
    return {word[start : start + 3] for start in range(len(word) - 2)}


def _begins(row: tuple[Any, ...], tokens: list[str]) -> bool:
    """Say whether each token begins a word of the name."""
    words = f"{row[5]} {row[6]}".split()
    return all(any(word.startswith(token) for word in words) for token in tokens)


def _likeness(row: tuple[Any, ...], tokens: list[str]) -> float:
    """How alike the tokens are to the name's words: the mean of each token's best Dice coefficient of trigrams."""
    words = [_grams(f" {word} ") for word in f"{row[5]} {row[6]}".split()]
    best = [max((_dice(_grams(f" {token} "), grams) for grams in words), default=0.0) for token in tokens]
    return sum(best) / len(best)


def _dice(left: set[str], right: set[str]) -> float:
    return 2 * len(left & right) / (len(left) + len(right)) if left and right else 0.0


def _hits(rows: list[tuple[Any, ...]]) -> tuple[SearchHit, ...]:
    return tuple(SearchHit(profile_id=row[0], name=row[1], loyalty_id=row[2], tier=row[3], hint=row[4]) for row in rows)

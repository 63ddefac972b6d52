"""Finding shoppers by what an associate types: parts of names, phone digits, e-mail, numbers; small slips are forgiven.

Read in this order, until enough are found: names that are or begin with what was typed (the indexes of names), words
that hold it (FTS5 with trigrams), names one slip away (every such spelling is asked of the indexes: so many steps in
any store), then names that share most trigrams. `search_ranks.py` says which of them comes first. The rows are made
from profiles, and only those of live slices are found.
"""

# ruff: noqa: S608 (statements are put together from this module's own constants; values always travel as parameters)

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from associate_app.adapters.search_ranks import (
    HIT,
    UMLAUTS,
    Rank,
    Ranked,
    Row,
    Token,
    begins,
    by_name,
    grams,
    likeness,
    rank_of,
    tokens_of,
)
from associate_app.adapters.sqlite_connection import Connection
from associate_app.ports import SearchHit
from shared.errors import Weather
from shared.identity import Identifier, IdentifierType, fold_name, mask, phone_key
from shared.slips import one_slip

_TEXT_MAX: Final = 80
_CANDIDATES: Final = 200
_ROWS_OF_RARE_TRIGRAMS: Final = 10_000
"""Ranking a row costs some 5 microseconds, so this bounds a misspelt name to 50 ms however large the store."""
_LIKENESS_MIN: Final = 0.4
_NUMBERS_COMPARED: Final = 1_000
_NAMES_NEAR: Final = 400
_SLIPPED: Final = range(2, 31)
_SLIPPED_ALONE_MIN: Final = 4
"""A shorter word, by itself, is the beginning of a name, and one slip from too many others."""
_WORDS_MAX: Final = 4
_LAST: Final = "\U0010ffff"
_NAMES: Final = (("family", "given"), ("given", "family"))
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
    spoken = [fold_name(name), fold_name(name.translate(UMLAUTS))]
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

    def search(self, text: str, *, limit: int = 20, seen: Collection[str] = ()) -> tuple[SearchHit, ...]:
        """Shoppers for a text, the likeliest first; of equally likely ones those of `seen` (profile ids)."""
        typed = text[:_TEXT_MAX].strip()
        digits = phone_key(typed)
        if len(digits) >= 3 and not any(sign.isalpha() for sign in typed):
            found = self._by_number("".join(sign for sign in typed if sign.isdigit()), digits, limit)
        else:
            found = self._by_tokens(tokens_of(typed), limit, seen)
        ordered = sorted(found, key=lambda row: (found[row], row[0] not in seen, by_name(row)))
        return _hits(ordered[:limit])

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

    # numbers and addresses

    def _by_number(self, digits: str, phone_digits: str, limit: int) -> dict[Row, Ranked]:
        """Rows whose loyalty number begins with the digits, then those with a number that ends so, because people say
        the last digits of a phone, then the others that hold them."""
        begun = self._by_identifier("loyalty_id", digits, digits + ":", limit)
        found = dict.fromkeys(begun, Ranked(Rank.SAME))
        if len(begun) >= limit:
            return found
        for *held, words in self._by_parts([[digits, phone_digits]], f"{HIT}, words", most=_NUMBERS_COMPARED):
            ends = [word for word in words.split() if word.endswith((digits, phone_digits))]
            is_phone = any(word != held[2] for word in ends)
            found.setdefault(tuple(held), Ranked(Rank.BEGINS if ends else Rank.HOLDS, not is_phone))
        return found

    def _by_address(self, text: str, limit: int) -> list[Row]:
        """Rows whose e-mail begins so, those first whose mailbox is just that."""
        mailbox = [] if "@" in text else self._by_identifier("email", text + "@", text + "A", limit)
        return mailbox + self._by_identifier("email", text, text + _LAST, limit)

    def _by_identifier(self, type_: str, low: str, high: str, limit: int) -> list[Row]:
        """Rows with an identifier of a type from `low` to before `high`."""
        return self._connection.rows(
            f"SELECT {HIT} FROM known_identifier JOIN shopper USING (slice, profile_id) "
            f"WHERE type = ? AND value >= ? AND value < ? AND {_LIVE} LIMIT ?",
            (type_, low, high, limit),
        )

    # names

    def _by_tokens(self, tokens: list[Token], limit: int, seen: Collection[str]) -> dict[Row, Ranked]:
        """Rows that hold all words as typed; while there is room those a slip away; and if nobody, the most alike."""
        if not tokens:
            return {}
        known = self._of_profiles(seen)
        found = self._as_typed(tokens, limit, known)
        if len(found) >= limit or not _may_be_a_slip(tokens):
            return found
        is_known = any(ranked.rank <= Rank.BEGINS for ranked in found.values())
        near = [*known, *self._by_slip(tokens, limit)]
        if not is_known and (len(tokens) > 1 or not near):
            near += self._by_intact_words(tokens)
        for row in near:
            if row not in found and (ranked := rank_of(row, tokens)):
                found[row] = ranked
        return found or self._by_likeness(tokens)

    def _of_profiles(self, profile_ids: Collection[str]) -> list[Row]:
        """The rows of some profiles, so that none of them falls under the limit of another reading."""
        if not profile_ids:
            return []
        return self._connection.rows(
            f"SELECT {HIT} FROM shopper WHERE slice IN (SELECT slice FROM replica) "
            "AND profile_id IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(profile_ids)),),
        )

    def _as_typed(self, tokens: list[Token], limit: int, known: Iterable[Row]) -> dict[Row, Ranked]:
        ranks = {row: rank_of(row, tokens) for row in (*known, *self._by_beginning(tokens))}
        found = {row: ranked for row, ranked in ranks.items() if ranked and ranked.rank <= Rank.BEGINS}
        long = [token for token in tokens if len(token.text) >= 3]
        short = [token for token in tokens if len(token.text) < 3]
        if len(tokens) == 1 and long:
            for row in self._by_address(long[0].text, limit):
                found.setdefault(row, Ranked(Rank.BEGINS))
        for row in self._by_parts([token.spellings for token in long]) if long else ():
            if row not in found and all(begins(row, token) for token in short):
                ranked = rank_of(row, tokens)
                found[row] = ranked if ranked and ranked.rank <= Rank.BEGINS else Ranked(Rank.HOLDS)
        return found

    def _by_parts(self, alternatives: list[list[str]], columns: str = HIT, *, most: int = _CANDIDATES) -> list[Row]:
        """Rows that hold one spelling of every part anywhere in their words."""
        return self._connection.rows(
            f"SELECT {columns} FROM shopper WHERE {_LIVE} AND id IN "
            "(SELECT rowid FROM shopper_fts WHERE shopper_fts MATCH ? LIMIT ?)",
            (_all_of(alternatives), most * 2),
        )[:most]

    def _by_beginning(self, tokens: list[Token]) -> Iterator[Row]:
        """Rows with a name that begins with the first word; of two words, rows whose names begin with one each."""
        first, *others = tokens
        for column, other in _NAMES:
            for low in first.spellings:
                if len(others) != 1:
                    yield from self._connection.rows(
                        f"SELECT {HIT} FROM shopper WHERE {column} >= ? AND {column} < ? AND {_LIVE} LIMIT ?",
                        (low, low + _LAST, _CANDIDATES),
                    )
                    continue
                for low_other in others[0].spellings:
                    yield from self._connection.rows(
                        f"SELECT {HIT} FROM shopper WHERE {_LIVE} AND id IN "
                        f"(SELECT id FROM shopper WHERE {column} >= ? AND {column} < ? INTERSECT "
                        f"SELECT id FROM shopper WHERE {other} >= ? AND {other} < ?) LIMIT ?",
                        (low, low + _LAST, low_other, low_other + _LAST, _CANDIDATES),
                    )

    # slips

    def _by_slip(self, tokens: list[Token], limit: int) -> Iterator[Row]:
        """Rows whose names are a slip away, however the words are shared between given and family name."""
        for column, _ in _NAMES:
            yield from self._of_names(column, self._near(column, tokens), limit)
        for cut in range(1, len(tokens)):
            for column, other in _NAMES:
                near = self._near(column, tokens[:cut])
                yield from self._of_both(column, near, other, self._near(other, tokens[cut:]) if near else [])

    def _near(self, column: str, tokens: list[Token]) -> list[str]:
        """The names held that are at most one slip from some words, or begin with such a word and go on behind it."""
        spellings = {" ".join(part) for part in _spellings(tokens)}
        asked = {near for word in spellings if len(word) in _SLIPPED for near in one_slip(word)}
        told = json.dumps(sorted(asked))
        whole = self._connection.rows(
            f"SELECT value FROM json_each(?) WHERE EXISTS (SELECT 1 FROM shopper WHERE {column} = value)", (told,)
        )
        longer = self._connection.rows(
            f"SELECT DISTINCT {column} FROM json_each(?) CROSS JOIN shopper "
            f"ON {column} > value || ' ' AND {column} < value || '.' LIMIT ?",
            (told, _NAMES_NEAR),
        )
        return [name for (name,) in (*whole, *longer)]

    def _of_names(self, column: str, names: list[str], limit: int) -> Iterator[Row]:
        """Some rows of each name: of a common one so many that the others are seen beside it."""
        for name in names[:_NAMES_NEAR]:
            yield from self._connection.rows(
                f"SELECT {HIT} FROM shopper WHERE {column} = ? AND {_LIVE} LIMIT ?",
                (name, max(1, limit // len(names))),
            )

    def _of_both(self, column: str, names: list[str], other: str, others: list[str]) -> list[Row]:
        """Rows with one of some names in each column; both indexes meet before a row is read."""
        if not names or not others:
            return []
        return self._connection.rows(
            f"SELECT {HIT} FROM shopper WHERE {_LIVE} AND id IN "
            f"(SELECT id FROM shopper WHERE {column} IN (SELECT value FROM json_each(?)) INTERSECT "
            f"SELECT id FROM shopper WHERE {other} IN (SELECT value FROM json_each(?))) LIMIT ?",
            (json.dumps(names), json.dumps(others), _CANDIDATES),
        )

    # trigrams

    def _by_intact_words(self, tokens: list[Token]) -> Iterator[Row]:
        """Rows that hold all words but one, and a part of that: a slip in the second half of a double name."""
        for slipped in tokens:
            rare = self._rarest(grams(slipped.text))
            if rare:
                intact = [token.spellings for token in tokens if token is not slipped and len(token.text) >= 3]
                yield from self._most_alike(_all_of([*intact, rare]))

    def _by_likeness(self, tokens: list[Token]) -> dict[Row, Ranked]:
        """Rows that share most trigrams with a misspelt name: found by its rarest trigrams, then compared whole."""
        wanted = [token.text for token in tokens if len(token.text) >= 4]
        rare = self._rarest({gram for word in wanted for gram in grams(word)})
        scored = {row: likeness(row, wanted) for row in (self._most_alike(_all_of([rare])) if rare else ())}
        return {row: Ranked(Rank.ALIKE, -score) for row, score in scored.items() if score >= _LIKENESS_MIN}

    def _most_alike(self, match: str) -> list[Row]:
        return self._connection.rows(
            f"SELECT {HIT} FROM shopper_fts JOIN shopper ON shopper.id = shopper_fts.rowid "
            f"WHERE shopper_fts MATCH ? AND {_LIVE} ORDER BY rank LIMIT ?",
            (match, _CANDIDATES),
        )

    def _rarest(self, asked: set[str]) -> list[str]:
        """The rarest trigrams that together lead to a bounded number of rows."""
        counted = self._connection.rows(
            "SELECT term, doc FROM shopper_terms WHERE term IN (SELECT value FROM json_each(?)) ORDER BY doc, term",
            (json.dumps(sorted(asked)),),
        )
        chosen: list[str] = []
        rows = 0
        for term, count in counted:
            rows += count
            if len(chosen) > 1 and rows > _ROWS_OF_RARE_TRIGRAMS:
                break
            chosen.append(term)
        return chosen


def _may_be_a_slip(tokens: list[Token]) -> bool:
    """Say whether slips are looked for: in a name long enough, not in an e-mail or a number."""
    typed = "".join(token.text for token in tokens)
    is_name = not any(sign.isdigit() or sign == "@" for sign in typed)
    return is_name and len(typed) >= _SLIPPED_ALONE_MIN and len(tokens) <= _WORDS_MAX


def _all_of(alternatives: list[list[str]]) -> str:
    """The text to match: one of each list."""
    return " AND ".join("(" + " OR ".join(_quoted(part) for part in parts) + ")" for parts in alternatives)


def _quoted(part: str) -> str:
    return '"' + part.replace('"', '""') + '"'


def _spellings(tokens: list[Token]) -> list[list[str]]:
    """The words as typed, with umlauts spelled out, and with none of either."""
    return [[token.text for token in tokens], [token.spelled for token in tokens], [token.plain for token in tokens]]


def _hits(rows: list[Row]) -> tuple[SearchHit, ...]:
    return tuple(SearchHit(profile_id=row[0], name=row[1], loyalty_id=row[2], tier=row[3], hint=row[4]) for row in rows)

"""A row of changes: of what other systems are told about each profile, which changed when, for a cursor to walk along.

What is told is never kept, only a hash of it and of what it is made of: it is made anew when it is read, so nothing
withdrawn meanwhile goes out. A `Lens` says what is told; traits are one, suppressions another. Changed profiles are
found by their marks, which every writer of a profile leaves, or by a walk over all of them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol

from shared.errors import Refused
from shared.wire.canonical import canonical
from shared.wire.ops import ERASED
from sync_server.ports import CentralReader, CentralWriter, StoredProfile, TraitRow
from sync_server.services.conflicts import tried_again
from sync_server.services.headquarters import Headquarters
from sync_server.services.sessions import EPOCH_NOTE

PAGE: Final = 200


class Maker(Protocol):
    """What a lens tells, as of one moment. `setting` is what it is made of besides the profiles."""

    setting: str

    def make(self, page: Sequence[StoredProfile]) -> Mapping[str, dict[str, Any]]:
        """What is told of these profiles; one of whom nothing is told is left out."""

    def gone(self, row: TraitRow, now_profile_id: str | None) -> dict[str, Any]:
        """What is told of a profile of whom something was told and now nothing is, or that is gone."""


@dataclass(frozen=True, slots=True)
class Lens:
    """What is told under a name, which is also the note of the last place given out; `table` holds its row."""

    name: str
    table: str
    open: Callable[[CentralReader, str], Maker]


@dataclass(frozen=True, slots=True)
class Changes:
    """Some changes, and the place behind the last of them."""

    rows: tuple[dict[str, Any], ...]
    n: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A profile whose source is not the one that is noted; both hashes are empty for one that is gone."""

    profile_id: str
    source_sha: str
    sha: str


# finding --------------------------------------------------------------------------------------------------------------


def note_changes(hq: Headquarters, lens: Lens) -> int:
    """Find what changed by a walk over all profiles, and give each change its place in the row; how many."""
    changed = 0
    with hq.database.read() as reader:
        maker = lens.open(reader, hq.now_at())
        stored = reader.every_profile()
        while page := list(islice(stored, PAGE)):
            changed += _note(hq, lens, maker.setting, _changed(reader, lens, maker, page))
        gone = reader.traits_without_profile(lens.table)
    for start in range(0, len(gone), PAGE):
        changed += _note(hq, lens, "", [_Found(one, "", "") for one in gone[start : start + PAGE]])
    return changed


def note_some(hq: Headquarters, lens: Lens, profile_ids: Sequence[str]) -> int:
    """The same of these profiles alone."""
    with hq.database.read() as reader:
        maker = lens.open(reader, hq.now_at())
        stored = reader.profiles(profile_ids)
        found = _changed(reader, lens, maker, list(stored.values()))
        noted = reader.known_traits([one for one in profile_ids if one not in stored], lens.table)
    found += [_Found(row.profile_id, "", "") for row in noted.values() if row.sha not in ("", ERASED)]
    return _note(hq, lens, maker.setting, found)


def _changed(reader: CentralReader, lens: Lens, maker: Maker, page: Sequence[StoredProfile]) -> list[_Found]:
    known = reader.known_traits([stored.profile_id for stored in page], lens.table)
    sources = {stored.profile_id: _source_sha(maker.setting, stored) for stored in page}
    moved = [one for one in page if (row := known.get(one.profile_id)) is None or row.source_sha != sources[row[0]]]
    made = maker.make(moved) if moved else {}
    return [_Found(one.profile_id, sources[one.profile_id], _sha_of(made.get(one.profile_id))) for one in moved]


def _source_sha(setting: str, stored: StoredProfile) -> str:
    return hashlib.sha256(f"{setting}{stored.value_band}\n{stored.state}".encode()).hexdigest()


def _sha_of(told: Mapping[str, Any] | None) -> str:
    return "" if told is None else hashlib.sha256(canonical(dict(told))).hexdigest()


@tried_again
def _note(hq: Headquarters, lens: Lens, setting: str, found: Sequence[_Found]) -> int:
    """Profiles that changed again since they were looked at are left for the next look, which their marks bring."""
    if not found:
        return 0
    with hq.database.write() as tx:
        place = _lock_place(tx, lens)
        ids = [one.profile_id for one in found]
        known, stored = tx.known_traits(ids, lens.table), tx.profiles(ids)
        now = {profile_id: _source_sha(setting, one) for profile_id, one in stored.items()}
        rows, moved = [], 0
        for one in found:
            held = known.get(one.profile_id) or TraitRow(one.profile_id, 0, "", "")
            if now.get(one.profile_id, "") != one.source_sha or held.sha == ERASED:
                continue
            is_moved = held.sha != one.sha
            moved += is_moved
            n = place + moved if is_moved else held.n
            rows.append(TraitRow(one.profile_id, n, one.source_sha, one.sha)._asdict())
        tx.put_rows(lens.table, rows)
        tx.write_note(lens.name, str(place + moved))
    return moved


def _lock_place(tx: CentralWriter, lens: Lens) -> int:
    """The last place given out, locked until COMMIT, so that places become visible in order."""
    tx.add_row("note", {"name": lens.name, "value": "0"})
    tx.change_rows("note", {"name": lens.name}, name=lens.name)
    return last_place(tx, lens)


def last_place(reader: CentralReader, lens: Lens) -> int:
    """The last place given out."""
    return int(reader.note(lens.name) or 0)


def note_erased(tx: CentralWriter, lens: Lens, profile_ids: Sequence[str], keys: str, at: str) -> None:
    """Give erased profiles their places, in the transaction that erases them: with what a receiver knows them by."""
    place = _lock_place(tx, lens)
    for number, profile_id in enumerate(sorted(profile_ids), start=1):
        row = TraitRow(profile_id, place + number, "", ERASED)._asdict()
        tx.put_row(lens.table, {**row, "keys": keys, "erased_at": at})
    tx.write_note(lens.name, str(place + len(profile_ids)))


# reading --------------------------------------------------------------------------------------------------------------


def read_changes(reader: CentralReader, lens: Lens, now_at: str, after_n: int, limit: int) -> Changes:
    """The next changes behind a place, as they stand now; a profile that is gone says where it went."""
    noted = reader.traits_after(after_n, limit, lens.table)
    if not noted:
        return Changes((), after_n)
    maker = lens.open(reader, now_at)
    stored = reader.profiles([row.profile_id for row in noted])
    made = maker.make(list(stored.values()))
    led_to = reader.redirects([row.profile_id for row in noted if row.profile_id not in stored])
    rows = [
        made[row.profile_id] if row.profile_id in made else maker.gone(row, led_to.get(row.profile_id))
        for row in noted
        if row.profile_id in made or row.n > 0
    ]
    return Changes(tuple(rows), noted[-1].n)


def export_changes(hq: Headquarters, lens: Lens, since: str | None) -> tuple[Iterator[dict[str, Any]], str]:
    """What changed since a cursor (all without one), streamed, and the cursor for the next time.

    A cursor of another history (HQ was restored since) starts at the beginning. Raises Refused for what is none.
    """
    with hq.database.read() as reader:
        epoch = reader.note(EPOCH_NOTE) or ""
    after_n = _place_of(since, epoch)
    note_changes(hq, lens)
    with hq.database.write() as tx:
        last_n = last_place(tx, lens)
        hq.note_audit(tx, "command line", f"exported {lens.name}", f"since {after_n}")
    return _stream(hq, lens, after_n, last_n), f"{epoch}.{last_n}"


def _stream(hq: Headquarters, lens: Lens, after_n: int, last_n: int) -> Iterator[dict[str, Any]]:
    """What changes while this runs moves behind `last_n` and comes the next time. Who starts at the beginning need not
    hear of profiles that are gone, unless they must be forgotten."""
    is_whole = after_n == 0
    with hq.database.read() as reader:
        while after_n < last_n:
            changes = read_changes(reader, lens, hq.now_at(), after_n, PAGE)
            yield from (row for row in changes.rows if not (is_whole and row.get("is_gone")))
            if changes.n == after_n:
                return
            after_n = changes.n


def _place_of(cursor: str | None, epoch: str) -> int:
    if cursor is None:
        return 0
    history, _, place = cursor.strip().rpartition(".")
    if not history or not place.isdecimal():
        raise Refused(f"{cursor!r:.60} is no cursor. Give the one the last export told, or none for everything.")
    return int(place) if history == epoch else 0

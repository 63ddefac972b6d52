"""Audience previews: who a play or segment would be for today, before anything is published.

Asked of the rows made of the feeds (`audience_tables.py`), so a redacted shopper counts as redacted. Rests, caps and
holdouts are not of the audience: they pass. Whoever looks sees names, so it is written into the audit log.
"""

from __future__ import annotations

import json
import zoneinfo
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.errors import Refused
from shared.plays.catalogue import PURPOSES
from shared.plays.condition import Condition
from shared.plays.files import in_language, with_dates
from shared.plays.playbook import Play, Playbook, audience_of, parse_play
from shared.plays.refusal import PlaybookRefused
from shared.plays.segments import parse_segment, write_out
from shared.plays.sentences import describe
from shared.plays.settings import SETTING_ID, PlaySettings
from shared.profile import Profile
from shared.wire.messages import SCOPE_ALL, store_scope
from sync_server.audience_ports import AudienceQuestion
from sync_server.ports import CentralReader, Store
from sync_server.services.audience_tables import refresh_audience
from sync_server.services.chain import read_chain
from sync_server.services.headquarters import Headquarters
from sync_server.services.playbook import load_yaml, read_segments, shipped_folder

SAMPLES: Final = 10
OVERLAP_OF: Final = 500
"""Of so many of a larger audience the overlap is asked: its shares are then right to about four percent."""
_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class Draft:
    """What is previewed: a play's file, or a segment's."""

    id: str
    title: str
    condition: Condition
    play: Play | None = None


def read_draft(path: Path, today_on: Any) -> Draft:
    """A play's or segment's file; segments lie in `segments/` beside the file's folder, else in what was shipped.

    Raises PlaybookRefused with every problem, Refused for a file that cannot be read.
    """
    if not path.is_file():
        raise Refused(f"There is no file {path}.")
    mapping = with_dates(load_yaml(path, path.name), today_on)
    beside = path.resolve().parent.parent
    segments = read_segments(beside if (beside / "segments").is_dir() else shipped_folder())
    if isinstance(mapping, dict) and "condition" in mapping and "talking_points" not in mapping:
        segment = parse_segment(mapping, path.name)
        known = {name: condition for name, condition in segments.items() if name != segment.id}
        condition, problems = write_out(segment.condition, frozenset(PURPOSES), known)
        if problems:
            raise PlaybookRefused(path.name, problems)
        return Draft(segment.id, in_language(segment.title, "en"), condition)
    play = parse_play(mapping, path.name, segments)
    return Draft(play.id, in_language(play.title, "en"), audience_of(play), play)


def preview(hq: Headquarters, path: Path, store: str | None = None) -> dict[str, Any]:
    """Count, share, sample shoppers and the overlap with the plays published now. Raises Refused."""
    with hq.database.read() as reader:
        timezone = read_chain(reader).timezone
    draft = read_draft(path, hq.clock.now().astimezone(zoneinfo.ZoneInfo(timezone)).date())
    refresh_audience(hq.database)
    with hq.database.read() as reader:
        told = _Preview(reader, draft, int(hq.clock.now().timestamp()), store).told()
    with hq.database.write() as tx:
        shown = ", ".join(one["profile_id"] for one in told["samples"])
        hq.note_audit(tx, "command line", "previewed an audience", f"{draft.id}: {shown}"[:500])
    return told


def members(hq: Headquarters, draft: Draft, store: str | None = None) -> list[tuple[str, str]]:
    """(profile id, a store whose feed holds it) of everybody a draft means today. Raises Refused."""
    refresh_audience(hq.database)
    with hq.database.read() as reader:
        numbers = _Preview(reader, draft, int(hq.clock.now().timestamp()), store).numbers()
        pages = (numbers[start : start + _PAGE] for start in range(0, len(numbers), _PAGE))
        return [pair for page in pages for pair in reader.audience_profiles(page).values()]


class _Preview:
    """One preview, from one state of the database."""

    def __init__(self, reader: CentralReader, draft: Draft, now_s: int, store: str | None) -> None:
        self._reader = reader
        self._draft = draft
        self._now_s = now_s
        self._stores = _stores_asked(reader, draft.play, store)
        setting = reader.doc(SCOPE_ALL, SETTING_ID)
        self._settings = PlaySettings.from_document(json.loads(setting.body)) if setting else PlaySettings()
        rows = reader.docs_of(SCOPE_ALL, "play/")
        self._playbook = Playbook.from_documents({row.id: json.loads(row.body) for row in rows}, self._settings)

    def told(self) -> dict[str, Any]:
        """All that is told of the draft."""
        found = self.numbers()
        total = self._reader.count_audience([store.code for store in self._stores])
        some = _spread(found, OVERLAP_OF)
        return {
            "id": self._draft.id,
            "title": self._draft.title,
            "asks": describe(self._draft.condition),
            "stores": [store.code for store in self._stores],
            "shoppers": total,
            "count": len(found),
            "share_ppm": _ppm(len(found), total),
            "samples": list(self._samples(_spread(found, SAMPLES))),
            "overlap_of": len(some),
            "overlap": sorted(self._overlaps(some), key=lambda row: (-row["count"], row["play_id"])),
        }

    def numbers(self) -> Sequence[int]:
        """Who is meant, by the number of their rows."""
        return self._ask(self._draft.condition, self._stores)

    def _ask(
        self, condition: Condition, stores: Sequence[Store], among: Collection[int] | None = None
    ) -> Sequence[int]:
        tags = dict(self._playbook.play_tags)
        if self._draft.play is not None:
            tags[self._draft.id] = self._draft.play.tags
        numbers = None if among is None else tuple(among)
        question = AudienceQuestion(condition, tuple(stores), self._now_s, self._settings.stages, tags, numbers)
        return self._reader.audience(question) if stores else []

    def _overlaps(self, some: Sequence[int]) -> Iterator[dict[str, Any]]:
        for play in self._playbook.plays:
            if play.id != self._draft.id and some:
                stores = [store for store in self._stores if play.is_for(store.code, store.region)]
                count = len(self._ask(audience_of(play), stores, some))
                title = in_language(play.title, "en")
                yield {"play_id": play.id, "title": title, "count": count, "share_ppm": _ppm(count, len(some))}

    def _samples(self, numbers: Sequence[int]) -> Iterator[dict[str, Any]]:
        for profile_id, store in self._reader.audience_profiles(numbers).values():
            row = self._reader.doc(store_scope(store), f"profile/{profile_id}")
            if row is not None and not row.deleted:
                profile = Profile.from_document(json.loads(row.body))
                yield {
                    "profile_id": profile_id,
                    "loyalty_id": profile.loyalty_id,
                    "name": _short_name(profile),
                    "store": store,
                }


def _stores_asked(reader: CentralReader, play: Play | None, code: str | None) -> list[Store]:
    stores = list(reader.stores())
    if code is not None:
        stores = [store for store in stores if store.code == code]
        if not stores:
            raise Refused(f"There is no store {code!r}. `sync-server store list` lists them.")
    return [store for store in stores if play is None or play.is_for(store.code, store.region)]


def _short_name(profile: Profile) -> str:
    """First name and initial: enough to recognise a regular, not a list of addresses."""
    initial = f"{profile.family_name[0]}." if profile.family_name else ""
    return " ".join(part for part in (profile.given_name, initial) if part)


def _spread(found: Sequence[int], at_most: int) -> list[int]:
    """So many of them, evenly over all."""
    if len(found) <= at_most:
        return list(found)
    return [found[index * len(found) // at_most] for index in range(at_most)]


def _ppm(part: int, whole: int) -> int:
    return part * 1_000_000 // whole if whole else 0

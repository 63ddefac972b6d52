"""Segments for other systems: who is in one today, and by which keys a receiver knows them.

Only what consent lets out: a hashed address or number with the consent for that channel, and a segment that looks at
what shoppers do online only with the consent to make a profile of it. Names, events and figures never leave here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from shared.errors import Refused
from shared.plays.catalogue import ONLINE
from shared.plays.condition import Condition, Consent, Group, purposes_of, walk
from shared.plays.files import in_language
from shared.plays.segments import parse_segment, parse_segments
from shared.plays.sentences import describe
from shared.profile import Profile
from shared.wire.messages import store_scope
from sync_server.services.audience import Draft, members, read_draft
from sync_server.services.headquarters import Headquarters
from sync_server.services.playbook import chain_today, load_folder, shipped_folder
from sync_server.services.suppression_list import KEY_TYPES, hashed

SEGMENT_COLUMNS: Final = ("segment", "profile_id", "home_store", *(f"{type_}_sha256" for type_ in KEY_TYPES))
_CHANNELS: Final = {"email": ("email",), "phone": ("sms", "phone")}
_PROFILING: Final = "profiling"


def list_segments(folder: Traversable | None = None, language: str = "en") -> list[dict[str, str]]:
    """The segments of a folder (without one those that come along), with what each asks, other segments written out.

    Raises PlaybookRefused with every problem of a wrong file.
    """
    place = folder or shipped_folder()
    if not place.joinpath("segments").is_dir():
        raise Refused(
            f"There is no folder segments in {place}. Give the one that holds playbook/, segments/ and so on."
        )
    loaded = list(load_folder(place, "segments"))
    asked = parse_segments(loaded)
    segments = [parse_segment(mapping, name) for name, mapping in loaded]
    return [
        {"id": one.id, "title": in_language(one.title, language), "asks": describe(asked[one.id], language)}
        for one in segments
    ]


def export_segment(hq: Headquarters, path: Path, store: str | None = None) -> Iterator[dict[str, Any]]:
    """A row for everybody who is in a segment's file today, streamed. Written into the audit log. Raises Refused."""
    with hq.database.read() as reader:
        today_on, _ = chain_today(hq, reader)
    draft = read_draft(path, today_on)
    if draft.play is not None:
        raise Refused(f"{path} is a play's file. Give a segment's: id, title and condition.")
    is_profiled = looks_online(draft.condition)
    found = members(hq, _with_profiling(draft) if is_profiled else draft, store)
    with hq.database.write() as tx:
        hq.note_audit(tx, "command line", "exported a segment", f"{draft.id}: {len(found)} shoppers")
    return _rows(hq, draft.id, found, is_profiled=is_profiled)


def looks_online(condition: Condition) -> bool:
    """Whether who is in it depends on what they do online."""
    return any(ONLINE in purposes_of(part) for _, _, part in walk(condition))


def _with_profiling(draft: Draft) -> Draft:
    asked = Consent(kind="Consent", purpose=_PROFILING)
    return replace(
        draft, condition=Group.model_validate({"kind": "Group", "op": "all", "items": (asked, draft.condition)})
    )


def _rows(
    hq: Headquarters, segment_id: str, found: Iterable[tuple[str, str]], *, is_profiled: bool
) -> Iterator[dict[str, Any]]:
    """Documents as they stand when they are read: whoever went or took a consent back meanwhile is not told."""
    with hq.database.read() as reader:
        for profile_id, store in found:
            row = reader.doc(store_scope(store), f"profile/{profile_id}")
            if row is None or row.deleted:
                continue
            profile = Profile.from_document(json.loads(row.body))
            if not is_profiled or profile.has_consent(_PROFILING):
                yield _told(segment_id, profile)


def _told(segment_id: str, profile: Profile) -> dict[str, Any]:
    pairs = [
        (known.type, known.value)
        for known in profile.identifiers
        if known.type not in _CHANNELS or any(profile.has_consent(purpose) for purpose in _CHANNELS[known.type])
    ]
    home = {"home_store": profile.facts.home_store} if profile.facts.home_store else {}
    keys = {name: " ".join(hashes) for name, hashes in hashed(pairs).items()}
    return {"segment": segment_id, "profile_id": profile.id, **home, **keys}

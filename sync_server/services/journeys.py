"""Journeys counted: how many shoppers entered, how far they came, where they stopped. Flow: feeds -> walks -> counts.

Asked of the documents of the feeds, as a rule is, never of the ledger. Only shoppers who agreed to analytics, and to
whatever the steps look at, are counted; the share of them is told beside every figure as its coverage.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from shared.errors import Refused
from shared.plays.files import in_language, with_dates
from shared.plays.inputs import EvaluationInputs, ProductFacts, StoreFacts
from shared.plays.journey_walk import Walk, count_walks, walk_journey
from shared.plays.journeys import Journey, parse_journey
from shared.plays.settings import PlaySettings
from shared.profile import Profile
from shared.wire.messages import store_scope
from sync_server.ports import CentralReader, Store
from sync_server.services.headquarters import Headquarters
from sync_server.services.kept_files import kept_files, kept_rows
from sync_server.services.play_life import products_of, store_facts
from sync_server.services.playbook import chain_today, load_yaml

STEP_COLUMNS: Final = (
    *("journey", "title", "step", "name", "reached", "share_ppm", "stopped", "under_way", "median_s"),
    *("entered", "completed", "counted", "shoppers", "coverage_ppm", "channels"),
)
_PROFILES: Final = "profile/"


def read_journey(hq: Headquarters, path: Path) -> Journey:
    """A journey's file. Raises PlaybookRefused with every problem, Refused for a file that cannot be read."""
    if not path.is_file():
        raise Refused(f"There is no file {path}.")
    with hq.database.read() as reader:
        today_on, _ = chain_today(hq, reader)
    return parse_journey(with_dates(load_yaml(path, path.name), today_on), path.name)


def list_journeys(hq: Headquarters, language: str = "en") -> list[dict[str, Any]]:
    """The journeys published, by id."""
    with hq.database.read() as reader:
        rows = {row["id"]: row for row in kept_rows(reader, Journey)}
        journeys = kept_files(reader, Journey)
    return [
        {
            "id": one.id,
            "version": rows[one.id]["version"],
            "title": in_language(one.title, language),
            "within_h": one.within_h,
            "steps": list(one.names(language)),
            "published_at": rows[one.id]["published_at"],
        }
        for one in journeys
    ]


def count_published(hq: Headquarters, store: str | None = None, language: str = "en") -> list[dict[str, Any]]:
    """All journeys published, counted."""
    with hq.database.read() as reader:
        journeys = kept_files(reader, Journey)
    if not journeys:
        raise Refused("No journey is published yet. Write journeys/NAME.yaml and run `sync-server play publish`.")
    return count_journeys(hq, journeys, store, language)


@dataclass(slots=True)
class _Tally:
    counted: int = 0
    walks: list[Walk] = field(default_factory=list)


def count_journeys(
    hq: Headquarters, journeys: Sequence[Journey], store: str | None = None, language: str = "en"
) -> list[dict[str, Any]]:
    """Journeys counted in one pass over the shoppers of a store, or of all; a shopper of two feeds counts once."""
    tallies = [(one, one.purposes, _Tally()) for one in journeys]
    shoppers = 0
    now_s = int(hq.clock.now().timestamp())
    with hq.database.read() as reader:
        for profile, facts, products in _shoppers(reader, store):
            shoppers += 1
            inputs = EvaluationInputs(profile, {}, products, facts, now_s, PlaySettings())
            for journey, purposes, tally in tallies:
                if all(profile.has_consent(purpose) for purpose in purposes):
                    tally.counted += 1
                    walk = walk_journey(journey, inputs)
                    tally.walks += [walk] if walk is not None else []
    return [_told(journey, tally, shoppers, language) for journey, _, tally in tallies]


def _shoppers(reader: CentralReader, code: str | None) -> Iterator[tuple[Profile, StoreFacts, dict[str, ProductFacts]]]:
    """Everybody in the feeds once, with the first store that holds them and its catalogue."""
    stores = [one for one in reader.stores() if code in (None, one.code)]
    if not stores:
        raise Refused(f"There is no store {code!r}. `sync-server store list` lists them.")
    catalogues = {one.currency: dict(products_of(reader, one.currency)) for one in stores}
    seen: set[str] = set()
    for store in stores:
        for profile in _profiles(reader, store):
            if profile.id not in seen:
                seen.add(profile.id)
                yield profile, store_facts(store), catalogues[store.currency]


def _profiles(reader: CentralReader, store: Store) -> Iterator[Profile]:
    for row in reader.live_docs(store_scope(store.code), _PROFILES):
        if not row.id.startswith(_PROFILES):
            return
        try:
            yield Profile.from_document(json.loads(row.body))
        except ValidationError:  # a tablet cannot read it either
            continue


def _told(journey: Journey, tally: _Tally, shoppers: int, language: str) -> dict[str, Any]:
    return {
        "journey": journey.id,
        "title": in_language(journey.title, language),
        "shoppers": shoppers,
        "counted": tally.counted,
        "coverage_ppm": tally.counted * 1_000_000 // shoppers if shoppers else 0,
        **count_walks(journey, tally.walks, language),
    }


def step_rows(counted: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A row for each step of each journey, with the figures of the journey beside it: what an export writes."""
    for told in counted:
        whole = {name: part for name, part in told.items() if name not in ("steps", "under_way")}
        yield from ({**whole, **step} for step in told["steps"])

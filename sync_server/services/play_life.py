"""The life of a playbook at HQ: files checked and compared with what is published, and tried on past decisions.

Files in git are the source; nothing here changes them. Publishing and retiring are in `playbook.py`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from shared.clock import at_seconds, shift_at
from shared.documents import ProductDocument
from shared.errors import Refused
from shared.plays.calendar import warnings_of
from shared.plays.campaigns import campaign_warnings
from shared.plays.files import FilePart, document_of
from shared.plays.inputs import EvaluationInputs, ProductFacts, StockLevel, StoreFacts
from shared.plays.playbook import Play, Playbook, play_document
from shared.plays.rank import recommend
from shared.profile import Profile
from shared.wire.messages import SCOPE_ALL, store_scope
from sync_server.ports import CentralReader, Store
from sync_server.services.headquarters import Headquarters
from sync_server.services.playbook import (
    PlaybookFiles,
    as_published,
    chain_today,
    last_version,
    publish_files,
    published_files,
    read_playbook,
)

SAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Change:
    """What publishing would do to one file: `new`, `changed` (with the fields) or `not in the files`."""

    kind: str
    id: str
    what: str
    version: int | None = None
    fields: tuple[str, ...] = ()


def check(hq: Headquarters, folder: Path) -> tuple[PlaybookFiles, list[str]]:
    """Read and check every file of a folder: (files, warnings). Raises PlaybookRefused with how to mend it."""
    if not folder.is_dir():
        raise Refused(f"There is no folder {folder}. Give the one that holds playbook/, offers/ and calendar/.")
    with hq.database.read() as reader:
        today_on, brand = chain_today(hq, reader)
        published = published_files(reader)
    found = read_playbook(folder, today_on, brand, published)
    kinds = (found.plays, found.offers, found.calendar, found.templates, found.library, found.wordings)
    if not any((*kinds, found.campaigns, found.journeys)):
        raise Refused(
            f"{folder} holds no files of a playbook: they lie in its playbook/, offers/, calendar/ and so on."
        )
    whole = published.with_files(found)
    warnings = warnings_of(whole.calendar, whole.plays, whole.offers)
    return found, warnings + campaign_warnings(whole.campaigns, whole.plays, whole.offers, whole.calendar)


def diff(hq: Headquarters, folder: Path) -> list[Change]:
    """What publishing a folder would change. Raises PlaybookRefused as `check` does."""
    found, _ = check(hq, folder)
    with hq.database.read() as reader:
        live = published_files(reader)
        changes = [change for play in found.plays if (change := _play_change(reader, play, live))]
    changes += _changes("offer", live.offers, found.offers)
    changes += _changes("calendar", live.calendar, found.calendar)
    changes += _changes("template", live.templates, found.templates)
    changes += _changes("library", live.library, found.library)
    changes += _changes("campaign", live.campaigns, found.campaigns)
    changes += _changes("journey", live.journeys, found.journeys)
    changes += [Change("play", one.id, "not in the files", one.version) for one in _left(live.plays, found.plays)]
    if live.settings != found.settings:
        fields = tuple(_differing(live.settings.as_document(), found.settings.as_document()))
        changes.append(Change("setting", "plays", "changed", None, fields))
    return changes


def publish(hq: Headquarters, folder: Path, *, is_new_holdout: bool = False) -> tuple[list[Change], list[str]]:
    """Publish a folder: (what changed, warnings). Raises PlaybookRefused as `check` does; then nothing changed."""
    changes = diff(hq, folder)
    found, warnings = check(hq, folder)
    publish_files(hq, found, is_new_holdout=is_new_holdout)
    return changes, warnings


def _play_change(reader: CentralReader, play: Play, live: PlaybookFiles) -> Change | None:
    last = last_version(reader, play.id)
    made, shown = as_published(play, last), next((one for one in live.plays if one.id == play.id), None)
    if shown is None:
        return Change("play", play.id, "new" if last is None else "published again", made.version)
    fields = tuple(name for name in _differing(play_document(shown), play_document(made)) if name != "version")
    return Change("play", play.id, "changed", made.version, fields) if fields else None


def _changes(kind: str, old: tuple[Any, ...], new: tuple[Any, ...]) -> Iterator[Change]:
    known: dict[str, FilePart] = {one.id: one for one in old}
    for one in new:
        if one.id not in known:
            yield Change(kind, one.id, "new")
        elif fields := tuple(_differing(document_of(known[one.id]), document_of(one))):
            yield Change(kind, one.id, "changed", None, fields)


def _left(live: tuple[Play, ...], found: tuple[Play, ...]) -> list[Play]:
    ids = {play.id for play in found}
    return [play for play in live if play.id not in ids]


def _differing(old: Any, new: Any, path: str = "") -> Iterator[str]:
    """Paths at which two documents differ, in order."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            yield from _differing(old.get(name), new.get(name), f"{path}.{name}" if path else name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _differing(one, other, f"{path}[{place}]")
    elif old != new:
        yield path


# replay ---------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Tally:
    before: int = 0
    after: int = 0
    gained: int = 0
    lost: int = 0
    gaining: list[str] = field(default_factory=list)
    losing: list[str] = field(default_factory=list)


def replay(hq: Headquarters, folder: Path, days: int) -> dict[str, Any]:
    """Past cards of these days, ranked by what is published and by the files: who gains and who loses which play.

    Each is ranked at its own time, with the shopper's and the store's documents as HQ holds them now: what happened
    later is not seen. A shopper who is in that store's feed no longer is counted and left out.
    """
    found, _ = check(hq, folder)
    since_at = shift_at(hq.now_at(), days=-days)
    tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
    counts = {"decisions": 0, "left_out": 0, "changed": 0}
    with hq.database.read() as reader:
        shops: dict[str, _Shop] = {}
        for store, at, pairs in _decisions(reader, since_at):
            shop = shops.get(store) or shops.setdefault(store, _Shop(reader, store, found))
            shown = shop.rank(reader, pairs, at)
            counts["left_out" if shown is None else "decisions"] += 1
            if shown is not None:
                counts["changed"] += shown.before != shown.after
                _count(tallies, shown)
    plays = [{"play_id": play_id, **_told(tally)} for play_id, tally in sorted(tallies.items())]
    return {**counts, "plays": plays}


def _decisions(reader: CentralReader, since_at: str) -> Iterator[tuple[str, str, list[tuple[str, str]]]]:
    """(store, when, whom) of every card that was shown since a time. Walks the ledger."""
    for row in reader.every_row("fact"):
        if row["kind"] == "impression_recorded" and row["verdict"] == "accepted" and row["effective_at"] >= since_at:
            yield row["store"], row["effective_at"], [(pair[0], pair[1]) for pair in json.loads(row["subject"] or "[]")]


@dataclass(frozen=True, slots=True)
class _Shown:
    shopper: str
    before: frozenset[str]
    after: frozenset[str]


def _count(tallies: Mapping[str, _Tally], shown: _Shown) -> None:
    for play_id in shown.before | shown.after:
        tally = tallies[play_id]
        tally.before += play_id in shown.before
        tally.after += play_id in shown.after
    for play_id in shown.after - shown.before:
        tallies[play_id].gained += 1
        _sample(tallies[play_id].gaining, shown.shopper)
    for play_id in shown.before - shown.after:
        tallies[play_id].lost += 1
        _sample(tallies[play_id].losing, shown.shopper)


def _sample(into: list[str], shopper: str) -> None:
    if shopper not in into and len(into) < SAMPLES:
        into.append(shopper)


def _told(tally: _Tally) -> dict[str, Any]:
    return {name: getattr(tally, name) for name in tally.__slots__}


class _Shop:
    """A store with both playbooks, ready to rank."""

    def __init__(self, reader: CentralReader, code: str, found: PlaybookFiles) -> None:
        [store] = [one for one in reader.stores() if one.code == code]
        self._scope = store_scope(code)
        self._facts = store_facts(store)
        live = published_files(reader)
        documents = {
            row.id: json.loads(row.body)
            for scope in (SCOPE_ALL, self._scope)
            for kind in ("play/", "offer/", "estimate/", "play_change/")
            for row in reader.docs_of(scope, kind)
        }
        new = {f"play/{play.id}": play_document(play) for play in found.plays}
        new |= {f"offer/{offer.id}": document_of(offer) for offer in found.offers}
        self._before = (Playbook.from_documents(documents, live.settings), live.settings)
        self._after = (Playbook.from_documents({**documents, **new}, found.settings), found.settings)
        self._stock = dict(_stock(reader, self._scope))
        self._products = dict(products_of(reader, store.currency))

    def rank(self, reader: CentralReader, pairs: list[tuple[str, str]], at: str) -> _Shown | None:
        """What both show; None for a shopper this store has not any more."""
        profile_id = next(iter(reader.profile_ids(pairs).values()), None)
        row = reader.doc(self._scope, f"profile/{profile_id}") if profile_id else None
        if row is None or not row.body:
            return None
        profile = Profile.from_document(json.loads(row.body))
        anchor, shown = profile.loyalty_id or profile.id, []
        for playbook, settings in (self._before, self._after):
            inputs = EvaluationInputs(profile, self._stock, self._products, self._facts, at_seconds(at), settings)
            ranked = recommend(inputs, playbook, loyalty_anchor=anchor)
            shown.append(frozenset(play.play_id for play in ranked.plays))
        return _Shown(anchor, shown[0], shown[1])


def store_facts(store: Store) -> StoreFacts:
    """What a rule sees of a store."""
    return StoreFacts(store.code, store.timezone, store.currency, store.region)


def _stock(reader: CentralReader, scope: str) -> Iterator[tuple[str, StockLevel]]:
    for row in reader.docs_of(scope, "stock/"):
        body = json.loads(row.body)
        if type(body.get("quantity")) is int:
            yield body["sku"], StockLevel(body["quantity"], body.get("aisle"))


def products_of(reader: CentralReader, currency: str) -> Iterator[tuple[str, ProductFacts]]:
    """Sku -> what a rule sees of the product."""
    for row in reader.docs_of(SCOPE_ALL, "product/"):
        try:
            one = ProductDocument.model_validate(json.loads(row.body))
        except ValidationError:
            continue
        yield one.sku, ProductFacts(one.title, one.category, one.brand, one.price_in(currency), one.image)

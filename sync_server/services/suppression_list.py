"""The suppressions of every shopper for other systems, told by the row of changes of `changes.py`.

Person keys are SHA-256 of the canonical identifier (an e-mail in small letters, a phone as +49...), as senders and
advertisers match them: without consent an address goes out in no other form. What an erased shopper was known by stays
as such hashes for 30 days, so that receivers forget as well.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from shared.clock import at_seconds, shift_at
from shared.fold import ProfileState
from shared.plays.playbook import Play
from shared.plays.settings import SETTING_ID, PlaySettings
from shared.profile import Profile
from shared.projection import Reading, StoreView, is_person, project
from shared.suppressions import ALL, Rulebook, Suppression, suppressions_of
from shared.wire.canonical import canonical
from shared.wire.messages import SCOPE_ALL
from shared.wire.ops import ERASED
from sync_server.ports import CentralReader, CentralWriter, DocRow, StoredProfile, TraitRow
from sync_server.services.changes import Lens, export_changes, note_erased
from sync_server.services.geography import distances_from
from sync_server.services.headquarters import Headquarters
from sync_server.services.projecting import Known, Projector

KEY_TYPES: Final = ("email", "phone", "loyalty_id", "customer_id")
SUPPRESSION_COLUMNS: Final = (
    *("profile_id", *(f"{type_}_sha256" for type_ in KEY_TYPES)),
    *("channel", "what", "from", "until", "reason", "is_gone", "now_profile_id"),
)
ERASED_DAYS: Final = 30
NONE: Final = "none"
"""The reason of the one row that says a shopper has no suppression any more."""


class _Lists:
    """`Maker` of changes.py: whose, and what is held back, by the playbook as it is published now."""

    def __init__(self, reader: CentralReader, now_at: str) -> None:
        self._reader = reader
        self._now_s = at_seconds(now_at)
        self._projector = Projector(reader, now_at)
        documents = [row for kind in ("play/", "calendar/") for row in reader.docs_of(SCOPE_ALL, kind)]
        setting = reader.doc(SCOPE_ALL, SETTING_ID)
        self._rules = _rulebook(reader, documents, setting)
        told = [*((row.id, row.h) for row in documents), ("", setting.h if setting else "")]
        places = [(store.code, store.lat_e6, store.lon_e6) for store in self._projector.stores]
        self.setting = hashlib.sha256(repr((told, places)).encode()).hexdigest()

    def make(self, page: Sequence[StoredProfile]) -> Mapping[str, dict[str, Any]]:
        """The lists of those who are somebody; an empty one says that nothing is held back."""
        states = {one.profile_id: ProfileState.from_json(json.loads(one.state)) for one in page}
        readings = {profile_id: Reading(state) for profile_id, state in states.items() if is_person(state)}
        known = self._projector.known(readings)
        bands = {one.profile_id: one.value_band for one in page}
        return {
            profile_id: self._told(profile_id, reading, known[profile_id], bands[profile_id])
            for profile_id, reading in readings.items()
        }

    def _told(self, profile_id: str, reading: Reading, known: Known, band: str) -> dict[str, Any]:
        document = project(reading, profile_id, StoreView(value_band=band), None)
        profile = Profile.from_document({**document, "identifiers": known.identifiers})
        nearest_m = min(distances_from(known.point, self._projector.stores).values(), default=None)
        found = suppressions_of(profile, nearest_m, self._rules, self._now_s)
        keys = hashed((one["type"], one["value"]) for one in known.identifiers)
        return {"profile_id": profile_id, "keys": keys, "suppressions": [one.told() for one in found]}

    def gone(self, row: TraitRow, now_profile_id: str | None) -> dict[str, Any]:
        """Where it went, or that the shopper must be forgotten."""
        if row.sha != ERASED:
            led = {"now_profile_id": now_profile_id} if now_profile_id else {}
            return {"profile_id": row.profile_id, "is_gone": True, **led, "keys": {}, "suppressions": []}
        [kept] = self._reader.rows("suppression_row", profile_id=row.profile_id)
        erased = Suppression(ALL, ALL, kept["erased_at"], None, ERASED)
        keys = json.loads(kept["keys"] or "{}")
        return {"profile_id": row.profile_id, "keys": keys, "suppressions": [erased.told()]}


SUPPRESSIONS: Final = Lens("suppressions", "suppression_row", _Lists)


def hashed(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """`<type>_sha256` -> the hashes of all identifiers of a type, in order."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for type_, value in pairs:
        if type_ in KEY_TYPES:
            found[f"{type_}_sha256"].add(hashlib.sha256(value.encode()).hexdigest())
    return {name: sorted(hashes) for name, hashes in sorted(found.items())}


def keyed(row: Mapping[str, Any], secret: bytes) -> dict[str, Any]:
    """A shopper's list for a receiver who wants keys nobody else can make: `<type>_hmac_sha256` is the HMAC-SHA256 of
    the hash in hex, under the receiver's own secret. Addresses are few enough to try; a plain hash hides them from
    nobody who has a list of them."""
    keys = {
        name.replace("_sha256", "_hmac_sha256"): sorted(
            hmac.new(secret, one.encode(), hashlib.sha256).hexdigest() for one in hashes
        )
        for name, hashes in row["keys"].items()
    }
    return {**row, "keys": keys}


# the playbook ---------------------------------------------------------------------------------------------------------


def _rulebook(reader: CentralReader, documents: Sequence[DocRow], setting: DocRow | None) -> Rulebook:
    live = [play for row in documents if row.id.startswith("play/") and (play := _play(row.body)) is not None]
    entries = [json.loads(row.body) for row in documents if row.id.startswith("calendar/")]
    by_id: dict[str, Play | None] = {play.id: play for play in live}

    def play_of(play_id: str) -> Play | None:
        if play_id not in by_id:
            versions = reader.rows("play_version", play_id=play_id)
            by_id[play_id] = _play(versions[-1]["body"]) if versions else None
        return by_id[play_id]

    settings = PlaySettings.from_document(json.loads(setting.body)) if setting and setting.body else PlaySettings()
    return Rulebook(settings, tuple(live), play_of, _campaigns(live, entries))


def _play(body: str) -> Play | None:
    try:
        return Play.from_document(json.loads(body))
    except ValidationError:
        return None


def _campaigns(plays: Iterable[Play], entries: Iterable[Mapping[str, Any]]) -> dict[str, frozenset[str]]:
    """Campaign -> its offers, by the plays and the calendar."""
    pairs = [(play.campaign_id, play.offer_id) for play in plays]
    pairs += [(entry.get("campaign_id"), entry.get("offer_id")) for entry in entries]
    campaigns = {campaign for campaign, _ in pairs if campaign}
    return {one: frozenset(offer for named, offer in pairs if named == one and offer) for one in sorted(campaigns)}


# erasing and exporting ------------------------------------------------------------------------------------------------


def tell_erased(tx: CentralWriter, profile_ids: Collection[str], pairs: Iterable[tuple[str, str]], at: str) -> None:
    """In the transaction that erases a shopper: receivers will be told to forget these keys."""
    keys = canonical(hashed(pairs)).decode()
    note_erased(tx, SUPPRESSIONS, sorted(profile_ids), keys, at)


def forget_erased(hq: Headquarters) -> int:
    """Drop what erased shoppers were known by, 30 days after they were erased; how many."""
    before_at = shift_at(hq.now_at(), days=-ERASED_DAYS)
    with hq.database.write() as tx:
        old = [row for row in tx.rows("suppression_row", sha=ERASED) if row["erased_at"] < before_at]
        for row in old:
            tx.drop_rows("suppression_row", profile_id=row["profile_id"])
    return len(old)


def export_suppressions(hq: Headquarters, since: str | None) -> tuple[Iterator[dict[str, Any]], str]:
    """A row for each suppression, shopper by shopper, and the cursor for the next time; all rows of a shopper replace
    the earlier ones. Raises Refused for what is no cursor."""
    shoppers, cursor = export_changes(hq, SUPPRESSIONS, since)
    return _flat(shoppers, is_whole=since is None), cursor


def _flat(shoppers: Iterator[dict[str, Any]], *, is_whole: bool) -> Iterator[dict[str, Any]]:
    for shopper in shoppers:
        told = {name: value for name, value in shopper.items() if name not in ("keys", "suppressions")}
        told |= {name: " ".join(hashes) for name, hashes in shopper["keys"].items()}
        for one in shopper["suppressions"]:
            yield {**told, **one}
        if not shopper["suppressions"] and not is_whole:
            yield {**told, "reason": NONE}

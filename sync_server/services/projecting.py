"""Projecting: a folded profile becomes the documents of the stores that hold it. The end of flow step 7.

Which stores, which identifiers, which distance: all as of one moment. Nothing here writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from shared.projection import (
    Reading,
    StoreView,
    choose_stores,
    home_store,
    identifiers_of,
    project,
    promises_of,
    promises_taken_back,
    slice_reasons,
    traits_of,
)
from shared.wire.messages import store_scope
from sync_server.ports import CentralReader, DocWrite, Store, StoredProfile
from sync_server.services.geography import distances_from
from sync_server.services.json_text import canonical

UNSHOWN: Final = ("anonymous_id", "payment_token")
_CONTACT: Final = ("email", "phone")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a profile besides its state: where the shopper lives (millionths of a degree), what finds them,
    and the former ids that lead here."""

    point: tuple[int, int] | None
    identifiers: list[dict[str, str]]
    redirects: tuple[str, ...] = ()


class Projector:
    """Projects profiles into the feeds of the stores that hold them, as of one moment."""

    def __init__(self, reader: CentralReader, now_at: str) -> None:
        self._reader = reader
        self._now_at = now_at
        self.stores: tuple[Store, ...] = reader.stores()
        self._codes = {store.code for store in self.stores}
        self._country = next((store.country for store in self.stores if store.country), None)

    def known(self, readings: Mapping[str, Reading]) -> dict[str, Known]:
        """What is known of profiles besides their state."""
        points, names = self._points(readings), self._identifiers(readings)
        redirects = self._reader.redirects_to(list(readings)) if readings else {}
        return {id_: Known(points[id_], names[id_], tuple(redirects.get(id_, ()))) for id_ in readings}

    def _identifiers(self, readings: Mapping[str, Reading]) -> dict[str, list[dict[str, str]]]:
        """What a person may be found by: all that leads to the profile, and the contacts its own facts gave, which may
        be several people's. A number that leads to somebody else is not shown, wherever it was once seen."""
        led = self._reader.identifiers_of(list(readings))
        return {id_: _shown(set(led.get(id_, ())), reading) for id_, reading in readings.items()}

    def _points(self, readings: Mapping[str, Reading]) -> dict[str, tuple[int, int] | None]:
        """Profile -> where the shopper lives (postcode centroid), None where that is unknown."""
        places: dict[str, tuple[str, str]] = {}
        for profile_id, reading in readings.items():
            traits = traits_of(reading)
            country = traits.get("country") or self._country
            if country and traits.get("postcode"):
                places[profile_id] = (str(country), str(traits["postcode"]).strip())
        centroids = self._reader.centroids(set(places.values())) if places else {}
        return {
            profile_id: centroids.get(places[profile_id]) if profile_id in places else None for profile_id in readings
        }

    def documents(
        self,
        reading: Reading,
        stored: StoredProfile,
        known: Known,
    ) -> tuple[tuple[str, ...], list[DocWrite]]:
        """(stores that hold the profile now, documents to put or delete). A held profile is published nowhere."""
        distances = distances_from(known.point, self.stores)
        reasons = slice_reasons(reading, self._now_at, distances)
        reasons = {store: why for store, why in reasons.items() if store in self._codes and stored.held_at is None}
        home = home_store(reading)
        stores = choose_stores(reasons, home)
        document_id = f"profile/{stored.profile_id}"
        writes = [
            DocWrite(store_scope(code), document_id, None, "slice") for code in stored.stores if code not in stores
        ]
        base = project(reading, stored.profile_id, StoreView(value_band=stored.value_band), []) if stores else {}
        base["identifiers"] = known.identifiers
        if known.redirects:
            base["redirects"] = list(known.redirects)
        for code in stores:
            far = {"this_store_m": distances.get(code), "home_store_m": distances.get(home or "")}
            distance = {name: metres for name, metres in far.items() if metres is not None}
            document = {**base, "slice": sorted(reasons[code]), "facts": {**base["facts"], "distance": distance}}
            writes.append(DocWrite(store_scope(code), document_id, canonical(document)))
        return tuple(stores), writes + self._promises(reading, stored.profile_id)

    def _promises(self, reading: Reading, profile_id: str) -> list[DocWrite]:
        """Follow-ups, holds and appointments are documents of their own in the store that made them."""
        writes = []
        for one in promises_of(reading):
            if one.store in self._codes:
                document = canonical(replace(one, profile_id=profile_id).as_document())
                writes.append(DocWrite(store_scope(one.store), f"{one.kind}/{one.op_id}", document))
        for document_id, store in promises_taken_back(reading.state):
            if store in self._codes:
                writes.append(DocWrite(store_scope(store), document_id, None, "withdrawn"))
        return writes


def _shown(led: set[tuple[str, str]], reading: Reading) -> list[dict[str, str]]:
    given = {(one["type"], one["value"]) for one in identifiers_of(reading) if one["type"] in _CONTACT}
    return [{"type": type_, "value": value} for type_, value in sorted(led | given) if type_ not in UNSHOWN]

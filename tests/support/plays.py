"""Makers for tests of plays: a shopper, a store and a moment, and the seed files as the server would load them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml

from shared.clock import at_seconds, seconds_at
from shared.plays.condition import Condition, read_condition
from shared.plays.files import Offer, parse_offer, with_dates
from shared.plays.inputs import EvaluationInputs, ProductFacts, StockLevel, StoreFacts
from shared.plays.playbook import Play, Playbook, parse_play
from shared.plays.settings import PlaySettings
from shared.profile import Profile

NOW_AT = "2026-11-22T13:02:00.000Z"
"""A Sunday; 14:02 in Berlin."""
NOW_S = at_seconds(NOW_AT)
TODAY_ON = dt.date(2026, 11, 22)
BERLIN = StoreFacts("berlin-1", "Europe/Berlin", "EUR", "germany")
HOUR_S = 3600


def ago(hours: float) -> str:
    """The wire time so many hours before now."""
    return seconds_at(NOW_S - round(hours * HOUR_S))


def days_ago(days: float) -> str:
    """The wire time so many days before now."""
    return ago(days * 24)


def event(name: str, hours: float, **more: Any) -> dict[str, Any]:
    """A line of `recent`, so many hours old."""
    return {"at": ago(hours), "channel": "web", "event": name, **more}


def outcome(play_id: str, result: str, hours: float, **more: Any) -> dict[str, Any]:
    """A line of `outcomes`, so many hours old."""
    return {"op_id": f"{play_id}-{result}-{hours}", "play_id": play_id, "outcome": result, "at": ago(hours), **more}


def granted(*purposes: str) -> dict[str, Any]:
    """Consents that were given long ago."""
    return {purpose: {"decision": "granted", "at": days_ago(300)} for purpose in purposes}


def shopper(**document: Any) -> Profile:
    """A profile document of a member who agreed to advice in the store, with whatever else is given."""
    made: dict[str, Any] = {
        "id": "p1",
        "identifiers": [{"type": "loyalty_id", "value": "L1"}],
        "given_name": "Mara",
        "consent": granted("personalise_in_store"),
        **document,
    }
    return Profile.from_document(made)


def seen(
    profile: Profile | None = None,
    *,
    stock: Mapping[str, StockLevel] | None = None,
    products: Mapping[str, ProductFacts] | None = None,
    store: StoreFacts = BERLIN,
    now_s: int = NOW_S,
    settings: PlaySettings | None = None,
    **document: Any,
) -> EvaluationInputs:
    """Evaluation inputs: the shopper given, or one made from the document's fields."""
    return EvaluationInputs(
        profile=profile or shopper(**document),
        stock=stock or {},
        products=products or {},
        store=store,
        now_s=now_s,
        settings=settings or PlaySettings(),
    )


def condition(**leaf: Any) -> Condition:
    """A condition from its document."""
    return read_condition(leaf)


def group(op: str, *parts: dict[str, Any]) -> dict[str, Any]:
    """A group's document."""
    return {"kind": "Group", "op": op, "items": list(parts)}


PLAY: dict[str, Any] = {
    "id": "greet",
    "title": "Greet them",
    "tags": ["hello"],
    "class": "recommended",
    "condition": {"kind": "Group", "op": "all", "items": []},
    "talking_points": {"en": {"opener": "Hello."}},
    "value_minor": 1000,
    "p0_ppm": 100_000,
}


def play(**changes: Any) -> Play:
    """A sound play for everyone, with changes to its file."""
    return parse_play({**PLAY, **changes}, "test.yaml")


OFFER: dict[str, Any] = {"id": "gift", "title": "A gift", "kind": "gift", "terms": "While we have it."}


def offer(**changes: Any) -> Offer:
    """A sound offer, with changes to its file."""
    return parse_offer({**OFFER, **changes}, "offer.yaml")


def load_folder(folder: str) -> dict[str, Any]:
    """Every YAML file of an assets folder as a mapping with fixed dates, by file name."""
    found = {}
    for path in sorted(files("assets").joinpath(folder).iterdir(), key=lambda path: path.name):
        if path.name.endswith(".yaml"):
            found[path.name] = with_dates(yaml.safe_load(path.read_text(encoding="utf-8")), TODAY_ON)
    return found


def seed_settings() -> PlaySettings:
    """The settings that ship."""
    return PlaySettings.from_document(load_folder("settings")["plays.yaml"])


@lru_cache(maxsize=1)
def seed_playbook() -> Playbook:
    """The playbook that ships, as on the tests' day."""
    plays = [parse_play(mapping, name) for name, mapping in load_folder("playbook").items()]
    offers = [parse_offer(mapping, name) for name, mapping in load_folder("offers").items()]
    return Playbook.of(plays, offers, seed_settings())

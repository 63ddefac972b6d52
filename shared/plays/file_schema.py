"""JSON Schemas of the playbook's files, for editors: with the names of events and fields, for an editor to offer."""

from __future__ import annotations

from typing import Any

from shared.plays.campaigns import Campaign
from shared.plays.catalogue import ANY_ONLINE, EVENTS, FIELDS
from shared.plays.condition import CONDITIONS
from shared.plays.journeys import Journey
from shared.plays.playbook import Play
from shared.plays.segments import SegmentFile


def condition_schema() -> dict[str, Any]:
    """A condition alone."""
    return _with_names(CONDITIONS.json_schema(by_alias=True))


def play_schema() -> dict[str, Any]:
    """A play's file."""
    return _with_names(Play.model_json_schema(by_alias=True))


def segment_schema() -> dict[str, Any]:
    """A segment's file."""
    return _with_names(SegmentFile.model_json_schema(by_alias=True))


def campaign_schema() -> dict[str, Any]:
    """A campaign's file."""
    return _with_names(Campaign.model_json_schema(by_alias=True))


def journey_schema() -> dict[str, Any]:
    """A journey's file."""
    return _with_names(Journey.model_json_schema(by_alias=True))


def _with_names(schema: dict[str, Any]) -> dict[str, Any]:
    """The catalogue's names of events and fields as the only ones allowed, and no field that a file may not hold."""
    for name, part in schema["$defs"].items():
        fields = part.get("properties", {})
        if name in {"EventCount", "Recency", "NotFollowed"}:
            for field in {"events", "then", "unless"} & fields.keys():
                fields[field]["items"]["enum"] = [*sorted(EVENTS), ANY_ONLINE]
        if name == "NotFollowed":
            fields["first"]["enum"] = sorted(EVENTS)
        if name == "ProfileField":
            fields["field"]["enum"] = sorted(FIELDS)
        if fields:
            part["additionalProperties"] = False
    if "properties" in schema:
        schema["additionalProperties"] = False
    return schema

"""Campaigns as HQ holds them: which are published, what they hand out, and how far each is."""

from __future__ import annotations

from typing import Any, Literal

from shared.plays.campaigns import Campaign
from shared.plays.files import in_language
from sync_server.services.headquarters import Headquarters
from sync_server.services.kept_files import kept_files, kept_rows
from sync_server.services.playbook import chain_today


def list_campaigns(hq: Headquarters, language: str = "en") -> list[dict[str, Any]]:
    """The campaigns published, by id, with everything their files say."""
    with hq.database.read() as reader:
        today_on, _ = chain_today(hq, reader)
        versions = {row["id"]: row["version"] for row in kept_rows(reader, Campaign)}
        campaigns = kept_files(reader, Campaign)
    return [
        {
            "id": one.id,
            "version": versions[one.id],
            "title": in_language(one.title, language),
            "owner": one.owner,
            "state": _state(one, today_on.isoformat()),
            "from_on": one.from_on,
            "until_on": one.until_on,
            "play_ids": list(one.play_ids),
            "offer_ids": list(one.offer_ids),
            "calendar_ids": list(one.calendar_ids),
            "utm_campaign": list(one.utm_campaign),
            "budget": {amount.currency: amount.minor for amount in one.budget},
            "brief": in_language(one.brief, language),
        }
        for one in campaigns
    ]


def _state(campaign: Campaign, today: str) -> Literal["to come", "running", "over"]:
    if campaign.from_on is not None and today < campaign.from_on:
        return "to come"
    return "over" if campaign.until_on is not None and today > campaign.until_on else "running"

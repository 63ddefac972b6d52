"""Campaigns: offers, plays, calendar entries and message tags under one id, with what they are for and who answers.

Kept at HQ, never on a tablet: a tablet knows a campaign by the `campaign_id` of plays and calendar entries. What a
campaign names must exist; a play or entry whose campaign nobody wrote is a warning, for its file may come later.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Annotated, Any

from pydantic import Field, StrictStr

from shared.plays.files import Amount, CalendarEntry, Day, FilePart, Line, Offer, Slug, Words, span_problems
from shared.plays.playbook import Play
from shared.plays.refusal import FileProblem, PlaybookRefused, listed, nearest, read_file

Ids = Annotated[tuple[Slug, ...], Field(max_length=200)]
Tag = Annotated[StrictStr, Field(min_length=1, max_length=200)]


class Campaign(FilePart):
    """A campaign's file. `utm_campaign` are the tags that messages of it carry; `budget`: a row for each currency."""

    id: Slug
    title: Words
    brief: Words
    owner: Line
    from_on: Day | None = None
    until_on: Day | None = None
    offer_ids: Ids = ()
    play_ids: Ids = ()
    calendar_ids: Ids = ()
    utm_campaign: Annotated[tuple[Tag, ...], Field(max_length=50)] = ()
    budget: Annotated[tuple[Amount, ...], Field(max_length=30)] = ()


def parse_campaign(mapping: Any, file_name: str) -> Campaign:
    """Read a campaign's file; what it names is not looked at yet. Raises PlaybookRefused with every problem."""
    campaign = read_file(Campaign, mapping, file_name)
    problems = [*span_problems(campaign.from_on, campaign.until_on, "until_on"), *_repeated(campaign)]
    if problems:
        raise PlaybookRefused(file_name, problems)
    return campaign


def _repeated(campaign: Campaign) -> Iterator[FileProblem]:
    named = {
        "offer_ids": campaign.offer_ids,
        "play_ids": campaign.play_ids,
        "calendar_ids": campaign.calendar_ids,
        "utm_campaign": campaign.utm_campaign,
        "budget": tuple(amount.currency for amount in campaign.budget),
    }
    for field, names in named.items():
        for place, name in enumerate(names):
            if name in names[:place]:
                yield FileProblem(f"{field}[{place}]", f"{name} stands here twice; once is enough.")


def campaign_problems(
    campaigns: Sequence[Campaign],
    plays: Iterable[Play],
    offers: Iterable[Offer],
    entries: Iterable[CalendarEntry],
    others: Sequence[Campaign] = (),
    unread: Collection[str] = (),
) -> list[FileProblem]:
    """What is wrong between campaigns and the files they name: nobody defines it, or it belongs to another campaign.

    `others` are campaigns there are besides: their tags are taken, what they name is not looked at again. `unread` are
    ids of files that could not be read: they exist, and what they say is not known.
    """
    unknown = dict.fromkeys(unread)
    plays_of = unknown | {play.id: play.campaign_id for play in plays}
    entries_of = unknown | {entry.id: entry.campaign_id for entry in entries}
    offers_of: dict[str, str | None] = unknown | {offer.id: None for offer in offers}
    problems = list(_shared_names(campaigns, others))
    for one in campaigns:
        problems += _naming_problems(one, "offer_ids", "offer", one.offer_ids, offers_of)
        problems += _naming_problems(one, "play_ids", "play", one.play_ids, plays_of)
        problems += _naming_problems(one, "calendar_ids", "calendar entry", one.calendar_ids, entries_of)
    return problems


def _shared_names(campaigns: Sequence[Campaign], others: Sequence[Campaign]) -> Iterator[FileProblem]:
    ids = Counter(one.id for one in campaigns)
    owners = {tag: one.id for one in others for tag in one.utm_campaign}
    for one in campaigns:
        if ids[one.id] > 1:
            yield FileProblem("id", "two files carry this id; every campaign needs its own.", one.id)
        for place, tag in enumerate(one.utm_campaign):
            if (owner := owners.setdefault(tag, one.id)) != one.id:
                sentence = f"{tag} is a tag of the campaign {owner} already; a message counts for one campaign."
                yield FileProblem(f"utm_campaign[{place}]", sentence, one.id)


def _naming_problems(
    campaign: Campaign, field: str, what: str, names: tuple[str, ...], known: dict[str, str | None]
) -> Iterator[FileProblem]:
    """`known`: what there is -> the campaign it says it belongs to."""
    for place, name in enumerate(names):
        path = f"{field}[{place}]"
        if name not in known:
            allowed = f"Allowed: {listed(known)}." if known else "There is none yet."
            yield FileProblem(path, f"there is no {what} {name!r}. {nearest(name, known)}{allowed}", campaign.id)
        elif known[name] not in (None, campaign.id):
            sentence = f"the {what} {name} says campaign_id: {known[name]}. Change it there, or take it out here."
            yield FileProblem(path, sentence, campaign.id)


def campaign_warnings(
    campaigns: Sequence[Campaign], plays: Sequence[Play], offers: Iterable[Offer], entries: Sequence[CalendarEntry]
) -> list[str]:
    """What a person should look at: orphans of campaigns, and what is over before its campaign. None where a chain
    writes no campaigns at all."""
    if not campaigns:
        return []
    by_id = {one.id: one for one in campaigns}
    named = [("play", play.id, play.campaign_id) for play in plays]
    named += [("calendar entry", entry.id, entry.campaign_id) for entry in entries]
    told = [sentence for what, id_, campaign in named for sentence in _orphan(what, id_, campaign, by_id)]
    lives = {("play", one.id): (one.valid_from, one.valid_until) for one in plays}
    lives |= {("offer", one.id): (one.valid_from, one.valid_until) for one in offers}
    return told + [sentence for one in campaigns for sentence in _outlived(one, lives, entries)]


def _orphan(what: str, id_: str, campaign_id: str | None, campaigns: dict[str, Campaign]) -> Iterator[str]:
    if campaign_id is None:
        return
    campaign = campaigns.get(campaign_id)
    if campaign is None:
        hint = nearest(campaign_id, campaigns)
        yield (
            f"The {what} {id_} is an orphan: there is no campaign {campaign_id}. "
            f"{hint}Write campaigns/{campaign_id}.yaml, or take its campaign_id out."
        )
    elif id_ not in (campaign.play_ids if what == "play" else campaign.calendar_ids):
        field = "play_ids" if what == "play" else "calendar_ids"
        yield f"The {what} {id_} says campaign_id: {campaign_id}, whose file does not name it; add it to {field}."


def _outlived(
    campaign: Campaign, lives: dict[tuple[str, str], tuple[str | None, str | None]], entries: Sequence[CalendarEntry]
) -> Iterator[str]:
    named = [("play", name) for name in campaign.play_ids] + [("offer", name) for name in campaign.offer_ids]
    for what, name in named:
        first, last = lives.get((what, name), (None, None))
        if last is not None and last < (campaign.until_on or last):
            yield f"The campaign {campaign.id} ends on {campaign.until_on}, its {what} {name} already on {last}."
        if first is not None and first > (campaign.from_on or first):
            yield f"The campaign {campaign.id} begins on {campaign.from_on}, its {what} {name} only on {first}."
    for entry in entries:
        if entry.id in campaign.calendar_ids and not _is_within(entry, campaign):
            span = f"{entry.from_on} to {entry.until_on}"
            yield f"The calendar entry {entry.id} ({span}) lies outside the days of its campaign {campaign.id}."


def _is_within(entry: CalendarEntry, campaign: Campaign) -> bool:
    first, last = campaign.from_on or entry.from_on, campaign.until_on or entry.until_on
    return first <= entry.from_on and entry.until_on <= last

"""The calendar beside plays and offers: what an entry links must exist, and what runs into each other is warned of.

A broken link refuses the files; a clash is a sentence for whoever plans, for two promotions at once may be meant so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import combinations

from shared.plays.files import CalendarEntry, Offer
from shared.plays.playbook import Play
from shared.plays.refusal import FileProblem, listed, nearest


def link_problems(
    entries: Iterable[CalendarEntry], plays: Iterable[Play], offers: Iterable[Offer], unread: Collection[str] = ()
) -> list[FileProblem]:
    """Plays and offers that entries name and nobody defines, nor a file of the `unread` ids."""
    play_ids, offer_ids = {play.id for play in plays} | {*unread}, {offer.id for offer in offers} | {*unread}
    problems = []
    for entry in entries:
        for place, play_id in enumerate(entry.play_ids):
            if play_id not in play_ids:
                sentence = f"there is no play {play_id!r}. {nearest(play_id, play_ids)}Allowed: {listed(play_ids)}."
                problems.append(FileProblem(f"play_ids[{place}]", sentence, entry.id))
        if entry.offer_id is not None and entry.offer_id not in offer_ids:
            hint = nearest(entry.offer_id, offer_ids)
            sentence = f"there is no offer {entry.offer_id!r}. {hint}Allowed: {listed(offer_ids)}."
            problems.append(FileProblem("offer_id", sentence, entry.id))
    return problems


def warnings_of(entries: Sequence[CalendarEntry], plays: Sequence[Play], offers: Sequence[Offer]) -> list[str]:
    """What a person should look at before publishing, in a fixed order: clashes, plays and offers that are over before
    their entry, offers that nothing hands out."""
    ordered = sorted(entries, key=lambda entry: (entry.from_on, entry.id))
    return [
        *(told for one, other in combinations(ordered, 2) for told in _clashes(one, other)),
        *(told for entry in ordered for told in _outlived(entry, plays, offers)),
        *(told for _, told in orphaned_offers(entries, plays, offers)),
    ]


def _clashes(one: CalendarEntry, other: CalendarEntry) -> Iterator[str]:
    first, last = max(one.from_on, other.from_on), min(one.until_on, other.until_on)
    is_shared = not one.stores or not other.stores or bool({*one.stores} & {*other.stores})
    if first > last or not is_shared:
        return
    both = f"Clash from {first} to {last}: {one.id} and {other.id}"
    if one.offer_id and other.offer_id and one.offer_id != other.offer_id:
        yield f"{both} hand out different offers, {one.offer_id} and {other.offer_id}."
    if shared := sorted({*one.play_ids} & {*other.play_ids}):
        yield f"{both} are both told by {', '.join(shared)}."


def _outlived(entry: CalendarEntry, plays: Sequence[Play], offers: Sequence[Offer]) -> Iterator[str]:
    linked = [(f"the play {play.id}", play.valid_from, play.valid_until) for play in plays if play.id in entry.play_ids]
    linked += [(f"the offer {one.id}", one.valid_from, one.valid_until) for one in offers if one.id == entry.offer_id]
    for what, first, last in linked:
        if first is not None and first > entry.from_on:
            yield f"{entry.id} begins on {entry.from_on}, {what} only on {first}."
        if last is not None and last < entry.until_on:
            yield f"{entry.id} ends on {entry.until_on}, {what} already on {last}."


def orphaned_offers(
    entries: Sequence[CalendarEntry], plays: Sequence[Play], offers: Sequence[Offer]
) -> Iterator[tuple[str, str]]:
    """(offer id, sentence) of the offers that nothing hands out, by id."""
    used = {play.offer_id for play in plays} | {entry.offer_id for entry in entries}
    for offer in sorted(offers, key=lambda offer: offer.id):
        if offer.id not in used:
            yield offer.id, f"The offer {offer.id} is an orphan: no play and no calendar entry hands it out."

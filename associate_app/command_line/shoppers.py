"""Commands about shoppers: look a card up, record an outcome, find somebody, read codes from pictures."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from associate_app.adapters.code_reader import has_decoder, make_code_reader
from associate_app.command_line.common import DEFAULT, Common, people, say, say_json, tablet_of
from associate_app.services.lookup import CardView, look_up
from associate_app.services.record import open_card, record_outcome
from associate_app.services.search import find_shoppers
from shared.errors import Refused
from shared.plays.rank import Recommendation


def lookup(text: str, *, common: Common = DEFAULT) -> None:
    """Open a shopper's card from a code, number, e-mail or phone. Records nothing.

    Parameters
    ----------
    text
        A scanned loyalty card (FS1...), a loyalty number, an e-mail address or a phone number.
    """
    with tablet_of(common) as (tablet, database):
        book = tablet.books.read(database)
        view = look_up(database, book, text, now=tablet.clock.now(), language=tablet.settings.language)
    if common.json:
        say_json(card_json(view))
    else:
        _show(view)


def record(
    *,
    shopper: str,
    play: str,
    outcome: str,
    reason: str | None = None,
    associate: str | None = None,
    common: Common = DEFAULT,
) -> None:
    """Record what came of a play; what the card showed is recorded with it.

    Parameters
    ----------
    shopper
        The loyalty number, or the scanned card.
    play
        The play's id, as lookup prints it.
    outcome
        bought, interested, not_today, not_interested, already_has_it, out_of_stock or not_mentioned.
    reason
        Why, in a few words.
    associate
        Who records it.
    """
    with tablet_of(common) as (tablet, database):
        book = tablet.books.read(database)
        view = look_up(database, book, shopper, now=tablet.clock.now(), language=tablet.settings.language)
        recorder = tablet.recorder(database, associate)
        open_card(recorder, view)
        saved = record_outcome(recorder, book, view, play, outcome, reason=reason)
        pending = database.counts().pending
    told = {"op_id": saved.op_id, "recorded_at": saved.at, "pending": pending}
    say(common, told, f"Saved on this tablet; {pending} to send.")


def find(text: str, *, limit: int = 20, common: Common = DEFAULT) -> None:
    """Find shoppers by name, phone digits, e-mail or number."""
    with tablet_of(common) as (_, database):
        hits = find_shoppers(database, text, limit=limit)
    if common.json:
        say_json([asdict(hit) for hit in hits])
        return
    table = Table("Name", "Loyalty number", "Tier", "Hint")
    for hit in hits:
        table.add_row(*(Text(part or "") for part in (hit.name, hit.loyalty_id, hit.tier, hit.hint)))
    people().print(table if hits else Text("Nobody found. Try a part of the name, or the last digits of the phone."))


def scan_image(*files: Path, common: Common = DEFAULT) -> None:
    """Read the codes in picture files (JPEG, PNG, WebP)."""
    if not files:
        raise Refused("Name at least one picture file.")
    if not has_decoder():
        raise Refused("This install cannot read codes from pictures. Add it with: pip install 'floorside[hub]'")
    reader = make_code_reader()
    found = []
    for file in files:
        picture = _read_picture(file)
        begun_s = time.perf_counter()
        codes = reader.read(picture)
        ms = round((time.perf_counter() - begun_s) * 1000, 1)
        found.append({"file": str(file), "codes": [asdict(code) for code in codes], "ms": ms})
    say(common, found, *(_picture_sentence(one) for one in found))


def _read_picture(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as problem:
        raise Refused(f"The picture {file} cannot be read ({problem.strerror}).") from problem


def _picture_sentence(found: dict[str, Any]) -> str:
    codes = "; ".join(f"{code['format']} {code['text']}" for code in found["codes"])
    return f"{found['file']}: {codes or 'no code found'} ({found['ms']} ms)"


def card_json(view: CardView) -> dict[str, Any]:
    """A card for programs."""
    card = view.card
    return {
        "card": {
            "status": card.status.value,
            "loyalty_id": card.loyalty_id,
            "tier": card.tier,
            "expires_on": card.expires_on.isoformat() if card.expires_on else None,
            "sentence": card.sentence,
        },
        "profile": view.profile.model_dump(mode="json", exclude_none=True) if view.profile else None,
        "stage": view.stage.stage if view.stage else None,
        "stage_because": [asdict(reason) for reason in view.stage.because] if view.stage else [],
        "plays": [_play_json(play) for play in view.plays],
        "held_back": [asdict(held) for held in view.held_back],
        "is_behaviour_hidden": view.is_behaviour_hidden,
        "as_of": view.as_of,
    }


def _play_json(play: Recommendation) -> dict[str, Any]:
    return {
        "play_id": play.play_id,
        "title": play.title,
        "class": play.play_class,
        "rank": play.rank,
        "why": play.why,
        "score": play.score,
        "talking_points": play.talking_points.model_dump(mode="json", exclude_none=True),
        "offer_id": play.offer_id,
        "sku": play.sku,
    }


def _show(view: CardView) -> None:
    console = people()
    if view.card.sentence:
        console.print(Text(view.card.sentence), soft_wrap=True)
    if view.profile is None:
        return
    who = view.profile.name or view.card.loyalty_id or "A shopper this tablet does not know yet"
    told = [who, view.profile.tier, view.stage.stage if view.stage else "details follow at the next contact"]
    console.print(Text(" · ".join(part for part in told if part), style="bold"), soft_wrap=True)
    if view.as_of:
        console.print(Text(f"as of {view.as_of[:16].replace('T', ' ')} UTC"))
    table = Table("", "Play", "Say", "Why this")
    for play in view.plays:
        table.add_row(*map(Text, (str(play.rank), play.title, play.talking_points.opener, play.why)))
    if view.plays:
        console.print(table)
    for held in view.held_back:
        console.print(Text(f"Held back: {held.title}. {held.sentence}"), soft_wrap=True)

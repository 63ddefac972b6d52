"""The playbook: plays, offers, calendar, templates and consent wordings from YAML files to every tablet of the chain.

All files are read and checked before anything is published; a wrong one refuses the whole set with every problem and
its path. An edited play becomes a new version; the pack that decides a card is kept by its hash, for replays.
"""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final

import yaml

from shared.errors import Refused
from shared.plays.condition import Condition
from shared.plays.files import (
    CalendarEntry,
    ConsentWording,
    FilePart,
    MessageTemplate,
    Offer,
    document_of,
    in_language,
    parse_calendar_entry,
    parse_offer,
    parse_template,
    parse_wording,
    with_dates,
)
from shared.plays.playbook import Play, parse_play, play_document, play_sha, problems_across, rule_pack_hash
from shared.plays.refusal import PlaybookRefused, read_file
from shared.plays.segments import parse_segments
from shared.plays.settings import SETTING_ID, PlaySettings
from shared.wire.canonical import canonical
from shared.wire.messages import SCOPE_ALL
from sync_server.ports import CentralReader, CentralWriter, DocWrite
from sync_server.services.chain import document_in_all, read_chain
from sync_server.services.headquarters import Headquarters
from sync_server.services.wordings import keep_wordings, wording_document

LANGUAGES: Final = ("en", "de")
DEMO_BRAND: Final = "Nordhang"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The same safe loader, in C where the wheel has it: seven times as fast."""


@dataclass(frozen=True, slots=True)
class PlaybookFiles:
    """Everything the folders held, checked."""

    plays: tuple[Play, ...]
    offers: tuple[Offer, ...]
    calendar: tuple[CalendarEntry, ...]
    templates: tuple[MessageTemplate, ...]
    wordings: tuple[ConsentWording, ...]
    settings: PlaySettings

    def without_promises(self) -> PlaybookFiles:
        """What suits a chain that is not the demo: no offers its tills do not know, no plays that hand one out."""
        return replace(self, plays=tuple(play for play in self.plays if play.offer_id is None), offers=(), calendar=())


def shipped_folder() -> Traversable:
    """Where the playbook that comes with the project lies."""
    return files("assets")


def read_playbook(folder: Traversable, today_on: dt.date, brand: str) -> PlaybookFiles:
    """Read `playbook/ segments/ offers/ calendar/ templates/ wordings/ settings/` under a folder.

    Relative dates count from `today_on`; the shipped texts speak of the demo's brand, a chain reads its own name there.
    Raises PlaybookRefused with every problem of the first file that has one.
    """

    def read(name: str, parse: Callable[[Any, str], Any]) -> tuple[Any, ...]:
        loaded = _load_folder(folder, name)
        return tuple(parse(_with_brand(with_dates(row, today_on), brand), file) for file, row in loaded)

    segments = read_segments(folder)
    found = PlaybookFiles(
        plays=read("playbook", lambda mapping, file: parse_play(mapping, file, segments)),
        offers=read("offers", parse_offer),
        calendar=read("calendar", parse_calendar_entry),
        templates=read("templates", parse_template),
        wordings=read("wordings", parse_wording),
        settings=next(iter(read("settings", _parse_settings)), PlaySettings()),
    )
    problems = problems_across(found.plays, found.offers)
    if problems:
        raise PlaybookRefused("The playbook", problems)
    return found


def read_segments(folder: Traversable) -> dict[str, Condition]:
    """The segments under a folder, written out. Raises PlaybookRefused with every problem of the first wrong file."""
    return parse_segments(_load_folder(folder, "segments"))


def _load_folder(folder: Traversable, name: str) -> Iterator[tuple[str, Any]]:
    """(file name, mapping) of every YAML file, in order of name; a file with a list holds one mapping a row."""
    place = folder.joinpath(name)
    if not place.is_dir():
        return
    for file in sorted(place.iterdir(), key=lambda found: found.name):
        if file.name.endswith((".yaml", ".yml")):
            shown = f"{name}/{file.name}"
            loaded = load_yaml(file, shown)
            yield from ((shown, row) for row in (loaded if isinstance(loaded, list) else [loaded]))


def _parse_settings(mapping: Any, file_name: str) -> PlaySettings:
    return read_file(PlaySettings, mapping, file_name)


def _with_brand(loaded: Any, brand: str) -> Any:
    if isinstance(loaded, dict):
        return {name: _with_brand(part, brand) for name, part in loaded.items()}
    if isinstance(loaded, list):
        return [_with_brand(part, brand) for part in loaded]
    return loaded.replace(DEMO_BRAND, brand) if isinstance(loaded, str) else loaded


def load_yaml(file: Traversable, shown: str) -> Any:
    """What a YAML file holds. Raises Refused for one that cannot be read; `shown` is what it is called then."""
    try:
        return yaml.load(file.read_text("utf-8"), Loader=_LOADER)  # noqa: S506 - a safe loader either way
    except (yaml.YAMLError, UnicodeError, RecursionError) as problem:
        told = " ".join(str(problem).split())[:200]
        raise Refused(f"{shown} is no readable YAML file: {told}") from None


# publishing -----------------------------------------------------------------------------------------------------------


def publish_playbook(hq: Headquarters, *, has_offers: bool = True) -> int:
    """Read the shipped files and publish what changed, in one transaction. Returns how many plays there are now.

    Without offers only what promises nothing is published: plays without an offer, templates, wordings, settings.
    """
    with hq.database.read() as reader:
        chain = read_chain(reader)
    today_on = hq.clock.now().astimezone(zoneinfo.ZoneInfo(chain.timezone)).date()
    found = read_playbook(shipped_folder(), today_on, chain.name)
    found = found if has_offers else found.without_promises()
    now_at = hq.now_at()
    with hq.database.write() as tx:
        plays = [_with_version(tx, play, now_at) for play in found.plays]
        _keep_rule_pack(tx, plays, found, now_at)
        keep_wordings(tx, found.wordings, now_at)
        hq.note_audit(tx, "command line", "published the playbook", f"{len(plays)} plays")
        tx.publish(list(_documents(plays, found)), now_at)
    hq.doorbell.ring()
    return len(plays)


def _with_version(tx: CentralWriter, play: Play, now_at: str) -> Play:
    """The play under its version: the last one if its content is the same, else the next."""
    rows = tx.rows("play_version", play_id=play.id)
    last = Play.from_document(json.loads(rows[-1]["body"])) if rows else None
    if last is not None and play_sha(last) == play_sha(play):
        return last
    made = play.model_copy(update={"version": last.version + 1 if last else play.version})
    body = canonical(play_document(made)).decode()
    row = {"play_id": made.id, "version": made.version, "body": body, "published_at": now_at}
    tx.put_row("play_version", row)
    return made


def _keep_rule_pack(tx: CentralWriter, plays: list[Play], found: PlaybookFiles, now_at: str) -> None:
    pack = {
        "plays": [play_document(play) for play in plays],
        "offers": [document_of(offer) for offer in found.offers],
        "settings": found.settings.as_document(),
    }
    row = {
        "hash": rule_pack_hash(plays, found.offers, found.settings),
        "body": canonical(pack).decode(),
        "published_at": now_at,
    }
    tx.put_row("rule_pack", row)


def _documents(plays: list[Play], found: PlaybookFiles) -> Iterator[DocWrite]:
    yield from (_whole(f"play/{play.id}", play) for play in plays)
    yield from (_whole(f"offer/{offer.id}", offer) for offer in found.offers)
    yield from (_whole(f"calendar/{entry.id}", entry) for entry in found.calendar)
    yield from (_whole(f"template/{template.id}", template) for template in found.templates)
    yield from (wording_document(wording) for wording in found.wordings)
    yield document_in_all(SETTING_ID, found.settings.as_document())


def _whole(document_id: str, part: FilePart) -> DocWrite:
    return DocWrite(SCOPE_ALL, document_id, canonical(document_of(part)))


# listing --------------------------------------------------------------------------------------------------------------


def list_plays(hq: Headquarters) -> list[dict[str, Any]]:
    """The plays published now, by id, with what a person at HQ wants to see of them."""
    with hq.database.read() as reader:
        documents = [json.loads(row.body) for row in _live(reader, "play/")]
    return [_listed(Play.from_document(document)) for document in documents]


def _live(reader: CentralReader, prefix: str) -> Iterator[Any]:
    for row in reader.live_docs(SCOPE_ALL, prefix):
        if not row.id.startswith(prefix):
            return
        yield row


def _listed(play: Play) -> dict[str, Any]:
    return {
        "play_id": play.id,
        "version": play.version,
        "title": in_language(play.title, LANGUAGES[0]),
        "class": play.play_class,
        "tags": list(play.tags),
        "offer_id": play.offer_id,
        "stages": list(play.stages),
        "valid_from": play.valid_from,
        "valid_until": play.valid_until,
    }

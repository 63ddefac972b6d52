"""The playbook: plays, offers, calendar, templates, library and consent wordings from YAML files to every tablet of the
chain; campaigns and journeys to HQ alone.

All files are read and checked before anything is published; a wrong one refuses the whole set with every problem and
its path. An edited play becomes a new version; the pack that decides a card is kept by its hash, for replays.
"""

from __future__ import annotations

import datetime as dt
import json
import zoneinfo
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Final, TypeVar

import yaml
from pydantic import ValidationError

from shared.errors import Refused
from shared.plays.calendar import link_problems
from shared.plays.campaigns import Campaign, campaign_problems, parse_campaign
from shared.plays.condition import Condition
from shared.plays.files import (
    CalendarEntry,
    ConsentWording,
    FilePart,
    LibraryText,
    MessageTemplate,
    Offer,
    document_of,
    in_language,
    parse_calendar_entry,
    parse_library_text,
    parse_offer,
    parse_template,
    parse_wording,
    with_dates,
)
from shared.plays.journeys import Journey, journey_problems, parse_journey
from shared.plays.playbook import Play, parse_play, play_document, play_sha, problems_across, rule_pack_hash
from shared.plays.refusal import FileProblem, PlaybookRefused, read_file
from shared.plays.segments import parse_segments
from shared.plays.settings import SETTING_ID, PlaySettings
from shared.wire.canonical import canonical
from shared.wire.messages import SCOPE_ALL
from sync_server.ports import CentralReader, CentralWriter, DocWrite
from sync_server.services.chain import document_in_all, read_chain
from sync_server.services.headquarters import Headquarters
from sync_server.services.kept_files import keep_files, kept_files
from sync_server.services.wordings import keep_wordings, wording_document

Part = TypeVar("Part", bound=FilePart)
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
    campaigns: tuple[Campaign, ...] = ()
    journeys: tuple[Journey, ...] = ()
    library: tuple[LibraryText, ...] = ()

    def without_promises(self) -> PlaybookFiles:
        """What suits a chain that is not the demo: no offers its tills do not know, nothing that hands one out."""
        plays = tuple(play for play in self.plays if play.offer_id is None)
        library = tuple(text for text in self.library if text.kind != "event")
        return replace(self, plays=plays, offers=(), calendar=(), campaigns=(), library=library)

    def with_files(self, found: PlaybookFiles) -> PlaybookFiles:
        """This, with what other files say in place of what has the same id."""

        def merged(old: Iterable[Part], new: Iterable[Part]) -> tuple[Part, ...]:
            by_id = {one.id: one for one in [*old, *new]}  # type: ignore[attr-defined]
            return tuple(by_id[id_] for id_ in sorted(by_id))

        return PlaybookFiles(
            plays=merged(self.plays, found.plays),
            offers=merged(self.offers, found.offers),
            calendar=merged(self.calendar, found.calendar),
            templates=merged(self.templates, found.templates),
            wordings=found.wordings,
            settings=found.settings,
            campaigns=merged(self.campaigns, found.campaigns),
            journeys=merged(self.journeys, found.journeys),
            library=merged(self.library, found.library),
        )


def shipped_folder() -> Traversable:
    """Where the playbook that comes with the project lies."""
    return files("assets")


def read_playbook(
    folder: Traversable, today_on: dt.date, brand: str, published: PlaybookFiles | None = None
) -> PlaybookFiles:
    """Read `playbook/ segments/ offers/ calendar/ campaigns/ journeys/ templates/ library/ wordings/ settings/` under a
    folder.

    Relative dates count from `today_on`; the shipped texts speak of the demo's brand, a chain reads its own name there.
    What is `published` may be named and need not be in the folder. Raises PlaybookRefused with every problem of every
    file; those of the segments come first and alone, as the plays are written out with them.
    """
    segments = read_segments(folder)
    reading = _Reading(folder, today_on, brand)
    found = PlaybookFiles(
        plays=reading.read("playbook", lambda mapping, file: parse_play(mapping, file, segments)),
        offers=reading.read("offers", parse_offer),
        calendar=reading.read("calendar", parse_calendar_entry),
        templates=reading.read("templates", parse_template),
        wordings=reading.read("wordings", parse_wording),
        settings=next(
            iter(reading.read("settings", _parse_settings)), published.settings if published else PlaySettings()
        ),
        campaigns=reading.read("campaigns", parse_campaign),
        journeys=reading.read("journeys", parse_journey),
        library=reading.read("library", parse_library_text),
    )
    whole = found if published is None else published.with_files(found)
    plays, unread = [*found.plays, *_missing(whole.plays, found.plays)], reading.unread
    others = _missing(whole.campaigns, found.campaigns)
    reading.refuse("playbook", problems_across(plays, whole.offers, unread))
    reading.refuse("calendar", link_problems(found.calendar, whole.plays, whole.offers, unread))
    campaigns = campaign_problems(found.campaigns, whole.plays, whole.offers, whole.calendar, others, unread)
    reading.refuse("campaigns", campaigns)
    reading.refuse("journeys", journey_problems(found.journeys))
    if reading.refusals:
        raise PlaybookRefused.of_all(reading.refusals)
    return found


@dataclass(slots=True)
class _Reading:
    """One reading of a folder: goes on after a wrong file, so that a person sees all there is to mend at once."""

    folder: Traversable
    today_on: dt.date
    brand: str
    refusals: list[PlaybookRefused] = field(default_factory=list)
    unread: set[str] = field(default_factory=set)
    """Ids of wrong files: others may name them all the same."""
    files: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """(folder, id) -> the files that carry it."""

    def read(self, name: str, parse: Callable[[Any, str], Any]) -> tuple[Any, ...]:
        """What the sound files of a folder hold."""
        found = []
        for file, shown in _files_in(self.folder, name):
            try:
                made = [
                    parse(_with_brand(with_dates(row, self.today_on), self.brand), shown) for row in _rows(file, shown)
                ]
            except PlaybookRefused as refusal:
                self.refusals.append(refusal)
                self.unread.add(file.name.rpartition(".")[0])
                continue
            found += made
            for one in made:
                self.files.setdefault((name, getattr(one, "id", "")), []).append(shown)
        return tuple(found)

    def refuse(self, name: str, problems: Iterable[FileProblem]) -> None:
        """Keep what is wrong between files, each problem with the file it is mended in."""
        for problem in problems:
            *others, shown = self.files.get((name, problem.of)) or ["The playbook"]
            twice = f" The other one is {others[0]}." if others and problem.path == "id" else ""
            self.refusals.append(PlaybookRefused(shown, [replace(problem, sentence=problem.sentence + twice)]))


def read_segments(folder: Traversable) -> dict[str, Condition]:
    """The segments under a folder, written out. Raises PlaybookRefused with every problem of the first wrong file."""
    return parse_segments(load_folder(folder, "segments"))


def load_folder(folder: Traversable, name: str) -> Iterator[tuple[str, Any]]:
    """(file name, mapping) of every YAML file, in order of name."""
    return ((shown, row) for file, shown in _files_in(folder, name) for row in _rows(file, shown))


def _missing(whole: Iterable[Part], known: Iterable[Part]) -> list[Part]:
    ids = {one.id for one in known}  # type: ignore[attr-defined]
    return [one for one in whole if one.id not in ids]  # type: ignore[attr-defined]


def published_files(reader: CentralReader) -> PlaybookFiles:
    """What is published now; wordings are kept apart. A document of a newer server is left out."""

    def read(model: type[Part], kind: str) -> Iterator[Part]:
        for row in reader.docs_of(SCOPE_ALL, f"{kind}/"):
            with suppress(ValidationError):
                yield model.model_validate(json.loads(row.body))

    setting = reader.doc(SCOPE_ALL, SETTING_ID)
    return PlaybookFiles(
        plays=tuple(read(Play, "play")),
        offers=tuple(read(Offer, "offer")),
        calendar=tuple(read(CalendarEntry, "calendar")),
        templates=tuple(read(MessageTemplate, "template")),
        wordings=(),
        settings=PlaySettings.from_document(json.loads(setting.body)) if setting and setting.body else PlaySettings(),
        campaigns=kept_files(reader, Campaign),
        journeys=kept_files(reader, Journey),
        library=tuple(read(LibraryText, "library")),
    )


def chain_today(hq: Headquarters, reader: CentralReader) -> tuple[dt.date, str]:
    """(the date in the chain's time zone, the chain's name)."""
    chain = read_chain(reader)
    return hq.clock.now().astimezone(zoneinfo.ZoneInfo(chain.timezone)).date(), chain.name


def _files_in(folder: Traversable, name: str) -> Iterator[tuple[Traversable, str]]:
    """Every YAML file of a folder, in order of name, with what it is called."""
    place = folder.joinpath(name)
    if not place.is_dir():
        return
    for file in sorted(place.iterdir(), key=lambda found: found.name):
        if file.name.endswith((".yaml", ".yml")):
            yield file, f"{name}/{file.name}"


def _rows(file: Traversable, shown: str) -> list[Any]:
    """The mappings of a file: a file with a list holds one a row."""
    loaded = load_yaml(file, shown)
    return loaded if isinstance(loaded, list) else [loaded]


def _parse_settings(mapping: Any, file_name: str) -> PlaySettings:
    return read_file(PlaySettings, mapping, file_name)


def _with_brand(loaded: Any, brand: str) -> Any:
    if isinstance(loaded, dict):
        return {name: _with_brand(part, brand) for name, part in loaded.items()}
    if isinstance(loaded, list):
        return [_with_brand(part, brand) for part in loaded]
    return loaded.replace(DEMO_BRAND, brand) if isinstance(loaded, str) else loaded


def load_yaml(file: Traversable, shown: str) -> Any:
    """What a YAML file holds. Raises PlaybookRefused for one that cannot be read; `shown` is what it is called then."""
    try:
        return yaml.load(file.read_text("utf-8"), Loader=_Loader)  # noqa: S506 - a safe loader either way
    except yaml.MarkedYAMLError as problem:
        told, mark = problem.problem or problem.context or "", problem.problem_mark or problem.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
        raise PlaybookRefused(shown, [FileProblem(place, _NO_YAML.format(told=" ".join(told.split())[:200]))]) from None
    except (yaml.YAMLError, UnicodeError, RecursionError) as problem:
        told = " ".join(str(problem).split())[:200]
        raise PlaybookRefused(shown, [FileProblem("", _NO_YAML.format(told=told))]) from None


_NO_YAML: Final = (
    "this is no readable YAML: {told}. Mend this line or the one above: fields of one group begin at the same column, "
    "with spaces and no tabs; a text that holds `: ` or begins with a bracket, a brace or a quote stands in quotes; "
    "the file is saved as UTF-8."
)


class _Loader(_LOADER):  # type: ignore[misc, valid-type]
    """The safe loader that takes no name twice: YAML would keep the last and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """A mapping of unlike names. Raises ConstructorError where one stands twice."""
        names: set[str] = set()
        for name, _ in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value in names and name.tag != "tag:yaml.org,2002:merge":
                told = f"the name {name.value} stands twice in one group; keep one of the two"
                raise yaml.constructor.ConstructorError(None, None, told, name.start_mark)
            names.add(str(name.value))
        return dict(super().construct_mapping(node, deep))


# publishing -----------------------------------------------------------------------------------------------------------


def publish_playbook(hq: Headquarters, *, has_offers: bool = True) -> int:
    """Read the shipped files and publish what changed, in one transaction. Returns how many plays there are now.

    Without offers only what promises nothing is published: plays without an offer, templates, guides, wordings,
    settings.
    """
    with hq.database.read() as reader:
        today_on, brand = chain_today(hq, reader)
    found = read_playbook(shipped_folder(), today_on, brand)
    return len(publish_files(hq, found if has_offers else found.without_promises()))


def publish_files(hq: Headquarters, found: PlaybookFiles, *, is_new_holdout: bool = False) -> tuple[Play, ...]:
    """Publish what changed, in one transaction; what is in no file stays. Returns all plays there are now.

    `is_new_holdout` draws other shoppers for the holdouts of these plays.
    """
    now_at = hq.now_at()
    with hq.database.write() as tx:
        plays = tuple(_with_version(tx, play, now_at, is_new_holdout=is_new_holdout) for play in found.plays)
        found = replace(found, plays=plays)
        live = published_files(tx)
        _keep_offers(tx, live.offers, found.offers, now_at)
        whole = live.with_files(found)
        keep_rule_pack(tx, whole, now_at)
        keep_wordings(tx, found.wordings, now_at)
        keep_files(tx, [*found.campaigns, *found.journeys], now_at)
        hq.note_audit(tx, "command line", "published the playbook", f"{len(plays)} plays")
        tx.publish(list(_documents(found)), now_at)
    hq.doorbell.ring()
    return whole.plays


def retire_plays(hq: Headquarters, play_ids: Sequence[str]) -> None:
    """Take plays off every tablet. Their versions stay, so that outcomes on their way still count. Raises Refused for
    a play that is not published, or that another one asks about."""
    with hq.database.write() as tx:
        live = published_files(tx)
        for play_id in play_ids:
            if play_id not in {play.id for play in live.plays}:
                raise Refused(f"There is no play {play_id!r:.80} published. See `sync-server play list`.")
        left = replace(live, plays=tuple(play for play in live.plays if play.id not in play_ids))
        if problems := problems_across(left.plays, left.offers):
            raise PlaybookRefused("The playbook without it", problems)
        keep_rule_pack(tx, left, hq.now_at())
        hq.note_audit(tx, "command line", "retired plays", ", ".join(play_ids))
        tx.publish([DocWrite(SCOPE_ALL, f"play/{play_id}", None) for play_id in play_ids], hq.now_at())
    hq.doorbell.ring()


def last_version(reader: CentralReader, play_id: str) -> Play | None:
    """The last version of a play ever published; None for one that never was."""
    rows = reader.rows("play_version", play_id=play_id)
    return Play.from_document(json.loads(rows[-1]["body"])) if rows else None


def as_published(play: Play, last: Play | None, *, is_new_holdout: bool = False) -> Play:
    """A play of a file under the version it would have: the last one if its content is the same, else the next. Its
    holdout goes on where it was, whatever period the file says, unless a new one is begun."""
    if last is None:
        return play
    period = max(play.holdout.period, last.holdout.period)
    kept = play.model_copy(update={"holdout": play.holdout.model_copy(update={"period": period})})
    kept = kept.with_new_holdout() if is_new_holdout and kept.holdout.percent else kept
    return last if play_sha(last) == play_sha(kept) else kept.with_version(last.version + 1)


def _with_version(tx: CentralWriter, play: Play, now_at: str, *, is_new_holdout: bool) -> Play:
    last = last_version(tx, play.id)
    made = as_published(play, last, is_new_holdout=is_new_holdout)
    if made is not last:
        body = canonical(play_document(made)).decode()
        row = {"play_id": made.id, "version": made.version, "body": body, "published_at": now_at}
        tx.put_row("play_version", row)
    return made


def _keep_offers(tx: CentralWriter, live: Sequence[Offer], found: Sequence[Offer], now_at: str) -> None:
    """Keep an offer that changes as it is from now on: what was done with it before is judged by what it was then."""
    for offer in found:
        if offer not in live:
            body = canonical(document_of(offer)).decode()
            tx.put_row("offer_version", {"offer_id": offer.id, "published_at": now_at, "body": body})


def keep_rule_pack(tx: CentralWriter, whole: PlaybookFiles, now_at: str) -> None:
    """Keep what decides a card from now on, by its hash and for ever."""
    pack = {
        "plays": [play_document(play) for play in whole.plays],
        "offers": [document_of(offer) for offer in whole.offers],
        "settings": whole.settings.as_document(),
    }
    row = {
        "hash": rule_pack_hash(whole.plays, whole.offers, whole.settings),
        "body": canonical(pack).decode(),
        "published_at": now_at,
    }
    tx.put_row("rule_pack", row)


def _documents(found: PlaybookFiles) -> Iterator[DocWrite]:
    yield from (_whole(f"play/{play.id}", play) for play in found.plays)
    yield from (_whole(f"offer/{offer.id}", offer) for offer in found.offers)
    yield from (_whole(f"calendar/{entry.id}", entry) for entry in found.calendar)
    yield from (_whole(f"template/{template.id}", template) for template in found.templates)
    yield from (_whole(f"library/{text.id}", text) for text in found.library)
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

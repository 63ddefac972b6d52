"""Wordings of consent: published to every tablet as documents, and kept word for word so that a proof can quote them.

A changed word is a new version. What a decision names by its sha is looked up here; a sha nobody published is said to
be unknown, and the decision is kept all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from shared.errors import Refused
from shared.plays.files import ConsentWording, document_of, in_language, parse_wording
from shared.wire.messages import SCOPE_ALL
from sync_server.ports import CentralReader, CentralWriter, DocWrite
from sync_server.services.chain import document_in_all
from sync_server.services.headquarters import Headquarters

_PREFIX = "consent_wording/"


@dataclass(frozen=True, slots=True)
class Wording:
    """A wording in one language, as a shopper read it."""

    purpose: str
    version: str
    language: str
    sha: str
    title: str
    text: str


def wording_document(wording: ConsentWording) -> DocWrite:
    """`consent_wording/<purpose>/<version>` with the sha of the wording in each language it is written in."""
    document = {**document_of(wording), "sha": {one.language: one.sha for one in _spoken(wording)}}
    return document_in_all(_id_of(wording), document)


def keep_wordings(tx: CentralWriter, wordings: Iterable[ConsentWording], now_at: str) -> None:
    """Keep what is published word for word, in the caller's transaction; kept ones keep their day."""
    for wording in wordings:
        for one in _spoken(wording):
            row = {name: getattr(one, name) for name in one.__slots__}
            tx.add_row("wording", {**row, "published_at": now_at})


def add_wording(hq: Headquarters, path: Path) -> dict[str, Any]:
    """Publish a wording's file. Raises Refused for a file that cannot be read, PlaybookRefused with what is wrong in
    it, Refused for other words under a version that was published."""
    wording = parse_wording(_load(path), path.name)
    document, now_at = wording_document(wording), hq.now_at()
    with hq.database.write() as tx:
        held = tx.doc(SCOPE_ALL, document.id)
        is_new = held is None or held.deleted
        if held is not None and not is_new and held.body.encode() != document.body:
            raise Refused(
                f"Version {wording.version} of {wording.purpose} was published with other words. Shoppers agreed to "
                "those: give the new words a new version."
            )
        keep_wordings(tx, [wording], now_at)
        if is_new:
            hq.note_audit(tx, "command line", "published a consent wording", document.id)
        tx.publish([document], now_at)
    hq.doorbell.ring()
    return {"id": document.id, "is_new": is_new, **_listed(wording)}


def list_wordings(hq: Headquarters) -> list[dict[str, Any]]:
    """Every wording published, by purpose and version."""
    with hq.database.read() as reader:
        return [_listed(wording) for wording in _published(reader)]


def show_wording(hq: Headquarters, purpose: str, version: str | None) -> list[Wording]:
    """A wording in all its languages, the newest version unless one is named. Raises Refused where there is none."""
    with hq.database.read() as reader:
        found = [one for one in _published(reader) if one.purpose == purpose and version in (None, one.version)]
    if not found:
        which = f" in version {version!r:.30}" if version else ""
        raise Refused(f"No wording of {purpose!r:.40}{which} is published. See `sync-server consent wording list`.")
    return _spoken(found[-1])


class KnownWordings:
    """Every wording there ever was, to find the words behind a decision."""

    def __init__(self, reader: CentralReader) -> None:
        kept = [Wording(**{name: row[name] for name in Wording.__slots__}) for row in reader.rows("wording")]
        kept += [one for wording in _published(reader) for one in _spoken(wording)]
        self._by_sha = {(one.purpose, one.sha): one for one in kept}
        self._by_version = {(one.purpose, one.version, one.language): one for one in kept}

    def find(self, purpose: str, told: Mapping[str, Any]) -> tuple[Wording | None, str]:
        """(the words, how they were found): `sha`, `version` where no sha was said, `unknown` where nobody published
        them, `none` where the decision names none."""
        sha, version, language = (told.get(name) for name in ("wording_sha", "wording_version", "language"))
        if sha:
            found = self._by_sha.get((purpose, str(sha)))
            return found, "sha" if found else "unknown"
        if not version:
            return None, "none"
        found = self._by_version.get((purpose, str(version), str(language)))
        if found is None and not language:
            found = self._by_version.get((purpose, str(version), "en"))
        return found, "version" if found else "unknown"


def _load(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except OSError as problem:
        raise Refused(f"The file {path} cannot be read ({problem.strerror}).") from None
    except (yaml.YAMLError, UnicodeError, RecursionError) as problem:
        told = " ".join(str(problem).split())[:200]
        raise Refused(f"{path.name} is no readable YAML file: {told}") from None


def _id_of(wording: ConsentWording) -> str:
    return f"{_PREFIX}{wording.purpose}/{wording.version}"


def _spoken(wording: ConsentWording) -> list[Wording]:
    return [
        Wording(
            wording.purpose,
            wording.version,
            language,
            wording.sha_in(language),
            in_language(wording.title, language),
            in_language(wording.text, language),
        )
        for language in sorted({*wording.title, *wording.text})
    ]


def _published(reader: CentralReader) -> list[ConsentWording]:
    found = [ConsentWording.model_validate(_without_sha(row.body)) for row in reader.docs_of(SCOPE_ALL, _PREFIX)]
    return sorted(found, key=lambda wording: (wording.purpose, wording.order))


def _without_sha(body: str) -> dict[str, Any]:
    return {name: value for name, value in json.loads(body).items() if name != "sha"}


def _listed(wording: ConsentWording) -> dict[str, Any]:
    spoken = _spoken(wording)
    return {
        "purpose": wording.purpose,
        "version": wording.version,
        "title": in_language(wording.title, "en"),
        "languages": [one.language for one in spoken],
        "sha": {one.language: one.sha for one in spoken},
    }

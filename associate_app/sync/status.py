"""How sync stands, as the screens and the command line tell it: a frozen snapshot and its plain words.

Made by the driver after every step, from the engine's state. Nobody on the floor ever reads a status code, a host or an
id: `words_of` is the one place where a trouble becomes a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from associate_app.sync.state import EngineState, Phase, Trouble, TroubleKind
from shared.clock import format_at, is_at, ms_between, parse_at
from shared.plays.speech import ENGLISH, GERMAN

CLOCK_SUSPECT_MS: Final = 300_000
"""From five minutes on a clock is worth a word; HQ's own limit for a suspect clock is the same."""

_WORDS: Final[Mapping[TroubleKind, str]] = {
    "revoked": "HQ has disconnected this tablet. Its shoppers were deleted here; nothing recorded is lost. Ask HQ for "
    "a new code to connect it.",
    "needs_connect": "HQ does not know this tablet any more. Nothing recorded here is lost; connect it again.",
    "storage_full": "This tablet's storage is full, so nothing new can be received. Free some space.",
    "broken": "Something on this tablet went wrong while sending. It tries again by itself; nothing recorded is lost.",
    "receipt_unsound": "HQ's receipt does not check out, so nothing counts as sent. Tell HQ; all is kept here.",
    "upgrade": "This app is too old to receive from HQ. What you record still reaches HQ; update the app.",
    "certificate": "HQ could not prove who it is, so nothing was sent. Check this tablet's date and time.",
    "poison": "HQ cannot take one of the records yet. It is tried again, then set aside; the others go on.",
    "copy_unsound": "This tablet's copy differs from HQ's and is being fetched again.",
    "receipt_key": "HQ signs with a new key that this tablet is about to receive.",
    "no_progress": "HQ answers, but nothing moves forward. It is tried again, less often.",
    "not_final": "HQ's answer was incomplete. It is asked again.",
    "not_hq": "Something else answers in HQ's place. Perhaps this network wants a sign-in first.",
    "hq_full": "HQ's storage is full. Everything is kept here until there is room again.",
    "hq_error": "HQ made a mistake. It is asked again by itself.",
    "busy": "HQ is busy. This tablet waits its turn.",
    "offline": "HQ cannot be reached right now. Everything is saved on this tablet and goes out by itself.",
}
"""The most serious first."""
_GERMAN_WORDS: Final[Mapping[TroubleKind, str]] = {
    "revoked": "Die Zentrale hat dieses Tablet getrennt. Seine Kundendaten wurden hier gelöscht; kein Eintrag ist "
    "verloren. Bitte die Zentrale um einen neuen Code, um es zu verbinden.",
    "needs_connect": "Die Zentrale kennt dieses Tablet nicht mehr. Kein Eintrag ist verloren; verbinde es neu.",
    "storage_full": "Der Speicher dieses Tablets ist voll, also kommt nichts Neues an. Schaff etwas Platz.",
    "broken": "Beim Senden ging auf diesem Tablet etwas schief. Es versucht es von selbst wieder; kein Eintrag ist "
    "verloren.",
    "receipt_unsound": "Die Quittung der Zentrale stimmt nicht, also gilt nichts als gesendet. Melde es der Zentrale; "
    "hier ist alles aufgehoben.",
    "upgrade": "Diese App ist zu alt, um von der Zentrale zu empfangen. Deine Einträge kommen trotzdem an; erneuere "
    "die App.",
    "certificate": "Die Zentrale konnte sich nicht ausweisen, also wurde nichts gesendet. Prüf Datum und Uhrzeit "
    "dieses Tablets.",
    "poison": "Einen der Einträge nimmt die Zentrale noch nicht. Er wird wieder versucht, dann beiseitegelegt; die "
    "anderen gehen weiter.",
    "copy_unsound": "Was dieses Tablet kennt, weicht von der Zentrale ab und wird neu geholt.",
    "receipt_key": "Die Zentrale quittiert mit einem neuen Schlüssel, den dieses Tablet gleich bekommt.",
    "no_progress": "Die Zentrale antwortet, aber es geht nicht voran. Es wird weiter versucht, nur seltener.",
    "not_final": "Die Antwort der Zentrale war unvollständig. Sie wird noch einmal gefragt.",
    "not_hq": "Statt der Zentrale antwortet etwas anderes. Vielleicht will dieses Netz zuerst eine Anmeldung.",
    "hq_full": "Der Speicher der Zentrale ist voll. Hier ist alles aufgehoben, bis wieder Platz ist.",
    "hq_error": "Die Zentrale hat einen Fehler gemacht. Sie wird von selbst wieder gefragt.",
    "busy": "Die Zentrale hat viel zu tun. Dieses Tablet wartet, bis es dran ist.",
    "offline": "Die Zentrale ist gerade nicht zu erreichen. Alles ist auf diesem Tablet gespeichert und geht von "
    "selbst.",
}


@dataclass(frozen=True, slots=True)
class SnapshotProgress:
    """Documents of the copy being fetched: here by now, and all."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What a driver has done since it started."""

    requests: int = 0
    answered: Mapping[str, int] = field(default_factory=dict)
    """Verdict -> number of ops settled with it."""
    documents_received: int = 0
    snapshots: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """What the driver remembers beside the engine's state. `heads` are the feed positions held by scope."""

    is_enrolled: bool = True
    last_complete_sync_at: str | None = None
    clock_offset_ms: int | None = None
    heads: Mapping[str, int] = field(default_factory=dict)
    snapshot: SnapshotProgress | None = None
    tally: Tally = Tally()


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """How sync stands. Times are wire strings by this tablet's clock; `heads` are the feed positions held by scope."""

    phase: Phase = "rest"
    is_enrolled: bool = True
    is_online: bool = False
    """HQ answered last time it was asked."""
    is_elsewhere: bool = False
    """Another worker of this tablet syncs."""
    trouble: TroubleKind | None = None
    words: str | None = None
    german: str | None = None
    """The words once more, for a tablet that speaks German."""
    is_complete: bool = False
    last_complete_sync_at: str | None = None
    offline_since_at: str | None = None
    snapshot: SnapshotProgress | None = None
    clock_offset_ms: int | None = None
    clock_words: str | None = None
    needs_connect: bool = False
    is_revoked: bool = False
    needs_upgrade: bool = False
    notice: str | None = None
    epoch: str | None = None
    heads: Mapping[str, int] = field(default_factory=dict)
    tally: Tally = Tally()


def draw_up_status(
    known: SyncStatus, state: EngineState, memory: Memory, now: datetime, trouble: Trouble | None = None
) -> SyncStatus:
    """The status after a step; `known` is the one before, `trouble` one from outside the engine."""
    trouble = trouble or worst_trouble(state)
    session, kinds = state.session, {told.kind for told in state.troubles.values()}
    return SyncStatus(
        phase=state.phase,
        is_enrolled=memory.is_enrolled,
        is_online=session is not None and state.offline_since_s is None,
        trouble=trouble.kind if trouble else None,
        words=words_of(trouble, now) if trouble else None,
        german=words_of(trouble, now, GERMAN) if trouble else None,
        is_complete=state.is_complete,
        last_complete_sync_at=memory.last_complete_sync_at,
        offline_since_at=None if state.offline_since_s is None else known.offline_since_at or format_at(now),
        snapshot=memory.snapshot,
        clock_offset_ms=memory.clock_offset_ms,
        clock_words=clock_words(memory.clock_offset_ms, now),
        needs_connect=not memory.is_enrolled or "needs_connect" in kinds,
        is_revoked="revoked" in kinds,
        needs_upgrade="upgrade" in kinds,
        notice=session.notice if session else known.notice,
        epoch=session.epoch if session else known.epoch,
        heads=memory.heads,
        tally=memory.tally,
    )


def worst_trouble(state: EngineState) -> Trouble | None:
    """The most serious of the troubles on all lanes."""
    order = list(_WORDS)
    return min(state.troubles.values(), key=lambda trouble: order.index(trouble.kind), default=None)


def words_of(trouble: Trouble, now: datetime, language: str = ENGLISH) -> str:
    """One plain sentence or two: what it means and what to do. `now` is this tablet's clock."""
    words = _GERMAN_WORDS if language == GERMAN else _WORDS
    if trouble.kind == "certificate" and trouble.hq_at is not None and is_at(trouble.hq_at):
        told = clock_words(ms_between(format_at(now), trouble.hq_at), now, language)
        return told or words["certificate"]
    return (trouble.words if language == ENGLISH else None) or words[trouble.kind]


def clock_words(offset_ms: int | None, now: datetime, language: str = ENGLISH) -> str | None:
    """Which clock is wrong and by how much; None while they agree within five minutes."""
    if offset_ms is None or abs(offset_ms) < CLOCK_SUSPECT_MS:
        return None
    here, there = now.timestamp(), now.timestamp() + offset_ms / 1000
    if language == GERMAN:
        return (
            f"Die Uhr dieses Tablets sagt {_spell(here, language)}, die der Zentrale {_spell(there, language)} (UTC): "
            "Stell Datum und Uhrzeit des Tablets. Gespeichert wird weiter, und nichts ist verloren."
        )
    return (
        f"This tablet's clock says {_spell(here)}, HQ's says {_spell(there)} (UTC): set this tablet's date and time. "
        "Recording goes on meanwhile, and nothing is lost."
    )


def _spell(seconds: float, language: str = ENGLISH) -> str:
    try:
        moment = datetime.fromtimestamp(seconds, tz=parse_at("2000-01-01T00:00:00.000Z").tzinfo)
    except (OverflowError, ValueError, OSError):
        return "eine ganz andere Zeit" if language == GERMAN else "a time far away"
    return f"{moment:%d.%m.%Y %H:%M}" if language == GERMAN else f"{moment:%d %b %Y %H:%M}"

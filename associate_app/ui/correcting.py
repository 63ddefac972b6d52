"""Correcting a shopper's data as screens see it: what is known now, what was told to HQ, and HQ's answer.

Beside `floor.py`. HQ decides of names, postcode, language, e-mail and phone; a size or preference is the shopper's own
word and stands at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from associate_app.services.lookup import ShopperKey
from associate_app.services.record import Recorder, correct_profile, flag_wrong, set_preference
from associate_app.services.store_book import StoreBook
from associate_app.ui.faces import CorrectFace, NoteFace
from associate_app.ui.promise_words import owner_of
from associate_app.ui.state import Saved
from associate_app.ui.words import Speaker
from shared.clock import is_at, parse_at
from shared.corrections import CONTACTS, FIELDS, KEPT, OPEN, SETTLED, TAKEN, WAITING, cleaned
from shared.errors import Refused
from shared.profile import CorrectionLine, Profile

PREFERENCE: Final = "preference:"
LANGUAGES: Final = ("de", "en", "fr", "it", "es", "pl", "tr", "uk", "ru", "ar")
_USUAL: Final = ("size", "shoe_size", "likes")
_SHOWN: Final = timedelta(days=14)
"""An answer stands on the card for so long; what waits, as long as it waits."""


def correctable(profile: Profile, words: Speaker) -> tuple[CorrectFace, ...]:
    """What may be corrected, with what is known now."""
    names = dict.fromkeys((*_USUAL, *profile.preferences))
    fields = [
        CorrectFace(field, _named(field, words), _spoken(field, value_now(profile, field), words)) for field in FIELDS
    ]
    preferences = (
        CorrectFace(f"{PREFERENCE}{name}", _named(f"{PREFERENCE}{name}", words), profile.preferences.get(name, ""))
        for name in names
    )
    return (*fields, *preferences)


def languages_offered(words: Speaker) -> tuple[tuple[str, str], ...]:
    """(code, name in the associate's language)."""
    return tuple((code, _spoken("language", code, words)) for code in LANGUAGES)


def value_now(profile: Profile, field: str) -> str:
    """What is known of a field; of several e-mails or phones the one HQ took over last."""
    if field not in CONTACTS:
        return str(getattr(profile, field, None) or "")
    taken = [one.value for one in profile.corrections if one.field == field and one.state == TAKEN and one.value]
    known = [one.value for one in profile.identifiers if one.type == field]
    return next((value for value in reversed(taken) if value in known), known[0] if known else "")


def correct_as_told(
    recorder: Recorder, book: StoreBook, words: Speaker, shopper: ShopperKey, key: str, value: str
) -> Saved:
    """Record what the shopper says is right. Raises Refused for what the field cannot be."""
    if key.startswith(PREFERENCE):
        text = value.strip()
        if not text:
            raise Refused(words("correct.wants_value"))
        done = set_preference(recorder, shopper, key.removeprefix(PREFERENCE), text)
        return Saved(done.op_id, "", words("correct.new", field=_named(key, words), new=text))
    right = cleaned(key, value, region=book.region)
    if right is None:
        bad = f"new.bad_{key}" if key in CONTACTS else "correct.wants_value"
        raise Refused(words(bad))
    done = correct_profile(recorder, shopper, key, right)
    told = words("correct.told", field=_named(key, words), value=_spoken(key, right, words))
    if key in CONTACTS:  # HQ may have joined what belongs together by it: a new correction mends it, no undo does
        return Saved("", "", f"{words('saved.title')}: {told}")
    return Saved(done.op_id, "", told)


def flag_as_told(recorder: Recorder, words: Speaker, shopper: ShopperKey, key: str, text: str) -> Saved:
    """Record that something is wrong, and nobody here knows what is right."""
    field = key.removeprefix(PREFERENCE)
    done = flag_wrong(recorder, shopper, field, text.strip() or Speaker()("correct.looks_wrong"))
    return Saved(done.op_id, "", words("correct.flagged", field=_named(key, words)))


# on the card ----------------------------------------------------------------------------------------------------------


def tell_corrections(profile: Profile, words: Speaker, names: Mapping[str, str], now: datetime) -> tuple[NoteFace, ...]:
    """What was told to HQ and how it stands, the newest first."""
    lines = [one for one in profile.corrections if _is_shown(one, now)]
    return tuple(
        NoteFace(one.op_id, _what(one, profile, words), " · ".join(_how(one, words, names, now)))
        for one in reversed(lines)
    )


def _is_shown(one: CorrectionLine, now: datetime) -> bool:
    if one.state in (WAITING, OPEN) or not is_at(one.answered_at):
        return True
    return parse_at(one.answered_at or "") > now - _SHOWN


def _what(one: CorrectionLine, profile: Profile, words: Speaker) -> str:
    field = _named(one.field, words)
    if one.value is None:
        return words("correct.is_wrong", field=field, text=one.text or "")
    new, old = _spoken(one.field, one.value, words), _spoken(one.field, value_now(profile, one.field), words)
    if one.state in (WAITING, OPEN, KEPT) and old and old != new:
        return words("correct.old_new", field=field, old=old, new=new)
    return words("correct.new", field=field, new=new)


def _how(one: CorrectionLine, words: Speaker, names: Mapping[str, str], now: datetime) -> Iterator[str]:
    """How it stands first: it is what one looks for."""
    day = words.weekday(one.answered_at) if one.answered_at and is_at(one.answered_at) else ""
    if one.state == WAITING:
        yield words("correct.state.waiting")
    elif one.right is not None:
        yield words("correct.state.right", right=_spoken(one.field, one.right, words), day=day)
    elif one.state == TAKEN:
        yield words("correct.state.taken_on", day=day) if day else words("correct.state.taken")
    elif one.state == KEPT:
        why = f"correct.why.{one.why}"
        yield words("correct.state.kept", why=one.answer or words(why if words.has(why) else "correct.why.unknown"))
    elif one.state == SETTLED:
        yield words("store.said.answer", text=one.answer or "")
    else:
        yield words("correct.state.open")
    if one.right is not None and one.answer:
        yield words("store.said.answer", text=one.answer)
    if who := owner_of(one.associate_id, names, words) if one.associate_id else None:
        yield who
    yield words.ago(one.at, now)


def _named(key: str, words: Speaker) -> str:
    name = key.removeprefix(PREFERENCE)
    return words(f"correct.field.{name}") if words.has(f"correct.field.{name}") else name.replace("_", " ")


def _spoken(field: str, value: str, words: Speaker) -> str:
    return str(words.locale.languages.get(value, value)) if field == "language" else value

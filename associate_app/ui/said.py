"""What the store told HQ, in words: each message with HQ's answer or by when one is owed. Beside `floor.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from associate_app.ports import TabletDatabase
from associate_app.services.feedback import Told, told_to_hq
from associate_app.services.record import Recorder, give_feedback
from associate_app.services.sign_in import names_here
from associate_app.services.store_book import StoreBook
from associate_app.ui.faces import FeedbackFace, SaidFace
from associate_app.ui.state import Saved
from associate_app.ui.words import Speaker
from shared.errors import Refused
from shared.feedback import DECLINED, TAKEN_UP, FeedbackDocument
from shared.plays.files import in_language

GROUPS: Final = ("open", "late", "answered")


def tell_hq(recorder: Recorder, words: Speaker, about: str, text: str, play_id: str | None) -> Saved:
    """Record it. About a play its subject is enough; else a line is wanted. Raises Refused."""
    written = text.strip()
    if not written and play_id is None:
        raise Refused(words("tell.wants_text"))
    saved = give_feedback(recorder, about, written, play_id=play_id)
    return Saved(saved.op_id, "", words("tell.told", about=words(f"tell.{about}")))


def feedback_told(
    database: TabletDatabase, book: StoreBook, words: Speaker, now: datetime, associate_id: str
) -> FeedbackFace:
    """All of it, the newest first."""
    titles = {play.id: in_language(play.title, words.language) for play in book.playbook.plays}
    names = names_here(database)
    told = told_to_hq(database, now, associate_id)
    rows = tuple(tell_said(one, words, now, titles, names) for one in told)
    return FeedbackFace(rows, _agreement([one.message for one in told], words))


def _agreement(messages: list[FeedbackDocument], words: Speaker) -> str:
    kept = [one.was_kept for one in messages if one.was_kept is not None]
    if not kept:
        return words("feedback.agreement.none")
    return words("feedback.agreement", kept=words.number(sum(kept)), n=words.number(len(kept)))


def tell_said(
    one: Told, words: Speaker, now: datetime, titles: Mapping[str, str], names: Mapping[str, str] | None = None
) -> SaidFace:
    """A message: what about, when and by whom; the text; how it stands. `names` None leaves out who told it."""
    message = one.message
    return SaidFace(
        key=message.id,
        about=" · ".join(_lead(message, words, now, titles, names)),
        text=message.text,
        answer=_standing(one, words),
        is_amber=one.is_late,
        group="answered" if message.is_settled else "late" if one.is_late else "open",
        is_new=one.is_new,
    )


def _lead(
    message: FeedbackDocument, words: Speaker, now: datetime, titles: Mapping[str, str], names: Mapping[str, str] | None
) -> Iterator[str]:
    yield words(f"tell.{message.about}") if words.has(f"tell.{message.about}") else words("tell.other")
    if message.play_id:
        yield titles.get(message.play_id) or words("store.gone_play")
    if names is not None and message.associate_id:
        yield names.get(message.associate_id) or words("feedback.colleague")
    yield words.ago(message.at, now)


def _standing(one: Told, words: Speaker) -> str:
    message = one.message
    if message.is_settled:
        key = "feedback.declined" if message.state == DECLINED else "store.said.answer"
        return " ".join([words(key, text=message.answer or words("feedback.no_words")), *_kept(message, words)])
    if message.due_at is None:
        return words("store.said.here")
    owed = words("store.said.late" if one.is_late else "store.said.due", day=words.weekday(message.due_at))
    if message.state == TAKEN_UP and message.answer:
        return f"{words('feedback.taken_up', text=message.answer)} {owed}"
    return owed


def _kept(message: FeedbackDocument, words: Speaker) -> Iterator[str]:
    if message.answered_at and message.was_kept is not None:
        key = "feedback.in_time" if message.was_kept else "feedback.too_late"
        yield words(key, day=words.weekday(message.answered_at))

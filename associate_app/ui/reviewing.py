"""Plays review as its screens see it: what a play says, when it fires, what came of it here, whom it would meet now.

Part of the floor, beside `guarded.py`, whose faces say what a manager may change. Reads only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from associate_app.ports import DeviceIdentity, TabletDatabase
from associate_app.services.matching import Matches, PlayMatches
from associate_app.services.proposals import Proposal, read_proposals
from associate_app.services.sign_in import names_here
from associate_app.services.store_book import StoreBook
from associate_app.services.store_figures import read_store
from associate_app.ui.faces import ChangeFace, ShopperRow, initials_of
from associate_app.ui.guarded import change_of
from associate_app.ui.manager_faces import (
    MatchesFace,
    MatchFace,
    ProposalFace,
    ReviewFace,
    ReviewsFace,
    WordLine,
)
from associate_app.ui.store_telling import Results, tell_results
from associate_app.ui.telling import tell_book_play
from associate_app.ui.words import Speaker
from shared.clock import format_at
from shared.plays.files import in_language
from shared.plays.playbook import Play
from shared.plays.sentences import purpose_words, stage_word
from shared.plays.verdicts import condition_lines


def reviews_told(
    database: TabletDatabase, book: StoreBook, device: DeviceIdentity, words: Speaker, now: datetime
) -> ReviewsFace:
    """Every play that runs here or will, those that do first."""
    results = tell_results(read_store(database, book, device, now), book, words, now)
    proposals = tuple(tell_proposals(database, book, words, now))
    today = book.today(now).isoformat()
    plays = [play for play in book.playbook.plays if _is_of_today(play, book, today)]
    told = [_review(play, book, words, today, results, proposals) for play in plays]
    unread = len(book.playbook.unread)
    return ReviewsFace(
        source=results.source,
        is_stale=results.is_stale,
        window=results.window,
        plays=tuple(sorted(told, key=lambda one: (one.stands != words("review.runs"), one.play.title))),
        unread=words.count("review.unread", unread) if unread else None,
    )


def _is_of_today(play: Play, book: StoreBook, today: str) -> bool:
    is_over = play.valid_until is not None and play.valid_until < today
    return not is_over and play.is_for(book.store.code, book.store.region)


def _review(
    play: Play,
    book: StoreBook,
    words: Speaker,
    today: str,
    results: Results,
    proposals: Sequence[ProposalFace],
) -> ReviewFace:
    change = change_of(book, play, words)
    own = tuple(one for one in proposals if one.key.startswith(f"{play.id}/"))
    return ReviewFace(
        play=tell_book_play(play, book, words, is_new=False),
        stands=_stands(play, change, words, today),
        marks=tuple(_marks(play, change, own, words, today)),
        fires=tuple(condition_lines(play.condition, words.language)),
        besides=tuple(_besides(play, book, words)),
        result=results.bar(play.id),
        change=change,
        proposals=own,
    )


def _stands(play: Play, change: ChangeFace, words: Speaker, today: str) -> str:
    if change.is_paused:
        return words("review.paused")
    if play.valid_from is not None and today < play.valid_from:
        return words("review.begins", when=words.date(play.valid_from))
    return words("review.runs")


def _marks(
    play: Play, change: ChangeFace, proposals: Sequence[ProposalFace], words: Speaker, today: str
) -> Iterator[str]:
    if change.is_paused:
        yield words("review.mark.paused")
    if play.valid_from is not None and today < play.valid_from:
        yield words("review.begins", when=words.date(play.valid_from))
    if change.lever:
        yield words("review.mark.lever", lever=f"{change.lever:+d} %")
    if change.is_own:
        yield words("review.mark.own")
    if any(one.is_open for one in proposals):
        yield words("review.mark.proposed")


def _besides(play: Play, book: StoreBook, words: Speaker) -> Iterator[str]:
    """What else it takes, beside its situation."""
    if play.consents:
        names = ", ".join(purpose_words(purpose, words.language) for purpose in play.consents)
        yield words("review.consents", names=names)
    if play.stages:
        yield words("review.stages", names=", ".join(stage_word(stage, words.language) for stage in play.stages))
    if play.valid_until is not None:
        yield words("review.until", when=words.date(play.valid_until))
    offer = book.playbook.offer_of(play)
    if offer is not None:
        yield words("review.offer", title=in_language(offer.title, words.language))
    if "card" not in play.where:
        yield words("review.outreach")
    if play.is_selling and play.holdout.percent:
        yield words("review.holdout", percent=play.holdout.percent)


# proposals ------------------------------------------------------------------------------------------------------------


def tell_proposals(database: TabletDatabase, book: StoreBook, words: Speaker, now: datetime) -> Iterator[ProposalFace]:
    """What this store proposed, newest first; their keys begin with the play's id."""
    titles = {play.id: in_language(play.title, words.language) for play in book.playbook.plays}
    names = names_here(database)
    for one in read_proposals(database):
        yield _proposal(one, titles, names, words, now)


def _proposal(
    one: Proposal, titles: Mapping[str, str], names: Mapping[str, str], words: Speaker, now: datetime
) -> ProposalFace:
    who = names.get(one.associate_id or "") or words("review.somebody")
    problem = words("review.beyond", problem=one.problem) if one.problem else ""
    return ProposalFace(
        key=f"{one.play_id}/{one.op_id}",
        title=titles.get(one.play_id) or words("store.gone_play"),
        by=f"{who} · {words.ago(one.at, now)}",
        text=one.text or problem,
        lines=tuple(WordLine(line.mark, line.text) for line in one.lines),
        state=_state(one, words),
        answer=words("review.answer", text=one.answer) if one.answer else None,
        is_open=one.state in ("here", "open"),
        is_declined=one.state == "rejected",
    )


def _state(one: Proposal, words: Speaker) -> str:
    if one.decided_at is None or one.state in ("here", "open"):
        return words(f"review.state.{one.state}")
    return words(f"review.state.{one.state}_on", day=words.weekday(one.decided_at))


# whom a play would meet -----------------------------------------------------------------------------------------------


def matches_told(matches: Matches, book: StoreBook, words: Speaker, now: datetime) -> MatchesFace:
    """How far the look is, and what it found by play."""
    seen, total = words.number(matches.looked_at), words.number(matches.total)
    if not matches.is_done:
        progress = words("match.progress", n=seen, total=total)
    elif not matches.total:
        progress = words("match.no_shoppers")
    else:
        time = words.stamp(format_at(matches.as_of), now)
        progress = words.count("match.done", matches.total, time=time)
    plays = {play.id: play for play in book.playbook.plays}
    told = {id_: _match(found, plays[id_], book, words) for id_, found in matches.by_play.items() if id_ in plays}
    share = matches.looked_at / matches.total if matches.total else 1.0
    nobody = MatchFace(words("match.nobody"), (words("match.nobody_told"),), (), None)
    return MatchesFace(progress, min(share, 1.0), matches.is_done, told, nobody)


def _match(found: PlayMatches, play: Play, book: StoreBook, words: Speaker) -> MatchFace:
    met, rows = found.counts["met"], tuple(_row(key, name, words) for key, name in found.names)
    way = "paused" if book.playbook.change_of(play).paused else "outreach" if "card" not in play.where else "card"
    told = [words.count(f"match.{way}", met)]
    told += [
        words.count(f"match.{name}", found.counts[name]) for name in ("lower", "resting", "apart") if found.counts[name]
    ]
    left = met - len(rows)
    return MatchFace(
        line=words.count("match.line", met) if met else words("match.nobody"),
        told=tuple(told),
        names=rows,
        more=words.count("match.more", left) if left > 0 else None,
    )


def _row(key: str, name: str, words: Speaker) -> ShopperRow:
    told = name or words("card.unnamed")
    return ShopperRow(key, told, initials_of(told), "")

"""Is an answer of HQ what it must be? Pure checks of replies, before anything of them is believed. Flow steps 6 and 8.

Each check names one thing that can be wrong; what is done about it is the engine's.
"""

from __future__ import annotations

from typing import Literal

from associate_app.ports import ReplicaState
from associate_app.sync.steps import Batch, OwnJournal, Pushed, SnapshotOpened
from shared.journal import is_receipt_sound
from shared.wire.messages import Check, FeedPage, HelloReply, PushReply

HelloJudgement = Literal["sound", "behind", "forked"]
PushJudgement = Literal["sound", "other_epoch", "not_final", "unknown_key", "unsound", "forked"]
FeedJudgement = Literal["sound", "other_epoch", "not_final"]


def judge_hello(reply: HelloReply, own: OwnJournal) -> HelloJudgement:
    """Compare what HQ holds of this install with the own journal.

    `behind`: HQ lacks ops it once acknowledged (restored from a backup). HQ ahead of the own `acked_seq` is sound: an
    answer was lost, and only a verdict acknowledges an op.
    """
    if reply.acked_seq > own.head_seq:
        return "forked"
    if own.chain_there is not None and own.chain_there != reply.chain:
        return "forked"
    return "behind" if reply.acked_seq < own.acked_seq else "sound"


def judge_push(told: Pushed, epoch: str) -> PushJudgement:
    """Check a push reply in the order in which its parts can be believed: whole, signed, and then its chain."""
    reply, receipt = told.reply, told.reply.receipt
    if reply.epoch != epoch or receipt.epoch != epoch:
        return "other_epoch"
    if not _answers_each(told.batch, reply) or receipt.install_id != told.install_id:
        return "not_final"
    if not is_receipt_sound(receipt.model_dump(), told.receipt_key):
        return "unsound" if told.is_key_listed else "unknown_key"
    return "sound" if told.own_chain == receipt.chain else "forked"


def _answers_each(batch: Batch, reply: PushReply) -> bool:
    """One verdict for each op, in order, under this batch's id, and a receipt that reaches as far."""
    seqs = [result.seq for result in reply.results]
    return (
        reply.batch_id == batch.batch_id
        and seqs == list(range(batch.first_seq, batch.last_seq + 1))
        and reply.receipt.through_seq >= batch.last_seq
    )


def judge_page(page: FeedPage, scope: str, epoch: str) -> FeedJudgement:
    """A page is of the asked scope and of this history, and the last one says what must be held."""
    if page.epoch != epoch:
        return "other_epoch"
    is_whole = page.more or page.check is not None
    return "sound" if page.scope == scope and is_whole else "not_final"


def judge_header(told: SnapshotOpened, scope: str, epoch: str) -> FeedJudgement:
    """A snapshot is of the asked scope and of this history, and one that goes on keeps the first `as_of`."""
    header = told.header
    if header.epoch != epoch:
        return "other_epoch"
    is_same = told.as_of_held in (None, header.as_of)
    return "sound" if header.scope == scope and is_same else "not_final"


def is_check_met(check: Check, replica: ReplicaState) -> bool:
    """Say whether what is stored here is what HQ says must be: equal sums if and only if equal documents."""
    return (check.count, check.sum) == (replica.count, replica.sum)

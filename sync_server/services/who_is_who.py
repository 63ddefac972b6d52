"""What a person says of who is who, and what HQ can tell them: link, split, block, release, review, explain, rebuild.

Nothing is ever merged into anything: each of these adds one fact, and the part it reaches is worked out anew. So what
was linked comes apart again by a split, both histories whole. Flow step 7, from the command line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Any, Final

from shared.code_patterns import Fit, best_fit
from shared.errors import Refused
from shared.identity import Identifier, IdentifierType, canonical_form
from shared.identity_policy import PolicyFile
from shared.partition import Component, Partition, partition
from sync_server.ports import CentralReader, CentralWriter, IdentityFactRow, LedgerRow, ReviewRow
from sync_server.services.alarms import alarm_of
from sync_server.services.chain import read_chain
from sync_server.services.conflicts import tried_again
from sync_server.services.evidence import LINKED, as_identifier, as_pair
from sync_server.services.headquarters import Headquarters
from sync_server.services.identity import (
    Placing,
    gather_part,
    known_leads,
    place_again,
    take_evidence_anew,
)
from sync_server.services.identity_rules import POLICY_KIND, policy_of
from sync_server.services.json_text import decode
from sync_server.services.merge import fact_of_row, fold_anew, merge_again, region_of
from sync_server.services.review import SETTLED, review_of

_PAGE: Final = 2_000
_FOLD_PAGE: Final = 400
Progress = Callable[[str, int, int], None]
"""(stage, so many more, of about so many in all)."""


def _quiet(stage: str, more: int, total: int) -> None:
    """Nobody looks."""


# saying who is who ----------------------------------------------------------------------------------------------------


@tried_again
def link(hq: Headquarters, a: str, b: str, *, who: str, reason: str = "") -> dict[str, Any]:
    """Two identifiers are one shopper, said by a person. Raises Refused for what cannot be read, or one with itself."""
    return _say(hq, "link", a, b, who, reason)


@tried_again
def split(hq: Headquarters, a: str, b: str, *, who: str, reason: str = "") -> dict[str, Any]:
    """Two identifiers are never one shopper; both get back the history of their own. Raises Refused."""
    return _say(hq, "split", a, b, who, reason)


@tried_again
def block(hq: Headquarters, value: str, *, who: str, reason: str = "") -> dict[str, Any]:
    """A value identifies nobody: a counter's own phone, an address typed by everybody. Raises Refused."""
    return _say(hq, "block", value, None, who, reason)


@tried_again
def release(hq: Headquarters, value: str, *, who: str, reason: str = "") -> dict[str, Any]:
    """Publish a shopper whose size held it back: somebody looked, and it is one person. Raises Refused."""
    return _say(hq, "release", value, None, who, reason)


def _say(hq: Headquarters, kind: str, a: str, b: str | None, who: str, reason: str) -> dict[str, Any]:
    with hq.database.write() as tx:
        one = read_identifier(tx, a)
        other = None if b is None else read_identifier(tx, b)
        if one == other:
            raise Refused(f"{a!r:.80} and {b!r:.80} are one and the same identifier: name two.")
        fact = IdentityFactRow(
            hq.make_id(),
            kind,
            one.type.value,
            one.value,
            other.type.value if other else None,
            other.value if other else None,
            hq.now_at(),
            who,
            reason,
        )
        tx.lock_identity()
        tx.add_identity_facts([fact])
        named = {one} if other is None else {one, other}
        _decide(tx, fact, hq.now_at())
        placing = place_again(tx, named, hq.now_at(), is_wide=True)
        if kind == "link" and (home := placing.target(named)):
            tx.add_facts([_linked_row(fact, hq.now_at())], {fact.fact_id: home})
        if kind in ("link", "release"):
            placing = _asked_again(tx, placing, named)
        writes = merge_again(tx, placing, hq.now_at())
        hq.note_audit(tx, who, f"{kind}: who is who", " and ".join(sorted(f"{x.type}" for x in named)))
        tx.publish(writes, hq.now_at())
        leads = known_leads(tx, named)
    hq.doorbell.ring()
    return {"fact_id": fact.fact_id, "said": kind, "profiles": sorted({*leads.values()})}


def _linked_row(fact: IdentityFactRow, now_at: str) -> LedgerRow:
    """That two sides were joined, for the fold: consent given on one side does not speak for the other."""
    subject = json.dumps([(fact.a_type, fact.a_value), (fact.b_type, fact.b_value)])
    return LedgerRow(
        fact_id=fact.fact_id,
        kind=LINKED,
        schema=1,
        origin="command line",
        store=None,
        associate_id=None,
        occurred_at=now_at,
        effective_at=now_at,
        received_at=now_at,
        offset_ms=None,
        is_clock_suspect=False,
        about=None,
        amends=None,
        sha="",
        body="{}",
        verdict="accepted",
        subject=subject,
    )


def _asked_again(tx: CentralReader, placing: Placing, named: Collection[Identifier]) -> Placing:
    """Also profiles whose identifiers stay are folded anew: the link itself is a fact of them, a release shows them."""
    touched = {id_ for one in named if (id_ := placing.leads.get(one))}
    return replace(placing, torn=placing.torn | touched)


def _decide(tx: CentralWriter, fact: IdentityFactRow, now_at: str) -> None:
    """What was said of a pair decides it in the review queue."""
    if fact.b_type is None or fact.kind not in ("link", "split"):
        return
    decision = {"decided_at": now_at, "decision": "linked" if fact.kind == "link" else "split"}
    for (a_type, a_value), (b_type, b_value) in (
        ((fact.a_type, fact.a_value), (fact.b_type, fact.b_value)),
        ((fact.b_type, fact.b_value), (fact.a_type, fact.a_value)),
    ):
        pair = {"a_type": a_type, "a_value": a_value, "b_type": b_type, "b_value": b_value}
        tx.change_rows("review", decision, **pair, decided_at=None)
        tx.change_rows("review", decision, **pair, decision=SETTLED)


def read_identifier(reader: CentralReader, text: str) -> Identifier:
    """`type:value`, or a value alone where its form says what it is. Raises Refused."""
    kind, _, value = text.strip().partition(":")
    region = region_of(reader.stores(), None)
    if value and kind in set(IdentifierType):
        kinds, said = [IdentifierType(kind)], value
    else:
        kinds, said = [IdentifierType.LOYALTY_ID, IdentifierType.EMAIL, IdentifierType.CUSTOMER_ID], text
        kinds = [IdentifierType.EMAIL] if "@" in said else kinds
        kinds = [IdentifierType.LOYALTY_ID] if best_fit(said, read_chain(reader).loyalty_numbers) is Fit.FITS else kinds
    forms = [form for one in kinds if (form := canonical_form(one, said, region=region)) is not None]
    known = [form for form in forms if reader.profile_ids([(form.type.value, form.value)])]
    if not forms or (len(kinds) > 1 and not known):
        raise Refused(
            f"{text!r:.80} is no identifier HQ knows. Say what it is, as in email:mara@example.com, phone:+49..., "
            "loyalty_id:..., customer_id:..."
        )
    return (known or forms)[0]


# the review queue -----------------------------------------------------------------------------------------------------


def list_reviews(hq: Headquarters) -> list[dict[str, Any]]:
    """Pairs that wait for somebody to look, oldest first, each with what speaks for it; held profiles before them."""
    with hq.database.read() as reader:
        rows = reader.reviews(is_open=True)
        leads = known_leads(reader, {one for row in rows for one in _both(row)})
        held, alarm = reader.held_profiles(), alarm_of(reader, hq.now_at())
    waiting: list[dict[str, Any]] = (
        [{"id": "", "what": "alarm", "why": alarm, "found_at": hq.now_at()}] if alarm else []
    )
    waiting += [
        {"id": profile_id, "what": "held", "why": "too many identifiers for one person", "found_at": held_at}
        for profile_id, held_at in held
    ]
    return waiting + [_told(row, leads) for row in rows]


def _both(row: ReviewRow) -> tuple[Identifier, Identifier]:
    return as_identifier((row.a_type, row.a_value)), as_identifier((row.b_type, row.b_value))


def _told(row: ReviewRow, leads: Mapping[Identifier, str]) -> dict[str, Any]:
    a, b = _both(row)
    return {
        "id": row.review_id,
        "what": "pair",
        "a": f"{a.type.value}:{a.value}",
        "b": f"{b.type.value}:{b.value}",
        "why": row.why,
        "score": row.score,
        "evidence": json.loads(row.evidence),
        "is_one_now": leads.get(a) is not None and leads.get(a) == leads.get(b),
        "found_at": row.found_at,
    }


def keep_apart(hq: Headquarters, review_id: str, *, who: str) -> dict[str, Any]:
    """Somebody looked at a pair and leaves it as it is, without saying that they are two. Raises Refused."""
    with hq.database.write() as tx:
        decision = {"decided_at": hq.now_at(), "decision": "kept"}
        if tx.change_rows("review", decision, review_id=review_id, decided_at=None) != 1:
            raise Refused(f"No pair waits under {review_id!r:.60}: see `sync-server identity review`.")
        hq.note_audit(tx, who, "left a pair as it is", review_id)
    return {"id": review_id, **decision}


# explaining -----------------------------------------------------------------------------------------------------------


def explain(hq: Headquarters, text: str) -> dict[str, Any]:
    """Why a shopper is who they are: identifiers, each join with its evidence, what was refused and why, who said what.

    Raises Refused for somebody nobody knows.
    """
    with hq.database.read() as reader:
        one = read_identifier(reader, text)
        part = gather_part(reader, {one})
        found = partition(part.facts, known_shared=part.shared_outside)
        component = found.component_of(one)
        if component is None:
            raise Refused(f"HQ has seen nobody by {text!r:.80}: it identifies nobody, or never came.")
        seen = {row.fact_id: row for row in reader.sightings_of([as_pair(x) for x in component.identifiers])}
        held = reader.profiles([component.profile_id]).get(component.profile_id)
        redirects = reader.redirects_to([component.profile_id]).get(component.profile_id, [])
    return {
        "profile_id": component.profile_id,
        "anchor": _spell(component.anchor),
        "identifiers": sorted(map(_spell, component.identifiers)),
        "shown_only": sorted(_spell(value) for value, anchors in found.shown_by.items() if component.anchor in anchors),
        "joined": [
            {
                "a": _spell(edge.a),
                "b": _spell(edge.b),
                "through": edge.through and _spell(edge.through),
                "at": edge.at,
                "who": edge.link.by if edge.link else "seen together",
                "fact_id": edge.fact_id,
            }
            for edge in component.edges
        ],
        "refused": [_refused(row) for row in _refused_of(found, component)],
        "times_seen": len(seen),
        "former_ids": redirects,
        "held_since": held.held_at if held else None,
    }


def _refused_of(found: Partition, component: Component) -> list[ReviewRow]:
    near = [one for one in found.refused if {one.edge.a, one.edge.b} & component.identifiers]
    return [review_of(one, one.edge.at) for one in near]


def _refused(row: ReviewRow) -> dict[str, Any]:
    return {"a": f"{row.a_type}:{row.a_value}", "b": f"{row.b_type}:{row.b_value}", "why": row.why, "at": row.found_at}


def _spell(one: Identifier) -> str:
    return f"{one.type.value}:{one.value}"


# rebuilding -----------------------------------------------------------------------------------------------------------


def has_unread_ledger(reader: CentralReader) -> bool:
    """Whether this database is of a version that kept no evidence: then it is read out of the ledger at the opening."""
    sightings = reader.every_sighting()
    try:
        return next(sightings, None) is None and bool(reader.facts_naming("", 1))
    finally:
        sightings.close()


def rebuild(hq: Headquarters, progress: Progress = _quiet) -> dict[str, int]:
    """Work out who is who from the ledger alone, and every profile with it. Changes nothing where nothing was wrong.

    One transaction, so a rebuild that is killed changed nothing; tablets that push meanwhile are told to come back.
    Everything goes by pages in order of a key: memory does not grow with the ledger.
    """
    with hq.database.write() as tx:
        tx.lock_identity()
        told = _work_out_anew(hq, tx, progress)
        said = f"{told['identifiers_changed']} identifiers, {told['facts_moved']} facts"
        hq.note_audit(tx, "command line", "rebuilt who is who", said)
    hq.doorbell.ring()
    return told


def _work_out_anew(hq: Headquarters, tx: CentralWriter, progress: Progress) -> dict[str, int]:
    tx.forget_answers()
    _see_again(tx, progress)
    held = _place_all(tx, hq.now_at(), progress)
    moved = _assign_again(tx, progress)
    left = _fold_again(hq, tx, held, progress)
    return {"identifiers_changed": tx.count_changed_answers(), "facts_moved": moved, "profiles": left}


def say_policy(
    hq: Headquarters, said: PolicyFile, *, who: str, reason: str = "", progress: Progress = _quiet
) -> dict[str, int]:
    """From now on the chain links by these limits and priorities, and always has: everything is worked out anew with
    them, in the transaction that says so. What was joined or refused by the policy before comes apart or together."""
    with hq.database.write() as tx:
        tx.lock_identity()
        tx.add_identity_facts(
            [IdentityFactRow(hq.make_id(), POLICY_KIND, "", said.to_text(), None, None, hq.now_at(), who, reason)]
        )
        told = _work_out_anew(hq, tx, progress)
        hq.note_audit(tx, who, "policy: who is who", said.to_text())
    hq.doorbell.ring()
    return told


def _see_again(tx: CentralWriter, progress: Progress) -> None:
    """Every fact that names somebody is taken as evidence again."""
    total, after = tx.count_rows("fact"), ""
    while page := tx.facts_naming(after, _PAGE):
        take_evidence_anew(tx, [fact_of_row(row) for row in page])
        after = page[-1].fact_id
        progress("read", len(page), total)


def _place_all(tx: CentralWriter, now_at: str, progress: Progress) -> frozenset[str]:
    """Part by part: what leads somewhere was placed with all that it reaches. Returns which profiles are held."""
    held: set[str] = set()
    said = {(one.a_type, one.a_value) for one in tx.identity_facts() if one.kind in ("link", "alias")}
    total, waiting = tx.count_rows("sighted"), iter(sorted(said))
    for page in chain(_sighted_pages(tx), iter(lambda: list(islice(waiting, _PAGE)), [])):
        placed = tx.profile_ids(page)
        if rest := [as_identifier(pair) for pair in page if pair not in placed]:
            held |= place_again(tx, rest, now_at).held
        progress("placed", len(page), total)
    return frozenset(held)


def _sighted_pages(reader: CentralReader) -> Iterator[list[tuple[str, str]]]:
    after = ("", "")
    while page := reader.values_sighted(after, _PAGE):
        yield page
        after = page[-1]


def _assign_again(tx: CentralWriter, progress: Progress) -> int:
    """Every fact goes where its identifiers lead; how many moved."""
    moved, after, total, policy = 0, "", tx.count_rows("fact"), policy_of(tx)
    while page := tx.owners_named(after, _PAGE):
        named = [[as_identifier((type_, value)) for type_, value in decode(subject)] for _, subject, _ in page]
        led = Placing(known_leads(tx, {one for some in named for one in some}), policy=policy)
        targets = [led.target(some) for some in named]
        changed = [(row[0], target) for row, target in zip(page, targets, strict=True) if target != row[2]]
        tx.assign_facts(changed)
        moved, after = moved + len(changed), page[-1][0]
        progress("assigned", len(page), total)
    return moved + tx.follow_targets()


def _fold_again(hq: Headquarters, tx: CentralWriter, held: frozenset[str], progress: Progress) -> int:
    """Every profile from exactly its own facts; one without any is none."""
    count, after, total = 0, "", tx.count_rows("profile")
    while page := tx.owners_after(after, _FOLD_PAGE):
        sizes = Placing({}, held=held.intersection(page), released=frozenset(page) - held)
        tx.publish(fold_anew(tx, page, sizes, hq.now_at()), hq.now_at())
        count, after = count + len(page), page[-1]
        progress("folded", len(page), total)
    return count

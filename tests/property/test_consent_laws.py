"""The law of consent: whatever is joined, granted, denied, undone or imported, in any order, no store is shown
behaviour that the rule forbids. The rule is written here a second time, as a walk through time over the facts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clock import format_at, seconds_at
from shared.fold import EVENT, Fact, ProfileState, fold
from shared.projection import Reading, StoreView, consent_in_force, project
from shared.wire.messages import store_scope
from sync_server.ports import LedgerRow
from sync_server.services.consent import decisions_in
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.traits import traits_of_profile
from sync_server.services.who_is_who import link, split
from tests.support.world import START, Journalist, make_headquarters, make_journalist, pass_time

PURPOSE = "personalise_in_store"
ONLINE = frozenset({"Product Viewed", "Product Added", "Segment Consent Preference Updated"})
Known = tuple[str, str]


@dataclass(frozen=True)
class Said:
    """All the rule needs of a fact: when, whom it named, and yes, no or nothing."""

    at: str
    who: frozenset[Known]
    yes: bool | None


def oracle(facts: list[Said]) -> bool | None:
    """May behaviour be shown? Sides join as time goes by; a no on any of them stays until somebody asks again."""
    sides: list[tuple[frozenset[Known], bool | None]] = []
    for fact in sorted(facts, key=lambda one: one.at):
        joined = [side for side in sides if side[0] & fact.who]
        answers = [answer for _, answer in joined if answer is not None]
        answer = fact.yes if fact.yes is not None else (all(answers) if answers else None)
        sides = [side for side in sides if side not in joined]
        sides.append((fact.who.union(*(who for who, _ in joined)), answer))
    answers = [answer for _, answer in sides if answer is not None]
    return all(answers) if answers else None


# folded alone ---------------------------------------------------------------------------------------------------------

_WHO = [("loyalty_id", "29"), ("email", "a@example.org"), ("email", "b@example.org"), ("customer_id", "c1")]


@st.composite
def sides(draw: st.DrawFn) -> list[Fact]:
    """Facts of one profile at different moments: visits, joins, and decisions from the web, an import and the floor."""
    facts = []
    for number in range(draw(st.integers(1, 9))):
        at = seconds_at(1_790_000_000 + number * 60)
        who = tuple(sorted(draw(st.sets(st.sampled_from(_WHO), min_size=1, max_size=3))))
        decision = draw(st.sampled_from(["granted", "denied", None]))
        if draw(st.booleans()) and decision:
            method = draw(st.sampled_from(["shopper_tapped", "spoken", "paper"]))
            body: dict[str, Any] = {"consent": {"purpose": PURPOSE, "decision": decision, "method": method}}
            facts.append(Fact(f"f{number}", at, "consent_changed", body, "berlin-1", identifiers=who))
            if draw(st.integers(0, 4)) == 0:
                undo_at = seconds_at(1_790_100_000 + number)
                facts.append(Fact(f"u{number}", undo_at, "op_withdrawn", {}, "berlin-1", amends=f"f{number}"))
        else:
            name = draw(st.sampled_from(["Product Viewed", "Product Added", "Order Completed"]))
            body = {"kind": "track", "channel": "web", "name": name, "sku": "a", "quantity": 1}
            body |= {"consent": {PURPOSE: decision} if decision else {}, "offer_id": "ten"}
            facts.append(Fact(f"f{number}", at, EVENT, body, identifiers=who))
    return facts


def _as_said(facts: list[Fact]) -> list[Said]:
    undone = {fact.amends for fact in facts}
    return [
        Said(fact.at, frozenset(fact.identifiers), None if fact.id in undone else _answer(fact.kind, fact.body))
        for fact in facts
        if fact.identifiers
    ]


def _answer(kind: str, body: Any) -> bool | None:
    if kind == "consent_changed":
        given = body["consent"]
        is_heard = given["purpose"] == PURPOSE and (given["decision"] == "denied" or given["method"] != "spoken")
        return given["decision"] == "granted" if is_heard else None
    said = (body.get("consent") or {}).get(PURPOSE)
    return None if said is None else said == "granted"


@settings(max_examples=400)
@given(sides(), st.randoms(use_true_random=False), st.integers(0, 9))
def test_any_order_and_any_cut_gives_what_the_rule_says(facts: list[Fact], shuffler: Any, cut: int) -> None:
    """Folded straight, shuffled, and with a stop in the database between: one answer, and the rule's."""
    shuffled = list(facts)
    shuffler.shuffle(shuffled)
    straight = fold(ProfileState(), facts)
    part = json.loads(json.dumps(fold(ProfileState(), shuffled[:cut]).as_json()))
    mixed = fold(ProfileState.from_json(part), shuffled[cut:])
    assert straight == mixed
    said = consent_in_force(Reading(straight)).get(PURPOSE)
    assert (said and said["decision"] == "granted") == oracle(_as_said(facts))
    document = project(Reading(mixed), "p", StoreView(), ["home"])
    assert shows_behaviour(document) <= (oracle(_as_said(facts)) is True)


def shows_behaviour(document: dict[str, Any]) -> bool:
    """Anything in a store's document that only a visit online can have put there."""
    lists = any(document[name] for name in ("recent", "cart", "wishlist", "offers"))
    bought = any(line["channel"] == "web" for line in document["purchases"])
    seen = "web" in document["facts"]["last_seen"] or bool(ONLINE & set(document["seen"]))
    return lists or bought or seen or "cart_near" in document["slice"]


# through the doors of HQ ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Headquarters, Journalist]]:
    """One headquarters and a tablet; every example has shoppers of its own."""
    folder: Path = tmp_path_factory.mktemp("consent")
    hq = make_headquarters(f"sqlite:///{folder / 'central.db'}", folder)
    yield hq, make_journalist(hq)
    hq.database.close()


_example = count(1)
steps = st.lists(
    st.tuples(
        st.sampled_from(
            ["visit", "web", "banner", "import", "floor", "floor", "enrol", "open", "undo", "link", "split"]
        ),
        st.integers(0, 3),
        st.sets(st.sampled_from(["email", "customer_id", "loyalty_id"]), min_size=1, max_size=3),
        st.booleans(),
        st.integers(0, 3),
        st.integers(1, 5_000),
    ),
    min_size=3,
    max_size=14,
)


def loyalty_id(example: int, shopper: int) -> str:
    """A number with its check digit."""
    digits = f"29{example:09d}{shopper}"
    weighed = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighed % 10}"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(steps)
def test_no_story_shows_a_store_what_the_rule_forbids(
    world: tuple[Headquarters, Journalist], story: list[tuple[str, int, set[str], bool, int, int]]
) -> None:
    """Visits, sign-ins under several names, banners, imports, the floor and its undos, told late and in any order; and
    HQ, who joins two of the shoppers and takes them apart."""
    hq, tablet = world
    example = next(_example)
    for number, (deed, shopper, names, is_yes, other, ago) in enumerate(story):
        pass_time(hq, minutes=7)
        who = _names(example, shopper, names, other)
        if deed in ("link", "split"):
            _at_hq(hq, deed, who, names, _names(example, other, set(), other))
        elif deed in ("floor", "enrol", "open", "undo"):
            _on_the_floor(tablet, deed, who["loyalty_id"], is_yes=is_yes)
        else:
            # milliseconds of their own: no two facts of an example are of one instant
            at = format_at(hq.clock.now() - timedelta(seconds=ago, milliseconds=number + 1))
            take_messages(hq.database, hq.clock, deed, [_message(deed, at, names, who, example, number, is_yes=is_yes)])
    _check(hq, {value for shopper in range(4) for value in _names(example, shopper, set(), shopper).values()})


def _names(example: int, shopper: int, names: set[str], other: int) -> dict[str, str]:
    """What a shopper is called; once in a while the e-mail is another's, which joins the two."""
    mail = other if "email" in names and other < 2 else shopper
    return {
        "loyalty_id": loyalty_id(example, shopper),
        "email": f"s{mail}.{example}@example.org",
        "customer_id": f"c-{example}-{shopper}",
    }


def _at_hq(hq: Headquarters, deed: str, who: dict[str, str], names: set[str], others: dict[str, str]) -> None:
    """A person says of a name of one and the card of another that they are one shopper, or that they are two."""
    one, other = f"{min(names)}:{who[min(names)]}", f"loyalty_id:{others['loyalty_id']}"
    if one != other:
        (link if deed == "link" else split)(hq, one, other, who="Ada")


def _on_the_floor(tablet: Journalist, deed: str, card: str, *, is_yes: bool) -> None:
    shopper = {"type": "loyalty_id", "value": card}
    given = {"purpose": PURPOSE, "decision": "granted" if is_yes else "denied", "method": "shopper_tapped"}
    given |= {"wording_version": "1", "wording_sha": "0" * 64, "language": "en"}
    if deed == "enrol":
        op = tablet.record("shopper_enrolled", {"loyalty_id": card, "consents": [given]})
    elif deed == "open":
        op = tablet.record("shopper_opened", {"shopper": shopper, "how": "card"})
    elif deed == "undo" and tablet.ops:
        op = tablet.record("op_withdrawn", {"why": "undo"}, amends=tablet.ops[-1]["op_id"])
    else:
        op = tablet.record("consent_changed", {"shopper": shopper, "consent": given})
    assert all(result["verdict"] == "accepted" for result in tablet.push([op])["results"])


def _message(
    deed: str, at: str, names: set[str], who: dict[str, str], example: int, number: int, *, is_yes: bool
) -> dict[str, Any]:
    traits = {name: who[name] for name in ("email", "loyalty_id") if name in names}
    message: dict[str, Any] = {"messageId": f"{example}-{number}", "timestamp": at, "type": "track"}
    if "customer_id" in names or not traits:
        message["userId"] = who["customer_id"]
    context: dict[str, Any] = {"traits": traits}
    if deed == "web":
        return {**message, "type": "identify", "traits": traits}
    if deed == "visit":
        properties = {"sku": "a1", "price": 5, "currency": "EUR"}
        return {**message, "event": "Product Added", "properties": properties, "context": context}
    told = {"properties": {"method": "paper", "wording_version": "1"}} if deed == "import" else {}
    context |= {"consent": {"categoryPreferences": {PURPOSE: is_yes} if is_yes or number % 2 else {}}}
    return {**message, "event": "Segment Consent Preference Updated", "context": context, **told}


def _check(hq: Headquarters, values: set[str]) -> None:
    with hq.database.read() as reader:
        pairs = [(type_, value) for value in values for type_ in ("loyalty_id", "email", "customer_id")]
        profile_ids = set(reader.profile_ids(pairs).values())
        ledger: dict[str, list[LedgerRow]] = {}
        for row in reader.facts_of(profile_ids):
            ledger.setdefault(row.profile_id or "", []).append(row)
        stored = reader.profiles(profile_ids)
        for profile_id in profile_ids:
            allowed = oracle(_of_ledger(ledger.get(profile_id, [])))
            for store in ("berlin-1", "zurich-1"):
                held = reader.doc(store_scope(store), f"profile/{profile_id}")
                if held is not None and not held.deleted:
                    document = json.loads(held.body)
                    assert shows_behaviour(document) <= (allowed is True), document
                    assert ("behaviour" in document.get("redacted", [])) == (allowed is not True)
            if profile_id not in stored:
                continue  # a name HQ linked and nobody ever came under
            told = traits_of_profile(stored[profile_id]) or {}
            assert (told["consent_personalise_in_store"] == "granted") == (allowed is True)


def _of_ledger(rows: list[LedgerRow]) -> list[Said]:
    undone = {row.amends for row in rows if row.kind == "op_withdrawn"}
    found = []
    for row in rows:
        decided = [one["decision"] for one in decisions_in(row) if one["purpose"] == PURPOSE]
        yes = decided[0] == "granted" if decided and row.fact_id not in undone else None
        who = frozenset((type_, value) for type_, value in json.loads(row.subject or "[]"))
        found += [Said(row.effective_at, who, yes)] if who else []
    assert len({one.at for one in found}) == len(found), "the oracle needs moments of their own"
    return found


def test_the_world_begins_where_its_clock_says() -> None:
    """The stories are told in a chain whose day can be read in a failure."""
    assert format_at(START).startswith("2026-11-22")

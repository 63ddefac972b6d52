"""The law of identity at HQ: whatever order facts come in, and in whatever batches, who is who is the whole partition's
answer, every fact is with whom its identifiers lead to, and every profile is folded from exactly its own."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.clock import shift_at
from shared.fold import ProfileState, fold
from shared.identity_policy import PolicyFile
from shared.partition import Partition, partition
from sync_server.ports import CentralReader, ReviewRow
from sync_server.services.evidence import LINKED, as_identifier
from sync_server.services.headquarters import Headquarters
from sync_server.services.identity import as_sightings, facts_of_rows, leads_of
from sync_server.services.identity_rules import blocks_of, policy_of
from sync_server.services.ingest import take_messages
from sync_server.services.merge import fact_of_row
from sync_server.services.review import SETTLED, reviews_of
from sync_server.services.who_is_who import block, link, rebuild, say_policy, split
from tests.support.world import make_headquarters, make_journalist

SESSIONS_A_WORLD = 9
LOYALTY = ("2900000000018", "2900000000025", "2900000000032")
CUSTOMERS = ("c-1", "c-2", "c-3")
EMAILS = ("one@example.com", "two@example.com")
PHONES = ("+4915112345678",)
BROWSERS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
NAMED = [("loyalty_id", one) for one in LOYALTY] + [("customer_id", one) for one in CUSTOMERS[:2]]
NAMED += [("email", one) for one in EMAILS] + [("phone", one) for one in PHONES]

POLICIES = [
    PolicyFile.model_validate(said)
    for said in (
        {},
        {"limits": {"email": {"links": "suggest"}, "phone": {"links": "never"}}, "shared_from": 2},
        {"limits": {"email": {"max": 1}, "anonymous_id": {"max": 1, "days": 1}}},
        {"priorities": ["email", "customer_id", "loyalty_id", "anonymous_id", "phone", "payment_token"]},
    )
]


@pytest.fixture(scope="module")
def world() -> Iterator[Path]:
    """A place for many small chains."""
    with TemporaryDirectory() as place:
        yield Path(place)


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """An identify, an alias or a look at a product, of one of few people on few devices."""
    number = draw(st.integers(0, 10**6))
    made: dict[str, Any] = {
        "messageId": f"m-{number}",
        "timestamp": shift_at("2026-11-01T10:00:00.000Z", ms=1000 * draw(st.integers(0, 40))),
        "type": draw(st.sampled_from(("identify", "identify", "track", "alias"))),
        "anonymousId": draw(st.none() | st.sampled_from(BROWSERS)),
        "userId": draw(st.none() | st.sampled_from(CUSTOMERS)),
    }
    traits = {
        "email": draw(st.none() | st.sampled_from(EMAILS)),
        "phone": draw(st.none() | st.sampled_from(PHONES)),
        "loyalty_id": draw(st.none() | st.sampled_from(LOYALTY)),
        "last_name": draw(st.sampled_from((None, "Voss", "Kern"))),
        "phone_verified": draw(st.sampled_from((None, None, True))),
    }
    if made["type"] == "alias":
        made["previousId"] = draw(st.sampled_from((*CUSTOMERS, *BROWSERS)))
    if made["type"] == "track":
        made |= {"event": "Product Viewed", "properties": {"sku": "S1", "name": "Parka"}}
    made["traits" if made["type"] == "identify" else "context"] = (
        {name: one for name, one in traits.items() if one} if made["type"] == "identify" else {}
    )
    return {name: one for name, one in made.items() if one is not None}


deeds = st.one_of(
    st.tuples(st.just("events"), st.lists(messages(), min_size=1, max_size=4)),
    st.tuples(st.just("note"), st.sampled_from(LOYALTY)),
    st.tuples(st.sampled_from(("link", "split")), st.tuples(st.sampled_from(NAMED), st.sampled_from(NAMED))),
    st.tuples(st.just("block"), st.sampled_from([("email", EMAILS[1])])),
    st.tuples(st.just("policy"), st.integers(0, len(POLICIES) - 1)),
)


def do(hq: Headquarters, tablet: Any, deed: tuple[str, Any]) -> None:
    """One thing that happens at HQ."""
    what, told = deed
    if what == "events":
        take_messages(hq.database, hq.clock, "shop", told)
    elif what == "note":
        tablet.push([tablet.note("seen", loyalty_id=told)])
    elif what == "policy":
        say_policy(hq, POLICIES[told], who="Ada")
    elif what == "block":
        block(hq, ":".join(told), who="Ada", reason="the counter's own")
    elif told[0] != told[1]:
        (link if what == "link" else split)(hq, ":".join(told[0]), ":".join(told[1]), who="Ada", reason="asked")


def whole_answer(reader: CentralReader) -> Partition:
    """The partition of everything, worked out from nothing but identity facts."""
    rows = list(reader.every_sighting())
    called = {
        as_identifier(pair): as_identifier(meant)
        for row in rows
        for pair in row.identifiers
        if pair[0] == "profile_id"
        for meant in reader.identifiers_called([pair[1]]).values()
    }
    facts = facts_of_rows(as_sightings(rows, called), reader.identity_facts(), blocks_of(reader), policy_of(reader))
    return partition(facts)


def open_pairs(rows: Iterable[ReviewRow]) -> dict[str, tuple[str, str]]:
    """Pair -> (why, evidence)."""
    return {row.review_id: (row.why, row.evidence) for row in rows}


def check(hq: Headquarters) -> None:
    """Everything that must hold at any moment."""
    with hq.database.read() as reader:
        whole, policy = whole_answer(reader), policy_of(reader)
        expected = leads_of(whole)
        answered = {row.review_id for row in reader.reviews(is_open=False) if row.decision != SETTLED}
        refused = open_pairs(reviews_of(whole.refused, hq.now_at()).values())
        waiting = open_pairs(reader.reviews(is_open=True))
        assert waiting == {key: told for key, told in refused.items() if key not in answered}
        held = {as_identifier((row["type"], row["value"])): row["profile_id"] for row in reader.rows("identifier")}
        assert held == expected, {
            one: (held.get(one), expected.get(one))
            for one in held.keys() | expected
            if held.get(one) != expected.get(one)
        }
        profiles = {one.profile_id: one for one in reader.every_profile()}
        ledger = [row for row in map(dict, reader.rows("fact")) if row["verdict"] == "accepted"]
        own: dict[str, list[Any]] = {profile_id: [] for profile_id in profiles}
        for row in ledger:
            named = [as_identifier((type_, value)) for type_, value in json.loads(row["subject"] or "[]")]
            led = [one for one in named if one in expected]
            if named and not (row["kind"] == LINKED and row["profile_id"] is None):
                meant = expected[policy.strongest(led)] if led else None
                assert row["profile_id"] == meant, (row["kind"], named, row["profile_id"], meant)
        for fact in reader.facts_of(profiles):
            own[fact.profile_id or ""].append(fact_of_row(fact))
    for profile_id, kept in profiles.items():
        again, state = fold(ProfileState(), own[profile_id]).as_json(), json.loads(kept.state)
        assert again == state, {
            name: (again[name], state.get(name)) for name in again if again[name] != state.get(name)
        }


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=25)
@given(st.lists(deeds, min_size=1, max_size=SESSIONS_A_WORLD), st.integers(0, 10**9))
def test_a_part_worked_out_anew_is_the_whole(world: Path, told: list[tuple[str, Any]], number: int) -> None:
    """After each deed; and a rebuild from the ledger changes nothing."""
    with TemporaryDirectory(dir=world) as place:
        hq = make_headquarters(f"sqlite:///{place}/central.db", Path(place))
        try:
            tablet = make_journalist(hq)
            for deed in told:
                do(hq, tablet, deed)
                check(hq)
            before = documents_of(hq)
            rebuild(hq)
            check(hq)
            assert documents_of(hq) == before
        finally:
            hq.database.close()


def random_message(draw: random.Random) -> dict[str, Any]:
    """The same kinds of message, drawn evenly: Hypothesis likes small worlds, and some slips need crowded ones."""
    traits = {
        "email": draw.choice((None, *EMAILS)),
        "phone": draw.choice((None, *PHONES)),
        "loyalty_id": draw.choice((None, None, *LOYALTY)),
        "last_name": draw.choice((None, "Voss", "Kern")),
        "phone_verified": draw.choice((None, None, True)),
    }
    kind = draw.choice(("identify", "identify", "track", "alias"))
    made: dict[str, Any] = {
        "messageId": f"m-{draw.randrange(10**9)}",
        "timestamp": shift_at("2026-11-01T10:00:00.000Z", ms=1000 * draw.randrange(40)),
        "type": kind,
        "anonymousId": draw.choice((None, *BROWSERS)),
        "userId": draw.choice((None, *CUSTOMERS)),
        "previousId": draw.choice((*CUSTOMERS, *BROWSERS)) if kind == "alias" else None,
        "event": "Product Viewed" if kind == "track" else None,
        "traits": {name: one for name, one in traits.items() if one} if kind == "identify" else None,
    }
    return {name: one for name, one in made.items() if one is not None}


def random_deed(draw: random.Random, *, has_policies: bool) -> tuple[str, Any]:
    """What happens next."""
    if has_policies and draw.random() < 0.15:
        return "policy", draw.randrange(len(POLICIES))
    what = draw.choice(("events",) * 5 + ("note", "note", "link", "split", "block"))
    if what == "events":
        return what, [random_message(draw) for _ in range(draw.randrange(1, 5))]
    if what == "note":
        return what, draw.choice(LOYALTY)
    return (what, NAMED[-2]) if what == "block" else (what, (draw.choice(NAMED), draw.choice(NAMED)))


@pytest.mark.parametrize("seed", [*range(8), 16, 59, 124, 1009, 1012, *range(2000, 2008)])
def test_in_crowded_worlds_too(world: Path, seed: int) -> None:
    """Few names, many deeds: values that come to be everybody's and cease to be, links undone, values blocked,
    and from 2000 on a chain that changes its policy."""
    draw = random.Random(seed)
    with TemporaryDirectory(dir=world) as place:
        hq = make_headquarters(f"sqlite:///{place}/central.db", Path(place))
        try:
            tablet = make_journalist(hq)
            for _ in range(20 if seed > 1000 else 9):
                do(hq, tablet, random_deed(draw, has_policies=seed >= 2000))
                check(hq)
            before = documents_of(hq)
            rebuild(hq)
            check(hq)
            assert documents_of(hq) == before
        finally:
            hq.database.close()


def documents_of(hq: Headquarters) -> dict[str, str]:
    """What the tablets of berlin-1 hold of shoppers."""
    with hq.database.read() as reader:
        return {row.id: row.body for row in reader.docs_of("store:berlin-1", "profile/")}

"""Consent where two sides are found to be one shopper: what stands, in any order of arrival."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from shared.clock import seconds_at
from shared.fold import EVENT, Fact, ProfileState, fold
from shared.identity import Identifier, IdentifierType, profile_id_for
from shared.projection import Reading, StoreView, consent_in_force, project, slice_reasons

CARD, MAIL, ACCOUNT = ("loyalty_id", "29"), ("email", "a@example.org"), ("customer_id", "c1")
PHONE, BROWSER = ("phone", "+4915100000001"), ("anonymous_id", "browser-1")
PERSONAL = "personalise_in_store"


def said(fact_id: str, hour: int, decision: str | None, *who: tuple[str, str], **extra: str) -> Fact:
    """A message of a website; without a decision it only shows that these belong together."""
    consent = {PERSONAL: decision} if decision else {}
    body = {"kind": "identify", "channel": "web", "consent": consent, "extra": extra}
    return Fact(fact_id, seconds_at(1_790_000_000 + hour * 3600), EVENT, body, identifiers=who)


def tapped(fact_id: str, hour: int, decision: str, who: tuple[str, str], method: str = "shopper_tapped") -> Fact:
    """A decision on the floor."""
    given = {"purpose": PERSONAL, "decision": decision, "method": method}
    at = seconds_at(1_790_000_000 + hour * 3600)
    return Fact(fact_id, at, "consent_changed", {"consent": given}, "berlin-1", identifiers=(who,))


def in_force(facts: list[Fact]) -> dict[str, Any]:
    """What stands for the purpose, which any order of arrival must agree on."""
    answers = [consent_in_force(Reading(fold(ProfileState(), order))) for order in permutations(facts)]
    assert all(answer == answers[0] for answer in answers)
    return answers[0].get(PERSONAL, {})


def test_a_join_with_a_side_that_said_no_denies_until_somebody_asks_again():
    """The grant is newer than the denial, but nobody knew they were one when it was given."""
    facts = [said("a", 1, "denied", MAIL), tapped("b", 2, "granted", CARD), said("c", 3, None, CARD, MAIL)]
    answer = in_force(facts)
    assert (answer["decision"], answer["is_conflict"], answer["at"]) == ("denied", True, facts[2].at)
    again = in_force([*facts, tapped("d", 4, "granted", CARD)])
    assert (again["decision"], again.get("is_conflict")) == ("granted", None)


def test_who_was_one_already_changes_their_mind_freely():
    """The same three facts with the join first: the latest decision counts."""
    facts = [said("c", 0, None, CARD, MAIL), said("a", 1, "denied", MAIL), tapped("b", 2, "granted", CARD)]
    assert in_force(facts)["decision"] == "granted"


def test_a_join_at_the_instant_of_a_grant_denies_unless_the_grant_names_both():
    """Ties deny; a shopper who answers under both names answers for both."""
    other = [said("a", 1, "denied", MAIL), tapped("b", 3, "granted", CARD), said("c", 3, None, CARD, MAIL)]
    assert in_force(other)["decision"] == "denied"
    own = [said("a", 1, "denied", MAIL), said("b", 3, "granted", CARD, MAIL)]
    assert in_force(own)["decision"] == "granted"


def test_silence_on_one_side_and_agreement_of_both_are_no_conflict():
    """Never asked is not a no; two yeses stay one."""
    for facts in (
        [tapped("b", 2, "granted", CARD), said("c", 3, None, CARD, MAIL)],
        [tapped("b", 2, "granted", CARD), said("a", 1, "granted", MAIL), said("c", 3, None, CARD, MAIL)],
    ):
        assert in_force(facts)["decision"] == "granted"


def test_a_conflict_on_one_side_is_a_no_in_the_next_join():
    """A side whose own join denied it does not come back to life by joining a third that said yes."""
    first = [said("a", 1, "denied", MAIL), said("b", 2, "granted", CARD), said("c", 3, None, CARD, MAIL)]
    third = [said("d", 4, "granted", ACCOUNT), said("e", 5, None, ACCOUNT, MAIL)]
    assert in_force([*first, *third])["decision"] == "denied"


def test_a_phone_that_two_sides_share_does_not_make_them_one_earlier():
    """A phone joins nobody by itself: until something stronger does, each side keeps its own answer."""
    facts = [said("a", 1, "denied", MAIL, PHONE), tapped("b", 3, "granted", CARD), said("p", 2, None, CARD, PHONE)]
    assert in_force([*facts, said("c", 4, None, CARD, MAIL)])["decision"] == "denied"


def test_a_browser_s_no_counts_from_the_day_it_was_identified():
    """Who denied before signing in denied; who says yes afterwards says it for both."""
    facts = [said("a", 1, "denied", BROWSER), said("b", 2, "granted", ACCOUNT), said("c", 3, None, ACCOUNT, BROWSER)]
    assert in_force(facts)["decision"] == "denied"
    assert in_force([*facts, said("d", 4, "granted", ACCOUNT)])["decision"] == "granted"


def test_sides_joined_by_a_person_s_word_alone_stay_denied_until_a_fact_names_both():
    """Nobody can say when a link without a fact of its own was made: the no stands."""
    facts = [said("a", 1, "denied", MAIL), tapped("b", 9, "granted", CARD)]
    assert in_force(facts)["decision"] == "denied"
    linked = Fact("l", seconds_at(1_790_000_000 + 10 * 3600), "identity_linked", {}, identifiers=(CARD, MAIL))
    assert in_force([*facts, linked, tapped("d", 11, "granted", CARD)])["decision"] == "granted"


def test_a_decision_about_a_profile_id_is_its_owner_s():
    """A tablet that opened a shopper from a list names the profile's id."""
    card = profile_id_for(Identifier(IdentifierType.LOYALTY_ID, CARD[1]))
    facts = [said("a", 1, "denied", MAIL), said("c", 2, None, CARD, MAIL)]
    about = Fact("b", seconds_at(1_790_000_000 + 3 * 3600), "consent_changed", {}, identifiers=(("profile_id", card),))
    given = {"consent": {"purpose": PERSONAL, "decision": "granted", "method": "paper"}}
    told = Fact(about.id, about.at, about.kind, given, "berlin-1", identifiers=about.identifiers)
    assert in_force([*facts, told])["decision"] == "granted"


def test_an_imported_grant_that_was_only_spoken_is_none():
    """However it came: an associate alone cannot record a yes."""
    assert in_force([said("a", 1, "granted", CARD, method="spoken")]) == {}
    assert in_force([said("a", 1, "denied", CARD, method="spoken")])["decision"] == "denied"


def test_a_state_written_before_sides_were_kept_is_still_read():
    """Its decisions were everybody's; a newer one is weighed against them."""
    old = ProfileState.from_json({"consent": {PERSONAL: [seconds_at(1_790_000_000), 1, "x", "denied", "1"]}})
    assert consent_in_force(Reading(old))[PERSONAL]["wording_version"] == "1"
    newer = fold(old, [tapped("b", 1, "granted", CARD)])
    assert consent_in_force(Reading(newer))[PERSONAL]["decision"] == "granted"


@pytest.mark.parametrize("purposes", [(), ("profiling",)])
def test_a_visit_to_the_website_leaves_no_trace_without_consent(purposes):
    """Not in any list, count or time of the document, and not in why a store holds it."""
    floor = Fact("n", seconds_at(1_790_000_000), "note_added", {"text": "wool"}, "berlin-1", identifiers=(CARD,))
    agreed = Fact(
        "g",
        seconds_at(1_790_000_000),
        EVENT,
        {"kind": "identify", "channel": "web", "consent": dict.fromkeys(purposes, "granted")},
        identifiers=(CARD,),
    )
    visit = {"kind": "track", "channel": "web", "name": "Product Added", "sku": "a1", "offer_id": "o", "quantity": 1}
    online = [
        Fact(f"w{hour}", seconds_at(1_790_000_000 + hour * 3600), EVENT, visit, identifiers=(CARD,)) for hour in (1, 2)
    ]
    quiet, busy = (Reading(fold(ProfileState(), facts)) for facts in ([floor, agreed], [floor, agreed, *online]))
    near = {"zurich-1": 900, "berlin-1": 400}
    documents = [project(reading, "p", StoreView(), ["home"]) for reading in (quiet, busy)]
    assert documents[1] | {"is_provisional": True} == documents[0] | {"is_provisional": True}
    stores = [slice_reasons(reading, seconds_at(1_790_100_000), near).keys() for reading in (quiet, busy)]
    assert stores[0] == stores[1]


def test_counts_of_online_events_need_profiling_too():
    """The last days may be shown, years of counting only with the consent for that."""
    visit = {"kind": "track", "channel": "web", "name": "Product Viewed", "sku": "a1"}
    for purposes, seen, redacted in (((PERSONAL,), {}, ["profiling"]), ((PERSONAL, "profiling"), {"n": 1}, None)):
        body = {**visit, "consent": dict.fromkeys(purposes, "granted")}
        reading = Reading(
            fold(ProfileState(), [Fact("w", seconds_at(1_790_000_000), EVENT, body, identifiers=(CARD,))])
        )
        document = project(reading, "p", StoreView(), ["home"])
        assert len(document["recent"]) == 1
        assert document["seen"].get("Product Viewed", {}).get("n") == seen.get("n")
        assert document.get("redacted") == redacted

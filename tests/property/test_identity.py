"""Identifiers and consent under any input: total, idempotent, and indifferent to the order of arrival."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.consent import (
    ConsentDecision,
    Decision,
    Method,
    Purpose,
    consent_after_merge,
    latest_decisions,
    merge_decisions,
)
from shared.identity import (
    Identifier,
    IdentifierType,
    canonical_form,
    fold_name,
    normalise,
    phone_key,
    profile_id_for,
)
from shared.identity_policy import SHIPPED_POLICY
from shared.ids import is_uuid
from shared.wire.canonical import check_body

types = st.sampled_from(IdentifierType)
regions = st.sampled_from(["DE", "CH", "PT", "US", "ZZ"])
anything = st.text() | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(st.text())
addresses = st.emails() | st.builds("{}@{}".format, st.text(max_size=20), st.text(max_size=20).map("{}.org".format))
phones = st.from_regex(r"(\+|00)?[0-9 ()/-]{3,18}", fullmatch=True)


@given(types, anything | addresses | phones, regions)
def test_normalising_never_raises_and_gives_wire_text(type_, raw, region):
    """Whatever a source sends as an id."""
    found = normalise(type_, raw, region=region)
    if found is not None:
        assert found.type is type_
        assert found.value
        check_body(found.to_body())


@given(types, anything | addresses | phones, regions)
def test_a_canonical_form_is_its_own_canonical_form(type_, raw, region):
    """Normalised twice is normalised once: replays and rebuilds agree."""
    found = canonical_form(type_, raw, region=region)
    if found is not None:
        assert canonical_form(type_, found.value, region=region) == found


@given(st.emails())
def test_case_and_spaces_never_split_an_address(address):
    """The same mailbox typed at the till and in the web shop."""
    first = canonical_form(IdentifierType.EMAIL, address, region="DE")
    assert first == canonical_form(IdentifierType.EMAIL, f"  {address.upper()} ", region="DE")


identifiers = st.builds(Identifier, types, st.text(min_size=1, max_size=8))


@given(st.lists(identifiers, min_size=1), st.randoms())
def test_the_anchor_does_not_depend_on_the_order(found, chance):
    """Nor does the profile's id."""
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert SHIPPED_POLICY.strongest(found) == SHIPPED_POLICY.strongest(shuffled)
    if SHIPPED_POLICY.strongest(found).type is not IdentifierType.PROFILE_ID:
        assert is_uuid(profile_id_for(SHIPPED_POLICY.strongest(found)))


@given(identifiers, identifiers)
def test_different_anchors_never_share_a_profile_id(left, right):
    """Type and value both count."""
    if IdentifierType.PROFILE_ID not in (left.type, right.type):
        assert (profile_id_for(left) == profile_id_for(right)) == (left == right)


@given(st.text(), st.text())
def test_search_folds_are_idempotent(name, phone):
    """Stored keys and typed words are folded by the same function, in either order."""
    assert fold_name(fold_name(name)) == fold_name(name)
    assert phone_key(phone_key(phone)) == phone_key(phone)


instants = st.integers(1, 5).map(lambda day: f"2026-11-{day:02d}T10:00:00.000Z")
decisions = st.builds(
    ConsentDecision,
    st.sampled_from(Purpose),
    st.sampled_from(Decision),
    instants,
    wording_version=st.none() | st.sampled_from(["1", "2"]),
    method=st.none() | st.sampled_from(Method),
)


@given(st.lists(decisions), st.lists(decisions), st.lists(decisions))
def test_consent_is_a_fold_over_a_set(first, second, third):
    """Commutative, associative, idempotent: any delivery gives the same decision with the same proof."""
    left, middle, right = map(latest_decisions, (first, second, third))
    assert merge_decisions(left, middle) == merge_decisions(middle, left)
    assert merge_decisions(merge_decisions(left, middle), right) == merge_decisions(
        left, merge_decisions(middle, right)
    )
    assert latest_decisions([*third, *first, *second, *first]) == latest_decisions([*first, *second, *third])


@given(st.lists(st.lists(decisions), min_size=1), st.randoms())
def test_a_merge_of_profiles_never_grants_what_one_of_them_denied(parts, chance):
    """In any order of the parts, and never more than the parts granted."""
    maps = [latest_decisions(part) for part in parts]
    joined = consent_after_merge(maps)
    for purpose, made in joined.items():
        said = [part[purpose].decision for part in maps if purpose in part]
        assert made.decision == ("denied" if "denied" in said else "granted")
    chance.shuffle(maps)
    assert consent_after_merge(maps) == joined


@given(decisions)
def test_every_decision_survives_its_body(made):
    """Proof is never lost on the way."""
    assert ConsentDecision.from_body(made.to_body()) == made

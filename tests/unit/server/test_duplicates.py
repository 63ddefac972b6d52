"""Probable duplicates: pairs for a person to look at, each proposed once, whoever comes first; nobody is merged."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.duplicates import FIELDS, Evidence, PersonRecord, Proposal, Why, exact_proposals
from shared.errors import Refused
from shared.identity import Identifier, IdentifierType
from sync_server.adapters.splink_comparisons import BLOCKS, TRAININGS, comparisons_of
from sync_server.adapters.splink_model import SplinkModel
from sync_server.command_line.app import run
from sync_server.services.duplicates import DuplicatesFound, find_duplicates, review_id_of
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages

ADA = {"first_name": "Ada", "last_name": "Køhler", "birthday": "1988-03-02", "postcode": "10115", "country": "DE"}
ADA_AGAIN = {**ADA, "first_name": "ADA ", "last_name": "Kohler", "postcode": "80331"}
BEN = {"first_name": "Ben", "last_name": "Frey", "birthday": "1990-01-05", "postcode": "10115", "country": "DE"}


def take_people(hq: Headquarters, **people: dict[str, str]) -> None:
    """Shoppers the web shop told of: customer id -> traits."""
    messages = [{"type": "identify", "userId": name, "traits": traits} for name, traits in people.items()]
    take_messages(hq.database, hq.clock, "web shop", messages)


def exact(hq: Headquarters, **more: Any) -> DuplicatesFound:
    """Look without a model."""
    return find_duplicates(hq, model=None, threshold=0.9, **more)


def queue(hq: Headquarters) -> list[dict[str, Any]]:
    """Table `review`."""
    with hq.database.read() as reader:
        return reader.rows("review")


# exact rules ----------------------------------------------------------------------------------------------------------


def test_a_name_with_a_birth_date_or_a_postcode_makes_a_pair() -> None:
    """Case, accents and blanks do not matter; a birth date speaks before a postcode; a name alone says nothing."""
    people = [
        PersonRecord("1", "Zoë", "Ørsted", "1980-01-02", postcode="SW1A 1AA"),
        PersonRecord("2", "zoe ", "ORSTED", "1980-01-02", postcode="sw1a1aa"),
        PersonRecord("3", "Zoe", "Orsted", "1999-09-09", postcode="SW1A1AA"),
        PersonRecord("4", "Zoe", "Orsted"),
    ]
    found = exact_proposals(people)
    assert [(one.a, one.b, one.why) for one in found] == [
        ("1", "2", Why.NAME_AND_BIRTH_DATE),
        ("1", "3", Why.NAME_AND_POSTCODE),
        ("2", "3", Why.NAME_AND_POSTCODE),
    ]
    assert found[1].evidence == Evidence(("given_name", "family_name", "postcode"), (), ("birth_on",))


def test_a_placeholder_many_share_makes_no_flood() -> None:
    """A thousand of one name and day are a thousand pairs, not half a million."""
    people = [PersonRecord(f"{n:04}", "Test", "Shopper", "1970-01-01") for n in range(1000)]
    assert len(exact_proposals(people)) == 999


PEOPLE = st.lists(
    st.tuples(
        st.sampled_from(["Ada", "ada", "Ben", "", None]),
        st.sampled_from(["Frey", "FREY ", "Frei", None]),
        st.sampled_from(["1980-01-01", "1980-01-02", None]),
        st.sampled_from(["10115", "101 15", None]),
    ),
    max_size=25,
).map(lambda rows: [PersonRecord(f"p{n:02}", a, b, c, postcode=d) for n, (a, b, c, d) in enumerate(rows)])


@given(PEOPLE, st.randoms(use_true_random=False))
def test_proposals_do_not_depend_on_the_order_of_records(people: list[PersonRecord], chance: Random) -> None:
    """Any shuffle gives the identical answer, and each pair once."""
    shuffled = chance.sample(people, len(people))
    found = exact_proposals(people)
    assert exact_proposals(shuffled) == found
    assert len({(one.a, one.b) for one in found}) == len(found)
    assert all(one.a < one.b for one in found)


# the review queue -----------------------------------------------------------------------------------------------------


def test_a_pair_is_written_once_under_its_anchors(hq: Headquarters) -> None:
    """Looking again adds nothing; the row holds names of fields and none of what they hold."""
    take_people(hq, c1=ADA, c2=ADA_AGAIN, c3=BEN)
    found = exact(hq)
    assert (found.compared, len(found.pairs), found.count_new()) == (3, 1, 1)
    rows = queue(hq)
    assert len(rows) == 1
    a, b = (Identifier(IdentifierType.CUSTOMER_ID, value) for value in ("c1", "c2"))
    assert rows[0]["review_id"] == review_id_of(b, a)
    assert (rows[0]["a_value"], rows[0]["b_value"], rows[0]["why"]) == ("c1", "c2", "name_and_birth_date")
    assert json.loads(rows[0]["evidence"]) == {
        "agree": ["given_name", "family_name", "birth_on", "region"],
        "close": [],
        "differ": ["postcode"],
    }
    assert (rows[0]["score"], rows[0]["decided_at"], rows[0]["found_at"]) == (None, None, hq.now_at())
    again = exact(hq)
    assert (len(again.pairs), again.count_new()) == (1, 0)
    assert queue(hq) == rows


def test_nobody_is_merged(hq: Headquarters) -> None:
    """As many profiles after as before."""
    take_people(hq, c1=ADA, c2=ADA_AGAIN)
    exact(hq)
    with hq.database.read() as reader:
        assert len(list(reader.every_profile())) == 2


def test_a_dry_run_writes_nothing(hq: Headquarters) -> None:
    """It shows the pair as new, as often as one asks."""
    take_people(hq, c1=ADA, c2=ADA_AGAIN)
    assert [exact(hq, is_dry=True).count_new() for _ in range(2)] == [1, 1]
    assert queue(hq) == []


@pytest.mark.parametrize("decision", ["linked", "split", "kept"])
def test_a_decided_pair_stays_decided(hq: Headquarters, decision: str) -> None:
    """It is neither proposed nor touched again."""
    take_people(hq, c1=ADA, c2=ADA_AGAIN)
    exact(hq)
    review_id = queue(hq)[0]["review_id"]
    with hq.database.write() as tx:
        tx.change_rows("review", {"decided_at": hq.now_at(), "decision": decision}, review_id=review_id)
    before = queue(hq)
    assert exact(hq).pairs == ()
    assert queue(hq) == before


def test_a_split_pair_is_not_proposed(hq: Headquarters) -> None:
    """A person said that these are two, by whichever of their identifiers."""
    take_people(hq, c1={**ADA, "email": "ada@example.org"}, c2=ADA_AGAIN)
    fact = {"fact_id": "f-1", "kind": "split", "at": hq.now_at(), "who": "Mia", "reason": "twins"}
    sides = {"a_type": "customer_id", "a_value": "c2", "b_type": "email", "b_value": "ada@example.org"}
    with hq.database.write() as tx:
        tx.put_row("identity_fact", {**fact, **sides})
    assert exact(hq).pairs == ()
    assert queue(hq) == []


def test_a_stronger_anchor_later_makes_no_second_row(hq: Headquarters) -> None:
    """Who gets a loyalty number after the pair was found is still the same pair."""
    take_people(hq, c1=ADA, c2=ADA_AGAIN)
    exact(hq)
    take_people(hq, c2={**ADA_AGAIN, "loyalty_id": "2900000000018"})
    again = exact(hq)
    assert [pair.a.type for pair in again.pairs] == [IdentifierType.CUSTOMER_ID]
    assert {pair.b.type for pair in again.pairs} == {IdentifierType.LOYALTY_ID}
    assert again.count_new() == 0
    assert len(queue(hq)) == 1


def test_a_store_asks_for_its_own_slice_alone(hq: Headquarters) -> None:
    """The other store's shoppers are not compared; a store nobody knows is refused."""
    take_people(hq, c1=ADA, c2=ADA_AGAIN)
    assert exact(hq, store="zurich-1").compared == 0
    with pytest.raises(Refused, match="no store with the code 'paris-1'"):
        exact(hq, store="paris-1")


class Certain:
    """A model that is sure of one pair."""

    def find(self, records: list[PersonRecord], threshold: float) -> list[Proposal]:
        a, b = sorted(record.record_id for record in records)[:2]
        return [Proposal(a, b, Why.MODEL, Evidence(close=("family_name",)), 987)]


def test_what_a_model_says_reaches_the_queue(hq: Headquarters) -> None:
    """Its score in thousandths and its evidence."""
    take_people(hq, c1=ADA, c2=BEN)
    find_duplicates(hq, model=Certain(), threshold=0.9)  # type: ignore[arg-type] # takes a list, not any iterable
    row = queue(hq)[0]
    assert (row["why"], row["score"]) == ("model", 987)
    assert json.loads(row["evidence"])["close"] == ["family_name"]


# the command ----------------------------------------------------------------------------------------------------------


def told(hq: Headquarters, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Status, answer and complaint of `sync-server identity duplicates` on this chain."""
    place = ["--data-dir", str(hq.settings.data_dir), "--database", hq.settings.database]
    status = run(["identity", "duplicates", *words, *place])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_the_command_counts_and_lists(hq: Headquarters, capsys: pytest.CaptureFixture[str]) -> None:
    """A dry run names the pairs; one for real writes them and counts the new ones; again, none is new."""
    take_people(hq, c1=ADA, c2=ADA_AGAIN, c3=BEN)
    status, out, _ = told(hq, capsys, "--exact", "--dry-run", "--json")
    seen = json.loads(out)
    assert (status, seen["compared"], seen["proposed"], seen["new"], seen["is_dry_run"]) == (0, 3, 1, 1, True)
    assert seen["pairs"][0]["a"] == {"type": "customer_id", "value": "c1"}
    assert queue(hq) == []
    said = told(hq, capsys, "--exact")[1]
    assert said.startswith("Shoppers compared: 3. Pairs that may be one person: 1, new ones: 1. Nobody was merged")
    assert json.loads(told(hq, capsys, "--exact", "--json")[1])["new"] == 0
    assert len(queue(hq)) == 1


def test_the_command_refuses_in_words(
    hq: Headquarters, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A threshold that is none, and the extra that is not there."""
    monkeypatch.setitem(sys.modules, "splink", None)
    status, _, complaint = told(hq, capsys, "--threshold", "90")
    assert (status, "between 0 and 1" in complaint) == (1, True)
    status, _, complaint = told(hq, capsys)
    assert (status, "floorside[dedupe]" in complaint) == (1, True)


# the model ------------------------------------------------------------------------------------------------------------


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence, not a traceback."""
    monkeypatch.setitem(sys.modules, "splink", None)
    with pytest.raises(Refused, match=r"pip install 'floorside\[dedupe\]'.*--exact"):
        SplinkModel()


def test_rules_and_comparisons_name_fields_of_a_person() -> None:
    """Each field of a person is compared, and every training leaves enough to learn."""
    known = [comparison.field for comparison in comparisons_of(FIELDS)]
    assert sorted(known) == sorted(FIELDS)
    assert {field for rule in (*BLOCKS, *TRAININGS) for field in rule} <= set(known)
    for comparison in comparisons_of(known):
        for chances in ([one.m for one in comparison.levels], [one.u for one in comparison.levels]):
            assert sum(chances) == pytest.approx(1, abs=1e-5)
        assert comparison.word(-1) is None
        assert comparison.word(0) == "differ"
        assert comparison.word(len(comparison.levels) - 1) == "agree"


def crowd() -> list[PersonRecord]:
    """Sixty strangers, each with name, day and postcode of their own making."""
    chance = Random(3)
    given_names = ["Ada", "Ben", "Carla", "Dario", "Elif", "Finn", "Greta", "Hugo", "Ines", "Jonas"]
    names = ["Frey", "Brandt", "Yilmaz", "Costa", "Novak", "Lindqvist", "Moreau", "Okafor", "Tanaka", "Schuster"]
    return [
        PersonRecord(
            f"p{n:02}",
            given_names[n % 10],
            names[(n * 7 + n // 10) % 10],
            f"19{chance.randrange(40, 99)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}",
            postcode=f"{chance.randrange(10000, 99999)}",
        )
        for n in range(60)
    ]


def test_the_model_finds_a_slip_of_the_pen_whoever_comes_first() -> None:
    """In a chain too small to learn from, by the shipped numbers; a namesake of another day and place is no pair."""
    pytest.importorskip("splink", reason="the extra [dedupe] is not installed")
    people = crowd()
    slip = replace(people[5], record_id="x1", family_name=f"{people[5].family_name}s")
    namesake = replace(people[9], record_id="x2", birth_on="2001-05-05", postcode="00001")
    everybody = [*people, slip, namesake]
    found = SplinkModel().find(everybody, 0.9)
    assert [(one.a, one.b, one.why) for one in found] == [("p05", "x1", Why.MODEL)]
    assert found[0].evidence == Evidence(("given_name", "birth_on", "postcode"), ("family_name",), ())
    assert 900 <= (found[0].score or 0) <= 1000
    assert SplinkModel().find(Random(1).sample(everybody, len(everybody)), 0.9) == found


def test_the_model_has_nothing_to_say_of_nobody() -> None:
    """An empty chain, one shopper, people without names: no pairs, no error."""
    pytest.importorskip("splink", reason="the extra [dedupe] is not installed")
    assert SplinkModel().find([], 0.9) == []
    assert SplinkModel().find(crowd()[:1], 0.9) == []
    assert SplinkModel().find([PersonRecord("1", birth_on="1980-01-01"), PersonRecord("2")], 0.9) == []

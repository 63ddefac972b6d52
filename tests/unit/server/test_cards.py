"""Cards at HQ: issued for any number, cancelled for good, and a stock of fresh ones for each install."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cards import LOYALTY_ID_LENGTH_MAX, CardStatus, SignedCard, check_card, in_groups, parse_card
from shared.code_patterns import CheckRule, Fit, best_fit, with_check_digit
from shared.errors import Refused
from sync_server.command_line.card_files import bad_numbers_beside, open_table
from sync_server.ports import Conflict
from sync_server.services.card_batch import (
    BATCH,
    NO_NUMBER,
    NOT_FOR_A_CARD,
    SHORTENED,
    WRONG_CHECK_DIGIT,
    BatchReport,
    fault_of,
    issue_for_file,
)
from sync_server.services.cards import (
    STOCK,
    IssuedCard,
    cancel_card,
    fill_stock,
    issue_card,
    issue_cards,
    issue_stock,
    replace_card,
)
from sync_server.services.chain import DEFAULT_NUMBERS
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from tests.support.world import LOYALTY_ID, Journalist, make_journalist, pass_time


def read_card(hq: Headquarters, text: str, *, cancelled: frozenset[str] = frozenset()) -> tuple[SignedCard, CardStatus]:
    """A card as a tablet of the chain reads it today."""
    card = parse_card(text)
    assert isinstance(card, SignedCard)
    keys = hq.keys.public_card_keys()
    return card, check_card(card, keys=keys, cancelled=cancelled, today=hq.clock.now().date())


def stock_of(hq: Headquarters, tablet: Journalist) -> list[str]:
    """The stock that a hello of this install would bring."""
    with hq.database.write() as tx:
        install = tx.lock_install(tablet.install_id, tablet.device.device_id)
        return [one["card"] for one in fill_stock(hq, tx, install, tablet.device)]


def test_a_card_for_a_number_nobody_knows_yet_is_verified_offline(hq: Headquarters) -> None:
    """The first scan of a new chain needs no shopper at HQ."""
    card, status = read_card(hq, issue_card(hq, LOYALTY_ID))
    assert (card.loyalty_id, status, card.expires_on) == (LOYALTY_ID, CardStatus.VERIFIED, None)


def test_a_card_carries_the_tier_hq_knows(hq: Headquarters) -> None:
    """So that it says something before the profile is there."""
    message = {
        "type": "identify",
        "userId": "c-1",
        "traits": {"loyalty_id": LOYALTY_ID, "tier": "gold"},
        "context": {"channel": "pos", "store": "berlin-1"},
    }
    take_messages(hq.database, hq.clock, "till", [message])
    card, _ = read_card(hq, issue_card(hq, LOYALTY_ID))
    assert card.tier == "Gold"


def test_an_expired_and_a_cancelled_card_read_as_such(hq: Headquarters) -> None:
    """Its last day counts; a cancelled one is in every feed."""
    today = hq.clock.now().date()
    assert read_card(hq, issue_card(hq, LOYALTY_ID, expires_on=today))[1] is CardStatus.VERIFIED
    assert read_card(hq, issue_card(hq, LOYALTY_ID, expires_on=today - timedelta(days=1)))[1] is CardStatus.EXPIRED
    text = issue_card(hq, LOYALTY_ID)
    told = cancel_card(hq, text)
    assert cancel_card(hq, told["card_id"]) == told
    with hq.database.read() as reader:
        assert reader.doc("all", f"card_cancelled/{told['card_id']}") is not None
    assert read_card(hq, text, cancelled=frozenset({told["card_id"]}))[1] is CardStatus.CANCELLED


@pytest.mark.parametrize("loyalty_id", ["", "x" * 18, "29 12", "Zoë"])
def test_a_number_no_card_can_carry_is_refused(hq: Headquarters, loyalty_id: str) -> None:
    """In words, and nothing is written."""
    with pytest.raises(Refused, match="cannot carry"):
        issue_card(hq, loyalty_id)
    with hq.database.read() as reader:
        assert reader.rows("card") == []


def test_a_card_hq_never_issued_cannot_be_cancelled(hq: Headquarters) -> None:
    """Neither a stranger's nor a text that is none."""
    for text in ("FS1.AAAA", "0" * 16, ""):
        with pytest.raises(Refused, match="never issued"):
            cancel_card(hq, text)


def test_the_stock_is_thirty_fresh_cards_of_the_chains_numbers(hq: Headquarters) -> None:
    """Each with a number of its own, with its check digit, and no two installs share one."""
    first, second = make_journalist(hq), make_journalist(hq)
    texts = stock_of(hq, first)
    numbers = [read_card(hq, text)[0].loyalty_id for text in texts]
    assert len(set(numbers)) == STOCK
    assert {best_fit(number, DEFAULT_NUMBERS) for number in numbers} == {Fit.FITS}
    assert {read_card(hq, text)[1] for text in texts} == {CardStatus.VERIFIED}
    assert not set(texts) & set(stock_of(hq, second))


def test_a_lost_hello_brings_the_same_stock_again_and_a_used_card_is_replaced(hq: Headquarters) -> None:
    """Only a number somebody enrolled with is used up."""
    tablet = make_journalist(hq)
    texts = stock_of(hq, tablet)
    assert sorted(stock_of(hq, tablet)) == sorted(texts)
    used = read_card(hq, texts[0])[0].loyalty_id
    tablet.record("shopper_enrolled", {"loyalty_id": used, "given_name": "Ada", "consents": []})
    tablet.push()
    after = stock_of(hq, tablet)
    assert len(after) == STOCK
    assert texts[0] not in after
    assert set(texts[1:]) <= set(after)


def test_days_a_card_cannot_hold_are_refused(hq: Headquarters) -> None:
    """Two bytes of days since 2020."""
    with pytest.raises(Refused, match="dates lie after"):
        issue_card(hq, LOYALTY_ID, expires_on=date(2019, 1, 1))


# a card in force is given again ---------------------------------------------------------------------------------------


def test_a_number_gets_the_card_it_has_unless_a_new_one_is_asked_for(hq: Headquarters) -> None:
    """The newest that is neither cancelled nor expired, and with the last day asked for."""
    [first] = issue_cards(hq, [LOYALTY_ID])
    [again] = issue_cards(hq, [f" {LOYALTY_ID} "])
    assert (again.text, first.is_new, again.is_new) == (first.text, True, False)
    [other] = issue_cards(hq, [LOYALTY_ID], is_new=True)
    assert other.text != first.text
    today = hq.clock.now().date()
    [dated] = issue_cards(hq, [LOYALTY_ID], expires_on=today)
    assert (dated.is_new, dated.expires_on) == (True, today.isoformat())
    assert not issue_cards(hq, [LOYALTY_ID], expires_on=today)[0].is_new
    pass_time(hq, days=1)
    assert issue_cards(hq, [LOYALTY_ID])[0].text in (first.text, other.text)
    for card in (first, other):
        cancel_card(hq, card.text)
    assert issue_cards(hq, [LOYALTY_ID])[0].is_new


def test_one_bad_number_among_many_issues_none(hq: Headquarters) -> None:
    """One transaction: a batch is there whole or not at all."""
    with pytest.raises(Refused, match="cannot carry"):
        issue_cards(hq, [LOYALTY_ID, "29 12"])
    with hq.database.read() as reader:
        assert reader.rows("card") == []


def test_a_stock_to_print_has_fresh_numbers_and_bounds(hq: Headquarters) -> None:
    """Numbers nobody has, each once; none of them in a tablet's stock."""
    cards = issue_stock(hq, 12)
    assert len({card.loyalty_id for card in cards}) == 12
    assert {best_fit(card.loyalty_id, DEFAULT_NUMBERS) for card in cards} == {Fit.FITS}
    assert not {card.text for card in cards} & set(stock_of(hq, make_journalist(hq)))
    for count in (0, -1, 10_001):
        with pytest.raises(Refused, match="1 to 10000"):
            issue_stock(hq, count)


# replaced -------------------------------------------------------------------------------------------------------------


def audit_of(hq: Headquarters) -> list[tuple[str, str]]:
    """What was done with cards."""
    with hq.database.read() as reader:
        return [(row["did"], row["about"]) for row in reader.rows("audit") if row["did"].endswith("the card")]


@pytest.mark.parametrize("by", ["loyalty_id", "text", "card_id"])
def test_a_replacement_keeps_the_number_and_cancels_every_other_card(hq: Headquarters, by: str) -> None:
    """Expired ones too, for a tablet takes one for a proof; it is said which, audited, and in every feed."""
    yesterday = hq.clock.now().date() - timedelta(days=1)
    [lost] = issue_cards(hq, [LOYALTY_ID])
    [expired] = issue_cards(hq, [LOYALTY_ID], expires_on=yesterday, is_new=True)
    [gone] = issue_cards(hq, [LOYALTY_ID], is_new=True)
    [other] = issue_cards(hq, ["2900000000025"])
    cancel_card(hq, gone.text)
    before = len(audit_of(hq))
    done = replace_card(hq, getattr(lost, by), expires_on=date(2030, 1, 1))
    assert set(done.cancelled) == {lost.card_id, expired.card_id}
    assert (done.card.loyalty_id, done.card.expires_on) == (LOYALTY_ID, "2030-01-01")
    with hq.database.read() as reader:
        live = [row["card_id"] for row in reader.rows("card", cancelled_at=None)]
        assert sorted(live) == sorted([done.card.card_id, other.card_id])
        assert all(reader.doc("all", f"card_cancelled/{card_id}") for card_id in done.cancelled)
    assert [did for did, _ in audit_of(hq)[before:]] == ["cancelled the card"] * 2 + ["issued the card"]
    assert issue_cards(hq, [LOYALTY_ID])[0].text == done.card.text


def test_a_number_whose_cards_are_all_cancelled_can_have_a_new_one(hq: Headquarters) -> None:
    """There is nothing left to cancel, and that is no reason to refuse."""
    cancel_card(hq, issue_card(hq, LOYALTY_ID))
    assert replace_card(hq, LOYALTY_ID).cancelled == ()


def test_a_card_hq_never_issued_cannot_be_replaced(hq: Headquarters) -> None:
    """Nor one that carries the id of another card, nor a number without a card."""
    [card] = issue_cards(hq, [LOYALTY_ID])
    forged = card.text[:-4] + ("AAAA" if not card.text.endswith("AAAA") else "BBBB")
    for text in (forged, "2900000000025", "FS1.AAAA", "0" * 16, ""):
        with pytest.raises(Refused, match="never issued"):
            replace_card(hq, text)
    with hq.database.read() as reader:
        assert len(reader.rows("card", cancelled_at=None)) == 1


def test_of_two_replacements_at_once_one_new_card_is_left(hq: Headquarters, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second sees that its card is gone already, begins again, and cancels what the first one issued."""
    [lost] = issue_cards(hq, [LOYALTY_ID])
    from sync_server.adapters.database import SqlWriter

    plain = SqlWriter.change_rows
    met: list[int] = []

    def meet(self: Any, table: str, values: Any, **equal: Any) -> int:
        if not met:
            met.append(1)
            return 0
        return plain(self, table, values, **equal)

    monkeypatch.setattr(SqlWriter, "change_rows", meet)
    assert replace_card(hq, LOYALTY_ID).cancelled == (lost.card_id,)
    monkeypatch.setattr(SqlWriter, "change_rows", lambda *_, **__: 0)
    with pytest.raises(Conflict):
        replace_card(hq, LOYALTY_ID)


# a file of numbers ----------------------------------------------------------------------------------------------------


def number(place: int) -> str:
    """A sound loyalty number."""
    return with_check_digit(f"29{place:010d}", CheckRule.EAN13)


def issue_file(hq: Headquarters, file: Path, out: Path, **more: Any) -> BatchReport:
    """As `card issue --file --out` does."""
    with open_table(out) as keep:
        return issue_for_file(hq, file, keep, bad_numbers=bad_numbers_beside(out), **more)


def rows_of(path: Path) -> list[dict[str, str]]:
    """A table's rows."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_file_of_numbers_becomes_a_table_of_cards_and_the_bad_ones_stand_apart(
    hq: Headquarters, tmp_path: Path
) -> None:
    """More than a batch; each reason beside its line; the same file again gives the same table, --new another one."""
    good = [number(place) for place in range(BATCH + 3)]
    bad = {"": NO_NUMBER, "2,9E+12": SHORTENED, "29 0": NOT_FOR_A_CARD, "2900000000019": WRONG_CHECK_DIGIT}
    file = tmp_path / "numbers.csv"
    lines = [f"{one};x" for one in [*good[:2], *bad, *good[2:], good[0]]]
    file.write_text("\n".join(["Loyalty number;Name", *lines, "1;2;3"]) + "\n", "utf-8")
    told: list[int] = []
    report = issue_file(hq, file, tmp_path / "a.csv", heard=told.append)
    assert (report.lines, report.issued, report.known, report.repeated) == (BATCH + 9, BATCH + 3, 0, 1)
    assert told[-1] == file.stat().st_size
    table = rows_of(tmp_path / "a.csv")
    assert list(table[0]) == ["loyalty_id", "card_id", "card", "issued_at", "expires_on"]
    assert [row["loyalty_id"] for row in table] == good
    for row in table[:: BATCH // 4]:
        card, _ = read_card(hq, row["card"])
        assert (card.loyalty_id, card.card_id) == (row["loyalty_id"], row["card_id"])
    found = rows_of(tmp_path / "a.bad.csv")
    assert {row["loyalty_id"]: row["why"] for row in found[:4]} == bad
    assert [row["line"] for row in found] == ["4", "5", "6", "7", str(BATCH + 10)]
    again = issue_file(hq, file, tmp_path / "b.csv")
    assert (again.issued, again.known) == (0, BATCH + 3)
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()
    assert issue_file(hq, file, tmp_path / "c.csv", is_new=True).issued == BATCH + 3
    assert not {row["card"] for row in rows_of(tmp_path / "c.csv")} & {row["card"] for row in table}


def test_a_folder_takes_the_table_and_a_picture_of_each_code(hq: Headquarters, tmp_path: Path) -> None:
    """Named by the number, also where it holds a sign no file name can."""
    file = tmp_path / "numbers.csv"
    file.write_text(f"loyalty_id\n{number(1)}\nA/B\n", "utf-8")
    issue_file(hq, file, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"cards.csv", f"{number(1)}.png", "A%2FB.png"}


def test_what_was_issued_before_a_fault_is_not_issued_twice(hq: Headquarters, tmp_path: Path) -> None:
    """A disk that fills up between two batches: no half table, and the second run finds the first batch."""
    file = tmp_path / "numbers.csv"
    file.write_text("loyalty_id\n" + "\n".join(map(number, range(BATCH + 1))) + "\n", "utf-8")

    def keep(_: Sequence[IssuedCard]) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        issue_for_file(hq, file, keep, bad_numbers=tmp_path / "bad.csv")
    with pytest.raises(Refused, match="cannot be written"), open_table(tmp_path / "a.csv"):
        keep([])
    assert [path.name for path in tmp_path.glob("a.csv*")] == []
    report = issue_file(hq, file, tmp_path / "a.csv")
    assert (report.issued, report.known) == (1, BATCH)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name,town\nAda,Berlin\n", "no column of loyalty numbers"),
        ("2900000000018\n2900000000025\n", "its first line names the columns"),
        ("loyalty_id\n", "holds no rows"),
        ("", "is empty"),
    ],
)
def test_a_file_without_numbers_is_refused(hq: Headquarters, tmp_path: Path, text: str, sentence: str) -> None:
    """In words, with nothing issued and nothing left where the table would be."""
    file = tmp_path / "numbers.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(Refused, match=sentence):
        issue_file(hq, file, tmp_path / "out.csv")
    with pytest.raises(Refused, match="no file"):
        issue_file(hq, tmp_path / "absent.csv", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


@given(st.text(max_size=24))
def test_a_number_without_fault_can_have_a_card(text: str) -> None:
    """Law: what is let through never stops a batch, whatever stands in a file."""
    asked = text.strip()
    if fault_of(asked, DEFAULT_NUMBERS) is None:
        assert 0 < len(asked) <= LOYALTY_ID_LENGTH_MAX
        assert asked.isascii()
        assert asked.isprintable()
        assert " " not in asked


@given(st.text("0123456789ABC", max_size=17))
def test_a_number_in_groups_is_the_number(text: str) -> None:
    """Law: nothing added but spaces, groups of at most four, none of a single sign but the only one."""
    grouped = in_groups(text)
    assert grouped.replace(" ", "") == text
    sizes = [len(group) for group in grouped.split()]
    assert max(sizes, default=0) <= 4
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    assert in_groups("2900000000018") == "2900 000 000 018"
    assert in_groups("AB-1234567") == "AB-1234567"

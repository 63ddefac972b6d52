"""Who is who, said at HQ and seen on a real tablet: joins, partings, values of nobody, held shoppers."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from shared.errors import Refused
from shared.identity_policy import PolicyFile
from sync_server.services.alarms import status_of
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.shoppers import explain_slice, show_profile
from sync_server.services.who_is_who import (
    block,
    explain,
    keep_apart,
    link,
    list_reviews,
    rebuild,
    release,
    say_policy,
    split,
)
from tests.support.ears import hear
from tests.support.forked import start_forked
from tests.support.tablet import Tablet
from tests.support.world import Journalist

OLD, NEW = "2900000000018", "2900000000025"
MARA = "mara@example.com"


def identify(hq: Headquarters, number: int, user: str | None = None, **traits: Any) -> None:
    """An identify call of the web shop."""
    message = {"type": "identify", "messageId": f"m-{number}", "userId": user, "traits": traits}
    taken = take_messages(
        hq.database, hq.clock, "shop", [{**message, "timestamp": f"2026-11-01T10:00:{number:02}.000Z"}]
    )
    assert taken.accepted == 1


def notes(hq: Headquarters, identifier: str) -> set[str]:
    """What associates noted of a shopper."""
    return {note["text"] for note in show_profile(hq, identifier)["notes"]}


def test_a_replaced_card_is_one_shopper_and_comes_apart_again_with_both_histories(
    hq: Headquarters, shop_tablet: Tablet
) -> None:
    """Two cards linked by a person are one on the tablet too, by either number; split, each has its own notes again."""
    shop_tablet.note("likes wool", OLD)
    shop_tablet.note("size 42", NEW)
    shop_tablet.sync()
    before = {number: show_profile(hq, number)["id"] for number in (OLD, NEW)}
    told = link(hq, OLD, NEW, who="Ada", reason="a new card")
    assert len(told["profiles"]) == 1
    assert notes(hq, OLD) == notes(hq, NEW) == {"likes wool", "size 42"}
    shop_tablet.sync()
    found = {number: find_on(shop_tablet, "loyalty_id", number) for number in (OLD, NEW)}
    assert found[OLD] == found[NEW] == told["profiles"][0]
    for former in before.values():
        assert find_on(shop_tablet, "profile_id", former) == told["profiles"][0]
    assert len(split(hq, OLD, NEW, who="Ada", reason="sisters")["profiles"]) == 2
    assert (notes(hq, OLD), notes(hq, NEW)) == ({"likes wool"}, {"size 42"})
    assert {number: show_profile(hq, number)["id"] for number in (OLD, NEW)} == before
    shop_tablet.sync()
    assert {number: find_on(shop_tablet, "loyalty_id", number) for number in (OLD, NEW)} == before


def test_a_chain_that_does_not_trust_its_addresses_says_so_and_takes_it_back(
    hq: Headquarters, shop_tablet: Tablet
) -> None:
    """Two cards of one address are two shoppers by its policy, on the tablet too; without it one."""
    shop_tablet.note("likes wool", NEW)
    identify(hq, 1, "c-1", email=MARA)
    identify(hq, 2, None, email=MARA, loyalty_id=NEW)
    shop_tablet.sync()
    shop_tablet.sync()
    assert find_on(shop_tablet, "customer_id", "c-1") == find_on(shop_tablet, "loyalty_id", NEW) is not None
    careful = PolicyFile.model_validate({"limits": {"email": {"links": "suggest"}}})
    told = say_policy(hq, careful, who="Ada", reason="typed at the till")
    assert told["profiles"] == 2
    assert explain(hq, "customer_id:c-1")["profile_id"] != explain(hq, NEW)["profile_id"]
    assert [(row["why"], row["what"]) for row in list_reviews(hq)] == [("suggested", "pair")]
    shop_tablet.sync()
    assert find_on(shop_tablet, "loyalty_id", NEW) == explain(hq, NEW)["profile_id"]
    assert find_on(shop_tablet, "customer_id", "c-1") is None
    identify(hq, 3, "c-2", email="lea@example.com")
    identify(hq, 4, None, email="lea@example.com", loyalty_id=OLD)
    assert explain(hq, "customer_id:c-2")["identifiers"] == ["customer_id:c-2"]
    say_policy(hq, PolicyFile(), who="Ada")
    assert len({explain(hq, one)["profile_id"] for one in ("customer_id:c-1", NEW, "customer_id:c-2", OLD)}) == 2


def find_on(tablet: Tablet, type_: str, value: str) -> str | None:
    """The profile a tablet finds by an identifier."""
    found = tablet.database.find_profile(type_, value)
    return found.id.partition("/")[2] if found else None


def test_a_link_of_another_process_is_heard_by_whoever_waits(
    hq: Headquarters, tablet: Journalist, tmp_path: Path
) -> None:
    """`identity link` beside the running server: both cards come as one with the doorbell, not with a later look."""
    for number in (OLD, NEW):
        tablet.note("here", number)
    tablet.push()
    (tmp_path / "settings.toml").write_text(f'database = "{hq.settings.database}"\n', "utf-8")
    said = tmp_path / "said.log"

    def link_elsewhere() -> None:
        words = ["identity", "link", OLD, NEW, "--why", "a new card", "--data-dir", tmp_path]
        command = start_forked(words, said)
        command.join()
        assert command.exitcode == 0, said.read_text("utf-8")

    before, now = hear(hq, tablet.scope, link_elsewhere)
    assert now > before
    assert show_profile(hq, OLD)["id"] == show_profile(hq, NEW)["id"]


def test_linked_again_after_a_split_it_is_what_it_was(hq: Headquarters, shop_tablet: Tablet) -> None:
    """Nothing is used up by saying it twice."""
    shop_tablet.note("a", OLD)
    shop_tablet.note("b", NEW)
    shop_tablet.sync()
    link(hq, OLD, NEW, who="Ada")
    once = show_profile(hq, OLD)
    split(hq, OLD, NEW, who="Ada")
    link(hq, NEW, OLD, who="Ada")
    again = show_profile(hq, OLD)
    assert (again["id"], again["identifiers"], again["notes"]) == (once["id"], once["identifiers"], once["notes"])


def test_an_address_of_two_cards_waits_for_review_and_is_decided_there(hq: Headquarters, shop_tablet: Tablet) -> None:
    """Two numbers are never joined by an e-mail; the pair waits with its evidence until somebody says what it is."""
    identify(hq, 1, email=MARA, loyalty_id=OLD)
    identify(hq, 2, email=MARA, loyalty_id=NEW)
    [pair] = list_reviews(hq)
    assert {pair["a"], pair["b"]} == {f"email:{MARA}", f"loyalty_id:{NEW}"}
    assert (pair["why"], pair["is_one_now"]) == ("two_numbers", False)
    assert [edge["why"] for edge in explain(hq, NEW)["refused"]] == ["two_numbers"]
    keep_apart(hq, pair["id"], who="Ada")
    assert list_reviews(hq) == []
    with pytest.raises(Refused, match="No pair waits"):
        keep_apart(hq, pair["id"], who="Ada")


def test_each_join_says_why(hq: Headquarters) -> None:
    """Seen together, or said by a person; with the moment and the fact."""
    identify(hq, 1, user="c-1", email=MARA)
    link(hq, "customer_id:c-1", f"loyalty_id:{OLD}", who="Ada", reason="on the phone")
    told = explain(hq, f"email:{MARA}")
    assert told["identifiers"] == ["customer_id:c-1", f"email:{MARA}", f"loyalty_id:{OLD}"]
    assert {(edge["a"], edge["b"], edge["who"]) for edge in told["joined"]} == {
        ("customer_id:c-1", f"email:{MARA}", "seen together"),
        ("customer_id:c-1", f"loyalty_id:{OLD}", "Ada"),
    }
    with pytest.raises(Refused, match="HQ knows"):
        explain(hq, "nobody-at-all")


def test_a_blocked_value_joins_nobody_and_those_it_joined_are_apart_again(hq: Headquarters) -> None:
    """The counter's own address brought two customers together."""
    identify(hq, 1, user="c-1", email="shop@nordhang.example")
    identify(hq, 2, email="shop@nordhang.example", loyalty_id=OLD)
    assert show_profile(hq, OLD)["id"] == show_profile(hq, "customer_id:c-1")["id"]
    block(hq, "email:shop@nordhang.example", who="Ada", reason="the counter's own")
    assert show_profile(hq, OLD)["id"] != show_profile(hq, "customer_id:c-1")["id"]
    identify(hq, 3, user="c-2", email="shop@nordhang.example")
    assert len({show_profile(hq, one)["id"] for one in (OLD, "customer_id:c-1", "customer_id:c-2")}) == 3


def test_a_shopper_too_large_to_be_one_is_not_published_until_somebody_looked(
    hq: Headquarters, shop_tablet: Tablet
) -> None:
    """Four cards linked one to the next are nobody, until HQ says they are."""
    numbers = [f"29000000000{digit}" for digit in ("18", "25", "32", "49")]
    for number in numbers:
        shop_tablet.note("here", number)
    shop_tablet.sync()
    for one, other in pairwise(numbers):
        link(hq, one, other, who="Ada")
    shop_tablet.sync()
    assert find_on(shop_tablet, "loyalty_id", OLD) is None
    assert [row["what"] for row in list_reviews(hq)] == ["held"]
    assert explain_slice(hq, OLD)["held_since"]
    assert "on no tablet until somebody looked" in str(status_of(hq)["to_do"])
    release(hq, OLD, who="Ada", reason="a collector of cards")
    shop_tablet.sync()
    assert find_on(shop_tablet, "loyalty_id", OLD) is not None
    assert list_reviews(hq) == []
    assert (explain_slice(hq, OLD)["held_since"], status_of(hq)["to_do"]) == (None, [])


def test_an_address_that_turns_out_to_be_everybodys_no_longer_stands_between(hq: Headquarters) -> None:
    """A browser seen with one account and with another's address was nobody's; once three share the address, it is the
    account's: also of people whom the third has nothing to do with."""
    browser = "11111111-1111-4111-8111-111111111111"
    identify(hq, 1, user="c-1", email=MARA)
    seen = {"type": "identify", "messageId": "b", "userId": "c-3", "anonymousId": browser, "traits": {"email": MARA}}
    take_messages(hq.database, hq.clock, "shop", [seen])
    with hq.database.read() as reader:
        before = reader.profile_ids([("anonymous_id", browser), ("customer_id", "c-3")])
    assert len(set(before.values())) == 2
    identify(hq, 2, email=MARA, loyalty_id=OLD)
    with hq.database.read() as reader:
        after = reader.profile_ids([("anonymous_id", browser), ("customer_id", "c-3")])
    assert len(set(after.values())) == 1


def test_cards_linked_by_way_of_a_third_are_one_shopper_to_their_phone_too(hq: Headquarters) -> None:
    """A phone seen with two cards of one shopper and an account is not everybody's, though the third card between the
    two was never seen with it: the account joins, and a rebuild says the same."""
    phone, between = "+493012345678", "2900000000032"
    identify(hq, 1, loyalty_id=OLD, phone=phone, last_name="Voss")
    identify(hq, 2, loyalty_id=NEW, phone=phone, last_name="Voss")
    link(hq, OLD, between, who="Ada")
    link(hq, between, NEW, who="Ada")
    identify(hq, 3, user="c-1", phone=phone, last_name="Voss")
    assert show_profile(hq, "customer_id:c-1")["id"] == show_profile(hq, OLD)["id"] == show_profile(hq, NEW)["id"]
    assert rebuild(hq)["identifiers_changed"] == 0


def test_old_numbers_of_the_loyalty_base_lead_to_the_shopper(hq: Headquarters) -> None:
    """An alias of two loyalty numbers is a card before another."""
    ids = [{"type": "loyalty_id", "id": number, "encoding": "none"} for number in (NEW, OLD)]
    alias = {"type": "alias", "messageId": "a-1", "context": {"externalIds": ids}}
    taken = take_messages(hq.database, hq.clock, "base", [alias])
    assert taken.accepted == 1
    assert show_profile(hq, OLD)["id"] == show_profile(hq, NEW)["id"]


def test_a_rebuild_from_the_ledger_changes_nothing(hq: Headquarters, shop_tablet: Tablet) -> None:
    """Everything is there again: joins, notes, what was said."""
    shop_tablet.note("likes wool", OLD)
    shop_tablet.sync()
    identify(hq, 1, user="c-1", email=MARA, phone="+41790000001", last_name="Voss")
    identify(hq, 2, email=MARA, loyalty_id=OLD)
    link(hq, OLD, NEW, who="Ada")
    before = {one: show_profile(hq, one) for one in (OLD, NEW, f"email:{MARA}")}
    told = rebuild(hq)
    assert (told["identifiers_changed"], told["facts_moved"]) == (0, 0)
    assert {one: show_profile(hq, one) for one in before} == before


def test_an_alias_of_two_accounts_counts_with_the_browser_s_id_beside_it(hq: Headquarters) -> None:
    """The browser library sends its anonymous id with every call; the two accounts are what the call is about."""
    browser = "11111111-1111-4111-8111-111111111111"
    identify(hq, 1, user="c-1", email="one@example.com")
    identify(hq, 2, user="c-2", email="two@example.com")
    assert show_profile(hq, "customer_id:c-1")["id"] != show_profile(hq, "customer_id:c-2")["id"]
    alias = {"type": "alias", "messageId": "a-1", "userId": "c-1", "previousId": "c-2", "anonymousId": browser}
    assert take_messages(hq.database, hq.clock, "shop", [alias]).accepted == 1
    assert show_profile(hq, "customer_id:c-1")["id"] == show_profile(hq, "customer_id:c-2")["id"]
    assert [edge["who"] for edge in explain(hq, "customer_id:c-1")["joined"]].count("alias") == 1
    split(hq, "customer_id:c-1", "customer_id:c-2", who="Ada")
    assert show_profile(hq, "customer_id:c-1")["id"] != show_profile(hq, "customer_id:c-2")["id"]


def test_a_browser_s_visits_reach_a_store_only_with_profiling_and_leave_with_it(
    hq: Headquarters, shop_tablet: Tablet
) -> None:
    """Signed in once, the browser's earlier visits are the shopper's while they agree, and on no tablet when they do
    not."""
    browser = "11111111-1111-4111-8111-111111111111"

    def tell(number: int, *, is_named: bool = False, **body: Any) -> None:
        context: dict[str, Any] = {"traits": {"loyalty_id": OLD}} if is_named else {}
        context |= {"consent": {"categoryPreferences": body.pop("agrees")}} if "agrees" in body else {}
        message = {"messageId": f"m-{number}", "timestamp": f"2026-11-01T10:00:{number:02}.000Z"}
        told = {"type": "track", "anonymousId": browser, "context": context, **message, **body}
        assert take_messages(hq.database, hq.clock, "shop", [told]).accepted == 1

    def seen() -> list[str]:
        shop_tablet.sync()
        held = shop_tablet.database.find_profile("loyalty_id", OLD)
        return [line["sku"] for line in held.body.get("recent", [])] if held else []

    shop_tablet.note("here", OLD)
    tell(1, event="Product Viewed", properties={"sku": "parka"})
    tell(2, is_named=True, event="Product Viewed", properties={"sku": "boots"}, agrees={"personalise_in_store": True})
    assert seen() == ["boots"]
    preferences: dict[str, Any] = {"event": "Segment Consent Preference Updated", "is_named": True}
    tell(3, **preferences, agrees={"profiling": True, "personalise_in_store": True})
    assert seen() == ["boots", "parka"]
    tell(4, **preferences, agrees={"profiling": False, "personalise_in_store": True})
    assert seen() == ["boots"]
    rebuild(hq)
    assert seen() == ["boots"]

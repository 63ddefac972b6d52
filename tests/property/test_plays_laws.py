"""Laws of conditions and of the engine, over drawn trees, profiles and playbooks."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.lifecycle import STAGES, StageSettings, decide_stage, value_bands
from shared.plays.catalogue import EVENTS
from shared.plays.condition import condition_document, problems_in, read_condition
from shared.plays.evaluate import evaluate
from shared.plays.explain import explain, trace_document
from shared.plays.inputs import EvaluationInputs, StockLevel
from shared.plays.playbook import Play, Playbook, parse_play, play_document
from shared.plays.rank import REASONS, Recommendations, recommend
from shared.plays.refusal import PlaybookRefused
from shared.plays.settings import PlaySettings
from shared.profile import ProfileFacts
from shared.wire.canonical import canonical, check_body
from tests.support.plays import NOW_S, PLAY, ago, group, offer, play, seen, shopper

SKUS = ("A", "B", "C")
NAMES = ("Product Viewed", "Product Added", "Order Completed", "Promotion Clicked", "Order Refunded")
HOURS = st.integers(0, 2160)
ALL_PURPOSES = ["personalise_in_store", "profiling", "analytics", "email", "sms", "phone"]


def leaves() -> st.SearchStrategy[dict[str, Any]]:
    """A leaf of any kind, sound at save."""
    events = st.lists(st.sampled_from([*NAMES, "any online event"]), min_size=1, max_size=3)
    where = st.lists(
        st.sampled_from(
            [
                {"prop": "category", "op": "eq", "value": "tents"},
                {"prop": "sku", "op": "in", "value": ["a", "b"]},
                {"prop": "sku", "op": "ne", "value": "a"},
                {"prop": "price", "op": "gte", "value": 500},
                {"prop": "offer_id", "op": "missing"},
            ]
        ),
        max_size=2,
    )
    compared = {"cmp": st.sampled_from([">=", "<=", "=="]), "n": st.integers(0, 3)}
    window = st.builds(
        lambda a, b: {"from_h": max(a, b) + 1, "to_h": min(a, b)}, st.integers(0, 2159), st.integers(0, 2159)
    )
    kinds: list[st.SearchStrategy[Any]] = [
        st.fixed_dictionaries(
            {"kind": st.just("EventCount"), "events": events, "where": where, "window": window, **compared}
        ),
        st.fixed_dictionaries(
            {
                "kind": st.just("Recency"),
                "events": events,
                "cmp": st.sampled_from(["older_than", "newer_than"]),
                "hours": HOURS,
            }
        ),
        st.fixed_dictionaries({"kind": st.just("Recency"), "events": events, "cmp": st.just("never")}),
        st.builds(
            lambda first, then, same, a, b: {
                "kind": "NotFollowed",
                "first": first,
                "then": then,
                "same": same,
                "idle_h": min(a, b),
                "window_h": max(a, b) + 1,
            },
            st.sampled_from(NAMES),
            events,
            st.sampled_from([None, "sku", "category", "cart_id"]),
            st.integers(0, 2159),
            st.integers(0, 2159),
        ),
        st.fixed_dictionaries(
            {
                "kind": st.just("Profile"),
                "field": st.sampled_from(["orders", "points"]),
                "op": st.sampled_from(["eq", "ne", "gt", "lte"]),
                "value": st.integers(0, 4),
            }
        ),
        st.fixed_dictionaries({"kind": st.just("Stage"), "in": st.lists(st.sampled_from(STAGES), max_size=3)}),
        st.fixed_dictionaries({"kind": st.just("Consent"), "purpose": st.sampled_from(ALL_PURPOSES)}),
        st.fixed_dictionaries({"kind": st.just("Near"), "max_m": st.sampled_from([0, 3000, 15_000])}),
        st.fixed_dictionaries(
            {
                "kind": st.just("Stock"),
                "source": st.lists(st.sampled_from(["cart", "wishlist", "viewed"]), min_size=1, max_size=3),
            }
        ),
        st.fixed_dictionaries({"kind": st.just("PlayHistory"), "any": st.just(True), **compared}),
    ]
    return st.one_of(kinds)


def groups_of(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A group of these parts."""
    return st.builds(
        lambda op, drawn: group(op, *drawn), st.sampled_from(["all", "any", "none"]), st.lists(parts, max_size=4)
    )


TREES = st.one_of(leaves(), groups_of(leaves()), groups_of(st.one_of(leaves(), groups_of(leaves()))))


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A profile document: events, cart, wishlist, facts, outcomes, showings."""
    lines: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
        {"event": st.sampled_from(NAMES), "hours": HOURS},
        optional={
            "sku": st.sampled_from(SKUS),
            "category": st.sampled_from(["tents", "mugs"]),
            "offer_id": st.sampled_from(["gift", "other"]),
            "order_id": st.sampled_from(["o1", "o2"]),
        },
    )
    recent = [{"at": ago(line.pop("hours")), "channel": "web", **line} for line in draw(st.lists(lines, max_size=12))]
    outcomes = draw(
        st.lists(
            st.tuples(st.sampled_from("abcde"), st.sampled_from(["bought", "not_today", "interested"]), HOURS),
            max_size=4,
        )
    )
    last = draw(st.one_of(st.none(), st.integers(0, 20_000)))
    facts: dict[str, Any] = {
        "orders": draw(st.integers(0, 5)),
        "distance": {"this_store_m": draw(st.sampled_from([None, 100, 9000]))},
    }
    return {
        "recent": recent,
        "cart": [{"sku": sku, "at": ago(draw(HOURS))} for sku in draw(st.lists(st.sampled_from(SKUS), unique=True))],
        "wishlist": [
            {"sku": sku, "at": ago(draw(HOURS))} for sku in draw(st.lists(st.sampled_from(SKUS), unique=True))
        ],
        "facts": facts | ({"last_order_at": ago(last), "first_order_at": ago(last)} if last is not None else {}),
        "outcomes": [
            {"op_id": f"{index}", "play_id": play_id, "outcome": result, "at": ago(hours)}
            for index, (play_id, result, hours) in enumerate(outcomes)
        ],
        "plays_state": {
            name: {"shown_at": [ago(draw(HOURS))]} for name in draw(st.lists(st.sampled_from("abcde"), unique=True))
        },
        "consent": {
            purpose: {"decision": draw(st.sampled_from(["granted", "denied"])), "at": ago(3000)}
            for purpose in draw(st.lists(st.sampled_from(ALL_PURPOSES), unique=True))
        },
        "value_band": draw(st.sampled_from(["top_5", "rest"])),
    }


def inputs_of(document: dict[str, Any]) -> EvaluationInputs:
    """Inputs with half of the skus in stock."""
    return seen(shopper(**document), stock={"A": StockLevel(2, "B3"), "B": StockLevel(0)})


@given(st.lists(TREES, max_size=4), documents())
def test_none_is_not_any_and_any_is_not_all_of_the_opposites(parts, document):
    """none = not any; all = none of the single `none`s (De Morgan), over any parts and any profile."""
    inputs = inputs_of(document)

    def met(tree: dict[str, Any]) -> bool:
        return evaluate(read_condition(tree), inputs).is_met

    assert met(group("none", *parts)) is not met(group("any", *parts))
    assert met(group("all", *parts)) is met(group("none", *[group("none", part) for part in parts]))


@given(TREES, documents())
def test_every_sound_tree_answers_and_can_be_explained(tree, document):
    """Two-valued, the same twice, equal after the journey as a document; trace and why never raise."""
    condition, inputs = read_condition(tree), inputs_of(document)
    assert problems_in(condition, frozenset(ALL_PURPOSES)) == []
    first = evaluate(condition, inputs)
    assert evaluate(read_condition(condition_document(condition)), inputs_of(document)) == first
    check_body(trace_document(first.trace))
    if first.is_met:
        assert explain(first.trace, inputs).sentence
        assert explain(first.trace, inputs, "de").sentence


@given(documents(), st.sampled_from(NAMES), HOURS, HOURS, HOURS)
def test_adjacent_windows_count_every_event_once(document, name, one, two, three):
    """(now-c, now-a] holds what (now-c, now-b] and (now-b, now-a] hold together."""
    inner, middle, outer = sorted((one, two + 1, three + 2))
    if not inner < middle < outer <= 2160:
        return
    document["recent"] = [{**line, "order_id": None} for line in document["recent"]]

    def count(newer: int, older: int) -> int:
        leaf = {"kind": "EventCount", "events": [name], "window": {"from_h": older, "to_h": newer}, "cmp": ">=", "n": 0}
        return evaluate(read_condition(leaf), inputs_of(document)).trace.n or 0

    assert count(inner, outer) == count(inner, middle) + count(middle, outer)


@given(documents(), st.lists(st.sampled_from(NAMES), min_size=1, max_size=3), HOURS)
def test_older_newer_and_never_are_the_three_answers_of_recency(document, names, hours):
    """For every profile exactly one of them is true."""
    base = {"kind": "Recency", "events": names}
    asked = [{**base, "cmp": "never"}, *({**base, "cmp": cmp, "hours": hours} for cmp in ("older_than", "newer_than"))]
    assert [evaluate(read_condition(leaf), inputs_of(document)).is_met for leaf in asked].count(True) == 1


@given(documents(), st.randoms(use_true_random=False))
def test_the_order_of_a_documents_lines_decides_nothing(document, chance):
    """Counts, recency and the card itself are the same however `recent` and `outcomes` come."""
    mixed = {**document, "recent": list(document["recent"]), "outcomes": list(document["outcomes"])}
    chance.shuffle(mixed["recent"])
    chance.shuffle(mixed["outcomes"])
    one, two = (card_of(PLAYS, drawn) for drawn in (document, mixed))
    assert [verdict.reason for verdict in one.verdicts] == [verdict.reason for verdict in two.verdicts]
    assert [shown.play_id for shown in one.plays] == [shown.play_id for shown in two.plays]


PLAYS = tuple(
    play(
        id=name,
        tags=[tag],
        campaign_id=campaign,
        value_minor=value,
        offer_id=offered,
        holdout={"percent": 20},
        caps=[{"shown": 1, "hours": 500}],
        condition=tree,
        consents=["personalise_in_store"],
    )
    for name, tag, campaign, value, offered, tree in (
        ("a", "x", None, 500, None, group("all")),
        ("b", "x", "c1", 900, "gift", {"kind": "EventCount", "events": ["Product Viewed"], "cmp": ">=", "n": 1}),
        ("c", "y", "c1", 500, None, {"kind": "Stock", "source": ["cart", "wishlist"]}),
        ("d", "z", None, 500, "gift", {"kind": "Stage", "in": ["prospect", "lapsing", "win_back"]}),
        (
            "e",
            "w",
            None,
            500,
            None,
            {"kind": "Recency", "events": ["Order Completed"], "cmp": "newer_than", "hours": 900},
        ),
    )
)


def card_of(plays: tuple[Play, ...], document: dict[str, Any], anchor: str = "L1") -> Recommendations:
    """The engine's answer over these plays."""
    return recommend(inputs_of(document), Playbook.of(plays, [offer()]), loyalty_anchor=anchor)


@given(documents(), st.permutations(PLAYS), st.sampled_from(["L1", "L2", "L3", "L4", "L5"]))
def test_the_order_of_the_playbook_decides_nothing(document, shuffled, anchor):
    """Same plays, same card, same held-back list, same verdicts."""
    assert card_of(PLAYS, document, anchor) == card_of(tuple(shuffled), document, anchor)


@given(documents(), st.sampled_from(["L1", "L2", "L3", "L4", "L5"]))
def test_every_play_has_one_verdict_and_the_lists_agree_with_it(document, anchor):
    """A known reason each; shown ones are ranked 1, 2, 3 without a gap, of different first tags, none of them held."""
    answer = card_of(PLAYS, document, anchor)
    assert [verdict.play_id for verdict in answer.verdicts] == [one.id for one in PLAYS]
    assert all(verdict.reason in REASONS for verdict in answer.verdicts)
    shown = {verdict.play_id for verdict in answer.verdicts if verdict.reason == "shown"}
    assert [one.rank for one in answer.plays] == list(range(1, len(shown) + 1))
    assert {one.play_id for one in answer.plays} == shown
    assert len({one.tags[0] for one in answer.plays}) == len(answer.plays) <= 3
    assert not shown & ({one.play_id for one in answer.held_back} | {one.play_id for one in answer.would_show})
    assert all(one.until is None or one.until > ago(0) for one in answer.held_back)


@given(documents(), st.sampled_from(["L1", "L2", "L3", "L4", "L5"]))
def test_a_rescan_gives_the_same_card(document, anchor):
    """The impression of the first look (times shown, arms) changes nothing within the visit."""
    first = card_of(PLAYS, document, anchor)
    state = {name: dict(held) for name, held in document["plays_state"].items()}
    for one in first.plays:
        held = state.setdefault(one.play_id, {"shown_at": []})
        state[one.play_id] = {"arm": "shown", "shown_at": [*held["shown_at"], ago(0)]}
    for would in first.would_show:
        state.setdefault(would.play_id, {"shown_at": []})["arm"] = "would_show"
    again = card_of(PLAYS, {**document, "plays_state": state}, anchor)
    assert again.plays == first.plays
    assert again.held_back == first.held_back
    assert again.would_show == first.would_show


@given(documents(), st.sampled_from("abcde"))
def test_what_was_just_bought_is_held_back_at_once(document, play_id):
    """Whatever else the profile says: after a claim the play is off the card and in the held-back list."""
    document["consent"] = {"personalise_in_store": {"decision": "granted", "at": ago(3000)}}
    claim = {"op_id": "now", "play_id": play_id, "outcome": "bought", "at": ago(0)}
    answer = card_of(PLAYS, {**document, "outcomes": [*document["outcomes"], claim]})
    assert play_id not in {one.play_id for one in answer.plays}
    assert play_id in {one.play_id for one in answer.held_back}


@given(documents(), st.integers(0, 3000))
def test_a_claim_never_moves_a_stage(document, hours):
    """Stage waits for the order."""
    claim = {"op_id": "c", "play_id": "a", "outcome": "bought", "at": ago(hours)}
    moved = inputs_of({**document, "outcomes": [*document["outcomes"], claim]}).view.stage
    assert moved == inputs_of(document).view.stage


@given(
    st.one_of(st.none(), st.integers(-10, 40_000)),
    st.one_of(st.none(), st.integers(-10, 40_000)),
    st.integers(0, 9),
)
def test_five_stages_partition_all_profiles(first, last, orders):
    """Exactly one stage, for any dates, also inconsistent ones."""
    facts = ProfileFacts(
        first_order_at=None if first is None else ago(first),
        last_order_at=None if last is None else ago(last),
        orders=orders,
    )
    assert decide_stage(facts, NOW_S, StageSettings()).stage in STAGES


@given(st.dictionaries(st.text(max_size=4), st.integers(-1000, 1000), max_size=40), st.randoms(use_true_random=False))
def test_value_bands_depend_on_the_figures_alone(revenue, chance):
    """Order is nothing, more revenue is never a lower band."""
    shuffled = list(revenue.items())
    chance.shuffle(shuffled)
    bands = value_bands(revenue)
    assert value_bands(dict(shuffled)) == bands
    levels = {"top_5": 0, "top_20": 1, "rest": 2, "none": 3}
    ordered = sorted(revenue, key=lambda name: -revenue[name])
    assert [levels[bands[name]] for name in ordered] == sorted(levels[bands[name]] for name in ordered)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(st.characters(codec=None), max_size=8)),
    lambda parts: st.one_of(st.lists(parts, max_size=4), st.dictionaries(st.text(max_size=8), parts, max_size=4)),
    max_leaves=12,
)


@given(st.sampled_from(sorted({*PLAY, "holdout", "caps", "suppress", "guardrails", "offer_id"})), JSON)
def test_a_broken_file_is_refused_in_words_or_is_a_play(name, junk):
    """Whatever stands in a field, the answer is a play or a refusal with at least one problem; never another error."""
    assert told_of({**PLAY, name: junk})


def told_of(mapping: dict[str, Any]) -> bytes | str:
    """The canonical bytes of the play a file makes, or what is said about the file."""
    try:
        return canonical(play_document(parse_play(mapping, "fuzz.yaml")))
    except PlaybookRefused as refusal:
        return " ".join(problem.sentence for problem in refusal.problems)


@given(TREES)
def test_a_plays_document_is_canonical_json_without_floats(tree):
    """What goes into a feed keeps the wire's rules and is read back equal."""
    made = parse_play({**PLAY, "condition": tree, "consents": ALL_PURPOSES}, "drawn.yaml")
    document = play_document(made)
    check_body(document)
    assert Play.from_document(document) == made
    assert Playbook.of([made]).rule_pack == Playbook.of([Play.from_document(document)], (), PlaySettings()).rule_pack


def test_the_drawn_events_are_of_the_catalogue():
    """The strategies draw what a file may name."""
    assert set(NAMES) <= set(EVENTS)

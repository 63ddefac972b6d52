"""From the fold's state to what leaves HQ: the profile document of a store, after consent, and the slice's reasons.

Flow step 7 to 8. Pure: distances, value band and the day's limits come in. `project` is the only place where behaviour
is redacted, so nothing a shopper did not agree to can reach a feed by another way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from shared.clock import shift_at
from shared.consent import may_grant
from shared.consent_joins import Said, Standing, standing_of
from shared.corrections import lines_of, registers_of
from shared.event_catalogue import DIGITAL_CHANNELS
from shared.fold import BROWSER, ProfileState, with_unnamed
from shared.promises import CHANGES, REQUESTS, Change, Promise, follow_up_line
from shared.redaction import BEHAVIOUR, PROFILING

LISTED_MAX: Final = 500
PURCHASES_MAX: Final = 20
RECENT_DAYS: Final = 90
CONTACT_DAYS: Final = 30
VISIT_DAYS: Final = 400
NEAR_M: Final = 15_000
_NOBODYS: Final = (BROWSER, "payment_token")
_PASSING: Final = frozenset({"opened", "contact"})


@dataclass(frozen=True, slots=True)
class Record:
    """A floor record as it stands after corrections; `op_id` and `at` are the first op's."""

    op_id: str
    kind: str
    at: str
    store: str | None
    associate_id: str | None
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoreView:
    """What a document needs to know of the store it goes to. Distances in metres, rounded up to 100."""

    this_store_m: int | None = None
    home_store_m: int | None = None
    value_band: str = "none"


class Reading:
    """A state with its floor records, live orders and home store settled once: what every question is asked of.

    What browsers did while nobody was named in them is part of it only where the shopper agreed to profiling."""

    __slots__ = ("home", "orders", "records", "state")

    def __init__(self, state: ProfileState) -> None:
        self.state = state
        self.records: tuple[Record, ...] = tuple(_effective_records(state)) if state.records else ()
        if state.unnamed and (not is_person(state) or _has_granted(consent_in_force(self), PROFILING)):
            self.state = state = with_unnamed(state)
        self.orders = _live_orders(state)
        self.home = _home_store(self)


def is_person(state: ProfileState) -> bool:
    """Say whether a profile is of somebody who told who they are, not of a browser alone."""
    return any(key.partition("|")[0] not in _NOBODYS for key in state.identifiers)


def _effective_records(state: ProfileState) -> Iterator[Record]:
    """Floor records after corrections, without the withdrawn ones, in order of (at, op_id)."""
    ordered = sorted(state.records.items(), key=lambda entry: (entry[1][1], entry[0]))
    for op_id, (kind, at, store, associate_id, body) in ordered:
        if op_id in state.withdrawn:
            continue
        correction = state.corrections.get(op_id)
        is_corrected = correction is not None and correction[3] == kind
        yield Record(op_id, kind, at, store, associate_id, correction[4] if correction and is_corrected else body)


def consent_in_force(reading: Reading) -> dict[str, dict[str, Any]]:
    """Purpose -> {decision, at, wording_version}: the latest decision of any channel; ties deny; missing = no grant.

    Where a join of two sides denies until somebody asks again, `is_conflict` says so, and `at` since when.
    """
    return {purpose: _in_words(standing) for purpose, standing in sorted(standings_of(reading).items())}


def standings_of(reading: Reading) -> dict[str, Standing]:
    """Purpose -> which decision stands, and whether a conflict of two sides overrides it."""
    said: dict[str, list[Said]] = {}
    for purpose, one in _everything_said(reading):
        said.setdefault(purpose, []).append(one)
    state = reading.state
    found = {purpose: standing_of(told, state.together, state.identifiers) for purpose, told in said.items()}
    return {purpose: standing for purpose, standing in found.items() if standing is not None}


def _everything_said(reading: Reading) -> Iterator[tuple[str, Said]]:
    state = reading.state
    for named, side in [("", state.consent), *state.decided.items()]:
        for purpose, (at, is_denied, fact_id, _, version) in side.items():
            yield purpose, Said(at, bool(is_denied), fact_id, version, named)
    for record in reading.records:
        for given in _decisions(record):
            named, is_denied = state.named.get(record.op_id, ""), given["decision"] == "denied"
            yield given["purpose"], Said(record.at, is_denied, record.op_id, given.get("wording_version"), named)


def _in_words(standing: Standing) -> dict[str, Any]:
    told = {
        "decision": "granted" if standing.is_granted else "denied",
        "at": standing.conflict_at or standing.latest.at,
        "wording_version": None if standing.conflict_at else standing.latest.wording_version,
        "is_conflict": True if standing.conflict_at else None,
    }
    return _without_none(told)


def _decisions(record: Record) -> list[Mapping[str, Any]]:
    """What counts: an associate alone can record a withdrawal, a grant needs the shopper's own hand."""
    given: list[Mapping[str, Any]] = []
    if record.kind == "consent_changed":
        given = [record.body["consent"]]
    elif record.kind == "shopper_enrolled":
        given = list(record.body.get("consents") or [])
    return [one for one in given if one["decision"] == "denied" or may_grant(one.get("method"))]


def _has_granted(consent: Mapping[str, Mapping[str, Any]], purpose: str) -> bool:
    return bool(consent.get(purpose, {}).get("decision") == "granted")


def may_show_behaviour(reading: Reading) -> bool:
    """Say whether online behaviour may leave HQ for a tablet: personalise_in_store must be granted."""
    return _has_granted(consent_in_force(reading), "personalise_in_store")


def may_analyse(reading: Reading) -> bool:
    """Say whether a shopper may be counted in lift, journeys and cohorts: analytics must be granted."""
    return _has_granted(consent_in_force(reading), "analytics")


def _without_none(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if value is not None}


# traits and aggregates ------------------------------------------------------------------------------------------------


def traits_of(reading: Reading) -> dict[str, Any]:
    """The surviving traits; what the shopper said at enrolment stands until a later source says otherwise."""
    registers = dict(reading.state.traits)
    for name, entry in registers_of(reading.records):
        held = registers.get(name)
        if held is None or entry[:3] > held[:3]:
            registers[name] = entry
    for record in reading.records:
        if record.kind != "shopper_enrolled":
            continue
        for name in ("given_name", "family_name", "postcode"):
            entry = [record.at, 2, record.op_id, record.body.get(name)]
            held = registers.get(name)
            if entry[3] is not None and (held is None or entry[:3] > held[:3]):
                registers[name] = entry
    return {name: entry[3] for name, entry in registers.items()}


def _live_orders(state: ProfileState) -> dict[str, list[Any]]:
    return {order_id: order for order_id, order in state.orders.items() if state.cancelled.get(order_id, "") < order[0]}


def net_revenue(reading: Reading, *, since_at: str = "") -> dict[str, int]:
    """Currency -> minor units of live orders since a time, refunds subtracted (whole order when no amount is given)."""
    totals: Counter[str] = Counter()
    for order_id, order in reading.orders.items():
        net = net_of(reading, order_id) if order[0] >= since_at else None
        if net is not None:
            totals[net[1]] += net[0]
    return dict(totals)


def net_of(reading: Reading, order_id: str) -> tuple[int, str] | None:
    """(minor units, currency) of a live order after its refunds; None where its worth is not known."""
    net, currency = reading.orders[order_id][5:7]
    if net is None or not currency:
        return None
    refunds = reading.state.refunds.get(order_id, {}).values()
    refunded = sum(net if refund[1] is None else refund[1] for refund in refunds)
    return net - min(net, refunded), currency


def home_store(reading: Reading) -> str | None:
    """The store with most orders and openings; ties by name; else where the shopper enrolled or said home is."""
    return reading.home


def _home_store(reading: Reading) -> str | None:
    visits: Counter[str] = Counter(order[4] for order in reading.orders.values() if order[4])
    visits.update({store: count for store, (count, _) in reading.state.opened.items() if store})
    if visits:
        return min(visits, key=lambda store: (-visits[store], store))
    declared = reading.state.traits.get("home_store")
    if declared:
        return str(declared[3])
    return next((record.store for record in reading.records if record.kind == "shopper_enrolled"), None)


def _facts(reading: Reading, view: StoreView, *, is_open: bool) -> dict[str, Any]:
    live = sorted(reading.orders.values(), key=lambda order: (order[0], order[2]))
    revenue = net_revenue(reading)
    last_seen = {name: at for name, at in reading.state.last_seen.items() if is_open or name not in DIGITAL_CHANNELS}
    distance = _without_none({"this_store_m": view.this_store_m, "home_store_m": view.home_store_m})
    return _without_none(
        {
            "first_order_at": live[0][0] if live else None,
            "last_order_at": live[-1][0] if live else None,
            "last_order_store": live[-1][4] if live else None,
            "orders": len(live),
            "net_revenue": [{"minor": minor, "currency": currency} for currency, minor in sorted(revenue.items())],
            "refunds": len(reading.state.refunds),
            "home_store": home_store(reading),
            "distance": distance,
            "last_seen": last_seen,
        }
    )


# lists ----------------------------------------------------------------------------------------------------------------


def _spoken_line(line: Mapping[str, Any], at: str) -> dict[str, Any]:
    spoken = {"at": at, **line}
    minor, currency = spoken.pop("price_minor", None), spoken.pop("currency", None)
    if minor is not None and currency:
        spoken["price"] = {"minor": minor, "currency": currency}
    return spoken


def _recent(reading: Reading) -> list[dict[str, Any]]:
    """Newest first; older than 90 days before the newest fact is left out, so that time alone changes no document."""
    since_at = shift_at(reading.state.latest_at, days=-RECENT_DAYS) if reading.state.recent else ""
    return [_spoken_line(line, at) for at, _, line in reversed(reading.state.recent) if at >= since_at]


def _purchases(reading: Reading, *, is_open: bool) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    orders = sorted(reading.orders.items(), key=lambda entry: (entry[1][0], entry[0]), reverse=True)
    for order_id, order in orders:
        if is_open or order[3] not in DIGITAL_CHANNELS:
            origin = {"channel": order[3], "event": "Order Completed", "order_id": order_id}
            origin |= {"store": order[4]} if order[4] else {}
            lines += [{**_spoken_line(line, order[0]), **origin} for line in order[7]]
    return lines[:PURCHASES_MAX]


def open_cart(reading: Reading) -> list[dict[str, Any]]:
    """Added minus removed since the last order of that cart (else of the person), without what was bought since."""
    lines: dict[tuple[str, str], list[Any]] = {}
    person_closed_at = max(reading.state.carts_closed.values(), default="")
    for at, _, sign, line in reading.state.cart_log:
        cart_id = line.get("cart_id") or ""
        closed_at = reading.state.carts_closed.get(cart_id, "") if cart_id else person_closed_at
        if at <= max(closed_at, reading.state.bought.get(line["sku"], "")):
            continue
        held = lines.setdefault((cart_id, line["sku"]), [0, at, line])
        held[0] = max(0, held[0] + sign * line.get("quantity", 1))
        if sign > 0:
            held[1:] = [at, line]
    kept = [{**_spoken_line(line, at), "quantity": n} for n, at, line in lines.values() if n > 0]
    return sorted(kept, key=lambda line: (line["at"], line["sku"]), reverse=True)


def _wishlist(reading: Reading) -> list[dict[str, Any]]:
    """What was wished for online or on the floor, whichever was said last of a product, and was not bought since."""
    wishes = {sku: (at, is_in, line) for sku, (at, _, _, is_in, line) in reading.state.wishlist.items()}
    for record in reading.records:
        if record.kind == "product_recorded" and record.body["what"] == "wished":
            sku = record.body["sku"]
            if sku not in wishes or record.at > wishes[sku][0]:
                wishes[sku] = (record.at, True, {"sku": sku})
    wanted = [
        _spoken_line(line, at)
        for sku, (at, is_in, line) in wishes.items()
        if is_in and reading.state.bought.get(sku, "") < at
    ]
    return sorted(wanted, key=lambda line: (line["at"], line["sku"]), reverse=True)


def _seen(reading: Reading, *, is_open: bool) -> dict[str, dict[str, Any]]:
    merged: dict[str, list[Any]] = {}
    for side in ("floor", "digital") if is_open else ("floor",):
        for name, (n, first, last) in reading.state.seen.get(side, {}).items():
            held = merged.get(name, [0, first, last])
            merged[name] = [held[0] + n, min(held[1], first), max(held[2], last)]
    return {name: {"n": n, "first_at": first, "last_at": last} for name, (n, first, last) in sorted(merged.items())}


def _floor_lists(reading: Reading) -> dict[str, Any]:
    notes, outcomes, products, preferences, pins = [], [], [], {}, {}
    for record in reading.records:
        body, common = record.body, {"op_id": record.op_id, "associate_id": record.associate_id, "at": record.at}
        if record.kind == "note_added":
            notes.append(_without_none({**common, "text": body["text"]}))
        elif record.kind == "preference_set":
            preferences[body["name"]] = body["value"]
        elif record.kind == "shopper_pinned" and record.associate_id:
            pins[record.associate_id] = body["pinned"]
        elif record.kind == "outcome_recorded":
            told = {name: body.get(name) for name in ("play_id", "outcome", "reason", "sku")}
            outcomes.append(_without_none({**common, **told}))
        elif record.kind == "product_recorded":
            products.append(_without_none({**common, "sku": body["sku"], "what": body["what"]}))
    lists = {"notes": notes[-LISTED_MAX:], "outcomes": outcomes[-LISTED_MAX:], "preferences": preferences}
    pinned_by = sorted(who for who, is_pinned in pins.items() if is_pinned)
    return {**lists, "products": products[-LISTED_MAX:] or None, "pinned_by": pinned_by or None}


def promises_of(reading: Reading) -> list[Promise]:
    """Follow-ups, holds and appointments that were not taken back, with their changes, oldest first."""
    made = {record.op_id: record for record in reading.records if record.kind in REQUESTS}
    changes: dict[str, list[Change]] = {op_id: [] for op_id in made}
    for record in reading.records:
        first = made.get(record.body.get("id", "")) if record.kind in CHANGES else None
        if first is not None and CHANGES[record.kind] == REQUESTS[first.kind]:
            changes[first.op_id].append(Change.of(record.op_id, record.at, record.body))
    return [
        Promise(REQUESTS[one.kind], one.op_id, one.at, one.store, one.associate_id, one.body, tuple(changes[one.op_id]))
        for one in made.values()
    ]


def promises_taken_back(state: ProfileState) -> list[tuple[str, str | None]]:
    """(document id, store) of each promise that was withdrawn: it leaves the feed of the store that made it."""
    kept = [(op_id, state.records[op_id]) for op_id in sorted(state.withdrawn) if op_id in state.records]
    return [(f"{REQUESTS[kind]}/{op_id}", store) for op_id, (kind, _, store, *_) in kept if kind in REQUESTS]


def _follow_ups(reading: Reading) -> list[dict[str, Any]]:
    kept = [one for one in promises_of(reading) if one.kind == "follow_up" and one.standing.is_open]
    return [follow_up_line(one) for one in kept]


def _offers(reading: Reading, *, is_open: bool) -> list[dict[str, Any]]:
    offers = {}
    if is_open:
        for offer_id, states in reading.state.offers.items():
            at, name = max((at, name) for name, at in states.items())
            offers[offer_id] = {"offer_id": offer_id, "state": name, "at": at}
    for record in reading.records:
        if record.kind == "offer_overridden":
            offer_id = record.body["offer_id"]
            offers[offer_id] = {"offer_id": offer_id, "state": record.body["kind"], "at": record.at}
    return [offers[offer_id] for offer_id in sorted(offers)]


def _open_issue(reading: Reading) -> dict[str, Any] | None:
    open_cases = [
        case for case_id, case in reading.state.cases.items() if reading.state.cases_closed.get(case_id, "") < case[0]
    ]
    if not open_cases:
        return None
    at, _, _, title, due_on = max(open_cases, key=lambda case: case[:3])
    return _without_none({"title": title, "opened_at": at, "due_on": due_on})


def _plays_state(reading: Reading) -> dict[str, Any]:
    first: dict[str, tuple[int, str]] = {}
    for key, (_, _, arm) in reading.state.first_shown.items():
        play_id, _, period = key.partition("/")
        first[play_id] = max(first.get(play_id, (0, "")), (int(period or 1), arm))
    return {
        play_id: {
            "shown_at": [at for at, _, arm in entries if arm == "shown"],
            "arm": first[play_id][1],
            **({"period": first[play_id][0]} if first[play_id][0] > 1 else {}),
        }
        for play_id, entries in sorted(reading.state.shown.items())
    }


# the document ---------------------------------------------------------------------------------------------------------


def identifiers_of(reading: Reading) -> list[dict[str, str]]:
    """Identifiers a person may be found by, in order; anonymous ids stay at HQ."""
    pairs = sorted(key.split("|", 1) for key in reading.state.identifiers)
    return [{"type": type_, "value": value} for type_, value in pairs if type_ not in _NOBODYS]


def project(reading: Reading, profile_id: str, view: StoreView, reasons: list[str] | None = None) -> dict[str, Any]:
    """The document `profile/<id>` for one store. `reasons` None means HQ's own full view: nothing is redacted."""
    consent = consent_in_force(reading)
    is_open = reasons is None or _has_granted(consent, "personalise_in_store")
    is_counted = reasons is None or (is_open and _has_granted(consent, "profiling"))
    traits = traits_of(reading)
    document = {
        "id": profile_id,
        "identifiers": identifiers_of(reading),
        **{name: traits.get(name) for name in ("given_name", "family_name", "tier", "points", "birth_on", "language")},
        "postcode": traits.get("postcode"),
        "consent": consent,
        "facts": _facts(reading, view, is_open=is_open),
        "seen": _seen(reading, is_open=is_counted),
        "recent": _recent(reading) if is_open else [],
        "cart": open_cart(reading) if is_open else [],
        "wishlist": _wishlist(reading) if is_open else [],
        "purchases": _purchases(reading, is_open=is_open),
        **_floor_lists(reading),
        "value_band": view.value_band,
        "slice": reasons,
        "offers": _offers(reading, is_open=is_open),
        "follow_ups": _follow_ups(reading),
        "open_issue": _open_issue(reading),
        "corrections": lines_of(reading.records, traits, reading.state.identifiers) or None,
        "plays_state": _plays_state(reading),
        "redacted": _redacted(is_open=is_open, is_counted=is_counted),
        "is_provisional": True if is_provisional(reading) else None,
        "as_of": (reading.state.latest_at if is_open else _floor_at(reading)) or None,
    }
    return _without_none(document)


def _redacted(*, is_open: bool, is_counted: bool) -> list[str] | None:
    """What was left out; `profiling`: how often online events were seen over the whole retention."""
    return [BEHAVIOUR] if not is_open else None if is_counted else [PROFILING]


def _floor_at(reading: Reading) -> str:
    """When the newest fact was that is no online behaviour: its time alone would tell of a visit to the website."""
    state = reading.state
    times = [*state.contacts.values(), *(record.at for record in reading.records)]
    times += [at for channel, at in state.last_seen.items() if channel not in DIGITAL_CHANNELS]
    times += [one["at"] for one in consent_in_force(reading).values()]
    return max(times, default="")


def is_provisional(reading: Reading) -> bool:
    """Say whether HQ knows the shopper only from the floor: no trait, order or event from another source yet."""
    return not reading.state.traits and not reading.state.seen and not reading.state.orders


# the slice ------------------------------------------------------------------------------------------------------------


def slice_reasons(reading: Reading, now_at: str, distance_m: Mapping[str, int]) -> dict[str, dict[str, str]]:
    """Store -> {reason: since}: why each store holds this profile at `now_at`. `distance_m` has stores with a known
    distance. Reasons: home, visited, enrolled, cart_near, opened, contact (protocol.md, Slice). An open cart is
    behaviour: without consent it brings no store the profile."""
    visit_since, contact_since = _limits_of(now_at)
    reasons: dict[str, dict[str, str]] = {}
    for store, reason, at in _ties(reading, distance_m):
        since_at = visit_since if reason == "visited" else contact_since if reason in _PASSING else ""
        if store and at >= since_at:
            held = reasons.setdefault(store, {})
            held[reason] = max(at, held.get(reason, ""))
    return reasons


@lru_cache(maxsize=4)
def _limits_of(now_at: str) -> tuple[str, str]:
    """Since when a visit and a contact count; a batch asks for every profile with the same `now_at`."""
    return shift_at(now_at, days=-VISIT_DAYS), shift_at(now_at, days=-CONTACT_DAYS)


def _ties(reading: Reading, distance_m: Mapping[str, int]) -> Iterator[tuple[str | None, str, str]]:
    """(store, reason, when) for everything that ever tied this shopper to a store."""
    state = reading.state
    yield home_store(reading), "home", state.latest_at
    for store, at in _visits(reading):
        yield store, "visited", at
    for record in reading.records:
        if record.kind == "shopper_enrolled":
            yield record.store, "enrolled", record.at
    near = [store for store, distance in distance_m.items() if distance <= NEAR_M]
    if near and may_show_behaviour(reading) and (wanted := open_cart(reading) + _wishlist(reading)):
        newest_at = max(line["at"] for line in wanted)
        yield from ((store, "cart_near", newest_at) for store in near)
    yield from ((store, "opened", at) for store, (_, at) in state.opened.items())
    yield from ((store, "contact", at) for store, at in state.contacts.items())


def _visits(reading: Reading) -> Iterator[tuple[str | None, str]]:
    for order in reading.orders.values():
        yield order[4], order[0]
    for record in reading.records:
        if record.kind in REQUESTS or record.kind in ("outcome_recorded", "product_recorded"):
            yield record.store, record.at


def choose_stores(reasons: Mapping[str, Mapping[str, str]], home: str | None, others_max: int = 3) -> list[str]:
    """Home store plus at most `others_max` others, newest reason first, ties by name."""
    others = sorted(
        (store for store in reasons if store != home), key=lambda store: (max(reasons[store].values()), store)
    )
    chosen = [home] if home in reasons else []
    return [store for store in chosen if store] + others[::-1][:others_max]

"""The canonical `inputs` of an impression: what the evaluator looked at on the tablet and what it decided. Steps 5, 7.

One impression in so many carries them (by hash of its op id), so that HQ re-runs it with the same rule pack and counts
what differs. Only what a rule may look at travels: no names, no titles, no notes. Pure; nothing is compared here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from shared.plays.evaluate import Trace
from shared.plays.holdout import fnv1a32
from shared.plays.inputs import EvaluationInputs, ProductFacts, StockLevel, StoreFacts
from shared.plays.playbook import Playbook, StoreChange
from shared.plays.rank import PlayVerdict, Recommendations, recommend
from shared.plays.settings import PlaySettings
from shared.profile import Money, Profile
from shared.wire.canonical import canonical

INPUTS_BYTES_MAX: Final = 16_384
ONE_IN: Final = 20
_LINES: Final = ("recent", "cart", "wishlist")
_PLAIN: Final = frozenset(
    {
        *("tier", "points", "birth_on", "language", "postcode", "consent", "facts", "seen", "recent", "cart"),
        *("wishlist", "preferences", "value_band", "outcomes", "products", "offers", "plays_state"),
    }
)
_WORDS: Final = frozenset({"title", "image", "query", "campaign_id", "wording_version", "reason", "associate_id"})
"""What lines carry for people: no rule looks at it."""


class SentProduct(BaseModel):
    """What the catalogue said of a product that the profile or an offer names."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    category: str | None = None
    brand: str | None = None
    price: Money | None = None


class SentInputs(BaseModel):
    """`inputs` of an impression. `profile` is the profile document without words for people; `anchor` the unit of
    holdouts; `changes` the store manager's pauses and levers; `verdicts` play id -> what the tablet decided."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    now_s: int
    anchor: str
    store: str
    timezone: str
    currency: str
    region: str | None = None
    is_stranger: bool = False
    profile: dict[str, Any]
    stock: dict[str, int] = {}
    products: dict[str, SentProduct] = {}
    estimates: dict[str, int] = {}
    changes: dict[str, dict[str, Any]] = {}
    verdicts: Annotated[dict[str, list[Any]], Field(max_length=1000)]


@dataclass(frozen=True, slots=True)
class Looked:
    """One look of the engine at a shopper: all it had, and what it decided."""

    inputs: EvaluationInputs
    playbook: Playbook
    anchor: str
    ranked: Recommendations
    is_stranger: bool = False
    """This store knows nothing of the shopper: only plays that claim nothing were ranked."""


def is_chosen(op_id: str, one_in: int) -> bool:
    """Say whether an impression carries inputs: one in so many by hash of its op id; 0 chooses none."""
    return one_in > 0 and fnv1a32(op_id) % one_in == 0


def inputs_of(looked: Looked) -> dict[str, Any]:
    """The document, or `{"left_out": bytes}` for one that is larger than an impression may carry."""
    inputs, playbook = looked.inputs, looked.playbook
    skus = _skus_in(inputs, playbook)
    document = {
        "now_s": inputs.now_s,
        "anchor": looked.anchor,
        "store": inputs.store.code,
        "timezone": inputs.store.timezone,
        "currency": inputs.store.currency,
        "region": inputs.store.region,
        "is_stranger": looked.is_stranger,
        "profile": _profile_part(inputs.profile),
        "stock": {sku: inputs.stock[sku].quantity for sku in sorted(skus & inputs.stock.keys())},
        "products": {sku: _product_part(inputs.products[sku]) for sku in sorted(skus & inputs.products.keys())},
        "estimates": _estimates_in(inputs, playbook),
        "changes": dict(_changes_in(playbook)),
        "verdicts": verdicts_of(looked.ranked),
    }
    kept = {name: part for name, part in document.items() if part not in (None, {}, False)}
    size = len(canonical(kept))
    return kept if size <= INPUTS_BYTES_MAX else {"left_out": size}


def _skus_in(inputs: EvaluationInputs, playbook: Playbook) -> set[str]:
    profile = inputs.profile
    lines = [line.sku for name in _LINES for line in getattr(profile, name)]
    lines += [*(line.sku for line in profile.outcomes), *(line.sku for line in profile.products)]
    return {sku for sku in (*lines, *(sku for offer in playbook.offers.values() for sku in offer.skus)) if sku}


def _profile_part(profile: Profile) -> dict[str, Any]:
    dumped = profile.model_dump(mode="json", include=set(_PLAIN), exclude_none=True, exclude_defaults=True)
    part = {name: _without_words(value) for name, value in dumped.items()}
    part["identifiers"] = [{"type": type_, "value": ""} for type_ in sorted({one.type for one in profile.identifiers})]
    if profile.open_issue is not None:
        part["open_issue"] = {"title": "", "opened_at": profile.open_issue.opened_at}
    return part


def _without_words(part: Any) -> Any:
    """Lines without words; a mapping keyed by names of events, plays or preferences keeps its keys."""
    if isinstance(part, list):
        return [{name: value for name, value in line.items() if name not in _WORDS} for line in part]
    return part


def _product_part(product: ProductFacts) -> dict[str, Any]:
    price = product.price.model_dump() if product.price else None
    part = {"category": product.category, "brand": product.brand, "price": price}
    return {name: value for name, value in part.items() if value is not None}


def _estimates_in(inputs: EvaluationInputs, playbook: Playbook) -> dict[str, int]:
    stage = inputs.view.stage.stage
    return {play_id: p_ppm for (play_id, of), p_ppm in sorted(playbook.estimates.items()) if of == stage}


def _changes_in(playbook: Playbook) -> Iterator[tuple[str, dict[str, Any]]]:
    for play_id, change in sorted(playbook.changes.items()):
        if change.paused or change.lever:
            yield play_id, {"paused": change.paused, "lever": change.lever}


# verdicts -------------------------------------------------------------------------------------------------------------


def verdicts_of(ranked: Recommendations) -> dict[str, list[Any]]:
    """Play id -> [reason, rank it has or would have (0: none), the trace as 0 and 1 in the order of its file, what
    holds it back ("": nothing), until when in UTC seconds (0: no end)]."""
    would = {play.play_id: play.rank for play in ranked.would_show}
    return {one.play_id: _verdict(one, would.get(one.play_id, 0)) for one in ranked.verdicts}


def _verdict(one: PlayVerdict, would_rank: int) -> list[Any]:
    held = [one.hold.reason, one.hold.until_s or 0] if one.hold is not None else ["", 0]
    return [one.reason, one.rank or would_rank, bits_of(one.trace) if one.trace is not None else "", *held]


def bits_of(trace: Trace) -> str:
    """A trace as one digit for each part, a group before its parts: 1 met, 0 not."""
    return "".join("1" if part.is_met else "0" for _, part in parts_of(trace))


def parts_of(trace: Trace, depth: int = 0) -> Iterator[tuple[int, Trace]]:
    """Every part of a trace with its depth, a group before its parts."""
    yield depth, trace
    for part in trace.parts:
        yield from parts_of(part, depth + 1)


# running again --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RulePack:
    """A rule pack as it is kept by its hash, read once for many runs."""

    playbook: Playbook
    settings: PlaySettings


def read_pack(pack: Mapping[str, Any]) -> RulePack:
    """Read a kept pack: its lists (`plays`, `offers`, ...) are the documents they were shipped as.

    Raises ValidationError where its settings cannot be read.
    """
    settings = PlaySettings.from_document(pack["settings"])
    documents = {
        f"{kind.removesuffix('s')}/{part['id']}": part
        for kind, parts in pack.items()
        if isinstance(parts, list)
        for part in parts
    }
    return RulePack(Playbook.from_documents(documents, settings), settings)


def look_again(sent: SentInputs, pack: RulePack) -> Looked:
    """Run an impression's inputs again with the rule pack it names. Raises ValidationError for what is no profile."""
    inputs = EvaluationInputs(
        profile=Profile.from_document({"id": "", **sent.profile}),
        stock={sku: StockLevel(quantity) for sku, quantity in sent.stock.items()},
        products={sku: ProductFacts("", one.category, one.brand, one.price) for sku, one in sent.products.items()},
        store=StoreFacts(sent.store, sent.timezone, sent.currency, sent.region),
        now_s=sent.now_s,
        settings=pack.settings,
    )
    stage = inputs.view.stage.stage
    playbook = replace(
        pack.playbook,
        estimates={(play_id, stage): p_ppm for play_id, p_ppm in sent.estimates.items()},
        changes={play_id: StoreChange.model_validate(change) for play_id, change in sent.changes.items()},
    )
    playbook = playbook.for_strangers() if sent.is_stranger else playbook
    return Looked(inputs, playbook, sent.anchor, recommend(inputs, playbook, loyalty_anchor=sent.anchor))

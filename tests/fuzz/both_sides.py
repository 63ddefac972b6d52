"""One world on both sides: read by the evaluator as documents, by the compiler as rows of a real database."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from shared.lifecycle import StageSettings
from shared.plays.catalogue import PURPOSES
from shared.plays.condition import Condition, problems_in, read_condition
from shared.plays.evaluate import evaluate
from shared.plays.inputs import EvaluationInputs, ProductFacts, StockLevel, StoreFacts
from shared.plays.settings import PlaySettings
from shared.profile import Profile
from shared.wire.canonical import canonical
from shared.wire.messages import SCOPE_ALL, store_scope
from sync_server.audience_ports import AudienceQuestion
from sync_server.ports import CentralDatabase, DocWrite, Store
from sync_server.services.audience_tables import refresh_audience
from tests.fuzz.drawn_trees import draw_tree
from tests.fuzz.drawn_worlds import NOWS, PLAY_TAGS, STORES, World

SETTINGS = PlaySettings()
STAGES: StageSettings = SETTINGS.stages


class Difference(NamedTuple):
    """A tree that is answered in two ways, and of whom."""

    engine: str
    tree: dict[str, Any]
    store: str
    now_s: int
    profile_ids: list[str]


def publish_world(database: CentralDatabase, world: World) -> None:
    """Put the world into the feeds, and from there into the rows. What only a world before held is deleted."""
    writes = [DocWrite(SCOPE_ALL, f"product/{sku}", canonical(body)) for sku, body in world.products.items()]
    for code, shelf in world.stock.items():
        scope = store_scope(code)
        writes += [
            DocWrite(scope, f"stock/{sku}", canonical({"sku": sku, "quantity": quantity}))
            for sku, quantity in shelf.items()
        ]
        writes += [
            DocWrite(scope, f"profile/{profile_id}", canonical(body))
            for profile_id, body in world.profiles[code].items()
        ]
    told = {(write.scope, write.id) for write in writes}
    with database.write() as tx:
        for scope, kind in ((SCOPE_ALL, "product/"), *((store_scope(code), "") for code in world.stock)):
            gone = [row.id for row in tx.docs_of(scope, kind) if (scope, row.id) not in told and not row.deleted]
            writes += [DocWrite(scope, id_, None) for id_ in gone]
        for store in STORES:
            tx.put_row("store", {name: getattr(store, name) for name in ("code", "name", "currency", "timezone")})
        tx.publish(writes, "2026-11-22T13:02:00.000Z")
    refresh_audience(database)


def inputs_of(world: World, store: Store, now_s: int) -> dict[str, EvaluationInputs]:
    """Every shopper of a store as the evaluator sees them."""
    facts = StoreFacts(store.code, store.timezone, store.currency)
    stock = {sku: StockLevel(quantity) for sku, quantity in world.stock[store.code].items()}
    products = {
        sku: ProductFacts(body["title"], body.get("category"), body.get("brand"))
        for sku, body in world.products.items()
    }
    return {
        profile_id: EvaluationInputs(Profile.from_document(body), stock, products, facts, now_s, SETTINGS)
        for profile_id, body in world.profiles[store.code].items()
    }


def met_by_evaluator(condition: Condition, inputs: dict[str, EvaluationInputs]) -> set[str]:
    """Who meets a condition, by the evaluator."""
    return {who for who, one in inputs.items() if evaluate(condition, one, play_tags=PLAY_TAGS).is_met}


def met_by_sql(database: CentralDatabase, condition: Condition, stores: Sequence[Store], now_s: int) -> set[str]:
    """Who meets a condition in one of the stores at least, by the database."""
    question = AudienceQuestion(condition, tuple(stores), now_s, STAGES, PLAY_TAGS)
    with database.read() as reader:
        numbers = reader.audience(question)
        found = reader.audience_profiles(numbers)
    return {found[n][0] for n in numbers}


def compare(
    databases: dict[str, CentralDatabase], world: World, chance: random.Random, trees: int
) -> Iterator[tuple[dict[str, Any], int, list[Difference]]]:
    """(tree, how many shoppers met it, differences), for so many trees: at each moment in each store, and one in eight
    in all the stores at once."""
    places = [(store, now_s) for store in STORES for now_s in NOWS]
    at_once = {now_s: {store.code: inputs_of(world, store, now_s) for store in STORES} for now_s in NOWS}
    for number, (store, now_s) in enumerate(places):
        everywhere = at_once[now_s]
        for index in range(trees * number // len(places), trees * (number + 1) // len(places)):
            tree = draw_tree(chance)
            condition = read_condition(tree)
            assert problems_in(condition, frozenset(PURPOSES)) == [], tree
            is_wide = trees >= len(places) * 8 and index % 8 == 0
            asked = STORES if is_wide else (store,)
            sides = everywhere.values() if is_wide else (everywhere[store.code],)
            expected = set().union(*(met_by_evaluator(condition, side) for side in sides))
            different = []
            for engine, database in databases.items():
                found = met_by_sql(database, condition, asked, now_s)
                if found != expected:
                    different.append(Difference(engine, tree, store.code, now_s, sorted(found ^ expected)))
            yield tree, len(expected), different

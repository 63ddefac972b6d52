"""Which order proves which claim *bought*: POS and web orders are the only source of money, a claim is none. Pure.

A receipt number that is an order's decides; else an order of the same store from 30 minutes before the claim to 4 hours
after it, one that shares the sku before others, then the nearest. One order proves at most one claim. The best matching
of all together is found, in order of id, so the order in which things arrived is irrelevant (measurement.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

BEFORE_S: Final = 1_800
AFTER_S: Final = 14_400
_RECEIPT: Final = 1_000_000_000
_NEAR: Final = 100_000
_SKU: Final = 50_000


@dataclass(frozen=True, slots=True)
class Claim:
    """An outcome *bought* of one shopper: where, when (UTC seconds), of what, with which receipt."""

    claim_id: str
    store: str | None
    at_s: int
    sku: str | None = None
    receipt_no: str | None = None


@dataclass(frozen=True, slots=True)
class SoldOrder:
    """An order of the same shopper."""

    order_id: str
    store: str | None
    at_s: int
    skus: frozenset[str] = frozenset()


def match_claims(claims: Iterable[Claim], orders: Iterable[SoldOrder]) -> dict[str, str]:
    """Claim id -> order id, for the claims that an order proves."""
    by_claim = sorted(claims, key=lambda claim: claim.claim_id)
    by_order = sorted(orders, key=lambda order: order.order_id)
    weights = [[_weight(claim, order) for order in by_order] for claim in by_claim]
    chosen = _heaviest(weights, len(by_order))
    return {
        by_claim[row].claim_id: by_order[column].order_id
        for row, column in enumerate(chosen)
        if column < len(by_order) and weights[row][column] > 0
    }


def _weight(claim: Claim, order: SoldOrder) -> int:
    if claim.receipt_no and claim.receipt_no == order.order_id:
        return _RECEIPT
    later_s = order.at_s - claim.at_s
    if claim.store is None or claim.store != order.store or not -BEFORE_S <= later_s <= AFTER_S:
        return 0
    return _NEAR + (_SKU if claim.sku in order.skus else 0) + BEFORE_S + AFTER_S - abs(later_s)


def _heaviest(weights: Sequence[Sequence[int]], width: int) -> list[int]:
    """The column of each row in a matching of the largest total weight; columns from `width` on stand for none.

    The Hungarian method with potentials, rows taken one by one.
    """
    height = len(weights)
    columns = width + height
    row_part, column_part, owner = [0] * (height + 1), [0] * (columns + 1), [0] * (columns + 1)
    for row in range(1, height + 1):
        owner[0] = row
        came_from = _free_column(weights, width, owner, row_part, column_part)
        column = came_from.pop()
        while column:
            before = came_from[column]
            owner[column] = owner[before]
            column = before
    chosen = [columns] * height
    for column in range(1, columns + 1):
        if owner[column]:
            chosen[owner[column] - 1] = column - 1
    return chosen


def _free_column(
    weights: Sequence[Sequence[int]], width: int, owner: list[int], row_part: list[int], column_part: list[int]
) -> list[int]:
    """Walk the cheapest way from the new row to a free column; the columns' predecessors, the found one last."""
    columns = len(owner) - 1
    slack: list[int | None] = [None] * (columns + 1)
    came_from, is_seen = [0] * (columns + 1), [False] * (columns + 1)
    column = 0
    while owner[column]:
        is_seen[column] = True
        row, nearest, step = owner[column], 0, None
        for other in range(1, columns + 1):
            if is_seen[other]:
                continue
            cost = -weights[row - 1][other - 1] if other <= width else 0
            reduced = cost - row_part[row] - column_part[other]
            held = slack[other]
            if held is None or reduced < held:
                slack[other], came_from[other] = reduced, column
            least = slack[other]
            if least is not None and (step is None or least < step):
                step, nearest = least, other
        _shift(step or 0, is_seen, owner, row_part, column_part, slack)
        column = nearest
    return [*came_from, column]


def _shift(
    step: int,
    is_seen: list[bool],
    owner: list[int],
    row_part: list[int],
    column_part: list[int],
    slack: list[int | None],
) -> None:
    for column, seen in enumerate(is_seen):
        left = slack[column]
        if seen:
            row_part[owner[column]] += step
            column_part[column] -= step
        elif left is not None:
            slack[column] = left - step

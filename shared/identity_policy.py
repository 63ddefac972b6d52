"""The policy of linking, as data: what each type of identifier may do, which is stronger, when a value is everybody's.

Step 7: `partition.py` and HQ's `identity.py` read it, a chain's own `Policy` fact (identity.md) changes limits and
priorities and never code. What a type *is* (its uniqueness) no chain changes. Nothing here links anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.identity import Identifier, IdentifierType


class Uniqueness(StrEnum):
    """How surely one value means one person."""

    YES = "yes"
    STRONG = "strong"
    WEAK = "weak"


class LinkRule(StrEnum):
    """When a value of this type joins two profiles by itself."""

    ALWAYS = "always"
    UNLESS_SHARED = "unless_shared"
    WITH_AGREEMENT = "with_agreement"
    SESSION_ONLY = "session_only"
    SUGGEST = "suggest"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class IdentifierPolicy:
    """One row of the policy: a person has at most `count_max` such values (in `window_days`, None = ever).

    `rank` orders types by strength, 0 the strongest: it picks a profile's anchor and the order of linking.
    """

    type: IdentifierType
    rank: int
    uniqueness: Uniqueness
    count_max: int
    links: LinkRule
    window_days: int | None = None


_SHIPPED_ROWS: Final = {
    row.type: row
    for row in (
        IdentifierPolicy(IdentifierType.LOYALTY_ID, 0, Uniqueness.YES, 1, LinkRule.ALWAYS),
        IdentifierPolicy(IdentifierType.CUSTOMER_ID, 1, Uniqueness.YES, 2, LinkRule.ALWAYS),
        IdentifierPolicy(IdentifierType.EMAIL, 2, Uniqueness.STRONG, 5, LinkRule.UNLESS_SHARED),
        IdentifierPolicy(IdentifierType.PHONE, 3, Uniqueness.WEAK, 3, LinkRule.WITH_AGREEMENT),
        IdentifierPolicy(IdentifierType.PAYMENT_TOKEN, 4, Uniqueness.WEAK, 3, LinkRule.SUGGEST),
        IdentifierPolicy(IdentifierType.ANONYMOUS_ID, 5, Uniqueness.WEAK, 5, LinkRule.SESSION_ONLY, 30),
        IdentifierPolicy(IdentifierType.PROFILE_ID, 6, Uniqueness.YES, 1, LinkRule.NEVER),
    )
}


@dataclass(frozen=True, slots=True)
class Policy:
    """A row per type, and the limits that concern no single type.

    A value of a type that is not unique, seen with `shared_from` different unique ones, belongs to nobody in
    particular. A shopper of more identifiers or loyalty numbers than `held_over_*` is held until HQ's word.
    """

    rows: Mapping[IdentifierType, IdentifierPolicy] = field(default_factory=lambda: _SHIPPED_ROWS)
    shared_from: int = 3
    held_over_identifiers: int = 20
    held_over_loyalty_ids: int = 3

    def __getitem__(self, type_: IdentifierType) -> IdentifierPolicy:
        """The row of a type."""
        return self.rows[type_]

    def strength(self, identifier: Identifier) -> tuple[int, str]:
        """Sort key: the strongest identifier first, ties by value, so that the order of arrival never matters."""
        return self.rows[identifier.type].rank, identifier.value

    def strongest(self, identifiers: Iterable[Identifier]) -> Identifier:
        """The identifier a fact is led by. Raises ValueError for none at all."""
        return min(identifiers, key=self.strength)

    def is_unique(self, type_: IdentifierType) -> bool:
        """Whether one value of this type means one person."""
        return self.rows[type_].uniqueness is Uniqueness.YES


SHIPPED_POLICY: Final = Policy()
"""The table of identity.md."""


# a chain's own --------------------------------------------------------------------------------------------------------

Changeable = Literal["loyalty_id", "customer_id", "email", "phone", "payment_token", "anonymous_id"]
_STRICTER: Final = {
    IdentifierType.EMAIL: ("unless_shared", "suggest", "never"),
    IdentifierType.PHONE: ("with_agreement", "suggest", "never"),
    IdentifierType.PAYMENT_TOKEN: ("suggest", "never"),
}
"""A chain may be stricter than the shipped table, never looser: a join of two people shows one the other's life."""


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Limit(_Said):
    """What one type may do: `max` values a person, within `days` (browsers only), and when it `links` by itself."""

    max: Annotated[int, Field(ge=1, le=50)] | None = None
    days: Annotated[int, Field(ge=1, le=400)] | None = None
    links: Literal["unless_shared", "with_agreement", "suggest", "never"] | None = None


class HeldOver(_Said):
    """A shopper of more than this is held."""

    identifiers: Annotated[int, Field(ge=2, le=500)] | None = None
    loyalty_ids: Annotated[int, Field(ge=1, le=50)] | None = None


class PolicyFile(_Said):
    """What a chain changes; what is not said is as shipped. `priorities` names every type, the strongest first."""

    priorities: tuple[Changeable, ...] | None = None
    limits: dict[Changeable, Limit] = Field(default_factory=dict)
    shared_from: Annotated[int, Field(ge=2, le=50)] | None = None
    held_over: HeldOver = Field(default_factory=HeldOver)

    @model_validator(mode="before")
    @classmethod
    def _open(cls, said: Any) -> Any:
        """YAML and JSON write a list where a tuple is meant."""
        if isinstance(said, dict) and isinstance(said.get("priorities"), list):
            return {**said, "priorities": tuple(said["priorities"])}
        return said

    @model_validator(mode="after")
    def _check(self) -> Self:
        every = [one.value for one in IdentifierType if one is not IdentifierType.PROFILE_ID]
        if self.priorities is not None and sorted(self.priorities) != sorted(every):
            raise ValueError(f"priorities names each type once, the strongest first: {', '.join(every)}")
        for name, limit in self.limits.items():
            allowed = _STRICTER.get(IdentifierType(name), ())
            if limit.links is not None and limit.links not in allowed:
                rule = f"may be {' or '.join(allowed)}" if allowed else "is fixed: leave `links` out"
                raise ValueError(f"limits.{name}.links {rule}")
            if limit.days is not None and name != "anonymous_id":
                raise ValueError(f"limits.{name}.days has no meaning: only anonymous_id is counted in days")
        return self

    def to_text(self) -> str:
        """As a `Policy` fact keeps it: only what is said."""
        return self.model_dump_json(exclude_none=True, exclude_defaults=True)

    def policy(self) -> Policy:
        """The shipped table with these changes."""
        names = self.priorities or [row.type.value for row in sorted(_SHIPPED_ROWS.values(), key=lambda row: row.rank)]
        rank = {name: number for number, name in enumerate(dict.fromkeys((*names, IdentifierType.PROFILE_ID.value)))}
        rows = {
            type_: _changed(row, rank[type_.value], self.limits.get(type_.value))  # type: ignore[call-overload]
            for type_, row in _SHIPPED_ROWS.items()
        }
        shipped = SHIPPED_POLICY
        return Policy(
            rows,
            self.shared_from or shipped.shared_from,
            self.held_over.identifiers or shipped.held_over_identifiers,
            self.held_over.loyalty_ids or shipped.held_over_loyalty_ids,
        )


def _changed(row: IdentifierPolicy, rank: int, limit: Limit | None) -> IdentifierPolicy:
    if limit is None:
        return replace(row, rank=rank)
    return replace(
        row,
        rank=rank,
        count_max=limit.max or row.count_max,
        window_days=limit.days or row.window_days,
        links=LinkRule(limit.links) if limit.links else row.links,
    )

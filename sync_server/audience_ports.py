"""What the audience's use cases and its tables say to each other: a question, and the rows a document becomes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from shared.lifecycle import StageSettings
from shared.plays.condition import Condition

if TYPE_CHECKING:
    from sync_server.ports import Store


@dataclass(frozen=True, slots=True)
class AudienceQuestion:
    """Who meets a condition, in the feeds of which stores, at what time (UTC seconds).

    `play_tags` is the playbook's, for PlayHistory by tag; `among` asks of these profiles alone.
    """

    condition: Condition
    stores: tuple[Store, ...]
    now_s: int
    stages: StageSettings
    play_tags: Mapping[str, tuple[str, ...]]
    among: tuple[int, ...] | None = None


class ShopperRows(NamedTuple):
    """A profile document as rows, each without its `n`; the names are those of the tables."""

    shopper: tuple[Any, ...]
    event: list[tuple[Any, ...]]
    moment: list[tuple[Any, ...]]
    wanted: list[tuple[Any, ...]]
    outcome: list[tuple[Any, ...]]
    word: list[tuple[Any, ...]]
    money: list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class AudiencePage:
    """What a page of a scope's feed changes. None stands for a document that is gone.

    `shoppers`: profile id -> (metres to this store, rows); `stock`: sku -> quantity; `products`: sku -> (category,
    brand). `store` is the scope's, None for scope all. `is_first`: what was taken of the scope before goes.
    """

    scope: str
    position: int
    store: str | None = None
    is_first: bool = False
    shoppers: Mapping[str, tuple[int | None, ShopperRows] | None] = field(default_factory=dict)
    stock: Mapping[str, int | None] = field(default_factory=dict)
    products: Mapping[str, tuple[str | None, str | None] | None] = field(default_factory=dict)


class AudienceReader(Protocol):
    """What `CentralReader` answers about audiences."""

    def audience_position(self, scope: str) -> int | None:
        """Up to where a scope's feed is in the rows; None for not at all."""

    def audience(self, question: AudienceQuestion) -> list[int]:
        """Who meets a condition in one of the stores at least: their numbers, rising."""

    def count_audience(self, stores: Collection[str]) -> int:
        """How many shoppers these stores' feeds hold."""

    def audience_profiles(self, numbers: Collection[int]) -> dict[int, tuple[str, str]]:
        """Number -> (profile id, a store whose feed holds it)."""


class AudienceWriter(AudienceReader, Protocol):
    """What `CentralWriter` does to keep the audience's rows as the feeds are."""

    def lock_audience(self) -> None:
        """Until COMMIT nobody else fills the rows."""

    def take_audience(self, page: AudiencePage) -> None:
        """Make the rows what a page of the feed says."""

    def forget_audience(self, profile_ids: Collection[str]) -> None:
        """Delete all rows of profiles at once, before the feed brings it about."""

    def learn_audience(self) -> None:
        """After many rows came: let the engine look at them, if it plans by that."""

"""Demo chains for the tests, and what the tests read off their messages."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache

from shared.clock import at_seconds
from sync_server.demo.chain import DemoChain, generate
from sync_server.demo.diary import Message

NOW = datetime(2026, 11, 22, 14, 2, tzinfo=UTC)
NOW_S = int(NOW.timestamp())
DAY_S = 86_400


@dataclass(slots=True)
class Seen:
    """One shopper's messages, by event; identify calls are under `identify`."""

    index: int
    distance_m: int
    messages: list[Message]
    by_event: dict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))

    def times_s(self, event: str) -> list[int]:
        """When the event happened, oldest first."""
        return [at_s(message) for message in self.by_event.get(event, [])]


def at_s(message: Message) -> int:
    """When a message says it happened."""
    return at_seconds(message["originalTimestamp"])


@cache
def chain_of(shoppers: int, seed: int = 7) -> DemoChain:
    """A chain at the fixed `NOW`."""
    return generate(seed, shoppers, NOW)


@cache
def crowd() -> tuple[Seen, ...]:
    """3,000 shoppers with all their messages: enough to hold shares to a few percent."""
    return tuple(_seen(chain_of(3_000)))


def _seen(chain: DemoChain) -> Iterator[Seen]:
    for index in range(chain.shopper_count):
        one = Seen(index, chain.shopper(index).distance_m, chain.messages_of(index))
        for message in one.messages:
            one.by_event[message.get("event", "identify")].append(message)
        yield one

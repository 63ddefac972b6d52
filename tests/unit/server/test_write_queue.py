"""The queue of requests that write: its bound, its order, and what becomes of work whose sender is gone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from shared.errors import Problem
from sync_server.adapters.write_queue import RETRY_S_MAX, ThreadedQueue
from tests.support.world import SeededChance

WAIT_S = 30
"""Only reached by a queue that is stuck, which fails the test."""


def nothing() -> None:
    """What a request without a body is read to."""


def make_queue(places: int = 8) -> ThreadedQueue:
    """A queue with so many places and one writer, as SQLite has."""
    return ThreadedQueue(SeededChance(), places=places)


def held(until: threading.Event, begun: threading.Event | None = None) -> Callable[[Any], str]:
    """Writing that takes until an event; it sets another one when it begins."""

    def write(_: Any) -> str:
        if begun is not None:
            begun.set()
        assert until.wait(WAIT_S)
        return "written"

    return write


def test_a_full_queue_turns_away_before_anything_is_read() -> None:
    """503 busy with a random Retry-After; a place that is given back is taken again."""
    done, read = threading.Event(), []
    queue = make_queue(places=2)

    async def play() -> list[int]:
        places = [asyncio.ensure_future(queue.take(nothing, held(done))) for _ in range(2)]
        await asyncio.sleep(0)
        told = []
        for _ in range(20):
            with pytest.raises(Problem) as refusal:
                await queue.take(lambda: read.append(1), held(done))
            assert (refusal.value.status, refusal.value.code) == (503, "busy")
            told.append(refusal.value.retry_after_s or 0)
        done.set()
        assert await asyncio.gather(*places) == ["written", "written"]
        assert await queue.take(nothing, held(done)) == "written"
        return told

    told = asyncio.run(play())
    queue.close()
    assert read == []
    assert len(set(told)) > 1
    assert {*told} <= {*range(1, RETRY_S_MAX + 1)}


def test_a_request_is_read_while_another_one_is_written() -> None:
    """Reading holds nobody up: here the writer waits until the next request was read."""
    queue, was_read = make_queue(), threading.Event()

    async def play() -> list[str]:
        first = asyncio.ensure_future(queue.take(nothing, held(was_read)))
        second = asyncio.ensure_future(queue.take(was_read.set, lambda _: "written too"))
        return list(await asyncio.gather(first, second))

    assert asyncio.run(play()) == ["written", "written too"]
    queue.close()


def test_one_writes_at_a_time_and_in_the_order_of_arrival() -> None:
    """SQLite has one writer; nobody overtakes."""
    queue, writing, order = make_queue(), threading.Lock(), []

    def write(number: int) -> None:
        assert writing.acquire(blocking=False), "two write at once"
        order.append(number)
        for _ in range(20):  # gives way to a second writer, if there is one
            queue._reading.submit(nothing).result(WAIT_S)
        writing.release()

    async def play() -> None:
        await asyncio.gather(*(queue.take(partial(int, number), write) for number in range(8)))

    asyncio.run(play())
    queue.close()
    assert order == list(range(8))


def test_a_sender_that_hung_up_leaves_no_place_taken() -> None:
    """What was begun is written to its end, the place is free again, and the next one is written."""
    queue, done, begun, written = make_queue(places=1), threading.Event(), threading.Event(), []

    async def play() -> None:
        gone = asyncio.ensure_future(queue.take(nothing, lambda _: written.append(held(done, begun)(None))))
        await asyncio.to_thread(begun.wait, WAIT_S)
        gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        with pytest.raises(Problem, match="sending at once"):
            await queue.take(str, written.append)
        done.set()
        while not queue.is_empty:
            await asyncio.sleep(0)
        await queue.take(lambda: "next", written.append)

    asyncio.run(play())
    queue.close()
    assert written == ["written", "next"]


def test_a_place_is_given_back_when_reading_or_writing_fails() -> None:
    """The error is the asker's; the queue goes on."""
    queue = make_queue(places=1)

    def fail(*_: Any) -> str:
        raise ValueError("not to be read")

    async def play() -> str:
        for read, write in ((fail, str.upper), (str, fail)):
            with pytest.raises(ValueError, match="not to be read"):
                await queue.take(read, write)
        return await queue.take(lambda: "sound", str.upper)

    assert asyncio.run(play()) == "SOUND"
    queue.close()


def test_closing_waits_for_what_is_being_written() -> None:
    """A server that stops never cuts a transaction in two."""
    queue, done, begun, written = make_queue(), threading.Event(), threading.Event(), []
    loop = asyncio.new_event_loop()
    work = loop.create_task(queue.take(nothing, lambda _: written.append(held(done, begun)(None))))
    loop.run_until_complete(asyncio.to_thread(begun.wait, WAIT_S))
    closing = threading.Thread(target=queue.close)
    closing.start()
    assert closing.is_alive()
    done.set()
    closing.join(WAIT_S)
    assert written == ["written"]
    loop.run_until_complete(work)
    loop.close()

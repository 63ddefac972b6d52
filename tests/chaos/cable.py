"""A bad network between tablets and HQ: a TCP proxy that draws a fault for each connection and counts what struck.

TCP itself never repeats or reorders bytes, so neither does this. A fault counts only once it took effect.
"""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

FAULTS = (
    "refused",
    "reset in a request",
    "reset in an answer",
    "answer cut off",
    "request swallowed",
    "answer swallowed",
    "delayed",
    "dripping",
)
FAULTY_SHARE = 0.85
BLACKHOLE_S_MAX = 6.0
PIECE = 65536


@dataclass(frozen=True, slots=True)
class Plan:
    """What happens to one connection: the fault (None: nothing), after how many bytes, and how long it lasts."""

    fault: str | None
    after_bytes: int
    seconds: float


class BadCable:
    """Forwards to the servers in turn until `close`; `mend` ends all faults for new connections and drops the old."""

    def __init__(self, target_ports: Sequence[int], seed: int) -> None:
        self._targets = list(target_ports)
        self._draw = random.Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = int(self._listener.getsockname()[1])
        self.struck: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._ends: set[socket.socket] = set()
        self._is_faulty = False
        self._is_closed = threading.Event()
        threading.Thread(target=self._accept, name="cable", daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def spoil(self) -> None:
        """Faults begin."""
        self._is_faulty = True

    def mend(self) -> None:
        """Faults end."""
        self._is_faulty = False
        self.cut(is_counted=False)

    def cut(self, *, is_counted: bool = True) -> None:
        """Tear every connection at once."""
        with self._lock:
            ends, self._ends = self._ends, set()
        if ends and is_counted:
            self._count("all connections torn")
        for end in ends:
            _reset(end)

    def close(self) -> None:
        """End the proxy."""
        self._is_closed.set()
        self._listener.close()
        self.cut(is_counted=False)

    def _count(self, fault: str) -> None:
        with self._lock:
            self.struck[fault] += 1

    def _plan(self) -> Plan:
        fault = self._draw.choice(FAULTS) if self._is_faulty and self._draw.random() < FAULTY_SHARE else None
        after = int(2 ** self._draw.uniform(4, 15))
        return Plan(fault, after, self._draw.uniform(0.2, BLACKHOLE_S_MAX))

    def _accept(self) -> None:
        turn = 0
        while not self._is_closed.is_set():
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            plan, turn = self._plan(), turn + 1
            if plan.fault == "refused":
                self._count(plan.fault)
                _reset(near)
                continue
            threading.Thread(target=self._join, args=(near, turn, plan), daemon=True).start()

    def _join(self, near: socket.socket, turn: int, plan: Plan) -> None:
        """Find a server that is up, as a load balancer does, and carry both ways."""
        for number in range(len(self._targets)):
            port = self._targets[(turn + number) % len(self._targets)]
            with contextlib.suppress(OSError):
                far = socket.create_connection(("127.0.0.1", port), timeout=5)
                far.settimeout(None)
                break
        else:
            _reset(near)
            return
        with self._lock:
            self._ends |= {near, far}
        threading.Thread(target=self._carry, args=(near, far, plan, "request"), daemon=True).start()
        self._carry(far, near, plan, "answer")

    def _carry(self, source: socket.socket, sink: socket.socket, plan: Plan, what: str) -> None:
        carried = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(PIECE):
                carried += len(piece)
                if carried >= plan.after_bytes and plan.fault is not None:
                    piece = self._strike(plan, what, piece, sink)
                sink.sendall(piece)
        for end in (source, sink):
            self._ends.discard(end)
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _strike(self, plan: Plan, what: str, piece: bytes, sink: socket.socket) -> bytes:
        """Do the fault to this piece; raises OSError where the connection ends by it."""
        fault, half = plan.fault or "", piece[: len(piece) // 2]
        if fault in ("delayed", "dripping"):
            self._count(fault)
            return self._slow_down(plan, piece, sink)
        if what not in fault:
            return piece
        self._count(fault)
        if fault.endswith("swallowed"):
            self._is_closed.wait(plan.seconds)
            raise ConnectionAbortedError
        sink.sendall(half)
        if fault.startswith("reset"):
            _reset(sink)
        raise ConnectionAbortedError

    def _slow_down(self, plan: Plan, piece: bytes, sink: socket.socket) -> bytes:
        if plan.fault == "delayed":
            self._is_closed.wait(plan.seconds / 4)
            return piece
        step = max(1, len(piece) // 20)
        while len(piece) > step:
            sink.sendall(piece[:step])
            piece = piece[step:]
            self._is_closed.wait(plan.seconds / 40)
        return piece


def _reset(end: socket.socket) -> None:
    """Close with an RST instead of an orderly FIN."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
    end.close()

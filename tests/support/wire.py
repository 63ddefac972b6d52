"""A stretch of network cable that can be cut: a small TCP proxy in front of a hub."""

from __future__ import annotations

import contextlib
import socket
import threading


class Wire:
    """Forwards to a port of this machine until `cut`; `mend` lets new connections through again.

    `cut(is_silent=True)` closes nothing and lets nothing pass, as a Wi-Fi that went away does.
    """

    def __init__(self, target_port: int) -> None:
        self._target_port = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._open = threading.Event()
        self._open.set()
        self._is_closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self, *, is_silent: bool = False) -> None:
        """Take the cable out."""
        self._open.clear()
        if not is_silent:
            self._drop()

    def mend(self) -> None:
        """Put it in again; what was connected before stays lost."""
        self._drop()
        self._open.set()

    def close(self) -> None:
        """End the proxy."""
        self._is_closed = True
        self._listener.close()
        self._drop()

    def _accept(self) -> None:
        while not self._is_closed:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if not self._open.is_set():
                near.close()
                continue
            try:
                far = socket.create_connection(("127.0.0.1", self._target_port))
            except OSError:
                near.close()
                continue
            self._pairs.append((near, far))
            threading.Thread(target=self._pump, args=(near, far), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                self._open.wait()
                sink.sendall(piece)
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.close()

    def _drop(self) -> None:
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                    end.close()

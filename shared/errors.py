"""The error tree of Floorside. Every lower error is mapped here once, at the edge that meets it.

    FloorsideError
    +-- Refused            a rule said no; `str()` is one plain sentence for a person (exit status 1)
    |   +-- Damaged        a file, key or database is not what it should be; the sentence says which and what to do
    |   +-- StorageFull    the disk took no more; nothing was half-written
    +-- Malformed          bytes break the wire's rules (`code` says which); the sender learns it as a verdict
    +-- Weather            no usable answer from the network; retried with back-off, never shown as an error
    +-- Problem            the server answered with a problem document (RFC 9457)

A refusal of an *op* is not an exception but a verdict in the push reply. Anything else that raises is a bug, and loud.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class FloorsideError(Exception):
    """Root of everything Floorside raises on purpose."""


class Refused(FloorsideError):
    """A rule said no. The message is one plain sentence: what happened, what it means, what to do."""


class Damaged(Refused):
    """A settings, key or database file cannot be read. The message names it and says what to do."""


class StorageFull(Refused):
    """The disk is full. The transaction was rolled back: what was saved before is still saved."""


class Malformed(FloorsideError):
    """A body or envelope breaks the wire's rules. `code` is the wire's code, the message its detail."""

    def __init__(self, detail: str, code: str = "malformed") -> None:
        super().__init__(detail)
        self.code = code


class Weather(FloorsideError):
    """The request got no usable answer: refused connection, timeout, torn or unreadable reply."""


class Problem(FloorsideError):
    """The server refused a request with a problem document.

    `status` is the HTTP status, `code` the entry of the problem table, `retry_after_s` whole seconds or None,
    `extra` the further members (`reason`, `expected_seq`, ...).
    """

    def __init__(
        self,
        code: str,
        detail: str,
        *,
        status: int,
        retry_after_s: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.retry_after_s = retry_after_s
        self.extra = dict(extra or {})

"""Every problem document the server can answer with: one table, read by the API, the tablet, the README and a test.

The order is protocol.md's: where several fit, the first one is answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A row of the table: HTTP status, the title a person reads, and what the tablet does about it."""

    code: str
    status: int
    title: str
    then: str


_ROWS: Final = (
    ProblemKind("not_found", 404, "There is nothing at this address.", "check the address"),
    ProblemKind("method_not_allowed", 405, "This address does not take that method.", "check the method"),
    ProblemKind("token_unknown", 401, "The device token is missing or unknown.", "keep the outbox, connect again"),
    ProblemKind("enrolment_refused", 403, "This enrolment code cannot be used.", "ask HQ for a new code"),
    ProblemKind("device_revoked", 403, "This tablet was revoked.", "wipe the profiles, keep the outbox"),
    ProblemKind("upgrade_required", 426, "This version of the app is too old to receive.", "update; pushing goes on"),
    ProblemKind("too_large", 413, "The request is larger than the server takes.", "send a smaller batch"),
    ProblemKind("malformed_request", 422, "The request cannot be read.", "send a smaller batch, then withhold"),
    ProblemKind("scope_revoked", 403, "This tablet may not read that scope.", "purge the scope"),
    ProblemKind("epoch", 409, "The server's history has changed.", "say hello again"),
    ProblemKind("install_forked", 409, "Another journal stands under this install.", "take a new install id"),
    ProblemKind("gap", 409, "Ops before these are missing.", "resend from expected_seq"),
    ProblemKind("resync", 410, "This cursor cannot be continued.", "take a snapshot"),
    ProblemKind("slow_down", 429, "Too many requests.", "wait retry_after_s"),
    ProblemKind("busy", 503, "The server is busy.", "wait retry_after_s"),
    ProblemKind("internal", 500, "The server made a mistake.", "try again later"),
    ProblemKind("storage_full", 507, "HQ's disk is full.", "wait; nothing is lost"),
)
PROBLEMS: Final[dict[str, ProblemKind]] = {row.code: row for row in _ROWS}
RESYNC_REASONS: Final = ("cursor_too_old", "epoch", "scope", "schema", "cursor_ahead", "unreadable")

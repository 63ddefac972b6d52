"""The senders of webhooks: made, listed, shown, switched off. Secrets go to the keys folder, mappings to the database.

Whoever is not in this list, or is disabled in it, is answered 404 and nothing of theirs is kept.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.errors import Refused
from sync_server.ports import CentralReader
from sync_server.services.headquarters import Headquarters
from sync_server.services.hooks.mapping import HookMapping, read_mapping
from sync_server.services.hooks.shipped import find_mapping

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}\Z")
STATES: Final = ("stored", "mapped", "waiting", "ignored", "failed")
SHOWN_MAX: Final = 20


@dataclass(frozen=True, slots=True)
class Hook:
    """A sender in use: its name, which is its source in the ledger too, and its mapping."""

    name: str
    mapping: HookMapping


def hook_url(hq: Headquarters, name: str) -> str:
    """The address its sender is given."""
    return f"{hq.settings.public_url}/v1/hooks/{name}"


def find_hook(reader: CentralReader, name: str, *, may_be_disabled: bool = False) -> Hook | None:
    """The hook of a name; None for an unknown one and, unless it may be, a disabled one."""
    row = _row(reader, name)
    if row is None or (row["disabled_at"] is not None and not may_be_disabled):
        return None
    return Hook(name, read_mapping(row["mapping"], name))


def _row(reader: CentralReader, name: str) -> dict[str, Any] | None:
    rows = reader.rows("hook", name=name) if _NAME.match(name) else []
    return rows[0] if rows else None


def must_find(hq: Headquarters, name: str) -> Hook:
    """The hook of a name, disabled or not. Raises Refused for an unknown one."""
    with hq.database.read() as reader:
        found = find_hook(reader, name, may_be_disabled=True)
    if found is None:
        raise Refused(f"There is no hook {name!r:.60}: see `sync-server hook list`.")
    return found


def add_hook(
    hq: Headquarters, name: str, mapping: str, *, secret: bytes | None = None, replace: bool = False
) -> dict[str, Any]:
    """Make a hook, or with `replace` give a known one this mapping and switch it on again.

    `mapping` is a file or a shipped mapping's name. Without a secret one is drawn, told this once; a replaced hook
    keeps the one it has. Raises Refused.
    """
    if not _NAME.match(name):
        raise Refused(f"A hook's name is letters, digits, dots and hyphens such as web-shop, not {name!r:.60}.")
    text, read = find_mapping(mapping)
    now_at = hq.now_at()
    with hq.database.write() as tx:
        known = _row(tx, name)
        if known is not None and not replace:
            raise Refused(f"There is a hook {name} already. Use --replace to give it this mapping.")
        drawn = _keep_secret(hq, name, read, secret)
        made = {"name": name, "mapping": text, "changed_at": now_at, "disabled_at": None}
        tx.put_row("hook", {**made, "created_at": known["created_at"] if known else now_at})
        hq.note_audit(tx, "command line", "changed a hook" if known else "made a hook", name)
    return {"name": name, "url": hook_url(hq, name), "verify": read.verify.scheme, "secret": drawn}


def _keep_secret(hq: Headquarters, name: str, mapping: HookMapping, secret: bytes | None) -> str | None:
    """Keep the secret given; draw one where one is needed and there is none. The file comes before the row: a server
    must never know of a hook whose secret it cannot find."""
    if secret is not None and not secret.strip():
        raise Refused("The secret file is empty. Put the sender's secret into it, on one line.")
    if secret is None and (mapping.verify.scheme == "none" or hq.keys.hook_secret(name) is not None):
        return None
    drawn = hq.secret_text(192) if secret is None else None
    hq.keys.keep_hook_secret(name, (drawn or "").encode() if secret is None else secret)
    return drawn


def disable_hook(hq: Headquarters, name: str) -> dict[str, Any]:
    """Take nothing more from a sender; what it delivered stays. Raises Refused for an unknown one."""
    must_find(hq, name)
    with hq.database.write() as tx:
        tx.change_rows("hook", {"disabled_at": hq.now_at()}, name=name)
        hq.note_audit(tx, "command line", "disabled a hook", name)
    return {"name": name}


def list_hooks(hq: Headquarters) -> list[dict[str, Any]]:
    """Every hook with how many deliveries it received, what became of them, and when the last came."""
    with hq.database.read() as reader:
        rows, counts = reader.rows("hook"), _counts(reader)
    return [
        {**_shown(hq, row["name"], counts), "state": "on" if row["disabled_at"] is None else "disabled"} for row in rows
    ]


def _counts(reader: CentralReader) -> Mapping[str, dict[str, tuple[int, str]]]:
    found: dict[str, dict[str, tuple[int, str]]] = defaultdict(dict)
    for hook, state, count, last in reader.count_deliveries():
        found[hook][state] = (count, last)
    return found


def _shown(hq: Headquarters, name: str, counts: Mapping[str, dict[str, tuple[int, str]]]) -> dict[str, Any]:
    held = counts.get(name, {})
    by_state = {state: held.get(state, (0, ""))[0] for state in STATES}
    last = max((at for _, at in held.values()), default=None)
    return {"name": name, "received": sum(by_state.values()), **by_state, "last_at": last, "url": hook_url(hq, name)}


def show_hook(hq: Headquarters, name: str) -> dict[str, Any]:
    """A hook in full: its counts, its mapping, and the last deliveries that did not come through. Raises Refused."""
    must_find(hq, name)
    with hq.database.read() as reader:
        row, counts = _row(reader, name), _counts(reader)
        left = reader.latest_deliveries(name, ("failed", "waiting", "stored"), SHOWN_MAX)
    assert row is not None, "found a moment ago, and hooks are never deleted"
    told = [
        {"delivery_id": one.delivery_id, "received_at": one.received_at, "state": one.state, "detail": one.detail}
        for one in left
    ]
    shown = {"created_at": row["created_at"], "changed_at": row["changed_at"], "disabled_at": row["disabled_at"]}
    return {**_shown(hq, name, counts), **shown, "left": told, "mapping": row["mapping"]}


def show_delivery(hq: Headquarters, name: str, delivery_id: str) -> dict[str, Any]:
    """One delivery as it came, with what became of it. Raises Refused for an unknown one."""
    with hq.database.read() as reader:
        rows = reader.rows("hook_delivery", hook=name, delivery_id=delivery_id)
    if not rows:
        raise Refused(f"The hook {name} has no delivery {delivery_id!r:.60}: see `sync-server hook show {name}`.")
    return rows[0]

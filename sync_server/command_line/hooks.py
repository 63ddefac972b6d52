"""Commands for webhooks: hook (add, list, show, replay, disable) and mapping (list, try)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from shared.clock import format_at
from shared.errors import Refused
from shared.segment_parts import moment_of
from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say, say_json, say_table
from sync_server.services.hooks import registry
from sync_server.services.hooks.deliveries import replay
from sync_server.services.hooks.shipped import list_mappings
from sync_server.services.hooks.trial import try_mapping


def hook_add(
    name: str, *, mapping: str, secret_file: Path | None = None, replace: bool = False, common: Common = DEFAULT
) -> None:
    """Take webhooks of a system, and print the address to give it.

    Parameters
    ----------
    name
        Its name here, such as web-shop; the events it sends come from that source.
    mapping
        YAML file that says what its JSON means, or the name of one that came along (`mapping list`).
    secret_file
        File with the secret it signs with or shows; without one a secret is drawn and printed.
    replace
        Give a hook that is there already this mapping, and its secret if one is given; switch it on again.
    """
    secret = None if secret_file is None else _read(secret_file, "secret file")
    with headquarters(common) as hq:
        made = registry.add_hook(hq, name, mapping, secret=secret, replace=replace)
    lines = [f"Webhooks of {name} are taken at {made['url']}"]
    if made["secret"]:
        lines.append(f"Its secret is {made['secret']}\nIt is not shown again.")
    say(common, made, "\n".join(lines))


def hook_list(*, common: Common = DEFAULT) -> None:
    """List the hooks with how much they received and what became of it."""
    with headquarters(common) as hq:
        rows = registry.list_hooks(hq)
    columns = {
        "name": "Name",
        "state": "State",
        "received": "Received",
        "mapped": "Mapped",
        "waiting": "Waiting",
        "failed": "Failed",
        "stored": "To map",
        "last_at": "Last",
    }
    say_table(common, rows, columns, "There is no hook yet: sync-server hook add NAME --mapping FILE")


def hook_show(name: str, *, delivery: str | None = None, common: Common = DEFAULT) -> None:
    """Print a hook: its counts, its mapping, and the last deliveries that did not come through.

    Parameters
    ----------
    name
        The hook's name.
    delivery
        Print this delivery as it came instead.
    """
    with headquarters(common) as hq:
        if delivery is not None:
            shown = registry.show_delivery(hq, name, delivery)
            _say_all(common, {**shown, "body": json.loads(shown["body"]), "headers": json.loads(shown["headers"])})
            return
        shown = registry.show_hook(hq, name)
    if common.json:
        say_json(shown)
        return
    people().print(f"{shown['name']} at {shown['url']}", soft_wrap=True)
    counts = ", ".join(f"{shown[state]} {state}" for state in registry.STATES)
    people().print(f"{shown['received']} received: {counts}. Last: {shown['last_at'] or 'none'}.")
    columns = {"delivery_id": "Delivery", "received_at": "Received", "state": "State", "detail": "Why"}
    say_table(common, shown["left"], columns, "Everything it sent came through.")
    people().print(f"\n{shown['mapping']}", soft_wrap=True)


def hook_replay(name: str, *, since: str | None = None, every: bool = False, common: Common = DEFAULT) -> None:
    """Map again what failed or waits, after its mapping was mended. Nothing counts twice.

    Parameters
    ----------
    name
        The hook's name.
    since
        Only what was received since this day or time, such as 2026-11-22.
    every
        What was mapped already as well.
    """
    since_at = None if since is None else _moment(since)
    with headquarters(common) as hq:
        states = replay(hq, name, since=since_at, include_mapped=every)
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    say(common, states, f"{sum(states.values())} deliveries were read again: {told}." if told else "Nothing was left.")


def hook_disable(name: str, *, common: Common = DEFAULT) -> None:
    """Take nothing more from a hook; what it sent stays. `hook add --replace` switches it on again."""
    with headquarters(common) as hq:
        shown = registry.disable_hook(hq, name)
    say(common, shown, f"The hook {name} is off: its sender is answered 404 from now on.")


def mapping_list(*, common: Common = DEFAULT) -> None:
    """List the mappings that came along."""
    columns = {"name": "Name", "about": "For", "verify": "Sender shown by"}
    say_table(common, list_mappings(), columns, "No mapping came along.")


def mapping_try(file: str, payload: Path, *, header: list[str] | None = None, common: Common = DEFAULT) -> None:
    """Show what a mapping makes of a webhook's body. No database is touched, and no chain is needed.

    Parameters
    ----------
    file
        The mapping: a YAML file, or the name of one that came along.
    payload
        File with the JSON body.
    header
        A header it comes with, NAME:VALUE; may be given several times.
    """
    body = _read(payload, "payload")
    told = try_mapping(file, body, dict(_header(one) for one in header or ()))
    _say_all(common, told)
    if any(one["fault"] for one in told["pieces"]):
        raise Refused("The mapping does not fit this payload: see the faults above, mend it and try again.")


def _header(said: str) -> tuple[str, str]:
    name, colon, value = said.partition(":")
    if not colon or not name.strip():
        raise Refused(f"A header is written NAME:VALUE, not {said!r:.60}.")
    return name.strip().lower(), value.strip()


def _read(path: Path, what: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise Refused(f"The {what} {path} cannot be read ({problem.strerror}).") from None


def _moment(said: str) -> str:
    moment = moment_of(said)
    if moment is None:
        raise Refused(f"{said!r:.40} is no day or time: write it like 2026-11-22 or 2026-11-22T10:00:00Z.")
    return format_at(moment)


def _say_all(common: Common, value: Any) -> None:
    if common.json:
        say_json(value)
    else:
        people().print_json(json.dumps(value, ensure_ascii=False))

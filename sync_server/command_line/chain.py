"""Commands for the chain itself: init, store, associate, setting, key, play."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from babel.core import get_global

from shared.errors import Malformed, Refused
from shared.opening_hours import parse_hours, tell_hours
from sync_server.command_line.common import DEFAULT, Common, headquarters, say, say_table
from sync_server.ports import Store
from sync_server.services import chain as chains
from sync_server.services.playbook import list_plays, publish_playbook
from sync_server.services.sources import create_key


def init(*, chain: str, currency: str, timezone: str, region: str | None = None, common: Common = DEFAULT) -> None:
    """Make a new chain: its keys, its epoch, its settings and the plays that promise nothing.

    Parameters
    ----------
    chain
        The chain's name.
    currency
        Three capital letters, such as EUR.
    timezone
        A name such as Europe/Berlin.
    region
        Country whose phone numbers are meant where none is written; default is the time zone's.
    """
    meant = region or get_global("zone_territories").get(timezone) or "DE"
    with headquarters(common) as hq:
        made = chains.Chain(chain, currency, timezone, meant)
        epoch = chains.make_chain(hq, made)
        plays = publish_playbook(hq, has_offers=False)
        folder = hq.settings.keys_dir
    said = {"chain": chain, "currency": currency, "timezone": timezone, "epoch": epoch, "plays": plays}
    sentence = (
        f"The chain {chain} is made, with {plays} plays. Its private keys are in {folder}: keep a copy in a safe "
        "place, apart from your backups. Next: sync-server store add CODE NAME"
    )
    say(common, {**said, "keys": str(folder)}, sentence)


def store_add(
    code: str,
    name: str,
    *,
    currency: str | None = None,
    timezone: str | None = None,
    country: str | None = None,
    lat: float | None = None,
    lon: float | None = None,
    hours: str | None = None,
    common: Common = DEFAULT,
) -> None:
    """Add a shop.

    Parameters
    ----------
    code
        Small letters, digits and hyphens, such as berlin-1.
    name
        How people call it.
    currency
        What its tills take; default is the chain's.
    timezone
        Where its day begins; default is the chain's.
    country
        Two capital letters, such as DE; default is the chain's.
    lat
        Its latitude in degrees; distances to shoppers need it.
    lon
        Its longitude in degrees.
    hours
        When it is open, such as "mon-fri 10:00-20:00; sat 10:00-18:00"; `store hours` says it later.
    """
    place = [None if degrees is None else round(degrees * 1_000_000) for degrees in (lat, lon)]
    with headquarters(common) as hq:
        with hq.database.read() as reader:
            chain = chains.read_chain(reader)
        said = Store(code, name, currency or "", timezone or "", country, lat_e6=place[0], lon_e6=place[1])
        said = replace(said, hours=json.dumps(_hours(hours))) if hours else said
        store = chains.with_defaults(said, chain)
        chains.add_stores(hq, [store])
    say(
        common,
        _store(store),
        f"The store {code} ({name}) is added. Next: sync-server associate add NAME --store {code}",
    )


def store_hours(code: str, hours: str, *, common: Common = DEFAULT) -> None:
    """Say when a shop is open: its tablets book appointments within these hours.

    Parameters
    ----------
    code
        The store's code.
    hours
        Such as "mon-fri 10:00-20:00; sat 10:00-18:00"; a day left out is closed.
    """
    told = _hours(hours)
    with headquarters(common) as hq:
        chains.set_hours(hq, {code: told})
    say(common, {"code": code, "hours": told}, f"{code} is open {tell_hours(told)}.")


def _hours(text: str) -> Mapping[str, list[str]]:
    try:
        return parse_hours(text)
    except Malformed as no:
        raise Refused(f"These opening hours cannot be read: {no}.") from None


def store_list(*, common: Common = DEFAULT) -> None:
    """List the shops."""
    with headquarters(common) as hq:
        rows = [_store(store) for store in chains.list_stores(hq)]
    columns = {"code": "Code", "name": "Name", "currency": "Money", "timezone": "Time zone", "country": "Country"}
    columns["hours"] = "Open"
    say_table(common, rows, columns, "There is no store yet: sync-server store add CODE NAME")


def _store(store: Store) -> dict[str, Any]:
    return {**asdict(store), "hours": tell_hours(json.loads(store.hours))}


def associate_add(
    name: str, *, store: str, role: str = "associate", pin: str | None = None, common: Common = DEFAULT
) -> None:
    """Add someone who works at a store.

    Parameters
    ----------
    name
        The name others see.
    store
        The store's code.
    role
        associate or manager.
    pin
        4 to 6 digits; without it one is drawn and shown this once.
    """
    with headquarters(common) as hq:
        given = pin or chains.draw_pin(hq)
        [made] = chains.add_associates(hq, [chains.NewAssociate(store, name, role, given)])
    say(
        common,
        _with_pin(made, given, pin),
        f"{name} is {role} {made['associate_id']} of {store}.{_pin_words(given, pin)}",
    )


def _with_pin(shown: dict[str, Any], drawn: str, told: str | None) -> dict[str, Any]:
    return shown if told else {**shown, "pin": drawn}


def _pin_words(drawn: str, told: str | None) -> str:
    return "" if told else f" The PIN is {drawn}: tell it to them, it is not shown again."


def associate_list(*, store: str | None = None, common: Common = DEFAULT) -> None:
    """List the people of a store, or of all stores."""
    with headquarters(common) as hq:
        rows = chains.list_associates(hq, store)
    columns = {"associate_id": "Id", "store": "Store", "name": "Name", "role": "Role", "is_disabled": "Disabled"}
    say_table(common, rows, columns, "There is nobody yet: sync-server associate add NAME --store CODE")


def associate_disable(associate_id: str, *, common: Common = DEFAULT) -> None:
    """Let someone sign in no more; what they recorded stays theirs."""
    with headquarters(common) as hq:
        shown = chains.disable_associate(hq, associate_id)
    say(common, shown, f"{shown['name']} signs in no more, on each tablet from its next contact on.")


def associate_reset_pin(associate_id: str, *, pin: str | None = None, common: Common = DEFAULT) -> None:
    """Give someone a new PIN, and let them in again if they were disabled."""
    with headquarters(common) as hq:
        given = pin or chains.draw_pin(hq)
        shown = chains.reset_pin(hq, associate_id, given)
    say(common, _with_pin(shown, given, pin), f"{shown['name']} has a new PIN.{_pin_words(given, pin)}")


def key_create(*, source: str, replace: bool = False, common: Common = DEFAULT) -> None:
    """Make a write key for a system that sends events.

    Parameters
    ----------
    source
        Its name, such as web-shop.
    replace
        The source's old key stops working.
    """
    with headquarters(common) as hq:
        write_key = create_key(hq, source, replace=replace)
    say(common, {"write_key": write_key}, f"The write key of {source} is {write_key}\nIt is not shown again.")


def setting_list(*, common: Common = DEFAULT) -> None:
    """List what holds for all tablets of the chain."""
    with headquarters(common) as hq:
        rows = chains.list_terms(hq)
    say_table(common, rows, {"name": "Setting", "value": "Value", "meaning": "What it does"}, "")


def setting_set(name: str, value: str, *, common: Common = DEFAULT) -> None:
    """Set what holds for all tablets of the chain; each hears of it at its next hello.

    Parameters
    ----------
    name
        min_app (the oldest app that may receive) or notice (a sentence on every tablet; empty takes it away).
    value
        Its value, such as 1.4.0.
    """
    with headquarters(common) as hq:
        shown = chains.set_term(hq, name, value)
    say(common, shown, f"The setting {name} is {value!r} from now on.")


def play_list(*, common: Common = DEFAULT) -> None:
    """List the plays published now."""
    with headquarters(common) as hq:
        rows = list_plays(hq)
    columns = {"play_id": "Id", "version": "Version", "title": "Title", "class": "Class", "offer_id": "Offer"}
    say_table(common, rows, columns, "There is no play yet.")

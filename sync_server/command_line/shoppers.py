"""Commands for shoppers: who is in a store's slice, why, and a profile in full."""

from __future__ import annotations

import json

from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say_json, say_table
from sync_server.services.shoppers import explain_slice, list_shoppers, show_profile


def shopper_list(*, store: str, limit: int = 20, common: Common = DEFAULT) -> None:
    """List shoppers of a store's slice who have a loyalty number."""
    with headquarters(common) as hq:
        rows = list_shoppers(hq, store, limit)
    say_table(common, rows, {"loyalty_id": "Loyalty number", "name": "Name"}, f"Nobody is in the slice of {store} yet.")


def shopper_why(identifier: str, *, common: Common = DEFAULT) -> None:
    """Say which stores hold a shopper's profile, and why.

    Parameters
    ----------
    identifier
        A loyalty number, e-mail, phone or profile id; `type:value` asks for one kind alone.
    """
    with headquarters(common) as hq:
        told = explain_slice(hq, identifier)
    if common.json:
        say_json(told)
        return
    rows = [
        {
            "store": row["store"],
            "is_held": row["is_held"],
            "reasons": [f"{reason} since {since[:10]}" for reason, since in row["reasons"].items()],
        }
        for row in told["stores"]
    ]
    say_table(common, rows, {"store": "Store", "is_held": "Holds it", "reasons": "Because"}, "No store holds it.")
    if told["held_since"]:
        people().print(
            f"Held since {told['held_since'][:10]}: more identifiers than a person has. See `identity review`."
        )


def profile_show(identifier: str, *, common: Common = DEFAULT) -> None:
    """Print a profile in full, as HQ holds it; this is written into the audit log.

    Parameters
    ----------
    identifier
        A loyalty number, e-mail, phone or profile id; `type:value` asks for one kind alone.
    """
    with headquarters(common) as hq:
        document = show_profile(hq, identifier)
    if common.json:
        say_json(document)
    else:
        people().print(json.dumps(document, ensure_ascii=False, indent=2), soft_wrap=True)

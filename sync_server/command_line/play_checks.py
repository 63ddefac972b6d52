"""Commands that look behind a card: what the engine decides of every play, and whether tablets decide alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from rich.text import Text

from shared.clock import format_at, is_at
from shared.errors import Refused
from shared.plays.inputs import zone_of
from shared.plays.verdicts import ToldVerdict, tell_verdicts
from sync_server.command_line.common import DEFAULT, Common, headquarters, people, say_json
from sync_server.services.chain import read_chain
from sync_server.services.estimates import refresh_estimates
from sync_server.services.parity import compare_waiting, show_comparison, show_parity
from sync_server.services.whatif import what_if

_NOT_COMPARED = {
    "waiting": "wait for their turn",
    "no_pack": "name a rule pack HQ never published",
    "unreadable": "cannot be read here",
    "left_out": "were larger than a record may carry",
    "gone": "were too old before their turn came",
}


def play_explain(
    shopper: str, *, store: str, at: str | None = None, language: str = "en", common: Common = DEFAULT
) -> None:
    """Say of every play whether a card opened there and then would show it, and why; written into the audit log.

    Parameters
    ----------
    shopper
        A loyalty number, e-mail, phone or profile id.
    store
        The code of the store the card is opened in.
    at
        When, such as 2026-11-22T14:02 (the store's own time) or 2026-11-22T13:02:00.000Z; now if left out.
    language
        en or de.
    """
    with headquarters(common) as hq:
        with hq.database.read() as reader:
            zones, currency = {row.code: row.timezone for row in reader.stores()}, read_chain(reader).currency
        moment = _moment(at, zones.get(store, "UTC")) if at is not None else hq.now_at()
        found = what_if(hq, shopper, store, moment)
    told = tell_verdicts(found.looked, language)
    if common.json:
        stage = found.looked.inputs.view.stage.stage
        say_json(
            {
                "at": moment,
                "store": store,
                "is_held": found.is_held,
                "stage": stage,
                "rule_pack": found.looked.ranked.rule_pack,
                "plays": [one.as_json() for one in told],
            }
        )
        return
    if not found.is_held:
        _print(f"The tablets of {store} do not hold this shopper: a card there says only what the loyalty card tells.")
    for one in told:
        for line in _lines(one, currency):
            _print(line)


def _moment(at: str, timezone: str) -> str:
    if is_at(at):
        return at
    try:
        given = datetime.fromisoformat(at)
    except ValueError:
        raise Refused(f"A time is written 2026-11-22T14:02, not {at!r:.40}.") from None
    return format_at(given if given.tzinfo is not None else given.replace(tzinfo=zone_of(timezone)))


def _lines(one: ToldVerdict, currency: str) -> Iterator[str]:
    yield f"{one.title} ({one.play_id}, version {one.play_version})"
    yield f"  {one.sentence}"
    if (factors := one.factors) is not None:
        p = f"{factors.p_ppm / 10_000:.2f} %"
        yield f"  Expected {p} x {factors.value_minor / 100:.2f} {currency} x lever {factors.lever:+d} %"
    for line in one.trace:
        mark, found = "+" if line.is_met else "-", f" ({line.found})" if line.found else ""
        yield f"  {'  ' * line.depth}{mark} {line.rule}{found}"


def play_parity(op_id: str | None = None, *, again: bool = False, common: Common = DEFAULT) -> None:
    """Run again what tablets evaluated, and say how many were compared and how many differ; the target is 0.

    Parameters
    ----------
    op_id
        One impression, to see both verdicts and both traces.
    again
        Also run again what did not come out the same before.
    """
    with headquarters(common) as hq:
        compare_waiting(hq.database, hq.clock, is_again=again)
        told = show_parity(hq.database) if op_id is None else show_comparison(hq.database, op_id)
    if common.json:
        say_json(told)
    elif op_id is not None:
        _print(f"{told['op_id']} of {told['store']}, {told['received_at']}: {told['state']}")
        _print_plays(told["plays"])
    else:
        _print(f"{told['compared']} compared, {told['different']} different (the target is 0).")
        for state, words in _NOT_COMPARED.items():
            if told[state]:
                _print(f"{told[state]} not compared: they {words}.")
        for row in told["rows"]:
            _print(f"\n{row['op_id']} of {row['store']}, {row['received_at']}, rules {row['rule_pack'][:12]}")
            _print_plays(row["plays"])


def _print_plays(plays: list[dict[str, Any]]) -> None:
    for play in plays:
        _print(f"  {play['play_id']}: tablet {_verdict(play['tablet'])}; HQ {_verdict(play['hq'])}")
        for line in play["trace"]:
            mark = "  " if line["tablet"] == line["hq"] else "! "
            both = f"tablet {_answer(line['tablet'])}, HQ {_answer(line['hq'])}"
            _print(f"    {mark}{'  ' * line['depth']}{line['rule']} ({both})")


def _verdict(verdict: dict[str, Any] | None) -> str:
    if verdict is None:
        return "did not know it"
    place = f" at place {verdict['rank']}" if verdict["rank"] else ""
    held = f" ({verdict['held_by']})" if verdict["held_by"] else ""
    return f"{verdict['reason']}{place}{held}"


def _answer(answer: bool | None) -> str:
    return "says nothing" if answer is None else "yes" if answer else "no"


def play_estimates(*, common: Common = DEFAULT) -> None:
    """Count anew, as every night, how likely each play is to end in an order, what each store did, and lift."""
    with headquarters(common) as hq:
        made = refresh_estimates(hq)
    if common.json:
        say_json({"estimates": made})
    else:
        _print(f"There are {made} estimates; tablets rank by them, and show the figures, from their next contact on.")


def _print(line: str) -> None:
    people().print(Text(line), soft_wrap=True)

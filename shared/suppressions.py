"""Suppressions out: what other systems must hold back from a shopper, on which channel, about what, until when and why.

The same causes that hold plays back (`plays/suppression.py`), told to whoever sends e-mails and shows advertisements.
Pure: the profile comes in as HQ holds it in full, with the distance to the nearest store; whose it is stays outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from shared.clock import seconds_at, seconds_of
from shared.plays.holdout import held_out_by
from shared.plays.inputs import EvaluationInputs, StoreFacts
from shared.plays.playbook import Play
from shared.plays.settings import PlaySettings
from shared.plays.suppression import HoldCauses, find_causes
from shared.profile import Profile

ALL: Final = "all"
CART_TAG: Final = "abandoned-cart"
DISCOUNT_TAG: Final = "discount"
CART_NEAR_M: Final = 3_000
CART_HOURS: Final = 72
ASKED: Final = ("email", "sms", "phone")
_HOUR_S: Final = 3600


class Suppression(NamedTuple):
    """One thing held back. `what` is `all`, `campaign:<id>` or `tag:<tag>`; a missing time is open at that end."""

    channel: str
    what: str
    from_at: str | None
    until_at: str | None
    reason: str

    def told(self) -> dict[str, Any]:
        """As other systems read it."""
        return {
            "channel": self.channel,
            "what": self.what,
            "from": self.from_at,
            "until": self.until_at,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What the chain plays now. `play_of` finds any play ever published; `campaigns` says which offers each has."""

    settings: PlaySettings
    live: tuple[Play, ...]
    play_of: Callable[[str], Play | None]
    campaigns: Mapping[str, frozenset[str]]


def suppressions_of(profile: Profile, nearest_m: int | None, rules: Rulebook, now_s: int) -> tuple[Suppression, ...]:
    """Everything held back from a shopper now or later, in a fixed order, nothing twice."""
    nowhere = StoreFacts("", "UTC", "")
    causes = find_causes(EvaluationInputs(profile, {}, {}, nowhere, now_s, rules.settings))
    found = {
        *_lasting(profile, causes, rules),
        *_clicked(causes, rules, now_s),
        *_cart(causes.inputs.profile, nearest_m),
        *_turned_down(causes, rules),
        *_held_out(profile, rules, seconds_at(now_s)[:10]),
        *_not_agreed(profile),
    }
    now_at = seconds_at(now_s)
    return tuple(sorted((one for one in found if one.until_at is None or one.until_at > now_at), key=_order))


def _order(one: Suppression) -> tuple[str, ...]:
    return (one.reason, one.channel, one.what, one.from_at or "", one.until_at or "")


def _for_hours(reason: str, what: str, at_s: int | None, hours: int) -> Iterator[Suppression]:
    if at_s is not None and hours:
        yield Suppression(ALL, what, seconds_at(at_s), seconds_at(at_s + hours * _HOUR_S), reason)


def _lasting(profile: Profile, causes: HoldCauses, rules: Rulebook) -> Iterator[Suppression]:
    """A purchase (a claim on the floor is one), a talk with support, an open issue, the value band."""
    holds = rules.settings.holds
    yield from _for_hours("bought", ALL, causes.purchase_s, holds.after_purchase_h)
    yield from _for_hours("support", ALL, causes.support_s, holds.after_support_h)
    if profile.open_issue is not None and holds.is_selling_held_while_issue_open:
        yield Suppression(ALL, ALL, profile.open_issue.opened_at, None, "open_issue")
    if profile.value_band in holds.bands_without_discounts:
        yield Suppression(ALL, f"tag:{DISCOUNT_TAG}", None, None, "top_value")


def _clicked(causes: HoldCauses, rules: Rulebook, now_s: int) -> Iterator[Suppression]:
    """Who clicked offer X is told of X: campaigns with other offers wait."""
    hours = rules.settings.holds.after_other_offer_click_h
    recent = [(at_s, offer_id) for at_s, offer_id in causes.clicked if at_s + hours * _HOUR_S > now_s]
    chosen = {offer_id for _, offer_id in recent}
    for campaign, offers in rules.campaigns.items():
        if recent and offers and not offers & chosen:
            yield from _for_hours("other_offer", f"campaign:{campaign}", recent[0][0], hours)


def _cart(profile: Profile, nearest_m: int | None) -> Iterator[Suppression]:
    """An urban shopper uses the cart as a list: while a visit is likely, no discount for having left it."""
    times = [at_s for line in profile.cart if (at_s := seconds_of(line.at)) is not None]
    if times and nearest_m is not None and nearest_m <= CART_NEAR_M:
        yield from _for_hours("cart_near", f"tag:{CART_TAG}", max(times), CART_HOURS)


def _turned_down(causes: HoldCauses, rules: Rulebook) -> Iterator[Suppression]:
    """A no on the floor to a play holds its campaign, else what it is about, as long as the play itself rests."""
    for play_id, outcomes in causes.by_play.items():
        at_s = next((at_s for at_s, line in outcomes if line.outcome == "not_interested"), None)
        play = rules.play_of(play_id) if at_s is not None else None
        if play is not None:
            yield from _for_hours("not_interested", _about(play), at_s, play.rest_hours("not_interested"))


def _about(play: Play) -> str:
    return f"campaign:{play.campaign_id}" if play.campaign_id else f"tag:{play.tags[0]}"


def _held_out(profile: Profile, rules: Rulebook, day: str) -> Iterator[Suppression]:
    """Who is not shown a campaign in the store must not get it another way, or the comparison says nothing."""
    anchor, chain = profile.loyalty_id or profile.id, rules.settings.holdout
    for play in _measured(rules.live, day):
        state = profile.plays_state.get(play.id)
        arm = state.arm if state is not None else None
        if held_out_by(play.id, play.holdout.percent, play.holdout.period, anchor, chain, arm):
            yield Suppression(ALL, f"campaign:{play.campaign_id}", None, None, "holdout")


def _measured(plays: Iterable[Play], day: str) -> Iterator[Play]:
    for play in plays:
        if play.campaign_id and play.is_selling and (play.valid_until is None or play.valid_until >= day):
            yield play


def _not_agreed(profile: Profile) -> Iterator[Suppression]:
    """A channel nobody agreed to: since the refusal, or since ever where nobody asked."""
    for purpose in ASKED:
        if not profile.has_consent(purpose):
            said = profile.consent.get(purpose)
            yield Suppression(purpose, ALL, said.at if said else None, None, "no_consent")

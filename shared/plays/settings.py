"""The chain's settings for plays, one document `setting/plays` in scope all. Part of every rule pack's hash.

Whole numbers only: hours, days, percent. The defaults are the literal rules of plays.md, so an empty document is the
shipped behaviour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from shared.lifecycle import StageSettings

SETTING_ID: Final = "setting/plays"
Hours = Annotated[StrictInt, Field(ge=0, le=9600)]
Percent = Annotated[StrictInt, Field(ge=0, le=90)]


class SettingsPart(BaseModel):
    """Base: frozen, fields of a newer server ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Cap(SettingsPart):
    """At most `shown` showings in `hours`; a play's times shown are counted across stores, staff and tablets."""

    shown: Annotated[StrictInt, Field(ge=1, le=20)]
    hours: Annotated[StrictInt, Field(ge=1, le=9600)]


class HoldSettings(SettingsPart):
    """How long plays are held back, in hours; 0 switches a rule off."""

    after_purchase_h: Hours = 72
    after_support_h: Hours = 48
    after_other_offer_click_h: Hours = 72
    support_events: tuple[str, ...] = ("Support Case Opened", "Live Chat Conversation Started")
    is_selling_held_while_issue_open: bool = True
    bands_without_discounts: tuple[str, ...] = ("top_5",)


class CapSettings(SettingsPart):
    """Frequency caps beyond a play's own: per tag, and over all plays together."""

    per_tag: Mapping[str, Cap] = {}
    over_all: Cap | None = None
    same_visit_minutes: Annotated[StrictInt, Field(ge=0, le=720)] = 30
    """A showing this recent is the card on the counter: it never takes a play off that same card."""


class HoldoutSettings(SettingsPart):
    """The chain-wide holdout: shoppers who are shown no selling play at all. A new `period` draws new shoppers."""

    percent: Percent = 0
    period: Annotated[StrictInt, Field(ge=1)] = 1


class PlaySettings(SettingsPart):
    """All settings the engine reads."""

    stages: StageSettings = StageSettings()
    holds: HoldSettings = HoldSettings()
    caps: CapSettings = CapSettings()
    holdout: HoldoutSettings = HoldoutSettings()
    plays_max: Annotated[StrictInt, Field(ge=1, le=10)] = 3
    category_names: Mapping[str, Mapping[str, str]] = {}
    """language -> category -> the word a person says, where the slug with spaces for hyphens is not it."""

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> PlaySettings:
        """Read the setting document; absent parts keep their defaults."""
        return cls.model_validate(document)

    def as_document(self) -> dict[str, Any]:
        """The setting document, complete, so that a changed default never changes an old rule pack."""
        return self.model_dump(mode="json")

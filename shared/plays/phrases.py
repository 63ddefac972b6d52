"""The words of the cards' sentences, by language and key: why a play is shown, why one rests, what a stage rests on.

Words only: which key is said, and with what values, is decided in `explain.py` and `held_back.py`. Both languages hold
the same keys; a test compares them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.plays.speech import ENGLISH, GERMAN

PHRASES: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "cart": "left the {item} in the cart {ago}",
        "viewed_open": "looked at the {item} {ago} and has not bought it",
        "category_open": "looked at {category} {ago} and has not bought any",
        "checkout_open": "started the checkout {ago} and did not finish",
        "email_open": "opened an e-mail {ago} without clicking",
        "open": "{event} {ago}, nothing since",
        "stock": "your store has {n}",
        "stock_named": "your store has {n} of the {item}",
        "wish": "has the {item} on the wishlist; your store has {n}",
        "viewed_times": "viewed {category} {n} times in {span}",
        "viewed_thing_times": "viewed the {item} {n} times in {span}",
        "viewed": "viewed the {item} {ago}",
        "bought": "bought the {item} {ago}",
        "bought_something": "bought {ago}",
        "searched": "searched for “{query}” {ago}",
        "event_times": "{event} {n} times in {span}",
        "event": "{event} {ago}",
        "none": "not in the last {span}: {event}",
        "last_bought": "last bought {ago}",
        "silent": "nothing online for {for}",
        "last": "last {ago}: {event}",
        "never": "not yet: {event}",
        "orders": "{n} orders so far",
        "refunds": "{n} orders returned",
        "high_value": "among our best shoppers",
        "birthday": "birthday on {day}",
        "tier": "{tier} member",
        "field": "{rule}",
        "no_order": "has not bought here yet",
        "first_bought": "first bought {ago}",
        "near": "lives {far} away",
        "history_bought": "bought after a play {ago}",
        "history": "said “{outcome}” {ago}",
        "everyone": "Good for everyone to know",
    },
    GERMAN: {
        "cart": "hat „{item}“ {ago} in den Warenkorb gelegt",
        "viewed_open": "hat sich „{item}“ {ago} angesehen und noch nicht gekauft",
        "category_open": "hat sich {ago} {category} angesehen und noch nichts davon gekauft",
        "checkout_open": "hat {ago} eine Bestellung begonnen und nicht abgeschlossen",
        "email_open": "hat {ago} eine E-Mail geöffnet, ohne zu klicken",
        "open": "{event} ({ago}), seither nichts",
        "stock": "hier sind {n} da",
        "stock_named": "von „{item}“ sind hier {n} da",
        "wish": "hat „{item}“ auf der Wunschliste; hier sind {n} da",
        "viewed_times": "hat sich {category} in {span} {n}-mal angesehen",
        "viewed_thing_times": "hat sich „{item}“ in {span} {n}-mal angesehen",
        "viewed": "hat sich „{item}“ {ago} angesehen",
        "bought": "hat {ago} „{item}“ gekauft",
        "bought_something": "hat {ago} gekauft",
        "searched": "hat {ago} nach „{query}“ gesucht",
        "event_times": "{event}, {n}-mal in {span}",
        "event": "{event} ({ago})",
        "none": "in den letzten {span} nicht: {event}",
        "last_bought": "letzter Kauf {ago}",
        "silent": "seit {for} nichts online",
        "last": "zuletzt {ago}: {event}",
        "never": "noch nicht: {event}",
        "orders": "{n} Bestellungen bisher",
        "refunds": "{n} Rückgaben",
        "high_value": "gehört zu unseren besten Kundinnen und Kunden",
        "birthday": "Geburtstag am {day}",
        "tier": "{tier}-Mitglied",
        "field": "{rule}",
        "no_order": "hat hier noch nicht gekauft",
        "first_bought": "erster Kauf {ago}",
        "near": "wohnt {far} entfernt",
        "history_bought": "hat nach einem Play {ago} gekauft",
        "history": "sagte {ago} „{outcome}“",
        "everyone": "Gut zu wissen für alle",
    },
}

OUTCOME_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "bought": "bought",
        "interested": "interested",
        "not_today": "not today",
        "not_interested": "not interested",
        "already_has_it": "already has it",
        "out_of_stock": "out of stock",
        "not_mentioned": "not mentioned",
    },
    GERMAN: {
        "bought": "gekauft",
        "interested": "interessiert",
        "not_today": "heute nicht",
        "not_interested": "kein Interesse",
        "already_has_it": "hat es schon",
        "out_of_stock": "nicht da",
        "not_mentioned": "nicht erwähnt",
    },
}


HELD: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "outcome_bought": "Bought {on}",
        "outcome_interested": "Talked about {on}",
        "outcome_not_today": "Said not today {on}",
        "outcome_not_interested": "Was not interested {on}",
        "outcome_already_has_it": "Said {on} to have it already",
        "outcome_out_of_stock": "Was out of stock {on}",
        "outcome_not_mentioned": "Rests since {on}",
        "purchase": "Bought {on}",
        "support": "Talked with support {on}",
        "open_issue": "An open service issue comes first",
        "other_offer": "Clicked another offer {on}",
        "high_value": "One of our best shoppers: no discount needed",
        "rule": "{event} {on}",
        "rule_plain": "Rests for now",
        "cap_play": "Shown {n} times already",
        "cap_tag": "Plays like this were shown {n} times already",
        "cap_all": "{n} plays were shown already",
    },
    GERMAN: {
        "outcome_bought": "{on} gekauft",
        "outcome_interested": "{on} besprochen",
        "outcome_not_today": "{on} „heute nicht“ gesagt",
        "outcome_not_interested": "{on} kein Interesse gehabt",
        "outcome_already_has_it": "{on} gesagt: schon vorhanden",
        "outcome_out_of_stock": "{on} nicht vorrätig gewesen",
        "outcome_not_mentioned": "Ruht seit: {on}",
        "purchase": "{on} gekauft",
        "support": "{on} mit dem Service gesprochen",
        "open_issue": "Ein offener Servicefall geht vor",
        "other_offer": "{on} ein anderes Angebot angeklickt",
        "high_value": "Gehört zu unseren Besten: kein Rabatt nötig",
        "rule": "{on}: {event}",
        "rule_plain": "Ruht vorerst",
        "cap_play": "Schon {n}-mal gezeigt",
        "cap_tag": "Solche Plays wurden schon {n}-mal gezeigt",
        "cap_all": "Es wurden schon {n} Plays gezeigt",
    },
}
STAGE_TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    ENGLISH: {
        "no_order": "no order yet",
        "last_order": "last order {day}{place}",
        "first_order": "first order {day}",
        "here": ", here",
    },
    GERMAN: {
        "no_order": "noch keine Bestellung",
        "last_order": "letzter Kauf {day}{place}",
        "first_order": "erster Kauf {day}",
        "here": ", hier",
    },
}

"""A rule's no in the language of the tablet.

The services refuse in one plain English sentence, for the command line as for the floor; here is what colleagues read
who work in another language. What the services say in the tablet's language already passes through unchanged, and so
does a sentence nobody has put into words yet: an English reason is better than none.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from associate_app.ui.words import Speaker
from shared.errors import Refused

_GERMAN: Final = {
    # Promises: holds, follow-ups, appointments
    "This {} is no longer on this tablet. Look at the list again.": "Das ist nicht mehr auf diesem Tablet. Schau "
    "noch einmal in die Liste.",
    "A colleague was quicker: this {} is {} already. Nothing was changed.": "Jemand aus dem Team war schneller: Das "
    "ist schon erledigt. Es wurde nichts geändert.",
    "They do not work in this store any more. Choose somebody else, or the store.": "Sie oder er arbeitet nicht "
    "mehr in diesem Laden. Wähle jemand anderen oder den Laden.",
    # Holds
    "It can be kept from today's closing to two months from now. Choose another day.": "Zurücklegen geht von heute bis "
    "in zwei Monaten. Wähle einen anderen Tag.",
    "From 1 to {} can be kept at once.": "Auf einmal lassen sich 1 bis {} Stück zurücklegen.",
    "Only {} free here. Hold fewer, or look what is on hold.": "Hier sind nur noch {} frei. Leg weniger zurück, oder "
    "schau nach, was zurückgelegt ist.",
    "None is free here: all are sold or on hold. Look what is on hold.": "Hier ist keins mehr frei: Alle sind verkauft "
    "oder zurückgelegt. Schau nach, was zurückgelegt ist.",
    "This is no product of the catalogue. Scan its label, or type the number on it.": "Dieser Artikel steht nicht im "
    "Katalog. Scanne das Etikett, oder tippe die Nummer ein, die darauf steht.",
    # Follow-ups
    "A message goes by e-mail or text message, a call by phone; a visit or a reminder needs neither.": "Eine Nachricht "
    "geht per E-Mail oder SMS, ein Anruf per Telefon; ein Besuch oder eine Erinnerung braucht nichts davon.",
    "They have not agreed to be reached that way. Choose another way, or ask them.": "Dazu liegt keine Einwilligung "
    "vor. Wähle einen anderen Weg, oder frag nach.",
    "They have not agreed to be reached by {}. Choose another way.": "Dazu liegt keine Einwilligung vor. Wähle einen "
    "anderen Weg.",
    "A follow-up takes {} characters; this has {}. Make it a line.": "Hier passen {} Zeichen hin; das sind {}. Fass es "
    "in einer Zeile zusammen.",
    "That day is over, or further away than a year. Choose another day.": "Dieser Tag ist vorbei oder mehr als ein "
    "Jahr entfernt. Wähle einen anderen Tag.",
    "Say why it is dropped, so that the next colleague does not promise it again.": "Sag, warum es entfällt, damit es "
    "niemand noch einmal verspricht.",
    # Appointments
    "An appointment takes {} characters; this has {}. Make it a line.": "Hier passen {} Zeichen hin; das sind {}. Fass "
    "es in einer Zeile zusammen.",
    "That time is over, or the store is closed then. Choose another time.": "Diese Zeit ist vorbei, oder der Laden hat "
    "dann geschlossen. Wähle eine andere Zeit.",
    "That is further away than a year. Choose another day.": "Das ist mehr als ein Jahr entfernt. Wähle einen anderen "
    "Tag.",
    # What is recorded
    "A yes needs the shopper's own tap or a signed paper. Hand them the tablet.": "Eine Einwilligung braucht das "
    "eigene Tippen oder eine Unterschrift. Gib das Tablet weiter.",
    "This tablet is not connected to a store yet. Connect it with an enrolment code first.": "Dieses Tablet ist noch "
    "mit keinem Laden verbunden. Verbinde es zuerst mit einem Einladungscode.",
    "There is no shopper on this card. Scan a loyalty card first.": "Zu dieser Karte gehört niemand. Scanne zuerst "
    "eine Kundenkarte.",
    "There is no play {} in this store's playbook. {}Look the shopper up to see theirs.": "Dieses Play gilt hier nicht "
    "mehr. Öffne die Karte noch einmal.",
    "There is no offer {} in this store's playbook. {}Scan its code once more.": "Dieses Angebot gilt hier nicht mehr. "
    "Scanne den Code noch einmal.",
    "This record is no longer on this tablet, so it cannot be changed here. Tell HQ what is wrong.": "Dieser Eintrag "
    "ist nicht mehr auf diesem Tablet und lässt sich hier nicht ändern. Sag der Zentrale, was nicht stimmt.",
    "{} cannot be empty. Write a word or two, or leave it.": "Da steht noch nichts. Schreib ein, zwei Worte, oder lass "
    "es.",
    "{} takes at most {} characters; this has {}. Shorten it.": "{:.0}Hier passen höchstens {} Zeichen hin; das sind "
    "{}. Kürz es etwas.",
    "This cannot be saved as it is ({}). Change it and save again.": "So lässt sich das nicht speichern. Ändere es "
    "und speichere noch einmal.",
    "This is no longer worth a word: they bought, were reached, or changed what they agreed to.": "Das hat sich "
    "erledigt: gekauft, schon erreicht oder die Einwilligung geändert.",
    # The tablet's own storage
    "This tablet is busy saving something else. Wait a moment, then do it again.": "Dieses Tablet speichert gerade "
    "etwas anderes. Warte kurz, und mach es dann noch einmal.",
    "This tablet's storage is full, so nothing more was saved; everything saved before is safe. Free some space (old "
    "pictures or apps), then do it again.": "Der Speicher dieses Tablets ist voll, das wurde nicht gespeichert. Alles "
    "davor ist sicher. Schaff etwas Platz (alte Bilder oder Apps) und mach es noch einmal.",
    "This tablet's storage could not be written: it is full or failing. What was saved before is kept. Free some "
    "space; if that does not help, have the tablet looked at.": "Dieses Tablet konnte nicht speichern: Der Speicher "
    "ist voll oder defekt. Alles davor ist aufgehoben. Schaff etwas Platz; hilft das nicht, lass das Tablet ansehen.",
    "The records of this tablet ({}) are damaged or belong to another key. Move the file aside, start again and "
    "connect the tablet with a new code; all that HQ confirmed is safe there.": "Die Einträge dieses Tablets ({}) sind "
    "beschädigt oder gehören zu einem anderen Schlüssel. Leg die Datei beiseite, starte neu und verbinde das Tablet "
    "mit einem neuen Code; was die Zentrale bestätigt hat, ist dort sicher.",
    "The records of this tablet ({}) cannot be opened for writing. Check that the folder exists and that this account "
    "may write to it.": "In die Einträge dieses Tablets ({}) lässt sich nicht schreiben. Sieh nach, ob es den Ordner "
    "gibt und ob dieses Konto dort schreiben darf.",
    # Connecting
    "{} is not an address. HQ's looks like https://hq.example.com.": "{} ist keine Adresse. Die der Zentrale sieht aus "
    "wie https://hq.example.com.",
    "This code names HQ's certificate, so HQ's address must begin with https://.": "Dieser Code nennt das Zertifikat "
    "der Zentrale, also muss ihre Adresse mit https:// beginnen.",
    # The practice store
    "This is the practice store.": "Das ist der Übungsladen.",
}
"""Each English sentence, with `{}` for what is filled in, and the German one, which takes those in the same order."""


def no_of(refusal: Refused, words: Speaker) -> str:
    """Why a rule said no, for the person in front of it."""
    told = str(refusal)
    return told if words.language == "en" else _in_german(told)


def is_told(sentence: str) -> bool:
    """Whether a sentence of a service has its words in every language; `{}` stands for what is filled in."""
    return any(pattern.fullmatch(sentence) for pattern, _ in _patterns())


def _in_german(told: str) -> str:
    for pattern, german in _patterns():
        if found := pattern.fullmatch(told):
            return german.format(*found.groups())
    return told


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile("(.*)".join(map(re.escape, said.split("{}")))), told) for said, told in _GERMAN.items())

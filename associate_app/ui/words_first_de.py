"""Settings, practice, the first minutes and the lock in German: as `words_de.py`, of which this is a part."""

from __future__ import annotations

from typing import Final

FIRST_GERMAN: Final[dict[str, str]] = {
    "broken.full": "Der Speicher dieses Tablets ist voll, das wurde nicht gespeichert. Alles davor ist sicher. "
    "Schaff etwas Platz (alte Bilder oder Apps) und mach es noch einmal.",
    "settings.title": "Einstellungen",
    # The practice store and the first minutes
    "practice.title": "Üben",
    "practice.lead": "Ein Übungsladen mit erfundener Kundschaft: scannen, beraten, erfassen, jemanden aufnehmen. "
    "Nichts davon wird behalten oder gesendet, und es geht ohne Netz.",
    "practice.go": "Üben",
    "practice.leave": "Üben beenden",
    "practice.store": "Übungsladen",
    "practice.band": "Übung: erfundene Kundschaft. Nichts hier wird behalten oder gesendet.",
    "practice.band_short": "Übung: nichts wird behalten",
    "practice.pill": "Übung · nichts wird gesendet",
    "practice.offer.title": "Neu hier? Erst einmal ausprobieren",
    "practice.offer.text": "Scanne eine Übungskarte und berate erfundene Kundschaft. Zwei Minuten; nichts davon zählt.",
    "practice.offer.no": "Jetzt nicht",
    "practice.cards": "Deine Übungskarte",
    "practice.cards_hint": "Mit einem Handscanner oder der Kamera eines anderen Tablets scannen, oder auf den Knopf "
    "tippen.",
    "practice.scan_it": "Diese Karte scannen",
    "practice.qr": "Übungskarte von {name}",
    "practice.stranger": "Jemand Unbekanntes",
    "practice.try.cart": "Hat vor zwei Tagen eine Jacke im Warenkorb gelassen und wohnt in der Nähe.",
    "practice.try.no_consent": "Hat nicht zugestimmt, dass wir seine Online-Aktivität hier nutzen.",
    "practice.try.long_away": "Hat seit mehr als einem Jahr nichts gekauft.",
    "practice.try.stranger": "Eine Karte, die dieses Tablet noch nie gesehen hat und die sich trotzdem öffnet.",
    "practice.card.title": "Das ist eine Übungskarte",
    "practice.card.text": "Die gilt im Übungsladen: Einstellungen, dann Üben.",
    "practice.real.title": "Das ist keine Übungskarte",
    "practice.real.text": "Du übst gerade, und nichts würde behalten. Beende das Üben und scanne sie dann noch einmal.",
    "tip.count": "Tipp {n} von 3",
    "tip.1": "Scanne die Kundenkarte: hier mit der Kamera oder überall in der App mit dem Handscanner. Die Karte "
    "öffnet sich von selbst.",
    "tip.2": "Höchstens drei Plays, das beste zuerst, mit Worten zum Sagen. „Warum das“ erklärt, weshalb es passt.",
    "tip.3": "Tippe an, was daraus wurde. Ein Tipp speichert es, und zehn Sekunden lang kannst du es zurücknehmen.",
    "tip.done": "Verstanden",
    "tip.skip": "Ohne Tipps weiter",
    "tip.again": "Tipps noch einmal zeigen",
    # The scanner test
    "scanner.title": "Scannertest",
    "scanner.lead": "Scanne einen Testcode mit dem Handscanner: Falsche Tastatursprache, fehlendes Enter oder "
    "Feststelltaste werden beim Namen genannt.",
    "scanner.start": "Scanner testen",
    "scanner.stop": "Test beenden",
    "scanner.qr": "Testcode für den Handscanner",
    "scanner.scan_this": "Scanne diesen Code mit dem Handscanner.",
    "scanner.waiting": "Warte auf den Scanner. Kommt nichts, ist er nicht verbunden oder tippt nicht wie eine "
    "Tastatur.",
    "scanner.told.good": "Alles gut: Jedes Zeichen kam an und danach Enter.",
    "scanner.told.no_enter": "Jedes Zeichen kam an, aber danach kein Enter. Es geht auch so, mit Enter aber "
    "schneller: Scanne „Enter anhängen“ im Handbuch des Scanners.",
    "scanner.told.caps": "Groß und klein sind vertauscht: Die Feststelltaste ist an. Schalte sie aus, hier und im "
    "Scanner.",
    "scanner.told.layout": "Falsche Tastatursprache: Der Scanner tippt {scanner}, dieses Tablet liest {tablet}. "
    "Scanne „{tablet}“ bei den Tastaturländern im Handbuch des Scanners.",
    "scanner.told.swapped": "Falsche Tastatursprache: y und z sind vertauscht, wie zwischen Deutsch und Englisch. "
    "Stell den Scanner auf das Tastaturland dieses Tablets: Sein Handbuch hat für jedes einen Code.",
    "scanner.told.added": "Der Scanner hängt an jeden Code etwas an: {added}. Schalte Präfix und Suffix in seinem "
    "Handbuch aus; nur Enter darf folgen.",
    "scanner.told.part": "Nur ein Teil kam an: {typed}. Der Scanner tippt zu langsam oder verliert die Verbindung: "
    "Stell die Pause zwischen Zeichen auf null und geh näher heran.",
    "scanner.told.strange": "Etwas anderes kam an: {typed}. Scanne den Testcode auf dieser Seite.",
    "scanner.layout.us": "Englisch (USA)",
    "scanner.layout.de": "Deutsch",
    "scanner.layout.ch": "Deutsch (Schweiz)",
    "scanner.layout.fr": "Französisch",
    # How it looks
    "theme.title": "Darstellung",
    "theme.device": "Wie das Gerät",
    "theme.light": "Hell",
    "theme.dark": "Dunkel",
    "theme.hint": "Gilt nur für diesen Bildschirm: Ein Tablet am Fenster braucht es vielleicht anders.",
    "language.hint": "Für alle an diesem Tablet.",
    "about.title": "Dieses Tablet",
    "about.tablet": "Name",
    "about.store": "Laden",
    "about.version": "Version",
    "about.lock": "Sperrt sich nach",
    "about.minutes.one": "{n} Minute ohne Berührung",
    "about.minutes.other": "{n} Minuten ohne Berührung",
    # The idle lock
    "lock.text": "Gesperrt, weil niemand es berührt hat. Woran du warst, ist noch da.",
}

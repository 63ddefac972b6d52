"""Settings, practice, the first minutes and the lock in English: as `words_en.py`, of which this is a part."""

from __future__ import annotations

from typing import Final

FIRST_ENGLISH: Final[dict[str, str]] = {
    "broken.full": "This tablet’s storage is full, so that was not saved. Everything saved before is safe. "
    "Free some space (old pictures or apps), then do it again.",
    "settings.title": "Settings",
    # The practice store and the first minutes
    "practice.title": "Practice",
    "practice.lead": "A practice store with made-up shoppers: scan, talk, record, let someone join. Nothing of it "
    "is kept or sent, and it works without a network.",
    "practice.go": "Practise",
    "practice.leave": "Leave practice",
    "practice.store": "Practice store",
    "practice.band": "Practice: made-up shoppers. Nothing here is kept or sent.",
    "practice.band_short": "Practice: nothing is kept",
    "practice.pill": "Practice · nothing is sent",
    "practice.offer.title": "New here? Try it first",
    "practice.offer.text": "Scan a practice card and serve a made-up shopper. Two minutes; nothing of it counts.",
    "practice.offer.no": "Not now",
    "practice.cards": "Your practice card",
    "practice.cards_hint": "Scan it with a hand scanner or another tablet’s camera, or tap the button.",
    "practice.scan_it": "Scan this card",
    "practice.qr": "Practice card of {name}",
    "practice.stranger": "Someone unknown",
    "practice.try.cart": "She left a jacket in her cart two days ago and lives nearby.",
    "practice.try.no_consent": "He has not agreed to the use of his online activity here.",
    "practice.try.long_away": "She has not bought anything for more than a year.",
    "practice.try.stranger": "A card that this tablet has never seen: it opens all the same.",
    "practice.card.title": "This is a practice card",
    "practice.card.text": "It works in the practice store: Settings, then Practise.",
    "practice.real.title": "This is not a practice card",
    "practice.real.text": "You are practising, and nothing would be kept. Leave practice, then scan it again.",
    "tip.count": "Tip {n} of 3",
    "tip.1": "Scan the shopper’s loyalty QR: with the camera here, or with a hand scanner on any screen. Their card "
    "opens by itself.",
    "tip.2": "At most three plays, the best one first, with words you can say. “Why this” tells why it fits.",
    "tip.3": "Tap what happened. One tap saves it, and you have ten seconds to take it back.",
    "tip.done": "Got it",
    "tip.skip": "Skip tips",
    "tip.again": "Show the tips again",
    # The scanner test
    "scanner.title": "Scanner test",
    "scanner.lead": "Scan a test code with your hand scanner: a wrong keyboard layout, a missing Enter or Caps Lock "
    "are named.",
    "scanner.start": "Test the scanner",
    "scanner.stop": "End the test",
    "scanner.qr": "Test code for the hand scanner",
    "scanner.scan_this": "Scan this code with the hand scanner.",
    "scanner.waiting": "Waiting for the scanner. If nothing comes, it is not connected, or not set to type like a "
    "keyboard.",
    "scanner.told.good": "All good: every character arrived, and Enter after them.",
    "scanner.told.no_enter": "Every character arrived, but no Enter after them. It works; it is quicker with Enter: "
    "scan “Add Enter” in the scanner’s handbook.",
    "scanner.told.caps": "Capital and small letters are swapped: Caps Lock is on. Switch it off, here and in the "
    "scanner.",
    "scanner.told.layout": "Wrong keyboard layout: the scanner types as {scanner}, this tablet reads {tablet}. Scan "
    "“{tablet}” under keyboard countries in the scanner’s handbook.",
    "scanner.told.swapped": "Wrong keyboard layout: y and z are swapped, as between German and English. "
    "Set the scanner to this tablet’s keyboard country: its handbook has a code for each.",
    "scanner.told.added": "The scanner adds something to each code: {added}. Switch prefix and suffix off in its "
    "handbook; only Enter may follow.",
    "scanner.told.part": "Only a part arrived: {typed}. The scanner types too slowly or loses its connection: set "
    "the delay between characters to none, and come closer.",
    "scanner.told.strange": "Something else arrived: {typed}. Scan the test code on this screen.",
    "scanner.layout.us": "English (US)",
    "scanner.layout.de": "German",
    "scanner.layout.ch": "Swiss German",
    "scanner.layout.fr": "French",
    # How it looks
    "theme.title": "Theme",
    "theme.device": "As the device",
    "theme.light": "Light",
    "theme.dark": "Dark",
    "theme.hint": "Kept for this screen alone: a tablet by the window may want another one.",
    "language.hint": "For everyone at this tablet.",
    "about.title": "This tablet",
    "about.tablet": "Name",
    "about.store": "Store",
    "about.version": "Version",
    "about.lock": "Locks itself after",
    "about.minutes.one": "{n} minute without a touch",
    "about.minutes.other": "{n} minutes without a touch",
    # The idle lock
    "lock.text": "Locked because nobody touched it. What you were doing is kept.",
}

"""Every word an associate reads: one catalogue a language, and the `Speaker` that says them with names, counts, times.

Screens name a sentence by its key and never hold text themselves; a test proves that each key used exists in every
catalogue and that none lies about unused. A counted sentence has the forms of its language's plural (Babel) under
`key.one`, `key.other`, .... Nothing here knows a screen, a database or a network.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal

from shared.clock import parse_at
from shared.money import amount_of
from shared.profile import Money

ENGLISH: Final[dict[str, str]] = {
    # Names that stay
    "app.name": "Floorside",
    "app.hub_gone": "No connection to the store hub. Nothing is being recorded.",
    # Rail
    "nav.scan": "Scan",
    "nav.find": "Find",
    "nav.today": "Today",
    "nav.plays": "Plays",
    "nav.tell": "Tell HQ",
    "nav.sync": "Sync",
    "nav.switch": "Switch associate, now {name}",
    # What broke, for the person in front of it
    "broken.title": "This part of the screen did not load",
    "broken.text": "Nothing you saved is lost. Go back to Today and try again.",
    "broken.tap": "That did not work. What was saved before is safe: look at the screen, then try again.",
    "broken.home": "Go to Today",
    "loading": "Loading",
    "new_mark": "new",
    "back": "Back",
    "close": "Close",
    "retry": "Try again",
    "now": "just now",
    # Times
    "ago.minutes.one": "{n} minute ago",
    "ago.minutes.other": "{n} minutes ago",
    "ago.hours.one": "{n} hour ago",
    "ago.hours.other": "{n} hours ago",
    "ago.yesterday": "yesterday",
    "ago.days.one": "{n} day ago",
    "ago.days.other": "{n} days ago",
    "until.tomorrow": "tomorrow {time}",
    "as_of": "as of {time}",
    # Sync pill
    "pill.saved": "All saved at HQ {time}",
    "pill.waiting.one": "Saved on this tablet · {n} to send",
    "pill.waiting.other": "Saved on this tablet · {n} to send",
    "pill.here": "Saved on this tablet",
    "pill.look": "Needs a look",
    "pill.spoken": "Sync: {text}",
    # Connect this tablet
    "connect.title": "Connect this tablet",
    "connect.lead": "HQ invites each tablet with a code. Scan it, or type the address and the code printed under it.",
    "connect.scan": "Scan the invitation",
    "connect.address": "HQ address",
    "connect.code": "Invitation code",
    "connect.name": "Name of this tablet",
    "connect.name_hint": "As colleagues will know it, for example Tablet 3",
    "connect.go": "Connect",
    "connect.working": "Asking HQ",
    "connect.fetching": "The shoppers of your store are on their way.",
    "connect.name_default": "Tablet 1",
    "connect.scanned": "Invitation scanned",
    "connect.fetched": "{done} of {total}",
    "connect.all_here": "All are here.",
    "connect.ready": "You can already scan",
    "connect.start": "Start",
    "connect.wants_address": "Type the address HQ gave you, for example https://hq.example",
    "connect.wants_code": "Type the code from the invitation.",
    "connect.not_an_invitation": "This is not an invitation for a tablet. Scan the code HQ sent for it.",
    # Who's working
    "who.title": "Who’s working?",
    "who.none": "No associates have arrived from HQ yet. Leave this tablet on the Wi-Fi for a minute.",
    "who.role.manager": "Store manager",
    "who.role.associate": "Associate",
    "pin.title": "Hello {name}",
    "pin.lead": "Enter your PIN",
    "pin.spoken.one": "PIN, {n} digit entered",
    "pin.spoken.other": "PIN, {n} digits entered",
    "pin.delete": "Delete digit",
    "pin.enter": "Sign in",
    "pin.someone_else": "Someone else",
    "pin.checking": "Checking",
    "pin.wait.one": "Too many tries. Wait {n} second, then try again.",
    "pin.wait.other": "Too many tries. Wait {n} seconds, then try again.",
    "pin.wait_minutes.one": "Too many tries. Wait {n} minute, or ask your store manager.",
    "pin.wait_minutes.other": "Too many tries. Wait {n} minutes, or ask your store manager.",
    # Today
    "today.morning": "Good morning, {name}",
    "today.afternoon": "Good afternoon, {name}",
    "today.evening": "Good evening, {name}",
    "today.scan": "Scan loyalty QR",
    "today.scan_hint": "or just scan with the hand scanner, on any screen",
    "today.search": "Search",
    "today.search_hint": "Name, phone, e-mail",
    "today.new": "New shopper",
    "today.new_hint": "Join in a minute",
    "today.seen": "Seen this shift",
    "today.seen_none": "Shoppers you open show up here, one tap away.",
    "today.follow_ups": "Follow-ups",
    "today.overdue": "overdue",
    "today.due": "today",
    "today.upcoming": "upcoming",
    "today.no_follow_ups": "Nothing promised for today.",
    "today.new_plays": "New plays this week",
    "today.no_new_plays": "No new plays. The ones you know still stand.",
    "today.week": "This week",
    "today.no_week": "Nothing on the calendar this week.",
    "today.from": "from {day}",
    "today.until": "until {day}",
    "follow_up.message": "Message",
    "follow_up.call": "Call",
    "follow_up.visit": "Visit",
    "follow_up.reminder": "Reminder",
    "follow_up.None": "Follow-up",
    # Scan
    "scan.title": "Scan",
    "scan.point": "Point the camera at the shopper’s loyalty QR",
    "scan.brighter": "Ask to turn up the screen’s brightness",
    "scan.starting": "Starting the camera",
    "scan.number": "Enter number instead",
    "scan.camera": "Use the camera",
    "scan.picture": "Read a picture",
    "scan.flip": "Other camera",
    "scan.field": "Loyalty number",
    "scan.field_hint": "As printed under the code",
    "scan.open": "Open",
    "scan.again": "Scan again",
    "scan.hand": "A hand scanner works on every screen.",
    "scan.rest": "The camera is resting.",
    "scan.wake": "Wake the camera",
    "scan.preview": "Live camera picture",
    "scan.nothing_in_picture": "There is no code in this picture. Take it again, closer and straight on.",
    "scan.no_camera": "This tablet has no camera. Use a hand scanner or enter the number.",
    "scan.refused": "This app may not use the camera. Allow it in the browser’s or tablet’s settings, then try again.",
    "scan.insecure": "A browser gives the camera only to a secure page. Open this app by https, or enter the number.",
    "scan.busy": "Another app is using the camera. Close it, then try again.",
    "scan.broken": "The camera does not start. Enter the number, or restart the tablet when there is time.",
    # Scan results that are not a card
    "result.forged.title": "This card is not genuine",
    "result.forged.text": "Its seal does not match. Look the shopper up by name and offer a new card.",
    "result.expired.title": "This card expired on {day}",
    "result.expired.text": "You can still look the shopper up by name.",
    "result.expired.text_named": "You can still look {name} up by name.",
    "result.cancelled.title": "This card was cancelled",
    "result.cancelled.text": "Ask whether there is a new one, or look the shopper up by name.",
    "result.foreign.title": "This is not one of our cards",
    "result.foreign.text": "Ask for the loyalty QR in our app, or look the shopper up by name.",
    "result.unreadable.title": "This code cannot be read",
    "result.unreadable.text": "It is damaged or cut off. Scan it again, straight on, or enter the number under it.",
    "result.newer.title": "This card is newer than this app",
    "result.newer.text": "Enter the number under the code; the app updates itself at the next contact.",
    "result.web.title": "This is a web address, not a loyalty card",
    "result.web.text": "Ask the shopper to open the card itself in our app.",
    "result.left.title": "This shopper is no longer on this tablet",
    "result.left.text": "Scan their loyalty QR, or enter the whole number.",
    "result.number.title": "This number has a slip in it",
    "result.number.text": "A digit does not fit the others. Check it against the card.",
    "result.offer.title": "This is an offer code: {title}",
    "result.offer.text": "Open the shopper’s card to see whether it holds for them.",
    "result.product.title": "{title}",
    "result.product.text": "This is a product’s code. Scan the shopper’s loyalty QR to open their card.",
    "result.enrolment.title": "This is an invitation for a tablet",
    "result.enrolment.text": "This tablet is connected already. Keep the code for a new one.",
    "result.by_name": "Look up by name",
    # Shopper card
    "card.unnamed": "Shopper",
    "card.may_be_here": "may be here for",
    "card.no_reason": "No sign yet of what brings {name} in. Ask, and note it.",
    "card.details_later": "Online activity arrives with the next contact with HQ.",
    "card.sizes": "Sizes and preferences",
    "card.stage.unknown": "Not known on this tablet",
    "card.stage.prospect": "Prospect · no order yet",
    "card.stage.new": "New · first order {day}",
    "card.stage.active": "Active · last order {day}",
    "card.stage.active_here": "Active · last order {day}, here",
    "card.stage.lapsing": "Lapsing · last order {day}",
    "card.stage.win_back": "Win back · last order {day}",
    "card.consent.email": "E-mail",
    "card.consent.sms": "Text message",
    "card.consent.personalise_in_store": "Online activity in the store",
    "card.consent.spoken": "Agreed to: {granted}. Not agreed: {denied}.",
    "card.consent.none": "nothing",
    "card.recent": "Recently online",
    "card.more": "more ({n})",
    "card.less": "fewer",
    "card.nothing_recent": "Nothing online in the last 90 days.",
    "card.no_consent": "{name} has not agreed to use online activity here.",
    "card.no_consent_hint": "If it would help, ask. It is recorded under New shopper by their own tap.",
    "card.two_answers": "{name} once said yes and once no to using online activity here. Ask again before you use it.",
    "card.stale": "Online activity is hidden until this tablet has been in touch with HQ.",
    "card.purchases": "Purchases",
    "card.no_purchases": "No purchases yet.",
    "card.notes": "Notes and sizes",
    "card.no_notes": "No notes yet.",
    "card.add_note": "Note",
    "card.note_field": "Note for the next colleague",
    "card.note_save": "Save note",
    "card.done": "Said and done",
    "card.issue": "Open service issue: {title}",
    "card.issue_due": "due {day}",
    "card.known_by_card": "New to this tablet: this is what the card says. Details follow when the network is back.",
    "card.joined": "HQ found that two entries were this one shopper. Both histories are on this card now.",
    "card.joined_as": "HQ found that {name} is this same shopper. Both histories are on this card now.",
    "card.parted": "HQ found that two shoppers were mixed up here. What belongs to the other one has left this card.",
    "card.unknown_key": "This card cannot be checked until the next contact with HQ. You can work with it.",
    "card.here": "{n} here",
    "card.here_aisle": "{n} here, aisle {aisle}",
    "card.none_here": "none here",
    "card.gone": "This card is no longer open here",
    "card.gone_text": "Scan the loyalty QR again to open it.",
    "card.again": "Scan another",
    "card.provisional": "Joined on this tablet, not yet at HQ",
    # The one reason they may be here
    "sign.cart": "{title}, left in the cart {when}",
    "sign.wishlist": "{title}, on the wishlist and in this store",
    "sign.viewed.one": "{title}, viewed once",
    "sign.viewed.other": "{title}, viewed {n} times",
    "sign.searched": "“{query}”, searched {when}",
    "sign.looked": "{title}, viewed {when}",
    "sign.clicked": "“{title}”, clicked {when}",
    # What happened online
    "event.cart": "in cart",
    "event.wishlist": "on the wishlist",
    "event.viewed.one": "viewed",
    "event.viewed.other": "viewed {n}×",
    "event.searched": "Searched for “{query}”",
    "event.browsed": "Looked through {category}",
    "event.email_opened": "Opened “{title}”",
    "event.email_opened_plain": "Opened an e-mail",
    "event.email_clicked_plain": "Clicked in an e-mail",
    "event.promotion_plain": "Clicked a promotion",
    "event.ad_plain": "Clicked an ad",
    "event.something": "A product",
    "event.clicked": "clicked",
    "event.promotion": "Clicked “{title}”",
    "event.ad": "Clicked the ad “{title}”",
    "event.checkout": "Started the checkout",
    "event.support": "Asked support",
    "event.store": "Came into a store",
    "event.app": "Installed the app",
    "event.reviewed": "reviewed",
    "event.kiosk": "scanned in the store",
    "event.bought_online": "online",
    "event.bought_here": "here",
    "event.bought_store": "in another store",
    "event.refunded": "returned",
    # Plays
    "plays.for_now": "Plays for now",
    "plays.none": "No play fits right now. Greet, listen, and note what you learn.",
    "plays.why": "Why this",
    "plays.avoid": "Better not mention",
    "plays.no_offer": "No offer",
    "plays.held.one": "Held back ({n})",
    "plays.held.other": "Held back ({n})",
    "plays.until": "until {when}",
    # Every play and why, for store managers
    "verdicts.open": "Every play and why",
    "verdicts.factors": "Ends in an order: {p} · worth {value} · your lever {lever}",
    "verdicts.managers": "Only a store manager sees why every play is here or not.",
    "verdicts.met": "Met",
    "verdicts.not_met": "Not met",
    # A manager's changes
    "change.pause": "Pause in this store",
    "change.resume": "Run again in this store",
    "change.lower": "Lever down to {lever}",
    "change.higher": "Lever up to {lever}",
    "change.write": "Own words",
    "change.unwrite": "Back to HQ's words",
    "change.opener": "What to say first",
    "change.bullets": "Up to three points",
    "change.bullets_hint": "One a line; at most 60 words in all.",
    "change.keep": "Use these words",
    "change.propose": "Propose to HQ",
    "change.proposal": "What should this play be?",
    "change.send": "Send to HQ",
    "change.saved": "Saved. It holds in this store from now on.",
    "change.proposed": "Saved. HQ reads it and answers.",
    # Honouring an offer beyond its terms
    "bend.open": "Honour an offer beyond its terms",
    "bend.none": "There is no offer HQ lets this store bend today.",
    "bend.ended": "Ended on {when}",
    "bend.until": "Until {when}",
    "bend.runs": "Has no end",
    "bend.left": "{n} left today",
    "bend.kind.extended": "As it was",
    "bend.kind.adjusted": "Adjusted",
    "bend.kind.goodwill": "Goodwill",
    "bend.unit.percent": "Per cent",
    "bend.unit.amount": "Amount",
    "bend.most": "At most {most}",
    "bend.why": "Why",
    "bend.manager": "A manager types their PIN here.",
    "bend.pin": "Manager's PIN",
    "bend.save": "Save and show the till code",
    "bend.saved": "Saved: {title}",
    "bend.wants_reason": "Choose why this offer is bent.",
    "bend.wants_number": "Type a number, such as 10.",
    "outcome.bought": "Bought",
    "outcome.interested": "Interested",
    "outcome.not_today": "Not today",
    "outcome.not_interested": "Not interested",
    "outcome.already_has_it": "Already has it",
    "outcome.out_of_stock": "Out of stock",
    "outcome.not_mentioned": "Didn't mention it",
    "saved.title": "Saved",
    "saved.what": "{outcome} · {play}",
    "saved.undo": "Undo",
    "saved.undone": "Taken back. Nothing was recorded.",
    "saved.failed": "This was not saved: {why}",
    "reason.title.not_today": "Saved. Why not today?",
    "reason.title.not_interested": "Saved. What was the reason?",
    "reason.skip": "Skip",
    "reason.saved": "Saved with the reason",
    "reason.not_today.1": "No time",
    "reason.not_today.2": "Just looking",
    "reason.not_today.3": "Wants to think",
    "reason.not_today.4": "Size or colour",
    "reason.not_today.5": "Price",
    "reason.not_interested.1": "Not their style",
    "reason.not_interested.2": "Price",
    "reason.not_interested.3": "Bought elsewhere",
    "reason.not_interested.4": "It was a gift idea",
    "reason.not_interested.5": "Would rather not be asked",
    # Sync
    "sync.title": "Sync",
    "sync.all": "Everything is at HQ.",
    "sync.waiting.one": "{n} record is saved here and will go by itself.",
    "sync.waiting.other": "{n} records are saved here and will go by themselves.",
    "sync.look.one": "{n} record needs a look.",
    "sync.look.other": "{n} records need a look.",
    "sync.receipt": "HQ confirmed record {n} at {time}",
    "sync.no_receipt": "HQ has confirmed nothing yet.",
    "sync.oldest": "The oldest was saved {when}.",
    "sync.last": "Last complete sync {when}",
    "sync.never": "No complete sync yet",
    "sync.wiped": "This tablet was without HQ for too long, so it deleted its shoppers. They come back with the "
    "network; what was recorded here is kept.",
    "sync.from_hq": "HQ says: {text}",
    "sync.send": "Send now",
    "sync.records": "Records on this tablet",
    "sync.nothing_yet": "Nothing has been recorded here yet.",
    "sync.none": "Nothing has been recorded on this tablet yet.",
    "sync.state.pending": "saved here",
    "sync.state.sending": "sending",
    "sync.state.acked": "at HQ {time}",
    "sync.state.parked": "HQ holds it and looks at it",
    "sync.state.rejected": "needs a look",
    "sync.state.withheld": "kept here, needs a look",
    "sync.cut": "Take the network away",
    "sync.cut_hint": "For trying out: this tablet behaves as if the Wi-Fi were gone.",
    "sync.is_cut": "The network is taken away. Everything goes on working and is saved here.",
    # Find
    "find.title": "Find a shopper",
    "find.field": "Name, phone, e-mail or number",
    "find.lead": "Part of a name is enough.",
    "find.none": "Nobody found for “{text}”. Try the family name alone, or the last digits of the phone.",
    "find.found.one": "{n} shopper",
    "find.found.other": "{n} shoppers",
    "find.many": "The first {n}. Add a letter to see fewer.",
    # Plays list
    "book.title": "Plays",
    "book.lead": "What you can say this week, without a shopper in front of you.",
    "book.none": "No plays have arrived from HQ yet.",
    "book.field": "Search plays",
    "book.nothing": "No play mentions “{text}”.",
    # Tell HQ
    "tell.title": "Tell HQ",
    "tell.lead": "What did you see on the floor? HQ answers here.",
    "tell.about": "What is it about?",
    "tell.worked": "Worked well",
    "tell.confusing": "Confusing",
    "tell.out_of_stock": "Out of stock",
    "tell.wrong_price": "Wrong price",
    "tell.shopper_reaction": "A shopper’s reaction",
    "tell.traffic_or_staffing": "Traffic or staffing",
    "tell.friction": "Something gets in the way",
    "tell.script_idea": "Better words",
    "tell.other": "Something else",
    "tell.field": "In a line or two",
    "tell.send": "Send to HQ",
    "tell.sent": "Saved. It goes to HQ with the next sync.",
    "tell.wants_text": "Add a line, so that HQ knows what to do.",
    "tell.play": "About the play {title}",
    # New shopper
    "new.title": "New shopper",
    "new.lead": "Only what they like to give. The first name is enough.",
    "new.given": "First name",
    "new.family": "Family name",
    "new.email": "E-mail",
    "new.phone": "Phone",
    "new.postcode": "Postcode",
    "new.wants_name": "A first name is needed, so that the next colleague can greet them.",
    "new.bad_email": "This e-mail is not complete. Check it with the shopper, or leave it empty.",
    "new.bad_phone": "This phone number is not complete. Check it with the shopper, or leave it empty.",
    "new.known": "{name} is here already with this e-mail or phone.",
    "new.open_known": "Open {name}'s card",
    "new.anyway": "It is somebody else",
    "new.hand_over": "Hand the tablet to the shopper",
    "new.consent_title": "Welcome, {name}. May we…",
    "new.consent_lead": "Tap what you agree to. You can change your mind at any time, in any store.",
    "new.done_button": "Done",
    "new.done": "Welcome, {name}",
    "new.done_text": "Photograph this with your phone: it is your loyalty card.",
    "new.qr": "QR code of the new loyalty card",
    "new.open": "Open the card",
    "new.no_cards": "This tablet has no cards left. It gets new ones at the next contact with HQ.",
    # Store today, for store managers
    "nav.store": "Store",
    "store.title": "Store today",
    "store.managers": "Only a store manager sees the figures of the store.",
    "store.span.today": "Today",
    "store.span.week": "Last 7 days",
    "store.source.hq": "The whole store as HQ counted it at {time}; since then this tablet only.",
    "store.source.own": "HQ has sent no figures yet. This is what this tablet recorded, without the others.",
    "store.source.stale": "HQ's figures are of {time}: a night is missing. Since then you see this tablet only. "
    "Take it to the network.",
    "store.window.today": "Today since midnight.",
    "store.window.week": "{since} to {until}, today included.",
    "store.own": "Of these this tablet alone knows {n}.",
    "store.used": "Plays used",
    "store.used.note": "of {n} shown",
    "store.used.how": "Outcomes of shown plays, without “Didn't mention it”: {n} of {shown} showings.",
    "store.bought": "Bought after a play",
    "store.bought.note": "{n} proven by an order",
    "store.bought.note_money": "{n} proven by an order · {money}",
    "store.bought.how": "Outcomes “Bought” as associates tapped them: {n}. An order of the same shopper here, from 30 "
    "minutes before to 4 hours after, proves one; HQ counts those: {proven}. The money is what those orders were worth "
    "after refunds.",
    "store.lift": "Lift",
    "store.lift.number": "{points} points",
    "store.lift.note": "{low} to {high} · {title}",
    "store.lift.few": "Not enough yet",
    "store.lift.few_note": "{n} of {least} orders needed in each group · {title}",
    "store.lift.none_note": "No play was held back from anybody for two weeks.",
    "store.lift.uneven": "Not told",
    "store.lift.uneven_note": "The two groups are not as they were drawn; HQ looks into it · {title}",
    "store.lift.unmeasured": "Not told",
    "store.lift.unmeasured_note": "HQ works out no intervals · {title}",
    "store.lift.line": "Lift {number} ({note}).",
    "store.lift.how": "In all stores: {shown_orders} of {shown} shoppers who were shown the play ordered within 14 "
    "days of it, {held_orders} of {held} it was held back from. 95 % interval by Newcombe.",
    "store.lift.how_none": "Share of shoppers with an order within 14 days, shown minus held back, in all stores. It "
    "is told only with its 95 % interval, from {least} orders in each group on.",
    "store.plays": "Plays: shown, used, bought",
    "store.bar": "Shown {shown} · used {used} · bought {bought} · held back {held}",
    "store.bar.how": "Shown: cards that showed it. Used: an outcome other than “Didn't mention it”. Bought: as tapped; "
    "{proven} proven by an order. Held back: cards that would have shown it.",
    "store.bar.more": "{n} more plays with fewer showings.",
    "store.legend.bought": "bought",
    "store.legend.used": "used",
    "store.legend.shown": "shown",
    "store.legend.held": "held back",
    "store.none.today": "No play has been shown today. The first card opened shows up here.",
    "store.none.week": "No play was shown in the last 7 days.",
    "store.gone_play": "A play that has ended",
    "store.days": "Used and bought, by day",
    "store.days.one": "{day}: used {used}, bought {bought}",
    "store.said": "What associates said",
    "store.said.none": "Nobody has told HQ anything yet. Tell HQ takes two taps.",
    "store.said.here": "Saved here; it goes to HQ with the next sync.",
    "store.said.answer": "HQ: {text}",
    "store.said.due": "HQ answers by {day}.",
    "store.said.late": "HQ owes an answer since {day}.",
    "store.tablets": "Tablets",
    "store.tablet.this": "This tablet · {n} to send",
    "store.tablet.seen": "At HQ {time} · {n} to send then",
    "store.tablet.seen_only": "At HQ {time}",
    "store.tablet.unseen": "HQ has not heard of it since it was connected, or not told yet.",
}

CATALOGUES: Final[Mapping[str, Mapping[str, str]]] = {"en": ENGLISH}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Says the catalogue's sentences in one language and one store's time zone."""

    language: str = "en"
    zone: tzinfo = UTC

    @property
    def locale(self) -> Locale:
        """The Babel locale of the language; English of the shops is written day first."""
        return Locale.parse("en_GB" if self.language == "en" else self.language)

    def __call__(self, key: str, **named: object) -> str:
        """The sentence of a key with its names filled in. An unknown key raises KeyError: that is a bug."""
        sentence = CATALOGUES[self.language][key]
        return sentence.format(**named) if named else sentence

    def count(self, key: str, n: int, **named: object) -> str:
        """The sentence in the plural form that `n` takes in this language; `{n}` is written with its separators."""
        form = self.locale.plural_form(n)
        words = CATALOGUES[self.language]
        sentence = words.get(f"{key}.{form}") or words[f"{key}.other"]
        return sentence.format(n=self.number(n), **named)

    def has(self, key: str) -> bool:
        """Say whether a sentence exists, for keys made of a kind that may be newer than this app."""
        return key in CATALOGUES[self.language]

    def number(self, n: int) -> str:
        """A whole number with the language's separators."""
        return format_decimal(n, locale=self.locale)

    def money(self, money: Money) -> str:
        """An amount with its currency, without decimals when they are zero."""
        amount = amount_of(money.minor, money.currency)
        whole = amount == amount.to_integral_value()
        pattern = "¤#,##0" if whole else None
        return format_currency(amount, money.currency, format=pattern, locale=self.locale, currency_digits=not whole)

    def local(self, at: str) -> datetime:
        """A wire time in the store's zone."""
        return parse_at(at).astimezone(self.zone)

    def time(self, at: str) -> str:
        """Hour and minute in the store's zone: `14:02`."""
        return format_time(self.local(at), "HH:mm", locale=self.locale)

    def day(self, at: str) -> str:
        """Day and month in the store's zone: `12 Nov`."""
        return format_skeleton("MMMd", self.local(at), locale=self.locale)

    def date(self, on: str) -> str:
        """A plain date `2026-05-03`, in full: `3 May 2026`."""
        return format_date(datetime.fromisoformat(on[:10]), "d MMM y", locale=self.locale)

    def weekday(self, at: str) -> str:
        """Weekday, day and month: `Sun 22 Nov`."""
        return format_date(self.local(at), "EEE d MMM", locale=self.locale)

    def weekday_of(self, on: str) -> str:
        """The short weekday of a plain date `2026-11-24`: `Tue`."""
        return format_date(datetime.fromisoformat(on[:10]), "EEE", locale=self.locale)

    def long_weekday_of(self, on: str) -> str:
        """The weekday, day and month of a plain date: `Fri 27 Nov`."""
        return format_date(datetime.fromisoformat(on[:10]), "EEE d MMM", locale=self.locale)

    def ago(self, at: str, now: datetime) -> str:
        """How long ago, as one would say it: `just now`, `20 minutes ago`, `yesterday`, `2 days ago`, `12 Nov`."""
        then, today = self.local(at), now.astimezone(self.zone)
        minutes, days = int((today - then) / timedelta(minutes=1)), (today.date() - then.date()).days
        if minutes < 1:
            return self("now")
        if minutes < 60:
            return self.count("ago.minutes", minutes)
        if days == 0 or minutes < 6 * 60:
            return self.count("ago.hours", minutes // 60)
        if days == 1:
            return self("ago.yesterday")
        return self.count("ago.days", days) if days <= 14 else self.day(at)

    def when(self, at: str, now: datetime) -> str:
        """A time near now, as one would say it: `14:02` today, `tomorrow 10:00`, `Tue 24 Nov 10:00`."""
        then, today = self.local(at), now.astimezone(self.zone)
        days = (then.date() - today.date()).days
        if days == 0:
            return self.time(at)
        return self("until.tomorrow", time=self.time(at)) if days == 1 else f"{self.weekday(at)} {self.time(at)}"

    def stamp(self, at: str, now: datetime) -> str:
        """When something was: `14:02` today, else `21 Nov 14:02`."""
        is_today = self.local(at).date() == now.astimezone(self.zone).date()
        return self.time(at) if is_today else f"{self.day(at)} {self.time(at)}"


@lru_cache(maxsize=64)
def zone_named(name: str | None) -> tzinfo:
    """A time zone by its name; UTC where the tablet has never heard of it."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC

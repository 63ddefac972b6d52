"""Identifiers: their types, one canonical form each, and values that identify nobody.

Every observation, from a floor scan to a web event, passes `normalise` before anything is compared. What joins whom is
`identity_policy.py` and `partition.py`; nothing here links anything.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, NamedTuple, Self
from uuid import UUID, uuid5

import idna
import phonenumbers

from shared.errors import Malformed

_NAMESPACE: Final = UUID("8f4b6d3a-2b0e-5f7c-9c55-0f100951de01")
_VALUE_LENGTH_MAX: Final = 256
_LOCAL_PART_LENGTH_MAX: Final = 64
_DOMAIN_LENGTH_MAX: Final = 253
_LABEL_LENGTH_MAX: Final = 63
_REPEATS_MIN: Final = 7
_SUBSCRIBER_MIN: Final = 1_000_000


class IdentifierType(StrEnum):
    """What kind of name a shopper was seen under. `profile_id` is a reference to a profile, never evidence."""

    LOYALTY_ID = "loyalty_id"
    CUSTOMER_ID = "customer_id"
    EMAIL = "email"
    PHONE = "phone"
    ANONYMOUS_ID = "anonymous_id"
    PAYMENT_TOKEN = "payment_token"  # noqa: S105 (the wire's name for a card's token, no secret)
    PROFILE_ID = "profile_id"


class Identifier(NamedTuple):
    """One name of a shopper, in its canonical form: make it with `normalise`, or `from_body` for one already made.

    A tuple, because who is who is sets of these by the hundred thousand: a dataclass's hash cost one second in twenty.
    """

    type: IdentifierType
    value: str

    def to_body(self) -> dict[str, str]:
        """As JSON."""
        return {"type": self.type.value, "value": self.value}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read one back as it was written, without normalising it again. Raises Malformed."""
        try:
            made = cls(IdentifierType(body["type"]), body["value"])
        except (KeyError, TypeError, ValueError) as problem:
            raise Malformed(f"not an identifier: {problem}"[:200]) from None
        if not isinstance(made.value, str):
            raise Malformed("not an identifier: its value is no text")
        return made


class BlockForm(StrEnum):
    """How a rule names values: this text, what begins so, what these characters make up, 7 equal last characters."""

    EXACT = "exact"
    PREFIX = "prefix"
    ONLY = "only"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class BlockRule:
    """Values that identify nobody. Compared without regard to case; `types` empty = every type."""

    form: BlockForm
    text: str = ""
    types: frozenset[IdentifierType] = frozenset()

    def to_body(self) -> dict[str, Any]:
        """As JSON."""
        return {"form": self.form.value, "text": self.text, "types": sorted(self.types)}

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Read one back. Raises Malformed."""
        try:
            types = frozenset(IdentifierType(name) for name in body.get("types", ()))
            return cls(BlockForm(body["form"]), str(body.get("text", "")), types)
        except (KeyError, TypeError, ValueError) as problem:
            raise Malformed(f"not a block rule: {problem}"[:200]) from None


@dataclass(frozen=True, slots=True)
class BlockList:
    """Block rules sorted for quick asking, by identifier type; make it with `block_list`."""

    exact: Mapping[IdentifierType, frozenset[str]]
    prefixes: Mapping[IdentifierType, tuple[str, ...]]
    only: Mapping[IdentifierType, tuple[frozenset[str], ...]]
    repeated: frozenset[IdentifierType]

    def blocks(self, identifier: Identifier) -> bool:
        """Say whether a value identifies nobody."""
        kind, value = identifier.type, identifier.value.casefold()
        if value in self.exact[kind] or value.startswith(self.prefixes[kind]):
            return True
        if any(characters.issuperset(value) for characters in self.only[kind]):
            return True
        return kind in self.repeated and len(set(value[-_REPEATS_MIN:])) == 1


_NOBODY: Final = (
    "null|none|nil|undefined|anonymous|unknown|guest|visitor|test|testing|user|customer|member|default|empty|unset|n/a|"
    "na|nan|true|false|id|string|object|invalid|deleted|[object object]|(not set)|not set|not provided|no email"
)
_NOBODY_MAILBOXES: Final = (
    "test@|noreply@|no-reply@|donotreply@|do-not-reply@|anonymous@|guest@|null@|undefined@|none@|unknown@|noemail@|"
    "no-email@|nomail@"
)
_CONTACTS: Final = frozenset({IdentifierType.EMAIL})

DEFAULT_BLOCKED: Final[tuple[BlockRule, ...]] = (
    BlockRule(BlockForm.ONLY, "0-"),
    BlockRule(BlockForm.ONLY, "*x.-_ "),
    *(BlockRule(BlockForm.EXACT, text) for text in _NOBODY.split("|")),
    *(BlockRule(BlockForm.PREFIX, text, _CONTACTS) for text in _NOBODY_MAILBOXES.split("|")),
    BlockRule(BlockForm.REPEATED, types=frozenset({IdentifierType.PHONE})),
)
"""What real sources send for "nobody"; the first is the pattern `^[0-]*$`. A store's own numbers are added by HQ."""


def block_list(*rules: BlockRule) -> BlockList:
    """Sort block rules for quick asking. `block_list(*DEFAULT_BLOCKED, *own)` adds a chain's own."""
    return BlockList(
        exact={kind: frozenset(_texts(rules, kind, BlockForm.EXACT)) for kind in IdentifierType},
        prefixes={kind: tuple(_texts(rules, kind, BlockForm.PREFIX)) for kind in IdentifierType},
        only={kind: tuple(frozenset(text) for text in _texts(rules, kind, BlockForm.ONLY)) for kind in IdentifierType},
        repeated=frozenset(kind for kind in IdentifierType if list(_texts(rules, kind, BlockForm.REPEATED))),
    )


def _texts(rules: Iterable[BlockRule], kind: IdentifierType, form: BlockForm) -> Iterable[str]:
    return (rule.text.casefold() for rule in rules if rule.form is form and (not rule.types or kind in rule.types))


DEFAULT_BLOCK_LIST: Final = block_list(*DEFAULT_BLOCKED)


def canonical_form(type_: IdentifierType, raw: object, *, region: str) -> Identifier | None:
    """The one spelling of an identifier, blocked or not; None when the value is unusable.

    E-mail: trimmed, NFC, casefolded, domain by IDNA 2008; dots and +tags stay. Phone: E.164, `region` (ISO 3166, two
    letters) for numbers without a country code. Everything else, the loyalty id included, is only trimmed.
    """
    text = _text(raw)
    if text is None:
        return None
    if type_ is IdentifierType.EMAIL:
        text = _email(text)
    elif type_ is IdentifierType.PHONE:
        text = _e164(text, region)
    return Identifier(type_, text) if text else None


def normalise(
    type_: IdentifierType, raw: object, *, region: str, blocked: BlockList = DEFAULT_BLOCK_LIST
) -> Identifier | None:
    """`canonical_form`, or None as well when the value identifies nobody. This is what may link."""
    found = canonical_form(type_, raw, region=region)
    return None if found is None or blocked.blocks(found) else found


@lru_cache(maxsize=65_536)
def profile_id_for(anchor: Identifier) -> str:
    """The profile id of an anchor: UUIDv5, the same on every machine and after every rebuild.

    A `profile_id` is already one and stands for itself.
    """
    if anchor.type is IdentifierType.PROFILE_ID:
        return anchor.value
    return str(uuid5(_NAMESPACE, f"{anchor.type.value}:{anchor.value}"))


def mask(identifier: Identifier) -> str:
    """Enough to recognise one's own contact, too little to use it: `m…@example.org`, `…4567`."""
    if identifier.type is IdentifierType.EMAIL:
        local, _, domain = identifier.value.rpartition("@")
        return f"{local[:1]}…@{domain}"
    shown = 4 if len(identifier.value) > 8 else 1
    return f"…{identifier.value[-shown:]}"


_LETTERS_WITHOUT_PARTS: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t"}
)


def fold_name(text: str) -> str:
    """A name as search compares it: no case, no diacritics, single spaces. `Łukasz  Ørsted` -> `lukasz orsted`."""
    if text.isascii():
        return " ".join(text.lower().split())
    apart = unicodedata.normalize("NFKD", text).casefold().translate(_LETTERS_WITHOUT_PARTS)
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", apart) if not unicodedata.combining(sign))
    return " ".join(bare.split())


def phone_key(text: str) -> str:
    """A phone as search compares it: its digits without leading zeros.

    What someone types without the country code (`0151 234`) is then a part of the stored key (`49151234...`).
    """
    return "".join(sign for sign in text if sign.isdecimal() and sign.isascii()).lstrip("0")


def _text(raw: object) -> str | None:
    if type(raw) is int:
        raw = str(raw) if abs(raw) < 10**40 else ""
    if not isinstance(raw, str) or len(raw) > _VALUE_LENGTH_MAX:
        return None
    text = raw.strip()
    return text if text and text.isprintable() else None


def _email(text: str) -> str | None:
    local, at, domain = text.rpartition("@")
    if not at or not 0 < len(local) <= _LOCAL_PART_LENGTH_MAX or " " in local or "@" in local:
        return None
    host = _domain(domain.rstrip("."))
    return None if host is None else f"{_fold(local)}@{host}"


def _fold(local: str) -> str:
    return local.lower() if local.isascii() else unicodedata.normalize("NFC", local.casefold())


def _domain(domain: str) -> str | None:
    if len(domain) > _DOMAIN_LENGTH_MAX:
        return None
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True, std3_rules=True).decode()
        except UnicodeError:
            return None
    labels = domain.lower().split(".")
    return ".".join(labels) if len(labels) > 1 and all(map(_is_label, labels)) and not labels[-1].isdigit() else None


def _is_label(label: str) -> bool:
    if not 0 < len(label) <= _LABEL_LENGTH_MAX or label[0] == "-" or label[-1] == "-":
        return False
    return label.replace("-", "").isalnum()


@lru_cache(maxsize=16_384)
def _e164(text: str, region: str) -> str | None:
    """E.164, or None for what is no number, or one that does not read back as itself (`000...` with a country code)."""
    found = _dialled(text, region)
    return found if found is not None and _dialled(found, region) == found else None


def _dialled(text: str, region: str) -> str | None:
    """A number of a possible length counts even when its range is unknown: ranges open faster than an old tablet's
    table learns of them. Very short ones, possible in a few regions, must be valid."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    is_long = number.national_number is not None and number.national_number >= _SUBSCRIBER_MIN
    if not (phonenumbers.is_possible_number(number) if is_long else phonenumbers.is_valid_number(number)):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

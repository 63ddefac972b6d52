"""PINs on the wire: what one is, how its hash is made and how a sound hash looks. Pure: nothing is hashed here.

A PIN of six digits is guessed by whoever holds its hash, so a hash goes only where it is checked: the database of HQ
and those of the store's tablets. Both sides make it at the same cost; another would let one tablet slow down the rest.
"""

from __future__ import annotations

import re
from typing import Any, Final

TIME_COST: Final = 2
MEMORY_KIB: Final = 19_456
PARALLELISM: Final = 1
"""argon2id at OWASP's least-memory setting, so that a tablet verifies it in a blink."""
PIN_SET: Final = "pin_set"
"""The op by which a store manager gives somebody a new PIN."""
HASH_PATTERN: Final = r"^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$"
_PIN: Final = re.compile(r"[0-9]{4,6}\Z")


def is_pin(text: str) -> bool:
    """Say whether a text is a PIN: 4 to 6 digits."""
    return _PIN.match(text) is not None


def without_hash(body: Any) -> dict[str, Any]:
    """The body of a `pin_set` as it may be kept, shown and exported: for whom, and no hash."""
    whom = body.get("associate_id") if isinstance(body, dict) else None
    return {"associate_id": whom} if isinstance(whom, str) else {}

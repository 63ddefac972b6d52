"""The chain's signing keys for people: which there are, a new one in place of the one that signs, the public ones.

Old keys stay in the folder and in the feed, so that every card and receipt signed so far can be verified. Running
servers see a new key in their shared folder by themselves.
"""

from __future__ import annotations

import base64
from typing import Any, Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.errors import Refused
from sync_server.services.chain import key_documents
from sync_server.services.custody import remember_keys
from sync_server.services.headquarters import Headquarters
from sync_server.services.sessions import EPOCH_NOTE

Purpose = Literal["receipt", "card"]


def public_keys(hq: Headquarters) -> list[dict[str, Any]]:
    """Every public key, oldest first, as base64 of its 32 bytes and as PEM; `is_signing` for the one in use."""
    signing = {("receipt", hq.keys.receipt_key()[0]), ("card", str(hq.keys.card_key()[0]))}
    found = [("receipt", kid, raw) for kid, raw in sorted(hq.keys.public_receipt_keys().items(), key=_in_order)]
    found += [("card", str(kid), raw) for kid, raw in sorted(hq.keys.public_card_keys().items())]
    return [
        {
            "purpose": purpose,
            "kid": kid,
            "is_signing": (purpose, kid) in signing,
            "public_key": base64.b64encode(raw).decode(),
            "pem": _pem(raw),
        }
        for purpose, kid, raw in found
    ]


def _in_order(pair: tuple[str, bytes]) -> int:
    return int(pair[0][1:])


def _pem(raw: bytes) -> str:
    key = Ed25519PublicKey.from_public_bytes(raw)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def rotate_key(hq: Headquarters, purpose: Purpose) -> dict[str, Any]:
    """Make a new key of a purpose; it signs from now on. Raises Refused without a chain.

    The file comes first: a server must never be told of a key it may not find.
    """
    with hq.database.write() as tx:
        if tx.note(EPOCH_NOTE) is None:
            raise Refused("There is no chain here yet, so there is no key to rotate.")
        name = hq.keys.make_next(purpose)
        remember_keys(tx, hq.keys.inventory())
        hq.note_audit(tx, "command line", f"rotated the {purpose} key", name)
        tx.publish(key_documents(hq), hq.now_at())
    hq.doorbell.ring()
    made = [key for key in public_keys(hq) if key["purpose"] == purpose]
    return {**made[-1], "file": name}

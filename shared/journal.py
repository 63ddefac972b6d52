"""The journal's chain and the server's receipt: what makes "HQ holds what was recorded, in order, unchanged" checkable.

chain(n) = SHA-256(chain(n-1) bytes + UTF-8 op_id + UTF-8 sha), chain(0) = 32 zero bytes; hex on the wire. It covers
every op as sent, whatever its verdict. Pure: keys come in, nothing is stored here.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.wire.canonical import canonical

CHAIN_START: Final = "0" * 64


def extend_chain(chain: str, op_id: str, sha: str) -> str:
    """chain(n-1), op_id and sha -> chain(n), hex."""
    return hashlib.sha256(bytes.fromhex(chain) + op_id.encode() + sha.encode()).hexdigest()


def chain_over(chain: str, links: Iterable[tuple[str, str]]) -> str:
    """Extend a chain over (op_id, sha) pairs in order."""
    for op_id, sha in links:
        chain = extend_chain(chain, op_id, sha)
    return chain


def sign_receipt(unsigned: dict[str, Any], key: Ed25519PrivateKey) -> dict[str, Any]:
    """Add `signature` (base64 Ed25519 over the receipt's canonical JSON without it)."""
    return {**unsigned, "signature": base64.b64encode(key.sign(canonical(unsigned))).decode()}


def is_receipt_sound(receipt: dict[str, Any], public_key: bytes) -> bool:
    """Say whether a receipt was signed by the holder of `public_key` (32 raw bytes). Never raises."""
    unsigned = {name: value for name, value in receipt.items() if name != "signature"}
    try:
        signature = base64.b64decode(receipt["signature"], validate=True)
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, canonical(unsigned))
    except (InvalidSignature, KeyError, ValueError, TypeError):
        return False
    return True

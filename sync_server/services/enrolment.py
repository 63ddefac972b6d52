"""Devices: one-time enrolment codes, the tokens they are exchanged for, another store, and revocation.

Codes and tokens are stored as SHA-256 only: both are long random texts, so a slow hash would protect nothing more. A
code that is wrong, used or expired gets one and the same answer, so nobody learns which.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from pydantic import ValidationError

from shared.clock import format_at, shift_at
from shared.errors import Refused
from shared.ids import is_uuid
from shared.wire.canonical import canonical
from shared.wire.messages import EnrollRequest, store_scope
from sync_server.ports import CentralReader, CentralWriter, Device, DocWrite
from sync_server.services.chain import find_store
from sync_server.services.conflicts import tried_again
from sync_server.services.headquarters import Headquarters
from sync_server.services.problems import refuse
from sync_server.services.sessions import EPOCH_NOTE, scopes_of
from sync_server.services.terms import MIN_APP, read_term

CODE_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32: no I, L, O, U, so a code survives being read aloud and typed."""
_CODE_LENGTH: Final = 12
ERASED_TOLD_DAYS: Final = 400
"""After HQ received an op. A tablet drops accepted ones after 30 days by itself, but keeps what was rejected."""
_MEANT: Final = str.maketrans({"I": "1", "L": "1", "O": "0", "-": "", " ": ""})


@dataclass(frozen=True, slots=True)
class EnrolmentCode:
    """A one-time code, readable this once, and when it stops working."""

    code: str
    expires_at: str


def sha256_hex(secret: str) -> str:
    """How codes, tokens and write keys are stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make_code(hq: Headquarters, store: str, hours: int | None = None) -> EnrolmentCode:
    """A fresh one-time code for a tablet of a store: 60 random bits in three groups of four."""
    drawn = hq.chance.bits(5 * _CODE_LENGTH)
    letters = "".join(CODE_ALPHABET[(drawn >> (5 * place)) & 31] for place in range(_CODE_LENGTH))
    expires_at = shift_at(hq.now_at(), seconds=3600 * (hours or hq.settings.enrolment_hours))
    with hq.database.write() as tx:
        find_store(tx, store)
        row = {"code_hash": sha256_hex(letters), "store": store, "expires_at": expires_at, "used_at": None}
        tx.put_row("enrolment_code", row)
        hq.note_audit(tx, "command line", "made an enrolment code", store)
    return EnrolmentCode("-".join(letters[place : place + 4] for place in (0, 4, 8)), expires_at)


def fold_code(code: str) -> str:
    """A code as typed by a person: any case, with or without groups, look-alikes taken for what was meant."""
    return code.upper().translate(_MEANT)


@tried_again
def enroll(hq: Headquarters, raw: Any, earlier_token: str | None = None) -> dict[str, Any]:
    """Exchange a code for a device and its token. Raises Problem: 422 malformed_request, 403 enrolment_refused.

    A tablet that was connected before shows the token it had, revoked or not, so that what it recorded for that
    device's stores is taken: its install may be one HQ never heard of.
    """
    request = _read_request(raw)
    now_at = hq.now_at()
    token = hq.secret_text()
    with hq.database.write() as tx:
        device = _new_device(hq, _use_code(tx, request.code, now_at), request, now_at)
        install = tx.lock_install(request.install_id, device.device_id)
        device = _with_stores_of(tx, device, install.device_id)
        if earlier_token and (earlier := tx.device_by_token(sha256_hex(earlier_token))):
            device = _with_stores_of(tx, device, earlier[0].device_id)
        row = {
            "device_id": device.device_id,
            "store": device.store,
            "name": device.name,
            "token_hash": sha256_hex(token),
            "next_token_hash": sha256_hex(_successor_of(hq, sha256_hex(token))),
            "token_at": now_at,
            "stores_held": json.dumps(device.stores_held),
            "app": device.app,
            "enrolled_at": device.enrolled_at,
        }
        tx.put_row("device", row)
        tx.save_install(replace(install, device_id=device.device_id))
        hq.note_audit(tx, f"device {device.device_id}", "enrolled", device.store)
        epoch = tx.note(EPOCH_NOTE) or ""
        tx.publish([device_document(tx, device, now_at)], now_at)
    hq.doorbell.ring()
    kid, _ = hq.keys.receipt_key()
    return {
        "device_id": device.device_id,
        "token": token,
        "store": device.store,
        "scopes": scopes_of(device),
        "receipt_key": base64.b64encode(hq.keys.public_receipt_keys()[kid]).decode(),
        "epoch": epoch,
    }


def _read_request(raw: Any) -> EnrollRequest:
    try:
        request = EnrollRequest.model_validate(raw)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        raise refuse("malformed_request", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"[:200]) from None
    if not is_uuid(request.install_id):
        raise refuse("malformed_request", "install_id is not a UUID.")
    if not request.name.isprintable() or not request.name.strip():
        raise refuse("malformed_request", "name holds characters that cannot be printed.")
    return request


def _use_code(tx: CentralWriter, code: str, now_at: str) -> str:
    """Use a code up and say whose it was; the update decides, so of two tablets with one code one is refused."""
    code_hash = sha256_hex(fold_code(code))
    rows = tx.rows("enrolment_code", code_hash=code_hash)
    if not rows or rows[0]["expires_at"] <= now_at:
        raise refuse("enrolment_refused")
    if tx.change_rows("enrolment_code", {"used_at": now_at}, code_hash=code_hash, used_at=None) != 1:
        raise refuse("enrolment_refused")
    return str(rows[0]["store"])


def _new_device(hq: Headquarters, store: str, request: EnrollRequest, now_at: str) -> Device:
    name = request.name.strip()
    return Device(hq.make_id(), store, name, (store,), app=request.app, enrolled_at=now_at)


def _with_stores_of(tx: CentralWriter, device: Device, earlier_id: str) -> Device:
    """A tablet connected anew in another store still holds unsent ops of the store it comes from: they are taken."""
    earlier = [store for row in tx.rows("device", device_id=earlier_id) for store in json.loads(row["stores_held"])]
    return replace(device, stores_held=tuple(dict.fromkeys((*device.stores_held, *earlier))))


def device_document(reader: CentralReader, device: Device, now_at: str) -> DocWrite:
    """`device/<id>` in its store's feed, with the ops HQ holds but could not apply, and those whose shopper was erased:
    a tablet that takes a snapshot sees no deletion, and may have sent some long after it."""
    document = {"device_id": device.device_id, "name": device.name, "parked": reader.parked_op_ids(device.device_id)}
    if erased := reader.erased_op_ids(device.device_id, shift_at(now_at, days=-ERASED_TOLD_DAYS)):
        document["erased"] = erased
    return DocWrite(store_scope(device.store), f"device/{device.device_id}", canonical(document))


# tokens ---------------------------------------------------------------------------------------------------------------


def authenticate(hq: Headquarters, token: str | None, *, may_be_revoked: bool = False) -> Device:
    """The device of a token. Raises Problem: 401 token_unknown, 403 device_revoked.

    A rotated token's first use makes it the only one.
    """
    return authenticate_receiver(hq, token, may_be_revoked=may_be_revoked)[0]


def authenticate_receiver(hq: Headquarters, token: str | None, *, may_be_revoked: bool = False) -> tuple[Device, str]:
    """As `authenticate`, with the oldest app that may receive, read in the same transaction."""
    if not token:
        raise refuse("token_unknown")
    token_hash = sha256_hex(token)
    with hq.database.read() as reader:
        found, min_app = reader.device_by_token(token_hash), read_term(reader, MIN_APP)
    if found is None:
        raise refuse("token_unknown")
    device, is_rotated = found
    if is_rotated:
        _make_the_only_one(hq, token_hash)
    if device.revoked_at is not None and not may_be_revoked:
        raise refuse("device_revoked")
    return device, min_app


def _make_the_only_one(hq: Headquarters, token_hash: str) -> None:
    changes = {
        "token_hash": token_hash,
        "next_token_hash": sha256_hex(_successor_of(hq, token_hash)),
        "token_at": hq.now_at(),
        "must_rotate": False,
    }
    with hq.database.write() as tx:
        tx.change_rows("device", changes, next_token_hash=token_hash)


def _successor_of(hq: Headquarters, token_hash: str) -> str:
    """The one token that may follow another, drawn from HQ's secret and never stored (decision 0013).

    So a hello whose answer was lost, or that came twice, offers the same token again; and a database restored from
    before a rotation knows the token its tablet has by now.
    """
    drawn = hmac.digest(hq.keys.hmac_key("cursor"), b"device token after " + token_hash.encode(), "sha256")
    return base64.b32encode(drawn).decode().lower().rstrip("=")


def token_to_offer(hq: Headquarters, device_id: str) -> str | None:
    """The new token for this hello: of a device that is told to change it, or whose own is too old; None otherwise.

    The old one works until the new one is first used.
    """
    with hq.database.read() as reader:
        [row] = reader.rows("device", device_id=device_id)
    if not (row["must_rotate"] or _is_old(hq, row["token_at"] or row["enrolled_at"])):
        return None
    fresh = _successor_of(hq, row["token_hash"])
    if row["next_token_hash"] != sha256_hex(fresh):
        with hq.database.write() as tx:
            known = {"device_id": device_id, "token_hash": row["token_hash"]}
            tx.change_rows("device", {"next_token_hash": sha256_hex(fresh)}, **known)
    return fresh


def _is_old(hq: Headquarters, made_at: str) -> bool:
    days = hq.settings.token_days
    return days > 0 and shift_at(made_at, days=days) <= hq.now_at()


def rotate_token(hq: Headquarters, device_id: str) -> dict[str, Any]:
    """Have a device change its token at its next hello. Raises Refused for an unknown or a revoked one."""
    with hq.database.write() as tx:
        row = _find_device(tx, device_id)
        if row["revoked_at"] is not None:
            raise Refused(f"The tablet {row['name']} of {row['store']} is revoked: it has no token to change.")
        tx.change_rows("device", {"must_rotate": True}, device_id=device_id)
        hq.note_audit(tx, "command line", "had the device change its token", device_id)
    return {name: row[name] for name in ("device_id", "store", "name")}


# the fleet ------------------------------------------------------------------------------------------------------------


def list_devices(hq: Headquarters, store: str | None = None) -> list[dict[str, Any]]:
    """Devices of a store or of the chain with when they were last seen and what they had unsent then."""
    with hq.database.read() as reader:
        rows = reader.rows("device", **({} if store is None else {"store": store}))
    names = ("device_id", "store", "name", "app", "enrolled_at", "last_seen_at", "unsent", "revoked_at")
    return [{name: row[name] for name in names} for row in rows]


def revoke_device(hq: Headquarters, device_id: str) -> dict[str, Any]:
    """The device's token stops working; at its next contact it wipes its profiles and keeps its outbox."""
    with hq.database.write() as tx:
        row = _find_device(tx, device_id)
        revoked_at = row["revoked_at"] or format_at(hq.clock.now())
        shut_out(hq, tx, row, revoked_at)
        hq.note_audit(tx, "command line", "revoked the device", device_id)
    hq.doorbell.ring()
    return {"device_id": device_id, "store": row["store"], "name": row["name"], "revoked_at": revoked_at}


def shut_out(hq: Headquarters, tx: CentralWriter, row: Mapping[str, Any], revoked_at: str) -> None:
    """The device of a row is revoked as of a time. The caller notes the audit."""
    device_id = row["device_id"]
    tx.change_rows("device", {"revoked_at": revoked_at}, device_id=device_id)
    tx.publish([DocWrite(store_scope(row["store"]), f"device/{device_id}", None, "revoked")], hq.now_at())


def move_device(hq: Headquarters, device_id: str, store: str) -> dict[str, Any]:
    """Give a device to another store: at its next hello it deletes the old store's shoppers and receives the new one's.

    What it recorded for a store it ever held is taken for ever. Raises Refused for an unknown or revoked device, an
    unknown store, or its own.
    """
    with hq.database.write() as tx:
        find_store(tx, store)
        row = _find_device(tx, device_id)
        if row["revoked_at"] is not None or row["store"] == store:
            why = "is revoked" if row["revoked_at"] is not None else f"is {store}'s already"
            raise Refused(f"The tablet {row['name']} {why}: nothing was changed.")
        give_to_store(hq, tx, row, [store])
        hq.note_audit(tx, "command line", "moved the device", f"{device_id}: {row['store']} -> {store}")
    hq.doorbell.ring()
    return {"device_id": device_id, "name": row["name"], "store": store, "store_before": row["store"]}


def give_to_store(hq: Headquarters, tx: CentralWriter, row: Mapping[str, Any], stores: Sequence[str]) -> None:
    """The device of a row is the first of these stores' now, and has held all of them. The caller notes the audit."""
    held = list(dict.fromkeys([*json.loads(row["stores_held"]), *reversed(stores)]))
    device_id, store = row["device_id"], stores[0]
    tx.change_rows("device", {"store": store, "stores_held": json.dumps(held)}, device_id=device_id)
    if row["store"] == store:
        return
    gone = DocWrite(store_scope(row["store"]), f"device/{device_id}", None, "moved")
    [device] = find_devices(tx, [device_id])
    tx.publish([gone, device_document(tx, device, hq.now_at())], hq.now_at())


def find_devices(reader: CentralReader, device_ids: Collection[str]) -> list[Device]:
    """The devices of these ids, in order of id."""
    rows = [row for one in sorted(device_ids) for row in reader.rows("device", device_id=one)]
    names = [part.name for part in fields(Device) if part.name != "stores_held"]
    return [
        Device(**{name: row[name] for name in names}, stores_held=tuple(json.loads(row["stores_held"]))) for row in rows
    ]


def _find_device(reader: CentralReader, device_id: str) -> dict[str, Any]:
    rows = reader.rows("device", device_id=device_id)
    if not rows:
        raise Refused(f"There is no device with the id {device_id!r:.60}: see `sync-server device list`.")
    return rows[0]

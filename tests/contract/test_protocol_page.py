"""shared/PROTOCOL.md says what is so: its drawn parts are the code's, its vectors hold by plain hashing and signing.

The exchanges it shows are golden files, which test_golden.py puts to the real server.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import asdict
from typing import Any

import pytest
import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel

from associate_app.services.store_book import TabletRules
from shared.wire import messages
from shared.wire.ops import BODY_OF_KIND
from shared.wire.problems import PROBLEMS, RESYNC_REASONS
from tests.support.protocol_page import PAGE, drawn, parts_of

TEXT = PAGE.read_text(encoding="utf-8")
MODELS: dict[str, tuple[type[BaseModel] | None, type[BaseModel] | None]] = {
    "POST /v1/enroll": (messages.EnrollRequest, messages.EnrollReply),
    "POST /v1/sync/hello": (messages.HelloRequest, messages.HelloReply),
    "POST /v1/sync/push": (messages.PushRequest, messages.PushReply),
    "POST /v1/sync/salvage": (messages.SalvageRequest, None),
    "GET /v1/sync/pull": (None, messages.FeedPage),
    "GET /v1/sync/wait": (None, messages.WaitReply),
}


def vector(name: str) -> dict[str, Any]:
    """A JSON vector as it stands on the page."""
    found = re.search(rf"<!-- drawn: vector-{name} -->\n```json\n(.*?)\n```", TEXT, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_drawn_parts_are_the_code_s():
    """Tables, limits, examples, vectors and the engine's machine; `python -m tests.redraw` writes them anew."""
    assert drawn(TEXT) == TEXT


def test_every_message_kind_problem_and_reason_is_on_the_page():
    """What the page does not name, nobody can write a tablet for."""
    tables = {part.removeprefix("table ").replace("-", "") for part in parts_of(TEXT) if part.startswith("table ")}
    own = {
        model.__name__.lower()
        for model in vars(messages).values()
        if isinstance(model, type) and issubclass(model, messages.Message) and model is not messages.Message
    }
    own -= {"provenchange"}  # how a tablet holds a change in memory, not how one is written
    assert own - tables == {"limits", "stockcard"} - tables
    for word in [*PROBLEMS, *RESYNC_REASONS, *BODY_OF_KIND]:
        assert f"`{word}`" in TEXT, word


def test_what_a_chain_sets_for_its_tablets_is_on_the_page():
    """Each rule of `setting/tablet` by its name, with what holds where it is not set."""
    told = TEXT.partition("- `setting/tablet` in scope `all`:")[2].partition("\n- ")[0]
    assert dict(re.findall(r"\(`(\w+)`, (\d+)", told)) == {name: str(n) for name, n in asdict(TabletRules()).items()}


def test_the_examples_read_as_the_messages_they_show():
    """Each request and each 2xx answer fits the model of its path."""
    blocks = re.findall(r"```http\n(.*?)\n```", TEXT, re.DOTALL)
    read = 0
    for block in blocks:
        request, _, answer = block.partition("\n\nHTTP ")
        path = request.split("\n")[0].split("?")[0]
        taken, given = MODELS.get(path, (None, None))
        if taken:
            taken.model_validate_json(request.partition("\n\n")[2])
        if given and answer.startswith("2"):
            given.model_validate_json(answer.partition("\n\n")[2])
        read += bool(taken) + bool(given)
    assert read >= 12


def test_the_op_s_vector_holds():
    """Canonical by the reference package, sha and chain by hashlib alone."""
    told = vector("op")
    assert rfc8785.dumps(told["body"]) == told["canonical"].encode() == bytes.fromhex(told["canonical_hex"])
    assert hashlib.sha256(told["canonical"].encode()).hexdigest() == told["sha"]
    link = (told["op_id"] + told["sha"]).encode()
    first = hashlib.sha256(bytes.fromhex(told["chain_0"]) + link)
    assert first.hexdigest() == told["chain_1"]
    assert hashlib.sha256(first.digest() + link).hexdigest() == told["chain_2_of_the_same_op_again"]


def test_the_sum_s_vector_holds():
    """Eight bytes of each document's hash, added up."""
    told = vector("sum")
    hashed = {
        id_: hashlib.sha256(id_.encode() + b"|" + rfc8785.dumps(doc)).digest()[:8]
        for id_, doc in told["documents"].items()
    }
    assert {id_: part.hex() for id_, part in hashed.items()} == told["h"]
    assert f"{sum(int.from_bytes(part, 'big') for part in hashed.values()) % 2**64:016x}" == told["sum"]


def test_the_receipt_s_vector_holds_and_covers_every_byte():
    """The signed bytes are the canonical receipt without its signature."""
    told = vector("receipt")
    unsigned = {name: value for name, value in told["receipt"].items() if name != "signature"}
    assert rfc8785.dumps(unsigned) == told["signed_bytes"].encode()
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told["public_key_hex"]))
    signature = base64.b64decode(told["receipt"]["signature"])
    key.verify(signature, told["signed_bytes"].encode())
    with pytest.raises(InvalidSignature):
        key.verify(signature, told["signed_bytes"].replace('"through_seq":2', '"through_seq":3').encode())


def test_the_card_s_vector_holds():
    """Layout and signature by hand, as section 15 says."""
    told = vector("card")
    text = told["card"].removeprefix("FS1.")
    layout = base64.b32decode(text + "=" * (-len(text) % 8))
    signed, signature = layout[:-64], layout[-64:]
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(told["public_key_hex"])).verify(signature, signed)
    number = told["loyalty_id"].encode()
    assert signed[:2] == bytes([1, told["kid"]])
    assert signed[2:10].hex() == told["card_id"]
    assert signed[14:] == bytes([3, len(number)]) + number


def test_the_enrolment_code_s_vector_holds():
    """Base32 of canonical JSON behind its prefix."""
    told = vector("enrolment")
    text = told["qr"].removeprefix("FSE1.")
    assert base64.b32decode(text + "=" * (-len(text) % 8)) == told["canonical"].encode()

"""Keys and tokens that change under a tablet's feet, and a tablet that changes its store: real files on both sides."""

from __future__ import annotations

import base64
import gzip
import json
import stat
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from associate_app.ports import DeviceIdentity
from shared.cards import CardStatus, SignedCard, parse_card, settle_card
from shared.errors import Damaged, Refused, Weather
from shared.journal import is_receipt_sound
from sync_server.adapters.backup import copy_database, file_of, replace_database
from sync_server.adapters.keys import FileKeyFolder
from sync_server.services.cards import issue_card
from sync_server.services.chain import ensure_epoch, set_term
from sync_server.services.custody import check_keys, known_keys
from sync_server.services.enrolment import list_devices, move_device, rotate_token
from sync_server.services.headquarters import Headquarters
from sync_server.services.keys import public_keys, rotate_key
from tests.support.asgi_endpoint import Answer, Serve
from tests.support.tablet import Tablet, connect, make_tablet
from tests.support.world import LOYALTY_ID

HELLO = "/v1/sync/hello"


@pytest.fixture
def shop_tablet(shop_tablet: Tablet) -> Tablet:
    """A connected tablet of berlin-1 that has synced."""
    assert shop_tablet.sync().is_complete
    return shop_tablet


def device_of(tablet: Tablet) -> DeviceIdentity:
    """Who the tablet is."""
    device = tablet.database.device()
    assert device is not None
    return device


# tokens


def test_a_rotated_token_survives_a_lost_hello_and_one_that_came_twice(hq: Headquarters, shop_tablet: Tablet) -> None:
    """Lost: the old one works and the same new one is offered again. Twice: both answers give the same one. Then the
    old one is dead."""
    old, transport = device_of(shop_tablet).token, shop_tablet.transport
    rotate_token(hq, device_of(shop_tablet).device_id)
    offered: list[str] = []

    def lose_first(request: httpx.Request, serve: Serve) -> Answer:
        if request.url.path != HELLO:
            return serve(request)
        answers = [serve(request), serve(request)]
        offered.extend(json.loads(gzip.decompress(answer.body))["token"] for answer in answers)
        if len(offered) == 2:
            raise Weather("the answer was lost")
        return answers[0]

    shop_tablet.restart()
    transport.spoil = lose_first
    note = shop_tablet.note("while the token changes")
    assert not shop_tablet.sync().is_complete
    assert device_of(shop_tablet).token == old
    shop_tablet.run(60)
    assert len(set(offered)) == 1
    assert device_of(shop_tablet).token == offered[0] != old
    assert shop_tablet.database.counts().pending == 0
    transport.spoil = None
    shop_tablet.database.save_device(replace(device_of(shop_tablet), token=old))
    shop_tablet.restart()
    assert shop_tablet.sync().status.trouble == "needs_connect"
    with hq.database.read() as reader:
        assert [row["fact_id"] for row in reader.rows("fact", kind="note_added")] == [note.op_id]


def test_a_database_from_before_the_rotation_knows_the_tablets_new_token(
    hq: Headquarters, shop_tablet: Tablet, tmp_path: Path, database_url: str
) -> None:
    """A restore must not shut out the tablets whose tokens changed since the backup."""
    if not database_url.startswith("sqlite"):
        pytest.skip("restores an SQLite file")
    copy_database(file_of(database_url), tmp_path / "backup.db")
    rotate_token(hq, device_of(shop_tablet).device_id)
    shop_tablet.restart()
    assert shop_tablet.sync().is_complete
    replace_database(tmp_path / "backup.db", file_of(database_url))
    shop_tablet.note("after the restore")
    shop_tablet.restart()
    assert shop_tablet.sync().is_complete


# signing keys


def test_a_tablet_too_old_to_receive_learns_a_new_receipt_key_from_hello(hq: Headquarters, shop_tablet: Tablet) -> None:
    """Its feed stands still (426), so what it sends could never be settled otherwise."""
    set_term(hq, "min_app", "9.0.0")
    made = rotate_key(hq, "receipt")
    note = shop_tablet.note("signed with a key of after the last pull")
    shop_tablet.restart()
    summary = shop_tablet.sync()
    assert summary.status.needs_upgrade
    assert shop_tablet.database.document(f"receipt_key/{made['kid']}") is None
    receipt = shop_tablet.database.last_receipt()
    assert receipt is not None
    assert (receipt.kid, receipt.through_seq, shop_tablet.database.counts().pending) == ("r2", 1, 0)
    assert note.op_id


def test_an_old_receipt_and_an_old_card_stay_good_after_both_keys_were_rotated(
    hq: Headquarters, shop_tablet: Tablet
) -> None:
    """Old public keys stay in the feed; new cards are signed with the new key."""
    shop_tablet.note("first")
    shop_tablet.sync()
    receipt, old_card = shop_tablet.database.last_receipt(), issue_card(hq, LOYALTY_ID)
    assert receipt is not None
    for purpose in ("receipt", "card"):
        rotate_key(hq, purpose)
    shop_tablet.note("second")
    shop_tablet.run(120)
    assert shop_tablet.database.counts().pending == 0
    held = {found.id: found.body for found in shop_tablet.database.documents("receipt_key")}
    assert set(held) == {"receipt_key/r1", "receipt_key/r2"}
    key = base64.b64decode(held[f"receipt_key/{receipt.kid}"]["public_key"])
    assert is_receipt_sound(receipt.model_dump(), key)
    cards = {
        int(found.body["kid"]): base64.b64decode(found.body["public_key"])
        for found in shop_tablet.database.documents("card_key")
    }
    for text, kid in ((old_card, 1), (issue_card(hq, LOYALTY_ID), 2)):
        shown = parse_card(text)
        assert isinstance(shown, SignedCard)
        assert shown.kid == kid
        assert settle_card(shown, keys=cards, cancelled=set(), today=hq.clock.now().date())[1] is CardStatus.VERIFIED


def test_a_running_server_takes_up_a_key_another_process_made(hq: Headquarters, tmp_path: Path) -> None:
    """And never half of one; a file somebody spoilt waits for the next start, which names it."""
    other = replace(hq, keys=FileKeyFolder(tmp_path / "keys"))
    assert hq.keys.receipt_key()[0] == "r1"
    rotate_key(other, "receipt")
    assert hq.keys.receipt_key()[0] == "r2"
    assert set(hq.keys.public_receipt_keys()) == {"r1", "r2"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "keys").iterdir()} == {0o600}
    assert not list((tmp_path / "keys").glob(".*"))
    (tmp_path / "keys" / "receipt-r3.pem").write_text("half a ke")
    assert hq.keys.receipt_key()[0] == "r2"
    with pytest.raises(Damaged, match=r"receipt-r3\.pem is damaged"):
        FileKeyFolder(tmp_path / "keys")


def test_a_rotation_broken_off_between_folder_and_database_is_finished_at_the_next_start(
    hq: Headquarters, tmp_path: Path
) -> None:
    """The key signs already; tablets must be able to learn it, and its loss must be noticed."""
    hq.keys.make_next("card")
    ensure_epoch(hq)
    with hq.database.read() as reader:
        assert reader.doc("all", "card_key/2") is not None
        known = known_keys(reader)
    (tmp_path / "keys" / "card-2.pem").unlink()
    with pytest.raises(Damaged, match=r"card-2\.pem is missing"):
        check_keys(known, FileKeyFolder(tmp_path / "keys").inventory(), "keys")


def test_public_keys_are_told_as_base64_and_as_pem_and_cards_name_at_most_255(hq: Headquarters) -> None:
    """For the tills; no private word leaves the folder."""
    rotate_key(hq, "card")
    told = public_keys(hq)
    assert [(key["purpose"], key["kid"], key["is_signing"]) for key in told] == [
        ("receipt", "r1", True),
        ("card", "1", False),
        ("card", "2", True),
    ]
    assert all(key["pem"].startswith("-----BEGIN PUBLIC KEY-----\n") for key in told)
    folder = Path(hq.settings.keys_dir)
    (folder / "card-255.pem").write_bytes((folder / "card-2.pem").read_bytes())
    with pytest.raises(Refused, match="255 card keys already"):
        rotate_key(hq, "card")


# another store


def test_a_moved_tablet_leaves_the_old_shoppers_takes_the_new_ones_and_its_old_ops_still_count(
    hq: Headquarters, shop_tablet: Tablet, tmp_path: Path
) -> None:
    """What it recorded for the old store is accepted there; what it records from now on is the new store's."""
    other = make_tablet(tmp_path, shop_tablet.transport, seed=5)
    connect(other, hq, "zurich-1")
    other.note("of zurich", loyalty_id="2900000000025")
    assert other.sync().is_complete
    old = shop_tablet.note("recorded in berlin")
    move_device(hq, device_of(shop_tablet).device_id, "zurich-1")
    shop_tablet.restart()
    summary = shop_tablet.sync()
    assert (summary.is_complete, summary.answered) == (True, {"accepted": 1})
    assert {state.scope for state in shop_tablet.database.states()} == {"all", "store:zurich-1"}
    assert shop_tablet.database.find_profile("loyalty_id", "2900000000025") is not None
    assert device_of(shop_tablet).store == "zurich-1"
    new = shop_tablet.note("recorded in zurich")
    assert shop_tablet.sync().answered == {"accepted": 1}
    with hq.database.read() as reader:
        stores = {row["fact_id"]: row["store"] for row in reader.rows("fact", kind="note_added")}
    assert (stores[old.op_id], stores[new.op_id]) == ("berlin-1", "zurich-1")
    assert [row["name"] for row in list_devices(hq, "berlin-1")] == []
    other.database.close()

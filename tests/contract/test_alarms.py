"""Too many merges in a day: said in the log, at /healthz, by `status` and `identity review`, with what to do."""

from __future__ import annotations

from pathlib import Path

from sync_server.bootstrap import open_headquarters
from sync_server.services.alarms import Lookout, merge_alarm
from sync_server.services.headquarters import Headquarters
from sync_server.services.ingest import take_messages
from sync_server.services.who_is_who import list_reviews
from sync_server.settings import Settings
from tests.contract.test_keeping_cli import here, told
from tests.support.asking import Asker
from tests.support.traffic import found_chain
from tests.support.world import pass_time

MANY = 21


def merge_many(hq: Headquarters) -> None:
    """So many accounts and addresses of their own, each pair found to be one shopper."""
    messages = [
        {"type": "identify", "messageId": f"{kind}-{number}", **names}
        for number in range(MANY)
        for kind, names in (
            ("account", {"userId": f"c-{number}"}),
            ("address", {"traits": {"email": f"s{number}@example.org"}}),
            ("both", {"userId": f"c-{number}", "traits": {"email": f"s{number}@example.org"}}),
        )
    ]
    for start in (0, 1, 2):
        assert take_messages(hq.database, hq.clock, "shop", messages[start::3]).accepted == MANY


def test_the_alarm_is_for_many_merges_in_a_day_and_for_few_shoppers_never() -> None:
    """One in 200, and at least twenty."""
    assert merge_alarm(20, 100) is None
    assert merge_alarm(500, 100_000) is None
    assert "501 of 100000" in str(merge_alarm(501, 100_000))


def test_the_alarm_is_met_wherever_hq_it_looks(hq: Headquarters) -> None:
    """Health, review and the log; the log once a day, the day after still, and then no more."""
    asker, lookout = Asker(hq), Lookout(hq)
    assert "alarms" not in asker.get("/healthz").json()
    assert lookout.look() is None
    merge_many(hq)
    [alarm] = asker.get("/healthz").json()["alarms"]
    assert f"{MANY} of {MANY} profiles" in alarm
    assert "identity block" in alarm
    assert [row["why"] for row in list_reviews(hq) if row["what"] == "alarm"] == [alarm]
    assert (lookout.look(), lookout.look()) == (alarm, None)
    pass_time(hq, days=1)
    assert (lookout.look(), lookout.look()) == (alarm, None)
    pass_time(hq, days=1)
    assert lookout.look() is None
    assert asker.get("/healthz").json()["status"] == "ok"
    assert "alarms" not in asker.get("/healthz").json()


def test_status_says_what_waits_and_what_to_do(tmp_path: Path) -> None:
    """A calm sentence where nothing waits, the alarm and the queue where something does."""
    folder = tmp_path / "hq"
    settings = Settings(data_dir=folder, database=f"sqlite:///{folder / 'central.db'}")
    with open_headquarters(settings) as hq:
        found_chain(hq)
    assert "Nothing waits for a person." in here(folder, "status")[1]
    with open_headquarters(settings) as hq:
        merge_many(hq)
        pair = [
            {"type": "identify", "messageId": number, "traits": {"email": "m@example.org", "loyalty_id": number}}
            for number in ("2900000000018", "2900000000025")
        ]
        assert take_messages(hq.database, hq.clock, "shop", pair).accepted == len(pair)
    status = told(folder, "status")
    assert (status["merged_today"], status["held"], status["waiting"]) == (MANY, 0, 1)
    said = here(folder, "status")[1]
    assert f"ALARM: {MANY} of" in said
    assert "1 pair of identifiers waits" in said

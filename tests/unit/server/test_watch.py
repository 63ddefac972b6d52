"""The nightly drop: which file is what, when it is complete, in which order, and where it goes with what came of it."""

from __future__ import annotations

import asyncio
import gzip
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from shared.errors import Problem, Refused
from sync_server.adapters.folder_lock import hold_folder
from sync_server.services.headquarters import Headquarters
from sync_server.services.imports import watch as watching
from sync_server.services.imports.drop import dropped_files, read_plan
from sync_server.services.imports.kinds import FIELDS
from sync_server.services.imports.run import run_import
from sync_server.services.imports.watch import LOOKS_MAX, Taken, Watch
from tests.support.world import SetClock

ORDERS = "order_id,at,email,sku,quantity,price\nR-1,2026-11-20 10:00,x@example.org,SKU-1,1,12.50\n"
SHOPPERS = "loyalty_id,email\n2900000000018,x@example.org\n"
STOCK = "store,sku,quantity\nberlin-1,SKU-1,3\n"
STORES = "code,name\nbonn-1,Bonn\n"
DAY = "done/2026-11-22"


class ScriptedClock(SetClock):
    """A clock in whose pauses something happens; when nothing is left to happen, the watcher is asked to end."""

    def __init__(self, *steps: Callable[[], object]) -> None:
        super().__init__()
        self.steps = list(steps)
        self.pauses = 0
        self.watch: Watch | None = None

    async def pause(self, seconds: float) -> None:
        self.move(seconds=seconds)
        self.pauses += 1
        if self.steps:
            self.steps.pop(0)()
        elif self.watch is not None:
            self.watch.stop.ask()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A drop."""
    made = tmp_path / "drop"
    made.mkdir()
    return made


class Seen:
    """What a watcher said."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.taken: list[Taken] = []


def watcher(hq: Headquarters, folder: Path, *steps: Callable[[], object], ends: bool = False) -> tuple[Watch, Seen]:
    """A watcher in whose pauses these steps happen, and which then `ends`."""
    clock, seen = ScriptedClock(*steps), Seen()
    made = Watch(replace(hq, clock=clock), folder, seen.told.append, seen.taken.append)
    clock.watch = made if ends else None
    return made, seen


def once(hq: Headquarters, folder: Path, *steps: Callable[[], object]) -> Seen:
    """`watch --once`."""
    made, seen = watcher(hq, folder, *steps)
    asyncio.run(made.once())
    return seen


def run(hq: Headquarters, folder: Path, *steps: Callable[[], object]) -> Seen:
    """`watch`, until nothing is left to happen."""
    made, seen = watcher(hq, folder, *steps, ends=True)
    asyncio.run(made.until_stopped(10))
    return seen


def drop(folder: Path, name: str, text: str = ORDERS) -> Path:
    """Put a file there."""
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def names(folder: Path) -> set[str]:
    """All files below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def nothing() -> None:
    """A pause in which nothing happens."""


def facts(hq: Headquarters, kind: str) -> int:
    """How many messages of a kind the ledger holds."""
    with hq.database.read() as reader:
        return len(reader.rows("fact", origin=f"import-{kind}"))


def audit(hq: Headquarters) -> list[tuple[str, str]]:
    """What the watcher wrote down."""
    with hq.database.read() as reader:
        return [(row["did"], row["about"]) for row in reader.rows("audit", who="watch")]


# which file is what ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("orders.csv", "orders"),
        ("Orders-2026-11-22.CSV", "orders"),
        ("orders20261122.csv.gz", "orders"),
        ("events_eu.jsonl", "events"),
        ("stock/berlin.csv", "stock"),
        ("stock/orders.csv", "stock"),
        ("from-till/orders.csv", "orders"),
        ("ordersummary.csv", None),
        ("orders.xlsx", None),
        ("report.csv", None),
    ],
)
def test_the_kind_is_how_the_name_begins_or_the_folder_below(folder: Path, name: str, kind: str | None):
    """The folder's word counts more than the file's."""
    drop(folder, name)
    [found] = dropped_files(folder, read_plan(folder))
    assert (found.name, found.kind) == (name, kind)


@pytest.mark.parametrize(
    "name",
    [
        *("orders.csv.part", "orders.csv.tmp", "orders.csv.filepart", ".orders.csv", "orders.csv.done", "orders.done"),
        *("done/orders.csv", "failed/orders.csv", "orders.csv.bad.jsonl", "orders.csv.reason.txt", "till.yaml"),
    ],
)
def test_what_is_half_sent_or_was_filed_away_is_no_file_of_the_drop(folder: Path, name: str):
    """Nor are the watcher's own."""
    drop(folder, name)
    assert dropped_files(folder, read_plan(folder)) == []


def test_watch_yaml_names_files_their_kind_and_their_mapping(hq: Headquarters, folder: Path):
    """For exports that are called as somebody else likes."""
    drop(folder, "watch.yaml", "files:\n  - {match: 'UMSATZ_*.txt', kind: orders, mapping: till.yaml}\n")
    drop(folder, "till.yaml", "columns: {order_id: Bon, at: Zeit, email: Mail, price: Preis}\ndecimal: ','\n")
    drop(folder, "Umsatz_22.txt", "Bon;Zeit;Mail;Preis\n7;2026-11-20 10:00;x@example.org;12,50\n")
    [taken] = once(hq, folder).taken
    assert (taken.kind, taken.place, taken.reason) == ("orders", f"{DAY}/Umsatz_22.txt", None)
    assert names(folder) == {"watch.yaml", "till.yaml", f"{DAY}/Umsatz_22.txt"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("files: [", "is no YAML"),
        ("files: [{match: x, kind: wishes}]", "'wishes' is no kind; there are: stores"),
        ("filez: []", "Extra inputs"),
    ],
)
def test_a_wrong_watch_yaml_is_refused_once_and_looked_at_again(hq: Headquarters, folder: Path, text: str, says: str):
    """Mended, it goes on without a restart."""
    plan = drop(folder, "watch.yaml", text)
    drop(folder, "orders.csv")
    with pytest.raises(Refused, match=says):
        once(hq, folder)
    seen = run(hq, folder, nothing, nothing, lambda: plan.write_text("files: []"), nothing)
    assert (len(seen.told), len(seen.taken)) == (1, 1)


def test_a_file_of_no_kind_stays_and_is_told_once(hq: Headquarters, folder: Path):
    """Stranded, but not in silence."""
    drop(folder, "umsatz.csv")
    seen = run(hq, folder, nothing, nothing, nothing)
    assert names(folder) == {"umsatz.csv"}
    [told] = seen.told
    assert told.startswith("umsatz.csv is of no kind, so it stays where it is: begin its name with one of stores,")


# when it is complete --------------------------------------------------------------------------------------------------


def test_a_file_is_taken_when_it_did_not_change_between_two_looks(hq: Headquarters, folder: Path):
    """Written in three goes: taken whole, once, after the last."""
    path = drop(folder, "orders.csv", ORDERS[:40])

    def more(until: int | None) -> Callable[[], object]:
        return lambda: path.write_text(ORDERS[:until])

    seen = once(hq, folder, more(60), more(80), more(None), nothing)
    assert [taken.report.rows for taken in seen.taken if taken.report] == [1]
    assert names(folder) == {f"{DAY}/orders.csv"}


@pytest.mark.parametrize("companion", ["orders.csv.done", "orders.done"])
def test_a_done_beside_it_says_so_at_once(hq: Headquarters, folder: Path, companion: str):
    """No second look is waited for, and the companion goes with it."""
    drop(folder, "orders.csv")
    drop(folder, companion, "")
    made, _ = watcher(hq, folder)
    assert [taken.name for taken in asyncio.run(made.once())] == ["orders.csv"]
    assert isinstance(made.hq.clock, ScriptedClock)
    assert made.hq.clock.pauses == 0
    assert names(folder) == {f"{DAY}/orders.csv"}


def test_a_file_renamed_from_part_is_complete(hq: Headquarters, folder: Path):
    """It grew until just now, and its new name is the sender's word."""
    part = drop(folder, "orders.csv.part", ORDERS[:40])

    def finish() -> None:
        part.write_text(ORDERS)
        part.rename(folder / "orders.csv")

    made, seen = watcher(hq, folder, finish, ends=True)
    asyncio.run(made.until_stopped(10))
    assert [taken.name for taken in seen.taken] == ["orders.csv"]
    assert isinstance(made.hq.clock, ScriptedClock)
    assert made.hq.clock.pauses == 2, "the first one finished it, the second one ended the watch"


def test_a_file_that_changes_while_it_is_read_stays_and_is_taken_again(
    hq: Headquarters, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """A sender that paused for longer than the looks are apart: nothing of the rest is lost."""
    path = drop(folder, "orders.csv")
    really = run_import

    def slow(*told: object, **options: object) -> object:
        report = really(*told, **options)  # type: ignore[arg-type]
        if path.read_text() == ORDERS:
            path.write_text(ORDERS + "R-2,2026-11-20 11:00,x@example.org,SKU-1,1,9.00\n")
        return report

    monkeypatch.setattr(watching, "run_import", slow)
    seen = run(hq, folder, nothing, nothing, nothing, nothing)
    assert [(taken.report.taken, taken.report.known) for taken in seen.taken if taken.report] == [(1, 1)]
    assert facts(hq, "orders") == 2
    assert "changed while it was read" in seen.told[0]


def test_once_gives_up_on_what_never_comes_to_rest_and_takes_the_others(hq: Headquarters, folder: Path):
    """An endless log among the files holds nobody up."""
    log = drop(folder, "events.jsonl", "")
    drop(folder, "orders.csv")
    grow = [lambda: log.write_text(log.read_text() + "{}\n")] * (LOOKS_MAX + 1)
    seen = once(hq, folder, *grow)
    assert [taken.name for taken in seen.taken] == ["orders.csv"]


# the order ------------------------------------------------------------------------------------------------------------


def test_what_others_need_comes_first_whatever_it_is_called(hq: Headquarters, folder: Path):
    """By kind, then by name as people count."""
    for name, text in {
        "orders-10.csv": ORDERS,
        "orders-9.csv": ORDERS,
        "shoppers.csv": SHOPPERS,
        "stock/a.csv": STOCK,
        "stores-z.csv": STORES,
    }.items():
        drop(folder, name, text)
    taken = [one.name for one in once(hq, folder).taken]
    assert taken == ["stores-z.csv", "stock/a.csv", "shoppers.csv", "orders-9.csv", "orders-10.csv"]
    kinds = list(FIELDS)
    for first, then in (("stores", "associates"), ("stores", "stock"), ("products", "stock"), ("shoppers", "orders")):
        assert kinds.index(first) < kinds.index(then)


def test_later_kinds_wait_for_an_earlier_one_that_is_still_arriving_but_not_for_ever(hq: Headquarters, folder: Path):
    """Stock of a store that is on its way; and a file of stores that never comes to rest."""
    stores = drop(folder, "stores.csv", STORES)
    drop(folder, "stock.csv", "store,sku,quantity\nbonn-1,SKU-1,3\n")
    seen = run(hq, folder, lambda: stores.write_text(STORES + "ulm-1,Ulm\n"), nothing, nothing)
    assert [taken.name for taken in seen.taken] == ["stores.csv", "stock.csv"]
    assert not any(taken.is_refused for taken in seen.taken)
    restless = drop(folder, "stores.csv", STORES)
    drop(folder, "stock.csv", STOCK)
    seen = run(hq, folder, *([lambda: restless.write_text(restless.read_text() + " ")] * (LOOKS_MAX + 2)))
    assert [taken.name for taken in seen.taken] == ["stock.csv"]
    assert restless.is_file()


# where it goes --------------------------------------------------------------------------------------------------------


def test_a_taken_file_lies_under_its_day_with_its_bad_rows_beside_it(hq: Headquarters, folder: Path):
    """Told in a line, and written down for the audit."""
    drop(folder, "orders-1.csv", ORDERS + "R-2,never,x@example.org,SKU-1,1,9.00\n")
    seen = once(hq, folder)
    assert names(folder) == {f"{DAY}/orders-1.csv", f"{DAY}/orders-1.csv.bad.jsonl"}
    assert '"line": 3' in (folder / DAY / "orders-1.csv.bad.jsonl").read_text()
    said = f"orders-1.csv: 1 orders taken, 0 known already, 1 rows left out; now in {DAY}/orders-1.csv."
    assert [taken.sentence() for taken in seen.taken] == [said]
    assert audit(hq) == [("took in the file", said)]
    assert not list((hq.settings.data_dir / "imports").iterdir())


def test_files_of_one_name_are_kept_apart(hq: Headquarters, folder: Path):
    """A system that calls its export the same every night, or sends it twice."""
    for _ in range(3):
        drop(folder, "orders.csv")
        once(hq, folder)
    assert names(folder) == {f"{DAY}/orders.csv", f"{DAY}/orders-2.csv", f"{DAY}/orders-3.csv"}
    assert facts(hq, "orders") == 1


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("orders.csv", b"order_id,when\n1,2\n", "has no column for at"),
        ("orders.csv", b"", "is empty"),
        ("orders.csv", b"order_id,at,email\nR-1,never,x@example.org\n", "None of its 1 rows could be taken: at is no"),
        ("orders.csv.gz", gzip.compress(ORDERS.encode(), mtime=0)[:-12], "torn or damaged"),
    ],
    ids=["columns", "empty", "rows", "torn"],
)
def test_a_refused_file_lies_apart_with_the_reason_and_holds_up_nobody(
    hq: Headquarters, folder: Path, name: str, content: bytes, reason: str
):
    """The file beside it is taken."""
    (folder / name).write_bytes(content)
    drop(folder, "orders-z.csv")
    seen = once(hq, folder)
    assert [(taken.name, taken.is_refused) for taken in seen.taken] == [("orders-z.csv", False), (name, True)] or [
        (taken.name, taken.is_refused) for taken in seen.taken
    ] == [(name, True), ("orders-z.csv", False)]
    assert reason in (folder / "failed" / f"{name}.reason.txt").read_text()
    assert (folder / "failed" / name).read_bytes() == content
    assert {did for did, _ in audit(hq)} == {"refused the file", "took in the file"}


def test_a_fault_of_ours_refuses_that_file_alone(hq: Headquarters, folder: Path, monkeypatch: pytest.MonkeyPatch):
    """Whatever a file brings to light, the others go on."""
    really = run_import

    def faulty(hq: Headquarters, kind: str, *told: object, **options: object) -> object:
        if kind == "shoppers":
            raise ZeroDivisionError("a bug")
        return really(hq, kind, *told, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(watching, "run_import", faulty)
    drop(folder, "shoppers.csv", SHOPPERS)
    drop(folder, "orders.csv")
    seen = once(hq, folder)
    assert [(taken.kind, taken.is_refused) for taken in seen.taken] == [("shoppers", True), ("orders", False)]
    assert "This is a fault in Floorside (ZeroDivisionError: a bug)" in str(seen.taken[0].reason)


def test_a_database_that_is_away_is_no_fault_of_the_file(
    hq: Headquarters, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """It stays, and is taken when the database is back."""
    really, tries = run_import, []

    def away(*told: object, **options: object) -> object:
        tries.append(1)
        if len(tries) < 3:
            raise Problem("busy", "HQ's database does not answer.", status=503)
        return really(*told, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(watching, "run_import", away)
    drop(folder, "orders.csv")
    seen = run(hq, folder, *[nothing] * 4)
    assert seen.told == ["orders.csv stays where it is and is tried again: HQ's database does not answer."]
    assert [taken.is_refused for taken in seen.taken] == [False]


# ends -----------------------------------------------------------------------------------------------------------------


class PowerCut(BaseException):
    """Nothing catches it."""


@pytest.mark.parametrize("step", ["run_import", "note", "bad rows", "companion", "rename"])
def test_a_kill_at_any_point_loses_nothing_and_doubles_nothing(
    hq: Headquarters, folder: Path, monkeypatch: pytest.MonkeyPatch, step: str
):
    """Before the import, before and after each of the steps that file it away: the next start ends up the same."""
    drop(folder, "orders.csv", ORDERS + "R-2,never,x@example.org,SKU-1,1,9.00\n")
    drop(folder, "orders.csv.done", "")

    def cut(*_: object, **__: object) -> None:
        raise PowerCut

    places = {
        "run_import": (watching, "run_import"),
        "note": (Headquarters, "note_audit"),
        "bad rows": (shutil, "move"),
        "companion": (Path, "unlink"),
        "rename": (Path, "replace"),
    }
    with monkeypatch.context() as patched:
        if step == "companion":
            really = Path.unlink
            patched.setattr(
                Path, "unlink", lambda path, **told: cut() if path.suffix == ".done" else really(path, **told)
            )
        else:
            patched.setattr(*places[step], cut)
        with pytest.raises(PowerCut):
            once(hq, folder)
    assert (folder / "orders.csv").is_file(), "it goes last"
    once(hq, folder)
    assert names(folder) == {f"{DAY}/orders.csv", f"{DAY}/orders.csv.bad.jsonl"}
    assert facts(hq, "orders") == 1
    assert once(hq, folder).taken == []


def test_a_wish_to_end_in_the_middle_of_a_file_leaves_it_where_it_is(hq: Headquarters, folder: Path):
    """And the next start takes the rest of it."""
    lines = [f"29{number:011},s{number}@example.org\n" for number in range(1_200)]
    drop(folder, "shoppers.csv", "loyalty_id,email\n" + "".join(lines))
    made, seen = watcher(hq, folder)
    heard, made_heard = [], Watch._heard

    def hear(self: Watch, count: int) -> None:
        heard.append(count)
        if len(heard) == 700:
            self.stop.ask()
        made_heard(self, count)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Watch, "_heard", hear)
        assert asyncio.run(made.once()) == []
    assert names(folder) == {"shoppers.csv"}
    assert seen.told == ["shoppers.csv is not through: it stays where it is and is taken again at the next start."]
    assert facts(hq, "shoppers") == 500
    [taken] = once(hq, folder).taken
    assert taken.report is not None
    assert (taken.report.taken, taken.report.known) == (700, 500)


def test_a_folder_has_one_watcher(folder: Path):
    """The lock goes with whoever held it."""
    with hold_folder(folder), pytest.raises(Refused, match="Another watcher looks after"), hold_folder(folder):
        pass
    with hold_folder(folder):
        pass


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path):
    """In a sentence."""
    with pytest.raises(Refused, match="cannot be watched"), hold_folder(tmp_path / "nowhere"):
        pass


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="the system has no links")
def test_a_link_is_not_followed_out_of_the_folder(folder: Path, tmp_path: Path):
    """What lies elsewhere is not moved away from there."""
    (folder / "orders.csv").symlink_to(drop(tmp_path, "elsewhere.csv"))
    assert dropped_files(folder, read_plan(folder)) == []

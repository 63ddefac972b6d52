"""`sync-server` as people and scripts call it: JSON and nothing else, three exit statuses, one sentence a refusal."""

from __future__ import annotations

import json
import os
import resource
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.cards import SignedCard, parse_card
from tests.support.forked import start_forked
from tests.support.programs import ForkedServer, Said, ServerProcess, run, run_here

PROGRAM = "sync_server"


def said(folder: Path, line: str) -> Said:
    """Run a command line in a data folder, as a process."""
    return run(PROGRAM, *shlex.split(line), "--data-dir", folder)


def here(line: str) -> Said:
    """Run a command line in this very process: the same code after the interpreter's start, and a second saved."""
    return run_here(PROGRAM, *shlex.split(line))


def here_in(folder: Path, line: str) -> Said:
    """The same in a data folder."""
    return here(f"{line} --data-dir '{folder}'")


def told(folder: Path, line: str) -> Any:
    """The one JSON value a command prints."""
    done = here_in(folder, f"{line} --json")
    assert (done.status, done.err) == (0, ""), done
    assert done.out.count("\n") == 1
    return done.json


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain with a store and an associate."""
    folder = tmp_path_factory.mktemp("chain")
    told(folder, "init --chain Fjellvik --currency EUR --timezone Europe/Berlin")
    told(folder, "store add berlin-1 'Berlin Mitte' --lat 52.5256 --lon 13.4017")
    told(folder, "associate add 'Mia Hoffmann' --store berlin-1 --pin 1234")
    return folder


def test_a_real_chain_is_set_up_by_command_line_alone(tmp_path: Path) -> None:
    """Init, store, associate, device, write key, card: each prints what the next needs."""
    made = told(tmp_path, "init --chain Fjellvik --currency NOK --timezone Europe/Oslo")
    assert (made["chain"], made["plays"] > 10) == ("Fjellvik", True)
    store = told(tmp_path, "store add oslo-1 Oslo --lat 59.91 --lon 10.75")
    assert (store["currency"], store["country"], store["lat_e6"]) == ("NOK", "NO", 59_910_000)
    assert told(tmp_path, "store list") == [store]
    hours = told(tmp_path, "store hours oslo-1 'mon-fri 10:00-20:00; sat 10:00-18:00'")["hours"]
    assert (hours["fri"], hours["sat"], "sun" in hours) == (["10:00", "20:00"], ["10:00", "18:00"], False)
    assert told(tmp_path, "store list") == [store | {"hours": "mon-fri 10:00-20:00; sat 10:00-18:00"}]
    person = told(tmp_path, "associate add --name Kari --store oslo-1 --role manager")
    assert len(person["pin"]) == 6
    assert [one["name"] for one in told(tmp_path, "associate list --store oslo-1")] == ["Kari"]
    assert told(tmp_path, f"associate disable {person['associate_id']}")["is_disabled"]
    assert not told(tmp_path, f"associate reset-pin {person['associate_id']} --pin 4321")["is_disabled"]
    code = told(tmp_path, "device enrol --store oslo-1")
    assert set(code) == {"code", "expires_at"}
    assert told(tmp_path, "device list") == []
    assert set(told(tmp_path, "key create --source web-shop")) == {"write_key"}
    card = told(tmp_path, "card issue 2912345678903")
    read = parse_card(card["card"])
    assert isinstance(read, SignedCard)
    assert read.loyalty_id == "2912345678903"
    assert told(tmp_path, f"card cancel {card['card']}")["card_id"] == read.card_id
    assert told(tmp_path, "shopper list --store oslo-1 --limit 5") == []
    assert len(told(tmp_path, "play list")) == made["plays"]
    migrated = told(tmp_path, "migrate")
    assert migrated["before"] == migrated["now"]


def test_the_program_itself_prints_one_json_value_and_ends_with_the_status(chain: Path) -> None:
    """As a process: standard output is for the value, standard error for the sentence."""
    listed = said(chain, "store list --json")
    assert (listed.status, listed.err) == (0, "")
    assert listed.json[0]["code"] == "berlin-1"
    refused = said(chain, "device enrol --store paris-1 --json")
    assert (refused.status, refused.out, refused.err.count("\n")) == (1, "", 1)
    wrong = said(chain, "store lits")
    assert (wrong.status, wrong.out, "Traceback" in wrong.err) == (2, "", False)


def test_people_get_tables_and_a_qr_code(chain: Path) -> None:
    """Without --json everything is said for reading."""
    listed = here_in(chain, "store list")
    assert listed.status == 0
    assert "Berlin Mitte" in listed.out
    assert "┃" in listed.out
    enrol = here_in(chain, "device enrol --store berlin-1 --url https://hq.example")
    assert "█" in enrol.out
    assert "https://hq.example" in enrol.out
    assert "It works once" in enrol.out


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("init --chain B --currency EUR --timezone Europe/Berlin", "already a chain here, 'Fjellvik'"),
        ("store add berlin-1 Again", "already a store"),
        ("store add B!x Again", "small letters"),
        ("store add b-2 B --hours always", "hours are written as mon-fri 10:00-20:00"),
        ("store hours paris-1 'mon 10:00-20:00'", "no store with the code 'paris-1'"),
        ("associate add X --store paris-1", "no store with the code 'paris-1'. Known: berlin-1"),
        ("associate add X --store berlin-1 --pin 12", "4 to 6 digits"),
        ("associate add X --store berlin-1 --role boss", "associate or manager"),
        ("associate disable a9999", "no associate"),
        ("device enrol --store paris-1", "no store"),
        ("device enrol --store berlin-1 --hours 0", "FLOORSIDE_ENROLMENT_HOURS"),
        ("device revoke nothing", "no device"),
        ("key create --source 'a b'", "source's name"),
        ("card issue ''", "cannot carry"),
        ("card issue 2912345678903 --expires-on tomorrow", "A day is written like"),
        ("card cancel FS1.AAAA", "never issued"),
        ("shopper list --store paris-1", "no store"),
        ("shopper why nobody@example.org", "knows no shopper"),
        ("profile show +49301234567", "knows no shopper"),
        ("demo-data --shoppers 5", "already a chain"),
        ("backup /nowhere/at/all.db", "cannot be written"),
        ("restore /nowhere.db", "no backup file"),
        ("restore", "--new-epoch"),
        ("migrate --database mysql://x@y/z", "SQLite or PostgreSQL"),
        ("store list --database postgresql://nobody@127.0.0.1:1/x", "cannot be opened"),
        ("serve --host 256.1.1.1", "cannot be listened on"),
        ("serve --port 65536", "FLOORSIDE_PORT"),
    ],
)
def test_a_refusal_is_one_sentence_on_standard_error_and_status_1(chain: Path, line: str, sentence: str) -> None:
    """Nothing on standard output, never a traceback."""
    for more in ("", " --json"):
        done = here_in(chain, f"{line}{more}")
        assert (done.status, done.out) == (1, "")
        assert sentence in done.err
        assert done.err.count("\n") == 1
        assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "line",
    [
        "stor list",
        "store lits",
        "store list --nonsense 5",
        "init",
        "shopper list",
        "shopper list --store berlin-1 --limit many",
        "card issue",
        "card issue 1 2 3",
        "demo-data --shoppers",
        "store add x y --lat north",
    ],
)
def test_wrong_usage_is_status_2(chain: Path, line: str) -> None:
    """And says where help is."""
    done = here(line)
    assert (done.status, done.out) == (2, "")
    assert "--help" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    "words", [[], ["store"], ["--help"], ["store", "--help"], ["store", "add", "--help"], ["--version"]]
)
def test_help_is_shown_and_only_a_missing_command_is_a_mistake(words: list[str]) -> None:
    """Asked for, help is a success; instead of a command it is wrong usage."""
    done = here(" ".join(words))
    assert done.status == (0 if {"--help", "--version"} & set(words) else 2)
    assert done.out
    assert "Traceback" not in done.err


def test_settings_come_from_the_environment_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder by variable; the command line wins over it."""
    monkeypatch.setenv("FLOORSIDE_DATA_DIR", str(tmp_path / "a"))
    monkeypatch.setenv("FLOORSIDE_PORT", "seven")
    done = here("store list --json")
    assert done.status == 1
    assert "FLOORSIDE_PORT" in done.err
    monkeypatch.delenv("FLOORSIDE_PORT")
    assert here("store list --json").json == []
    assert (tmp_path / "a" / "central.db").exists()


def test_the_server_serves_refuses_a_second_one_and_goes_on_after_kill_9(chain: Path) -> None:
    """A port in use is a sentence; a power cut leaves nothing to mend."""
    server = ServerProcess(chain).start()
    try:
        second = here_in(chain, f"serve --port {server.port}")
        assert (second.status, second.out) == (1, "")
        assert f"Port {server.port} on 127.0.0.1 is in use" in second.err
        epoch = httpx.get(f"{server.url}/healthz").json()["epoch"]
        server.kill()
        server.start()
        assert httpx.get(f"{server.url}/healthz").json()["epoch"] == epoch
    finally:
        server.kill()


def test_a_command_beside_the_running_server_is_heard_by_whoever_waits(chain: Path, tmp_path: Path) -> None:
    """Another process writes to the same file: the doorbell answers long before its time is over."""
    server = ForkedServer(chain).start()
    try:
        code = told(chain, "device enrol --store berlin-1")["code"]
        request = {"code": code, "name": "T", "install_id": "01a2052a-4b6d-71f5-a684-4e273d3b0943", "app": "1.0.0"}
        token = httpx.post(f"{server.url}/v1/enroll", json=request).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        head = httpx.get(f"{server.url}/v1/sync/wait?known=all:0&seconds=0", headers=headers).json()["heads"]["all"]
        command = start_forked(["store", "add", "wait-1", "Waiting", "--data-dir", chain], tmp_path / "said.log")
        url = f"{server.url}/v1/sync/wait?known=all:{head}&seconds=30"
        reply = httpx.get(url, headers=headers, timeout=40)
        command.join()
        assert command.exitcode == 0
        assert reply.json()["heads"]["all"] > head
        assert reply.elapsed.total_seconds() < 25
    finally:
        server.kill()


def test_a_stopped_server_lets_waiting_tablets_go(chain: Path) -> None:
    """SIGTERM ends it in a moment although a tablet waits for half a minute."""
    server = ForkedServer(chain).start()
    code = told(chain, "device enrol --store berlin-1")["code"]
    request = {"code": code, "name": "T", "install_id": "01a2052a-4b6d-71f5-a684-4e273d3b0944", "app": "1.0.0"}
    token = httpx.post(f"{server.url}/v1/enroll", json=request).json()["token"]
    with socket.create_connection(("127.0.0.1", server.port)) as waiting:
        head = httpx.get(
            f"{server.url}/v1/sync/wait?known=all:0&seconds=0", headers={"Authorization": f"Bearer {token}"}
        ).json()["heads"]["all"]
        asked = f"GET /v1/sync/wait?known=all:{head}&seconds=30 HTTP/1.1\r\nHost: hq\r\n"
        waiting.sendall(f"{asked}Authorization: Bearer {token}\r\n\r\n".encode())
        httpx.get(f"{server.url}/healthz")
        server.stop()
        answer = waiting.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 200")


def test_serve_says_its_address_as_json(chain: Path) -> None:
    """With port 0 it takes a free one and says which."""
    words = [sys.executable, "-m", PROGRAM, "serve", "--port", "0", "--json", "--data-dir", str(chain)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told_url = json.loads(process.stdout.readline())["url"]
        try:
            until_up = httpx.get(f"{told_url}/healthz", timeout=30)
        finally:
            os.kill(process.pid, signal.SIGTERM)
            process.wait(timeout=30)
    assert until_up.json()["status"] == "ok"


def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_written(chain: Path, tmp_path: Path) -> None:
    """The largest file this process may write is as small as a full disk's."""
    before = here_in(chain, "store list --json").json
    limit = (64 * 1024, 64 * 1024)
    words = [sys.executable, "-m", PROGRAM, "backup", str(tmp_path / "b.db"), "--data-dir", str(chain)]

    def shrink() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)

    done = subprocess.run(words, capture_output=True, text=True, preexec_fn=shrink, check=False)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.iterdir())
    assert here_in(chain, "store list --json").json == before


@pytest.mark.parametrize("name", ["keys/card-1.pem", "central.db", "settings.toml"])
def test_a_damaged_file_is_named_in_one_sentence(chain: Path, tmp_path: Path, name: str) -> None:
    """A key, the database, the settings: which one, and what to do."""
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(chain, folder)
    (folder / name).write_bytes(b"damaged " * 600)
    for extra in ("central.db-wal", "central.db-shm"):
        (folder / extra).unlink(missing_ok=True)
    for line in ("store list", "serve --port 0"):
        done = here_in(folder, line)
        assert (done.status, done.out) == (1, "")
        assert done.err.count("\n") == 1
        assert ("database file" if name == "central.db" else Path(name).name) in done.err


def test_backup_and_restore_by_command_line(chain: Path, tmp_path: Path) -> None:
    """What must go along is named; a restore begins a new epoch."""
    written = told(chain, f"backup {tmp_path / 'b.db'}")
    assert written["bytes"] == (tmp_path / "b.db").stat().st_size
    assert str(chain / "keys") in written["keep_also"]
    restored = told(chain, f"restore {tmp_path / 'b.db'}")
    assert restored["epoch"] != restored["epoch_before"]


def test_demo_data_fills_an_empty_folder(tmp_path: Path) -> None:
    """Without init: the demo is a chain of its own."""
    filled = told(tmp_path, "demo-data --shoppers 25 --seed 3")
    assert filled["shoppers"] == 25
    stores = told(tmp_path, "store list")
    assert len(stores) == 6
    listed = [one for store in stores for one in told(tmp_path, f"shopper list --store {store['code']} --limit 50")]
    assert set(listed[0]) == {"loyalty_id", "name"}
    why = told(tmp_path, f"shopper why {listed[0]['loyalty_id']}")
    assert any(row["is_held"] for row in why["stores"])
    assert told(tmp_path, f"profile show {listed[0]['loyalty_id']}")["identifiers"]

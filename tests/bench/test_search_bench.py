"""Finding one of 200,000 shoppers on an encrypted tablet, as it is typed and mistyped. Figures, never verdicts."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from associate_app.services.search import find_shoppers
from shared.code_patterns import CheckRule, with_check_digit
from tests.conftest import RecordFigure
from tests.support.replica import (
    STORE_SCOPE,
    ShopTablet,
    end_of,
    header,
    line,
    make_shop_tablet,
)

SHOPPERS = 200_000
LINES_A_STEP = 5_000
SOUGHT = 300
SPELLED_OUT = str.maketrans({"ä": "ae", "ü": "ue", "ö": "oe", "ß": "ss"})
NAMES = Path(__file__).resolve().parents[2] / "assets" / "demo" / "names.yaml"
BEGINNINGS = ("", "", "", "Alt", "Berg", "Neu", "Ober", "Stein", "Wald", "Klein", "Groß", "Fisch", "Holz", "Linden")
ENDINGS = ("", "", "", "mann", "meier", "müller", "hofer", "sen", "kamp", "bach", "qvist", "stedt", "ström", "höfer")


def shopper(number: int, rng: random.Random, given: list[str], family: list[str]) -> dict[str, Any]:
    """A profile with no more than what it is found by."""
    ending = rng.choice(ENDINGS)
    name = rng.choice(BEGINNINGS) + (rng.choice(family).lower() if rng.random() < 0.5 else rng.choice(family)) + ending
    return {
        "id": f"01a20000-0000-5000-8000-{number:012d}",
        "given_name": rng.choice(given),
        "family_name": name.capitalize(),
        "identifiers": [
            {"type": "email", "value": f"shopper{number}@example.org"},
            {"type": "loyalty_id", "value": with_check_digit(f"29{number:010d}", CheckRule.EAN13)},
            {"type": "phone", "value": f"+4915{rng.randrange(10**9):09d}"},
        ],
        "postcode": f"{rng.randrange(10_000, 99_999)}",
    }


@pytest.fixture(scope="module")
def people() -> list[dict[str, Any]]:
    """Everybody in the store's slice."""
    names = yaml.safe_load(NAMES.read_text("utf-8"))["DE"]
    given, family, rng = names["given"].split(), names["family"].split(), random.Random(5)
    return [shopper(number, rng, given, family) for number in range(SHOPPERS)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, people: list[dict[str, Any]]) -> Iterator[ShopTablet]:
    """A tablet that holds them."""
    made = make_shop_tablet(Path(tmp_path_factory.mktemp("bench")), {})
    begun_s = time.perf_counter()
    lines = [line(f"profile/{doc['id']}", doc) for doc in people]
    for start in range(0, len(lines), LINES_A_STEP):
        made.database.load_snapshot(header(STORE_SCOPE, 20, len(lines)), lines[start : start + LINES_A_STEP])
    made.database.swap_snapshot(STORE_SCOPE, end_of(lines))
    print(f"\n{SHOPPERS:,} shoppers loaded in {time.perf_counter() - begun_s:.0f} s")
    yield made
    made.close()


def slipped(word: str, rng: random.Random) -> str:
    """A word with one slip of the finger that keeps its first letter."""
    at = rng.randrange(1, len(word) - 1)
    return rng.choice(
        (
            word[:at] + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            word[:at] + rng.choice("aeinrst") + word[at + 1 :],
            word[:at] + word[at] + word[at:],
        )
    )


def typed(kind: str, doc: dict[str, Any], rng: random.Random) -> str:
    """What somebody types who looks for a shopper."""
    given, family = doc["given_name"], doc["family_name"]
    number, phone = doc["identifiers"][1]["value"], doc["identifiers"][2]["value"]
    return {
        "family name, its first letters": family[:5],
        "both names": f"{given} {family}",
        "both names, a slip in the family name": f"{given} {slipped(family, rng)}",
        "both names, umlauts spelled out": f"{given} {family.translate(SPELLED_OUT)}",
        "a slip in the family name alone": slipped(family, rng),
        "last digits of the phone": phone[-6:],
        "number": number,
        "e-mail": doc["identifiers"][0]["value"],
    }[kind]


KINDS = (
    "family name, its first letters",
    "both names",
    "both names, umlauts spelled out",
    "both names, a slip in the family name",
    "a slip in the family name alone",
    "last digits of the phone",
    "number",
    "e-mail",
)


@pytest.mark.parametrize("kind", KINDS)
def test_finding_one_of_many(
    shop: ShopTablet, people: list[dict[str, Any]], record_figure: RecordFigure, kind: str
) -> None:
    """How long it takes, and whether somebody of that name (or the one with that number) is in the list."""
    rng = random.Random(9)
    took_ms, met = [], 0
    for doc in rng.sample(people, SOUGHT):
        text = typed(kind, doc, rng)
        begun_s = time.perf_counter()
        hits = find_shoppers(shop.database, text)
        took_ms.append((time.perf_counter() - begun_s) * 1000)
        names = {hit.name for hit in hits}
        met += f"{doc['given_name']} {doc['family_name']}" in names or any(hit.profile_id == doc["id"] for hit in hits)
        if "alone" in kind or "first" in kind:
            met += f"{doc['given_name']} {doc['family_name']}" not in names and any(
                name.endswith(f" {doc['family_name']}") for name in names
            )
    took_ms.sort()
    p50, p95 = statistics.median(took_ms), took_ms[int(len(took_ms) * 0.95)]
    print(f"\n{kind}: p50 {p50:.1f} ms, p95 {p95:.1f} ms, found {met} of {SOUGHT}")
    record_figure(f"search at {SHOPPERS:,} shoppers, {kind}, p95", round(p95, 1), "ms")
    assert met > 0

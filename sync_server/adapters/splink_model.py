"""Probable duplicates by Splink (extra `dedupe`): what is alike in people who are one is learned from the records.

In memory alone, one thread and one seed, records in order of id: the same people give the same pairs. Nothing is
drawn, logged, fetched or left on disk. Splink is imported only when asked. Nobody is merged here.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

from shared.duplicates import FIELDS, Evidence, PersonRecord, Proposal, Why, exact_pairs, fold_records
from shared.errors import Refused
from sync_server.adapters.splink_comparisons import (
    AGREE,
    BLOCKS,
    CLOSE,
    DIFFER,
    TRAININGS,
    Comparison,
    comparisons_of,
)

_SEED: Final = 1
_SAMPLED_PAIRS: Final = (500_000, 5_000_000)
"""Random pairs that show how alike strangers are: 50 a record between these bounds. Four times as many at 5,000 records
took three times as long and changed no pair."""
_TRAINED_PAIRS_MAX: Final = 2_000_000
_TRAINED_FROM: Final = 100
"""Likely pairs (and pairs of a training rule) below which nothing can be learned: the shipped numbers hold."""
_EXACT_SHARE: Final = 0.7
"""How many of all duplicates the exact rules find, about: a first guess that training improves on."""
_PAIRS_PER_RECORD_MAX: Final = 50
_PAIRS_ALWAYS: Final = 1_000_000
_LEARNED_MIN: Final = 0.2
"""One person's own name or birth date agrees more often than this, or the training learned something else."""
_BACKBONE: Final = frozenset({"given_name", "family_name", "birth_on"})


class SplinkModel:
    """Judges pairs of people. Raises Refused where the extra is missing."""

    def __init__(self) -> None:
        if find_spec("splink") is None:
            raise Refused(
                "Finding probable duplicates needs a part that is not installed: pip install 'floorside[dedupe]', or "
                "ask for exact ones with --exact."
            )
        logging.getLogger("splink").setLevel(logging.ERROR)

    def find(self, records: Iterable[PersonRecord], threshold: float) -> list[Proposal]:
        """Pairs that are one person with at least this probability (0 to 1), in order of their ids."""
        case = _case(fold_records(records))
        if not case.blocks or not {"given_name", "family_name"} & set(case.known):
            return []
        linker = _linker(case)
        if case.trainings:
            _train(linker, case)
            if _has_collapsed(linker):
                linker = _linker(case)
        rows = linker.inference.predict(threshold_match_probability=threshold, warning_mode="never").as_record_list()
        whys = exact_pairs(case.records)
        found = (_proposal(row, case, whys) for row in rows)
        return sorted(found, key=lambda proposal: (proposal.a, proposal.b))


@dataclass(frozen=True, slots=True)
class _Case:
    """Folded records in order of id, and what can be done with them."""

    records: Sequence[PersonRecord]
    known: tuple[str, ...]
    comparisons: Sequence[Comparison]
    blocks: Sequence[tuple[str, ...]]
    trainings: Sequence[tuple[str, ...]]
    prior: float


def _case(records: Sequence[PersonRecord]) -> _Case:
    known = tuple(name for name in FIELDS if any(getattr(record, name) for record in records))
    likely = len(exact_pairs(records))
    bound = max(_PAIRS_ALWAYS, _PAIRS_PER_RECORD_MAX * len(records))
    possible = len(records) * (len(records) - 1) / 2
    return _Case(
        records=records,
        known=known,
        comparisons=comparisons_of(known),
        blocks=list(_rules_between(BLOCKS, records, known, 1, bound)),
        trainings=list(_rules_between(TRAININGS, records, known, _TRAINED_FROM, bound))
        if likely >= _TRAINED_FROM
        else [],
        prior=min(0.5, max(1, likely) / _EXACT_SHARE / max(1.0, possible)),
    )


def _rules_between(
    rules: Iterable[tuple[str, ...]], records: Sequence[PersonRecord], known: Sequence[str], least: int, most: int
) -> Iterator[tuple[str, ...]]:
    """The rules of known fields that make at least and at most so many pairs."""
    return (rule for rule in rules if set(rule) <= set(known) and least <= _count_pairs(records, rule) <= most)


def _count_pairs(records: Iterable[PersonRecord], rule: Sequence[str]) -> int:
    keys = (tuple(getattr(record, name) for name in rule) for record in records)
    return sum(count * (count - 1) // 2 for count in Counter(key for key in keys if all(key)).values())


def _linker(case: _Case) -> Any:
    """A fresh model that knows how alike strangers are, from a sample of pairs."""
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    database: Any = DuckDBAPI()
    for line in ("threads = 1", "enable_progress_bar = false", "autoinstall_known_extensions = false"):
        database.duckdb_con.execute(f"SET {line}")
    database.duckdb_con.execute("SET temp_directory = ''")
    rows = [
        {"unique_id": record.record_id, **{name: getattr(record, name) for name in case.known}}
        for record in case.records
    ]
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[comparison.to_settings() for comparison in case.comparisons],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in case.blocks],
        probability_two_random_records_match=case.prior,
        max_iterations=50,
        linker_uid="floorside",
    )
    linker: Any = Linker(database.register(rows), settings, log_level=None)
    sampled = sorted((*_SAMPLED_PAIRS, 50 * len(case.records)))[1]
    linker.training.estimate_u_using_random_sampling(max_pairs=sampled, seed=_SEED, min_count_per_level=None)
    return linker


def _train(linker: Any, case: _Case) -> None:
    from splink import block_on

    for rule in case.trainings:
        linker.training.estimate_parameters_using_expectation_maximisation(
            block_on(*rule), max_pairs=_TRAINED_PAIRS_MAX
        )


def _has_collapsed(linker: Any) -> bool:
    """Whether training came to believe that people do not keep their names and birthdays."""
    learned = linker.misc.save_model_to_json()["comparisons"]
    return any(
        _agreeing(comparison) < _LEARNED_MIN for comparison in learned if comparison["output_column_name"] in _BACKBONE
    )


def _agreeing(comparison: dict[str, Any]) -> float:
    level = next(one for one in comparison["comparison_levels"] if one["label_for_charts"] == AGREE)
    return float(level.get("m_probability", 1.0))


def _proposal(row: dict[str, Any], case: _Case, whys: dict[tuple[str, str], Why]) -> Proposal:
    a, b = sorted((row["unique_id_l"], row["unique_id_r"]))
    words = {one.field: one.word(row[f"gamma_{one.field}"]) for one in case.comparisons}
    named = {wanted: tuple(f for f, word in words.items() if word == wanted) for wanted in (AGREE, CLOSE, DIFFER)}
    evidence = Evidence(named[AGREE], named[CLOSE], named[DIFFER])
    return Proposal(a, b, whys.get((a, b), Why.MODEL), evidence, int(row["match_probability"] * 1000))

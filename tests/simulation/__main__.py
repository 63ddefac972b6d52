"""`python -m tests.simulation --seeds 1000`: run seeds, each twice, and print the line that replays one that fails.

A seed fails when an invariant breaks or when its two runs do not have the same log. Exit status 1 if any failed.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.simulation.clocks import begin_headquarters
from tests.simulation.faults import ALL_FAULTS
from tests.simulation.schedule import STEPS, TABLETS, Plan, Verdict, run_plan

LOG_LINES_SHOWN = 25
SEEDS_A_LINE = 50
"""Where there is no terminal for a bar, a line says how far it is after so many."""


def read_arguments(words: Sequence[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, metavar="N", help="how many seeds (100)")
    parser.add_argument("--first-seed", type=int, default=0, metavar="N", help="the first of them (0)")
    parser.add_argument("--seed", type=int, metavar="N", help="run this one only, and show the end of its log")
    parser.add_argument("--tablets", type=int, default=TABLETS, metavar="N", help=f"tablets to begin with ({TABLETS})")
    parser.add_argument("--steps", type=int, default=STEPS, metavar="N", help=f"steps before the calm ({STEPS})")
    parser.add_argument("--faults", metavar="A,B", help=f"only these, or none: {', '.join(ALL_FAULTS)}")
    cores = os.cpu_count() or 1
    parser.add_argument("--jobs", type=int, default=cores, metavar="N", help=f"seeds at one time ({cores})")
    parser.add_argument(
        "--deeds", metavar="A,B", help="with --seed: exactly these deeds, as a drawn schedule printed them"
    )
    parser.add_argument("--once", action="store_true", help="run each seed once, without comparing two logs")
    return parser.parse_args(words)


def read_faults(text: str | None) -> tuple[str, ...] | None:
    """`a,b` -> the faults named; None where the seed decides. Exits with a sentence for an unknown one."""
    if text is None:
        return None
    named = tuple(name for name in text.split(",") if name and name != "none")
    if unknown := sorted(set(named) - set(ALL_FAULTS)):
        sys.exit(f"There is no fault {unknown[0]!r}. There are: {', '.join(ALL_FAULTS)}.")
    return named


def judge(plan: Plan, *, is_once: bool) -> tuple[Verdict, str | None]:
    """Run a plan, twice unless told otherwise; returns the verdict and what is wrong, if anything."""
    verdict = run_plan(plan)
    if verdict.broken or is_once:
        return verdict, verdict.broken
    again = run_plan(plan)
    if again.log_sha == verdict.log_sha:
        return verdict, None
    pairs = enumerate(zip(verdict.log, again.log, strict=False))
    where = next((f"line {at}: {one!r} and {other!r}" for at, (one, other) in pairs if one != other), "their length")
    return verdict, f"two runs differ at {where}"


def silence() -> None:
    """The faults are planted: their tracebacks are no news."""
    logging.disable(logging.CRITICAL)


def judge_each(plans: Sequence[Plan], jobs: int, *, is_once: bool) -> Iterator[tuple[Verdict, str | None]]:
    """Judge every plan, on several cores where told; in the order in which they end."""
    if jobs == 1:
        yield from (judge(plan, is_once=is_once) for plan in plans)
        return
    begin_headquarters()  # once, before the processes part: they all copy the same files
    with ProcessPoolExecutor(jobs, mp_context=get_context("fork"), initializer=silence) as pool:
        running = [pool.submit(judge, plan, is_once=is_once) for plan in plans]
        for one in as_completed(running):
            yield one.result()


def run_seeds(plans: Sequence[Plan], jobs: int, *, is_once: bool) -> int:
    """Run them all with a progress bar on a terminal; returns how many failed."""
    console = Console(stderr=True)
    failed, ops, requests = 0, 0, 0
    columns = (
        TextColumn("seeds"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    started_s = time.monotonic()
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("0 failed", total=len(plans))
        for done, (verdict, wrong) in enumerate(judge_each(plans, jobs, is_once=is_once), start=1):
            ops, requests = ops + verdict.ops, requests + verdict.requests
            if wrong:
                failed += 1
                print(f"seed {verdict.plan.seed} FAILED: {wrong}\n  replay: {verdict.plan.replay()}", flush=True)
            progress.update(task, advance=1, description=f"{failed} failed")
            if not console.is_terminal and done % SEEDS_A_LINE == 0 and done < len(plans):
                print(f"{done} of {len(plans)} seeds, {failed} failed", flush=True)
    minutes = (time.monotonic() - started_s) / 60
    print(f"{len(plans)} seeds, {ops} ops recorded, {requests} requests, {minutes:.1f} min: {failed} failed")
    return failed


def show_one(plan: Plan, *, is_once: bool) -> int:
    """Run one seed and show how it ended."""
    verdict, wrong = judge(plan, is_once=is_once)
    for line in verdict.log[-LOG_LINES_SHOWN:]:
        print(f"  {line}")
    print(f"seed {plan.seed}: log {verdict.log_sha[:16]}, {wrong or 'all invariants hold'}")
    return 1 if wrong else 0


def main(words: Sequence[str]) -> int:
    """Run what the command line asks for."""
    silence()
    told = read_arguments(words)
    faults = read_faults(told.faults)
    if told.seed is not None:
        deeds = tuple(told.deeds.split(",")) if told.deeds else None
        return show_one(Plan(told.seed, told.tablets, faults, told.steps, deeds=deeds), is_once=told.once)
    seeds = range(told.first_seed, told.first_seed + told.seeds)
    plans = [Plan(seed, told.tablets, faults, told.steps) for seed in seeds]
    return 1 if run_seeds(plans, told.jobs, is_once=told.once) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

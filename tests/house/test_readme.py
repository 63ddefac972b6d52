"""The README says what is true: its two commands stand there literally, and its settings are all there are."""

from __future__ import annotations

import re

from tests.house.sources import ROOT, modules, project_files

TEST_COMMAND = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/python -m tests"
RUN_COMMAND = "python3 -m venv .venv && .venv/bin/pip install -q '.[demo]' && .venv/bin/associate-app demo"

SETTING = re.compile(r"\bFLOORSIDE_[A-Z][A-Z0-9_]*[A-Z0-9]\b")


def readme() -> str:
    """The README's text."""
    return (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_two_commands_stand_in_the_readme_as_one_line_each():
    """They are typed, or copied, on a fresh machine; a changed blank is a changed command."""
    lines = readme().splitlines()
    assert TEST_COMMAND in lines
    assert RUN_COMMAND in lines


def test_continuous_integration_runs_the_readme_s_test_command():
    """What CI proves is what the README promises."""
    assert TEST_COMMAND in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_the_readme_lists_every_setting_and_no_other():
    """Every FLOORSIDE_ variable in the code is in the README, and the other way round."""
    own_examples = {"tests/house/test_readme.py"}
    code = [
        path for path in modules("shared", "associate_app", "sync_server", "tests") if str(path) not in own_examples
    ]
    code += [path for path in project_files() if path.parts[0] == ".ci"]
    in_code = {name for path in code for name in SETTING.findall((ROOT / path).read_text(encoding="utf-8"))}
    assert set(SETTING.findall(readme())) == in_code


def test_settings_are_written_out_in_the_code():
    """A name put together from a prefix could not be searched for, neither here nor by a reader."""
    apps = modules("shared", "associate_app", "sync_server")
    built = [
        str(path) for path in apps if re.search(r"FLOORSIDE_(?![A-Z*])", (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert built == []


def test_the_readme_leaves_no_gap_marked():
    """It says what is certain and is silent on the rest."""
    assert not re.search(r"\b(?:TO" + r"DO|FIX" + r"ME|TBD|XXX|coming soon)\b", readme(), re.IGNORECASE)


def test_the_readme_lists_every_problem_code():
    """Each row of the problem table stands there with its status, title and what the tablet does about it."""
    from shared.wire.problems import PROBLEMS

    lines = readme().splitlines()
    missing = [
        kind.code
        for kind in PROBLEMS.values()
        if f"| `{kind.code}` | {kind.status} | {kind.title} | {kind.then} |" not in lines
    ]
    assert missing == []

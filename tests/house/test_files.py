"""The top level is closed, and no file knows the machine it was written on."""

from __future__ import annotations

import re

from tests.house.sources import ROOT, project_files

TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "associate_app", "sync_server", "shared", "assets", "tests"}

# Put together from halves, so that this file does not find itself.
MACHINE_PATH = re.compile(
    r"(?<![\w.*/\-])/(?:"
    + "|".join(["tm" + "p", "wor" + "k", "roo" + "t", r"home/\w+", r"Users/\w+"])
    + r")(?=[/\s\"'`]|$)"
)
REGISTRY_HOST = re.compile(
    r"\b(?:"
    + "|".join(
        [
            "pypi" + r"\.org",
            "python" + r"hosted\.org",
            r"registry\.npm" + r"js\.org",
            "deb" + r"\.debian\.org",
            r"archive\.ubuntu" + r"\.com",
        ]
    )
    + r")\b"
    r"|--(?:extra-)?index" + "-url|PIP_INDEX" + "_URL"
)


def lines_matching(pattern: re.Pattern[str]) -> list[str]:
    """`file:line: text` of every line of a text file of the project that matches."""
    found = []
    for path in project_files():
        content = (ROOT / path).read_bytes()
        if b"\0" in content[:8192]:
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
            if match := pattern.search(line):
                found.append(f"{path}:{number}: {match.group()}")
    return found


def test_the_top_level_holds_what_was_agreed_and_nothing_else():
    """A new top-level name is a decision about the whole house, so it goes red here first."""
    names = {path.parts[0] for path in project_files()}
    assert {name for name in names if not name.startswith(".")} == TOP_LEVEL


def test_no_file_names_a_path_of_the_machine_it_was_written_on():
    """Paths come from the reader's machine: arguments, platform folders, temporary folders."""
    assert lines_matching(MACHINE_PATH) == []


def test_no_file_names_a_package_registry():
    """Where packages come from is the reader's setting, not the project's."""
    assert lines_matching(REGISTRY_HOST) == []


def test_the_patterns_find_what_they_are_for():
    """The two searches above can fail."""
    assert MACHINE_PATH.search("see /" + "tmp/x")
    assert MACHINE_PATH.search('"/' + 'root"')
    assert not MACHINE_PATH.search("frame/work/x")
    assert not MACHINE_PATH.search("./tmp/x")
    assert REGISTRY_HOST.search("https://pypi" + ".org/simple")

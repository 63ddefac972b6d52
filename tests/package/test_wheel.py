"""The distribution as people install it: a wheel and an editable install, each used with nothing else on the path."""

from __future__ import annotations

import ast
import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, ROOT, project_files

# Only the standard library and the named folder: nothing of this environment's own install answers instead.
USE = """
import importlib.resources, site, sys
site.addsitedir(sys.argv[1])
import associate_app.ui.screens, associate_app.services, shared.plays, shared.wire, sync_server.api
print(associate_app.__file__)
print(importlib.resources.files("assets").joinpath("README.md").read_text(encoding="utf-8"))
"""


def build(hook: str, place: Path) -> zipfile.ZipFile:
    """Call a hook of the project's build backend, as pip does, with nothing fetched."""
    command = [sys.executable, "-c", f"from hatchling.build import {hook}; print({hook}({str(place)!r}))"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return zipfile.ZipFile(place / built.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> zipfile.ZipFile:
    """The project's wheel."""
    return build("build_wheel", tmp_path_factory.mktemp("wheel"))


def use(folder: Path, elsewhere: Path) -> list[str]:
    """Import the packages and read an asset with one folder as the only site, from another place."""
    command = [sys.executable, "-I", "-S", "-c", USE, str(folder)]
    used = subprocess.run(command, cwd=elsewhere, capture_output=True, text=True, check=False)
    assert used.returncode == 0, used.stderr
    return used.stdout.splitlines()


def test_the_wheel_holds_the_four_rooms_and_nothing_else(wheel):
    """Code, assets and the licence; no tests, no settings of the project."""
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert tops == {*PACKAGES, "assets", "floorside-1.0.0.dist-info"}
    assert "floorside-1.0.0.dist-info/licenses/LICENSE" in wheel.namelist()


def test_the_wheel_holds_every_file_of_its_rooms(wheel):
    """A picture or a play left out of the wheel would be missing only on other people's machines."""
    expected = {path.as_posix() for path in project_files() if path.parts[0] in (*PACKAGES, "assets")}
    assert expected - set(wheel.namelist()) == set()


def test_the_wheel_s_two_commands_lead_somewhere(wheel):
    """Each script names a module of the wheel with that function in it."""
    scripts = configparser.ConfigParser()
    scripts.read_string(wheel.read("floorside-1.0.0.dist-info/entry_points.txt").decode())
    assert set(scripts["console_scripts"]) == {"associate-app", "sync-server"}
    for target in scripts["console_scripts"].values():
        module, name = target.split(":")
        tree = ast.parse(wheel.read(module.replace(".", "/") + ".py"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_an_installed_wheel_finds_its_assets(wheel, tmp_path):
    """Unpacked as pip does it, with nothing of the checkout on the path."""
    site = tmp_path / "site"
    wheel.extractall(site)
    where, *text = use(site, tmp_path)
    assert Path(where).is_relative_to(site)
    assert text[:-1] == (ROOT / "assets" / "README.md").read_text(encoding="utf-8").splitlines()


def test_an_editable_install_reads_the_checkout_itself(tmp_path):
    """Code and assets are the ones being edited."""
    site = tmp_path / "site"
    build("build_editable", tmp_path).extractall(site)
    where, *text = use(site, tmp_path)
    assert Path(where).is_relative_to(ROOT)
    assert text[:-1] == (ROOT / "assets" / "README.md").read_text(encoding="utf-8").splitlines()

"""The mappings that came with the project (`assets/mappings/`), and finding one by a file or by its name."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from shared.errors import Refused
from sync_server.services.hooks.mapping import HookMapping, read_mapping

_ENDING = ".yaml"


def shipped_mappings() -> dict[str, str]:
    """Name -> text of every mapping that came along."""
    folder = files("assets").joinpath("mappings")
    found = {one.name.removesuffix(_ENDING): one for one in folder.iterdir() if one.name.endswith(_ENDING)}
    return {name: found[name].read_text("utf-8") for name in sorted(found)}


def list_mappings() -> list[dict[str, Any]]:
    """Each shipped mapping, what it is for and how its sender is known."""
    made = {name: read_mapping(text, name) for name, text in shipped_mappings().items()}
    return [{"name": name, "about": one.about, "verify": one.verify.scheme} for name, one in made.items()]


def find_mapping(told: str) -> tuple[str, HookMapping]:
    """(text, mapping) of a file, or of a shipped mapping by its name. Raises Refused, naming what is wrong."""
    path = Path(told)
    if path.is_file():
        try:
            text = path.read_text("utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise Refused(f"The mapping {path} cannot be read ({problem}).") from None
    else:
        held = shipped_mappings()
        if told not in held:
            raise Refused(f"There is no file {told}, and no mapping of that name came along: {', '.join(held)} did.")
        text = held[told]
    return text, read_mapping(text, path.name)

"""The tablet's settings: one frozen type, one table, from the command line and the environment.

The command line wins over `FLOORSIDE_*` variables, these over the defaults. What the chain decides for its tablets (how
long behaviour is shown without HQ, for one) is not here but in documents, so that all tablets agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.errors import Refused

APP_VERSION: Final = "1.0.0"
DATABASE_NAME: Final = "tablet"
LANGUAGES: Final = ("en", "de")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a tablet's process is told. `is_own_folder`: the folder was named, so its key stays inside it."""

    data_dir: Path
    is_own_folder: bool = False
    language: str = "en"

    @property
    def database_path(self) -> Path:
        """The database; its journal, its companion file and its key lie beside it."""
        return self.data_dir / f"{DATABASE_NAME}.db"

    @property
    def media_dir(self) -> Path:
        """Fetched pictures, named by their sha."""
        return self.data_dir / "media"

    @property
    def log_path(self) -> Path:
        """Where the details of a fault go."""
        return self.data_dir / "tablet.log"


@dataclass(frozen=True, slots=True)
class SettingKind:
    """A row of the table: environment variable, default as people read it, and what it means."""

    variable: str
    default: str
    meaning: str


SETTINGS: Final = (
    SettingKind(
        "FLOORSIDE_TABLET_DATA_DIR",
        "the user's data folder",
        "Folder of a tablet's database, its key and its pictures.",
    ),
    SettingKind("FLOORSIDE_LANGUAGE", "en", "Language of plays in the tablet's commands: en or de."),
)


def read_settings(environment: Mapping[str, str], told: Mapping[str, Any], default_dir: Path) -> Settings:
    """Put the settings together; `told` is the command line's. Raises Refused with the one that is wrong."""
    named = told.get("data_dir") or environment.get("FLOORSIDE_TABLET_DATA_DIR") or None
    language = str(told.get("language") or environment.get("FLOORSIDE_LANGUAGE") or LANGUAGES[0])
    if language not in LANGUAGES:
        raise Refused(f"The setting FLOORSIDE_LANGUAGE must be one of {', '.join(LANGUAGES)}, not {language!r:.40}.")
    folder = Path(named or default_dir).expanduser().absolute()
    return Settings(data_dir=folder, is_own_folder=named is not None, language=language)


def environment_table() -> list[tuple[str, str, str]]:
    """(variable, default, meaning) of every setting, for the README and the test that keeps it complete."""
    return [(kind.variable, kind.default, kind.meaning) for kind in SETTINGS]

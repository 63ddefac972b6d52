"""The server's settings: one frozen type, one table, from the environment, `settings.toml` and the command line.

The command line wins over `FLOORSIDE_*` variables, these over `<data-dir>/settings.toml`, that over the defaults here.
What the chain itself decides (name, currency, plays) is not here but in documents, so that every tablet has it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from shared.errors import Damaged, Refused

SETTINGS_FILE: Final = "settings.toml"
DATABASE_FILE: Final = "central.db"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a server process is told. `database` is a SQLAlchemy URL; sizes are bytes."""

    data_dir: Path
    database: str
    host: str = "127.0.0.1"
    port: int = 8321
    url: str | None = None
    enrolment_hours: int = 24
    ingest_max_bytes: int = 512_000
    snapshots_max: int = 2
    writes_max: int = 64
    token_days: int = 180
    database_connections: int = 10
    event_days: int = 396
    hook_days: int = 396
    dead_letter_days: int = 396

    @property
    def keys_dir(self) -> Path:
        """Where the private keys lie."""
        return self.data_dir / "keys"

    @property
    def guard_file(self) -> Path:
        """What remembers how far the database's history had come."""
        return self.data_dir / "guard.json"

    @property
    def media_dir(self) -> Path:
        """Where imported pictures lie, named by their sha."""
        return self.data_dir / "media"

    @property
    def public_url(self) -> str:
        """The address tablets are told."""
        return self.url or f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class SettingKind:
    """A row of the table: environment variable, what it means, and its bounds if it is a whole number."""

    variable: str
    meaning: str
    least: int | None = None
    most: int | None = None

    @property
    def name(self) -> str:
        """The field of `Settings`, and the key in the settings file."""
        return self.variable.partition("_")[2].lower()


SETTINGS: Final = (
    SettingKind("FLOORSIDE_DATA_DIR", "Folder of the database, the keys and the pictures."),
    SettingKind("FLOORSIDE_DATABASE", "SQLAlchemy URL of the central database; default is SQLite in the data folder."),
    SettingKind("FLOORSIDE_HOST", "Address the server listens on."),
    SettingKind("FLOORSIDE_PORT", "Port the server listens on; 0 takes a free one.", 0, 65_535),
    SettingKind("FLOORSIDE_URL", "Address the tablets are told when they enrol, if it is not http://host:port."),
    SettingKind("FLOORSIDE_ENROLMENT_HOURS", "Hours an enrolment code can be used.", 1, 720),
    SettingKind("FLOORSIDE_INGEST_MAX_BYTES", "Largest body of the tracking API, unpacked.", 32_768, 4_194_304),
    SettingKind("FLOORSIDE_SNAPSHOTS_MAX", "Snapshots sent at the same time; more are told to wait.", 1, 64),
    SettingKind("FLOORSIDE_WRITES_MAX", "Requests that write, waiting or served; more are told to wait.", 1, 1024),
    SettingKind("FLOORSIDE_TOKEN_DAYS", "Days after which a tablet is given a new token; 0 is never.", 0, 3_650),
    SettingKind(
        "FLOORSIDE_DATABASE_CONNECTIONS",
        "Connections of one server process to PostgreSQL; at least the snapshots at a time and 4.",
        4,
        200,
    ),
    SettingKind("FLOORSIDE_EVENT_DAYS", "Days after which an event loses what was looked at; 0 is never.", 0, 3_650),
    SettingKind("FLOORSIDE_HOOK_DAYS", "Days that webhooks are kept as they came; 0 is for ever.", 0, 3_650),
    SettingKind("FLOORSIDE_DEAD_LETTER_DAYS", "Days that faulty messages are kept; 0 is for ever.", 0, 3_650),
)
_KINDS: Final = {kind.name: kind for kind in SETTINGS}


def read_settings(environment: Mapping[str, str], told: Mapping[str, Any], default_dir: Path) -> Settings:
    """Put the settings together. Raises Refused or Damaged with the one setting that is wrong.

    `told` is the command line's, `default_dir` where data lives when nothing says otherwise.
    """
    said = {name: environment[kind.variable] for name, kind in _KINDS.items() if environment.get(kind.variable)}
    said |= {name: value for name, value in told.items() if value is not None}
    data_dir = Path(said.get("data_dir") or default_dir).expanduser().absolute()
    values = {**_read_file(data_dir / SETTINGS_FILE), **said, "data_dir": data_dir}
    values.setdefault("database", f"sqlite:///{data_dir / DATABASE_FILE}")
    return Settings(**{name: _checked(_KINDS[name], value) for name, value in values.items()})


def _read_file(path: Path) -> dict[str, Any]:
    try:
        written = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as problem:
        raise Damaged(f"The settings file {path} cannot be read ({problem}). Mend it or move it away.") from None
    for name in written:
        if name not in _KINDS or name == "data_dir":
            known = ", ".join(kind for kind in _KINDS if kind != "data_dir")
            raise Damaged(f"The settings file {path} holds {name!r}, which is no setting. It may hold: {known}.")
    return written


def _checked(kind: SettingKind, value: Any) -> Any:
    if kind.most is None:
        if not isinstance(value, str | Path) or not str(value).strip():
            raise Refused(f"The setting {kind.variable} must be text, not {value!r:.60}.")
        return value
    try:
        number = int(value) if not isinstance(value, bool | float) else None
    except (TypeError, ValueError):
        number = None
    if number is None or not (kind.least or 0) <= number <= kind.most:
        raise Refused(
            f"The setting {kind.variable} must be a whole number {kind.least}-{kind.most}, not {value!r:.60}."
        )
    return number


def environment_table() -> list[tuple[str, str, str]]:
    """(variable, default, meaning) of every setting, for the README and the test that keeps it complete."""
    defaults = {field.name: field.default for field in fields(Settings)}
    named = {"data_dir": "the user's data folder", "database": f"sqlite:///<data-dir>/{DATABASE_FILE}", "url": ""}
    return [(kind.variable, str(named.get(kind.name, defaults[kind.name])), kind.meaning) for kind in SETTINGS]

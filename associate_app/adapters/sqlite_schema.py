"""The tables of the tablet's database, as migrations of sqlite-utils: only ever added to, never edited.

Journal: `install` (one row a journal), `op`. Replica: `slice` holds what a scope's documents stand under; a snapshot is
loaded under a slice of its own and becomes live by one changed row, so that the swap never blocks a record. Notebook:
`note`, `lease`.
"""

from __future__ import annotations

from typing import Final

from sqlite_utils import Database, Migrations

MIGRATIONS: Final = Migrations("tablet")

_JOURNAL: Final = """
CREATE TABLE install (
    install_id TEXT PRIMARY KEY, head_seq INTEGER NOT NULL, head_chain TEXT NOT NULL, acked_seq INTEGER NOT NULL,
    acked_chain TEXT NOT NULL, forgotten INTEGER NOT NULL, is_current INTEGER NOT NULL
);
CREATE TABLE op (
    install_id TEXT NOT NULL, seq INTEGER NOT NULL, op_id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
    schema INTEGER NOT NULL, scope TEXT NOT NULL, associate_id TEXT, occurred_at TEXT NOT NULL, amends TEXT,
    sha TEXT NOT NULL, body BLOB, chain TEXT NOT NULL, state TEXT NOT NULL, stand_in TEXT, must_blank INTEGER NOT NULL,
    code TEXT, detail TEXT, visible_at INTEGER, acked_at TEXT, profile_id TEXT, shopper_type TEXT, shopper_value TEXT,
    PRIMARY KEY (install_id, seq)
);
CREATE INDEX op_by_state ON op (state, occurred_at);
CREATE INDEX op_by_kind ON op (kind, occurred_at);
CREATE INDEX op_by_profile ON op (profile_id) WHERE profile_id IS NOT NULL;
CREATE INDEX op_by_shopper ON op (shopper_type, shopper_value) WHERE shopper_type IS NOT NULL;
CREATE INDEX op_by_target ON op (amends) WHERE amends IS NOT NULL;
"""

_REPLICA: Final = """
CREATE TABLE replica (
    scope TEXT PRIMARY KEY, slice INTEGER NOT NULL UNIQUE, cursor TEXT, at INTEGER NOT NULL, count INTEGER NOT NULL,
    sum TEXT NOT NULL
);
CREATE TABLE shadow (scope TEXT PRIMARY KEY, slice INTEGER NOT NULL UNIQUE, header TEXT NOT NULL);
CREATE TABLE document (
    slice INTEGER NOT NULL, id TEXT NOT NULL, s INTEGER NOT NULL, h TEXT NOT NULL, body BLOB NOT NULL
);
CREATE UNIQUE INDEX document_by_id ON document (slice, id);
CREATE TABLE kind_revision (kind TEXT PRIMARY KEY, revision INTEGER NOT NULL);
CREATE TABLE known_identifier (
    type TEXT NOT NULL, value TEXT NOT NULL, slice INTEGER NOT NULL, profile_id TEXT NOT NULL,
    PRIMARY KEY (type, value, slice, profile_id)
) WITHOUT ROWID;
CREATE INDEX known_identifier_by_profile ON known_identifier (slice, profile_id);
CREATE TABLE shopper (
    id INTEGER PRIMARY KEY, slice INTEGER NOT NULL, profile_id TEXT NOT NULL, name TEXT NOT NULL, given TEXT NOT NULL,
    family TEXT NOT NULL, words TEXT NOT NULL, loyalty_id TEXT, tier TEXT, hint TEXT NOT NULL
);
CREATE UNIQUE INDEX shopper_by_profile ON shopper (slice, profile_id);
CREATE INDEX shopper_by_given ON shopper (given);
CREATE INDEX shopper_by_family ON shopper (family);
"""

_NOTEBOOK: Final = """
CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE lease (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until_s REAL NOT NULL) WITHOUT ROWID;
"""


@MIGRATIONS()
def first_tables(db: Database) -> None:
    """Version 1.0. The trigram tokenizer finds middles of words and of numbers, and most misspelt names."""
    for script in (_JOURNAL, _REPLICA, _NOTEBOOK):
        db.executescript(script)
    db.table("shopper").enable_fts(["words"], tokenize="trigram", create_triggers=True)
    db.execute("CREATE VIRTUAL TABLE shopper_terms USING fts5vocab(shopper_fts, row)")


@MIGRATIONS()
def index_words_in_bulk(db: Database) -> None:
    """The words of new shoppers are indexed by one statement for many rows: row by row, from a trigger, they cost more
    than all else of storing a first load (ADR 0008)."""
    db.execute("DROP TRIGGER shopper_ai")


@MIGRATIONS()
def keep_identifiers_with_the_shopper(db: Database) -> None:
    """What the profiles of a snapshot are known by waits here until all of it is put into its index at once, in the
    order of that index: one by one, each falls on a page of its own (ADR 0008). NULL: it is in the index already."""
    db.execute("ALTER TABLE shopper ADD COLUMN identifiers TEXT")

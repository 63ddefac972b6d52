"""The first schema: every table and index, as it was when version 1.0 came out."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    _create_the_chain()
    _create_the_ledger()
    _create_the_feed()


def downgrade() -> None:
    """No way back: a backup is. See `sync-server restore`."""
    raise NotImplementedError("restore the backup taken before the update")


def _create_the_chain() -> None:
    """The chain and who works in it."""
    op.create_table(
        "note",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_note")),
        comment="Small facts of the chain: name, currency, time zone, epoch, settings.",
    )
    op.create_table(
        "store",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("timezone", sa.String(length=60), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=True),
        sa.Column("region", sa.String(length=40), nullable=True),
        sa.Column("lat_e6", sa.Integer(), nullable=True),
        sa.Column("lon_e6", sa.Integer(), nullable=True),
        sa.Column("hours", sa.Text(), server_default="{}", nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_store")),
    )
    op.create_table(
        "associate",
        sa.Column("associate_id", sa.String(length=40), nullable=False),
        sa.Column("store", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("pin_hash", sa.Text(), nullable=True),
        sa.Column("is_disabled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("associate_id", name=op.f("pk_associate")),
    )
    op.create_index(op.f("ix_associate_store"), "associate", ["store"], unique=False)
    op.create_table(
        "enrolment_code",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("store", sa.String(length=40), nullable=False),
        sa.Column("expires_at", sa.String(length=24), nullable=False),
        sa.Column("used_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_enrolment_code")),
    )
    op.create_table(
        "device",
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("next_token_hash", sa.String(length=64), nullable=True),
        sa.Column("stores_held", sa.Text(), nullable=False, comment="JSON list of every store this device ever held"),
        sa.Column("app", sa.String(length=200), nullable=True),
        sa.Column("enrolled_at", sa.String(length=24), nullable=False),
        sa.Column("revoked_at", sa.String(length=24), nullable=True),
        sa.Column("last_seen_at", sa.String(length=24), nullable=True),
        sa.Column("unsent", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("device_id", name=op.f("pk_device")),
        sa.UniqueConstraint("next_token_hash", name=op.f("uq_device_next_token_hash")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_device_token_hash")),
    )
    op.create_index(op.f("ix_device_store"), "device", ["store"], unique=False)
    op.create_table(
        "source",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("write_key_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.String(length=24), nullable=False),
        sa.Column("disabled_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_source")),
        sa.UniqueConstraint("write_key_hash", name=op.f("uq_source_write_key_hash")),
    )
    op.create_table(
        "card",
        sa.Column("card_id", sa.String(length=16), nullable=False),
        sa.Column("loyalty_id", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.String(length=24), nullable=False),
        sa.Column(
            "install_id",
            sa.String(length=200),
            nullable=True,
            comment="whose stock it is in; null for a card issued to a shopper",
        ),
        sa.Column("cancelled_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("card_id", name=op.f("pk_card")),
    )
    op.create_index(op.f("ix_card_loyalty_id"), "card", ["loyalty_id"], unique=False)
    op.create_table(
        "postcode",
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("postcode", sa.String(length=12), nullable=False),
        sa.Column("lat_e6", sa.Integer(), nullable=False),
        sa.Column("lon_e6", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("country", "postcode", name=op.f("pk_postcode")),
    )
    op.create_table(
        "play_version",
        sa.Column("play_id", sa.String(length=200), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("published_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("play_id", "version", name=op.f("pk_play_version")),
    )
    op.create_table(
        "rule_pack",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("published_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_rule_pack")),
    )
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.String(length=36), nullable=False),
        sa.Column("at", sa.String(length=24), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("did", sa.String(length=80), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)


def _create_the_ledger() -> None:
    """What was received, and the profiles folded from it."""
    op.create_table(
        "install",
        sa.Column("install_id", sa.String(length=200), nullable=False),
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("acked_seq", sa.BigInteger(), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("last_effective_at", sa.String(length=24), nullable=False),
        sa.Column("card_stock_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("install_id", name=op.f("pk_install")),
    )
    op.create_index(op.f("ix_install_device_id"), "install", ["device_id"], unique=False)
    op.create_table(
        "journal_entry",
        sa.Column("install_id", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("op_id", sa.String(length=36), nullable=False),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("chain", sa.String(length=64), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.PrimaryKeyConstraint("install_id", "seq", name=op.f("pk_journal_entry")),
        comment="What each install sent at each seq, whatever its verdict: the server's copy of the chain.",
    )
    op.create_table(
        "fact",
        sa.Column("fact_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=200), nullable=False),
        sa.Column("schema", sa.Integer(), nullable=False),
        sa.Column(
            "origin", sa.String(length=200), nullable=False, comment="install id of an op, source name of an event"
        ),
        sa.Column("store", sa.String(length=200), nullable=True),
        sa.Column("associate_id", sa.String(length=200), nullable=True),
        sa.Column("occurred_at", sa.String(length=24), nullable=False),
        sa.Column("effective_at", sa.String(length=24), nullable=False),
        sa.Column("received_at", sa.String(length=24), nullable=False),
        sa.Column("offset_ms", sa.BigInteger(), nullable=True),
        sa.Column("is_clock_suspect", sa.Boolean(), nullable=False),
        sa.Column(
            "about",
            sa.String(length=36),
            nullable=True,
            comment="op_id of the op this one corrects, withdraws or changes",
        ),
        sa.Column("amends", sa.String(length=36), nullable=True),
        sa.Column("sha", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("verdict", sa.String(length=10), nullable=False, comment="accepted or parked"),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("device_id", sa.String(length=36), nullable=True),
        sa.Column("profile_id", sa.String(length=36), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True, comment="JSON list of the [type, value] identifiers it brought"),
        sa.PrimaryKeyConstraint("fact_id", name=op.f("pk_fact")),
        comment="The ledger: every distinct op and event, stored once and for ever; parked ones wait for a replay.",
    )
    op.create_index(
        "ix_fact_about",
        "fact",
        ["about"],
        unique=False,
        sqlite_where=sa.text("about IS NOT NULL"),
        postgresql_where=sa.text("about IS NOT NULL"),
    )
    op.create_index(
        "ix_fact_opening",
        "fact",
        ["associate_id", "effective_at"],
        unique=False,
        sqlite_where=sa.text("kind = 'shopper_opened'"),
        postgresql_where=sa.text("kind = 'shopper_opened'"),
    )
    op.create_index(
        "ix_fact_parked",
        "fact",
        ["device_id"],
        unique=False,
        sqlite_where=sa.text("verdict = 'parked'"),
        postgresql_where=sa.text("verdict = 'parked'"),
    )
    op.create_index("ix_fact_profile_id", "fact", ["profile_id"], unique=False)
    op.create_table(
        "dead_letter",
        sa.Column("letter_id", sa.String(length=36), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("received_at", sa.String(length=24), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("letter_id", name=op.f("pk_dead_letter")),
        comment="Rejected ops and faulty messages with their raw bytes: "
        "visible, replayable, never merged by themselves.",
    )
    op.create_table(
        "salvage",
        sa.Column("op_id", sa.String(length=36), nullable=False),
        sa.Column("device_id", sa.String(length=36), nullable=False),
        sa.Column("install_id", sa.String(length=200), nullable=False),
        sa.Column("why", sa.String(length=20), nullable=False),
        sa.Column("received_at", sa.String(length=24), nullable=False),
        sa.Column("raw", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.String(length=24), nullable=True),
        sa.PrimaryKeyConstraint("op_id", name=op.f("pk_salvage")),
    )
    op.create_table(
        "identifier",
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("value", sa.String(length=600), nullable=False),
        sa.Column("profile_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("type", "value", name=op.f("pk_identifier")),
    )
    op.create_index(op.f("ix_identifier_profile_id"), "identifier", ["profile_id"], unique=False)
    op.create_table(
        "profile",
        sa.Column("profile_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "stores",
            sa.Text(),
            server_default="[]",
            nullable=False,
            comment="JSON list of the stores whose feed holds it",
        ),
        sa.Column("value_band", sa.String(length=10), server_default="none", nullable=False),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_profile")),
    )
    op.create_table(
        "redirect",
        sa.Column("old_id", sa.String(length=36), nullable=False),
        sa.Column("profile_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("old_id", name=op.f("pk_redirect")),
    )
    op.create_index(op.f("ix_redirect_profile_id"), "redirect", ["profile_id"], unique=False)


def _create_the_feed() -> None:
    """What tablets receive."""
    op.create_table(
        "doc",
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("id", sa.String(length=300), nullable=False),
        sa.Column("s", sa.BigInteger(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(length=20), nullable=True),
        sa.Column("h", sa.String(length=16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("written_at", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("scope", "id", name=op.f("pk_doc")),
        comment="The feed: latest version of each document, with its position; a deleted one is a tombstone.",
    )
    op.create_index("ix_doc_scope_s", "doc", ["scope", "s"], unique=True)
    op.create_table(
        "scope_head",
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("sum", sa.String(length=16), nullable=False),
        sa.Column(
            "floor", sa.BigInteger(), nullable=False, comment="cursors below it get 410: tombstones were dropped"
        ),
        sa.PrimaryKeyConstraint("scope", name=op.f("pk_scope_head")),
    )

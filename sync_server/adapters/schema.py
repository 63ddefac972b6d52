"""The central database's tables, one schema for SQLite and PostgreSQL (Alembic creates and migrates them).

Rows are keyed by what a distributed PostgreSQL would shard by: install, profile or scope. No sequence anywhere: feed
positions come from `scope_head`, ids from UUIDs. Times are wire strings, JSON is canonical text, sums are hex.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    false,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

note = Table(
    "note",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("value", Text, nullable=False),
    comment="Small facts of the chain: name, currency, time zone, epoch, settings.",
)

store = Table(
    "store",
    metadata,
    Column("code", String(40), primary_key=True),
    Column("name", Text, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("timezone", String(60), nullable=False),
    Column("country", String(2)),
    Column("region", String(40)),
    Column("lat_e6", Integer),
    Column("lon_e6", Integer),
    Column("hours", Text, nullable=False, server_default="{}"),
)

associate = Table(
    "associate",
    metadata,
    Column("associate_id", String(40), primary_key=True),
    Column("store", String(40), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("role", String(20), nullable=False),
    Column("pin_hash", Text),
    Column("pin_set_at", String(24), comment="when the PIN was set, by HQ's clock; of two the later one holds"),
    Column("is_disabled", Boolean, nullable=False, default=False),
)

enrolment_code = Table(
    "enrolment_code",
    metadata,
    Column("code_hash", String(64), primary_key=True),
    Column("store", String(40), nullable=False),
    Column("expires_at", String(24), nullable=False),
    Column("used_at", String(24)),
)

device = Table(
    "device",
    metadata,
    Column("device_id", String(36), primary_key=True),
    Column("store", String(40), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("next_token_hash", String(64), unique=True),
    Column("stores_held", Text, nullable=False, comment="JSON list of every store this device ever held"),
    Column("app", String(200)),
    Column("enrolled_at", String(24), nullable=False),
    Column("revoked_at", String(24)),
    Column("last_seen_at", String(24)),
    Column("unsent", Integer),
    Column("token_at", String(24)),
    Column("must_rotate", Boolean, nullable=False, server_default=false()),
)

install = Table(
    "install",
    metadata,
    Column("install_id", String(200), primary_key=True),
    Column("device_id", String(36), nullable=False, index=True),
    Column("acked_seq", BigInteger, nullable=False, default=0),
    Column("chain", String(64), nullable=False),
    Column("last_effective_at", String(24), nullable=False, default=""),
    Column("card_stock_at", String(24)),
)

journal_entry = Table(
    "journal_entry",
    metadata,
    Column("install_id", String(200), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("op_id", String(36), nullable=False),
    Column("sha", String(64), nullable=False),
    Column("chain", String(64), nullable=False),
    Column("verdict", String(10), nullable=False),
    Column("code", String(40)),
    PrimaryKeyConstraint("install_id", "seq"),
    comment="What each install sent at each seq, whatever its verdict: the server's copy of the chain.",
)

fact = Table(
    "fact",
    metadata,
    Column("fact_id", String(36), primary_key=True),
    Column("kind", String(200), nullable=False),
    Column("schema", Integer, nullable=False),
    Column("origin", String(200), nullable=False, comment="install id of an op, source name of an event"),
    Column("store", String(200)),
    Column("associate_id", String(200)),
    Column("occurred_at", String(24), nullable=False),
    Column("effective_at", String(24), nullable=False),
    Column("received_at", String(24), nullable=False),
    Column("offset_ms", BigInteger),
    Column("is_clock_suspect", Boolean, nullable=False, default=False),
    Column("about", String(36), comment="op_id of the op this one corrects, withdraws or changes"),
    Column("amends", String(36)),
    Column("sha", String(64), nullable=False),
    Column("body", Text, nullable=False),
    Column("verdict", String(10), nullable=False, comment="accepted or parked"),
    Column("code", String(40)),
    Column("detail", Text),
    Column("device_id", String(36)),
    Column("profile_id", String(36)),
    Column("subject", Text, comment="JSON list of the [type, value] identifiers it brought"),
    comment="The ledger: every distinct op and event, stored once and for ever; parked ones wait for a replay.",
)
Index("ix_fact_profile_id", fact.c.profile_id)
Index("ix_fact_about", fact.c.about, sqlite_where=fact.c.about.is_not(None), postgresql_where=fact.c.about.is_not(None))
Index(
    "ix_fact_parked",
    fact.c.device_id,
    sqlite_where=fact.c.verdict == "parked",
    postgresql_where=fact.c.verdict == "parked",
)
Index(
    "ix_fact_erased",
    fact.c.device_id,
    fact.c.received_at,
    sqlite_where=fact.c.code == "erased",
    postgresql_where=fact.c.code == "erased",
)
Index(
    "ix_fact_override",
    fact.c.effective_at,
    sqlite_where=fact.c.kind == "offer_overridden",
    postgresql_where=fact.c.kind == "offer_overridden",
)
Index(
    "ix_fact_opening",
    fact.c.associate_id,
    fact.c.effective_at,
    sqlite_where=fact.c.kind == "shopper_opened",
    postgresql_where=fact.c.kind == "shopper_opened",
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("letter_id", String(36), primary_key=True),
    Column("origin", String(200), nullable=False),
    Column("seq", BigInteger),
    Column("code", String(40), nullable=False),
    Column("detail", Text, nullable=False),
    Column("received_at", String(24), nullable=False),
    Column("raw", Text, nullable=False),
    Column("replayed_at", String(24)),
    comment="Rejected ops and faulty messages with their raw bytes: visible, replayable, never merged by themselves.",
)

salvage = Table(
    "salvage",
    metadata,
    Column("op_id", String(36), primary_key=True),
    Column("device_id", String(36), nullable=False),
    Column("install_id", String(200), nullable=False),
    Column("why", String(20), nullable=False),
    Column("received_at", String(24), nullable=False),
    Column("raw", Text, nullable=False),
    Column("approved_at", String(24)),
    Column("refused_at", String(24)),
    Column("offset_ms", BigInteger, nullable=False, server_default="0"),
)

identifier = Table(
    "identifier",
    metadata,
    Column("type", String(20), nullable=False),
    Column("value", String(600), nullable=False),
    Column("profile_id", String(36), nullable=False, index=True),
    Column("own_id", String(36), index=True, comment="the profile id it would give by itself"),
    PrimaryKeyConstraint("type", "value"),
)

profile = Table(
    "profile",
    metadata,
    Column("profile_id", String(36), primary_key=True),
    Column("state", Text, nullable=False),
    Column("stores", Text, nullable=False, server_default="[]", comment="JSON list of the stores whose feed holds it"),
    Column("value_band", String(10), nullable=False, server_default="none"),
    Column("held_at", String(24), comment="since when its publication waits for HQ's word"),
)

redirect = Table(
    "redirect",
    metadata,
    Column("old_id", String(36), primary_key=True),
    Column("profile_id", String(36), nullable=False, index=True),
)

sighting = Table(
    "sighting",
    metadata,
    Column("sighting_id", String(36), primary_key=True, comment="made of what was seen together"),
    Column("at", String(24), nullable=False, comment="when first"),
    Column("fact_id", String(36), nullable=False, comment="in which fact first"),
    Column("identifiers", Text, nullable=False, comment="JSON list of [type, value]"),
    Column("family_name", Text),
    Column("postcode", String(20)),
    Column("is_verified", Boolean, nullable=False, server_default=false()),
    comment="Identity facts of observations: identifiers seen together, each combination once, with its first moment.",
)

sighted = Table(
    "sighted",
    metadata,
    Column("type", String(20), nullable=False),
    Column("value", String(600), nullable=False),
    Column("sighting_id", String(36), nullable=False),
    PrimaryKeyConstraint("type", "value", "sighting_id"),
    comment="Which sightings a value is in.",
)

identity_fact = Table(
    "identity_fact",
    metadata,
    Column("fact_id", String(36), primary_key=True),
    Column("kind", String(10), nullable=False, comment="link, alias, split, block, release or policy"),
    Column("a_type", String(20), nullable=False),
    Column("a_value", String(600), nullable=False),
    Column("b_type", String(20)),
    Column("b_value", String(600)),
    Column("at", String(24), nullable=False),
    Column("who", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    comment="What a person, or a shop's alias call, said of who is who. Never changed, never deleted: said again.",
)
Index("ix_identity_fact_a", identity_fact.c.a_type, identity_fact.c.a_value)
Index("ix_identity_fact_kind", identity_fact.c.kind)
Index("ix_identity_fact_b", identity_fact.c.b_type, identity_fact.c.b_value)

review = Table(
    "review",
    metadata,
    Column("review_id", String(36), primary_key=True, comment="made of the two identifiers"),
    Column("a_type", String(20), nullable=False),
    Column("a_value", String(600), nullable=False),
    Column("b_type", String(20), nullable=False),
    Column("b_value", String(600), nullable=False),
    Column("why", String(40), nullable=False),
    Column("evidence", Text, nullable=False, server_default="{}", comment="JSON: what speaks for it"),
    Column("score", Integer, comment="in thousandths, where a matcher gave one"),
    Column("found_at", String(24), nullable=False),
    Column("decided_at", String(24)),
    Column("decision", String(10), comment="linked, split or kept"),
    comment="Pairs a person should look at: refused edges and probable duplicates. Nothing here merges by itself.",
)
Index("ix_review_a", review.c.a_type, review.c.a_value)

doc = Table(
    "doc",
    metadata,
    Column("scope", String(60), nullable=False),
    Column("id", String(300), nullable=False),
    Column("s", BigInteger, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("why", String(20)),
    Column("h", String(16), nullable=False),
    Column("body", Text, nullable=False),
    Column("written_at", String(24), nullable=False),
    PrimaryKeyConstraint("scope", "id"),
    comment="The feed: latest version of each document, with its position; a deleted one is a tombstone.",
)
Index("ix_doc_scope_s", doc.c.scope, doc.c.s, unique=True)

scope_head = Table(
    "scope_head",
    metadata,
    Column("scope", String(60), primary_key=True),
    Column("n", BigInteger, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("sum", String(16), nullable=False),
    Column("floor", BigInteger, nullable=False, comment="cursors below it get 410: tombstones were dropped"),
)

source = Table(
    "source",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("write_key_hash", String(64), nullable=False, unique=True),
    Column("created_at", String(24), nullable=False),
    Column("disabled_at", String(24)),
)

hook = Table(
    "hook",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("mapping", Text, nullable=False, comment="the mapping file as it was given, YAML"),
    Column("created_at", String(24), nullable=False),
    Column("changed_at", String(24), nullable=False),
    Column("disabled_at", String(24)),
    comment="Senders of webhooks. Their secrets lie in the keys folder, never here.",
)

hook_delivery = Table(
    "hook_delivery",
    metadata,
    Column("delivery_id", String(36), primary_key=True, comment="made of hook, id headers and body"),
    Column("hook", String(80), nullable=False),
    Column("received_at", String(24), nullable=False),
    Column("headers", Text, nullable=False, comment="JSON object, names in lower case, credentials left out"),
    Column("body", Text, nullable=False, comment="as it came, unpacked"),
    Column("state", String(10), nullable=False, comment="stored, mapped, waiting, ignored or failed"),
    Column("detail", Text, comment="why it failed, or what it waits for, in words"),
    Column("waits_for", String(600), comment="the key whose shopper is not known yet"),
    Column("messages", Integer, nullable=False, server_default="0", comment="how many messages came of it"),
    Column("letters", Text, nullable=False, server_default="[]", comment="JSON list of its dead letters' ids"),
    Column("mapped_at", String(24)),
    comment="What a sender delivered, stored before it is read: mapped after that, and again when a mapping is mended.",
)
Index("ix_hook_delivery_queue", hook_delivery.c.hook, hook_delivery.c.state, hook_delivery.c.received_at)
Index(
    "ix_hook_delivery_waiting",
    hook_delivery.c.hook,
    hook_delivery.c.waits_for,
    sqlite_where=hook_delivery.c.waits_for.is_not(None),
    postgresql_where=hook_delivery.c.waits_for.is_not(None),
)

hook_key = Table(
    "hook_key",
    metadata,
    Column("hook", String(80), nullable=False),
    Column("key", String(600), nullable=False),
    Column("who", Text, comment="JSON: identifiers by type; null while it is only waited for"),
    Column("learned_at", String(24), nullable=False),
    PrimaryKeyConstraint("hook", "key"),
    comment="Whose an order or ticket is, for what names only that: a refund, a ticket claimed later.",
)

card = Table(
    "card",
    metadata,
    Column("card_id", String(16), primary_key=True),
    Column("loyalty_id", String(20), nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("issued_at", String(24), nullable=False),
    Column("install_id", String(200), comment="whose stock it is in; null for a card issued to a shopper"),
    Column("cancelled_at", String(24)),
)

card_page = Table(
    "card_page",
    metadata,
    Column("page_hash", String(64), primary_key=True, comment="SHA-256 of the random part of its address"),
    Column("loyalty_id", String(20), nullable=False, index=True),
    Column("made_at", String(24), nullable=False),
    Column("withdrawn_at", String(24)),
    comment="Pages that show a shopper's card on her own phone; the address itself is stored nowhere.",
)

postcode = Table(
    "postcode",
    metadata,
    Column("country", String(2), nullable=False),
    Column("postcode", String(12), nullable=False),
    Column("lat_e6", Integer, nullable=False),
    Column("lon_e6", Integer, nullable=False),
    PrimaryKeyConstraint("country", "postcode"),
)

store_traffic = Table(
    "store_traffic",
    metadata,
    Column("store", String(40), nullable=False),
    Column("hour", String(24), nullable=False, comment="when the hour began, in UTC"),
    Column("count", Integer, nullable=False),
    PrimaryKeyConstraint("store", "hour"),
    comment="Visitors that a store's counter saw in an hour; what was imported last counts.",
)

currency_rate = Table(
    "currency_rate",
    metadata,
    Column("day", String(10), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("rate", Text, nullable=False, comment="decimal text: what one unit is in the reporting currency"),
    PrimaryKeyConstraint("day", "currency"),
    comment="Dated rates by which reports bring money into one currency; a missing one leaves it shown apart.",
)

play_version = Table(
    "play_version",
    metadata,
    Column("play_id", String(200), nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("published_at", String(24), nullable=False),
    PrimaryKeyConstraint("play_id", "version"),
)

file_version = Table(
    "file_version",
    metadata,
    Column("kind", String(20), nullable=False, comment="campaign or journey"),
    Column("id", String(80), nullable=False),
    Column("version", Integer, nullable=False),
    Column("sha", String(64), nullable=False, comment="of the body: equal content is one version"),
    Column("body", Text, nullable=False),
    Column("published_at", String(24), nullable=False),
    PrimaryKeyConstraint("kind", "id", "version"),
    comment="Files beside the plays that no tablet reads, each version as it was published.",
)

offer_version = Table(
    "offer_version",
    metadata,
    Column("offer_id", String(80), nullable=False),
    Column("published_at", String(24), nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("offer_id", "published_at"),
    comment="Offers as they were published, for an override is judged by the limits of its time.",
)

rule_pack = Table(
    "rule_pack",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("published_at", String(24), nullable=False),
)

parity_check = Table(
    "parity_check",
    metadata,
    Column("op_id", String(36), primary_key=True, comment="of the impression that carried inputs"),
    Column("received_at", String(24), nullable=False),
    Column("store", String(200)),
    Column("device_id", String(36)),
    Column("rule_pack", String(200), nullable=False),
    Column(
        "state", String(12), nullable=False, comment="waiting, same, different, no_pack, unreadable, left_out, gone"
    ),
    Column("inputs", Text, comment="JSON as the tablet sent it; null once compared long ago, or left out"),
    Column("found", Text, comment="JSON: the plays that differ, with both verdicts and traces"),
    Column("checked_at", String(24)),
    comment="Impressions that carried what the evaluator looked at, and what came of running it again.",
)
Index("ix_parity_check_state", parity_check.c.state)

audit = Table(
    "audit",
    metadata,
    Column("audit_id", String(36), primary_key=True),
    Column("at", String(24), nullable=False, index=True),
    Column("who", Text, nullable=False),
    Column("did", String(80), nullable=False),
    Column("about", Text, nullable=False),
)

wording = Table(
    "wording",
    metadata,
    Column("purpose", String(40), nullable=False),
    Column("sha", String(64), nullable=False),
    Column("version", String(20), nullable=False),
    Column("language", String(20), nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("published_at", String(24), nullable=False),
    PrimaryKeyConstraint("purpose", "sha", "version", "language"),
    comment="Every wording of a consent ever published, word for word: what the sha of a decision stands for.",
)

trait_row = Table(
    "trait_row",
    metadata,
    Column("profile_id", String(36), primary_key=True),
    Column("n", BigInteger, nullable=False, comment="place in the row of changes; a cursor is one of these"),
    Column("source_sha", String(64), nullable=False, comment="of what the summary was made of"),
    Column("sha", String(64), nullable=False, comment="of the summary; empty for a profile that is gone"),
    comment="When each profile's summary for other systems changed last. The summary itself is made when it is sent.",
)
Index("ix_trait_row_n", trait_row.c.n)

suppression_row = Table(
    "suppression_row",
    metadata,
    Column("profile_id", String(36), primary_key=True),
    Column("n", BigInteger, nullable=False, comment="place in the row of changes; a cursor is one of these"),
    Column("source_sha", String(64), nullable=False, comment="of what the list was made of"),
    Column("sha", String(64), nullable=False, comment="of the list; empty for a profile that is gone, or erased"),
    Column("keys", Text, comment="JSON, of an erased shopper alone: hashed keys by which receivers forget as well"),
    Column("erased_at", String(24)),
    comment="When each shopper's suppressions changed last. The list itself is made when it is sent.",
)
Index("ix_suppression_row_n", suppression_row.c.n)

profile_mark = Table(
    "profile_mark",
    metadata,
    Column("mark_id", String(32), primary_key=True),
    Column("profile_id", String(36), nullable=False),
    comment="Profiles written since they were looked at for other systems; a mark goes when they were.",
)

trait_target = Table(
    "trait_target",
    metadata,
    Column("target_id", String(12), primary_key=True, comment="made of the address"),
    Column("url", Text, nullable=False),
    Column("what", String(20), nullable=False, server_default="traits", comment="traits or suppressions"),
    Column(
        "keys",
        String(20),
        nullable=False,
        server_default="sha256",
        comment="how suppressions name a shopper: sha256, or hmac-sha256 with the target's secret",
    ),
    Column("claim", String(40), comment="whoever sends to it now"),
    Column("claimed_until", String(24), comment="then another may"),
    Column("made_at", String(24), nullable=False),
    Column("sent_n", BigInteger, nullable=False, comment="the receiver has taken everything up to here"),
    Column("sent_at", String(24)),
    Column("failures", Integer, nullable=False),
    Column("failed_at", String(24)),
    Column("problem", Text),
    comment="Where changed summaries are sent. The secret lies in the keys folder.",
)

erasure = Table(
    "erasure",
    metadata,
    Column("erasure_id", String(36), primary_key=True),
    Column("at", String(24), nullable=False),
    Column("who", Text, nullable=False),
    Column("counts", Text, nullable=False, comment="JSON: table -> rows deleted or blanked"),
    Column("positions", Text, nullable=False, comment="JSON: scope -> where the feed says it"),
    Column("cleared_at", String(24), comment="when no byte was left in the files"),
    comment="Who was erased is said nowhere; that, when and of how many rows, here. The hashes lie in the keys folder.",
)

erasure_device = Table(
    "erasure_device",
    metadata,
    Column("erasure_id", String(36), nullable=False),
    Column("device_id", String(36), nullable=False),
    Column("confirmed_at", String(24)),
    PrimaryKeyConstraint("erasure_id", "device_id"),
    comment="Tablets there were, and when each showed by its position in the feed that it had taken the erasure.",
)
Index("ix_erasure_device_device_id", erasure_device.c.device_id)

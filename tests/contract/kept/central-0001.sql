BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE associate (
	associate_id VARCHAR(40) NOT NULL, 
	store VARCHAR(40) NOT NULL, 
	name TEXT NOT NULL, 
	role VARCHAR(20) NOT NULL, 
	pin_hash TEXT, 
	is_disabled BOOLEAN NOT NULL, 
	CONSTRAINT pk_associate PRIMARY KEY (associate_id)
);
CREATE TABLE audit (
	audit_id VARCHAR(36) NOT NULL, 
	at VARCHAR(24) NOT NULL, 
	who TEXT NOT NULL, 
	did VARCHAR(80) NOT NULL, 
	about TEXT NOT NULL, 
	CONSTRAINT pk_audit PRIMARY KEY (audit_id)
);
INSERT INTO "audit" VALUES('01a202b2-c500-726b-b2a7-4de452e6c6c4','2026-11-22T10:00:00.000Z','command line','made the chain','Nordhang');
INSERT INTO "audit" VALUES('01a202b2-c500-726b-b2a7-4de452e72462','2026-11-22T10:00:00.000Z','command line','added the store','berlin-1');
INSERT INTO "audit" VALUES('01a202b2-c500-7e8c-8ed9-04759531985d','2026-11-22T10:00:00.000Z','command line','added the store','zurich-1');
INSERT INTO "audit" VALUES('01a202b2-c500-7e8c-8ed9-047595323b70','2026-11-22T10:00:00.000Z','command line','made an enrolment code','berlin-1');
INSERT INTO "audit" VALUES('01a202b2-c500-7f2a-953f-48f1a09fdc42','2026-11-22T10:00:00.000Z','device 01a202b2-c500-7f2a-953f-48f1a09f76b5','enrolled','berlin-1');
INSERT INTO "audit" VALUES('01a202b2-c500-7f2a-953f-48f1a0a368fd','2026-11-22T10:00:00.000Z','command line','made an enrolment code','berlin-1');
CREATE TABLE card (
	card_id VARCHAR(16) NOT NULL, 
	loyalty_id VARCHAR(20) NOT NULL, 
	text TEXT NOT NULL, 
	issued_at VARCHAR(24) NOT NULL, 
	install_id VARCHAR(200), 
	cancelled_at VARCHAR(24), 
	CONSTRAINT pk_card PRIMARY KEY (card_id)
);
CREATE TABLE dead_letter (
	letter_id VARCHAR(36) NOT NULL, 
	origin VARCHAR(200) NOT NULL, 
	seq BIGINT, 
	code VARCHAR(40) NOT NULL, 
	detail TEXT NOT NULL, 
	received_at VARCHAR(24) NOT NULL, 
	raw TEXT NOT NULL, 
	CONSTRAINT pk_dead_letter PRIMARY KEY (letter_id)
);
INSERT INTO "dead_letter" VALUES('e6ebdf0e-2d8a-5d1e-b0fc-489426e97ffc','01a202b2-c500-7e8c-8ed9-04759531ae5e',5,'malformed','sha is not the body''s','2026-11-22T10:00:00.000Z','{"seq": 5, "op_id": "01a202b2-c500-7f2a-953f-48f1a0a1b64d", "kind": "note_added", "schema": 1, "scope": "store:berlin-1", "associate_id": "a0001", "occurred_at": "2026-11-22T10:00:00.000Z", "amends": null, "sha": "0000000000000000000000000000000000000000000000000000000000000000", "body": {"shopper": {"type": "loyalty_id", "value": "2900000000018"}, "text": "a broken one"}}');
CREATE TABLE device (
	device_id VARCHAR(36) NOT NULL, 
	store VARCHAR(40) NOT NULL, 
	name TEXT NOT NULL, 
	token_hash VARCHAR(64) NOT NULL, 
	next_token_hash VARCHAR(64), 
	stores_held TEXT NOT NULL, 
	app VARCHAR(200), 
	enrolled_at VARCHAR(24) NOT NULL, 
	revoked_at VARCHAR(24), 
	last_seen_at VARCHAR(24), 
	unsent INTEGER, 
	CONSTRAINT pk_device PRIMARY KEY (device_id), 
	CONSTRAINT uq_device_next_token_hash UNIQUE (next_token_hash), 
	CONSTRAINT uq_device_token_hash UNIQUE (token_hash)
);
INSERT INTO "device" VALUES('01a202b2-c500-7f2a-953f-48f1a09f76b5','berlin-1','Tablet','67bb36fa2c9b1f646aed99d01c135b8213cc457b0690982e6f6fd4329b63ab00',NULL,'["berlin-1"]','1.0.0','2026-11-22T10:00:00.000Z',NULL,NULL,NULL);
CREATE TABLE doc (
	scope VARCHAR(60) NOT NULL, 
	id VARCHAR(300) NOT NULL, 
	s BIGINT NOT NULL, 
	deleted BOOLEAN NOT NULL, 
	why VARCHAR(20), 
	h VARCHAR(16) NOT NULL, 
	body TEXT NOT NULL, 
	written_at VARCHAR(24) NOT NULL, 
	CONSTRAINT pk_doc PRIMARY KEY (scope, id)
);
INSERT INTO "doc" VALUES('all','setting/chain',1,0,NULL,'8248206c8aca186b','{"currency":"EUR","loyalty_numbers":[{"charset":"digits","check":"ean13","length":13,"prefix":"29"}],"name":"Nordhang","region":"DE","timezone":"Europe/Berlin"}','2026-11-22T10:00:00.000Z');
INSERT INTO "doc" VALUES('all','setting/plays',2,0,NULL,'3bf7fecbddf8b2b9','{"caps":{"over_all":null,"per_tag":{},"same_visit_minutes":30},"category_names":{},"holdout":{"percent":0,"period":1},"holds":{"after_other_offer_click_h":72,"after_purchase_h":72,"after_support_h":48,"bands_without_discounts":["top_5"],"is_selling_held_while_issue_open":true,"support_events":["Support Case Opened","Live Chat Conversation Started"]},"plays_max":3,"stages":{"lapsing_days":90,"new_days":60,"win_back_days":365}}','2026-11-22T10:00:00.000Z');
INSERT INTO "doc" VALUES('all','card_key/1',3,0,NULL,'7f4424632e709c0b','{"kid":1,"public_key":"09FDU1OSoNuY1NCt1HBFK7sHv6BgGh0TxBGk3C6KY/o="}','2026-11-22T10:00:00.000Z');
INSERT INTO "doc" VALUES('all','receipt_key/r1',4,0,NULL,'c283a497d018bd46','{"kid":"r1","public_key":"tMUKHVU3b8LK5X1WRfdbhza2mGQh5Thff3aArMgLd5I="}','2026-11-22T10:00:00.000Z');
INSERT INTO "doc" VALUES('all','store/berlin-1',5,0,NULL,'f95898f3bea9bef7','{"code":"berlin-1","country":"DE","currency":"EUR","hours":{},"lat_e6":52520000,"lon_e6":13405000,"name":"Berlin Mitte","timezone":"Europe/Berlin"}','2026-11-22T10:00:00.000Z');
INSERT INTO "doc" VALUES('all','store/zurich-1',6,0,NULL,'30c98d7ee144c86c','{"code":"zurich-1","country":"CH","currency":"CHF","hours":{},"lat_e6":47376900,"lon_e6":8541700,"name":"Zurich","timezone":"Europe/Zurich"}','2026-11-22T10:00:00.000Z');
INSERT INTO "doc" VALUES('store:berlin-1','device/01a202b2-c500-7f2a-953f-48f1a09f76b5',3,0,NULL,'4d6634496f52270d','{"device_id":"01a202b2-c500-7f2a-953f-48f1a09f76b5","name":"Tablet","parked":["01a202b2-c500-7f2a-953f-48f1a0a0507b","01a202b2-c500-7f2a-953f-48f1a0a12169"]}','2026-11-22T10:00:00.000Z');
INSERT INTO "doc" VALUES('store:berlin-1','profile/9f1acb82-1a4d-5b07-8ad5-89c15df29425',2,0,NULL,'f681bf72572866d1','{"as_of":"2026-11-22T10:00:00.000Z","cart":[],"consent":{},"facts":{"distance":{},"last_seen":{},"net_revenue":[],"orders":0,"refunds":0},"follow_ups":[],"id":"9f1acb82-1a4d-5b07-8ad5-89c15df29425","identifiers":[{"type":"loyalty_id","value":"2900000000018"}],"is_provisional":true,"notes":[{"associate_id":"a0001","at":"2026-11-22T10:00:00.000Z","op_id":"01a202b2-c500-7f2a-953f-48f1a0a03253","text":"from before the update"}],"offers":[],"outcomes":[{"associate_id":"a0001","at":"2026-11-22T10:00:00.000Z","op_id":"01a202b2-c500-7f2a-953f-48f1a09fe82f","outcome":"bought","play_id":"show-the-cart"}],"plays_state":{},"preferences":{},"purchases":[],"recent":[],"redacted":["behaviour"],"seen":{},"slice":["contact","visited"],"value_band":"none","wishlist":[]}','2026-11-22T10:00:00.000Z');
CREATE TABLE enrolment_code (
	code_hash VARCHAR(64) NOT NULL, 
	store VARCHAR(40) NOT NULL, 
	expires_at VARCHAR(24) NOT NULL, 
	used_at VARCHAR(24), 
	CONSTRAINT pk_enrolment_code PRIMARY KEY (code_hash)
);
INSERT INTO "enrolment_code" VALUES('3160ec15bcdcd6a28f142de17408d9241d93f2eae0926e682f99630b68512f41','berlin-1','2026-11-23T10:00:00.000Z','2026-11-22T10:00:00.000Z');
INSERT INTO "enrolment_code" VALUES('b9b5cd93c45fbbeb6bf702948abaa816879519a3d7b15c415bd3026c0f7d08e7','berlin-1','2026-11-23T10:00:00.000Z',NULL);
CREATE TABLE fact (
	fact_id VARCHAR(36) NOT NULL, 
	kind VARCHAR(200) NOT NULL, 
	schema INTEGER NOT NULL, 
	origin VARCHAR(200) NOT NULL, 
	store VARCHAR(200), 
	associate_id VARCHAR(200), 
	occurred_at VARCHAR(24) NOT NULL, 
	effective_at VARCHAR(24) NOT NULL, 
	received_at VARCHAR(24) NOT NULL, 
	offset_ms BIGINT, 
	is_clock_suspect BOOLEAN NOT NULL, 
	about VARCHAR(36), 
	amends VARCHAR(36), 
	sha VARCHAR(64) NOT NULL, 
	body TEXT NOT NULL, 
	verdict VARCHAR(10) NOT NULL, 
	code VARCHAR(40), 
	detail TEXT, 
	device_id VARCHAR(36), 
	profile_id VARCHAR(36), 
	subject TEXT, 
	CONSTRAINT pk_fact PRIMARY KEY (fact_id)
);
INSERT INTO "fact" VALUES('01a202b2-c500-7f2a-953f-48f1a09fe82f','outcome_recorded',1,'01a202b2-c500-7e8c-8ed9-04759531ae5e','berlin-1','a0001','2026-11-22T10:00:00.000Z','2026-11-22T10:00:00.000Z','2026-11-22T10:00:00.000Z',0,0,NULL,NULL,'b4bd7b7501fe20087fcc9caa15d2b7d1d8cd57637af9a2b3e2dd812afd80bd44','{"arm":"shown","outcome":"bought","play_id":"show-the-cart","play_version":1,"rule_pack":"0000000000000000000000000000000000000000000000000000000000000000","shopper":{"type":"loyalty_id","value":"2900000000018"}}','accepted',NULL,NULL,'01a202b2-c500-7f2a-953f-48f1a09f76b5','9f1acb82-1a4d-5b07-8ad5-89c15df29425','[["loyalty_id", "2900000000018"]]');
INSERT INTO "fact" VALUES('01a202b2-c500-7f2a-953f-48f1a0a03253','note_added',1,'01a202b2-c500-7e8c-8ed9-04759531ae5e','berlin-1','a0001','2026-11-22T10:00:00.000Z','2026-11-22T10:00:00.000Z','2026-11-22T10:00:00.000Z',0,0,NULL,NULL,'a02b8519675bb23e3bffdca9ade9f063802dc16cf8552ff00520ff277331e84c','{"shopper":{"type":"loyalty_id","value":"2900000000018"},"text":"from before the update"}','accepted',NULL,NULL,'01a202b2-c500-7f2a-953f-48f1a09f76b5','9f1acb82-1a4d-5b07-8ad5-89c15df29425','[["loyalty_id", "2900000000018"]]');
INSERT INTO "fact" VALUES('01a202b2-c500-7f2a-953f-48f1a0a0507b','outcome_recorded',1,'01a202b2-c500-7e8c-8ed9-04759531ae5e','berlin-1','a0001','2026-11-22T10:00:00.000Z','2026-11-22T10:00:00.000Z','2026-11-22T10:00:00.000Z',0,0,NULL,NULL,'9dd51e28cfa64e9ebd3d8733c359ca6b7784bd3e5609081367337df2047fa54e','{"arm":"shown","outcome":"bought","play_id":"not-yet","play_version":1,"rule_pack":"0000000000000000000000000000000000000000000000000000000000000000","shopper":{"type":"loyalty_id","value":"2900000000018"}}','parked','unknown_play','HQ never published the play ''not-yet''','01a202b2-c500-7f2a-953f-48f1a09f76b5',NULL,NULL);
INSERT INTO "fact" VALUES('01a202b2-c500-7f2a-953f-48f1a0a12169','note_added',2,'01a202b2-c500-7e8c-8ed9-04759531ae5e','berlin-1','a0001','2026-11-22T10:00:00.000Z','2026-11-22T10:00:00.000Z','2026-11-22T10:00:00.000Z',0,0,NULL,NULL,'f1032cf4a3ec3930ceabc385d0b873297805c92e683a81232c259ab8a3aa7cfe','{"shopper":{"type":"loyalty_id","value":"2900000000018"},"text":"of a newer app"}','parked','unknown_schema','this server knows schema 1 of note_added, not 2','01a202b2-c500-7f2a-953f-48f1a09f76b5',NULL,NULL);
CREATE TABLE identifier (
	type VARCHAR(20) NOT NULL, 
	value VARCHAR(600) NOT NULL, 
	profile_id VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_identifier PRIMARY KEY (type, value)
);
INSERT INTO "identifier" VALUES('loyalty_id','2900000000018','9f1acb82-1a4d-5b07-8ad5-89c15df29425');
CREATE TABLE install (
	install_id VARCHAR(200) NOT NULL, 
	device_id VARCHAR(36) NOT NULL, 
	acked_seq BIGINT NOT NULL, 
	chain VARCHAR(64) NOT NULL, 
	last_effective_at VARCHAR(24) NOT NULL, 
	card_stock_at VARCHAR(24), 
	CONSTRAINT pk_install PRIMARY KEY (install_id)
);
INSERT INTO "install" VALUES('01a202b2-c500-7e8c-8ed9-04759531ae5e','01a202b2-c500-7f2a-953f-48f1a09f76b5',5,'2a103fc6a8629510d41f48c2140300bee20537a487dd1097b8e7ab0a1a0f3d15','2026-11-22T10:00:00.000Z',NULL);
CREATE TABLE journal_entry (
	install_id VARCHAR(200) NOT NULL, 
	seq BIGINT NOT NULL, 
	op_id VARCHAR(36) NOT NULL, 
	sha VARCHAR(64) NOT NULL, 
	chain VARCHAR(64) NOT NULL, 
	verdict VARCHAR(10) NOT NULL, 
	code VARCHAR(40), 
	CONSTRAINT pk_journal_entry PRIMARY KEY (install_id, seq)
);
INSERT INTO "journal_entry" VALUES('01a202b2-c500-7e8c-8ed9-04759531ae5e',1,'01a202b2-c500-7f2a-953f-48f1a09fe82f','b4bd7b7501fe20087fcc9caa15d2b7d1d8cd57637af9a2b3e2dd812afd80bd44','16f6f4a8db83c51822c60f017faa70bf672c736764179d2e6f87cb7213303edf','accepted',NULL);
INSERT INTO "journal_entry" VALUES('01a202b2-c500-7e8c-8ed9-04759531ae5e',2,'01a202b2-c500-7f2a-953f-48f1a0a03253','a02b8519675bb23e3bffdca9ade9f063802dc16cf8552ff00520ff277331e84c','403d8956d4c0bf9a225fa37cdb6de72dd9888bd86ddb66b1c0b7016998563c11','accepted',NULL);
INSERT INTO "journal_entry" VALUES('01a202b2-c500-7e8c-8ed9-04759531ae5e',3,'01a202b2-c500-7f2a-953f-48f1a0a0507b','9dd51e28cfa64e9ebd3d8733c359ca6b7784bd3e5609081367337df2047fa54e','05fb95872779e15f2a486b7d0aa02b3200ff72fce94c79f318f0ec563411f550','parked','unknown_play');
INSERT INTO "journal_entry" VALUES('01a202b2-c500-7e8c-8ed9-04759531ae5e',4,'01a202b2-c500-7f2a-953f-48f1a0a12169','f1032cf4a3ec3930ceabc385d0b873297805c92e683a81232c259ab8a3aa7cfe','4f378b7be7b2ee21f5aba1438ef27eb07886435b13b895ea8e3cec5a68f79d9c','parked','unknown_schema');
INSERT INTO "journal_entry" VALUES('01a202b2-c500-7e8c-8ed9-04759531ae5e',5,'01a202b2-c500-7f2a-953f-48f1a0a1b64d','0000000000000000000000000000000000000000000000000000000000000000','2a103fc6a8629510d41f48c2140300bee20537a487dd1097b8e7ab0a1a0f3d15','rejected','malformed');
CREATE TABLE note (
	name VARCHAR(80) NOT NULL, 
	value TEXT NOT NULL, 
	CONSTRAINT pk_note PRIMARY KEY (name)
);
INSERT INTO "note" VALUES('epoch','01a202b2-c500-726b-b2a7-4de452e6b438');
INSERT INTO "note" VALUES('keys','{"card-1.pem": "6166fddff3a7dab542d8b3e47cddcf15364f119dfdae3362f54ff25210dce96c", "cursor.secret": "dd1730125802ddda2019b1fa1cfb6f53cb2c4d910ad4535f474cf8792c8754ab", "erasure.secret": "31946039e08521b57d38adb6f8007954e856e5b8d6d4e3cdaacd0133a33b13db", "receipt-r1.pem": "2f21edf67fa53e5f4c8b2301662dadb7dd67ad7ad5306d007c0884f25d1f7fb6"}');
INSERT INTO "note" VALUES('chain_name','Nordhang');
CREATE TABLE play_version (
	play_id VARCHAR(200) NOT NULL, 
	version INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	published_at VARCHAR(24) NOT NULL, 
	CONSTRAINT pk_play_version PRIMARY KEY (play_id, version)
);
INSERT INTO "play_version" VALUES('show-the-cart',1,'{}','2026-11-22T10:00:00.000Z');
CREATE TABLE postcode (
	country VARCHAR(2) NOT NULL, 
	postcode VARCHAR(12) NOT NULL, 
	lat_e6 INTEGER NOT NULL, 
	lon_e6 INTEGER NOT NULL, 
	CONSTRAINT pk_postcode PRIMARY KEY (country, postcode)
);
CREATE TABLE profile (
	profile_id VARCHAR(36) NOT NULL, 
	state TEXT NOT NULL, 
	stores TEXT DEFAULT '[]' NOT NULL, 
	value_band VARCHAR(10) DEFAULT 'none' NOT NULL, 
	CONSTRAINT pk_profile PRIMARY KEY (profile_id)
);
INSERT INTO "profile" VALUES('9f1acb82-1a4d-5b07-8ad5-89c15df29425','{"latest_at":"2026-11-22T10:00:00.000Z","identifiers":{"loyalty_id|2900000000018":"2026-11-22T10:00:00.000Z"},"contacts":{"berlin-1":"2026-11-22T10:00:00.000Z"},"records":{"01a202b2-c500-7f2a-953f-48f1a09fe82f":["outcome_recorded","2026-11-22T10:00:00.000Z","berlin-1","a0001",{"shopper":{"type":"loyalty_id","value":"2900000000018"},"play_id":"show-the-cart","play_version":1,"outcome":"bought","arm":"shown","rule_pack":"0000000000000000000000000000000000000000000000000000000000000000"}],"01a202b2-c500-7f2a-953f-48f1a0a03253":["note_added","2026-11-22T10:00:00.000Z","berlin-1","a0001",{"shopper":{"type":"loyalty_id","value":"2900000000018"},"text":"from before the update"}]}}','["berlin-1"]','none');
CREATE TABLE redirect (
	old_id VARCHAR(36) NOT NULL, 
	profile_id VARCHAR(36) NOT NULL, 
	CONSTRAINT pk_redirect PRIMARY KEY (old_id)
);
CREATE TABLE rule_pack (
	hash VARCHAR(64) NOT NULL, 
	body TEXT NOT NULL, 
	published_at VARCHAR(24) NOT NULL, 
	CONSTRAINT pk_rule_pack PRIMARY KEY (hash)
);
CREATE TABLE salvage (
	op_id VARCHAR(36) NOT NULL, 
	device_id VARCHAR(36) NOT NULL, 
	install_id VARCHAR(200) NOT NULL, 
	why VARCHAR(20) NOT NULL, 
	received_at VARCHAR(24) NOT NULL, 
	raw TEXT NOT NULL, 
	approved_at VARCHAR(24), 
	CONSTRAINT pk_salvage PRIMARY KEY (op_id)
);
INSERT INTO "salvage" VALUES('01a202b2-c500-7f2a-953f-48f1a0a224e6','01a202b2-c500-7f2a-953f-48f1a09f76b5','01a202b2-c500-7e8c-8ed9-04759531ae5e','withheld','2026-11-22T10:00:00.000Z','{"seq": 6, "op_id": "01a202b2-c500-7f2a-953f-48f1a0a224e6", "kind": "note_added", "schema": 1, "scope": "store:berlin-1", "associate_id": "a0001", "occurred_at": "2026-11-22T10:00:00.000Z", "amends": null, "sha": "8b31b2e9d44ba58e9f7142ec8fd5abc45579c5f3c8a3c8d3342427052b64676e", "body": {"shopper": {"type": "loyalty_id", "value": "2900000000018"}, "text": "salvaged"}}',NULL);
CREATE TABLE scope_head (
	scope VARCHAR(60) NOT NULL, 
	n BIGINT NOT NULL, 
	count BIGINT NOT NULL, 
	sum VARCHAR(16) NOT NULL, 
	floor BIGINT NOT NULL, 
	CONSTRAINT pk_scope_head PRIMARY KEY (scope)
);
INSERT INTO "scope_head" VALUES('all',6,6,'2a2a0ea6073aabd8',0);
INSERT INTO "scope_head" VALUES('store:berlin-1',3,2,'43e7f3bbc67a8dde',0);
CREATE TABLE source (
	name VARCHAR(80) NOT NULL, 
	write_key_hash VARCHAR(64) NOT NULL, 
	created_at VARCHAR(24) NOT NULL, 
	disabled_at VARCHAR(24), 
	CONSTRAINT pk_source PRIMARY KEY (name), 
	CONSTRAINT uq_source_write_key_hash UNIQUE (write_key_hash)
);
CREATE TABLE store (
	code VARCHAR(40) NOT NULL, 
	name TEXT NOT NULL, 
	currency VARCHAR(3) NOT NULL, 
	timezone VARCHAR(60) NOT NULL, 
	country VARCHAR(2), 
	region VARCHAR(40), 
	lat_e6 INTEGER, 
	lon_e6 INTEGER, 
	hours TEXT DEFAULT '{}' NOT NULL, 
	CONSTRAINT pk_store PRIMARY KEY (code)
);
INSERT INTO "store" VALUES('berlin-1','Berlin Mitte','EUR','Europe/Berlin','DE',NULL,52520000,13405000,'{}');
INSERT INTO "store" VALUES('zurich-1','Zurich','CHF','Europe/Zurich','CH',NULL,47376900,8541700,'{}');
CREATE INDEX ix_associate_store ON associate (store);
CREATE INDEX ix_device_store ON device (store);
CREATE INDEX ix_card_loyalty_id ON card (loyalty_id);
CREATE INDEX ix_audit_at ON audit (at);
CREATE INDEX ix_install_device_id ON install (device_id);
CREATE INDEX ix_fact_about ON fact (about) WHERE about IS NOT NULL;
CREATE INDEX ix_fact_opening ON fact (associate_id, effective_at) WHERE kind = 'shopper_opened';
CREATE INDEX ix_fact_parked ON fact (device_id) WHERE verdict = 'parked';
CREATE INDEX ix_fact_profile_id ON fact (profile_id);
CREATE INDEX ix_identifier_profile_id ON identifier (profile_id);
CREATE INDEX ix_redirect_profile_id ON redirect (profile_id);
CREATE UNIQUE INDEX ix_doc_scope_s ON doc (scope, s);
COMMIT;

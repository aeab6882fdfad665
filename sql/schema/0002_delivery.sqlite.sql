-- One-time secrets, outgoing messages, stored templates, known places; what accounts gain with them.
-- Times are milliseconds since 1970, UTC; 0 = never.

ALTER TABLE user ADD COLUMN phone TEXT;                                -- E.164, proven
ALTER TABLE user ADD COLUMN lang TEXT;                                 -- of mails to the user
ALTER TABLE user ADD COLUMN verify_by_ms INTEGER NOT NULL DEFAULT 0;   -- lazy verification ends

ALTER TABLE attempt ADD COLUMN guess INTEGER NOT NULL DEFAULT 0; -- 16 bits of the last guess's MAC

-- Tokens and codes that work once. hash = HMAC of purpose, owner and secret: the row yields none.
CREATE TABLE onetime (
	hash       BLOB PRIMARY KEY CHECK (length(hash) = 32),
	purpose    INTEGER NOT NULL,
	user_id    INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
	address    TEXT NOT NULL,  -- what it proves or restores: an e-mail address or a number
	reserves   TEXT,           -- key of an address that nobody else may take meanwhile
	sid        BLOB,           -- the session that asked for it
	tries      INTEGER NOT NULL DEFAULT 0,
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX onetime_by_user ON onetime (user_id, purpose);
CREATE INDEX onetime_by_expiry ON onetime (expires_ms);
CREATE INDEX onetime_by_reserved ON onetime (reserves) WHERE reserves IS NOT NULL;

-- Messages to send, written in the transaction of the fact that causes them. A sent one is deleted.
CREATE TABLE outbox (
	id         INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: a sender may still hold a deleted one's
	uid        BLOB NOT NULL UNIQUE CHECK (length(uid) = 16), -- stable Message-ID
	channel    INTEGER NOT NULL,            -- domain/outbox.h
	user_id    INTEGER REFERENCES user (id) ON DELETE CASCADE,
	recipient  TEXT NOT NULL,
	template   TEXT NOT NULL,
	lang       TEXT NOT NULL,
	sealed     BLOB NOT NULL,               -- the variables: they hold links and codes
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL,            -- not sent after; 0 = outbox.max_age decides
	dead       INTEGER NOT NULL DEFAULT 0,  -- given up: waits for an operator
	next_ms    INTEGER NOT NULL,            -- not tried before
	attempts   INTEGER NOT NULL DEFAULT 0,
	problem    TEXT                         -- what came of the last attempt
) STRICT;
CREATE INDEX outbox_by_due ON outbox (channel, dead, next_ms);
CREATE INDEX outbox_by_user ON outbox (user_id);

-- Templates that stand in for the built-in ones. NULL bases: only the texts differ.
CREATE TABLE template (
	id        TEXT PRIMARY KEY,
	base_html TEXT NOT NULL DEFAULT '',
	base_text TEXT NOT NULL DEFAULT ''
) STRICT, WITHOUT ROWID;
CREATE TABLE template_text (
	template TEXT NOT NULL REFERENCES template (id) ON DELETE CASCADE,
	lang     TEXT NOT NULL,
	key      TEXT NOT NULL,
	value    TEXT NOT NULL,
	PRIMARY KEY (template, lang, key)
) STRICT, WITHOUT ROWID;

-- Where a user signed in from before: HMAC of the client's kind and its coarse address.
CREATE TABLE place (
	user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
	place   BLOB NOT NULL CHECK (length(place) = 16),
	seen_ms INTEGER NOT NULL,
	PRIMARY KEY (user_id, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX place_by_seen ON place (seen_ms);

CREATE INDEX audit_by_user ON audit (user_uid, id) WHERE user_uid IS NOT NULL;

-- Accounts, sessions, guessing counters, audit. Times are milliseconds since 1970, UTC; 0 = never.
-- Tokens are never stored: a session row and the server's key re-create the current refresh token.

CREATE TABLE meta (
	key   TEXT PRIMARY KEY,
	value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user (
	id             INTEGER PRIMARY KEY,
	uid            BLOB NOT NULL UNIQUE CHECK (length(uid) = 16), -- the public id (UUID), never reused
	email          TEXT NOT NULL,                                 -- as typed
	email_key      TEXT NOT NULL UNIQUE,                          -- canonical form (domain/email.h)
	password_hash  TEXT,
	first_name     TEXT,
	last_name      TEXT,
	role           TEXT,
	login_provider TEXT NOT NULL DEFAULT 'local',
	is_admin       INTEGER NOT NULL DEFAULT 0,
	email_verified INTEGER NOT NULL DEFAULT 0,
	disabled_ms    INTEGER NOT NULL DEFAULT 0,
	device_epoch   INTEGER NOT NULL DEFAULT 0,                    -- raising it forgets known devices
	created_ms     INTEGER NOT NULL,
	last_login_ms  INTEGER NOT NULL DEFAULT 0
) STRICT;

-- id is the first 63 bits of sid: one look-up by integer key instead of two trees.
CREATE TABLE session (
	id              INTEGER PRIMARY KEY,
	sid             BLOB NOT NULL CHECK (length(sid) = 16),
	user_id         INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
	cur_gen         INTEGER NOT NULL,
	cur_nonce       BLOB NOT NULL CHECK (length(cur_nonce) = 16),
	parent_gen      INTEGER NOT NULL DEFAULT 0,
	rotated_ms      INTEGER NOT NULL,
	confirmed       INTEGER NOT NULL DEFAULT 0,
	replays         INTEGER NOT NULL DEFAULT 0,
	older_gen       INTEGER NOT NULL DEFAULT 0, -- the generation before parent_gen …
	older_ms        INTEGER NOT NULL DEFAULT 0, -- … and when it was rotated
	agent_family    TEXT NOT NULL DEFAULT '',   -- client binding of the last rotation
	auth_ms         INTEGER NOT NULL,           -- last full authentication
	amr             TEXT NOT NULL,              -- how (RFC 8176), blank-separated
	created_ms      INTEGER NOT NULL,
	idle_expires_ms INTEGER NOT NULL,
	abs_expires_ms  INTEGER NOT NULL,
	sweep_day       INTEGER NOT NULL,           -- day on which idle expiry is looked at
	last_active_ms  INTEGER NOT NULL,
	user_agent      TEXT,
	ip              TEXT                        -- coarse: /24 or /48
) STRICT;
CREATE INDEX session_by_user ON session (user_id, last_active_ms);
CREATE INDEX session_by_sweep ON session (sweep_day);

-- Guessing counters. key = HMAC of scope and subject, so unknown subjects look like known ones.
CREATE TABLE attempt (
	key        BLOB PRIMARY KEY CHECK (length(key) = 16),
	scope      INTEGER NOT NULL,
	failures   INTEGER NOT NULL,
	since_ms   INTEGER NOT NULL, -- start of the window
	blocked_ms INTEGER NOT NULL, -- closed until
	last_ms    INTEGER NOT NULL,
	penalties  INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_by_last ON attempt (scope, last_ms);

CREATE TABLE audit (
	id         INTEGER PRIMARY KEY,
	at_ms      INTEGER NOT NULL,
	event      TEXT NOT NULL,
	user_uid   BLOB,
	sid        BLOB,
	ip         TEXT,
	request_id TEXT,
	detail     TEXT
) STRICT;
CREATE INDEX audit_by_time ON audit (at_ms);

-- Append-only: rows leave only through the sweep, which first moves the mark.
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
WHEN old.at_ms >= coalesce((SELECT value FROM meta WHERE key = 'audit_swept_before_ms'), 0)
BEGIN
	SELECT RAISE(ABORT, 'audit is append-only');
END;

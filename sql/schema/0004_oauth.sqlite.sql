-- Sign-in through identity providers. Times are milliseconds since 1970, UTC; 0 = never.

-- One on its way to a provider and back. key = HMAC of the state that went along; nonce and verifier follow from the
-- state and the server's key, so the row yields none. browser = HMAC of the cookie it was begun with.
CREATE TABLE oauth_flow (
	key        BLOB PRIMARY KEY CHECK (length(key) = 32),
	browser    BLOB NOT NULL CHECK (length(browser) = 32),
	provider   TEXT NOT NULL,
	target     TEXT NOT NULL, -- where it ends
	is_app     INTEGER NOT NULL,
	app_state  TEXT,          -- given back to an app as it came
	challenge  TEXT,          -- of an app: S256
	user_id    INTEGER REFERENCES user (id) ON DELETE CASCADE, -- to be linked to; NULL: a sign-in …
	sid        BLOB,                                           -- … and the session that asked
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_flow_by_expiry ON oauth_flow (expires_ms);
CREATE INDEX oauth_flow_by_user ON oauth_flow (user_id) WHERE user_id IS NOT NULL;

-- What an app fetches its tokens with. A used one stays for a while: a second use ends the session of the first.
CREATE TABLE oauth_ott (
	key        BLOB PRIMARY KEY CHECK (length(key) = 32),
	user_id    INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
	provider   TEXT NOT NULL,
	account_id TEXT NOT NULL,
	email      TEXT,
	name       TEXT,
	picture    TEXT,
	links      INTEGER NOT NULL, -- it links the account to the user's, and signs nobody in
	sid        BLOB,             -- links: the session that asked; else the one that was given
	challenge  TEXT,
	expires_ms INTEGER NOT NULL,
	used_ms    INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_ott_by_expiry ON oauth_ott (expires_ms);
CREATE INDEX oauth_ott_by_user ON oauth_ott (user_id);

-- ID tokens that apps have signed in with: each works once.
CREATE TABLE oauth_used (
	key        BLOB PRIMARY KEY CHECK (length(key) = 32),
	expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX oauth_used_by_expiry ON oauth_used (expires_ms);

-- A provider's refresh token, sealed, kept for one purpose: to be given back when the account goes.
CREATE TABLE oauth_grant (
	provider   TEXT NOT NULL,
	account_id TEXT NOT NULL,
	sealed     BLOB NOT NULL,
	PRIMARY KEY (provider, account_id),
	FOREIGN KEY (provider, account_id) REFERENCES linked_account (provider, account_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- To be given back: written in the transaction that deletes the account.
CREATE TABLE oauth_revoke (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	provider   TEXT NOT NULL,
	account_id TEXT NOT NULL, -- the seal's context
	sealed     BLOB NOT NULL,
	created_ms INTEGER NOT NULL,
	next_ms    INTEGER NOT NULL,
	attempts   INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX oauth_revoke_by_due ON oauth_revoke (next_ms);

-- Second factors, sign-in without passwords, linked accounts, guests. Times are milliseconds since 1970, UTC; 0 = never.

ALTER TABLE user ADD COLUMN totp BLOB;                                   -- seed, sealed and proven
ALTER TABLE user ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;        -- last accepted: only greater ones are
ALTER TABLE user ADD COLUMN totp_ms INTEGER NOT NULL DEFAULT 0;          -- when it was proven
ALTER TABLE user ADD COLUMN totp_pending BLOB;                           -- seed, sealed, not proven yet
ALTER TABLE user ADD COLUMN totp_pending_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN factor_reset_ms INTEGER NOT NULL DEFAULT 0;  -- an operator's reset takes place then
ALTER TABLE user ADD COLUMN require_2fa INTEGER NOT NULL DEFAULT 0;
ALTER TABLE user ADD COLUMN is_guest INTEGER NOT NULL DEFAULT 0;         -- no address: email is ''
ALTER TABLE user ADD COLUMN seen_ms INTEGER NOT NULL DEFAULT 0;          -- guests: known to be in use then

ALTER TABLE session ADD COLUMN web INTEGER NOT NULL DEFAULT 0;       -- its tokens are in cookies: it lives shorter
ALTER TABLE session ADD COLUMN factor_ms INTEGER NOT NULL DEFAULT 0; -- last proof of a second factor other than mail

ALTER TABLE onetime ADD COLUMN guess INTEGER NOT NULL DEFAULT 0;    -- 16 bits of the last wrong code's MAC …
ALTER TABLE onetime ADD COLUMN guess_ms INTEGER NOT NULL DEFAULT 0; -- … and when it came

-- Ten codes a user; the slot is the code's first two characters, so that one hash finds it.
CREATE TABLE recovery (
	user_id INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
	slot    TEXT NOT NULL,
	hash    TEXT NOT NULL,
	PRIMARY KEY (user_id, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE linked_account (
	provider   TEXT NOT NULL,
	account_id TEXT NOT NULL,
	user_id    INTEGER NOT NULL REFERENCES user (id) ON DELETE CASCADE,
	email      TEXT,
	name       TEXT,
	picture    TEXT,
	linked_ms  INTEGER NOT NULL,
	PRIMARY KEY (provider, account_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX linked_by_user ON linked_account (user_id);

-- An account at a provider whose address already has an account here: waits for its owner to say so.
-- key = HMAC of an unguessable id that only the browser which came with it holds.
CREATE TABLE pending_link (
	key        BLOB PRIMARY KEY CHECK (length(key) = 32),
	email_key  TEXT NOT NULL,
	provider   TEXT NOT NULL,
	account_id TEXT NOT NULL,
	name       TEXT,
	email      TEXT NOT NULL,
	created_ms INTEGER NOT NULL,
	expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX pending_link_by_expiry ON pending_link (expires_ms);

CREATE INDEX user_by_factor_reset ON user (factor_reset_ms) WHERE factor_reset_ms > 0;
CREATE INDEX user_guests ON user (seen_ms) WHERE is_guest = 1;

-- Accounts elsewhere that are linked to one here, and such as wait to be.

-- name: linked_of_user
-- in: user_id int
-- out: many linked_row
SELECT provider, account_id, user_id, email, name, picture, linked_ms FROM linked_account
WHERE user_id = $1 ORDER BY linked_ms, provider, account_id LIMIT 100;

-- name: linked_find
-- in: provider text, account_id text
-- out: one linked_row
SELECT provider, account_id, user_id, email, name, picture, linked_ms FROM linked_account
WHERE provider = $1 AND account_id = $2;

-- name: linked_others
-- in: user_id int, provider text, account_id text
-- out: int
-- Is anything left without that one?
SELECT 1 FROM linked_account WHERE user_id = $1 AND NOT (provider = $2 AND account_id = $3) LIMIT 1;

-- name: linked_insert
-- in: provider text, account_id text, user_id int, email text, name text, picture text, now_ms int
-- out: changed
-- No row when it is linked already: whoever was first keeps it.
INSERT INTO linked_account (provider, account_id, user_id, email, name, picture, linked_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (provider, account_id) DO NOTHING;

-- name: linked_delete
-- in: provider text, account_id text, user_id int
-- out: changed
DELETE FROM linked_account WHERE provider = $1 AND account_id = $2 AND user_id = $3;

-- name: pending_link_insert
-- in: key blob, email_key text, provider text, account_id text, name text, email text, now_ms int, expires_ms int
-- out: none
INSERT INTO pending_link (key, email_key, provider, account_id, name, email, created_ms, expires_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: pending_link_find
-- in: key blob, now_ms int
-- out: one pending_link_row
SELECT email_key, provider, account_id, name, email, created_ms, expires_ms FROM pending_link
WHERE key = $1 AND expires_ms > $2;

-- name: pending_link_take
-- in: key blob, now_ms int
-- out: one pending_link_row
-- The deletion decides who of several uses it.
DELETE FROM pending_link WHERE key = $1 AND expires_ms > $2
RETURNING email_key, provider, account_id, name, email, created_ms, expires_ms;

-- name: pending_link_sweep
-- in: now_ms int, limit_n int
-- out: changed
DELETE FROM pending_link WHERE key IN (
	SELECT key FROM pending_link WHERE expires_ms <= $1 ORDER BY expires_ms LIMIT $2);

-- name: linked_delete_all
-- in: user_id int
-- out: none
DELETE FROM linked_account WHERE user_id = $1;

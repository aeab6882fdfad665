-- Sign-in through identity providers (domain/oauth.h, domain/ott.h, domain/grant.h).

-- name: oauth_flow_insert
-- in: key blob, browser blob, provider text, target text, is_app bool, app_state text, challenge text, user_id int, sid blob, now_ms int, expires_ms int
-- out: none
-- user_id 0: a sign-in.
INSERT INTO oauth_flow (key, browser, provider, target, is_app, app_state, challenge, user_id, sid, created_ms, expires_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, 0), $9, $10, $11);

-- name: oauth_flow_take
-- in: key blob, browser blob, provider text
-- out: one oauth_flow_row
-- The deletion decides who of several uses it; another browser's try leaves it. Expired ones too: where it was to
-- end is then still known.
DELETE FROM oauth_flow WHERE key = $1 AND browser = $2 AND provider = $3
RETURNING target, is_app, app_state, challenge, coalesce(user_id, 0) AS user_id, sid, expires_ms;

-- name: oauth_flow_sweep
-- in: before_ms int, limit_n int
-- out: changed
DELETE FROM oauth_flow WHERE key IN (SELECT key FROM oauth_flow WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2);

-- name: oauth_ott_insert
-- in: key blob, user_id int, provider text, account_id text, email text, name text, picture text, links bool, sid blob, challenge text, expires_ms int
-- out: none
INSERT INTO oauth_ott (key, user_id, provider, account_id, email, name, picture, links, sid, challenge, expires_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: oauth_ott_use
-- in: key blob, now_ms int
-- out: one oauth_ott_row
-- The first use only.
UPDATE oauth_ott SET used_ms = $2 WHERE key = $1 AND used_ms = 0
RETURNING user_id, provider, account_id, email, name, picture, links, sid, challenge, expires_ms;

-- name: oauth_ott_burn
-- in: key blob
-- out: one oauth_ott_row
-- A further use. The first may be under way still: then it finds this.
UPDATE oauth_ott SET used_ms = -1 WHERE key = $1 AND used_ms <> 0
RETURNING user_id, provider, account_id, email, name, picture, links, sid, challenge, expires_ms;

-- name: oauth_ott_gave
-- in: key blob, sid blob
-- out: changed
-- None when it was used again meanwhile.
UPDATE oauth_ott SET sid = $2 WHERE key = $1 AND used_ms > 0;

-- name: oauth_ott_sweep
-- in: before_ms int, limit_n int
-- out: changed
DELETE FROM oauth_ott WHERE key IN (SELECT key FROM oauth_ott WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2);

-- name: oauth_used_insert
-- in: key blob, expires_ms int
-- out: changed
-- No row when it was used before.
INSERT INTO oauth_used (key, expires_ms) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING;

-- name: oauth_used_sweep
-- in: before_ms int, limit_n int
-- out: changed
DELETE FROM oauth_used WHERE key IN (SELECT key FROM oauth_used WHERE expires_ms < $1 ORDER BY expires_ms LIMIT $2);

-- name: oauth_user_insert
-- in: uid blob, email text, email_key text, first_name text, last_name text, email_verified bool, login_provider text, now_ms int, verify_by_ms int
-- out: int
-- ERR_CONFLICT when the address is taken. Returns the row id.
INSERT INTO user (uid, email, email_key, first_name, last_name, email_verified, login_provider, created_ms, verify_by_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
RETURNING id;

-- name: oauth_grant_put
-- in: provider text, account_id text, sealed blob
-- out: none
INSERT INTO oauth_grant (provider, account_id, sealed) VALUES ($1, $2, $3)
ON CONFLICT (provider, account_id) DO UPDATE SET sealed = excluded.sealed;

-- name: oauth_revoke_of_user
-- in: user_id int, now_ms int
-- out: changed
INSERT INTO oauth_revoke (provider, account_id, sealed, created_ms, next_ms)
SELECT g.provider, g.account_id, g.sealed, $2, $2 FROM oauth_grant AS g
JOIN linked_account AS l ON l.provider = g.provider AND l.account_id = g.account_id WHERE l.user_id = $1;

-- name: oauth_revoke_due
-- in: now_ms int
-- out: one oauth_revoke_row
SELECT id, provider, account_id, sealed, created_ms, next_ms, attempts FROM oauth_revoke
WHERE next_ms <= $1 ORDER BY next_ms LIMIT 1;

-- name: oauth_revoke_later
-- in: id int, next_ms int
-- out: none
UPDATE oauth_revoke SET next_ms = $2, attempts = attempts + 1 WHERE id = $1;

-- name: oauth_revoke_delete
-- in: id int
-- out: none
DELETE FROM oauth_revoke WHERE id = $1;

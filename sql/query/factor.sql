-- Second factors by app, and recovery codes (domain/factor.h). Seeds are sealed, codes are hashed.

-- name: factor_of
-- in: id int
-- out: one factor_row
SELECT totp, totp_step, totp_ms, totp_pending, totp_pending_ms FROM user WHERE id = $1;

-- name: factor_pend
-- in: id int, totp_pending blob, now_ms int
-- out: changed
UPDATE user SET totp_pending = $2, totp_pending_ms = $3 WHERE id = $1;

-- name: factor_prove
-- in: id int, totp_pending blob, totp_step int, now_ms int, may_replace bool
-- out: changed
-- Only the seed that was looked at; devices that were spared the factor before it are asked again.
UPDATE user SET totp = totp_pending, totp_step = $3, totp_ms = $4, totp_pending = NULL, totp_pending_ms = 0,
       factor_reset_ms = 0, claim_ms = 0, device_epoch = device_epoch + 1
WHERE id = $1 AND totp_pending = $2 AND (totp IS NULL OR $5);

-- name: factor_step
-- in: id int, totp blob, totp_step int
-- out: changed
-- Each step once, never an earlier one: of several who come with a code one gets the row.
UPDATE user SET totp_step = $3 WHERE id = $1 AND totp = $2 AND totp_step < $3;

-- name: factor_clear
-- in: id int
-- out: changed
UPDATE user SET totp = NULL, totp_step = 0, totp_ms = 0, totp_pending = NULL, totp_pending_ms = 0,
       factor_reset_ms = 0, claim_ms = 0
WHERE id = $1;

-- name: factor_reset_ask
-- in: id int, due_ms int
-- out: changed
-- The time runs from the first asking.
UPDATE user SET factor_reset_ms = $2 WHERE id = $1 AND totp IS NOT NULL AND factor_reset_ms = 0;

-- name: factor_reset_cancel
-- in: id int
-- out: changed
UPDATE user SET factor_reset_ms = 0 WHERE id = $1 AND factor_reset_ms > 0;

-- name: factor_reset_due
-- in: now_ms int, limit_n int
-- out: many user_row
SELECT id, uid, email, first_name, last_name, role, login_provider,
       password_hash IS NOT NULL AS has_password, is_admin, email_verified, disabled_ms, device_epoch,
       created_ms, last_login_ms, phone, lang, verify_by_ms,
       totp IS NOT NULL AS has_totp, require_2fa, is_guest, factor_reset_ms,
       mailbox_only, password_by_mail, claim_ms
FROM user WHERE factor_reset_ms > 0 AND factor_reset_ms <= $1 ORDER BY factor_reset_ms LIMIT $2;

-- name: factor_require
-- in: id int, require_2fa bool
-- out: changed
UPDATE user SET require_2fa = $2 WHERE id = $1;

-- name: recovery_insert
-- in: user_id int, slot text, hash text
-- out: none
INSERT INTO recovery (user_id, slot, hash) VALUES ($1, $2, $3);

-- name: recovery_find
-- in: user_id int, slot text
-- out: one recovery_row
SELECT hash FROM recovery WHERE user_id = $1 AND slot = $2;

-- name: recovery_take
-- in: user_id int, slot text, hash text
-- out: changed
-- The deletion decides who of several uses it.
DELETE FROM recovery WHERE user_id = $1 AND slot = $2 AND hash = $3;

-- name: recovery_left
-- in: user_id int
-- out: int
SELECT count(*) FROM recovery WHERE user_id = $1;

-- name: recovery_void
-- in: user_id int
-- out: none
DELETE FROM recovery WHERE user_id = $1;
